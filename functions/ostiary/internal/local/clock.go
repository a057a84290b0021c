package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// ClockFile is where a data folder keeps the time of a manual clock.
const ClockFile = "clock"

// manualClock is a clock that stands still and remembers across restarts where it stood.
type manualClock struct {
	*clock.Manual
	file string
}

// openClock continues at the time kept in the data folder, or starts at first. The kept time wins: a clock that ran
// backwards over a restart would revive what has ended.
func openClock(dir string, first time.Time) (*manualClock, error) {
	c := &manualClock{file: filepath.Join(dir, ClockFile)}
	kept, err := os.ReadFile(c.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Manual = clock.NewManual(first)
		return c, c.keep(first)
	case err != nil:
		return nil, fmt.Errorf("reading the kept time: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(kept)))
	if err != nil {
		return nil, fmt.Errorf("reading the kept time %s: %w", c.file, err)
	}
	c.Manual = clock.NewManual(at)
	return c, nil
}

// Set moves the clock forward, on disk first.
func (c *manualClock) Set(t time.Time) error {
	if t.Before(c.Now()) {
		return backwards(c.Now())
	}
	if err := c.keep(t); err != nil {
		return err
	}
	return c.Manual.Set(t)
}

func backwards(now time.Time) error {
	return fault.Refuse(fault.Conflict, "clock_backwards", "The clock stands at "+now.Format(time.RFC3339)+" and does not run backwards.", "Give a later time.")
}

func (c *manualClock) keep(t time.Time) error {
	if err := os.WriteFile(c.file+".new", []byte(t.UTC().Format(time.RFC3339Nano)+"\n"), 0o600); err != nil {
		return fmt.Errorf("keeping the time: %w", err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		return fmt.Errorf("keeping the time: %w", err)
	}
	return nil
}
