package local_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store/bolt"
)

// noting counts what is found for each phase of a request, and how often a search begins at the start.
type noting struct {
	erasure.Store
	phase        string
	found, start map[string]int
}

func (n *noting) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if cursor == "" {
		n.start[n.phase]++
	}
	page, err := n.Store.Find(ctx, q, cursor, limit)
	n.found[n.phase] += len(page.Items)
	return page, err
}

// ahead is the system's clock, some time later.
type ahead time.Duration

func (a ahead) Now() time.Time { return clock.System{}.Now().Add(time.Duration(a)) }

// mostMemory is how much Go may have had from the system, in MiB, however much there is to erase.
const mostMemory = 256

// TestLargeErasure: one person's many documents, erased by runs that are cut off one after another. Each goes on where the
// last one stood, the engine's memory does not grow with what there is, and what is counted in the end is what there was.
// The soak has a million.
func TestLargeErasure(t *testing.T) {
	t.Parallel()
	count, longest := 2_000, 100*time.Millisecond
	if os.Getenv("OSTIARY_SOAK") == "1" {
		count, longest = 1_000_000, 20*time.Second
	}
	file := filepath.Join(t.TempDir(), "sample.db")
	s := open(t, file, "shop")
	unsynced(t, file, func() {
		for i := range count {
			put(t, s, fmt.Sprintf("doc-%07d", i), "u1")
		}
		put(t, s, "other", "u10")
	})
	data := &noting{Store: s, found: map[string]int{}, start: map[string]int{}}
	dir, deaths, random, began := t.TempDir(), 0, rand.New(rand.NewPCG(12, 12)), time.Now()
	var counts [3]int64
	for {
		m, err := erasetest.NewMachine(t.Context(), dir, data, []string{"people"}, 10_000, ahead(time.Duration(deaths)*3*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond+time.Duration(random.Int64N(int64(longest))))
		if deaths >= 8 {
			cancel()
			ctx, cancel = context.WithCancel(t.Context()) // the last one may finish
		}
		counts, err = m.Forget(ctx, func(phase string) { data.phase = phase })
		cancel()
		if closing := m.Close(); closing != nil {
			t.Fatal(closing)
		}
		if err == nil {
			break
		}
		if deaths++; ctx.Err() == nil && !fault.Is(err, fault.Transient) {
			t.Fatal(err)
		}
	}
	if counts != [3]int64{int64(count), int64(count), 0} || deaths == 0 {
		t.Errorf("planned, erased, left: %v of %d after %d deaths", counts, count, deaths)
	}
	for _, phase := range erasetest.Phases {
		if data.start[phase] > 1+deaths || data.found[phase] > count+deaths*erasure.MaxPage {
			t.Errorf("%s: %d searches from the start, %d documents found", phase, data.start[phase], data.found[phase])
		}
	}
	var now runtime.MemStats
	switch runtime.ReadMemStats(&now); {
	case raceEnabled:
		t.Log("TestLargeErasure: the bound of 256 MiB is not checked: the race detector takes memory of its own")
	case now.Sys>>20 > mostMemory:
		t.Errorf("Go had %d MiB from the system, more than %d", now.Sys>>20, mostMemory)
	}
	t.Logf("%d documents, %d deaths, %s; from the start: %v; found: %v; at most %d MiB of Go", count, deaths, time.Since(began).Round(time.Second), data.start, data.found, now.Sys>>20)
}

func put(t *testing.T, s *local.Store, name, uid string) {
	t.Helper()
	if err := s.Put("people", name, map[string]any{erasetest.FieldTenant: "a", erasetest.FieldUID: uid, erasetest.FieldNote: "called on Monday"}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// unsynced does what would otherwise wait for the disk a million times.
func unsynced(t *testing.T, file string, do func()) {
	t.Helper()
	db, release, err := bolt.File(file)
	if err != nil {
		t.Fatal(err)
	}
	db.NoSync = true
	do()
	db.NoSync = false
	if err := release(); err != nil {
		t.Fatal(err)
	}
}
