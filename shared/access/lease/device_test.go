package lease_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

const home6 = "2a02:6b8:0:1::7"

// join gives the device of a lease its other address.
func (r *rig) join(l lease.Lease, addr string) lease.Lease {
	r.t.Helper()
	joined, err := r.leases.Join(r.t.Context(), lease.Joining{Address: netip.MustParseAddr(addr), ID: "joining",
		Read:   func(store.Tx) (string, string, error) { return l.Person, l.ID, nil },
		Joined: func(store.Tx, lease.Lease, bool) error { return nil },
	}, r.clock.Now())
	must(r.t, err)
	return joined
}

// states of the person's leases, by prefix.
func (r *rig) states(person string) map[string]string {
	r.t.Helper()
	states := map[string]string{}
	for _, l := range r.list(person) {
		states[l.Prefix.String()] = strings.TrimSpace(string(l.State) + " " + string(l.Why))
	}
	return states
}

func confirmed(l lease.Lease) lease.Step {
	return lease.Step{ID: l.ID, To: []lease.State{lease.Written, lease.Confirmed}}
}

// TestDeviceEndsAsOne: whatever ends one address of a device ends the other, whatever else the same run does to it; and
// no other device.
func TestDeviceEndsAsOne(t *testing.T) {
	t.Parallel()
	const v4, v6, other = home + "/32", "2a02:6b8:0:1::/64", cafe + "/32"
	for _, c := range []struct {
		name  string
		steps func(first, second lease.Lease) []lease.Step
		want  string
		first string // state of the first address, where it is another
	}{
		{"replaced", func(first, _ lease.Lease) []lease.Step {
			return []lease.Step{{ID: first.ID, To: []lease.State{lease.Ended}, Why: lease.Replaced}}
		}, "ended replaced", ""},
		{"the other one suspended", func(_, second lease.Lease) []lease.Step {
			return []lease.Step{{ID: second.ID, To: []lease.State{lease.Ended}, Why: lease.Suspended}}
		}, "ended suspended", ""},
		{"while the other is confirmed", func(first, second lease.Lease) []lease.Step {
			return []lease.Step{confirmed(second), {ID: first.ID, To: []lease.State{lease.Ended}, Why: lease.Suspended}}
		}, "ended suspended", ""},
		{"both", func(first, second lease.Lease) []lease.Step {
			return []lease.Step{{ID: first.ID, To: []lease.State{lease.Ended}, Why: lease.Suspended}, {ID: second.ID, To: []lease.State{lease.Ended}, Why: lease.Suspended}}
		}, "ended suspended", ""},
		{"ended, and no room for the other", func(first, second lease.Lease) []lease.Step {
			return []lease.Step{{ID: second.ID, To: []lease.State{lease.Failed}, Why: lease.NoRoom}, {ID: first.ID, To: []lease.State{lease.Ended}, Why: lease.Suspended}}
		}, "failed capacity_full", "ended suspended"},
		{"no room for one of them", func(first, second lease.Lease) []lease.Step {
			return []lease.Step{{ID: first.ID, To: []lease.State{lease.Failed}, Why: lease.NoRoom}, confirmed(second)}
		}, "confirmed", "failed capacity_full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.enrol("ana")
			first := r.register("ana", home)
			second := r.join(first, home6)
			r.register("ana", cafe)
			r.sent()
			must1(t)(r.leases.Advance(t.Context(), c.steps(first, second), r.clock.Now()))
			got := r.states("ana")
			if c.first == "" {
				c.first = c.want
			}
			if got[v4] != c.first || got[v6] != c.want || got[other] != "received" {
				t.Errorf("after it: %v", got)
			}
			if sent := r.sent(); c.want != "confirmed" && sent != 2 {
				t.Errorf("%d messages, want 2", sent)
			}
		})
	}
}

// TestDoneEndsOneDevice: "I am done" on one device leaves the other one alone.
func TestDoneEndsOneDevice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	first := r.register("ana", home)
	second := r.join(first, home6)
	r.register("ana", cafe)
	ended, err := r.leases.End(t.Context(), "ana", second.ID, lease.Done)
	must(t, err)
	if got := r.states("ana"); ended.ID != second.ID || ended.State != lease.Ended || got[home+"/32"] != "ended done" || got[cafe+"/32"] != "received" {
		t.Errorf("ended %+v: %v", ended, got)
	}
}

func must1(t *testing.T) func([]lease.Lease, error) {
	return func(_ []lease.Lease, err error) {
		t.Helper()
		must(t, err)
	}
}

// TestLateWordEndsBoth: what a device was given after a loss, but without another code, ends with what it had.
func TestLateWordEndsBoth(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	first := r.register("ana", home)
	lost := first.Started.Add(time.Second)
	r.join(first, home6)
	r.register("ana", cafe)
	ended, err := r.leases.EndStarted(t.Context(), "ana", lease.Lost, lost)
	must(t, err)
	if got := r.states("ana"); ended != 2 || got[home+"/32"] != "ended lost" || got["2a02:6b8:0:1::/64"] != "ended lost" || got[cafe+"/32"] != "received" {
		t.Errorf("ended %d: %v", ended, got)
	}
}

