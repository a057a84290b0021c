package purge

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

// product is one place with items in order; every other place is empty.
type product struct {
	erasure.Store
	items  []erasure.Item
	become map[string]erasure.Outcome // what Erase says of an item, erased where nothing stands
	fail   error
	erased []string
}

func (p *product) Find(_ context.Context, q erasure.Query, cursor string, limit int) (page erasure.Page, err error) {
	if q.Entry != "sessions" || p.fail != nil {
		return page, p.fail
	}
	for _, i := range p.items {
		if i.Ref > cursor && q.Before(i.Created) {
			page.Items = append(page.Items, i)
		}
		if len(page.Items) == min(limit, 3) {
			page.Next = i.Ref
			return page, nil
		}
	}
	return page, nil
}

func (p *product) Erase(_ context.Context, _ erasure.Query, items []erasure.Item) (results []erasure.Result, err error) {
	for _, i := range items {
		outcome := p.become[i.Ref]
		if outcome == "" {
			outcome = erasure.OutcomeErased
			p.erased = append(p.erased, i.Ref)
			for at := range p.items {
				if p.items[at].Ref == i.Ref {
					p.items = append(p.items[:at:at], p.items[at+1:]...)
					break
				}
			}
		}
		results = append(results, erasure.Result{Ref: i.Ref, Outcome: outcome})
	}
	return results, nil
}

type world struct {
	*Sweeper
	product *product
	clock   *clock.Manual
	held    map[string][]string
	mu      sync.Mutex
	records []record.Record // of passes
	found   []record.Record // of what is out of order, and mended
	letters map[string]message.Content
	keys    seal.Keys
}

const tenant = "cabinet-nord"

