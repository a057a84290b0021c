package disk_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/disk"
)

// TestSweep: what a killed writer left goes once nobody can be writing it any more; what is being written, and what is
// whole, stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		".new-left": 61 * time.Minute, ".new-written": 59 * time.Minute, ".objects": 100 * time.Hour, "kept.new-": 100 * time.Hour,
	} {
		path, at := filepath.Join(dir, name), time.Now().Add(-age)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".new-folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if at := time.Now().Add(-100 * time.Hour); os.Chtimes(filepath.Join(dir, ".new-folder"), at, at) != nil {
		t.Fatal("the folder's time cannot be set")
	}
	disk.Sweep(dir, ".new-")
	disk.Sweep(filepath.Join(dir, "nowhere"), ".new-")
	entries, err := os.ReadDir(dir)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".new-folder", ".new-written", ".objects", "kept.new-"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("%q are left, %v; want %q", left, err, want)
	}
}
