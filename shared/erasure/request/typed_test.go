package request

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
)

// Whoever typed somebody's address into the page learns nothing of what becomes of it: whether she is known, when she proves it,
// takes it back, or asks for herself, it reads as one that nobody proves, to its end.
func TestTyped(t *testing.T) {
	t.Parallel()
	lives := map[string]func(w *world, r Receipt){
		"unknown":      func(*world, Receipt) {},
		"not yet seen": func(*world, Receipt) {},
		"known":        func(*world, Receipt) {},
		"proved":       func(w *world, r Receipt) { w.confirmed(r) },
		"erased": func(w *world, r Receipt) {
			w.confirmed(r)
			w.planned(r.ID, plan())
			w.erased(r.ID, Outcome{Kept: []Kept{{Entry: "invoices", Items: 1, Ground: LegalClaims, Until: calendar.Day{Year: 2030, Month: 1, Day: 1}}}})
		},
		"blocked": func(w *world, r Receipt) {
			w.confirmed(r)
			p := plan()
			p.Last = true
			w.planned(r.ID, p)
			_, err := w.CloseAccount(context.Background(), r.Number, w.code(r.ID), w.now())
			w.must(err)
		},
		"taken back": func(w *world, r Receipt) {
			w.confirmed(r)
			_, err := w.Cancel(context.Background(), r.Number, w.code(r.ID), w.now())
			w.must(err)
		},
		"extended": func(w *world, r Receipt) {
			w.confirmed(r)
			_, err := w.Extend(context.Background(), r.ID, w.person("dan"), Complexity, w.now())
			w.must(err)
		},
		"a duplicate":   func(w *world, r Receipt) { w.proved("mia@customer.example") },
		"of the tenant": func(w *world, r Receipt) { w.confirmed(r); w.planned(r.ID, Plan{Digest: "d", Theirs: true}) },
	}
	seen := map[string][]string{}
	for name, live := range lives {
		w, ctx := newWorld(t), t.Context()
		if name != "unknown" {
			w.known("acme", "mia@customer.example")
		}
		r := w.ask("mia@customer.example")
		look := func() {
			v, err := w.Status(ctx, r.Number, r.Secret, w.now())
			v.ID, v.Number = "", ""
			_, cancel := w.Cancel(ctx, r.Number, r.Secret, w.now())
			_, closing := w.CloseAccount(ctx, r.Number, r.Secret, w.now())
			seen[name] = append(seen[name], fmt.Sprintf("%+v %s %s %s", v, code(err), code(cancel), code(closing)))
		}
		look()
		if name != "not yet seen" {
			w.must(w.Identify(ctx, r.ID, w.now()))
		}
		look()
		w.to(20 * time.Hour)
		live(w, r)
		for _, day := range []int{2, 3, 28, 29, 30, 31, 59, 60, 61} {
			w.to(time.Duration(day) * 24 * time.Hour)
			w.must(w.Tick(ctx, w.now()))
			look()
		}
	}
	for name, all := range seen {
		if !slices.Equal(all, seen["unknown"]) {
			t.Errorf("%s is seen as\n%s\nwho is unknown as\n%s", name, strings.Join(all, "\n"), strings.Join(seen["unknown"], "\n"))
		}
	}
	if all := seen["unknown"]; !strings.Contains(all[0], string(IdentityPending)) || !strings.Contains(all[8], string(NotEstablished)) || !strings.Contains(all[len(all)-1], "request_unknown") {
		t.Errorf("seen as\n%s", strings.Join(all, "\n"))
	}
}
