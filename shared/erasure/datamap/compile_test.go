package datamap_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

func TestRead(t *testing.T) {
	t.Parallel()
	if m, problems := datamap.Read(load(t, nil)); m != nil || len(problems) > 0 {
		t.Errorf("without a file there is a map, or %v", problems)
	}
	m := read(t, good)
	if !m.Strict || m.Limits != (datamap.Limits{AutoApproveItems: 50, GrowthPercent: 10, TenantPercent: 20, GraceDays: 14, LeaverDays: 30, InternalDays: 7, ReviewDays: 10, ForwardDays: 2, RatePerSecond: 500}) {
		t.Errorf("defaults are %+v, strict %v", m.Limits, m.Strict)
	}
	if usage, _ := m.Entry("usage"); usage.Group == nil || usage.Group.Min != datamap.UsualGroup || !slices.Equal(usage.Group.Fields, []string{"city", "at"}) {
		t.Errorf("what is generalised is looked at as %+v", usage.Group)
	}
	if got := m.Seeds(); !slices.Equal(got, []string{"email", "person"}) {
		t.Errorf("to be given are %v", got)
	}
	if m.Directory() == nil || m.Directory().ID != "users" {
		t.Error("the directory is somewhere else")
	}
	same := read(t, "# A comment.\n"+strings.Replace(good, "auto_approve_items: 50", "auto_approve_items: 60", 1))
	if len(m.Digest()) != 64 || m.Digest() != same.Digest() {
		t.Error("a comment or a limit changes the digest")
	}
	for _, change := range [][2]string{{"place: logins", "place: signins"}, {"days: 400", "days: 401"}, {"period: P10Y,", "period: P10Y, "}} {
		changed := strings.Replace(good, change[0], change[1], 1)
		if (read(t, changed).Digest() == m.Digest()) != (strings.ReplaceAll(changed, " ", "") == strings.ReplaceAll(good, " ", "")) {
			t.Errorf("%q for %q: the digest does not follow what the map says", change[1], change[0])
		}
	}
}