// TestReplaces: the lease whose place another takes ends once that one is confirmed, with its other address, and no
// earlier; a lease of somebody else does not.
func TestReplaces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana", "ben")
	his := r.register("ben", "81.2.69.7")
	old := r.register("ana", home)
	beside := r.join(old, home6)
	other := r.register("ana", "81.2.69.1")
	q := r.request("ana", cafe)
	q.Replaces = beside.ID // either of the device's leases stands for it
	moved, err := r.send(q)
	must(t, err)
	r.pass(30 * time.Second)
	must1(t)(r.leases.Advance(t.Context(), []lease.Step{{ID: moved.ID, To: []lease.State{lease.Written}}}, r.clock.Now()))
	if got := r.states("ana"); got[home+"/32"] != "received" || moved.Replaces != old.ID {
		t.Errorf("before it is confirmed: %v", got)
	}
	for range 2 { // lost and confirmed again ends nothing more
		must1(t)(r.leases.Advance(t.Context(), []lease.Step{confirmed(moved), confirmed(other)}, r.clock.Now()))
		if got := r.states("ana"); got[home+"/32"] != "ended replaced" || got["2a02:6b8:0:1::/64"] != "ended replaced" || got["81.2.69.1/32"] != "confirmed" || got[cafe+"/32"] != "confirmed" {
			t.Errorf("confirmed: %v", got)
		}
		must1(t)(r.leases.Advance(t.Context(), []lease.Step{{ID: moved.ID, To: []lease.State{lease.Received}}}, r.clock.Now()))
	}
	for i, id := range []string{his.ID, old.ID, "nothing", ""} { // of another person, over, unknown, none
		q := r.request("ana", "81.2.69."+strconv.Itoa(20+i))
		q.Replaces = id
		l, err := r.send(q)
		if err != nil || l.Replaces != "" {
			t.Errorf("in place of %q: %+v, %v", id, l, err)
		}
		r.pass(30 * time.Second)
	}
}

// TestTested: the device's own word makes a confirmed lease working, from its own place alone, and says whose word it is.
func TestTested(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	l := r.register("ana", home)
	test := func(person, id, addr string) (lease.Lease, error) {
		return r.leases.Tested(t.Context(), person, id, netip.MustParseAddr(addr), r.clock.Now())
	}
	if got, err := test("ana", l.ID, home); err != nil || got.State != lease.Received || got.Tested {
		t.Errorf("before it is confirmed: %+v, %v", got, err)
	}
	r.advance(confirmed(l))
	for name, try := range map[string][3]string{"another person": {"ben", l.ID, home}, "another place": {"ana", l.ID, cafe}, "no lease": {"ana", "nothing", home}} {
		if _, err := test(try[0], try[1], try[2]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.records = nil
	for range 2 {
		if got, err := test("ana", l.ID, "::ffff:"+home); err != nil || got.State != lease.Working || !got.Tested || got.WorkingAt.IsZero() {
			t.Errorf("tested: %+v, %v", got, err)
		}
	}
	if len(r.records) != 1 {
		t.Fatalf("%d records, want 1", len(r.records))
	}
	if entry, err := record.Parse(r.records[0].Data); err != nil || entry.Facts["event"] != "working" || entry.Facts["by"] != "device" {
		t.Errorf("the evidence says %s", r.records[0].Data)
	}
	if lost := r.advance(lease.Step{ID: l.ID, To: []lease.State{lease.Received}}); len(lost) != 1 || lost[0].Tested {
		t.Errorf("lost, it still counts as tested: %+v", lost)
	}
	// A door's word is nobody's but the door's.
	r.advance(confirmed(l))
	r.records = nil
	if a, err := r.leases.Admit(t.Context(), netip.MustParseAddr(home), r.clock.Now()); err != nil || !a.Admitted {
		t.Errorf("%+v, %v", a, err)
	}
	if entry, err := record.Parse(r.records[0].Data); err != nil || entry.Facts["event"] != "working" || entry.Facts["by"] != "" {
		t.Errorf("the evidence says %s", r.records[0].Data)
	}
	r.pass(24 * time.Hour)
	if got, err := test("ana", l.ID, home); err != nil || got.State != lease.Ended {
		t.Errorf("after its day: %+v, %v", got, err)
	}
}

// TestJoinAgain: an address that ended today may be joined to the next registration; it is another lease.
func TestJoinAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("ana")
	var ids []string
	for range 3 {
		first := r.register("ana", home)
		joined := r.join(first, home6)
		if joined.Root != first.ID || joined.State != lease.Received {
			t.Errorf("joined %+v", joined)
		}
		ids = append(ids, joined.ID)
		_, err := r.leases.EndStarted(t.Context(), "ana", lease.Done, r.clock.Now())
		must(t, err)
	}
	if ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] {
		t.Errorf("joined three times: %v", ids)
	}
}
