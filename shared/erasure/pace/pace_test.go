package pace

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
)

const url = "firestore://p/d"

// shop is a store of personal data that several processes ask, and what it was asked for when.
type shop struct {
	store store.Store
	mu    sync.Mutex
	pages []page
	txs   int
}

type page struct {
	at    time.Time
	items int
	by    int
}

func newShop(t *testing.T) *shop {
	t.Helper()
	raw, err := memory.New(store.Options{Schema: store.Schema{Collection()}, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{}
	s.store = storetest.Faulty(storetest.Twice(raw), func(p storetest.Point, _ int) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p == storetest.Applied {
			s.txs++
		}
		return nil
	})
	return s
}

// work has a process ask for pages until the time is over. size says how many items the next has.
func (s *shop) work(ctx context.Context, t *testing.T, p *Pace, by int, until time.Time, size func() int) {
	for time.Now().Before(until) {
		begins, err := p.Wait(ctx, url, time.Until(until))
		if err != nil || !begins {
			if err != nil {
				t.Error(err)
			}
			return
		}
		items := size()
		s.mu.Lock()
		s.pages = append(s.pages, page{time.Now(), items, by})
		s.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		p.Spent(url, items)
		p.End(url)
	}
}

// items counts those of a time, of one process or, for -1, of all.
func (s *shop) items(from, to time.Time, by int) (n int) {
	for _, p := range s.pages {
		if !p.at.Before(from) && p.at.Before(to) && (by < 0 || p.by == by) {
			n += p.items
		}
	}
	return n
}

func whole() int { return erasure.MaxPage }

// TestTogether: however many processes ask, and however many walks in each, all together have no more than the rate, each of
// them its share, and it is not every page that takes a transaction.
func TestTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ processes, walks int }{{1, 1}, {1, 4}, {5, 1}, {5, 4}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, begin := newShop(t), time.Now()
				const lasts = 4 * time.Minute
				var group sync.WaitGroup
				for by := range c.processes {
					p := New(s.store, clock.System{}, 500)
					for range c.walks {
						group.Go(func() { s.work(t.Context(), t, p, by, begin.Add(lasts), whole) })
					}
				}
				group.Wait()
				at := func(second int) time.Time { return begin.Add(time.Duration(second) * time.Second) }
				burst := c.processes * c.walks * erasure.MaxPage
				for from := 0; from < 220; from += 10 {
					if n := s.items(at(from), at(from+20), -1); n > 500*20+burst {
						t.Errorf("%d items in 20 seconds from %d on", n, from)
					}
				}
				all := s.items(begin, at(240), -1)
				if all < 500*240*9/10 || all > 500*240+burst {
					t.Errorf("%d items in four minutes", all)
				}
				for by := range c.processes {
					if n := s.items(begin, at(240), by); n < all/c.processes*8/10 {
						t.Errorf("process %d had %d of %d", by, n, all)
					}
				}
				if s.txs > len(s.pages)/2 {
					t.Errorf("%d transactions for %d pages", s.txs, len(s.pages))
				}
			})
		})
	}
}

// TestSmallPages: pages of a few items take few transactions, and one process alone waits for nobody.
func TestSmallPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, begin := newShop(t), time.Now()
		s.work(t.Context(), t, New(s.store, clock.System{}, 500), 0, begin.Add(10*time.Second), func() int { return 1 })
		if len(s.pages) < 10*45 || s.txs > 12 {
			t.Errorf("%d pages of one item in ten seconds, %d transactions", len(s.pages), s.txs)
		}
	})
}

// TestRamp: a store that is asked all the time is asked half as much again each five minutes, and as in the beginning when
// nobody asked for a while.
func TestRamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, begin := newShop(t), time.Now()
		one, other := New(s.store, clock.System{}, 500), New(s.store, clock.System{}, 500)
		var group sync.WaitGroup
		group.Go(func() { s.work(t.Context(), t, one, 0, begin.Add(11*time.Minute), whole) })
		group.Go(func() { s.work(t.Context(), t, other, 1, begin.Add(11*time.Minute), whole) })
		group.Wait()
		for i, want := range []int{500, 750, 1125} {
			from := begin.Add(time.Duration(i) * rampEvery).Add(5 * time.Second)
			if n := s.items(from, from.Add(50*time.Second), -1) / 50; n < want*9/10 || n > want*21/20 {
				t.Errorf("%d items a second after %d times five minutes, want %d", n, i, want)
			}
		}
		time.Sleep(time.Hour)
		from := time.Now()
		s.work(t.Context(), t, New(s.store, clock.System{}, 500), 2, from.Add(time.Minute), whole)
		if n := s.items(from, from.Add(time.Minute), 2); n > 500*61 {
			t.Errorf("%d items in the first minute after an hour of silence", n)
		}
	})
}

