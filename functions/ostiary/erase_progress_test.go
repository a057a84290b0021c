package main_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	main "ostiary.internal/functions/ostiary"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
)

// Whoever erases again somebody of whom there is much sees it go on, item by item, and not only person by person; on the
// screen nothing is left, and nobody is named.
func TestReplayShowsItems(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, _ = company(t, "demo-company", "")
	taken := clock.System{}.Now()
	r.remember(func(l *ledger.Ledger) {
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: datamap.Controller, Kind: "uid", ID: "u1"}, taken.Add(time.Hour)))
	})
	data.put(t, "tenants/acme/users/u1", map[string]any{"uid": "u1", "email": "jo@acme.example", "made": "2026-01-01T00:00:00Z"})
	const sessions = 650 // more than two pages; her account is found by its id and by her address
	for i := range sessions {
		data.put(t, fmt.Sprintf("tenants/acme/sessions/s%03d", i), map[string]any{"uid": "u1"})
	}
	fatal(t, data.Close())
	var screen bytes.Buffer
	if exit, err := main.ReplayOn(t.Context(), &screen, r.dir, r.folder, taken); exit != 0 || err != nil {
		t.Fatalf("exit %d, %v", exit, err)
	}
	shown := screen.String()
	for _, want := range []string{"person 1 of 1, looking: 0 items", `person 1 of 1, erasing: 0 of 65\d items, 0%`, `erasing: 65\d of 65\d items, 100%`, "person 1 of 1, looking again: 0 items"} {
		if !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("it does not show %q", want)
		}
	}
	if steps := regexp.MustCompile(`erasing: [1-6]\d\d of 65\d items, \d\d%`).FindAllString(shown, -1); len(steps) < 2 {
		t.Errorf("between nothing and everything it shows %q", steps)
	}
	if strings.Contains(shown, "jo@") || strings.Contains(shown, "u1") || !strings.HasSuffix(shown, strings.Repeat(" ", 78)+"\r") {
		t.Errorf("it ends with %q", shown[max(0, len(shown)-100):])
	}
}
