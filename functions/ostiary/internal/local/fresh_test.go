package local

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// knock sends a request as anybody from outside would.
func knock(t *testing.T, w *World, path, media string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost"+path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", media)
	told := httptest.NewRecorder()
	w.Handler().ServeHTTP(told, r)
	return told
}

// sent counts what a program sent into the evidence.
func sent(t *testing.T, w *World) (n int) {
	t.Helper()
	all, err := w.evidence.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range all {
		if strings.Contains(string(data), `"type":"cloudevent"`) {
			n++
		}
	}
	return n
}

// A folder into which anything came from outside, a program's evidence alone, is never played in and never emptied.
func TestLifeSparesWhatCameFromOutside(t *testing.T) {
	t.Parallel()
	for name, come := range map[string]func(t *testing.T, w *World){
		"evidence of a program": func(t *testing.T, w *World) {
			for _, scene := range w.scenes(played{From: w.clock.Now().Add(-2 * day), Days: 2}) {
				if strings.HasPrefix(scene.name, "scan.finished of ") && scene.at.Before(w.clock.Now()) {
					if err := scene.play(context.WithoutCancel(t.Context()), w); err != nil {
						t.Fatal(scene.name, err)
					}
				}
			}
			if sent(t, w) == 0 {
				t.Fatal("the programs sent nothing")
			}
		},
		"a call that left no record": func(t *testing.T, w *World) { knock(t, w, "/attest/v1/statements", "application/json") },
		"a change in the directory":  func(t *testing.T, w *World) { knock(t, w, "/_local/people", "application/json") },
		"events":                     func(t *testing.T, w *World) { knock(t, w, "/_local/events", "application/json") },
		"a folder from elsewhere": func(t *testing.T, w *World) {
			if err := os.Remove(filepath.Join(w.dir, freshFile)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			w := trust(t, dir, "sharedcontacts", time.Time{})
			come(t, w)
			before := sent(t, w)
			if err := w.live(t.Context(), 1); fault.CodeOf(err) != "life_there" {
				t.Errorf("life was not refused: %v", err)
			}
			if told := knock(t, w, lifePath, "application/x-www-form-urlencoded"); told.Code != http.StatusConflict || !strings.Contains(told.Body.String(), "a folder that does not exist yet") {
				t.Errorf("the page: %d %s", told.Code, told.Body)
			}
			if p := w.life.progress(); p.State != lifeNone || sent(t, w) < before {
				t.Errorf("%+v, and %d records of %d are left", p, sent(t, w), before)
			}
		})
	}
}

// Signing in and moving the clock brings nothing in: whoever looks around first may play afterwards.
func TestLookingAroundTouchesNothing(t *testing.T) {
	t.Parallel()
	w := trust(t, filepath.Join(t.TempDir(), "data"), "sharedcontacts", begin)
	for _, path := range []string{"/_local/signin", "/_local/clock", "/_local/settle"} {
		knock(t, w, path, "application/json")
	}
	w.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/attest/", http.NoBody))
	if err := w.untouched(t.Context()); err != nil || !w.fresh() {
		t.Errorf("looking around is taken for life: %v", err)
	}
}

// A sample life that broke off before its first stop, whatever came in since, is not begun again: the folder would be
// emptied of it.
func TestBrokenOffLifeSparesWhatCameAfter(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	w := trust(t, dir, "sharedcontacts", time.Time{})
	if err := w.life.keep(played{V: 1, State: lifePlaying, From: w.clock.Now().Add(-day), Days: 1}); err != nil {
		t.Fatal(err)
	}
	if w.tick(t.Context(), "keeppromises") != 204 || w.tick(t.Context(), "sealevidence") != 204 {
		t.Fatal("the runs failed")
	}
	knock(t, w, "/attest/v1/statements", "application/json")
	before, err := w.evidence.all(t.Context())
	if err != nil || len(before) == 0 {
		t.Fatal(len(before), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = trust(t, dir, "sharedcontacts", time.Time{})
	after, err := w.evidence.all(t.Context())
	if err != nil || len(after) < len(before) || w.life.progress().State != lifeFailed {
		t.Errorf("%d records of %d are left; %+v, %v", len(after), len(before), w.life.progress(), err)
	}
	if age := time.Since(w.clock.Now()); age > time.Hour {
		t.Errorf("the clock stands %s ago", age)
	}
}
