package oauth_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// TestNotWantedAnyMore: what was kept for a request that was taken back, or is held since, stays where it is, is not
// asked of any provider and not kept; while nobody can tell, nothing is done. Asked for again, it is found again.
func TestNotWantedAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect("a", "one", "u1", "zoom", "zoom-token", "zoom-account")
	w.connect("a", "two", "u1", "google", "google-token", "sub-1")
	take := func() {
		t.Helper()
		if taken, err := w.Take(t.Context(), w.cut("r1", "a", "u1"), w.Clock.Now()); err != nil || taken != 2 {
			t.Fatal(taken, err)
		}
	}
	untouched := func(when string) {
		t.Helper()
		if held := w.held(); !slices.Equal(held, []string{"tenants/a/connections/one", "tenants/a/connections/two"}) || !w.live["zoom-token"] || !w.live["google-token"] {
			t.Errorf("%s the product has %q, live are %v", when, held, w.live)
		}
	}
	take()
	w.Wanted = func(context.Context, string, string) (bool, error) {
		return true, fault.New(fault.Transient, "an injected failure")
	}
	if err := w.work(); err == nil {
		t.Error("nobody could tell, and nothing was said")
	}
	untouched("while nobody can tell")
	w.Wanted = func(_ context.Context, request, _ string) (bool, error) { return request != "r1", nil }
	w.Pass(2 * time.Hour)
	if err := w.work(); err != nil {
		t.Error(err)
	}
	untouched("taken back")
	if got := w.counts(); got != "" {
		t.Errorf("kept are %s", got)
	}
	w.Wanted = func(context.Context, string, string) (bool, error) { return true, nil }
	take()
	if err := w.work(); err != nil {
		t.Error(err)
	}
	if got := w.counts(); got != "2 revoked" || len(w.held()) != 0 {
		t.Errorf("asked for again: %s, %q", got, w.held())
	}
}
