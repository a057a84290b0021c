package log_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// life is one process: what it calls may fail, before or after it was done, and it may die there. The dead do nothing.
type life struct {
	mu    sync.Mutex
	next  func() fate
	dead  bool
	calls int
}

type fate int

const (
	lives      fate = iota
	fails           // the call is not done
	failsLate       // the call is done, and says it failed
	doubles         // it is done twice, as a client does that missed the first answer, and says what came of the second
	dies            // before the call
	diesBehind      // after it
)

// random makes a life of many calls: of a thousand, flaky fail and deadly are the last.
func random(rng *rand.Rand, flaky, deadly int) *life {
	return &life{next: func() fate {
		switch n := rng.IntN(1000); {
		case n < deadly:
			return dies + fate(rng.IntN(2))
		case n < deadly+flaky:
			return fails + fate(rng.IntN(3))
		}
		return lives
	}}
}

// errBlind stands for a deletion of whatever is there.
var errBlind = fault.New(fault.Misconfigured, "a deletion without a generation")

var errCall = fault.New(fault.Transient, "the call failed")

// call does one call and returns its error, or the one fate has for it.
func (l *life) call(do func() error) error {
	runtime.Gosched()
	l.mu.Lock()
	l.calls++
	f := lives
	if l.dead {
		f = dies
	} else if f = l.next(); f >= dies {
		l.dead = true
	}
	l.mu.Unlock()
	if f == fails || f == dies {
		return errCall
	}
	err := do()
	switch f {
	case lives:
		return err
	case doubles:
		return do()
	}
	return errCall
}

func (l *life) died() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// mortal is a store as one life reaches it.
type mortal struct {
	log.Objects
	*life
	replaced *atomic.Int64 // swaps and deletions; nil where they are nothing special
}

func (m mortal) Get(ctx context.Context, name string) (o log.Object, err error) {
	err = m.call(func() (err error) { o, err = m.Objects.Get(ctx, name); return err })
	return o, err
}

func (m mortal) Create(ctx context.Context, name string, data []byte) (g int64, err error) {
	err = m.call(func() (err error) { g, err = m.Objects.Create(ctx, name, data); return err })
	return g, err
}

func (m mortal) Swap(ctx context.Context, name string, data []byte, generation int64) (g int64, err error) {
	if m.replaced != nil {
		m.replaced.Add(1)
	}
	err = m.call(func() (err error) { g, err = m.Objects.Swap(ctx, name, data, generation); return err })
	return g, err
}

func (m mortal) Delete(ctx context.Context, name string, generation int64) error {
	if m.replaced != nil {
		m.replaced.Add(1)
	}
	if generation == 0 {
		return errBlind
	}
	return m.call(func() error { return m.Objects.Delete(ctx, name, generation) })
}

func (m mortal) List(ctx context.Context, prefix, after string, limit int) (all []log.Listed, err error) {
	err = m.call(func() (err error) { all, err = m.Objects.List(ctx, prefix, after, limit); return err })
	return all, err
}

// mortalKey is a signing service as one life reaches it.
type mortalKey struct {
	sign.Signer
	*life
}

func (k mortalKey) Sign(ctx context.Context, text []byte) (signature []byte, err error) {
	err = k.call(func() (err error) { signature, err = k.Signer.Sign(ctx, text); return err })
	return signature, err
}

// living puts a life between a sequencer and its stores.
func (w *world) living(l *life, replaced *atomic.Int64) func(*log.Config) {
	return func(c *log.Config) {
		c.Inbox, c.Tiles, c.Head = mortal{w.inbox, l, nil}, mortal{w.tiles, l, replaced}, mortal{w.head, l, nil}
		c.Signers = []sign.Signer{mortalKey{w.key, l}}
	}
}
