// Package lazy makes a value at first use. Unlike the once-values of package sync it remembers success only: a credential that
// was refused for a second does not break the instance for its whole life.
package lazy

import (
	"context"
	"sync"
)

// Value is a value made at first use and kept. The zero Value is not usable; call New.
type Value[T any] struct {
	mu    sync.Mutex
	make  func(context.Context) (T, error)
	value T
	made  bool
}

// New returns a Value that calls make until it succeeds once.
func New[T any](make func(context.Context) (T, error)) *Value[T] { return &Value[T]{make: make} }

// Get returns the value, making it if need be. Callers that arrive meanwhile wait for the first.
func (v *Value[T]) Get(ctx context.Context) (T, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made {
		return v.value, nil
	}
	value, err := v.make(ctx)
	if err != nil {
		var none T
		return none, err
	}
	v.value, v.made = value, true
	return v.value, nil
}
