package run_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
)

const ofNoTenant = `place: profiles, region: europe-west1, role: controller, tenant: {global: "one account for all tenants; reviewed by A on 2026-01-05"}`

// account is the job of whoever closes her account; herself says that she proved who she is.
func account(round int, herself bool) run.Job {
	j := job(round)
	j.Scope, j.Global = run.Account, herself
	j.IDs = append(j.IDs, datamap.Identifier{Kind: "uid", Value: "u1", Verified: true})
	return j
}

// TestAccountOfHerself: whoever closes the account of which she is the last owner has what is of no tenant and hers erased too;
// somebody else's stays, and where it cannot be searched for a person is asked.
func TestAccountOfHerself(t *testing.T) {
	t.Parallel()
	for _, herself := range []bool{true, false} {
		w := newWorld(t)
		w.use(`place: profiles, region: europe-west1, role: controller, tenant: {field: tenant}`, ofNoTenant)
		w.fill(1)
		w.people.put("profiles", "hers", "uid", "u1", "tenant", "")
		w.people.put("profiles", "his", "uid", "u10", "tenant", "")
		j := account(1, herself)
		p := w.plan(j)
		if strings.Contains(left(p.Entries), "profiles 1/0") != herself || len(p.Unasked) > 0 {
			t.Errorf("herself %t: planned %s, unasked %v", herself, left(p.Entries), p.Unasked)
		}
		x := w.execute(j)
		j.Executed = w.clock.Now()
		o := w.search(j, 1)
		if len(x.Open)+len(o.Open) > 0 || o.Left != 0 || (w.people.docs["profiles/hers"] == nil) != herself || w.people.docs["profiles/his"] == nil {
			t.Errorf("herself %t: %+v, %+v, hers %v", herself, x.Open, o, w.people.docs["profiles/hers"])
		}
	}
	w := newWorld(t)
	w.use("  - {id: customer}\n", "  - {id: customer}\n  - {id: plate, reusable: true}\n", "  - id: invoices\n",
		`  - {id: parking, store: "firestore://p/d", place: parking, region: europe-west1, role: controller, tenant: {global: "cars of all tenants; reviewed by A on 2026-01-05"}, select: {equals: plate, of: plate}, action: delete, created: created, backup_class: pitr}`+"\n  - id: invoices\n")
	j := account(1, true)
	if p := w.plan(j); !slices.Equal(p.Unasked, []string{"parking"}) {
		t.Errorf("of what nobody tells unasked are %v", p.Unasked)
	}
	w.execute(j)
	j.Executed = w.clock.Now()
	if o := w.search(j, 1); len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "parking", Why: "unasked"}) {
		t.Errorf("of what nobody tells open is %+v", o.Open)
	}
}

// TestAccountOpenedAgain: what is made in an account that was opened again under its old id stands, whoever sweeps; what is older
// goes; of what does not tell a person is asked, and the ledger does not take the new account for the old one.
func TestAccountOpenedAgain(t *testing.T) {
	t.Parallel()
	w, fails := newWorld(t), false
	said := w.ledger(&fails)
	w.fill(1)
	j := w.erased(account(1, true))
	old := w.clock.Now().Add(-time.Minute).Format(time.RFC3339)
	now := w.pass(72 * time.Hour)
	w.people.put("users", "new", "uid", "n1", "email", "new@acme.example", "created", now)
	w.people.put("notes", "new", "email", "new@acme.example", "created", now)
	w.people.put("notes", "late", "email", "al@acme.example", "created", old)
	w.people.put("sessions", "new", "uid", "n1") // no word of its age
	o := w.search(j, 1)
	if o.Left != 1 || len(o.Open) != 1 || o.Open[0].Entry != "sessions" || o.Open[0].Why != "review" || o.Open[0].Items != 1 {
		t.Errorf("found %+v, want the late note, and a person to look at the session", o)
	}
	j.Round = 2
	w.execute(j)
	got := w.people.export("acme")
	for path, want := range map[string]bool{"users/new": true, "notes/new": true, "sessions/new": true, "notes/late": false} {
		if strings.Contains(got, path) != want {
			t.Errorf("%s there: %t\n%s", path, !want, got)
		}
	}
	if want := []string{"acme[] true", "acme[] false"}; !slices.Equal(*said, want) {
		t.Errorf("said %v", *said)
	}
}

// TestAccountWrittenLate: what a machine writes late into an account that stays closed goes, whenever it was made.
func TestAccountWrittenLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	j := w.erased(account(1, true))
	w.people.put("notes", "late", "email", "jo@acme.example", "created", w.pass(time.Hour))
	if o := w.search(j, 1); o.Left != 1 || len(o.Open) > 0 {
		t.Errorf("found %+v", o)
	}
	j.Round = 2
	if w.execute(j); strings.Contains(w.people.export("acme"), "notes/late") {
		t.Error("it stays")
	}
}

// TestLateByAddress: what is made after the erasing and tells nothing but her address is for a person to look at as long as the
// directory knows nobody by it, and somebody else's once it does.
func TestLateByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	j := w.erased(job(1))
	now := w.pass(time.Hour)
	w.people.put("notes", "late", "email", "jo@acme.example", "created", now)
	o := w.search(j, 1)
	if o.Left != 0 || len(o.Open) != 1 || o.Open[0].Entry != "notes" || o.Open[0].Why != "review" || o.Open[0].Items != 1 || o.Open[0].Set == "" {
		t.Fatalf("found %+v, want a person to look at the note", o)
	}
	j.Reviewed = map[string]int64{"notes@" + o.Open[0].Set: 1}
	if o := w.search(j, 2); len(o.Open) > 0 || len(o.Settled) != 1 {
		t.Errorf("once she looked: %+v", o)
	}
	j.Round, j.Reviewed = 2, nil
	if w.execute(j); w.people.docs["notes/late"] == nil {
		t.Error("it is erased by a sweep")
	}
	w.people.put("users", "new", "uid", "u77", "email", "jo@acme.example", "created", now)
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("once somebody has the address: %+v", o)
	}
}

// TestGuestReturns: whom a customer of ours had erased, and who comes again, is nobody the directory would know: what is made since
// is hers.
func TestGuestReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("place: notes, region: europe-west1, role: controller", "place: notes, region: europe-west1, role: processor")
	w.people.put("notes", "old", "email", "guest@mail.example", "created", "2026-02-01T00:00:00Z")
	j := job(1)
	j.Scope, j.IDs = run.Instructed, []datamap.Identifier{{Kind: "email", Value: "guest@mail.example", Verified: true}}
	j = w.erased(j)
	w.people.put("notes", "new", "email", "guest@mail.example", "created", w.pass(time.Hour))
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 || w.people.docs["notes/old"] != nil {
		t.Errorf("found %+v", o)
	}
}
