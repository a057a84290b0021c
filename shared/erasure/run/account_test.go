package run_test

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/run"
)

// ofOwner is the job of closing an account by its owner, who proved who she is.
func ofOwner(w *world) run.Job {
	w.use(`place: profiles, region: europe-west1, role: controller, tenant: {field: tenant}`, `place: profiles, region: europe-west1, role: controller, tenant: {global: "one account for all tenants; reviewed by A on 2026-01-05"}`)
	w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	w.people.put("profiles", "hers", "uid", "u1", "customer", "c9")
	w.people.put("profiles", "other", "uid", "u2", "customer", "c8")
	j := job(1)
	j.Scope, j.Global = run.Account, true
	j.IDs = append(j.IDs, datamap.Identifier{Kind: "uid", Value: "u1", Verified: true})
	return j
}

// With the account of its last owner goes what is hers and of no tenant; of nobody else, and not for who speaks for her.
func TestOwnersOwn(t *testing.T) {
	t.Parallel()
	for _, proved := range []bool{true, false} {
		w := newWorld(t)
		j := ofOwner(w)
		j.Global = proved
		o := w.search(w.erased(j), 1)
		if gone := w.people.docs["profiles/hers"] == nil; gone != proved || w.people.docs["profiles/other"] == nil || w.people.docs["users/1"] != nil || o.Left > 0 || len(o.Open) > 0 {
			t.Errorf("proved %v: gone %v, %+v", proved, gone, o)
		}
	}
	w := newWorld(t)
	j := ofOwner(w)
	j.IDs = j.IDs[:1] // an address alone leads to nothing there
	delete(w.people.docs, "users/1")
	if o := w.search(w.erased(j), 1); len(o.Open) > 0 || w.people.docs["profiles/hers"] == nil {
		t.Errorf("nobody knows more of her: %+v", o)
	}
}

// Who opens an account again under the same id has what she made since; what comes late of a closed one goes.
func TestReopened(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{true, false} {
		w := newWorld(t)
		w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
		j := job(1)
		j.Scope, j.IDs = run.Account, nil
		j = w.erased(j)
		now := w.pass(72 * time.Hour)
		if back {
			w.people.put("users", "2", "uid", "u2", "email", "al@acme.example", "created", now)
		}
		w.people.put("notes", "2", "email", "al@acme.example", "created", now)
		o := w.search(j, 1)
		if back != (o.Left == 0) {
			t.Errorf("somebody is back %v: %+v", back, o)
		}
		j.Round = 2
		w.execute(j)
		if stays := w.people.docs["notes/2"] != nil; stays != back {
			t.Errorf("somebody is back %v, and her note stays %v", back, stays)
		}
	}
}

// What lies below an item is counted with it: in the plan, which asks a person where it is much, and when it is erased.
func TestBelowCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.people.weighs = true
	w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	w.people.put("folders", "1", "uid", "u1")
	for i := range 600 {
		w.people.put("folders/1/thumbs", fmt.Sprint(i))
	}
	if s := w.plan(job(1)).Summary(""); s.Items != 602 {
		t.Errorf("planned %+v", s)
	}
	if x := w.execute(job(1)); x.Totals.Erased != 602 || len(x.Open) > 0 {
		t.Errorf("erased %+v", x)
	}
}
