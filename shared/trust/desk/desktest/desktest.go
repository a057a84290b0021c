// Package desktest is a desk for the tests of what stands on it: on a store in memory that runs every transaction twice
// and fails when told to, with everything that leaves it.
package desktest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/notice"
)

// Start is the time at which a rig begins.
var Start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// Rig is a desk and what becomes of it. Its parts may be changed while nothing runs on it.
type Rig struct {
	desk.Desk
	Clock *clock.Manual
	Fail  storetest.Fault // nil: every call of the store passes

	t       *testing.T
	mu      sync.Mutex
	records []record.Record
	told    []notice.Notice
}

// New returns a rig on the collections, for the policy of a company called Acme in the given files.
func New(t *testing.T, files map[string]string, collections ...store.Collection) *Rig {
	t.Helper()
	r := &Rig{t: t, Clock: clock.NewManual(Start)}
	raw, err := memory.New(store.Options{Schema: append(store.Schema{outbox.Collection()}, collections...), Clock: r.Clock})
	if err != nil {
		t.Fatal(err)
	}
	r.Store = storetest.Faulty(storetest.Twice(raw), func(p storetest.Point, n int) error {
		if r.Fail != nil {
			return r.Fail(p, n)
		}
		return nil
	})
	r.Box = outbox.New(r.Store, r.Clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: r.keep})
	r.Policy = Policy(t, files)
	r.Digest, r.Notify, r.Commit = "sha256:"+r.Policy.Digest, r.notify, commit
	return r
}

// Policy reads the policy of Acme.
func Policy(t testing.TB, files map[string]string) *policy.Policy {
	t.Helper()
	folder := fstest.MapFS{"acme/company.yaml": {Data: []byte(`company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en]}`)}}
	for name, text := range files {
		folder["acme/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(folder, "acme")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return p
}

// commit makes commitments that differ between people and between months.
func commit(_ context.Context, person string, now time.Time) (record.Subject, error) {
	salt := fmt.Sprintf("salt of %-12s %s", person, now.Format("2006-01"))
	return record.Subject{Type: "person", C: record.Commitment([]byte(salt), "person", person)}, nil
}

// keep is the evidence inbox: the same id with other bytes is a fault of ours.
func (r *Rig) keep(_ context.Context, e outbox.Entry) error {
	parsed, err := record.Parse(e.Data)
	if err != nil {
		r.t.Errorf("record %s: %v", e.Key, err)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.records, func(known record.Record) bool { return known.ID() == e.Key })
	if i < 0 {
		r.records = append(r.records, parsed)
	} else if known, _ := r.records[i].Canonical(); string(known) != string(e.Data) {
		r.t.Errorf("record %s has two contents:\n%s\n%s", e.Key, known, e.Data)
	}
	return nil
}

func (r *Rig) notify(_ *outbox.Batch, n notice.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.told, func(known notice.Notice) bool { return known.Key == n.Key }) {
		r.told = append(r.told, n)
	}
	return nil
}

// Records returns the evidence in the order it came, each record once.
func (r *Rig) Records() []record.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// Told returns the notices that were given, each once.
func (r *Rig) Told() []notice.Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// Now is the rig's time.
func (r *Rig) Now() time.Time { return r.Clock.Now() }

// Advance moves the clock on.
func (r *Rig) Advance(by time.Duration) {
	r.t.Helper()
	if err := r.Clock.Set(r.Now().Add(by)); err != nil {
		r.t.Fatal(err)
	}
}

// Sweep relays what a failure left in the outbox.
func (r *Rig) Sweep() {
	r.t.Helper()
	r.Fail = nil
	if _, err := r.Box.Sweep(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// Person is somebody of the policy.
func (r *Rig) Person(id string) policy.Person {
	r.t.Helper()
	p, known := r.Policy.PersonByID(id)
	if !known {
		r.t.Fatalf("no person %s", id)
	}
	return p
}
