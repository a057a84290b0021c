package lease_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/storetest"
)

// known is what the tests know of networks.
func known(addr netip.Addr) (network.Network, bool) {
	n, ok := map[string]network.Network{
		"172.224.226.1": {Kind: network.Relay, Name: "iCloud Private Relay"}, "88.198.0.1": {Kind: network.Hosting, Name: "Hetzner"}, cafe: {Kind: network.Mobile, Name: "Three UK"},
	}[addr.String()]
	return n, ok
}

func placed(change func(*access.Lease)) func(*lease.Config) {
	return func(c *lease.Config) {
		c.Network = known
		c.Rules.Relays, c.Rules.Hosting = access.Refuse, access.Allow
		change(&c.Rules)
	}
}

// registered is the newest record of a registration.
func (r *rig) registered() record.Record {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.records) - 1; i >= 0; i-- {
		read, err := record.Parse(r.records[i].Data)
		must(r.t, err)
		if e := read.Facts["event"]; e == "registered" || e == "paired" || e == "register-read" {
			return read
		}
	}
	r.t.Fatal("nothing was registered")
	return record.Record{}
}

// TestNetworks: what the rules refuse is refused before the code is looked at; what they let in says of what kind it is.
func TestNetworks(t *testing.T) {
	t.Parallel()
	r := newRig(t, placed(func(l *access.Lease) { l.Hosting = access.Refuse }))
	r.enrol("emma")
	for addr, code := range map[string]string{"172.224.226.1": "relay_refused", "88.198.0.1": "hosting_refused"} {
		before := r.account("emma")
		_, err := r.send(r.request("emma", addr))
		r.wantCode(err, code, 422)
		if after := r.account("emma"); after.Throttle != before.Throttle || len(r.list("emma")) != 0 {
			t.Errorf("%s: something was used up", addr)
		}
		r.wantCode(r.leases.Acceptable(netip.MustParseAddr(addr)), code, 422)
		q := r.request("emma", home) // another device, behind a relay
		q.Elsewhere = func(store.Tx) (netip.Addr, error) { return netip.MustParseAddr(addr), nil }
		_, err = r.send(q)
		r.wantCode(err, code, 422)
	}
	r.wantCode(r.leases.Acceptable(netip.MustParseAddr("10.0.0.1")), "address_refused", 422)
	if l := r.register("emma", home); l.Network != "" || r.registered().Facts["network"] != "" { // with the very code that was refused
		t.Errorf("an unknown network is %q", l.Network)
	}
	r.leases.Rules.Relays, r.leases.Rules.Hosting = access.Allow, access.Allow
	for addr, kind := range map[string]network.Kind{"172.224.226.1": network.Relay, "88.198.0.1": network.Hosting, cafe: network.Mobile} {
		l := r.register("emma", addr)
		if l.Network != kind || r.registered().Facts["network"] != string(kind) {
			t.Errorf("%s: %q, recorded %v", addr, l.Network, r.registered().Facts)
		}
		data, err := r.registered().Canonical()
		must(t, err)
		if strings.Contains(string(data), addr) || strings.Contains(string(data), "Hetzner") {
			t.Errorf("the record says more than the kind: %s", data)
		}
	}
}

// TestMobileHours: where strangers share addresses a lease may be shorter, and is never longer than the day.
func TestMobileHours(t *testing.T) {
	t.Parallel()
	r := newRig(t, placed(func(l *access.Lease) { l.MobileHours = 4 }))
	r.enrol("emma")
	if l := r.register("emma", cafe); !l.Ends.Equal(l.Started.Add(4*time.Hour)) || l.Until != l.Ends.UnixMicro() {
		t.Errorf("mobile: until %s", l.Ends)
	}
	if l := r.register("emma", home); !l.Ends.Equal(time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("at home: until %s", l.Ends)
	}
	now := start
	for hours, want := range map[int]time.Duration{0: 10 * time.Hour, 4: 4 * time.Hour, 11: 10 * time.Hour, 24: 10 * time.Hour} {
		got := lease.Shorten(now.Add(10*time.Hour), now, access.Lease{MobileHours: hours}, network.Network{Kind: network.Mobile})
		if got.Sub(now) != want {
			t.Errorf("%d hours: %s", hours, got.Sub(now))
		}
	}
	long := now.Add(25 * time.Hour)
	if got := lease.Shorten(long, now, access.Lease{MobileHours: 24}, network.Network{Kind: network.Mobile}); got != long {
		t.Error("the default shortens a long day")
	}
}

// TestJoinNetworks: the other address of a device is held to the same.
func TestJoinNetworks(t *testing.T) {
	t.Parallel()
	r := newRig(t, placed(func(l *access.Lease) { l.MobileHours = 4 }))
	r.enrol("emma")
	q := r.request("emma", "2a02:6b8:0:1::7")
	q.TwoStep = "used"
	first, err := r.send(q)
	must(t, err)
	join := func(addr string) (lease.Lease, error) {
		return r.leases.Join(t.Context(), lease.Joining{Address: netip.MustParseAddr(addr), ID: "join " + addr,
			Read:   func(store.Tx) (string, string, error) { return "emma", first.ID, nil },
			Joined: func(store.Tx, lease.Lease, bool) error { return nil }}, r.clock.Now())
	}
	_, err = join("172.224.226.1")
	r.wantCode(err, "relay_refused", 422)
	if l, err := join(cafe); err != nil || l.Network != network.Mobile || !l.Ends.Equal(start.Add(4*time.Hour)) || l.TwoStep != "used" || l.Elsewhere {
		t.Errorf("joined %+v, %v", l, err)
	}
}

