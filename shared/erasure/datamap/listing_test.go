package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
)

// listed is a map of a customer's people in all kinds of places.
const listed = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: number, opendsr: controller_customer_id}
entries:
  - {id: rows, store: "postgres://u@sql/app?secret=s", place: public.rows, region: europe-west1, role: processor, tenant: {field: tenant}, select: {column: mail, of: email}, action: delete, created: at, backup_class: none}
  - {id: names, store: "firestore://p/d", place: "tenants/{tenant}/names", region: europe-west1, role: processor, tenant: {path: true}, select: {document: "{number}", or: {contains: mails, of: email}}, action: delete, backup_class: none}
  - {id: docs, store: "mongodb://m/", place: app.docs, region: europe-west1, role: processor, tenant: {field: tenant}, select: {document: "{number}"}, action: delete, created: at, backup_class: none}
  - {id: ours, store: "firestore://p/d", place: "tenants/{tenant}/ours", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: mail, of: email}, action: delete, backup_class: none}
  - {id: users, store: "firestore://p/d", place: "tenants/{tenant}/users", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: mail, of: email}, action: delete, directory: true, address: mail, backup_class: none}
`

// TestListings: each place of a customer's people is read whole, as one tenant's, and what cannot be is named.
func TestListings(t *testing.T) {
	t.Parallel()
	m := read(t, listed)
	for kind, want := range map[string]string{"email": "rows mail, names mails, users mail", "number": "names , docs _id"} {
		list, dark, err := m.Listings("south", kind)
		var got []string
		for _, l := range list {
			got = append(got, l.Entry.ID+" "+l.Field)
			if q := l.Query; q.Check() != nil || q.Tenant.ID != "south" || q.Match.Kind != "tenant" || q.Action != "" || l.Many != (l.Field == "mails") || l.Kind != kind {
				t.Errorf("%s: read as %+v", l.Entry.ID, l)
			}
		}
		if err != nil || len(dark) > 0 || strings.Join(got, ", ") != want || !m.Hashable(kind) {
			t.Errorf("%s: %v, not %v, %v", kind, got, dark, err)
		}
	}
	for name, c := range map[string]struct{ from, to, kind, dark string }{
		"a hook":            {`store: "mongodb://m/", place: app.docs`, `store: "https://hook.acme.example/x?secret=s", place: docs`, "number", "docs"},
		"data of no tenant": {`tenant: {field: tenant}, select: {column`, `tenant: {global: "one list for all; reviewed by the DPO, 2026-03-02"}, select: {column`, "email", "rows"},
		"part of a name":    {`select: {document: "{number}", or`, `select: {document: "c-{number}", or`, "number", "names"},
		"a key of a map":    {`contains: mails`, `map_key: mails`, "email", "names"},
		"the name of a row": {`column: mail, of: email`, `document: "{number}"`, "number", "rows"},
	} {
		text := strings.Replace(listed, c.from, c.to, 1)
		if name == "a hook" {
			text = strings.Replace(text, `{document: "{number}"}`, `{hook: true, of: number}`, 1)
		}
		m := read(t, text)
		if _, dark, err := m.Listings("south", c.kind); err != nil || !slices.Equal(dark, []string{c.dark}) || m.Hashable(c.kind) {
			t.Errorf("%s: not to be listed are %v, %v", name, dark, err)
		}
	}
	lists := read(t, strings.Replace(listed, `column: mail`, `contains: mails`, 1))
	if list, dark, err := lists.Listings("south", "email"); err != nil || len(dark) > 0 || !list[0].Many || list[0].Entry.ID != "rows" {
		t.Errorf("lists of rows: %+v, not %v, %v", list, dark, err)
	}
	if _, _, err := m.Listings("a/b", "email"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tenant that is a path: %v", err)
	}
}
