package main_test

import (
	"path/filepath"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
)

// TestRestoredAccount: a closed account, whose tenant is in no policy any more, is looked for where its tenant is named, and
// else it is told that nobody did.
func TestRestoredAccount(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "")
	taken := clock.System{}.Now()
	r.remember(func(l *ledger.Ledger) {
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "closed", Kind: ledger.Whole, ID: "closed"}, taken.Add(time.Hour)))
	})
	data.put(t, "tenants/closed/users/u1", map[string]any{"uid": "u1", "email": "jo@acme.example", "made": "2026-01-01T00:00:00Z"})
	if exit, found, _ := r.replay(taken, "--execute"); exit != 2 || found.Unlooked != 1 || len(data.all(t)) != 1 {
		t.Errorf("nobody names it: exit %d, %+v", exit, found)
	}
	if exit, found, errs := r.replay(taken, "--execute", "--tenant", "closed"); exit != 0 || found.Unlooked != 0 || len(found.People) != 1 || len(data.all(t)) != 0 {
		t.Errorf("named: exit %d, %+v, %s", exit, found, errs)
	}
	if exit, found, errs := r.replay(taken, "--execute", "--tenant", "closed"); exit != 0 || len(found.People) != 0 {
		t.Errorf("once more: exit %d, %+v, %s", exit, found, errs)
	}
}