// TestToldOff: when one process is told that it asks too much all of them rest, also those that had taken a slice already,
// and go on at half the rate, whoever was told how often meanwhile; a process that begins then as well.
func TestToldOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, begin := newShop(t), time.Now()
		ctx, until := t.Context(), begin.Add(2*time.Minute)
		var group sync.WaitGroup
		var all []*Pace
		for by := range 4 {
			p := New(s.store, clock.System{}, 500)
			all = append(all, p)
			group.Go(func() { s.work(ctx, t, p, by, until, whole) })
		}
		time.Sleep(20 * time.Second)
		told := time.Now()
		refusal := &fault.Error{Kind: fault.Exhausted, RetryAfter: 15 * time.Second, Err: fault.New(fault.Exhausted, "too many requests")}
		for _, p := range all[:2] {
			if err := p.Exhausted(ctx, url, refusal); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(30 * time.Second)
		group.Go(func() { s.work(ctx, t, New(s.store, clock.System{}, 500), 4, until, whole) })
		group.Wait()
		// Who has a slice at that moment goes on to its end, unless he is told himself.
		if n, after := s.items(told, told.Add(longer), -1), s.items(told.Add(longer), told.Add(15*time.Second), -1); n > 500*2 || after > 0 {
			t.Errorf("%d and then %d items while the store rests", n, after)
		}
		from := told.Add(20 * time.Second)
		if n := s.items(from, from.Add(time.Minute), -1) / 60; n < 225 || n > 275 {
			t.Errorf("%d items a second afterwards, want half of 500", n)
		}
		if s.items(from, until, 4) == 0 {
			t.Error("who came later had nothing")
		}
	})
}

// TestDeath: a process that dies with a slice costs that slice and no more; one that gives it back costs nothing. A walk
// that has no time for its turn takes none.
func TestDeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newShop(t), t.Context()
		next := func() time.Duration {
			t.Helper()
			asked := time.Now()
			p := New(s.store, clock.System{}, 500)
			if begins, err := p.Wait(ctx, url, time.Minute); err != nil || !begins {
				t.Fatal(begins, err)
			}
			p.End(url)
			return time.Since(asked)
		}
		if waited := next(); waited != 0 {
			t.Errorf("the first waited %s", waited)
		}
		if begins, err := New(s.store, clock.System{}, 500).Wait(ctx, url, time.Millisecond); err != nil || begins {
			t.Errorf("begun in another's slice: %v, %v", begins, err)
		}
		if waited := next(); waited > shortest {
			t.Errorf("after a death the next waited %s", waited)
		}
		time.Sleep(longer)
		p := New(s.store, clock.System{}, 500)
		if begins, err := p.Wait(ctx, url, time.Minute); err != nil || !begins {
			t.Fatal(begins, err)
		}
		p.Spent(url, 10)
		p.End(url)
		if err := p.Release(ctx, url); err != nil {
			t.Fatal(err)
		}
		if waited := next(); waited > 20*time.Millisecond {
			t.Errorf("what was given back had the next wait %s", waited)
		}
	})
}

// TestDatabase: a database that does not answer lets nothing begin.
func TestDatabase(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Transient, "down")
	raw, err := memory.New(store.Options{Schema: store.Schema{Collection()}, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	p := New(storetest.Faulty(raw, func(storetest.Point, int) error { return down }), clock.System{}, 500)
	if begins, err := p.Wait(t.Context(), url, time.Second); begins || !fault.Is(err, fault.Transient) {
		t.Errorf("begun: %v, %v", begins, err)
	}
	if err := p.Exhausted(t.Context(), url, down); !fault.Is(err, fault.Transient) {
		t.Errorf("a refusal nobody wrote down: %v", err)
	}
}
