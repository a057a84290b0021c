package verify_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/verify"
)

// onDisk writes a bundle into a folder.
func onDisk(t testing.TB, f files) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range f {
		path := filepath.Join(dir, filepath.FromSlash(name))
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, data, 0o600))
	}
	return dir
}

// watching measures the heap on the way.
type watching struct {
	verify.Source
	peak uint64
}

func (w *watching) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	w.peak = max(w.peak, m.HeapAlloc)
	return w.Source.Read(ctx, name, limit)
}

// folding reads every record a second time, as the page's computation does, and holds none.
func folding(b verify.Basis) ([]byte, error) {
	for range b.Leaves {
	}
	return []byte("{}"), nil
}

// A log ten times as long needs no more memory.
func TestBoundedMemory(t *testing.T) {
	leaves := heartbeats(t, 5_000)
	peak := map[int]uint64{}
	for _, size := range []int{500, 5_000} {
		f := bundle(t, withPage(t, leaves[:size], []byte("{}")))
		f["page.json"], f["register.json"] = []byte("{}"), []byte("{}")
		dir := onDisk(t, f)
		clear(f)
		root, err := os.OpenRoot(dir)
		check(t, err)
		w := &watching{Source: verify.FS(root.FS())}
		r := run(t, w, verify.Options{Recompute: folding})
		check(t, root.Close())
		if r.Outcome != verify.Good || r.Records != int64(size)+1 || !r.Page.Computed {
			t.Fatalf("%d records: %v", size, r.Failures)
		}
		peak[size] = w.peak
	}
	if peak[5_000] > peak[500]+2<<20 {
		t.Errorf("500 records need %d KiB, 5,000 need %d KiB", peak[500]>>10, peak[5_000]>>10)
	}
}

// BenchmarkVerify checks a log of 100,000 records in a folder, the page's second reading included.
func BenchmarkVerify(b *testing.B) {
	const size = 100_000
	var leaves [][]byte
	for n := 1; n <= size; n++ {
		leaves = append(leaves, leaf(b, heartbeat("ip-allowlist", n)))
	}
	f := bundle(b, withPage(b, leaves, []byte("{}")))
	f["page.json"], f["register.json"] = []byte("{}"), []byte("{}")
	root, err := os.OpenRoot(onDisk(b, f))
	check(b, err)
	defer root.Close()
	var bytes int
	for _, l := range leaves {
		bytes += len(l)
	}
	leaves = nil
	clear(f)
	runtime.GC()
	b.SetBytes(int64(bytes))
	for b.Loop() {
		began := time.Now()
		r := run(b, verify.FS(root.FS()), verify.Options{Recompute: folding})
		if r.Outcome != verify.Good {
			b.Fatal(r.Failures)
		}
		b.ReportMetric(size/time.Since(began).Seconds(), "records/s")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapSys>>20), "heap-MiB") // the making of the log included
	}
}
