package scan

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/finding"
)

// asks is a call of somebody's for something, now.
func (w *world) asks(person, key, entry, body string) {
	w.t.Helper()
	h := attribution.Hint{Asset: key, Person: person, Kind: "human", Method: "v1.compute.firewalls.patch", Entry: entry, At: w.clock.Now(), Request: &attribution.Request{Body: json.RawMessage(body)}}
	if err := w.Hint(w.t.Context(), h); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) asked(key string) (all []finding.Change, unasked string) {
	w.t.Helper()
	f := w.get(key, "doors")
	if len(f.Actors) == 0 {
		w.t.Fatalf("nobody is named: %+v", f)
	}
	return f.Actors[0].Asked, f.Actors[0].Unasked
}

// TestAskedBeside: what a call asked for stands beside what was before it; a message that comes twice, or after the asset was read
// again, changes nothing of that, and does not call the present the past.
func TestAskedBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, body := door("live", "a", "").Key, `{"sourceRanges":["0.0.0.0/0"],"description":"***","name":"a"}`
	w.cloud.set(door("live", "a", "10.0.0.0/8"))
	w.ticks(1)
	w.pass(time.Hour)
	w.cloud.set(door("live", "a", "0.0.0.0/0"))
	w.asks("sara", key, "e1", body)
	w.pass(10 * time.Second)
	w.look(key)
	w.asks("sara", key, "e1", body) // again: the asset is read by now
	w.look(key)
	got, unasked := w.asked(key)
	if len(got) != 2 || unasked != "" || got[0] != (finding.Change{Field: "description", Now: "***"}) || got[1].Field != "sourceRanges" || got[1].Was != "10.0.0.0/8" || got[1].Now != "0.0.0.0/0" || got[1].Unsure {
		t.Errorf("%+v %q", got, unasked)
	}
	// A second call of which the message comes late: what was before it was read after it.
	w.pass(time.Minute)
	late := w.clock.Now()
	w.pass(10 * time.Second)
	w.look(key)
	h := attribution.Hint{Asset: key, Person: "dora", Kind: "human", Method: "v1.compute.firewalls.patch", Entry: "e2", At: late, Request: &attribution.Request{Body: json.RawMessage(body)}}
	if compared, err := w.compared(t.Context(), h); err != nil || len(compared.Asked) != 2 || !compared.Asked[1].Unsure || compared.Asked[1].Was != "" {
		t.Errorf("%+v %v", compared.Asked, err)
	}
	h.Request = nil
	if compared, err := w.compared(t.Context(), h); err != nil || compared.Unasked != attribution.NotLogged {
		t.Errorf("%+v %v", compared, err)
	}
	// Who may use it is older, or younger, than how it is configured.
	h.Request, h.At = &attribution.Request{Whole: true, Added: []string{"r m"}}, w.clock.Now()
	if compared, err := w.compared(t.Context(), h); err != nil || len(compared.Asked) != 1 {
		t.Errorf("%+v %v", compared, err)
	}
}

// TestAskedSecrets: what Terraform calls sensitive is a mark in what is kept of a call, under whatever name.
func TestAskedSecrets(t *testing.T) {
	t.Parallel()
	key := door("live", "a", "").Key
	wants := `{"version":4,"resources":[{"mode":"managed","type":"google_compute_firewall","name":"a","provider":"p","instances":[{"attributes":{"name":"a","project":"live","description":"hunter2"},
		"sensitive_attributes":[[{"type":"get_attr","value":"description"}]]}]}]}`
	w := newWorld(t, &terraform{text: wants, version: "1"})
	w.cloud.set(door("live", "a", "10.0.0.0/8"))
	w.ticks(1)
	w.pass(time.Hour)
	w.asks("sara", key, "e1", `{"sourceRanges":["0.0.0.0/0"],"description":"hunter2"}`)
	w.cloud.set(door("live", "a", "0.0.0.0/0"))
	w.look(key)
	got, _ := w.asked(key)
	text, err := json.Marshal(got)
	if err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "hmac:") || !strings.Contains(string(text), "0.0.0.0/0") {
		t.Errorf("%s %v", text, err)
	}
}
