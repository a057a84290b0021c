package request

import (
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
)

// What is held, or let go, in an older request of a person is so in the newer one at once, whose work begins anew; nobody else's is
// touched.
func TestHoldReachesTheNewer(t *testing.T) {
	t.Parallel()
	for _, at := range []State{Planning, AwaitingApproval, Approved, Executing, Verifying, Retained} {
		w, ctx := newWorld(t), t.Context()
		old := w.proved("mia@customer.example")
		w.planned(old.ID, plan())
		w.erased(old.ID, Outcome{Open: []Open{{Entry: "chats", Why: "unreachable"}}})
		w.to(24 * time.Hour)
		newer := w.proved("mia@customer.example")
		other := w.proved("kim@customer.example")
		switch at {
		case Planning:
		case AwaitingApproval:
			p := plan()
			p.Items = 1_000_000
			w.planned(newer.ID, p)
		case Retained:
			w.planned(newer.ID, plan())
			w.erased(newer.ID, Outcome{Kept: []Kept{{Entry: "chats", Items: 2, Ground: Statute, Citation: "§ 147 AO", Until: calendar.Day{Year: 2034, Month: 12, Day: 31}}}})
		default:
			p := plan()
			w.planned(newer.ID, p)
			if at != Approved {
				_, err := w.Started(ctx, newer.ID, w.read(newer.ID).Round, p.Digest, w.now())
				w.must(err)
			}
			if at == Verifying {
				_, err := w.Executed(ctx, newer.ID, w.read(newer.ID).Round, Totals{Erased: 1}, w.now())
				w.must(err)
			}
		}
		before, others := w.wantState(newer.ID, at, ""), w.read(other.ID)
		for _, who := range []string{"dan", "dora"} {
			_, err := w.Hold(ctx, old.ID, w.person(who), Hold{Entry: "invoices", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}, w.now())
			w.must(err)
		}
		held := w.read(newer.ID)
		if len(held.Holds) != 1 || held.Holds[0].ID != w.read(old.ID).Holds[0].ID || held.Round != before.Round+1 {
			t.Fatalf("%s: %s in round %d with %+v", at, held.State, held.Round, held.Holds)
		}
		if work, err := w.Work(ctx, newer.ID, w.now()); err != nil || len(work.Holds) != 1 {
			t.Errorf("%s: %+v, %v", at, work.Holds, err)
		}
		_, err := w.Release(ctx, old.ID, w.person("sam"), held.Holds[0].ID, w.now())
		w.must(err)
		if got := w.wantState(newer.ID, Planning, ""); len(got.Holds) != 0 || got.Round != held.Round+1 {
			t.Errorf("%s: let go in round %d with %+v", at, got.Round, got.Holds)
		}
		if got := w.read(other.ID); got.Rev != others.Rev {
			t.Errorf("%s: somebody else's is %+v", at, got)
		}
	}
}
