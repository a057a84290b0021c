package world

import (
	"path/filepath"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

// Rates that say nothing are refused, and change nothing.
func TestRates(t *testing.T) {
	t.Parallel()
	f, err := openFaults(filepath.Join(t.TempDir(), "injected"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Set(map[Kind]float64{Slow: 0.5}); err != nil {
		t.Fatal(err)
	}
	for kind, rate := range map[Kind]float64{"store.never": 0.1, StoreBefore: 1.1, BusLost: -0.1} {
		if err := f.Set(map[Kind]float64{kind: rate}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s at %g: %v", kind, rate, err)
		}
	}
	if rates, _ := f.state(); rates[Slow] != 0.5 || len(rates) != len(Kinds) {
		t.Errorf("rates are %v", rates)
	}
}

// The same seed strikes the same calls; the process after a kill goes on counting and strikes others.
func TestSeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	strikes := func(file string, seed uint64) (hits string) {
		f, err := openFaults(filepath.Join(dir, file), seed)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Set(map[Kind]float64{BusLost: 0.5}); err != nil {
			t.Fatal(err)
		}
		for range 64 {
			if f.hit(bears(t.Context()), BusLost) {
				hits += "x"
			} else {
				hits += "."
			}
		}
		return hits
	}
	first := strikes("a", 7)
	if strikes("b", 7) != first || strikes("c", 8) == first || strikes("a", 7) == first {
		t.Error("the strikes do not follow from the seed and from what was before")
	}
	f, err := openFaults(filepath.Join(dir, "a"), 7)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, injected := f.state(); injected[BusLost] < 32 {
		t.Errorf("after two processes %d are counted", injected[BusLost])
	}
}
