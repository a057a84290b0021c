package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/access/checkotp"
	"ostiary.internal/functions/access/enrolotp"
	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/sealevidence"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/platform/seal/local"
	_ "ostiary.internal/shared/policy/dir"
)

var begin = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// open opens a world of the sample company under a manual clock.
func open(t *testing.T) *World {
	t.Helper()
	w, err := Open(t.Context(), Options{
		Dir: filepath.Join(t.TempDir(), "data"), Policy: "../../../../testdata/policies/sharedcontacts", Manual: true, Now: begin, Log: slog.New(slog.DiscardHandler),
		Functions: []wiring.Function{admit.Function, checkotp.Function, enrolotp.Function, registerip.Function, syncallowlist.Function, deliver.Function, sealevidence.Function},
		Env:       func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Evidence that cannot be written waits in the outbox: the caller is told, the clock still moves, and nothing is lost
// when the inbox is there again.
func TestWhatWasPutOffGoesLater(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.limit = 50 * time.Millisecond
	inbox, aside := w.evidence.inboxDir(), w.evidence.inboxDir()+".aside"
	if _, err := w.Advance(t.Context(), time.Minute); err != nil { // the first run writes the fixed site, and says so
		t.Fatal(err)
	}
	if err := os.Rename(inbox, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inbox, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(w.dir, "allowlist", "edge", "allowlist.json")
	if err := os.Remove(target); err != nil { // what somebody else changed is made right again, and recorded
		t.Fatal(err)
	}
	ran, err := w.Advance(t.Context(), 2*time.Minute)
	if err != nil || len(ran) != 2*len(w.jobs) {
		t.Fatalf("ran %v, %v", ran, err)
	}
	err = w.Settled(t.Context())
	if p := web.ProblemOf(err); p.Status != 504 || p.Code != "unsettled" || p.Extra["outbox"].(map[string]int)["access"] == 0 || p.Extra["bus"] != 0 {
		t.Fatalf("settled: %+v, %v", p, err)
	}
	if err := os.Remove(inbox); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, inbox); err != nil {
		t.Fatal(err)
	}
	before, err := w.evidence.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Advance(t.Context(), 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := w.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := w.evidence.all(t.Context()); err != nil || len(after) <= len(before) {
		t.Errorf("%d records instead of more than %d, %v", len(after), len(before), err)
	}
}

// A schedule that stood still while the clock was set is missed, not made up for.
func TestJumpAndAdvance(t *testing.T) {
	t.Parallel()
	w := open(t)
	if err := w.Jump(begin.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ran, err := w.Advance(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// 09:55:00 was due at the very instant the clock was set to; 09:56:00 came.
	var at []string
	for _, r := range ran {
		if r.Status != 204 {
			t.Errorf("%s at %s: %d", r.Function, r.At, r.Status)
		}
		at = append(at, r.At.Format(time.TimeOnly))
	}
	if !slices.IsSorted(at) || at[len(at)-1] != "09:56:00" || len(at) != 2*len(w.jobs) {
		t.Errorf("ran at %v", at)
	}
	if err := w.Jump(begin); !fault.Is(err, fault.Conflict) {
		t.Errorf("setting the clock back: %v", err)
	}
	if _, err := w.Advance(t.Context(), -time.Second); !fault.Is(err, fault.Conflict) {
		t.Errorf("advancing backwards: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if ran, err := w.Advance(gone, time.Hour); !errors.Is(err, context.Canceled) || len(ran) != 0 {
		t.Errorf("nobody waits, and the clock goes on: %v, %v", ran, err)
	}
	if !w.clock.Now().Equal(begin.Add(time.Hour + time.Minute)) {
		t.Errorf("the clock stands at %s", w.clock.Now())
	}
}

// One token serves many runs, and is replaced long before it ends.
func TestInvokersTokens(t *testing.T) {
	t.Parallel()
	w := open(t)
	show := func(function string) string {
		t.Helper()
		bearer, err := w.authorization(t.Context(), function)
		if err != nil || !strings.HasPrefix(bearer, "Bearer ") {
			t.Fatal(bearer, err)
		}
		return bearer
	}
	first := show("deliver")
	if show("deliver") != first || show("syncallowlist") == first {
		t.Error("want one token for each function")
	}
	if err := w.Jump(begin.Add(55 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if show("deliver") == first {
		t.Error("a token is shown that ends within five minutes")
	}
}
