package reminder_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/reminder"
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
	clock  *clock.Manual
	s      *reminder.Service
}

func newRig(t *testing.T, at string) *rig {
	t.Helper()
	p, problems, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	r := &rig{t: t, leases: map[string][]string{}}
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
		if !slices.Contains(r.told, e.Key) {
			r.told = append(r.told, e.Key)
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
