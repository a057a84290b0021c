package people_test

import (
	"context"
	"os"
	"testing"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/people"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	local "ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// down is a directory that does not answer about one person.
type down struct {
	directory.Directory
	about string
}

func (d down) Lookup(ctx context.Context, email string, maxAge time.Duration) (directory.Account, error) {
	if email == d.about {
		return directory.Account{}, fault.New(fault.Denied, "looking up an account: refused")
	}
	return d.Directory.Lookup(ctx, email, maxAge)
}

func company(t *testing.T, name string) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(os.DirFS("../../../testdata/policies"), name)
	if err != nil {
		t.Fatal(err, problems)
	}
	return p
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	clk, p := clock.NewManual(noon), company(t, "sharedcontacts")
	s, err := memory.New(store.Options{Clock: clk, Schema: store.Schema{local.Collection()}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := local.New(directory.Options{Clock: clk, Store: s, People: func(context.Context) (all []string, _ error) {
		for _, one := range p.People {
			all = append(all, one.Email)
		}
		return all, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.People) < 5 {
		t.Fatal("too few people")
	}
	for i, c := range []local.Change{local.TwoStepOff, local.Suspend, local.Remove} {
		if err := d.Change(t.Context(), p.People[i].Email, c); err != nil {
			t.Fatal(err)
		}
	}
	source := people.New(down{d, p.People[3].Email}, p, clk)
	inventory, unread := asset.NewInventory(), 0
	for page := ""; ; {
		got, err := source.List(t.Context(), people.Scope, asset.Resources, []string{people.Type}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range got.Assets {
			inventory.Add(a)
		}
		if unread, page = unread+len(got.Unread), got.Next; page == "" {
			break
		}
	}
	set, problems := baseline.Load(company(t, "baseline"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	live := &baseline.Live{Inventory: inventory, Now: noon}
	for i, want := range []baseline.Verdict{baseline.OutOfOrder, baseline.Exempt, "", baseline.Undetermined, baseline.InOrder} {
		a, err := source.Get(t.Context(), people.Type, people.Key(p.People[i].ID))
		if (err != nil) != (want == baseline.Undetermined) || a.Key != people.Key(p.People[i].ID) || !a.Read.Equal(noon) {
			t.Errorf("%d: %+v %v", i, a, err)
		}
		listed, known := inventory.Get(people.Type, a.Key)
		if !known || listed.Deleted != (want == "") || a.Deleted != listed.Deleted {
			t.Fatalf("%d: listed %+v", i, listed)
		}
		if want == "" {
			continue
		}
		for _, j := range set.Judge(listed, live) {
			if j.Assertion == "two-step-enforced" && j.Verdict != want {
				t.Errorf("%d: %+v, want %s", i, j, want)
			}
		}
	}
	if unread != 1 || inventory.Len() != len(p.People) {
		t.Errorf("%d not read, %d known", unread, inventory.Len())
	}
}

// What is not asked for, not known, or not approved is not made up.
func TestBounds(t *testing.T) {
	t.Parallel()
	clk, p := clock.NewManual(noon), company(t, "sharedcontacts")
	source := people.New(down{}, p, clk)
	for _, c := range []struct {
		what  asset.Content
		kinds []string
	}{{asset.Policies, []string{people.Type}}, {asset.Resources, []string{"compute.googleapis.com/Firewall"}}} {
		if got, err := source.List(t.Context(), people.Scope, c.what, c.kinds, ""); err != nil || len(got.Assets) > 0 || got.Next != "" {
			t.Errorf("%+v %v", got, err)
		}
	}
	for scope, page := range map[string]string{people.Scope: "-1", "projects/p": ""} {
		if _, err := source.List(t.Context(), scope, asset.Resources, []string{people.Type}, page); err == nil {
			t.Errorf("%s %q: no error", scope, page)
		}
	}
	if a, err := source.Get(t.Context(), people.Type, people.Key("nobody")); err != nil || !a.Deleted {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := source.Get(t.Context(), "compute.googleapis.com/Firewall", "//compute.googleapis.com/x"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
