package run

import (
	"context"
	"errors"
	"sync"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// Firestore and its like grow into a load: half as much again each five minutes.
const (
	usualRate = 500 // items a second
	rampEvery = 5 * time.Minute
	fastest   = 10_000
	slowest   = 10
	backOff   = 10 * time.Second // where a store refuses and does not say for how long
)

// pace keeps the load on each store within what it grows into. It counts by a clock of its own: what a store bears does not
// depend on what time a test says it is.
type pace struct {
	clock clock.Clock
	base  float64
	mu    sync.Mutex
	of    map[string]*load
}

type load struct {
	since time.Time // of the present ramp
	rate  float64   // at since
	free  time.Time // when the next page may begin
}

func newPace(c clock.Clock, perSecond int) *pace {
	if perSecond <= 0 {
		perSecond = usualRate
	}
	return &pace{clock: c, base: float64(perSecond), of: map[string]*load{}}
}

func (p *pace) load(store string, now time.Time) *load {
	l, known := p.of[store]
	if !known {
		l = &load{since: now, rate: p.base, free: now}
		p.of[store] = l
	}
	return l
}

// wait returns when a page may begin, or false when that is not within the time, or the context ends before.
func (p *pace) wait(ctx context.Context, store string, within time.Duration) bool {
	p.mu.Lock()
	now := p.clock.Now()
	wait := p.load(store, now).free.Sub(now)
	p.mu.Unlock()
	switch {
	case wait <= 0:
		return true
	case wait > within:
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// spent says how many items a page had.
func (p *pace) spent(store string, items int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	l := p.load(store, now)
	rate := l.rate
	for grown := now.Sub(l.since); grown >= rampEvery && rate < fastest; grown -= rampEvery {
		rate *= 1.5
	}
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(items) / min(rate, fastest) * float64(time.Second)))
}

// exhausted halves what a store is asked and leaves it alone for a while.
func (p *pace) exhausted(store string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	l := p.load(store, now)
	l.rate, l.since = max(slowest, min(l.rate, p.base)/2), now
	after := backOff
	if e, ok := errors.AsType[*fault.Error](err); ok && e.RetryAfter > 0 {
		after = e.RetryAfter
	}
	l.free = now.Add(after)
}
