package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

// TestHoldable: a hold that would keep nothing is refused, and one that keeps something is not.
func TestHoldable(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	for _, c := range []struct {
		entry  string
		fields []string
		good   bool
	}{
		{"sessions", nil, true}, {"sessions", []string{"anything"}, true}, {"session", nil, false}, {"*", nil, false}, {"", nil, false},
		{"usage", nil, true}, {"usage", []string{m.Entries[1].Fields[0].Field}, true}, {"usage", []string{m.Entries[1].Fields[0].Field + ".part"}, true},
		{"usage", []string{"phnoe"}, false}, {"usage", []string{m.Entries[1].Fields[0].Field, "phnoe"}, false},
	} {
		if err := m.Holdable(c.entry, c.fields); (err == nil) != c.good || err != nil && fault.CodeOf(err) != "hold_invalid" {
			t.Errorf("holding %v of %q: %v", c.fields, c.entry, err)
		}
	}
}

// TestCloseLeavesOthers: at the end of an account no place takes what may lie at any depth below it and is another entry's;
// a place beside it is not spared, and nothing is when it goes by its age, as that takes no depth.
func TestCloseLeavesOthers(t *testing.T) {
	t.Parallel()
	m := read(t, strings.Replace(good, "no_personal_data:", `  - {id: bills, store: "firestore://{project}/main", place: "tenants/{tenant}/**/bills", region: europe-west1, role: controller, tenant: {path: true},
     select: {equals: payer, of: uid}, action: delete, backup_class: none}
  - {id: teams, store: "firestore://{project}/main", place: "tenants/{tenant}/users/all/teams", region: europe-west1, role: controller, tenant: {path: true},
     select: {equals: lead, of: uid}, action: delete, backup_class: none}
no_personal_data:`, 1))
	steps, err := m.Close("south")
	if err != nil {
		t.Fatal(err)
	}
	for entry, want := range map[string]string{"sessions": "bills", "teams": "bills", "users": "bills teams", "bills": "", "usage": ""} {
		at := slices.IndexFunc(steps, func(s datamap.Step) bool { return s.Entry.ID == entry })
		got := slices.Clone(steps[at].Query.Except)
		if slices.Sort(got); strings.Join(got, " ") != want {
			t.Errorf("%s takes all but %v, want %q", entry, got, want)
		}
	}
}
