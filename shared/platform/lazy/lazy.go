// Package lazy makes a value at first use. Unlike the once-values of package sync it remembers success only: a credential that
// was refused for a second does not break the instance for its whole life.
package lazy

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// Value is a value made at first use and kept. The zero Value is not usable; call New.
type Value[T any] struct {
	mu   sync.Mutex // held while it is made
	make func(context.Context) (T, error)
	made atomic.Pointer[T]
}

// New returns a Value that calls make until it succeeds once.
func New[T any](make func(context.Context) (T, error)) *Value[T] { return &Value[T]{make: make} }

// Get returns the value, making it if need be. Callers that arrive meanwhile wait for the first.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	if made := v.made.Load(); made != nil {
		return *made, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if made := v.made.Load(); made != nil {
		return *made, nil
	}
	value, err := v.make(ctx)
	if err != nil {
		var none T
		return none, err
	}
	v.made.Store(&value)
	return value, nil
}

// Made returns the value if it was made. It makes none and waits for nobody.
func (v *Value[T]) Made() (value T, made bool) {
	if made := v.made.Load(); made != nil {
		return *made, true
	}
	return value, false
}

// Close closes the value if it was made; it makes none and waits for nobody. Get goes on returning what is closed.
func Close[T io.Closer](v *Value[T]) error {
	if value, made := v.Made(); made {
		return value.Close()
	}
	return nil
}
