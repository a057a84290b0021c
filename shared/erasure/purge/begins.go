package purge

import (
	"context"
	"time"
)

// begins waits until a store bears another page, and reports whether it does within the time. After it comes ended.
func (s *Sweeper) begins(ctx context.Context, store string, until time.Time) (bool, error) {
	if s.Pace == nil {
		return true, nil
	}
	return s.Pace.Wait(ctx, store, until.Sub(s.Clock.Now()))
}

func (s *Sweeper) ended(store string) {
	if s.Pace != nil {
		s.Pace.End(store)
	}
}

// release lets others have the store at once. What fails costs the rest of a slice.
func (s *Sweeper) release(ctx context.Context, store string) {
	if s.Pace != nil {
		_ = s.Pace.Release(ctx, store)
	}
}
