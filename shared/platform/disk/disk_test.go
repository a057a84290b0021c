package disk_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/shared/platform/disk"
)

func TestPutOff(t *testing.T) {
	t.Parallel()
	if !disk.Waits(t.Context()) {
		t.Error("a plain context does not wait")
	}
	// What outlives a request goes on as it began.
	if off := disk.PutOff(t.Context()); disk.Waits(off) || disk.Waits(context.WithoutCancel(off)) {
		t.Error("what was put off waits")
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	dir, begun := t.TempDir(), time.Now()
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(below, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, begun.Add(-time.Hour), begun.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := disk.Settle(dir, begun); err != nil {
		t.Error(err)
	}
	if err := disk.Settle(filepath.Join(dir, "nowhere"), begun); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
	if os.Getuid() != 0 { // root reads everything
		if err := disk.Settle(dir, begun.Add(-2*time.Hour)); err == nil {
			t.Error("a file that cannot be read was passed over")
		}
	}
}
