package reminder_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/reminder"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// rig is a company whose people registered on some dates.
type rig struct {
	t      *testing.T
	leases map[string][]string // date: people
	away   error
	key    error
	faults storetest.Fault
	asked  int
	mu     sync.Mutex
	told   []string
	sent   map[string]bool
	clock  *clock.Manual
	s      *reminder.Service
}

func newRig(t *testing.T, at string) *rig {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	r := &rig{t: t, leases: map[string][]string{}, sent: map[string]bool{}}
	clk := clock.NewManual(time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC))
	r.clock = clk
	base, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, reminder.Collection()...), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Faulty(storetest.Twice(base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	box := outbox.New(s, clk, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: func(_ context.Context, e outbox.Entry) error {
		r.mu.Lock() // entries are sent side by side
		defer r.mu.Unlock()
		// A sink may get one entry twice. Two entries of one key are two reminders: each bears the time of its own transaction.
		if at := e.Key + e.Attributes[bus.AttributeTime]; !r.sent[at] {
			r.sent[at], r.told = true, append(r.told, e.Key)
		}
		return nil
	}})
	r.s, err = reminder.New(reminder.Config{Store: s, Box: box, People: p.People, At: at,
		Leases: func(_ context.Context, date string) (found []lease.Lease, err error) {
			r.asked++
			for _, id := range r.leases[date] {
				found = append(found, lease.Lease{Person: id})
			}
			return found, r.away
		},
		Ready: func(context.Context) error { return r.key },
		Tell: func(b *outbox.Batch, p policy.Person, date string) error {
			return b.Message("topic", p.ID+" "+date, struct{}{})
		}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) run(at, want string) {
	r.t.Helper()
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.told = nil
	if _, err := r.s.Run(r.t.Context(), now); err != nil {
		r.t.Errorf("at %s: %v", at, err)
	}
	slices.Sort(r.told)
	if got := strings.Join(r.told, ", "); got != want {
		r.t.Errorf("at %s told %q, want %q", at, got, want)
	}
}

// TestWho: each at the hour of her own zone, once, if she came in the last week and has not registered today.
func TestWho(t *testing.T) {
	t.Parallel()
	r := newRig(t, "08:30") // 2026-03-03 is a Tuesday; emma and erik are in Europe, asha in Kolkata
	r.leases["2026-03-02"] = []string{"emma", "asha"}
	r.leases["2026-02-24"] = []string{"erik"}
	r.leases["2026-02-23"] = []string{"camila"} // eight days ago: away
	r.leases["2026-03-03"] = []string{"marc"}
	r.run("2026-03-03T02:59:00Z", "")
	r.run("2026-03-03T03:00:00Z", "asha 2026-03-03")
	r.run("2026-03-03T03:01:00Z", "")
	r.run("2026-03-03T07:29:00Z", "")
	r.leases["2026-03-02"] = append(r.leases["2026-03-02"], "marc")
	r.run("2026-03-03T07:30:00Z", "emma 2026-03-03, erik 2026-03-03") // marc registered today
	r.run("2026-03-03T07:45:00Z", "")
	r.run("2026-03-07T07:30:00Z", "") // Saturday
	r.run("2026-03-04T08:30:00Z", "") // an hour late
	r.run("2026-03-04T08:29:00Z", "emma 2026-03-04, marc 2026-03-04")
}

// TestNever: switched off, it asks nobody anything; and outside of anybody's hour neither.
func TestNever(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.leases["2026-03-02"] = []string{"emma"}
	r.run("2026-03-03T07:30:00Z", "")
	r = newRig(t, "08:30")
	r.leases["2026-03-02"] = []string{"emma"}
	r.run("2026-03-03T22:00:00Z", "")
	if r.asked != 0 {
		t.Errorf("asked %d times", r.asked)
	}
	// At somebody's hour the week is read once, and then the day alone, as long as somebody may still have to be reminded.
	r = newRig(t, "08:30")
	r.leases["2026-03-02"], r.leases["2026-03-03"] = []string{"emma", "marc"}, []string{"marc"}
	for minute, want := range []int{8, 9, 10} {
		r.run(time.Date(2026, 3, 3, 7, 30+minute, 0, 0, time.UTC).Format(time.RFC3339), map[int]string{0: "emma 2026-03-03"}[minute])
		if r.asked != want {
			t.Errorf("in minute %d: asked for %d days in all, want %d", minute, r.asked, want)
		}
	}
	r = newRig(t, "08:30") // everybody is away
	for range 3 {
		if r.run("2026-03-03T07:30:00Z", ""); r.asked != 7 {
			t.Errorf("asked for %d days", r.asked)
		}
	}
	for _, bad := range []string{"8:30", "24:01", "x"} {
		c := r.s.Config
		c.At = bad
		if _, err := reminder.New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := reminder.New(reminder.Config{}); !fault.Is(err, fault.Misconfigured) {
		t.Error(err)
	}
}

// TestDeaths: whatever fails, everybody is reminded once by the runs that follow.
func TestDeaths(t *testing.T) {
	t.Parallel()
	dead := errors.New("dead")
	now := time.Date(2026, 3, 3, 7, 30, 0, 0, time.UTC)
	for n := 1; ; n++ {
		r := newRig(t, "08:30")
		r.leases["2026-03-02"] = []string{"emma", "erik"}
		calls := 0
		r.faults = func(storetest.Point, int) error {
			if calls++; calls >= n {
				return dead
			}
			return nil
		}
		_, err := r.s.Run(t.Context(), now)
		r.faults = nil
		if calls < n {
			if err != nil || n < 5 {
				t.Errorf("%d calls, %v", calls, err)
			}
			return
		}
		for i := range 2 {
			if err := r.clock.Set(now.Add(time.Duration(i+1) * 5 * time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.s.Run(t.Context(), r.clock.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := r.s.Box.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(r.told) != 2 {
			t.Fatalf("death at call %d: told %v", n, r.told)
		}
	}
}

// TestMany: as many as do not fit one transaction are reminded, each once, wherever the process dies between two of them.
func TestMany(t *testing.T) {
	t.Parallel()
	const many = 130
	for _, point := range []storetest.Point{storetest.Commit, storetest.Applied} {
		for dies := 0; ; dies++ {
			r := newRig(t, "08:30")
			r.crowd(many)
			tell, inOne, largest, commits, dead := r.s.Tell, 0, 0, 0, false
			r.s.Tell = func(b *outbox.Batch, p policy.Person, date string) error {
				inOne++
				return tell(b, p, date)
			}
			r.faults = func(p storetest.Point, _ int) error {
				if p == storetest.Begin {
					inOne = 0
				}
				if p == point && inOne > 0 {
					commits, largest, dead = commits+1, max(largest, inOne), dead || commits == dies
				}
				if dead {
					return errors.New("dead")
				}
				return nil
			}
			now := time.Date(2026, 3, 3, 7, 30, 0, 0, time.UTC)
			if _, err := r.s.Run(t.Context(), now); dead != (err != nil) {
				t.Fatalf("dying at %s %d: %v", point, dies, err)
			}
			r.faults = nil
			for i := range 2 {
				if err := r.clock.Set(now.Add(time.Duration(i+1) * 5 * time.Minute)); err != nil {
					t.Fatal(err)
				}
				if _, err := r.s.Run(t.Context(), r.clock.Now()); err != nil {
					t.Fatal(err)
				}
				if _, err := r.s.Box.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(r.told) != many || largest > 2*100 { // a transaction's body may run twice
				t.Fatalf("dying at %s %d: told %d, up to %d in one transaction", point, dies, len(r.told), largest)
			}
			if !dead {
				break
			}
		}
	}
}

// crowd makes the company consist of people like emma, who all came yesterday.
func (r *rig) crowd(many int) {
	emma := r.s.People[slices.IndexFunc(r.s.People, func(p policy.Person) bool { return p.ID == "emma" })]
	r.s.People = nil
	for n := range many {
		emma.ID = fmt.Sprintf("p%03d", n)
		r.s.People, r.leases["2026-03-02"] = append(r.s.People, emma), append(r.leases["2026-03-02"], emma.ID)
	}
}

// TestOutages: leases that cannot be read remind nobody, and neither does a key that is not there; later they are.
func TestOutages(t *testing.T) {
	t.Parallel()
	r := newRig(t, "08:30")
	r.leases["2026-03-02"] = []string{"emma"}
	now := time.Date(2026, 3, 3, 7, 30, 0, 0, time.UTC)
	for _, broken := range []*error{&r.away, &r.key} {
		*broken = errors.New("away")
		if n, err := r.s.Run(t.Context(), now); err == nil || n != 0 || len(r.told) != 0 {
			t.Errorf("%d, %v, %v", n, err, r.told)
		}
		*broken = nil
	}
	r.run("2026-03-03T07:31:00Z", "emma 2026-03-03")
}
