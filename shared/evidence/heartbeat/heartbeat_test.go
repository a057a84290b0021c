package heartbeat

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
)

var start = time.Date(2026, 3, 3, 8, 0, 30, 0, time.UTC)

// world is one control's store, and the records that left it.
type world struct {
	clock *clock.Manual
	store store.Store
	box   *outbox.Box
	mu    sync.Mutex
	kept  []record.Record
}

func newWorld(t *testing.T) *world {
	w := &world{clock: clock.NewManual(start)}
	var err error
	if w.store, err = memory.New(store.Options{Schema: store.Schema{outbox.Collection(), Collection()}, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	w.box = outbox.New(w.store, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{
		outbox.Record: func(_ context.Context, e outbox.Entry) error {
			r, err := record.Parse(e.Data)
			if err != nil || r.ID() != e.Key {
				t.Errorf("record %s: %v", e.Key, err)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.kept = append(w.kept, r)
			return nil
		},
	})
	return w
}

func (w *world) heart() *Heart { return New(Config{Store: w.store, Box: w.box}) }

// seen is a look at so many of three things, by two checks.
func seen(n int64) func(context.Context) ([]Beat, error) {
	return func(context.Context) ([]Beat, error) {
		beat := Beat{Check: "ip-daily", Promises: []string{"D24"}, Population: record.Population{Expected: 3, Seen: n}, Result: record.Result{State: record.Kept}}
		other := beat
		other.Check = "otp-gate"
		return []Beat{beat, other}, nil
	}
}

func TestBeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.heart()
	for i, step := range []struct {
		wait time.Duration
		look func(context.Context) ([]Beat, error)
		want int // records so far
	}{
		{0, seen(3), 1},
		{time.Minute, seen(3), 1}, // the same quarter
		{14 * time.Minute, seen(2), 2},
		{15 * time.Minute, func(context.Context) ([]Beat, error) { return nil, errors.New("the store is down") }, 2},
		{time.Minute, seen(3), 3}, // the next try of the same quarter
		{time.Hour, seen(3), 4},
	} {
		if err := w.clock.Set(w.clock.Now().Add(step.wait)); err != nil {
			t.Fatal(err)
		}
		err := h.Beat(t.Context(), w.clock.Now(), step.look)
		if len(w.kept) != 2*step.want {
			t.Fatalf("step %d: %d records, want %d (%v)", i, len(w.kept), step.want, err)
		}
	}
	for i, want := range []record.State{record.Kept, record.Unknown, record.Kept, record.Kept} {
		for _, r := range w.kept[2*i : 2*i+2] {
			if r.Result.State != want || r.Run != int64(i+1) || r.Kind != record.Run {
				t.Errorf("record %d: %s %d %s", i, r.Result.State, r.Run, r.Kind)
			}
		}
	}
	if first := w.kept[0]; !first.Expires.Equal(start.Truncate(Interval).Add(Interval + Grace)) {
		t.Errorf("the first counts until %s", first.Expires)
	}
}

// A rule and a check of one name that keep the same promise are told apart: each has its own record and its own numbers.
func TestMechanismsOfOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.heart()
	for quarter := range 3 {
		err := h.Beat(t.Context(), w.clock.Now(), func(ctx context.Context) ([]Beat, error) {
			beats, err := seen(3)(ctx)
			rule := beats[0]
			rule.Mechanism, rule.Facts = "rule", map[string]string{"note": "own"}
			if beats = beats[:1]; quarter > 0 {
				beats = append(beats, rule)
			}
			return beats, err
		})
		if err == nil {
			err = w.clock.Set(w.clock.Now().Add(Interval))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	runs, ids := map[string][]int64{}, map[string]bool{}
	for _, r := range w.kept {
		mechanism := r.Facts[record.Mechanism]
		runs[mechanism], ids[r.ID()] = append(runs[mechanism], r.Run), true
		if r.Control != "ip-daily" || (mechanism == "rule") != (r.Facts["note"] == "own") {
			t.Errorf("%+v", r)
		}
	}
	if !slices.Equal(runs[""], []int64{1, 2, 3}) || !slices.Equal(runs["rule"], []int64{1, 2}) || len(ids) != 5 {
		t.Errorf("runs %v, %d records", runs, len(ids))
	}
}

// Two instances, and one that died after its transaction, make one record a quarter without a gap in the numbers.
func TestManyInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 4 {
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if err := w.heart().Beat(t.Context(), w.clock.Now(), seen(3)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if err := w.clock.Set(w.clock.Now().Add(Interval)); err != nil {
			t.Fatal(err)
		}
	}
	runs := map[int64]int{}
	for _, r := range w.kept {
		runs[r.Run]++
	}
	for n := int64(1); n <= 4; n++ {
		if runs[n] != 2 || len(w.kept) != 8 {
			t.Fatalf("runs %v", runs)
		}
	}
}

// A clock that went back writes nothing, and loses nothing.
func TestClockWentBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, now := range []time.Time{start, start.Add(-time.Hour), start.Add(Interval)} {
		if err := w.heart().Beat(t.Context(), now, seen(3)); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.kept) != 4 || w.kept[3].Run != 2 {
		t.Errorf("%d records", len(w.kept))
	}
}
