package duty

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// Whatever call of the store fails, in whatever operation, doing it again ends in the same state and the same evidence.
func TestDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(11/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w := newWorld(t)
		w.left = n
		died := false
		again := func(fn func() error) {
			t.Helper()
			for range 3 {
				err := fn()
				if err == nil {
					return
				}
				if !errors.As(err, new(*fault.Error)) {
					t.Fatalf("killed after %d calls: %v", n, err)
				}
				died, w.left = true, -1
			}
			t.Fatalf("killed after %d calls, it never gets through", n)
		}
		again(func() error { return w.Tick(t.Context(), w.Now()) })
		w.Advance(40 * dayLong)
		again(func() error { return w.Tick(t.Context(), w.Now()) })
		again(func() error { _, err := w.Done(t.Context(), "review", w.by("ada"), w.Now()); return err })
		again(func() error { _, err := w.Review(t.Context(), "review", w.by("cleo"), Approved, w.Now()); return err })
		again(func() error {
			_, err := w.Evidence(t.Context(), Arrived{Type: "backup.restored", Event: "sha256:1", At: w.Now()}, w.Now())
			return err
		})
		again(func() error {
			_, err := w.Evidence(t.Context(), Arrived{Type: "backup.restored", Event: "sha256:2", Failed: true, At: w.Now()}, w.Now())
			return err
		})
		died = died || w.left == 0 // it died where nobody was told
		w.left = -1
		w.Advance(2 * time.Hour)
		if _, err := w.Rig.Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := []string{string(w.task("review").State), string(w.task("drill").State)}
		for _, id := range []string{"A1", "A2", "A3", "A4", "A5", "A6"} {
			for _, kind := range []record.Kind{record.Finding, record.Remediation, record.Review, record.Observation} {
				got = append(got, id, string(kind), strings.Repeat("x", len(w.about(id, kind))))
			}
		}
		if n < 0 {
			whole, n = got, -stride
			continue
		}
		if !slices.Equal(got, whole) {
			t.Fatalf("killed after %d calls:\n%v\nwant\n%v", n, got, whole)
		}
		if !died {
			return
		}
	}
}

// Two people at once: one word counts.
func TestRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tick()
	answers := make(chan error, 2)
	for _, who := range []string{"ada", "bob"} {
		go func() {
			_, err := w.Done(t.Context(), "review", w.by(who), w.Now())
			answers <- err
		}()
	}
	first, second := <-answers, <-answers
	if first == nil == (second == nil) || fault.CodeOf(errors.Join(first, second)) != "duty_done" {
		t.Errorf("%v, %v", first, second)
	}
}
