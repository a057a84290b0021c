package trustwalk

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/evidencetest"
	"ostiary.internal/functions/trust/trustpage"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/trust/page/pagetest"
	"ostiary.internal/shared/trust/promise"
)

// One browser serves all tests of the process.
var chromium *browser.Browser

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// One page at a time: several pages of one browser wait for each other's frames on a small machine.
	flag.Parse()
	if err := flag.Set("test.parallel", "1"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	path := browser.Path()
	if path == "" {
		return m.Run()
	}
	var err error
	if chromium, err = browser.Start(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer chromium.Close()
	return m.Run()
}

// site is a trust page that browsers can open.
type site struct {
	*evidencetest.Site
	url string
}

// serve puts up a page of n promises, computed and checked a minute ago, over a confirmed log.
func serve(t *testing.T, n int) *site {
	t.Helper()
	require.Tool(t, "chromium", chromium != nil)
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
