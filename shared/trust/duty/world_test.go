package duty

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

// world is a Service on a store that can be made to fail, with everything it sends.
type world struct {
	*Service
	t     *testing.T
	clock *clock.Manual
	left  int // calls of the store that pass; negative: all

	mu      sync.Mutex
	records map[string]record.Record
	order   []record.Record
	told    map[string]notice.Notice // by key
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(start), left: -1, records: map[string]record.Record{}, told: map[string]notice.Notice{}}
	schema := append(store.Schema{outbox.Collection()}, Collection()...)
	raw, err := memory.New(store.Options{Schema: schema, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	faulty := storetest.Faulty(storetest.Twice(raw), func(storetest.Point, int) error {
		if w.left == 0 {
			return fault.New(fault.Transient, "an injected failure")
		}
		w.left--
		return nil
	})
	box := outbox.New(faulty, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep})
	p := load(t, duties)
	rules, _ := ReadRules(p)
	w.Service, err = New(Config{Store: faulty, Box: box, Policy: p, Rules: rules, Digest: "sha256:" + p.Digest, Notify: w.notify,
		Commit: func(_ context.Context, person string, now time.Time) (record.Subject, error) {
			salt := fmt.Sprintf("salt of %-12s %s", person, now.Format("2006-01"))
			return record.Subject{Type: "person", C: record.Commitment([]byte(salt), "person", person)}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// keep is the evidence inbox: the same id with other bytes is a fault of ours.
func (w *world) keep(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	if err != nil {
		w.t.Errorf("record %s: %v", e.Key, err)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if old, known := w.records[e.Key]; known {
		if a, _ := old.Canonical(); string(a) != string(e.Data) {
			w.t.Errorf("record %s has two contents:\n%s\n%s", e.Key, a, e.Data)
		}
		return nil
	}
	w.records[e.Key] = r
	w.order = append(w.order, r)
	return nil
}

func (w *world) notify(_ *outbox.Batch, n notice.Notice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told[n.Key] = n
	return nil
}

func (w *world) now() time.Time { return w.clock.Now() }

func (w *world) advance(by time.Duration) {
	w.t.Helper()
	if err := w.clock.Set(w.now().Add(by)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.Tick(w.t.Context(), w.now()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(id string) policy.Person {
	p, known := w.Policy.PersonByID(id)
	if !known {
		w.t.Fatalf("no person %s", id)
	}
	return p
}

func (w *world) by(id string) By { return By{Person: w.person(id)} }

func (w *world) task(id string) Task {
	w.t.Helper()
	t, _, err := w.Get(w.t.Context(), id, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// about returns the records that name a promise, in the order they came.
func (w *world) about(promise string, kinds ...record.Kind) []record.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []record.Record
	for _, r := range w.order {
		for _, id := range r.Promises {
			for _, kind := range kinds {
				if id == promise && r.Kind == kind {
					found = append(found, r)
				}
			}
		}
	}
	return found
}

// notices returns how many notices of a kind were given, and to whom the last one was.
func (w *world) notices(kind notice.Kind) (count int, to []string) {
	for _, n := range w.told {
		if n.Kind == kind {
			count, to = count+1, n.To
		}
	}
	return count, to
}