// brief is a step in few words.
func brief(steps []datamap.Step) []string {
	var all []string
	for _, s := range steps {
		q := s.Query
		all = append(all, strings.Join([]string{s.Entry.ID, string(q.Action), q.Place, string(q.Tenant.Binding), q.Tenant.Field, q.Tenant.ID, string(q.Match.Kind), q.Match.Field, strings.Join(q.Match.Values, "+"), strings.Join(s.After, "+")}, "|"))
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	steps, err := m.Compile("north", append(known("uid", "u1", "customer_id", "c9", "email", " Ada@North.example", "phone", "1"),
		datamap.Identifier{Kind: "uid", Value: "u2"}, datamap.Identifier{Kind: "uid", Value: "*"}))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the steps of a person", brief(steps), []string{
		"sessions|delete|tenants/north/sessions|path||north|equals|owner.id|u1|",
		"usage|anonymise|app.usage|field|tenant_id|north|equals|user_id|u1|sessions",
		"invoices|anonymise|billing.invoices|field|tenant_id|north|equals|customer|c9|sessions+usage",
		"files|delete|tenants/north/|path||north|prefix||tenants/north/users/u1/|sessions",
		"logins||logins|global|||equals|uid|u1|sessions",
		"users|delete|tenants/north/users|path||north|document||u1|sessions+usage+invoices+files+logins",
		"users|delete|tenants/north/users|path||north|equals|email|Ada@North.example+ada@north.example|sessions+usage+invoices+files+logins",
	})
	changes, _ := json.Marshal(steps[1].Query.Changes)
	if want := `[{"Field":"user_id","Kind":"detach","Value":"","To":"","Coarser":null},{"Field":"city","Kind":"generalise","Value":"","To":"map","Coarser":{"Lyon":"FR"}},` +
		`{"Field":"at","Kind":"generalise","Value":"","To":"month","Coarser":null},{"Field":"minutes","Kind":"delete","Value":"","To":"","Coarser":null}]`; string(changes) != want {
		t.Errorf("anonymising is %s", changes)
	}
	if q := steps[2].Query; len(q.Changes) != 1 || q.Changes[0].Field != "phone" || q.Changes[0].Kind != erasure.ChangeDelete || q.CreatedField != "issued_at" {
		t.Errorf("what is retained is asked for as %+v", q)
	}
	if s := steps[1]; s.Reader != "mongodb://reader-read@mongo.acme.example/?secret=mongo-read" || s.Store != "mongodb://reader-erase@mongo.acme.example/?secret=mongo-erase" {
		t.Errorf("reads with %s and erases with %s", s.Reader, s.Store)
	}
	if s := steps[5]; !s.Query.Descend || s.Reusable || s.Store != "firestore://acme-live/main" {
		t.Errorf("the directory's step is %+v", s)
	}
	byAddress, err := m.Compile("north", known("email", "ADA@north.example"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the steps of an address", brief(byAddress), []string{"users|delete|tenants/north/users|path||north|equals|email|ADA@north.example+ada@north.example|"})
	for i, want := range []datamap.Step{{ID: "users", Kind: "uid"}, {ID: "users.email", Kind: "email", Reusable: true}, {ID: "users.email", Kind: "email", Reusable: true}} {
		if s := append(steps[5:7:7], byAddress...)[i]; s.ID != want.ID || s.Kind != want.Kind || s.Reusable != want.Reusable {
			t.Errorf("way %d of the directory is %s, of a %s, reusable %v", i, s.ID, s.Kind, s.Reusable)
		}
	}
	for _, s := range steps {
		if s.Global != (s.Entry.ID == "logins") || s.Scans {
			t.Errorf("%s: global %v, scans %v", s.ID, s.Global, s.Scans)
		}
	}
	equal(t, "what is not asked", m.Unasked(datamap.Controller, known("email", "a@b.example")), []string{"sessions", "usage", "invoices", "files", "logins"})
	equal(t, "what is not asked of staff", m.Unasked(datamap.Controller, known("person", "ada", "uid", "u1", "customer_id", "c1")), nil)
	equal(t, "what is not used", m.Unused(append(known("phone", "1", "uid", "u1"), datamap.Identifier{Kind: "email", Value: "x"})), []string{"email", "phone"})
}

// TestTheTenantAnswersForHisCustomers: data we process for a tenant is touched when he says so, and by nobody else.
func TestTheTenantAnswersForHisCustomers(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	ids := known("email", "guest@mail.example", "uid", "u1")
	steps, err := m.Compile("north", ids)
	if err != nil || slices.ContainsFunc(steps, func(s datamap.Step) bool { return s.Entry.Role != datamap.Controller }) {
		t.Errorf("a person's own request touches %v, %v", brief(steps), err)
	}
	equal(t, "what is forwarded", m.Forward(ids), []string{"guests"})
	equal(t, "what is forwarded of somebody without an address", m.Forward(known("uid", "u1")), nil)
	steps, err = m.Instruct("north", ids)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "what the tenant instructs", brief(steps), []string{"guests|delete|guests|field|tenant|north|equals|email|guest@mail.example|"})
	if kinds := m.Instructable(); len(kinds) != 1 || kinds["email"].ID != "email" {
		t.Errorf("he names his people by %v", kinds)
	}
	if !steps[0].Reusable || steps[0].Query.CreatedField != "at" {
		t.Error("a later guest of the same address would be taken for this one")
	}
}

