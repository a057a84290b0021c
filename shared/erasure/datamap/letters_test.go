package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
)

const lettersText = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
entries:
  - {id: rows, store: "postgres://{account}@sql.acme.example/app?secret=sql", place: app.people, region: europe-west1, role: controller, tenant: {field: tenant}, select: {column: email, of: email}, action: delete, created: made, backup_class: none}
  - {id: lists, store: "mongodb://a@mongo.acme.example/?secret=m", place: app.lists, region: europe-west1, role: controller, tenant: {field: tenant}, select: {contains: members, of: email}, action: delete, created: made, backup_class: none}
  - {id: keys, store: "mongodb://a@mongo.acme.example/?secret=m", place: app.keys, region: europe-west1, role: controller, tenant: {field: tenant}, select: {map_key: members, of: email}, action: delete, created: made, backup_class: none}
  - {id: files, store: "gcs://b", place: "", region: europe-west1, role: controller, tenant: {field: tenant}, select: {metadata: owner, of: email}, action: delete, backup_class: none}
  - {id: named, store: "gcs://c", place: "tenants/{tenant}/", region: europe-west1, role: controller, tenant: {path: true}, select: {prefix: "{email}/"}, action: delete, backup_class: none}
  - {id: hooked, store: "https://hook.acme.example/erasure?secret=hook", place: guests, region: europe-west1, role: processor, tenant: {field: tenant}, select: {hook: true, of: email}, action: delete, created: at, backup_class: none}
  - {id: silent, store: "firestore://{project}/main", place: "tenants/{tenant}/silent", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: uid, of: uid, or: {equals: email, of: email}}, action: delete, backup_class: none}
  - {id: asked, store: "firestore://{project}/main", place: "tenants/{tenant}/asked", region: europe-west1, role: processor, tenant: {path: true}, select: {equals: email, of: email}, action: delete, derives: [{identifier: uid, from: uid}], backup_class: none}
  - {id: theirs, store: "firestore://{project}/main", place: "tenants/{tenant}/theirs", region: europe-west1, role: processor, tenant: {path: true}, select: {equals: email, of: email, case: any}, action: delete, backup_class: none}
  - {id: small, store: "firestore://{project}/main", place: "tenants/{tenant}/small", region: europe-west1, role: controller, tenant: {path: true}, select: {equals: email, of: email, case: lower}, action: delete, backup_class: none}
  - {id: literal, store: "postgres://{account}@sql.acme.example/app?secret=sql", place: app.literal, region: europe-west1, role: controller, tenant: {field: tenant}, select: {column: email, of: email, case: exact}, action: delete, created: made, backup_class: none}
`

// An address is searched for as the map says that a store has its letters; where the store can it is searched whatever they
// are, and where it cannot and nobody has said how they are, the map says so.
func TestLetters(t *testing.T) {
	t.Parallel()
	m := read(t, lettersText)
	ids := []datamap.Identifier{{Kind: "email", Value: " Ada@South.example", Verified: true}, {Kind: "email", Value: "ada@south.example", Verified: true}}
	got := map[string]erasure.Match{}
	for _, compile := range []func(string, []datamap.Identifier) ([]datamap.Step, error){m.Compile, m.Instruct} {
		steps, err := compile("north", ids[:1])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			got[s.Entry.ID] = s.Query.Match
		}
	}
	given, small := "Ada@South.example", "ada@south.example"
	for entry, want := range map[string]struct {
		values []string
		fold   bool
	}{
		"rows": {[]string{small}, true}, "lists": {[]string{small}, true}, "files": {[]string{small}, true}, "hooked": {[]string{small}, true},
		"keys": {[]string{given, small}, false}, "silent": {[]string{given, small}, false}, "asked": {[]string{given, small}, false}, "theirs": {[]string{given, small}, false},
		"named": {[]string{"tenants/north/" + given + "/", "tenants/north/" + small + "/"}, false},
		"small": {[]string{given, small}, false}, "literal": {[]string{given}, false},
	} {
		if m := got[entry]; !slices.Equal(m.Values, want.values) || m.Fold != want.fold {
			t.Errorf("%s is searched for %q, whatever the case: %v", entry, m.Values, m.Fold)
		}
	}
	for role, want := range map[datamap.Role]string{datamap.Controller: "keys named silent asked", datamap.Processor: "asked theirs"} {
		if entries := strings.Join(m.Letters(role, ids), " "); entries != want {
			t.Errorf("%s: in doubt are %s", role, entries)
		}
	}
	if entries := m.Letters(datamap.Controller, known("uid", "u1")); len(entries) > 0 {
		t.Errorf("of who is known by no address %q are in doubt", entries)
	}
	l, err := m.Lookups("north", ids[:1])
	if err != nil || len(l) != 1 || !slices.Equal(l[0].Query.Match.Values, []string{given, small}) {
		t.Errorf("looked up by %+v, %v", l, err)
	}
}

// What the map says of letters is one of the words there are, and about addresses.
func TestLettersRefused(t *testing.T) {
	t.Parallel()
	for spoilt, key := range map[string]string{
		strings.Replace(lettersText, "case: lower", "case: upper", 1):                                                    "entries[9].select.case",
		strings.Replace(lettersText, "select: {equals: uid, of: uid,", "select: {equals: uid, of: uid, case: lower,", 1): "entries[6].select.case",
	} {
		if _, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": spoilt})); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("problems %v, want one of %s", problems, key)
		}
	}
}
