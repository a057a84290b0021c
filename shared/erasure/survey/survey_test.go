package survey

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

// product is every store of the map: what places there are in each.
type product struct {
	erasure.Reader
	places map[string][]string
	url    string
	err    error
	asked  int
}

func (p *product) open(_ context.Context, url string) (erasure.Reader, error) {
	one := *p
	one.url = url
	p.asked++
	return &one, nil
}

func (p *product) Places(context.Context, int) ([]string, error) { return p.places[p.url], p.err }

type world struct {
	*Surveyor
	product *product
	clock   *clock.Manual
	mu      sync.Mutex
	records map[string]record.Record
}

func newWorld(t *testing.T, fail storetest.Fault) *world {
	t.Helper()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Read(p)
	if m == nil {
		t.Fatal(problems)
	}
	w := &world{product: &product{places: map[string][]string{}}, clock: clock.NewManual(noon), records: map[string]record.Record{}}
	raw, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	on := storetest.Twice(raw)
	if fail != nil {
		on = storetest.Faulty(on, fail)
	}
	box := outbox.New(on, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep})
	w.Surveyor = &Surveyor{Store: on, Box: box, Map: m, Policy: record.Digest([]byte("policy")), Promises: []string{"P1"}, Reader: w.product.open}
	return w
}

func (w *world) keep(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records[e.Key] = r
	return nil
}

func (w *world) pass(t *testing.T, by time.Duration) error {
	t.Helper()
	if err := w.clock.Set(w.clock.Now().Add(by)); err != nil {
		t.Fatal(err)
	}
	return w.Look(t.Context(), w.clock.Now())
}

func (w *world) count(kind record.Kind) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.records {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

const main = "firestore://sharedcontacts-live/contacts-europe-west1"

// TestLook: a place is found once, within the hour nobody looks again, a store that does not answer heals nothing, and what is
// gone or mapped heals once. No record names a place.
func TestLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.product.places[main] = []string{"settings", "tenants/acme/users", "tenants/acme/birthdays-of-ada"}
	for range 3 {
		if err := w.pass(t, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	stores := len(w.Map.Stores())
	open, err := Open(t.Context(), w.Store)
	if err != nil || len(open) != 1 || !strings.HasSuffix(open[0].Name, "birthdays-of-ada") || w.count(record.Finding) != 1 || w.product.asked != stores {
		t.Fatalf("%+v, %v; %d findings, %d of %d stores asked", open, err, w.count(record.Finding), w.product.asked, stores)
	}
	w.product.err = fault.New(fault.Transient, "down")
	if err := w.pass(t, time.Hour); !errors.Is(err, w.product.err) {
		t.Errorf("nobody is told that a store does not answer: %v", err)
	}
	if err := w.pass(t, time.Minute); err != nil || w.product.asked != 2*stores {
		t.Errorf("it is asked again at once: %v", err)
	}
	w.product.err, w.product.places[main] = nil, nil
	if open, err = Open(t.Context(), w.Store); err != nil || len(open) != 1 {
		t.Errorf("healed by a look that saw nothing: %+v, %v", open, err)
	}
	for range 2 {
		if err := w.pass(t, retry); err != nil {
			t.Fatal(err)
		}
	}
	if open, err = Open(t.Context(), w.Store); err != nil || len(open) != 0 || w.count(record.Remediation) != 1 || w.count(record.Finding) != 1 {
		t.Errorf("%+v, %v; healed %d times", open, err, w.count(record.Remediation))
	}
	for id, r := range w.records {
		data, err := r.Canonical()
		if err != nil || strings.Contains(string(data), "ada") {
			t.Errorf("record %s names the place: %v", id, err)
		}
	}
}

// TestDeath: at whatever call of the database a process dies, there is one finding for a place, and one end of it.
func TestDeath(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		calls := 0
		w := newWorld(t, func(storetest.Point, int) error {
			if calls++; calls == n {
				return fault.New(fault.Transient, "died")
			}
			return nil
		})
		look := func() {
			if err := w.pass(t, 2*time.Hour); err != nil {
				if err := w.pass(t, 2*time.Hour); err != nil {
					t.Fatalf("dead at call %d: %v", n, err)
				}
			}
		}
		w.product.places[main] = []string{"tenants/acme/birthdays"}
		look()
		w.product.places[main] = nil
		look()
		for range 2 { // the first may be the one that dies
			if err := w.clock.Set(w.clock.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			_, _ = w.Box.Sweep(t.Context())
		}
		past := calls
		if open, err := Open(t.Context(), w.Store); past >= n && (err != nil || len(open) != 0) || w.count(record.Finding) != 1 || w.count(record.Remediation) != 1 {
			t.Errorf("dead at call %d: %+v, %v; %d findings, %d healed", n, open, err, w.count(record.Finding), w.count(record.Remediation))
		}
		if past < n {
			return
		}
	}
}

// Stores implements erasure.Lister: what there is, mapped or not.
func (p *product) Stores(context.Context, int) ([]string, error) { return p.places[p.url], p.err }

// TestStores: a bucket that nobody has mapped is found once and heals when it is gone; a project that does not answer heals
// nothing.
func TestStores(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.Lister = func(_ context.Context, url string) (erasure.Lister, error) {
		one := *w.product
		one.url = url
		return &one, nil
	}
	const project = "gcs://sharedcontacts-live"
	w.product.places[project] = []string{"gcs://sharedcontacts-site", "gcs://backups-of-somebody"}
	for range 2 {
		if err := w.pass(t, Every); err != nil {
			t.Fatal(err)
		}
	}
	open, err := Open(t.Context(), w.Store)
	if err != nil || len(open) != 1 || open[0].Name != "gcs://backups-of-somebody" || w.count(record.Finding) != 1 {
		t.Fatalf("%+v, %v; %d findings", open, err, w.count(record.Finding))
	}
	w.product.err, w.product.places[project] = fault.New(fault.Denied, "no"), nil
	if err := w.pass(t, Every); !errors.Is(err, w.product.err) {
		t.Errorf("nobody is told that the project does not answer: %v", err)
	}
	if open, err = Open(t.Context(), w.Store); err != nil || len(open) != 1 {
		t.Errorf("healed by a look that saw nothing: %+v, %v", open, err)
	}
	w.product.err = nil
	if err := w.pass(t, Every); err != nil {
		t.Fatal(err)
	}
	if open, err = Open(t.Context(), w.Store); err != nil || len(open) != 0 || w.count(record.Remediation) != 1 {
		t.Errorf("%+v, %v; healed %d times", open, err, w.count(record.Remediation))
	}
}

// TestPaced: the places of a store are listed in its turn, as pages of walks are.
func TestPaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	kept, err := memory.New(store.Options{Schema: store.Schema{pace.Collection()}, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	w.Pace = pace.New(kept, clock.System{}, 10_000)
	if err := w.Look(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	stores := map[string]bool{}
	for _, url := range w.Map.Stores() {
		stores[erasure.Bare(url)] = true
	}
	if rates, err := kept.Query(t.Context(), store.Query{Collection: pace.Collection().Name, Limit: store.MaxQueryResults}); err != nil || len(rates) != len(stores) {
		t.Errorf("%d of %d stores waited for their turn, %v", len(rates), len(stores), err)
	}
}
