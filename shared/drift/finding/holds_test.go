package finding

import (
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
)

// What the asset holds stands on the finding and in its evidence; where it turns out to hold it, one person's acceptance of what
// weighs more by now is not enough any more. What a call asked for stays with who called, and out of the evidence.
func TestHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.exposed("open", true)
	plain.Severity = policy.Medium
	w.must(w.Out(t.Context(), []Seen{plain}, w.now()))
	w.must(w.accept("sara", "open", 24*h))
	if f := w.get(); f.State != Accepted || f.Data != "" {
		t.Fatalf("%+v", f)
	}
	w.to(m)
	held := w.exposed("open", true)
	held.Severity, held.Data = policy.High, "personal"
	held.Read = w.now()
	w.must(w.Out(t.Context(), []Seen{held}, w.now()))
	asked := []Change{{Field: "iam", Now: "roles/owner user:eve@evil.example"}}
	w.must(w.Blame(t.Context(), held.Asset, []Actor{{Person: "ben", Kind: "human", At: w.now(), Entry: "e", Asked: asked}}, w.now()))
	f := w.get()
	if f.State != Open || f.Data != "personal" || f.Accepted != nil || len(f.Actors) != 1 || len(f.Actors[0].Asked) != 1 || f.Actors[0].Asked[0] != asked[0] {
		t.Errorf("%+v", f)
	}
	// The same again writes nothing.
	rev := f.Rev
	w.must(w.Blame(t.Context(), held.Asset, []Actor{{Person: "ben", Kind: "human", At: w.now(), Entry: "e", Asked: asked}}, w.now()))
	if f := w.get(); f.Rev != rev {
		t.Errorf("revision %d, then %d", rev, f.Rev)
	}
	holds := 0
	for _, r := range w.order {
		data, err := r.Canonical()
		if err != nil || strings.Contains(string(data), "evil") {
			t.Errorf("%s %v", data, err)
		}
		if r.Facts["holds"] == "personal" {
			holds++
		}
	}
	if holds == 0 {
		t.Error("no record says what it holds")
	}
}
