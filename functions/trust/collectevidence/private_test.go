package collectevidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/trust/intake"
)

// TestNothingPersonal plants a person's name and address into every text of every type, into members nobody knows and
// into every attribute: neither record nor log nor answer nor document holds any of it.
func TestNothingPersonal(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	const marker = "kowalska" // of every planted text; the log is searched for it when the test ends
	planted := []string{"Anna Kowalska", "anna.kowalska", "anna.kowalska@sharedcontacts.example", "Kowalska/12:Rue-de-la-Paix", "kowalska-81.2.69.142"}
	w.Private(marker, "Kowalska", "12:Rue", "81.2.69.142")
	taken, n := 0, 0
	send := func(name string, data any, header func(http.Header)) {
		t.Helper()
		body, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		n++
		r := binary(w, tools, name, fmt.Sprint(n), body)
		r.From = "198.51.100.7"
		if header != nil {
			header(r.Header)
		}
		got := w.Call(t, r)
		if got.Status >= 500 || strings.Contains(strings.ToLower(string(got.Body)), marker) {
			t.Errorf("%s: answered %d %s", name, got.Status, got.Body)
		}
		if got.Status == http.StatusAccepted {
			taken++
		}
	}
	for _, name := range intake.Types() {
		var whole map[string]any
		if err := json.Unmarshal(named(t, name), &whole); err != nil {
			t.Fatal(err)
		}
		for _, text := range planted {
			plant(whole, text, func() { send(name, whole, nil) })
			send(name, whole, func(h http.Header) {
				for _, header := range []string{"Ce-Id", "Ce-Source", "Ce-Subject", "Ce-Dataschema", "Ce-Extension"} {
					h.Set(header, "urn:"+strings.ReplaceAll(text, " ", "-")+fmt.Sprint(n))
				}
			})
			send(name, whole, func(h http.Header) { h.Set("Ce-Type", text) })
		}
	}
	if taken < 80 {
		t.Errorf("only %d events were taken: the test shows little", taken)
	}
	for id, r := range w.Records(t) {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(data)), marker) || strings.Contains(string(data), "Rue") {
			t.Errorf("record %s: %s", id, data)
		}
	}
	for name, doc := range w.State(t) {
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(name+string(text)), marker) {
			t.Errorf("document %s: %s", name, text)
		}
	}
}

// plant puts text in place of each text of v, one at a time, and as the name of a member.
func plant(v map[string]any, text string, then func()) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		switch good := v[key].(type) {
		case string:
			v[key] = text
			then()
			v[key] = good
		case []any:
			if first, ok := good[0].(map[string]any); ok {
				plant(first, text, then)
			}
		}
	}
	v[text] = text
	then()
	delete(v, text)
	promises, named := v["promises"]
	v["promises"] = []string{text}
	then()
	if v["promises"] = promises; !named {
		delete(v, "promises")
	}
}
