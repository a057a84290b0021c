package run_test

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/run"
)

// guarded is a store that holds what is in one place until a time, beside what a law keeps.
type guarded struct {
	*people
	place string
	until time.Time
}

func (g guarded) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	page, err := g.people.Find(ctx, q, cursor, limit)
	for i := range page.Items {
		if q.Place == g.place {
			page.Items[i].Held = g.until
		}
	}
	return page, err
}

// TestFreed: until when a store holds what is left is told apart from until when a law keeps what is beside it.
func TestFreed(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]string{"the law alone": "", "another entry's store": "sessions", "its own": "invoices"} {
		w := newWorld(t)
		until := start.AddDate(0, 2, 0)
		guard := guarded{w.people, place, until}
		w.config.Reader = func(context.Context, string) (erasure.Reader, error) { return guard, nil }
		w.config.Eraser = func(context.Context, string) (erasure.Store, error) { return guard, nil }
		w.fill(1)
		w.plan(job(1))
		look := func(when string) {
			t.Helper()
			all, err := run.Standing(t.Context(), w.store, "r1")
			if err != nil || len(all) == 0 {
				t.Fatal(all, err)
			}
			for _, e := range all {
				want := time.Time{}
				if place != "" && e.Entry == place {
					want = until
				}
				if !e.Freed.Equal(want) {
					t.Errorf("%s, %s: %s is let go of %s, want %s", name, when, e.Entry, e.Freed, want)
				}
				if e.Entry == "invoices" && e.Until.Year() < 2030 {
					t.Errorf("%s, %s: invoices are kept until %s", name, when, e.Until)
				}
			}
		}
		look("planned")
		w.execute(job(1))
		j := job(1)
		j.Executed = w.clock.Now()
		w.search(j, 1)
		look("searched")
	}
}
