package disk

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"ostiary.internal/shared/platform/clock"
)

// forgotten is how long nobody has written to a file that is swept: whoever writes one is done in seconds.
const forgotten = time.Hour

// Sweep removes from a folder what killed processes left half written: files whose names begin with prefix and to which
// nobody has written for an hour. What cannot be removed stays: it is on no list, and takes its room alone.
func Sweep(dir, prefix string) {
	found, _ := os.ReadDir(dir) // a folder that is not there, or cannot be read, has its word said by who writes to it
	for _, f := range found {
		if !strings.HasPrefix(f.Name(), prefix) || !f.Type().IsRegular() {
			continue
		}
		if info, err := f.Info(); err == nil && (clock.System{}).Now().Sub(info.ModTime()) > forgotten {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
