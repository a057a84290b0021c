package trustpage_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/page/pagetest"
)

// Whoever watches from outside reads a status and nothing else: 200 as long as page and checkpoint are young, to the second.
func TestFreshness(t *testing.T) {
	t.Parallel()
	s := evidencetest.New(t, trustpage.Function, nil)
	show := func() { s.Show(t, pagetest.Snapshot(3, s.Clock.Now())) }
	seal := func() { s.Record(t, record.Run); s.Seal(t) }
	fresh := func(status int, code string) functionAnswer {
		t.Helper()
		a := s.Call(t, get("/v1/freshness")).Want(t, status, code)
		return functionAnswer{string(a.Body), a.Header.Get("Cache-Control")}
	}
	fresh(503, "page_missing")
	show()
	if got := fresh(503, "stale"); !strings.Contains(got.body, "Nothing has been sealed") {
		t.Errorf("before the first seal: %s", got.body)
	}
	seal()
	if got := fresh(200, ""); got.keep != "no-store" || !strings.Contains(got.body, `"sealed":`) {
		t.Errorf("fresh, and to be kept %q: %s", got.keep, got.body)
	}
	s.Advance(t, 10*time.Minute)
	fresh(200, "")
	s.Advance(t, time.Second)
	old := s.Clock.Now().Add(-10*time.Minute - time.Second).UTC().Format(time.RFC3339)
	if got := fresh(503, "stale"); !strings.Contains(got.body, old) || strings.Contains(got.body, "Nothing has been sealed") {
		t.Errorf("a page of %s: %s", old, got.body)
	}
	// The page goes on while nothing is sealed: that is what nobody would see otherwise.
	s.Advance(t, 20*time.Minute-time.Second)
	show()
	fresh(200, "")
	s.Advance(t, time.Second)
	fresh(503, "stale")
	seal()
	fresh(200, "")
}

// functionAnswer is what of an answer these tests look at.
type functionAnswer struct{ body, keep string }
