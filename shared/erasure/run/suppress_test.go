package run_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/fault"
)

// ledger has it written down who is being erased, and when; nothing may be erased before.
func (w *world) ledger(fails *bool) *[]string {
	said := &[]string{}
	w.config.Suppress = func(_ context.Context, tenant string, role datamap.Role, ids []datamap.Identifier, at time.Time) error {
		if *fails {
			return fault.New(fault.Misconfigured, "no")
		}
		if len(*said) == 0 && w.people.erased > 0 {
			w.t.Errorf("%d items are erased by now", w.people.erased)
		}
		*said = append(*said, fmt.Sprint(tenant, role, ids, at.Equal(w.clock.Now())))
		return nil
	}
	return said
}

// Before anything goes it is put on record who is erased, be there a record of the directory or not; while that fails,
// everything stays.
func TestSuppress(t *testing.T) {
	t.Parallel()
	uid := datamap.Identifier{Kind: "uid", Value: "u1", Verified: true}
	for name, change := range map[string]func(w *world, j *run.Job){
		"known to the directory": func(*world, *run.Job) {},
		"held there":             func(_ *world, j *run.Job) { j.Holds = []run.Hold{{Entry: "users", Until: forever}} },
		"gone from it": func(w *world, j *run.Job) {
			delete(w.people.docs, "users/acme-1")
			j.IDs = append(j.IDs, uid)
		},
		"of whom nothing is left": func(w *world, j *run.Job) {
			clear(w.people.docs)
			j.IDs = append(j.IDs, uid)
		},
		"instructed": func(_ *world, j *run.Job) { j.Scope, j.IDs = run.Instructed, append(j.IDs, uid) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, j, fails, role := newWorld(t), job(1), true, "controller"
			w.fill(1)
			change(w, &j)
			if j.Scope == run.Instructed {
				role = "processor"
			}
			said := w.ledger(&fails)
			w.plan(j)
			before := w.people.export("acme")
			if _, _, err := w.engine().Execute(t.Context(), j, forever); !fault.Is(err, fault.Transient) || w.people.export("acme") != before {
				t.Errorf("without the ledger: %v", err)
			}
			fails = false
			if x := w.execute(j); len(x.Open) > 0 || !slices.Equal(*said, []string{"acme" + role + "[{uid u1 true}] true"}) {
				t.Errorf("open %v, said %v", x.Open, *said)
			}
			w.search(j, 1)
			if r, err := w.engine().Account(t.Context(), j); err != nil || r.Unsuppressed {
				t.Errorf("it says that nobody knows her: %v", err)
			}
		})
	}
}

// Who has what is of no tenant erased too is put on record for that as well, be it with a whole account.
func TestSuppressOfNoTenant(t *testing.T) {
	t.Parallel()
	for scope, want := range map[run.Scope][]string{
		run.Person:  {"acmecontroller[{uid u1 true}] true", "acmeglobal[{uid u1 true}] true"},
		run.Account: {"acme[] true", "acmeglobal[{uid u1 true}] true"},
	} {
		w, fails := newWorld(t), false
		w.use(`place: profiles, region: europe-west1, role: controller, tenant: {field: tenant}`, ofNoTenant)
		said := w.ledger(&fails)
		w.fill(1)
		j := account(1, true)
		j.Scope = scope
		w.erased(j)
		if !slices.Equal(*said, want) {
			t.Errorf("of %s said %q", scope, *said)
		}
	}
}

// Somebody who has nothing that is hers for good is erased all the same, and the report says that a restore brings her back.
func TestUnsuppressed(t *testing.T) {
	t.Parallel()
	w, fails := newWorld(t), false
	said := w.ledger(&fails)
	w.people.put("users", "1", "uid", "jo@acme.example", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	w.plan(job(1))
	if x := w.execute(job(1)); len(x.Open) > 0 || x.Totals.Erased != 1 || len(*said) > 0 {
		t.Errorf("%+v, said %v", x, *said)
	}
	w.search(job(1), 1)
	if r, err := w.engine().Account(t.Context(), job(1)); err != nil || !r.Unsuppressed {
		t.Errorf("%+v, %v", r, err)
	}
}

// What somebody makes who came back is never put on record as erased.
func TestSuppressedSince(t *testing.T) {
	t.Parallel()
	w, fails := newWorld(t), false
	said := w.ledger(&fails)
	w.fill(1)
	j := w.erased(job(1))
	j.Round = 2
	w.people.put("users", "again", "uid", "u1", "email", "jo@new.example", "created", w.pass(24*time.Hour))
	w.search(j, 1)
	w.execute(j)
	if want := []string{"acmecontroller[{uid u1 true}] true", "acmecontroller[{uid u1 true}] false"}; !slices.Equal(*said, want) || w.people.docs["users/again"] == nil {
		t.Errorf("said %v", *said)
	}
}