func newWorld(t *testing.T) *world {
	t.Helper()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Read(p)
	if m == nil {
		t.Fatal(problems)
	}
	w := &world{product: &product{become: map[string]erasure.Outcome{}}, clock: clock.NewManual(noon)}
	raw, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	on := storetest.Twice(raw)
	texts, err := letter.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.keys, w.letters = local.New(filepath.Join(t.TempDir(), "key"), nil), map[string]message.Content{}
	w.Sweeper, err = New(Config{
		Store: on, Box: outbox.New(on, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send}), Keys: w.keys,
		Random: strings.NewReader(strings.Repeat("random bytes ", 1<<16)), Clock: w.clock, Map: m, Tenants: []string{tenant}, Zone: time.UTC, Policy: record.Digest([]byte("policy")),
		Eraser: func(context.Context, string) (erasure.Store, error) { return w.product, nil },
		Held:   func(context.Context) (map[string][]string, error) { return w.held, nil },
		Alarm:  &request.Alarm{Policy: p, Letters: texts, Messages: seal.NewCache(w.keys, rand.Reader, w.clock), Random: rand.Reader, Desk: "https://ostiary.test/decideerasure/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) keep(_ context.Context, e outbox.Entry) error {
	r, err := record.Parse(e.Data)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch rule := r.Facts["rule"]; {
	case r.Kind != record.Observation:
		w.found = append(w.found, r)
	case rule == "old-sessions" || strings.HasPrefix(rule, "left."):
		w.records = append(w.records, r)
	}
	return nil
}

func (w *world) send(ctx context.Context, e outbox.Entry) error {
	var m message.Request
	if err := json.Unmarshal(e.Data, &m); err != nil {
		return err
	}
	c, err := m.Open(ctx, w.keys)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters[m.Key] = c
	return err
}

// day lets a day pass, and runs until nothing is left to do.
func (w *world) day(t *testing.T) {
	t.Helper()
	if err := w.clock.Set(w.clock.Now().AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if done, err := w.Run(t.Context(), w.clock.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		} else if done {
			return
		}
		if err := w.clock.Set(w.clock.Now().Add(3 * time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("it is never done")
}

func (w *world) last(t *testing.T) map[string]string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) == 0 {
		t.Fatal("nothing is on record")
	}
	return w.records[len(w.records)-1].Facts
}

// TestPass: what becomes of each item is counted as that, and nothing but what is due and the tenant's is ever handed over.
func TestPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := noon.AddDate(-1, 0, 0)
	add := func(ref string, change func(*erasure.Item)) {
		i := erasure.Item{Ref: ref, Version: "1", Created: old, Tenant: tenant}
		change(&i)
		w.product.items = append(w.product.items, i)
	}
	for i := range 7 {
		add(fmt.Sprint("a", i), func(*erasure.Item) {})
	}
	add("b-young", func(i *erasure.Item) { i.Created = noon.AddDate(0, 0, -3) })
	add("c-foreign", func(i *erasure.Item) { i.Tenant = "cabinet-sud" })
	add("d-held", func(i *erasure.Item) { i.Held = noon.AddDate(9, 0, 0) })
	add("e-ageless", func(i *erasure.Item) { i.Created = time.Time{} })
	add("f-clean", func(i *erasure.Item) { i.Clean = true })
	w.product.become = map[string]erasure.Outcome{"a1": erasure.OutcomeGone, "a3": erasure.OutcomeHeld, "a5": erasure.OutcomeForeign, "a6": erasure.OutcomeChanged}
	w.day(t)
	if got := w.last(t); got["dry"] != "yes" || got["due"] != "8" || len(w.product.erased) != 0 {
		t.Errorf("the first pass: %v, erased %v", got, w.product.erased)
	}
	w.day(t)
	if got := w.last(t); got["dry"] != "" || got["due"] != "8" || got["erased"] != "3" || got["gone"] != "1" || got["foreign"] != "2" || strings.Join(w.product.erased, " ") != "a0 a2 a4" {
		t.Errorf("the second pass: %v, erased %v", got, w.product.erased)
	}
}

// TestDry: after a change of the map, and after a first pass that failed, it is counted again before anything is erased.
func TestDry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.product.items = []erasure.Item{{Ref: "a", Created: noon.AddDate(-1, 0, 0), Tenant: tenant}}
	w.product.fail = fault.New(fault.Denied, "not allowed")
	w.day(t)
	if got := w.last(t); got["why"] != "denied" || got["dry"] != "yes" {
		t.Errorf("a pass that is denied: %v", got)
	}
	w.product.fail = nil
	w.day(t)
	if got := w.last(t); got["dry"] != "yes" || len(w.product.erased) != 0 {
		t.Errorf("after one that failed: %v", got)
	}
	if err := w.Store.Tx(t.Context(), func(tx store.Tx) error { // as if it had been by another map
		var p pass
		if err := tx.Get(passes, passID("old-sessions", tenant), &p); err != nil {
			return err
		}
		p.Map = "another"
		return tx.Put(passes, passID("old-sessions", tenant), p)
	}); err != nil {
		t.Fatal(err)
	}
	w.day(t)
	if got := w.last(t); got["dry"] != "yes" || len(w.product.erased) != 0 {
		t.Errorf("after a change of the map: %v", got)
	}
	w.day(t)
	if got := w.last(t); got["erased"] != "1" {
		t.Errorf("in the end: %v", got)
	}
}

// TestLook: a rule that was only counted is not known to be kept; one that was carried out is, until its last pass is too old.
func TestLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	look := func() (record.State, int64, int64) {
		t.Helper()
		beats, err := w.Look(t.Context(), w.clock.Now())
		if err != nil || len(beats) != 1 {
			t.Fatal(beats, err)
		}
		return beats[0].Result.State, beats[0].Population.Expected, beats[0].Population.Seen
	}
	rules := int64(len(w.Map.Retention))
	w.day(t)
	if _, expected, seen := look(); expected != rules || seen != 0 {
		t.Errorf("counted alone: %d of %d", seen, expected)
	}
	w.day(t)
	if state, _, seen := look(); state != record.Kept || seen != rules {
		t.Errorf("carried out: %s, %d", state, seen)
	}
	if err := w.clock.Set(w.clock.Now().Add(Cadence + time.Hour)); err != nil {
		t.Fatal(err)
	}
	if state, _, _ := look(); state != record.Broken {
		t.Errorf("two days later: %s", state)
	}
	w.Map = &datamap.Map{}
	if beats, err := w.Look(t.Context(), w.clock.Now()); err != nil || len(beats) != 0 {
		t.Errorf("without rules: %v, %v", beats, err)
	}
}

// TestOnHold: what a request holds in a tenant's data is not swept there, nor what it lies inside of; elsewhere it is.
func TestOnHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sweep := datamap.Sweep{Step: datamap.Step{Entry: &datamap.Entry{ID: "users"}, Within: []string{"devices", "preferences"}}}
	for entry, want := range map[string]bool{"users": true, "devices": true, "preferences": true, "sessions": false, "": false} {
		w.held = map[string][]string{tenant: {"other", entry}}
		if got, err := w.isHeld(t.Context(), tenant, sweep); err != nil || got != want {
			t.Errorf("a hold on %q keeps users: %t, %v", entry, got, err)
		}
		if got, err := w.isHeld(t.Context(), "cabinet-sud", sweep); err != nil || got {
			t.Errorf("a hold on %q in another tenant keeps users: %t, %v", entry, got, err)
		}
	}
}
