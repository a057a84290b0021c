package local

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/attest"
	"ostiary.internal/functions/trust/collectevidence"
	"ostiary.internal/functions/trust/keeppromises"
	"ostiary.internal/functions/trust/sealevidence"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"

	_ "ostiary.internal/shared/evidence/log/folder"
)

// trust opens a world of the functions that have to do with promises; under the machine's clock unless a time is given.
func trust(t *testing.T, dir, policy string, now time.Time) *World {
	t.Helper()
	w, err := Open(t.Context(), Options{
		Dir: dir, Policy: "../../../../testdata/policies/" + policy, Manual: !now.IsZero(), Now: now, Log: slog.New(slog.DiscardHandler),
		Functions: []wiring.Function{attest.Function, collectevidence.Function, keeppromises.Function, sealevidence.Function, trustpage.Function},
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

// Under the machine's clock a sample life ends now: the log begins anew in the past, everything in it happened when it
// says, and the schedules of the present go on behind it. A process that ends amid it goes on the next time.
func TestLifeEndsNow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	w := trust(t, dir, "labelsync", time.Time{})
	if w.tick(t.Context(), "keeppromises") != 204 || w.tick(t.Context(), "sealevidence") != 204 {
		t.Fatal("the first runs failed")
	}
	before := w.evidence.trust
	if err := w.live(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for w.life.now().Step < 10 && w.life.playing() {
		time.Sleep(time.Millisecond)
	}
	told := httptest.NewRecorder()
	w.Handler().ServeHTTP(told, httptest.NewRequest(http.MethodGet, "http://localhost/trustpage/v1/promises.json", http.NoBody))
	if told.Code != http.StatusServiceUnavailable {
		t.Errorf("the page amid the play: %d", told.Code)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	at := w.life.now()
	if at.State != lifePlaying || at.Step < 10 || at.Step >= at.last() {
		t.Fatalf("stopped at %+v", at)
	}

	w = trust(t, dir, "labelsync", time.Time{})
	if err := w.life.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := w.life.progress(); p.State != lifeDone || len(p.Refused) > 0 || p.Day != 1 {
		t.Fatalf("%+v, %v", p, w.life.broken)
	}
	if now := w.clock.Now(); now.Sub(at.to()) > time.Hour || now.Before(at.to()) {
		t.Errorf("it is %s, and the life ended %s", now, at.to())
	}
	if string(w.evidence.trust) == string(before) {
		t.Error("the key of the log before signs this one too")
	}
	kinds := map[record.Kind]int{}
	all, err := w.evidence.all(t.Context())
	for _, data := range all {
		r, bad := record.Parse(data)
		if bad != nil || r.Source.Collected.Before(at.From) || r.Source.Observed.After(r.Source.Collected) {
			t.Fatalf("%s, %v", data, bad)
		}
		kinds[r.Kind]++
	}
	// The first day of a life that begins between its first scene and the statements is too short for these.
	signed := slices.ContainsFunc(w.scenes(at), func(s scene) bool { return strings.HasPrefix(s.name, "the statement") })
	if err != nil || kinds[record.Page] < 96 || kinds[record.Claim] != 2 || signed != (kinds[record.Attestation] > 0) {
		t.Errorf("%v, %v", kinds, err)
	}
	if err := w.live(t.Context(), 1); fault.CodeOf(err) != "life_there" {
		t.Errorf("a second life: %v", err)
	}
}

// Life is played only where nobody did anything, and where the functions are that it needs.
func TestLifeIsRefused(t *testing.T) {
	t.Parallel()
	w := trust(t, filepath.Join(t.TempDir(), "data"), "sharedcontacts", begin)
	s := &script{w: w, day: begin, end: begin}
	if _, err := w.asPerson(t.Context(), s.holders("owner")[0], http.MethodPost, "/attest/v1/duties/google-premium-partner/done", s.certificate()); err != nil {
		t.Fatal(err)
	}
	if err := w.live(t.Context(), 1); fault.CodeOf(err) != "life_there" {
		t.Errorf("among what somebody did: %v", err)
	}
	if p := w.life.progress(); p.State != lifeNone || p.Days != fortnight {
		t.Errorf("%+v", p)
	}
	if err := open(t).live(t.Context(), 1); fault.CodeOf(err) != "function_unknown" {
		t.Errorf("without the trust control: %v", err)
	}
}

// The scenes are made from the policy, so they fit every one: nothing is refused but what the policy itself forbids.
func TestLifeOfEveryCompany(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"labelsync", "bookafy", "bepark", "baseline"} {
		t.Run(company, func(t *testing.T) {
			t.Parallel()
			w := trust(t, filepath.Join(t.TempDir(), "data"), company, begin)
			s := w.scenes(played{From: begin, Days: fortnight})
			for _, scene := range s {
				if err := w.Jump(later(w.clock.Now(), scene.at)); err != nil {
					t.Fatal(err)
				}
				if err := scene.play(t.Context(), w); err != nil {
					t.Errorf("%s at %s: %v", scene.name, scene.at, err)
				}
			}
		})
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
