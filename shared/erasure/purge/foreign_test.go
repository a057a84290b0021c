package purge

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/evidence/record"
)

// TestForeign: what a pass meets of another tenant is left alone; it opens one finding, which names nobody and no item, has the
// people who look after requests told once a day, and is mended by the first pass that meets none.
func TestForeign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.product.items = []erasure.Item{{Ref: "users/mia@customer.example", Version: "1", Created: noon.AddDate(-1, 0, 0), Tenant: "cabinet-sud"}}
	people := 0
	for day := 1; day <= 3; day++ {
		w.day(t)
		if day == 1 {
			people = len(w.letters)
		}
		if len(w.found) != 1 || people == 0 || len(w.letters) != day*people {
			t.Fatalf("day %d: %d findings, %d letters to %d people", day, len(w.found), len(w.letters), people)
		}
	}
	f := w.found[0]
	if f.Kind != record.Finding || f.Control != Control || f.Result.State != record.Broken || f.Result.Value != 1 || f.Facts["entry"] != "sessions" {
		t.Errorf("%+v", f)
	}
	said := fmt.Sprint(f.Facts, f.Subjects, f.Source)
	for _, m := range w.letters {
		if said += m.Subject + m.Text; !strings.Contains(m.Text, "sessions") {
			t.Errorf("a letter says\n%s", m.Text)
		}
	}
	for _, secret := range []string{"mia", "customer.example", "cabinet"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q stands in the evidence or a letter", secret)
		}
	}
	if len(w.product.erased) != 0 {
		t.Errorf("erased %v", w.product.erased)
	}
	letters := len(w.letters)
	w.product.items = nil
	w.day(t)
	w.day(t)
	if len(w.found) != 2 || w.found[1].Kind != record.Remediation || len(w.found[1].Refs) != 1 || w.found[1].Refs[0].ID != f.ID() || len(w.letters) != letters {
		t.Errorf("%d records: %+v; %d letters, then %d", len(w.found), w.found[1:], letters, len(w.letters))
	}
	w.product.items = []erasure.Item{{Ref: "x", Version: "1", Created: noon.AddDate(-1, 0, 0)}} // of no tenant
	w.day(t)
	if len(w.found) != 3 || w.found[2].ID() == f.ID() {
		t.Errorf("it comes back: %d records", len(w.found))
	}
}

// TestForeignDropped: the finding of a rule that the map has no more is closed once, without a claim that nothing is left; it does not
// stand open for ever.
func TestForeignDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.product.items = []erasure.Item{{Ref: "x", Version: "1", Created: noon.AddDate(-1, 0, 0), Tenant: "cabinet-sud"}}
	w.day(t)
	if len(w.found) != 1 {
		t.Fatalf("%d findings", len(w.found))
	}
	without := *w.Map
	without.Retention = nil
	w.Map = &without
	w.day(t)
	w.day(t)
	if len(w.found) != 2 || w.found[1].Kind != record.Remediation || w.found[1].Result.State != record.Undetermined || len(w.found[1].Refs) != 1 || w.found[1].Refs[0].ID != w.found[0].ID() {
		t.Errorf("%+v", w.found)
	}
}

// TestHeldOnce: a run over many pages asks once in a while what is held, and not at each of them.
func TestHeldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked, held := 0, w.Held
	w.Held = func(ctx context.Context) (map[string][]string, error) {
		asked++
		return held(ctx)
	}
	for i := range 3 * erasure.MaxPage {
		w.product.items = append(w.product.items, erasure.Item{Ref: fmt.Sprint("sessions/", i), Version: "1", Created: noon.AddDate(-1, 0, 0), Tenant: "cabinet-nord"})
	}
	if _, err := w.Run(t.Context(), w.clock.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
