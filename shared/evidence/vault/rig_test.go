package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

var (
	start  = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)
	anna   = Subject{"person", "anna.kowalska@sharedcontacts.example"}
	bruno  = Subject{"person", "bruno"}
	leafA  = strings.Repeat("a", 32)
	leafB  = strings.Repeat("b", 32)
	leafC  = strings.Repeat("c", 32)
	secret = []byte(`{"person":"anna.kowalska@sharedcontacts.example","score":88}`)
)

const horizon = 35 * 24 * time.Hour

// rig is a vault on a store that lets fault decide, and the inbox its records reach.
type rig struct {
	*Vault
	clock *clock.Manual
	raw   store.Store // never failing
	keys  string

	mu      sync.Mutex
	records []record.Record
}

func newRig(t testing.TB, fault storetest.Fault) *rig {
	t.Helper()
	r := &rig{clock: clock.NewManual(start), keys: filepath.Join(t.TempDir(), "keys")}
	s, err := memory.New(store.Options{Schema: Collection(), Clock: r.clock})
	if err != nil {
		t.Fatal(err)
	}
	r.raw = s
	if fault != nil {
		s = storetest.Faulty(s, fault)
	}
	r.open(t, storetest.Twice(s))
	return r
}

func (r *rig) open(t testing.TB, s store.Store) {
	t.Helper()
	box := outbox.New(s, r.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: r.keep})
	v, err := New(Config{Store: s, Box: box, Keys: local.New(r.keys, nil), Random: rand.Reader, Horizon: horizon, Promises: []string{"B64"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Vault = v
}

// keep is the evidence inbox: the same record again changes nothing.
func (r *rig) keep(_ context.Context, e outbox.Entry) error {
	got, err := record.Parse(e.Data)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.records {
		if known.ID() == got.ID() {
			return nil
		}
	}
	r.records = append(r.records, got)
	return nil
}

// steps returns the records of one step.
func (r *rig) steps(step string) []record.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []record.Record
	for _, e := range r.records {
		if e.Facts["step"] == step {
			found = append(found, e)
		}
	}
	return found
}

// dump returns all that the database and the records hold, as text.
func (r *rig) dump(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, c := range Collection() {
		docs, err := r.raw.Query(context.Background(), store.Query{Collection: c.Name, Limit: store.MaxQueryResults})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			var fields map[string]any
			if err := d.Decode(&fields); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			all.WriteString(c.Name + " " + d.ID + " " + string(text) + "\n")
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.records {
		data, err := e.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func (r *rig) commit(t testing.TB, s Subject) record.Subject {
	t.Helper()
	c, err := r.Commit(t.Context(), s, r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) put(t testing.TB, s Subject, leaf string, payload []byte) record.Payload {
	t.Helper()
	p, err := r.Put(t.Context(), s, leaf, payload, r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (r *rig) erase(t testing.TB, s Subject) Erasure {
	t.Helper()
	e, err := r.Erase(t.Context(), s, Withdrawn, r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (r *rig) tick(t testing.TB, by time.Duration) {
	t.Helper()
	if err := r.clock.Set(r.clock.Now().Add(by)); err != nil {
		t.Fatal(err)
	}
	if err := r.Tick(t.Context(), r.clock.Now()); err != nil {
		t.Fatal(err)
	}
}
