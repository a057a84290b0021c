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
	case errors.Is(err, fs.ErrNotExist), err == nil && len(kept) == 0: // killed before the first write
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

// ClockOf returns the clock that dates what a data folder holds: the manual one it keeps, or the system's.
func ClockOf(dir string) (clock.Clock, error) {
	if _, err := os.Stat(filepath.Join(dir, ClockFile)); errors.Is(err, fs.ErrNotExist) {
		return clock.System{}, nil
	}
	return openClock(dir, clock.System{}.Now())
}

// Set moves the clock forward, on disk first.
func (c *manualClock) Set(t time.Time) error {
	switch now := c.Now(); {
	case t.Before(now):
		return backwards(now)
	case t.Equal(now):
		return nil
	}
	if err := c.keep(t); err != nil {
		return err
	}
	return c.Manual.Set(t)
}

func backwards(now time.Time) error {
	return fault.Refuse(fault.Conflict, "clock_backwards", "The clock stands at "+now.Format(time.RFC3339)+" and does not run backwards.", "Give a later time.")
}

// fixedLength is RFC 3339 in as many bytes for every time.
const fixedLength = "2006-01-02T15:04:05.000000Z\n"

// keep writes over what is there, in one write of the same length: whoever is killed meanwhile leaves the one time or
// the other.
func (c *manualClock) keep(t time.Time) error {
	f, err := os.OpenFile(c.file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteAt([]byte(t.UTC().Format(fixedLength)), 0)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("keeping the time: %w", err)
	}
	return nil
}
