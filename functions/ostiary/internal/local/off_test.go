package local

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/functions/access/admit"
	"ostiary.internal/functions/access/checkotp"
	"ostiary.internal/functions/access/enrolotp"
	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/access/syncallowlist"
	"ostiary.internal/functions/breach/deliver"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/platform/web"
)

// A company that promises nothing about addresses has no access.yaml: everything else runs, and what needs the access
// control says so.
func TestAControlWithoutItsFileIsOff(t *testing.T) {
	t.Parallel()
	w, err := Open(t.Context(), Options{
		Dir: filepath.Join(t.TempDir(), "data"), Policy: "../../../../testdata/policies/bepark", Manual: true, Now: begin, Log: slog.New(slog.DiscardHandler),
		Functions: []wiring.Function{admit.Function, checkotp.Function, enrolotp.Function, registerip.Function, syncallowlist.Function, deliver.Function},
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
	if len(w.order) != 1 || w.order[0] != "deliver" {
		t.Errorf("running: %v", w.order)
	}
	if _, err := w.Advance(t.Context(), time.Hour); err != nil {
		t.Error(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", http.NoBody)
	_, invited := w.Invite(r, "ilias.amrani@bepark.example", "")
	for what, err := range map[string]error{
		"allow-list": w.allowlist(httptest.NewRecorder(), r), "door": w.door(httptest.NewRecorder(), r), "enrolment": invited,
	} {
		if p := web.ProblemOf(err); p.Status != http.StatusNotFound || p.Code != "access_off" {
			t.Errorf("%s: %+v, %v", what, p, err)
		}
	}
	page := httptest.NewRecorder()
	if err := w.startPage(page, r); err != nil || page.Code != http.StatusOK {
		t.Errorf("start page: %d, %v", page.Code, err)
	}
}
