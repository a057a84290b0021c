package allowlist_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var (
	start    = time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)
	midnight = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)
)

// rig is a reconciler over a memory store and targets in memory.
type rig struct {
	t        *testing.T
	clock    *clock.Manual
	base     store.Store
	faults   storetest.Fault
	box      *outbox.Box
	leases   *lease.Service
	targets  []*target
	lost     map[string]lease.Why
	standing error
	sites    []access.Fixed
	devices  int
	r        *allowlist.Reconciler
	n        int

	mu      sync.Mutex
	records map[string]record.Record
	order   []string
}

func newRig(t *testing.T, targets ...*target) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewManual(start), targets: targets, lost: map[string]lease.Why{}, devices: 2,
		records: map[string]record.Record{}}
	schema := append(append(store.Schema{outbox.Collection()}, lease.Collection()...), allowlist.Collection()...)
	var err error
	r.base, err = memory.New(store.Options{Schema: schema, Clock: r.clock})
	must(t, err)
	r.r = r.open("one")
	return r
}

// open returns a reconciler of another process over the same database and targets.
func (r *rig) open(owner string) *allowlist.Reconciler {
	r.t.Helper()
	s := storetest.Faulty(storetest.Twice(r.base), func(p storetest.Point, n int) error {
		if r.faults == nil {
			return nil
		}
		return r.faults(p, n)
	})
	var err error
	r.box = outbox.New(s, r.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{
		outbox.Message: func(context.Context, outbox.Entry) error { return nil },
		outbox.Record:  r.keep,
	})
	r.leases, err = lease.New(lease.Config{Store: s, Box: r.box, Clock: r.clock, Rules: access.Lease{DayEnd: "24:00", Devices: r.devices},
		Fixed: func(context.Context) ([]access.Fixed, error) { return r.sites, nil }})
	must(r.t, err)
	config := allowlist.Config{Store: s, Box: r.box, Leases: r.leases, Owner: owner,
		Lost: func(_ context.Context, person string) (lease.Why, error) { return r.lost[person], r.standing }}
	for _, t := range r.targets {
		config.Targets = append(config.Targets, t)
	}
	reconciler, err := allowlist.New(config)
	must(r.t, err)
	return reconciler
}

// keep is a create-only inbox: the same id with other bytes is a fault of the program.
func (r *rig) keep(_ context.Context, e outbox.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	parsed, _ := recordtest.Keep(r.t, r.records, e.Key, e.Data)
	r.order = append(r.order, parsed.Facts["event"])
	return nil
}

func (r *rig) recorded(event string) (found []record.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(r.records)) {
		if r.records[key].Facts["event"] == event {
			found = append(found, r.records[key])
		}
	}
	return found
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made returns a lease as a registration would write it.
func made(n int, person, prefix string, now, ends time.Time) lease.Lease {
	p, salt := netip.MustParsePrefix(prefix), make([]byte, 32)
	l := lease.Lease{V: 1, ID: fmt.Sprintf("lease-%05d", n), Person: person, Prefix: p, Family: lease.FamilyOf(p), Date: "2026-03-03",
		Generation: 1, Started: now, Ends: ends, Until: ends.UnixMicro(), Zone: "UTC", State: lease.Received, Open: true,
		Expires: ends.Add(lease.Retention)}
	l.Marks = lease.Marks{Lease: record.Commitment(salt, "lease", l.ID), Person: record.Commitment(salt, "person", person),
		Prefix: record.Commitment(salt, "source", prefix)}
	return l
}

// add registers a lease and returns its id.
func (r *rig) add(person, prefix string) string {
	r.t.Helper()
	r.n++
	l := made(r.n, person, prefix, r.clock.Now(), midnight)
	must(r.t, r.base.Tx(r.t.Context(), func(tx store.Tx) error { return tx.Create("leases", l.ID, l) }))
	r.pass(time.Second)
	return l.ID
}

func (r *rig) pass(d time.Duration) { must(r.t, r.clock.Set(r.clock.Now().Add(d))) }

func (r *rig) run() (allowlist.Report, error) { return r.r.Run(r.t.Context(), r.clock.Now()) }

// mustRun runs until everything is done.
func (r *rig) mustRun() allowlist.Report {
	r.t.Helper()
	report, err := r.run()
	must(r.t, err)
	r.settled()
	return report
}

func (r *rig) lease(id string) lease.Lease {
	r.t.Helper()
	var l lease.Lease
	must(r.t, r.base.Get(r.t.Context(), "leases", id, &l))
	return l
}

func (r *rig) want(id string, state lease.State, why lease.Why) {
	r.t.Helper()
	if l := r.lease(id); l.State != state || l.Why != why {
		r.t.Fatalf("lease %s is %s (%s), want %s (%s)", id, l.State, l.Why, state, why)
	}
}

func (r *rig) all() []lease.Lease {
	r.t.Helper()
	docs, err := r.base.Query(r.t.Context(), store.Query{Collection: "leases", Limit: store.MaxQueryResults,
		Equal: []store.Field{{Name: "open", Value: true}}})
	must(r.t, err)
	closed, err := r.base.Query(r.t.Context(), store.Query{Collection: "leases", Limit: store.MaxQueryResults,
		Equal: []store.Field{{Name: "open", Value: false}}})
	must(r.t, err)
	var found []lease.Lease
	for _, d := range append(docs, closed...) {
		var l lease.Lease
		must(r.t, d.Decode(&l))
		found = append(found, l)
	}
	return found
}

// settled holds what must be true after a whole run: no lease without enforcement, no enforcement without a lease.
func (r *rig) settled() {
	r.t.Helper()
	now := r.clock.Now()
	all := r.all()
	want := allowlist.Desired(all, r.sites, now).Prefixes()
	for _, t := range r.targets {
		if !slices.Equal(t.prefixes, want) {
			r.t.Fatalf("target %s holds %v, want %v", t.name, t.prefixes, want)
		}
	}
	for _, l := range all {
		if live := l.Live(now); live && l.State != lease.Confirmed && l.State != lease.Working {
			r.t.Fatalf("live lease %s is %s", l.ID, l.State)
		} else if !live && (l.Open || l.RemovedAt.IsZero() || !l.State.Final()) {
			r.t.Fatalf("lease %s is over but %s, open=%t, removed %s", l.ID, l.State, l.Open, l.RemovedAt)
		}
	}
}

// honest holds at every moment, dead or alive: nobody reads "confirmed" while the door is shut.
func (r *rig) honest() {
	r.t.Helper()
	for _, l := range r.all() {
		if !l.Live(r.clock.Now()) || (l.State != lease.Confirmed && l.State != lease.Working) {
			continue
		}
		for _, t := range r.targets {
			if !slices.Contains(t.prefixes, l.Prefix) {
				r.t.Fatalf("lease %s is %s but %s does not hold %s", l.ID, l.State, t.name, l.Prefix)
			}
		}
	}
}