// TestClose: an account closes as a whole: the tenant's own data and that of his customers; nothing of all tenants', and
// nothing that has to be kept.
func TestClose(t *testing.T) {
	t.Parallel()
	text := strings.Replace(good, "no_personal_data:", `  - {id: bill-notes, store: "postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}", place: billing.invoices, region: europe-west1,
     role: controller, tenant: {field: tenant_id}, select: {column: customer, of: customer_id}, action: review, backup_class: none}
  - {id: notes, store: "firestore://{project}/main", place: "tenants/{tenant}/notes", region: europe-west1,
     role: controller, tenant: {path: true}, select: {equals: author, of: uid}, action: review, backup_class: none}
  - {id: marks, store: "firestore://{project}/main", place: "tenants/{tenant}/marks", region: europe-west1, fields: [{field: uid, do: hmac}],
     role: controller, tenant: {path: true}, select: {equals: uid, of: uid}, action: pseudonymise, backup_class: none}
  - {id: authors, store: "firestore://{project}/main", place: "tenants/{tenant}/notes", region: europe-west1, fields: [{field: editor, do: detach}],
     role: controller, tenant: {path: true}, select: {equals: editor, of: uid}, action: anonymise, backup_class: none}
no_personal_data:`, 1)
	m := read(t, text)
	steps, err := m.Close("south")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the steps of a closing account", brief(steps), []string{
		"sessions|delete|tenants/south/sessions|path||south|tenant|||",
		"usage|anonymise|app.usage|field|tenant_id|south|tenant|||sessions",
		"invoices|anonymise|billing.invoices|field|tenant_id|south|tenant|||sessions+usage",
		"files|delete|tenants/south/|path||south|tenant|||sessions",
		"guests|delete|guests|field|tenant|south|tenant|||sessions",
		"notes|delete|tenants/south/notes|path||south|tenant|||sessions",
		"marks|delete|tenants/south/marks|path||south|tenant|||sessions",
		"users|delete|tenants/south/users|path||south|tenant|||sessions+usage+invoices+files+guests+notes+marks",
	})
	if notes := steps[5].Entry; notes.Action != datamap.Delete {
		t.Errorf("notes of a closed account are for a person to %s", notes.Action)
	}
	if notes, _ := m.Entry("notes"); notes.Action != datamap.Review {
		t.Errorf("closing an account has changed the map: %s", notes.Action)
	}
	steps, err = m.Compile("south", known("uid", "u1"))
	if i := slices.IndexFunc(steps, func(s datamap.Step) bool { return s.Entry.ID == "marks" }); err != nil || i < 0 || steps[i].Query.Action != "" {
		t.Errorf("a pseudonym satisfies a request: %v %v", brief(steps), err)
	}
}

// TestRegions: where each region has its own store, a tenant who chose one is looked for there.
func TestRegions(t *testing.T) {
	t.Parallel()
	p := load(t, map[string]string{"datamap.yaml": good, "tenants.yaml": strings.Replace(tenants, "domains: [south.example]", "domains: [south.example], region: europe-west3", 1)})
	m, problems := datamap.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for tenant, want := range map[string]string{"north": "europe-west1", "south": "europe-west3", "a-stranger": "europe-west1"} {
		steps, err := m.Compile(tenant, known("customer_id", "c1"))
		if err != nil || len(steps) != 1 || steps[0].Region != want || steps[0].Store != "postgres://erase@sql-"+want+".acme.example/app?secret=sql-erase" {
			t.Errorf("%s: %v in %+v", tenant, err, steps)
		}
	}
	equal(t, "the stores", m.Stores(), []string{
		"firestore://acme-live/access", "firestore://acme-live/main", "gcs://acme-files", "gcs://acme-site", "https://hook.acme.example/erasure?secret=hook",
		"mongodb://reader-read@mongo.acme.example/?secret=mongo-read", "postgres://read@sql-europe-west1.acme.example/app?secret=sql-read",
		"postgres://read@sql-europe-west3.acme.example/app?secret=sql-read",
	})
}

