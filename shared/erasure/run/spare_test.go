package run_test

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
)

// use has the world go by another map.
func (w *world) use(changes ...string) {
	w.t.Helper()
	text := mapText
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			w.t.Fatalf("the map has no %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	w.config.Map = readMap(w.t, text)
}

func (w *world) pass(d time.Duration) string {
	w.t.Helper()
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
	return w.clock.Now().Format(time.RFC3339)
}

// erased plans and erases, and returns the job as it is afterwards.
func (w *world) erased(j run.Job) run.Job {
	w.t.Helper()
	w.plan(j)
	if x := w.execute(j); len(x.Open) > 0 {
		w.t.Fatalf("open %v", x.Open)
	}
	j.Executed, j.Ran = w.clock.Now(), w.clock.Now()
	return j
}

// A plan that is made again, months later, neither counts nor reads anything of who has the address now.
func TestNewerPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	j := w.erased(job(1))
	now := w.pass(time.Hour)
	w.people.put("users", "new", "uid", "u77", "email", "jo@acme.example", "created", now)
	w.people.put("notes", "new", "email", "jo@acme.example", "created", now)
	w.people.put("sessions", "new", "uid", "u77")
	w.people.put("sessions", "late", "uid", "u1")
	hers := w.people.export("acme")
	j.Round = 2
	p := w.plan(j)
	if s := p.Summary(""); s.Items != 1 {
		t.Errorf("planned %+v, want the late session alone: %s", s, left(p.Entries))
	}
	w.execute(j)
	if got, want := w.people.export("acme"), strings.ReplaceAll(hers, "sessions/late", ""); len(got) >= len(want) || !strings.Contains(got, "users/new") || !strings.Contains(got, "notes/new") || !strings.Contains(got, "sessions/new") || strings.Contains(got, "sessions/late") {
		t.Errorf("left:\n%s", got)
	}
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 {
		t.Errorf("afterwards %+v", o)
	}
}

// Who comes back under the id she always had has a new account: what she does now is not what she wanted erased.
func TestReturned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("place: sessions, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, access: true,",
		"place: sessions, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, access: true, created: created,")
	w.fill(1)
	j := w.erased(job(1))
	old := w.clock.Now().Add(-time.Minute).Format(time.RFC3339)
	now := w.pass(time.Hour)
	w.people.put("users", "back", "uid", "u1", "email", "jo@acme.example", "created", now)
	w.people.put("sessions", "hers", "uid", "u1", "created", now)
	w.people.put("sessions", "old", "uid", "u1", "created", old)
	if o := w.search(j, 1); o.Left != 1 || len(o.Open) > 0 {
		t.Errorf("left %+v, want the old session", o)
	}
	j.Round = 2
	w.execute(j)
	if got := w.people.export("acme"); !strings.Contains(got, "users/back") || !strings.Contains(got, "sessions/hers") || strings.Contains(got, "sessions/old") {
		t.Errorf("left:\n%s", got)
	}
}

// A plate is somebody else's tomorrow, and no directory knows of it.
func TestPlate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("  - {id: customer}\n", "  - {id: customer}\n  - {id: plate, reusable: true}\n",
		"  - id: invoices\n", `  - {id: parking, store: "firestore://p/d", place: parking, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: plate, of: plate}, action: delete, created: created, backup_class: pitr}`+"\n  - id: invoices\n")
	w.fill(1)
	w.people.put("parking", "hers", "plate", "KA-1", "created", "2026-01-01T00:00:00Z")
	j := job(1)
	j.IDs = append(j.IDs, datamap.Identifier{Kind: "plate", Value: "KA-1", Verified: true})
	j = w.erased(j)
	now := w.pass(time.Hour)
	w.people.put("parking", "his", "plate", "KA-1", "created", now)
	w.people.put("parking", "whose", "plate", "KA-1")
	o := w.search(j, 1)
	if o.Left != 0 || len(o.Open) != 1 || o.Open[0] != (request.Open{Entry: "parking", Why: "review", Items: 1, Set: o.Open[0].Set}) || o.Open[0].Set == "" {
		t.Errorf("left %+v, want a person to look at what nobody can date", o)
	}
	j.Reviewed = map[string]int64{"parking@" + o.Open[0].Set: 1}
	if o := w.search(j, 2); len(o.Open) > 0 {
		t.Errorf("after she looked: %+v", o.Open)
	}
	j.Round = 2
	w.execute(j)
	if got := w.people.export("acme"); strings.Contains(got, "parking/hers") || !strings.Contains(got, "parking/his") || !strings.Contains(got, "parking/whose") {
		t.Errorf("left:\n%s", got)
	}
}

// Identifiers that appear when everything is planned are found by the search, and what they lead to goes.
func TestLateIdentifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	w.plan(job(1))
	w.people.put("profiles", "late", "uid", "u1", "customer", "c9")
	w.people.put("orders", "1", "customer", "c9")
	w.people.put("orders", "2", "customer", "c9", "tenant", "twin")
	w.execute(job(1))
	j := job(1)
	j.Executed = w.clock.Now()
	w.people.put("profiles", "later", "uid", "u1", "customer", "c9")
	if o := w.search(j, 1); o.Left != 2 {
		t.Errorf("left %+v, want the profile and the order", o)
	}
	j.Round = 2
	if x := w.execute(j); x.Totals.Erased != 4+1+2 {
		t.Errorf("executed %+v", x.Totals)
	}
	if o := w.search(j, 1); o.Left != 0 || len(o.Open) > 0 || !strings.Contains(w.people.export("twin"), "orders/2") {
		t.Errorf("afterwards %+v", o)
	}
}

// What is retained is hers by when it was made, not by when its period began.
func TestRetainedOfSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.use("select: {equals: uid, of: uid}\n    action: retain", "select: {equals: email, of: email}\n    action: retain",
		"from: created, period", "from: closed, period", "fields: [uid, total]", "fields: [uid, total], minimise: [name]")
	w.people.put("users", "1", "uid", "u1", "email", "jo@acme.example", "created", "2020-01-01T00:00:00Z")
	w.people.put("invoices", "hers", "email", "jo@acme.example", "name", "Jo", "created", "2020-01-01T00:00:00Z", "closed", "2027-01-01T00:00:00Z")
	j := w.erased(job(1))
	now := w.pass(time.Hour)
	w.people.put("invoices", "his", "email", "jo@acme.example", "name", "Jim", "created", now, "closed", "2020-01-01T00:00:00Z")
	w.people.put("invoices", "late", "email", "jo@acme.example", "name", "Jo", "created", "2026-01-01T00:00:00Z", "closed", "2027-01-01T00:00:00Z")
	o := w.search(j, 1)
	if o.Left != 1 || len(o.Kept) != 1 || o.Kept[0].Items != 2 || o.Kept[0].Until.String() != "2037-01-01" {
		t.Errorf("found %+v, want the late one to lose its name, and two to stay", o)
	}
	j.Round = 2
	w.execute(j)
	if got := w.people.export("acme"); !strings.Contains(got, "Jim") || strings.Contains(got, "name:Jo") || !strings.Contains(got, "invoices/late") {
		t.Errorf("left:\n%s", got)
	}
}
