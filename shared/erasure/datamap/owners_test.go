package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

const (
	byRole = "owners: {entry: users, identifier: uid, from: uid, where: role, is: owner}\n"
	byList = "owners: {entry: usage, identifier: email, from: owners}\n"
)

// TestOwners: one look-up within the tenant finds all owners, and their own identifiers tell them apart.
func TestOwners(t *testing.T) {
	t.Parallel()
	m := read(t, good+byRole)
	l, err := m.Owners("south")
	if q := l.Query; err != nil || l.Reader != "firestore://acme-live/main" || l.Field != "uid" || l.Kind != "uid" || q.Check() != nil || q.Action != "" || q.Tenant.ID != "south" || q.Place != "tenants/south/users" ||
		q.Match.Kind != "equals" || q.Match.Field != "role" || !slices.Equal(q.Match.Values, []string{"owner"}) {
		t.Errorf("looked up as %+v, %v", l, err)
	}
	for _, c := range []struct {
		owners      string
		owner, last bool
	}{{"", false, false}, {"u1", true, true}, {"u1 u2", true, false}, {"u2", false, false}, {"u10", false, false}, {"u1 u3", true, true}} {
		ids := append(known("uid", "u1", "uid", "u3", "customer_id", "u2"), datamap.Identifier{Kind: "uid", Value: "u2"})
		if owner, last := m.Owns(ids, strings.Fields(c.owners)); owner != c.owner || last != c.last {
			t.Errorf("owners %q: an owner %v, the last %v", c.owners, owner, last)
		}
	}

	m = read(t, good+byList)
	l, err = m.Owners("south")
	if q := l.Query; err != nil || l.Field != "owners" || q.Match.Kind != "tenant" || len(q.Match.Values) > 0 || q.Check() != nil || q.Tenant.ID != "south" {
		t.Errorf("looked up as %+v, %v", l, err)
	}
	if owner, last := m.Owns(known("email", "ada@south.example"), []string{"Ada@South.example"}); !owner || !last {
		t.Error("an address in capitals is taken for another's")
	}

	m = read(t, good)
	if _, err := m.Owners("south"); !fault.Is(err, fault.NotFound) {
		t.Errorf("without a word about owners: %v", err)
	}
	if owner, last := m.Owns(known("uid", "u1"), []string{"u1"}); owner || last {
		t.Error("an owner of nothing anybody said")
	}
	if _, err := read(t, good+byRole).Owners("a/b"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tenant that is a path: %v", err)
	}
}

func TestOwnersAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ owners, key, says string }{
		{"{entry: user, identifier: uid, from: uid}", "owners.entry", "no entry"},
		{"{entry: logins, identifier: uid, from: uid}", "owners.entry", "of no tenant"},
		{"{entry: files, identifier: uid, from: uid}", "owners.entry", "no fields"},
		{"{entry: users, identifier: login, from: uid}", "owners.identifier", "no kind"},
		{"{entry: users, identifier: uid}", "owners.from", "no field"},
		{"{entry: users, identifier: uid, from: uid, where: role}", "owners", "half"},
		{"{entry: users, identifier: uid, from: uid, where: 'a b', is: x}", "owners.where", "cannot be asked"},
		{"{entry: users, identifier: uid, from: uid, role: x}", "owners.role", "unknown key"},
	} {
		if _, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": good + "owners: " + c.owners + "\n"})); !told(problems, c.key, c.says) {
			t.Errorf("%s: told %v", c.owners, problems)
		}
	}
}
