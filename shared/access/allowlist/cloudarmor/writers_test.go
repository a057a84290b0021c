package cloudarmor

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/platform/fault"
)

// TestSomebodyElseWrites between two writes of ours: nothing more is written. A removal begins anew.
func TestSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(*fake){
		"a rule of others":   func(f *fake) { f.Rules[10] = map[string]any{"priority": 10, "action": "deny(403)"} },
		"a rule among ours":  func(f *fake) { f.Rules[1005] = map[string]any{"priority": 1005, "action": "allow"} },
		"the rule just made": func(f *fake) { f.Rules[1000] = map[string]any{"priority": 1000, "action": "allow", "preview": true} },
		"the rule to come":   func(f *fake) { f.Rules[1001] = map[string]any{"priority": 1001, "action": "allow"} },
	} {
		w := newWorld(t, "")
		w.Slow = 0
		target := w.open(t, 0, nil)
		seen, _ := target.Read(t.Context())
		w.Failing = func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "/addRule") {
				w.Meddle = func() { meddle(w.fake) }
			}
			return 0, ""
		}
		err := target.Apply(t.Context(), many(0, 11, 0, 11), allowlist.Write{Etag: seen.Etag})
		if !fault.Is(err, fault.Conflict) || len(w.Writes) != 1 {
			t.Errorf("%s: %v, wrote %v", name, err, w.Writes)
		}
		w.Failing = nil
		if err := apply(t, target, many(0, 11, 0, 11)); err != nil {
			t.Errorf("%s: the next run: %v", name, err)
		}
		holds(t, target, many(0, 11, 0, 11))
		w.Failing = func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, "/removeRule") {
				w.Failing = nil
				w.Meddle = func() { meddle(w.fake) }
				delete(w.Rules, 1000)
				w.Rules[1000] = map[string]any{"priority": 1000, "action": "allow"}
			}
			return 0, ""
		}
		if err := target.Remove(t.Context(), many(0, 11, 0, 11).Prefixes()); err != nil || admits(w.Policy(), netip.MustParseAddr("81.0.0.1")) {
			t.Errorf("%s: a removal: %v", name, err)
		}
	}
}

// TestTwoTakeOnePriority: the second of two who begin at once is told that the policy changed.
func TestTwoTakeOnePriority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.Slow = 0
	target := w.open(t, 0, nil)
	w.Failing = func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/addRule") && w.Rules[1000] == nil {
			w.Rules[1000] = map[string]any{"priority": 1000, "action": "allow"}
			w.Version++
		}
		return 0, ""
	}
	if err := apply(t, target, many(0, 1, 0, 0)); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	w.Failing = func(r *http.Request) (int, string) {
		if strings.HasSuffix(r.URL.Path, "/removeRule") {
			return http.StatusBadRequest, "invalid"
		}
		return 0, ""
	}
	if err := apply(t, target, many(0, 1, 0, 0)); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("refused, and nobody else wrote: %v", err)
	}
}

// TestLateAnswers: a reading that does not show the last write yet is read again; one that never does ends the call.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.Slow = 0
	w.Stale = true
	target := w.open(t, 0, nil)
	if err := apply(t, target, many(0, 25, 0, 5)); err != nil || len(w.Writes) != 4 {
		t.Fatalf("wrote %v, %v", w.Writes, err)
	}
	if _, err := target.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	holds(t, target, many(0, 25, 0, 5))
	w.Stale = false
	frozen := w.Text()
	w.Failing = func(*http.Request) (int, string) {
		w.Old = frozen
		return 0, ""
	}
	if err := apply(t, target, allowlist.Set{}); !fault.Is(err, fault.Transient) || w.Writes[4] != "removeRule 1000" || len(w.Writes) != 5 {
		t.Errorf("a write that never shows: %v, wrote %v", err, w.Writes)
	}
}

// TestDeathAtEveryRequest: killed before any request, a wait included, nobody comes in who was let in by neither set, and the
// next run makes it whole.
func TestDeathAtEveryRequest(t *testing.T) {
	t.Parallel()
	old, next := many(0, 25, 0, 5), many(12, 8, 3, 25)
	stranger := []netip.Addr{netip.MustParseAddr("203.1.2.3"), netip.MustParseAddr("2a02:8109:ffff::1")}
	anything := func(*http.Request) bool { return true }
	for n := int64(1); ; n++ {
		w := newWorld(t, "")
		target := w.open(t, 0, nil)
		if err := apply(t, target, old); err != nil {
			t.Fatal(err)
		}
		seen, _ := target.Read(t.Context())
		died := w.open(t, 0, &dying{n: n, counts: anything}).Apply(t.Context(), next, allowlist.Write{Etag: seen.Etag})
		w.Mu.Lock()
		if w.Pending != nil {
			w.Finish() // what was accepted goes on without us
		}
		w.Mu.Unlock()
		for _, addr := range stranger {
			if admits(w.Policy(), addr) {
				t.Fatalf("killed before request %d: a stranger is let in", n)
			}
		}
		if err := apply(t, target, next); err != nil {
			t.Fatalf("killed before request %d: the next run: %v", n, err)
		}
		holds(t, target, next)
		if died == nil {
			if n < 10 {
				t.Errorf("only %d requests", n)
			}
			return
		}
	}
}

// TestACancelledCallGoesOn: a call whose time is over keeps what it wrote, and the next begins there.
func TestACancelledCallGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	target := w.open(t, 0, nil)
	s := many(0, 45, 0, 0)
	var err error
	total := 0
	for range 5 {
		seen, readErr := target.Read(t.Context())
		if readErr != nil {
			t.Fatal(readErr)
		}
		ctx, cancel := context.WithCancel(t.Context())
		w.Mu.Lock()
		w.Failing = func(*http.Request) (int, string) {
			if len(w.Writes) == 2 {
				cancel()
			}
			return 0, ""
		}
		w.Mu.Unlock()
		err = target.Apply(ctx, s, allowlist.Write{Etag: seen.Etag})
		cancel()
		w.Mu.Lock()
		total += len(w.Writes)
		w.Writes, w.Failing = nil, nil
		w.Mu.Unlock()
		if err == nil {
			break
		}
		if !fault.Is(err, fault.Transient) {
			t.Fatal(err)
		}
	}
	holds(t, target, s)
	if err != nil || total != 5 {
		t.Errorf("%d writes, want 5: %v", total, err)
	}
}
