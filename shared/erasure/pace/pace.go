// Package pace keeps what all processes together ask of each store of personal data within what the store grows into.
//
// A process takes a slice of time for itself, in which it may ask at the store's present rate, and the next one takes what
// follows: slices never overlap, and are given in the order they were asked for. They begin short and grow while they are
// used up, so that it is not every page that takes a transaction. A store that says it is asked too much rests, for all
// processes, and goes on at half the rate.
//
// It promises that over any time all processes together have no more than the rate allows and, for each of them, the pages
// it had in hand when its slice ended: what those had too much comes off its next slice. A process that dies costs the rest
// of its slice. It does not count: the caller says how many items a page had. Clocks of processes may differ by a
// fraction of a slice, no more.
package pace

import (
	"context"
	"sync"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/store"
)

// Firestore and its like grow into a load: half as much again each five minutes.
const (
	usual     = 500 // items a second
	rampEvery = 5 * time.Minute
	fastest   = 10_000
	slowest   = 10
	backOff   = 10 * time.Second // where a store refuses and does not say for how long
	longest   = time.Hour        // of what a store may say, or a clock that is wrong
)

// Lengths of a slice.
const (
	shortest = 100 * time.Millisecond
	longer   = 2 * time.Second  // and as much as the process had too much before
	calm     = 10 * time.Second // after so long without one a slice is short again
)

// Pace is what one process knows of the stores. It is safe for concurrent use.
type Pace struct {
	store store.Store
	clock clock.Clock
	base  int64
	mu    sync.Mutex
	of    map[string]*load
}

// load is one store, and the slice of it that the process has.
type load struct {
	id      string
	mu      sync.Mutex
	rate    int64
	start   time.Time     // of the slice
	free    time.Time     // when the next page may begin
	end     time.Time     // of the slice; zero for none
	length  time.Duration // of the slice
	told    int64         // how often the store had refused when the slice was taken
	later   bool          // the slice began later than it was taken: it may have been taken back
	inHand  int           // pages that have begun
	changed chan struct{} // closed when a page ends
}

// New returns a Pace on the database of the control, whose schema holds Collection. perSecond is the rate that stores begin
// with, 500 for zero. The clock is a real one: what a store bears does not depend on what time a test says it is.
func New(s store.Store, c clock.Clock, perSecond int) *Pace {
	if perSecond <= 0 {
		perSecond = usual
	}
	return &Pace{store: s, clock: c, base: int64(perSecond), of: map[string]*load{}}
}

// load is that of a store, by its URL: accounts share the database.
func (p *Pace) load(url string) *load {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := idOf(erasure.Bare(url))
	l, known := p.of[id]
	if !known {
		l = &load{id: id, rate: p.base, changed: make(chan struct{})}
		p.of[id] = l
	}
	return l
}

// Wait returns when a page may begin: true, and End is called after it. It is false when that is not within the time, or
// the context ends before. Errors are those of the database.
func (p *Pace) Wait(ctx context.Context, url string, within time.Duration) (bool, error) {
	l, last := p.load(url), p.clock.Now().Add(within)
	for {
		at, changed, err := p.begin(ctx, l, last)
		now := p.clock.Now()
		switch {
		case err != nil || at.IsZero():
			return err == nil, err
		case at.After(last):
			return false, nil
		}
		timer := time.NewTimer(at.Sub(now))
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		if timer.Stop(); ctx.Err() != nil {
			return false, nil
		}
	}
}

// begin begins a page, or tells when to try again.
func (p *Pace) begin(ctx context.Context, l *load, last time.Time) (at time.Time, changed chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := p.clock.Now()
	if !later(now, l.free).Before(l.end) {
		if at, err = p.take(ctx, l, now, last); err != nil || !at.IsZero() {
			return at, l.changed, err
		}
	}
	if now = p.clock.Now(); l.free.After(now) {
		return l.free, l.changed, nil
	}
	if l.later {
		if taken, err := p.takenBack(ctx, l); err != nil || taken {
			return now, l.changed, err
		}
	}
	if !now.Before(l.end) { // to take it took longer than it lasts
		return now, l.changed, nil
	}
	l.inHand++
	l.free = later(l.free, now).Add(l.lasts(erasure.MaxPage))
	return time.Time{}, nil, nil
}

// lasts is how long so many items take.
func (l *load) lasts(items int) time.Duration {
	return time.Duration(float64(items) / float64(l.rate) * float64(time.Second))
}

// End says that a page is over that Wait let begin. What it had is said by Spent.
func (p *Pace) End(url string) {
	l := p.load(url)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inHand--
	l.free = later(l.free.Add(-l.lasts(erasure.MaxPage)), l.start)
	close(l.changed)
	l.changed = make(chan struct{})
}

// Spent says how many items a page had.
func (p *Pace) Spent(url string, items int) {
	l := p.load(url)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = l.free.Add(l.lasts(items))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
