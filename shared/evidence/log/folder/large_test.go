package folder_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/platform/fault"
)

// TestLarge: an object larger than any of a log is listed and deleted without being held in memory, and is not read. It
// runs alone, for it measures what is allocated.
func TestLarge(t *testing.T) {
	dir := t.TempDir()
	const size = 100 << 20
	f, err := os.Create(filepath.Join(dir, "large"))
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	o := folder.New(dir)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	listed, err := o.List(t.Context(), "", "", 10)
	if err != nil || len(listed) != 1 || listed[0].Size != size {
		t.Fatalf("%+v, %v", listed, err)
	}
	if _, err := o.Get(t.Context(), "large"); !fault.Is(err, fault.Invalid) {
		t.Errorf("reading it: %v", err)
	}
	if err := o.Delete(t.Context(), "large", listed[0].Generation); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d MiB were allocated", n>>20)
	}
	if listed, err := o.List(t.Context(), "", "", 10); err != nil || len(listed) != 0 {
		t.Errorf("%+v, %v", listed, err)
	}
}
