package request

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/message"
)

// However many wait before it, what waits for the desk is found by that, and each list goes on behind its page.
func TestShows(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	strangers := map[string]bool{}
	for i := range 12 {
		r := w.ask(fmt.Sprintf("nobody%d@end.example", i))
		w.must(w.Identify(ctx, r.ID, w.now()))
		strangers[r.ID] = true
	}
	w.to(24 * time.Hour)
	waits, works := w.proved("mia@customer.example"), w.proved("ann@customer.example")
	w.known("acme", "leo@customer.example")
	pending := w.ask("leo@customer.example")
	w.must(w.Identify(ctx, pending.ID, w.now()))
	w.planned(waits.ID, Plan{Digest: "d", Items: 5, Review: 1, Look: []Look{{Entry: "notes", Items: 1}}, Own: true})
	w.planned(works.ID, plan())
	dan := w.person("dan")
	list := func(show Show) (ids []string) {
		t.Helper()
		for l := (Listing{Show: show, Limit: 5}); ; {
			page, next, err := w.Browse(ctx, dan, l, w.now())
			w.must(err)
			for _, r := range page {
				ids = append(ids, r.ID)
			}
			if l.After = next; next == "" {
				return ids
			}
		}
	}
	if got := list(ShowDesk); !slices.Equal(got, []string{waits.ID}) {
		t.Errorf("for the desk wait %v", got)
	}
	if got := list(ShowWork); !slices.Equal(got, []string{works.ID}) {
		t.Errorf("by themselves go %v", got)
	}
	if got := list(ShowUnknown); len(got) != len(strangers) || slices.ContainsFunc(got, func(id string) bool { return !strangers[id] }) {
		t.Errorf("unknown are %v", got)
	}
	if got := list(ShowPerson); len(got) != len(strangers)+1 || !slices.Contains(got, pending.ID) {
		t.Errorf("for the person wait %v", got)
	}
	if got := list(ShowOpen); len(got) != len(strangers)+3 {
		t.Errorf("open are %v", got)
	}
	if got := list(ShowOverdue); len(got) != 0 {
		t.Errorf("overdue are %v", got)
	}
	w.must(w.Answered(ctx, message.Answer{Key: letterKey(w.read(works.ID), letter.Received), State: message.StateFailed}, w.now())) // a letter is lost
	if got := list(ShowDesk); len(got) != 2 {
		t.Errorf("after a letter was lost wait %v", got)
	}
	w.to(40 * 24 * time.Hour)
	if got := list(ShowOverdue); !slices.Contains(got, waits.ID) {
		t.Errorf("in the end overdue are %v", got)
	}
}
