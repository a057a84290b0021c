package pace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

const rates = "rates" // by hash of the store

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection { return store.Collection{Name: rates} }

// rate is what all processes know of a store. Times are microseconds since 1970.
type rate struct {
	V     int   `json:"v"`
	Rate  int64 `json:"rate"`  // items a second at Since
	Since int64 `json:"since"` // of the present ramp
	Free  int64 `json:"free"`  // when the next slice begins
	Rest  int64 `json:"rest,omitempty"`
	Told  int64 `json:"told,omitempty"` // how often the store has refused: slices taken before are void
}

func idOf(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:])
}

// known reads what is known of a store as it is at a time.
func (p *Pace) known(tx store.Tx, id string, now time.Time) (r rate, err error) {
	err = tx.Get(rates, id, &r)
	if fault.Is(err, fault.NotFound) {
		return rate{V: 1, Rate: p.base, Since: now.UnixMicro(), Free: now.UnixMicro()}, nil
	}
	r.Free = min(r.Free, now.Add(longest).UnixMicro())
	if idle := now.UnixMicro() - r.Free; idle > rampEvery.Microseconds() { // what it had grown into it has lost
		r.Rate, r.Since = min(r.grown(now), p.base), now.UnixMicro()
	}
	return r, err
}

// grown is the rate of a time.
func (r rate) grown(now time.Time) int64 {
	grown := float64(r.Rate)
	for left := now.UnixMicro() - r.Since; left >= rampEvery.Microseconds() && grown < fastest; left -= rampEvery.Microseconds() {
		grown *= 1.5
	}
	return int64(min(grown, fastest))
}

// take takes the next slice. It returns when to come back where that begins too late to be of use.
func (p *Pace) take(ctx context.Context, l *load, now, last time.Time) (at time.Time, err error) {
	debt := max(l.free.Sub(l.end), 0)
	if l.end.IsZero() {
		debt = max(l.free.Sub(now), 0)
	}
	length := min(2*max(l.length, shortest/2), longer)
	if now.Sub(l.end) > calm {
		length = shortest
	}
	next := load{}
	err = p.store.Tx(ctx, func(tx store.Tx) error {
		at, next = time.Time{}, load{}
		r, err := p.known(tx, l.id, now)
		if err != nil {
			return err
		}
		start := later(now, time.UnixMicro(r.Free))
		if start.After(last) {
			at = start
			return nil
		}
		next.rate, next.told, next.later = r.grown(now), r.Told, start.After(now)
		next.start, next.free = start, start.Add(debt)
		next.end = next.free.Add(length).Truncate(time.Microsecond)
		r.Free = next.end.UnixMicro()
		return tx.Put(rates, l.id, r)
	})
	if err == nil && at.IsZero() {
		l.rate, l.told, l.later, l.start, l.free, l.end, l.length = next.rate, next.told, next.later, next.start, next.free, next.end, length
	}
	return at, err
}

// takenBack reports whether the store has refused since the slice was taken, which is then no more.
func (p *Pace) takenBack(ctx context.Context, l *load) (bool, error) {
	var r rate
	if err := p.store.Get(ctx, rates, l.id, &r); err != nil {
		return false, err
	}
	l.later = false
	if r.Told == l.told {
		return false, nil
	}
	l.start, l.end, l.free = time.Time{}, time.Time{}, time.Time{}
	return true, nil
}

// Exhausted has a store rest that said it is asked too much, for as long as it said, and halves its rate. Those who were
// told at the same time halve it once.
func (p *Pace) Exhausted(ctx context.Context, url string, refusal error) error {
	l := p.load(url)
	l.mu.Lock()
	defer l.mu.Unlock()
	now, after := p.clock.Now(), backOff
	if e, ok := errors.AsType[*fault.Error](refusal); ok && e.RetryAfter > 0 {
		after = min(e.RetryAfter, longest)
	}
	l.start, l.end, l.free = time.Time{}, time.Time{}, time.Time{}
	return p.store.Tx(context.WithoutCancel(ctx), func(tx store.Tx) error {
		r, err := p.known(tx, l.id, now)
		if err != nil {
			return err
		}
		if r.Rest <= now.UnixMicro() {
			r.Rate, r.Since = min(p.base, max(slowest, min(r.grown(now), p.base)/2)), now.UnixMicro()
		}
		r.Rest = max(r.Rest, now.Add(after).UnixMicro())
		r.Free = r.Rest
		r.Told++
		return tx.Put(rates, l.id, r)
	})
}

// Release gives back what is left of a slice, for whoever waits. One that fails costs that and no more.
func (p *Pace) Release(ctx context.Context, url string) error {
	l := p.load(url)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := p.clock.Now()
	left, end := later(now, l.free).Truncate(time.Microsecond), l.end
	if l.inHand > 0 || !left.Before(end) {
		return nil
	}
	l.end, l.free = left, left
	return p.store.Tx(context.WithoutCancel(ctx), func(tx store.Tx) error {
		r, err := p.known(tx, l.id, now)
		if err != nil || r.Free != end.UnixMicro() || r.Told != l.told {
			return err // others follow
		}
		r.Free = left.UnixMicro()
		return tx.Put(rates, l.id, r)
	})
}
