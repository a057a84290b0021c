// Package clock tells the time. Nothing else in the house calls time.Now: decisions take the time as an
// argument, and the code around them asks a Clock.
package clock

import (
	"fmt"
	"sync"
	"time"
)

// Clock tells the time, in UTC, cut to microseconds: the finest step every store keeps.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now returns the machine's time.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Manual is a clock that stands still until it is moved, and never runs backwards.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock standing at now.
func NewManual(now time.Time) *Manual { return &Manual{now: now.UTC().Truncate(time.Microsecond)} }

// Now returns the time the clock stands at.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to t; an earlier time than the present one is an error and changes nothing.
func (m *Manual) Set(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t = t.UTC().Truncate(time.Microsecond); t.Before(m.now) {
		return fmt.Errorf("setting the clock back from %s to %s", m.now.Format(time.RFC3339), t.Format(time.RFC3339))
	}
	m.now = t
	return nil
}
