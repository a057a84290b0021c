package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/platform/clock"
)

// TestRestoredInDoubt: whom nobody can tell is said, and nothing is erased of her.
func TestRestoredInDoubt(t *testing.T) {
	t.Parallel()
	data := openDrawers(t)
	r := &restoring{t: t, data: data, dir: filepath.Dir(data.file)}
	r.folder, r.m = company(t, "demo-company", "")
	taken := clock.System{}.Now()
	r.remember(func(l *ledger.Ledger) {
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "acme", Role: datamap.Controller, Kind: "uid", ID: "u1"}, taken.Add(-time.Hour)))
		fatal(t, l.Add(t.Context(), ledger.Subject{Tenant: "twin", Kind: ledger.Whole, ID: "twin"}, taken.Add(time.Hour)))
	})
	r.data.put(t, "tenants/acme/users/u1", map[string]any{"uid": "u1", "email": "jo@acme.example"}) // no word of its age
	if exit, found, errs := r.replay(taken, "--execute"); exit != 2 || len(found.People) != 1 || !found.People[0].Doubtful || len(r.data.all(t)) != 1 {
		t.Errorf("of no age: exit %d, %+v, %s", exit, found, errs)
	}
	r.data.put(t, "tenants/twin/notes/n1", map[string]any{"email": "al@acme.example", "made": "2026-01-01T00:00:00Z"})
	if exit, found, errs := r.replay(taken, "--execute"); exit != 2 || len(found.People) != 2 || found.People[1].Kind != ledger.Whole || len(r.data.all(t)) != 1 {
		t.Errorf("a tenant that left: exit %d, %+v, %s, left %v", exit, found, errs, r.data.all(t))
	}
	_, _, said := r.replay(taken, "--json=false")
	for _, want := range []string{"2 items of 2 tenants looked at: 0 people were erased and are back, 1 perhaps; 0 came back by themselves", "acme uid u1, erased ", "in users: in doubt", "Not read, as their items tell no lasting id: notes."} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	for _, args := range [][]string{{"--taken", "yesterday"}, {}, {"--taken", "2026-01-01T00:00:00Z"}, {"--taken", "2026-01-01T00:00:00Z", "--restored", "x", "--ledger", "y", "--secrets", "z"}} {
		if err := exec.CommandContext(t.Context(), binary, append([]string{"erase", "replay"}, args...)...).Run(); err == nil || err.(*exec.ExitError).ExitCode() != 64 { //nolint:errorlint // as Run returns it
			t.Errorf("%q: %v", args, err)
		}
	}
	if exit, _, errs := r.replay(taken, "--policy", t.TempDir()); exit != 2 || errs == "" {
		t.Errorf("without a policy: exit %d, %s", exit, errs)
	}
}
