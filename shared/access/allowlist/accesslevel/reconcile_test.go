package accesslevel

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/allowlist/targettest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

// day is a reconciler with this one door.
type day struct {
	*fake
	store store.Store
	r     *allowlist.Reconciler
	n     int
}

func newDay(t *testing.T) *day {
	t.Helper()
	d := &day{fake: newFake(t, 3)}
	schema := append(append(store.Schema{outbox.Collection()}, lease.Collection()...), allowlist.Collection()...)
	var err error
	d.store, err = memory.New(store.Options{Schema: schema, Clock: d.Clock})
	must(t, err)
	drop := func(context.Context, outbox.Entry) error { return nil }
	box := outbox.New(d.store, d.Clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Message: drop, outbox.Record: drop})
	leases, err := lease.New(lease.Config{Store: d.store, Box: box, Clock: d.Clock, Rules: access.Lease{DayEnd: "24:00", Devices: 2}})
	must(t, err)
	d.r, err = allowlist.New(allowlist.Config{Store: d.store, Box: box, Leases: leases, Owner: "one", Targets: []allowlist.Target{d.open(2)}})
	must(t, err)
	return d
}

// register writes a lease as a registration would.
func (d *day) register(person, prefix string) string {
	d.n++
	p, salt := netip.MustParsePrefix(prefix), make([]byte, 32)
	l := lease.Lease{V: 1, ID: fmt.Sprintf("lease-%d", d.n), Person: person, Prefix: p, Family: lease.FamilyOf(p), Date: "2026-03-03", Generation: 1,
		Started: d.Clock.Now(), Ends: targettest.Until, Until: targettest.Until.UnixMicro(), Zone: "UTC", State: lease.Received, Open: true, Expires: targettest.Until.Add(lease.Retention)}
	l.Marks = lease.Marks{Lease: record.Commitment(salt, "lease", l.ID), Person: record.Commitment(salt, "person", person), Prefix: record.Commitment(salt, "source", prefix)}
	must(d.T, d.store.Tx(context.Background(), func(tx store.Tx) error { return tx.Create("leases", l.ID, l) }))
	return l.ID
}

func (d *day) run(after time.Duration) allowlist.Report {
	d.T.Helper()
	must(d.T, d.Clock.Set(d.Clock.Now().Add(after)))
	report, err := d.r.Run(context.Background(), d.Clock.Now())
	must(d.T, err)
	return report
}

func (d *day) lease(id string) (l lease.Lease) {
	d.T.Helper()
	must(d.T, d.store.Get(context.Background(), "leases", id, &l))
	return l
}

// TestDay: two people at one address, each confirmed when her own condition was read back and not before; at the end the door is
// shut though nobody runs, and a run finds the leases gone.
func TestDay(t *testing.T) {
	t.Parallel()
	d := newDay(t)
	from := netip.MustParseAddr("81.2.69.142")
	in := func(who string) bool { return d.admits(request{who + "@x.example", from, d.Clock.Now()}) }
	d.run(0)
	ana := d.register("ana", home)
	if d.run(time.Minute); d.lease(ana).State != lease.Confirmed || !in("ana") || in("ben") {
		t.Fatalf("ana is %s; she %t, he %t", d.lease(ana).State, in("ana"), in("ben"))
	}
	ben := d.register("ben", home)
	if d.run(time.Minute); d.lease(ben).State != lease.Confirmed || !in("ana") || !in("ben") {
		t.Fatalf("ben is %s; she %t, he %t", d.lease(ben).State, in("ana"), in("ben"))
	}
	writes := len(d.Sent)
	if report := d.run(time.Minute); report.Targets[0].Applied || len(d.Sent) != writes {
		t.Errorf("a run with nothing to do: %+v", report)
	}
	must(t, d.Clock.Set(targettest.Until))
	if in("ana") || in("ben") || len(d.Sent) != writes {
		t.Error("somebody is let in after the end")
	}
	if report := d.run(time.Second); report.Removed != 2 || d.lease(ana).Open || report.Targets[0].Foreign {
		t.Errorf("after the end: %+v", report)
	}
}
