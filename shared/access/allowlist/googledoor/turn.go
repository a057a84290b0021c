package googledoor

import (
	"context"
	"sync"

	"ostiary.internal/shared/platform/fault"
)

// Turn makes the handles of one process on the same thing write one after the other. It is full while one writes.
type Turn chan struct{}

var turns sync.Map

// TurnOf is the turn of what a name stands for, the same for each who asks in this process.
func TurnOf(name string) Turn {
	turn, _ := turns.LoadOrStore(name, make(Turn, 1))
	return turn.(Turn)
}

// Take waits for the turn; done ends it. Transient: the context ended first.
func (t Turn) Take(ctx context.Context, doing string) (done func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Transient, "waiting %s: %w", doing, ctx.Err())
	}
}
