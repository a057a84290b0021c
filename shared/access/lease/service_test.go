package lease_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

func (r *rig) admit(addr string) lease.Admission {
	r.t.Helper()
	a, err := r.leases.Admit(r.t.Context(), netip.MustParseAddr(addr), r.clock.Now())
	must(r.t, err)
	return a
}

func TestEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana", "ben")
	mine, theirs := r.register("ana", home), r.register("ben", home)
	r.sent()
	if _, err := r.leases.End(t.Context(), "ben", mine.ID, lease.Done); !fault.Is(err, fault.NotFound) {
		t.Errorf("ending another person's lease: %v", err)
	}
	if _, err := r.leases.End(t.Context(), "ben", "nothing", lease.Done); !fault.Is(err, fault.NotFound) {
		t.Errorf("ending nothing: %v", err)
	}
	for range 2 {
		l, err := r.leases.End(t.Context(), "ana", mine.ID, lease.Done)
		if err != nil || l.State != lease.Ended || l.Why != lease.Done {
			t.Errorf("ended as %+v, %v", l, err)
		}
	}
	if n := r.sent(); n != 1 {
		t.Errorf("%d messages for one end", n)
	}
	live, err := r.leases.Live(t.Context(), r.clock.Now())
	must(t, err)
	if len(live) != 1 || live[0].ID != theirs.ID {
		t.Errorf("live are %+v, want the other holder's alone", live)
	}
	if a := r.admit(home); !a.Admitted || len(a.Leases) != 1 {
		t.Errorf("the other holder is not admitted: %+v", a)
	}
	n, err := r.leases.EndStarted(t.Context(), "ben", lease.Suspended, r.clock.Now())
	if err != nil || n != 1 || r.admit(home).Admitted {
		t.Errorf("after the last holder's end (%d, %v) the address is admitted", n, err)
	}
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	office := access.Fixed{Name: "office", Prefix: netip.MustParsePrefix("81.2.70.0/24"), Until: start.Add(time.Hour)}
	sites := func(context.Context) ([]access.Fixed, error) { return []access.Fixed{office}, nil }
	r := newRig(t, func(c *lease.Config) { c.Fixed = sites })
	r.enrol("ana")
	l := r.register("ana", home)
	v6 := r.register("ana", "2a02:8109:9340:1234::1")
	for addr, want := range map[string]bool{
		home: true, "::ffff:" + home: true, cafe: false, "2a02:8109:9340:1234:5::6": true, "2a02:8109:9340:1235::1": false,
		"81.2.70.9": true, "::ffff:81.2.70.9": true, "81.2.71.9": false, "127.0.0.1": false, "2a02:8109:9340:1234::1%eth0": false,
	} {
		if a := r.admit(addr); a.Admitted != want {
			t.Errorf("%s: %+v, want admitted=%t", addr, a, want)
		}
	}
	if a, err := r.leases.Admit(t.Context(), netip.Addr{}, start); err != nil || a.Admitted {
		t.Errorf("no address: %+v, %v", a, err)
	}
	if a := r.admit(home); !a.Until.Equal(l.Ends) || a.Leases[0] != l.ID || a.Site != "" {
		t.Errorf("admitted as %+v", a)
	}
	if s := r.list("ana")[1].State; s != lease.Received {
		t.Errorf("a lease nobody confirmed is %s", s)
	}
	r.advance(lease.Step{ID: l.ID, To: []lease.State{lease.Written, lease.Confirmed}})
	writes := 0
	r.faults = func(p storetest.Point, _ int) error {
		if p == storetest.TxPut {
			writes++
		}
		return nil
	}
	for range 3 {
		r.admit(home)
	}
	if s := r.list("ana")[1].State; s != lease.Working || writes == 0 {
		t.Errorf("after admission the lease is %s (%d writes)", s, writes)
	}
	writes = 0
	r.admit(home)
	if writes != 0 {
		t.Errorf("a later admission wrote %d times", writes)
	}
	r.faults = nil
	r.pass(2 * time.Hour)
	if r.admit("81.2.70.9").Admitted {
		t.Error("the site is admitted after its end")
	}
	must(t, r.clock.Set(v6.Ends.Add(-time.Microsecond)))
	if !r.admit("2a02:8109:9340:1234::1").Admitted {
		t.Error("not admitted in the last instant of the day")
	}
	must(t, r.clock.Set(v6.Ends))
	if r.admit("2a02:8109:9340:1234::1").Admitted || r.admit(home).Admitted {
		t.Error("admitted after the day")
	}
}

// TestAdmitFailsClosed: no answer of the store or of the sites admits nobody, and a failed note keeps nobody out.
func TestAdmitFailsClosed(t *testing.T) {
	t.Parallel()
	var broken error
	r := newRig(t, func(c *lease.Config) {
		c.Fixed = func(context.Context) ([]access.Fixed, error) { return nil, broken }
	})
	r.enrol("ana")
	l := r.register("ana", home)
	r.advance(lease.Step{ID: l.ID, To: []lease.State{lease.Written, lease.Confirmed}})
	r.faults = storetest.FailAt(storetest.Begin, 1)
	if !r.admit(home).Admitted {
		t.Error("a note that failed keeps the person out")
	}
	r.faults = storetest.FailAt(storetest.Query, 1)
	if a, err := r.leases.Admit(t.Context(), netip.MustParseAddr(home), r.clock.Now()); err == nil || a.Admitted {
		t.Errorf("without the store: %+v, %v", a, err)
	}
	r.faults = nil
	broken = errors.New("sites are unreadable")
	if a, err := r.leases.Admit(t.Context(), netip.MustParseAddr(home), r.clock.Now()); err == nil || a.Admitted {
		t.Errorf("without the sites: %+v, %v", a, err)
	}
	if _, err := r.send(r.request("ana", cafe)); err == nil {
		t.Error("registered without the sites")
	}
}

