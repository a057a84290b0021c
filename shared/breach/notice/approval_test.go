package notice_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

var (
	vera = notice.Actor{ID: "vera", Roles: []policy.Role{policy.Security}}
	dana = notice.Actor{ID: "dana", Roles: []policy.Role{policy.DPO}}
	otto = notice.Actor{ID: "otto", Roles: []policy.Role{policy.Owner}}
	emma = notice.Actor{ID: "emma", Roles: []policy.Role{policy.Employee}}
)

// life is one notice over time.
type life struct {
	t   *testing.T
	n   notice.Notice
	now time.Time
}

func written(t *testing.T) *life {
	t.Helper()
	l := &life{t: t, n: notice.Notice{ID: "case.1"}, now: time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)}
	l.do(notice.Event{What: notice.Write, By: vera, Hash: "one", To: 250}, notice.Record, notice.Ask)
	return l
}

func (l *life) do(e notice.Event, want ...notice.Effect) {
	l.t.Helper()
	after, effects, err := notice.Decide(l.n, e, l.now)
	if err != nil || !slices.Equal(effects, want) {
		l.t.Fatalf("%s: %v, %v; want %v", e.What, effects, err, want)
	}
	l.n = after
}

func (l *life) refused(code string, e notice.Event) {
	l.t.Helper()
	if _, effects, err := notice.Decide(l.n, e, l.now); fault.CodeOf(err) != code || effects != nil {
		l.t.Errorf("%s by %s: %v, %v; want %s", e.What, e.By.ID, effects, err, code)
	}
}

// TestTwo: who wrote any version does not approve; what is approved is the digest; what changes is not that any more.
func TestTwo(t *testing.T) {
	t.Parallel()
	l := written(t)
	l.refused("own_notice", notice.Event{What: notice.Approve, By: vera, Hash: "one"})
	l.refused("not_allowed", notice.Event{What: notice.Approve, By: emma, Hash: "one"})
	l.refused("hash_mismatch", notice.Event{What: notice.Approve, By: dana, Hash: "two"})
	l.do(notice.Event{What: notice.Write, By: otto, Hash: "two", To: 250}, notice.Record, notice.Ask)
	l.refused("hash_mismatch", notice.Event{What: notice.Approve, By: dana, Hash: "one"})
	l.refused("own_notice", notice.Event{What: notice.Approve, By: vera, Hash: "two"}) // she wrote the first version
	l.do(notice.Event{What: notice.Approve, By: dana, Hash: "two"}, notice.Record, notice.Send)
	l.do(notice.Event{What: notice.Approve, By: dana, Hash: "two"})
	if l.n.Version != 2 || l.n.State != notice.Approved {
		t.Errorf("%+v", l.n)
	}
	l.refused("state_conflict", notice.Event{What: notice.Write, By: otto, Hash: "three", To: 1})
	l.refused("state_conflict", notice.Event{What: notice.Review, By: otto})
	l.do(notice.Event{What: notice.Handed, To: 100}, notice.Send)
	l.do(notice.Event{What: notice.Ticked}, notice.Send) // whoever sent may have died
	l.do(notice.Event{What: notice.Handed, To: 100}, notice.Send)
	l.do(notice.Event{What: notice.Handed, To: 50}, notice.Record)
	if l.n.State != notice.Sent || l.n.Due != 0 {
		t.Errorf("%+v", l.n)
	}
}

// TestChangedMeanwhile: what would be sent is no longer what was agreed to.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	l := written(t)
	l.do(notice.Event{What: notice.Approve, By: dana, Hash: "one"}, notice.Record, notice.Send)
	l.do(notice.Event{What: notice.Handed, To: 100}, notice.Send)
	l.do(notice.Event{What: notice.Changed}, notice.Record, notice.Alarm)
	l.do(notice.Event{What: notice.Changed})
	l.refused("state_conflict", notice.Event{What: notice.Handed, To: 100})
	if l.n.Next != 100 {
		t.Errorf("what went out stays on record: %+v", l.n)
	}
}

