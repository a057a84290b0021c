package purgeexpired

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/decideerasure"
	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/testdata/policies"
	"ostiary.internal/testdata/sample"
)

// TestLeavers: of somebody whose last day is long over goes what the control of addresses keeps of her, and then, as no law
// keeps anything any more, what evidence knew her by; on record, and once more when no backup holds it. Nobody else's goes.
func TestLeavers(t *testing.T) {
	t.Parallel()
	people, err := policies.FS.ReadFile("sharedcontacts/people.yaml")
	if err != nil {
		t.Fatal(err)
	}
	left := strings.Replace(string(people), "    name: Erik Vogel\n", "    name: Erik Vogel\n    until: 2019-01-31\n", 1)
	w := erasuretest.New(t, map[string]string{"people.yaml": left}, Function, decideerasure.Function)
	v, err := w.Deps("decideerasure").OpenVault()
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"erik", "emma"} {
		w.PutAt("firestore://sharedcontacts-live/access", "accounts", sample.Document{Name: who, Created: functiontest.Start, Fields: map[string]any{"person": who}})
		if _, err := v.Put(t.Context(), vault.Subject{Type: "person", ID: who}, strings.Repeat(who, 8), []byte(who), w.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	tick := func() {
		t.Helper()
		w.Tick(t, me).Want(t, 204, "")
		w.Advance(t, 24*time.Hour)
	}
	accounts := func() string {
		var names []string
		for line := range strings.Lines(w.Export("")) {
			if strings.Contains(line, " accounts ") {
				names = append(names, strings.Fields(line)[2])
			}
		}
		return strings.Join(names, " ")
	}
	tick()
	if got := accounts(); got != "emma erik" {
		t.Fatalf("the first day left the accounts of %q", got)
	}
	for range 3 {
		tick()
	}
	if got := accounts(); got != "emma" {
		t.Errorf("left are the accounts of %q", got)
	}
	if _, err := v.Open(t.Context(), vault.Subject{Type: "person", ID: "erik"}, strings.Repeat("erik", 8)); !fault.Is(err, fault.NotFound) {
		t.Errorf("what evidence keeps of who left opens: %v", err)
	}
	if got, err := v.Open(t.Context(), vault.Subject{Type: "person", ID: "emma"}, strings.Repeat("emma", 8)); err != nil || string(got) != "emma" {
		t.Errorf("what evidence keeps of who is here: %q, %v", got, err)
	}
	if forgetting, err := w.Deps(me).ForgettingVault(); err != nil {
		t.Fatal(err)
	} else if _, err := forgetting.Open(t.Context(), vault.Subject{Type: "person", ID: "emma"}, strings.Repeat("emma", 8)); !fault.Is(err, fault.Denied) {
		t.Errorf("who erases opens what evidence keeps: %v", err)
	}
	w.Advance(t, vault.LongestBackup)
	tick()
	steps := map[string]int{}
	for _, r := range w.Records(t) {
		if r.Kind == record.Erasure {
			steps[r.Facts["step"]]++
		}
	}
	if steps["pending"] != 1 || steps["final"] != 1 {
		t.Errorf("on record: %v", steps)
	}
}
