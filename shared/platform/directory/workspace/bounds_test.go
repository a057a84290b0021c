package workspace

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
)

// What is remembered has a bound, and room is made of dead copies first.
func TestBoundedCopies(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC)
	d, err := New(directory.Options{Clock: clock.NewManual(now)}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	fill := func(dead int) {
		clear(d.copies)
		for n := range maxCopies {
			read := now
			if n < dead {
				read = now.Add(-directory.MaxAge - time.Second)
			}
			d.copies[fmt.Sprintf("p%d@labelsync.example", n)] = directory.Account{Read: read}
		}
	}
	for _, row := range []struct{ dead, left int }{{0, maxCopies - 1}, {10, maxCopies - 10}, {maxCopies, 0}} {
		fill(row.dead)
		d.makeRoom(now)
		if len(d.copies) != row.left {
			t.Errorf("of %d copies, %d dead: %d left, want %d", maxCopies, row.dead, len(d.copies), row.left)
		}
	}
}