func TestListAndOpenAfterTheDay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	l := r.register("ana", home)
	must(t, r.clock.Set(l.Ends))
	if found := r.list("ana"); len(found) != 1 || found[0].State != lease.Ended || found[0].Why != lease.Expired {
		t.Errorf("the day after it reads as %+v", found)
	}
	live, err := r.leases.Live(t.Context(), r.clock.Now())
	must(t, err)
	open, err := r.leases.Open(t.Context())
	must(t, err)
	if len(live) != 0 || len(open) != 1 {
		t.Errorf("%d live and %d open, want 0 and 1 until it is seen gone", len(live), len(open))
	}
	if moved := r.advance(lease.Step{ID: l.ID, Close: true}); len(moved) != 1 || moved[0].Why != lease.Expired || moved[0].Open ||
		!moved[0].EndedAt.Equal(l.Ends) || !moved[0].RemovedAt.Equal(r.clock.Now()) {
		t.Errorf("closed as %+v", moved)
	}
	if open, err = r.leases.Open(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%d open after closing, %v", len(open), err)
	}
	if moved := r.advance(lease.Step{ID: l.ID, Close: true}); len(moved) != 0 {
		t.Errorf("closed twice: %+v", moved)
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	l := r.register("ana", home)
	for _, c := range []struct {
		name  string
		step  lease.Step
		state lease.State // after; "" when nothing changes
	}{
		{"written", lease.Step{To: []lease.State{lease.Written}}, lease.Written},
		{"written again", lease.Step{To: []lease.State{lease.Written}}, ""},
		{"confirmed in one go", lease.Step{To: []lease.State{lease.Written, lease.Confirmed}}, lease.Confirmed},
		{"a live one does not close", lease.Step{Close: true}, ""},
		{"lost", lease.Step{To: []lease.State{lease.Received}}, lease.Received},
		{"confirmed again", lease.Step{To: []lease.State{lease.Written, lease.Confirmed}}, lease.Confirmed},
		{"working", lease.Step{To: []lease.State{lease.Working}}, lease.Working},
		{"confirmed is behind it", lease.Step{To: []lease.State{lease.Written, lease.Confirmed}}, ""},
		{"no room, but it was in force", lease.Step{To: []lease.State{lease.Failed, lease.Ended}, Why: lease.NoRoom}, lease.Ended},
		{"nothing comes back", lease.Step{To: []lease.State{lease.Received, lease.Written, lease.Confirmed, lease.Working}}, ""},
		{"closed", lease.Step{Close: true}, lease.Ended},
	} {
		c.step.ID = l.ID
		moved := r.advance(c.step)
		if c.state == "" && len(moved) != 0 || c.state != "" && (len(moved) != 1 || moved[0].State != c.state) {
			t.Fatalf("%s: %+v, want %q", c.name, moved, c.state)
		}
	}
	if moved := r.advance(lease.Step{ID: "unknown", Close: true}); len(moved) != 0 {
		t.Errorf("an unknown lease moved: %+v", moved)
	}
}

// TestManyPages reads and moves more leases than a query returns and a transaction takes.
func TestManyPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.seed(1100)
	live, err := r.leases.Live(t.Context(), r.clock.Now())
	must(t, err)
	if len(live) != 1100 {
		t.Fatalf("%d live, want 1100", len(live))
	}
	var steps []lease.Step
	for _, l := range live {
		steps = append(steps, lease.Step{ID: l.ID, To: []lease.State{lease.Written, lease.Confirmed}})
	}
	moved, err := r.leases.Advance(t.Context(), steps, r.clock.Now())
	if err != nil || len(moved) != 1100 {
		t.Errorf("moved %d, %v", len(moved), err)
	}
}

// seed writes leases without registering them.
func (r *rig) seed(n int) {
	r.t.Helper()
	for i := range n {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{81, 2, byte(i >> 8), byte(i)}), 32)
		ends := start.Add(16 * time.Hour)
		l := lease.Lease{V: 1, ID: fmt.Sprintf("lease-%05d", i), Person: fmt.Sprintf("p%d", i), Prefix: p, Family: lease.IPv4,
			Started: start, Ends: ends, Until: ends.UnixMicro(), State: lease.Received, Open: true, Expires: ends.Add(lease.Retention)}
		salt := make([]byte, 32)
		l.Marks = lease.Marks{Lease: record.Commitment(salt, "lease", l.ID), Person: record.Commitment(salt, "person", l.Person),
			Prefix: record.Commitment(salt, "source", p.String())}
		must(r.t, r.store.Tx(r.t.Context(), func(tx store.Tx) error { return tx.Create("leases", l.ID, l) }))
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := lease.New(lease.Config{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("nothing: %v", err)
	}
	r := newRig(t, func(c *lease.Config) { c.OTP = nil })
	if _, err := r.send(r.request("ana", home)); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("registering without one-time passwords: %v", err)
	}
}
