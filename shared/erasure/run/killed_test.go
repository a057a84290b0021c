package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store/storetest"
)

// mortal is a process that is killed in the middle of a call of either store, before or after the call did its work, and
// does nothing any more until it is started again.
type mortal struct {
	*people
	mu   sync.Mutex
	r    *mathrand.Rand
	fuse int // calls left
}

func (m *mortal) call() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fuse <= 0 {
		return errKilled
	}
	m.fuse--
	return nil
}

// start starts it again.
func (m *mortal) start() (killed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	killed = m.fuse <= 0
	if m.fuse = 1 + m.r.IntN(60); m.r.IntN(4) == 0 {
		m.fuse = 100_000
	}
	return killed
}

func (m *mortal) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := m.call(); err != nil {
		return erasure.Page{}, err
	}
	return m.people.Find(ctx, q, cursor, limit)
}

func (m *mortal) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	part := items[:m.r.IntN(len(items)+1)]
	m.mu.Unlock()
	results, err := m.people.Erase(ctx, q, part)
	if err != nil || m.call() != nil {
		return nil, errors.Join(err, errKilled) // nobody heard what became of them
	}
	more, err := m.people.Erase(ctx, q, items[len(part):])
	return append(results, more...), err
}

// Three processes take every message five times, in any order and at once, and are killed at any call: one request, one
// receipt, and every item in it once.
func TestKilled(t *testing.T) {
	t.Parallel()
	seeds := 3
	if os.Getenv("OSTIARY_SOAK") != "" {
		seeds = 100
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			killed(t, mathrand.New(mathrand.NewPCG(uint64(seed), 3)))
		})
	}
}

func killed(t *testing.T, r *mathrand.Rand) {
	o := newOffice(t)
	o.fill(1_500)
	o.shelf()
	base := o.store
	var workers []*mortal
	var clerks []run.Clerk
	for i := range 3 {
		m := &mortal{people: o.people, r: mathrand.New(mathrand.NewPCG(r.Uint64(), uint64(i)))}
		o.config.Reader = func(context.Context, string) (erasure.Reader, error) { return m, nil }
		o.config.Eraser = func(context.Context, string) (erasure.Store, error) { return m, nil }
		clerks = append(clerks, o.hire(storetest.Faulty(base, func(storetest.Point, int) error { return m.call() })))
		workers = append(workers, m)
	}
	asked, err := o.requests.Ask(t.Context(), request.Ask{Tenant: "acme", Email: "jo@acme.example", Language: "en"}, o.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	deaths := 0
	shift := func() {
		var group sync.WaitGroup
		letters := o.five(r)
		for i, m := range workers {
			if m.start() {
				deaths++
			}
			group.Go(func() { o.take(t.Context(), clerks[i], letters) })
		}
		group.Wait()
		// Leases run out, and whoever has fallen silent is called again.
		if err := errors.Join(o.clock.Set(o.clock.Now().Add(request.Idle+time.Minute)), o.requests.Tick(t.Context(), o.clock.Now())); err != nil {
			t.Fatal(err)
		}
	}
	o.until(asked.ID, request.IdentityPending, shift)
	o.prove()
	o.until(asked.ID, request.Retained, shift)
	for range 3 {
		shift()
	}
	w, err := o.requests.Work(t.Context(), asked.ID, o.clock.Now())
	if want := (request.Totals{Erased: 1_500 + 3 + 2, Anonymised: 1}); err != nil || w.Totals != want || o.people.erased != want.Erased {
		t.Errorf("%+v, %v, want %+v; erased %d", w.Totals, err, want, o.people.erased)
	}
	sum := request.Totals{}
	for _, e := range o.receipts[1].Entries {
		sum.Erased, sum.Anonymised, sum.Gone = sum.Erased+e.Erased, sum.Anonymised+e.Anonymised, sum.Gone+e.Gone
	}
	if len(o.receipts) != 1 || sum != w.Totals || deaths == 0 {
		t.Errorf("%d receipts, the first of %+v; %d deaths", len(o.receipts), sum, deaths)
	}
	if got := o.people.export("acme"); strings.Contains(got, "jo@") || strings.Count(got, "uid:u10 ") != 1_500 {
		t.Errorf("%d of u10 are left", strings.Count(got, "uid:u10 "))
	}
}

// five returns all messages there are, each five times, in any order.
func (o *office) five(r *mathrand.Rand) chan outbox.Entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []outbox.Entry
	for range 5 {
		all = append(all, o.queue...)
	}
	o.queue = nil
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	letters := make(chan outbox.Entry, len(all))
	for _, e := range all {
		letters <- e
	}
	close(letters)
	return letters
}

// take has a clerk work on messages; what it asks for again, or dies of, is called for by the clock.
func (o *office) take(ctx context.Context, c run.Clerk, letters chan outbox.Entry) {
	for e := range letters {
		var n request.Notice
		if err := json.Unmarshal(e.Data, &n); err != nil {
			o.t.Error(err)
			return
		}
		do := c.Search
		if e.Target == request.TopicRun {
			do = c.Carry
		}
		if _, err := do(ctx, n.Request); err != nil && !fault.Is(err, fault.Transient) && !fault.Is(err, fault.Conflict) {
			o.t.Errorf("%s: %v", e.Target, err)
		}
	}
}

func (o *office) until(id string, s request.State, shift func()) {
	o.t.Helper()
	for range 500 {
		if o.state(id) == s {
			return
		}
		shift()
	}
	o.t.Fatalf("the request is still %s", o.state(id))
}
