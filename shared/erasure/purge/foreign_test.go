package purge

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
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

// strangers is a store in which what belongs to people who left turns out to be somebody else's when it is about to go.
type strangers struct{ *product }

func (s strangers) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if q.Entry == "own-accounts" {
		return erasure.Page{Items: []erasure.Item{{Ref: "accounts/x", Version: "1", Created: noon.AddDate(-1, 0, 0)}}}, nil
	}
	return s.product.Find(ctx, q, cursor, limit)
}

func (s strangers) Erase(_ context.Context, _ erasure.Query, items []erasure.Item) (all []erasure.Result, err error) {
	for _, i := range items {
		all = append(all, erasure.Result{Ref: i.Ref, Outcome: erasure.OutcomeForeign})
	}
	return all, nil
}

// TestForeignDropped: the finding of a rule that the map has no more, of a tenant or of people who left that the policy has no more,
// is closed once, without a claim that nothing is left; it does not stand open for ever.
func TestForeignDropped(t *testing.T) {
	t.Parallel()
	erik := policy.Person{ID: "erik", Until: calendar.Day{Year: 2026, Month: 1, Day: 1}}
	other := policy.Person{ID: "other", Until: calendar.Day{Year: 2026, Month: 1, Day: 1}}
	for name, c := range map[string]struct {
		begin func(w *world)
		drop  func(w *world)
		rule  string
		stays bool
	}{
		"rule":               {func(*world) {}, func(w *world) { without := *w.Map; without.Retention = nil; w.Map = &without }, "old-sessions", false},
		"tenant":             {func(*world) {}, func(w *world) { w.Tenants, w.product.items = []string{"cabinet-sud"}, nil }, "old-sessions", false},
		"who left":           {func(w *world) { w.People = []policy.Person{erik} }, func(w *world) { w.People = nil }, "left.own-accounts", false},
		"one of who left":    {func(w *world) { w.People = []policy.Person{erik, other} }, func(w *world) { w.People = w.People[1:] }, "left.own-accounts", true},
		"another, and a map": {func(w *world) { w.People = []policy.Person{erik} }, func(w *world) { without := *w.Map; without.Retention = nil; w.Map = &without }, "left.own-accounts", true},
	} {
		w := newWorld(t)
		c.begin(w)
		if w.Tenants = []string{tenant}; len(w.People) == 0 {
			w.product.items = []erasure.Item{{Ref: "x", Version: "1", Created: noon.AddDate(-1, 0, 0), Tenant: "cabinet-sud"}}
		}
		w.Eraser = func(context.Context, string) (erasure.Store, error) { return strangers{w.product}, nil }
		w.day(t)
		w.day(t)
		if len(w.found) != 1 || w.found[0].Facts["rule"] != c.rule {
			t.Fatalf("%s: %d findings, %+v", name, len(w.found), w.found)
		}
		c.drop(w)
		w.day(t)
		w.day(t)
		if c.stays {
			if len(w.found) != 1 {
				t.Errorf("%s: what is still looked at is closed: %+v", name, w.found[1:])
			}
			continue
		}
		if len(w.found) != 2 || w.found[1].Kind != record.Remediation || w.found[1].Result.State != record.Undetermined || len(w.found[1].Refs) != 1 || w.found[1].Refs[0].ID != w.found[0].ID() {
			t.Errorf("%s: %+v", name, w.found)
		}
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