// TestOfDate: every lease that began on a date, of everybody, as it stands now; across midnight in the person's zone.
func TestOfDate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("emma", "asha")
	q := r.request("emma", home)
	q.TwoStep = "enforced"
	one, err := r.send(q)
	must(t, err)
	q = r.request("asha", home)
	q.Elsewhere = func(store.Tx) (netip.Addr, error) { return netip.MustParseAddr(cafe), nil }
	two, err := r.send(q)
	must(t, err)
	if f := r.registered().Facts; f["device"] != "another" || f["two_step"] != "" {
		t.Errorf("recorded %v", f)
	}
	r.pass(time.Date(2026, 3, 3, 23, 30, 0, 0, time.UTC).Sub(r.clock.Now())) // past midnight in Paris
	r.register("emma", home)
	found, err := r.leases.OfDate(t.Context(), "2026-03-03")
	must(t, err)
	if len(found) != 2 || found[0].ID == found[1].ID || found[0].State != lease.Ended || found[0].Why != lease.Expired {
		t.Errorf("found %+v", found)
	}
	for _, l := range found {
		if l.ID == one.ID && (l.TwoStep != "enforced" || l.Elsewhere) || l.ID == two.ID && (!l.Elsewhere || l.TwoStep != "") {
			t.Errorf("kept %+v", l)
		}
	}
	if found, err = r.leases.OfDate(t.Context(), "2026-03-04"); err != nil || len(found) != 1 || found[0].State != lease.Received {
		t.Errorf("the day after: %+v, %v", found, err)
	}
	r.faults = func(storetest.Point, int) error { return fault.New(fault.Transient, "away") }
	if _, err = r.leases.OfDate(t.Context(), "2026-03-04"); !fault.Is(err, fault.Transient) {
		t.Errorf("without a store: %v", err)
	}
}

// TestRead: that somebody reads the register is on record, by her mark: two who read by the same role can be told apart, with an
// account or without, and each reading of one of them is hers.
func TestRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("emma")
	l := r.register("emma", home)
	of := lease.Reading{Person: "emma", Role: "security", From: "2026-03-01", To: "2026-03-03", Format: "csv", Request: "request-x"}
	must(t, r.leases.Read(t.Context(), of, r.clock.Now()))
	got := r.registered()
	if f := got.Facts; f["event"] != "register-read" || f["from"] != "2026-03-01" || f["to"] != "2026-03-03" || f["role"] != "security" || f["format"] != "csv" {
		t.Errorf("recorded %v", f)
	}
	if len(got.Subjects) != 1 || got.Subjects[0].C != l.Marks.Person {
		t.Errorf("of %v, want %s", got.Subjects, l.Marks.Person)
	}
	marks := map[string]string{"emma": l.Marks.Person}
	for n, person := range []string{"ada", "bo", "ada", "bo", "emma"} {
		of.Person, of.Role, of.Request = person, "auditor", "request-"+strconv.Itoa(n)
		must(t, r.leases.Read(t.Context(), of, r.clock.Now()))
		got := r.registered()
		if len(got.Subjects) != 1 || got.Facts["role"] != "auditor" {
			t.Fatalf("%s reads: %+v", person, got)
		}
		if before, known := marks[person]; known && before != got.Subjects[0].C {
			t.Errorf("%s has two marks of one month", person)
		}
		marks[person] = got.Subjects[0].C
	}
	if marks["ada"] == marks["bo"] || strings.Contains(marks["ada"], "ada") {
		t.Errorf("marks %v", marks)
	}
	r.faults = func(storetest.Point, int) error { return fault.New(fault.Transient, "away") }
	if err := r.leases.Read(t.Context(), of, r.clock.Now()); !fault.Is(err, fault.Transient) {
		t.Errorf("without a store: %v", err)
	}
}

// TestADateGoesWhole: all leases of a date are kept until 30 days after it was over everywhere, whenever they ended, and go at
// once: a register of the date is whole, or there is none.
func TestADateGoesWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enrol("emma")
	r.register("emma", home)
	must(t, r.clock.Set(start.Add(5*time.Hour)))
	r.register("emma", cafe)
	gone := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC).Add(lease.Retention)
	for n, want := range []int{2, 0} {
		at := gone.Add(time.Duration(n-1) * time.Microsecond)
		must(t, r.clock.Set(at))
		if found, err := r.leases.OfDate(t.Context(), "2026-03-03"); err != nil || len(found) != want {
			t.Errorf("at %s: %d of them, %v; want %d", at, len(found), err, want)
		}
		if kept := !(lease.Earliest(at).String() > "2026-03-03"); kept != (want > 0) {
			t.Errorf("at %s: kept from %s on", at, lease.Earliest(at))
		}
	}
}
