package erasuretest

import (
	"context"
	"sync"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/local"
)

// faulty is a store that fails when its gate says so.
type faulty struct {
	*local.Store
	*gate
}

// Find implements erasure.Reader.
func (f *faulty) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := f.pass(); err != nil {
		return erasure.Page{}, err
	}
	return f.Store.Find(ctx, q, cursor, limit)
}

// Places implements erasure.Reader.
func (f *faulty) Places(ctx context.Context, limit int) ([]string, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Places(ctx, limit)
}

// Stores implements erasure.Lister.
func (f *faulty) Stores(ctx context.Context, limit int) ([]string, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Stores(ctx, limit)
}

// Erase implements erasure.Store.
func (f *faulty) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := f.pass(); err != nil {
		return nil, err
	}
	return f.Store.Erase(ctx, q, items)
}

// gate lets the stores of personal data fail.
type gate struct {
	mu    sync.Mutex
	err   error
	after int
	calls int
	fails int
	hook  func()
}

// OnData runs fn at each call of the stores of personal data.
func (w *World) OnData(fn func()) {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.gate.hook = fn
}

// DataFailed reports whether a call of the stores of personal data has failed.
func (w *World) DataFailed() bool {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	return w.gate.fails > 0
}

// Calls counts the calls of the stores of personal data.
func (w *World) Calls() int {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	return w.gate.calls
}

// Data lets n more calls of the stores of personal data pass before each fails with err; nil lets all pass.
func (w *World) Data(err error, n int) {
	w.gate.mu.Lock()
	defer w.gate.mu.Unlock()
	w.gate.err, w.gate.after = err, n
}

func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	if g.hook != nil {
		g.hook()
	}
	if g.err != nil && g.after > 0 {
		g.after--
		return nil
	}
	if g.err != nil {
		g.fails++
	}
	return g.err
}
