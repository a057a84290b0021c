package datamap_test

import (
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

// TestWhere: an entry's items lie where its steps search, and the account that erases opens the same stores.
func TestWhere(t *testing.T) {
	t.Parallel()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Read(p)
	if m == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	erasing := m.Erasing()
	for _, tenant := range p.Tenants {
		steps, err := m.Compile(tenant.ID, []datamap.Identifier{{Kind: "uid", Value: "u1", Verified: true}, {Kind: "email", Value: "a@b.example", Verified: true}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			store, place, err := m.Where(s.Entry.ID, tenant.ID)
			if err != nil || store != s.Reader || place != s.Query.Place || erasing[store] != s.Store {
				t.Errorf("%s of %s: %s %s, %v", s.ID, tenant.ID, store, place, err)
			}
		}
	}
	if _, _, err := m.Where("nothing", p.Tenants[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("no entry: %v", err)
	}
	if _, _, err := m.Where("users", "a/b"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no tenant: %v", err)
	}
}