// TestGlass: one person alone, with a reason, told to everybody at once, looked at by another within a day.
func TestGlass(t *testing.T) {
	t.Parallel()
	l := written(t)
	l.refused("reason_missing", notice.Event{What: notice.Break, By: vera, Hash: "one"})
	l.refused("hash_mismatch", notice.Event{What: notice.Break, By: vera, Hash: "two", Text: 1})
	l.refused("not_allowed", notice.Event{What: notice.Break, By: emma, Hash: "one", Text: 1})
	l.do(notice.Event{What: notice.Break, By: vera, Hash: "one", Text: 1}, notice.Record, notice.Alarm, notice.Send)
	l.do(notice.Event{What: notice.Handed, To: 250}, notice.Record)
	l.refused("own_notice", notice.Event{What: notice.Review, By: vera})
	l.now = l.now.Add(notice.GlassReview)
	l.do(notice.Event{What: notice.Ticked}, notice.Finding)
	l.do(notice.Event{What: notice.Ticked})
	l.do(notice.Event{What: notice.Review, By: dana}, notice.Record, notice.Heal)
	l.do(notice.Event{What: notice.Review, By: otto})
	if l.n.Reviewer != "dana" || l.n.Due != 0 {
		t.Errorf("%+v", l.n)
	}
}

// TestTime: a draft stalls, and expires.
func TestTime(t *testing.T) {
	t.Parallel()
	l := written(t)
	stall := l.now.Add(18 * time.Hour)
	l.now = stall.Add(-time.Second)
	l.do(notice.Event{What: notice.Ticked, Stall: stall})
	l.now = stall
	l.do(notice.Event{What: notice.Ticked, Stall: stall}, notice.Escalate)
	l.do(notice.Event{What: notice.Ticked, Stall: stall})
	l.now = l.n.Written.Add(notice.DraftLife)
	l.do(notice.Event{What: notice.Ticked, Stall: stall}, notice.Record, notice.Ask)
	l.refused("state_conflict", notice.Event{What: notice.Approve, By: dana, Hash: "one"})
	l.do(notice.Event{What: notice.Write, By: vera, Hash: "one", To: 250}, notice.Record, notice.Ask)
}

// TestAnyNotice draws events: nothing is ever sent that was not agreed to by somebody who wrote none of it, or by one
// alone with a reason; and more is never handed over than there are.
func TestAnyNotice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 5))
		l := written(t)
		for range 200 {
			l.now = l.now.Add(time.Duration(random.Int64N(int64(3 * time.Hour))))
			events, people := notice.Events(), []notice.Actor{vera, dana, otto, emma}
			e := notice.Event{What: events[random.IntN(len(events))], By: people[random.IntN(len(people))], Hash: []string{"one", "two"}[random.IntN(2)], To: random.IntN(300), Text: random.IntN(2)}
			before, err := json.Marshal(l.n)
			if err != nil {
				t.Fatal(err)
			}
			after, effects, err := notice.Decide(l.n, e, l.now)
			if now, _ := json.Marshal(l.n); string(now) != string(before) {
				t.Fatalf("seed %d: what was given changed", seed)
			}
			if err != nil {
				continue
			}
			fail := func(what string) { t.Fatalf("seed %d: %s: %+v after %s %v", seed, what, after, e.What, effects) }
			sends := slices.Contains(effects, notice.Send)
			if sends && after.State != notice.Approved || after.Next > after.To {
				fail("sends what is not approved, or too much")
			}
			if after.State == notice.Approved && !after.Glass && slices.Contains(after.Authors, after.Approver) || after.Glass && after.Reason == 0 {
				fail("approved by one")
			}
			if after.State == notice.Approved && l.n.State == notice.Drafted && e.Hash != l.n.Hash {
				fail("approved another text")
			}
			if l.n = after; after.State == notice.Sent || after.State == notice.Voided {
				l = written(t)
			}
		}
	}
}
