package accesslevel

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	acm "google.golang.org/api/accesscontextmanager/v1"

	"ostiary.internal/shared/platform/fault"
)

// TestReadKinds: what cannot be read is of a kind that a reader may answer, and says when to ask again.
func TestReadKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{429: fault.Transient, 409: fault.Transient, 503: fault.Transient, 404: fault.Misconfigured, 400: fault.Misconfigured, 403: fault.Denied} {
		f := newFake(t, 1)
		target := f.open(1)
		f.Trouble = func(*http.Request, int) func(http.ResponseWriter) {
			return func(w http.ResponseWriter) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
			}
		}
		_, err := target.Read(t.Context())
		e, ok := errors.AsType[*fault.Error](err)
		if !fault.Is(err, want) || !ok || e.RetryAfter != 7*time.Second {
			t.Errorf("%d: %v is of kind %q, want %s, to be tried again %+v", status, err, fault.KindOf(err), want, e)
		}
	}
}

// TestVanished: a level that goes while it is worked on. An Apply rests on what is no longer so; a removal is tried again.
func TestVanished(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		f := newFake(t, 1)
		target := f.open(1)
		mustApply(t, target, set(t, "ana "+home), 1)
		w := write(t, target, 2)
		f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
			if r.Method != method || !strings.HasSuffix(r.URL.Path, "edge_00") {
				return nil
			}
			return func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }
		}
		if err := target.Apply(t.Context(), set(t, "ben "+home), w); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: applying: %v", method, err)
		}
		err := target.Remove(t.Context(), prefixes(t, home))
		if method == http.MethodPatch != fault.Is(err, fault.Transient) || method == http.MethodGet && err != nil {
			t.Errorf("%s: removing: %v", method, err)
		}
	}
}

// TestLostOperation: a write whose operation is not known any more may be done or not; it is looked at again.
func TestLostOperation(t *testing.T) {
	t.Parallel()
	f := newFake(t, 1)
	f.Trouble = func(r *http.Request, _ int) func(http.ResponseWriter) {
		if !strings.Contains(r.URL.Path, "/operations/") {
			return nil
		}
		return func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }
	}
	if err := apply(t, f.open(1), set(t, "ana "+home), 1); !fault.Is(err, fault.Transient) {
		t.Errorf("the operation is gone: %v", err)
	}
}

// TestFreshLevels: levels as Terraform makes them let nobody in, and a set there is no room for writes nothing to them. A level
// that is left with nothing needs the end that has always been, so room for that is kept.
func TestFreshLevels(t *testing.T) {
	t.Parallel()
	f := newFake(t, 2)
	target := f.open(1)
	if err := apply(t, target, set(t, "ana "+home, "ben "+home, "cy "+home), 1); !fault.Is(err, fault.Exhausted) || len(f.Sent) != 0 {
		t.Errorf("%d writes: %v", len(f.Sent), err)
	}
	for i, want := range [][]string{495: nil, 496: {"l00"}} {
		name := fmt.Sprintf("%s/accessLevels/theirs%d", policy, i)
		f.Levels[name] = &acm.AccessLevel{Name: name}
		if i < 495 {
			continue
		}
		write(t, target, 0)
		if over := target.Over(leased(t, nil, "ana "+home)); !slices.Equal(over, want) {
			t.Errorf("with %d levels no room for %v", i+3, over)
		}
	}
}