func TestNothingCompilesForNobody(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	for name, ids := range map[string][]datamap.Identifier{
		"none": nil, "unverified": {{Kind: "uid", Value: "u1"}}, "of no kind": known("phone", "1"), "empty": known("uid", ""),
	} {
		if steps, err := m.Compile("north", ids); !fault.Is(err, fault.Invalid) || steps != nil {
			t.Errorf("%s: %d steps, %v", name, len(steps), err)
		}
	}
	many := []datamap.Identifier{}
	for i := range erasure.MaxValues + 1 {
		many = append(many, known("uid", "u-"+strings.Repeat("x", i+1))...)
	}
	if steps, err := m.Compile("north", many); !fault.Is(err, fault.Exhausted) || steps != nil {
		t.Errorf("too many: %d steps, %v", len(steps), err)
	}
	if _, err := m.Compile("north", append(many[1:], many[1])); err != nil {
		t.Errorf("a hundred, one of them twice: %v", err)
	}
	// A tenant that would be two parts of a name is none where his name is part of one.
	inPlace := read(t, strings.Replace(strings.Replace(good, "place: app.usage", "place: \"{tenant}.usage\"", 1), "tenant: {field: tenant_id}", "tenant: {path: true}", 1))
	if _, err := inPlace.Compile("north.example", known("uid", "u1")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tenant that spells a database and a collection: %v", err)
	}
	if _, err := m.Compile("north.example", known("uid", "u1")); err != nil {
		t.Errorf("a tenant with a dot: %v", err)
	}
}

// TestWithin: what goes with the items of a step is named, has come before, and is found as a person's and as a tenant's.
func TestWithin(t *testing.T) {
	t.Parallel()
	const tail = "region: europe-west1, role: controller, action: delete, backup_class: none}\n"
	text := strings.Replace(good, "no_personal_data:", `  - {id: rows, store: "postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}", place: app.rows, tenant: {field: t}, select: {column: uid, of: uid}, below: [app.cells, app.parts], `+tail+
		`  - {id: cells, store: "postgres://{account}@sql-{region}.acme.example/app?secret=sql-{account}", place: app.cells, tenant: {field: t}, select: {column: uid, of: uid}, `+tail+
		`  - {id: thumbs, store: "gcs://acme-files", place: "tenants/{tenant}/", tenant: {path: true}, select: {prefix: "users/{uid}/thumbs/"}, `+tail+
		`  - {id: sheets, store: "gcs://acme-files", place: "tenants/{tenant}/sheets/", tenant: {path: true}, select: {prefix: "{uid}/"}, `+tail+
		`  - {id: tagged, store: "gcs://acme-tagged", tenant: {field: t}, select: {metadata: owner, of: uid}, `+tail+
		`  - {id: devices, store: "firestore://{project}/main", place: "tenants/{tenant}/**/devices", tenant: {path: true}, select: {equals: uid, of: uid}, `+tail+
		`  - {id: keys, store: "firestore://{project}/main", place: "tenants/{tenant}/users/x/keys", tenant: {path: true}, select: {equals: uid, of: uid}, `+tail+
		"no_personal_data:", 1)
	m := read(t, text)
	person, err := m.Compile("north", known("uid", "u1"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := m.Close("north")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what  string
		steps []datamap.Step
		want  map[string]string
	}{
		{"a person", person, map[string]string{"rows": "cells", "files": "thumbs", "users": "devices keys"}},
		{"an account", account, map[string]string{"rows": "cells", "files": "thumbs sheets", "thumbs": "sheets", "users": "devices keys"}},
	} {
		for _, s := range c.steps {
			if got := strings.Join(s.Within, " "); got != c.want[s.ID] {
				t.Errorf("within %s of %s lie %q, want %q", s.ID, c.what, got, c.want[s.ID])
			}
			for _, inner := range s.Within {
				if !slices.Contains(s.After, inner) {
					t.Errorf("%s of %s comes before %s, which goes with it", s.ID, c.what, inner)
				}
			}
			if s.Scans != (s.ID == "tagged") {
				t.Errorf("%s of %s scans: %v", s.ID, c.what, s.Scans)
			}
		}
	}
	equal(t, "unmapped", m.Unmapped(map[string][]string{"postgres://read@sql-europe-west1.acme.example/app?secret=sql-read": {"app.cells", "app.parts", "app.other"}}),
		[]string{"postgres://sql-europe-west1.acme.example/app/app.other"})
}
