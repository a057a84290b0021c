package trustwalk

import (
	"ostiary.internal/functions/internal/walk/walktest"

	"net/http/httptest"
	"os"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/page/pagetest"
	"ostiary.internal/shared/trust/promise"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Alone)) }

// site is a trust page that browsers can open.
type site struct {
	*evidencetest.Site
	url string
}

// serve puts up a page of n promises, computed and checked a minute ago, over a confirmed log.
func serve(t *testing.T, n int) *site {
	t.Helper()
	s := &site{Site: evidencetest.New(t, trustpage.Function, nil)}
	for range 20 {
		s.Record(t, record.Policy)
	}
	s.Seal(t)
	s.Confirm(t, s.Clock.Now().Add(-14*time.Minute))
	s.show(t, pagetest.Snapshot(n, s.Clock.Now()))
	served, err := trustpage.Function.Build(t.Context(), s.Deps("trustpage"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(served.Handler())
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// show puts up another page, computed and checked a minute ago.
func (s *site) show(t *testing.T, page promise.Snapshot) {
	t.Helper()
	s.Show(t, page)
	s.Advance(t, time.Minute)
}

// page is the address of the page in a language.
func (s *site) page(lang string) string { return s.url + "/trustpage/?lang=" + lang }

// unfold opens what is folded.
func unfold(tab *browser.Tab) {
	browser.Eval[int](tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}
