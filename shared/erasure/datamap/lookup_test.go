package datamap_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
)

// TestResolve: what is known leads to what is not, each kind after those it comes from, and nothing is asked twice.
func TestResolve(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	var asked []string
	answers := map[string][]string{"uid of email Ada@north.example+ada@north.example": {"u1", "u2"}, "customer_id of uid u1+u2": {"c9"}}
	ask := func(l datamap.Lookup) ([]string, error) {
		if l.Query.Action != "" || l.Query.Check() != nil || l.Query.Tenant.ID != "north" || l.Reader != "firestore://acme-live/main" || l.Region != "europe-west1" {
			t.Errorf("asked by %+v", l)
		}
		kind := map[string]string{"document": "uid", "equals": "email"}[string(l.Query.Match.Kind)]
		if l.Reusable != (kind == "email") {
			t.Errorf("what is read by a %s is hers for ever: %v", kind, !l.Reusable)
		}
		asked = append(asked, fmt.Sprintf("%s of %s %s", l.Kind, kind, strings.Join(l.Query.Match.Values, "+")))
		return answers[asked[len(asked)-1]], nil
	}
	ids, err := m.Resolve("north", known("email", "Ada@north.example", "phone", "1"), ask)
	if err != nil {
		t.Fatal(err)
	}
	const typed = "email Ada@north.example+ada@north.example"
	equal(t, "asked", asked, []string{"uid of " + typed, "customer_id of uid u1+u2", "customer_id of " + typed})
	if want := known("email", "Ada@north.example", "phone", "1", "uid", "u1", "uid", "u2", "customer_id", "c9"); !slices.Equal(ids, want) {
		t.Errorf("known are %v, want %v", ids, want)
	}
	steps, err := m.Compile("north", ids)
	if err != nil || len(steps) != 7 {
		t.Errorf("%d steps, %v", len(steps), err)
	}

	asked = nil
	if _, err := m.Resolve("north", known("uid", "u1", "uid", "u2", "email", "ada@north.example"), ask); err != nil {
		t.Fatal(err)
	}
	equal(t, "asked of somebody who is signed in", asked, []string{"uid of email ada@north.example", "customer_id of uid u1+u2", "customer_id of email ada@north.example"})
	asked = nil
	if _, err := m.Resolve("north", []datamap.Identifier{{Kind: "email", Value: "ada@north.example"}}, ask); err != nil || asked != nil {
		t.Errorf("an address nobody verified leads to %v, %v", asked, err)
	}
}

func TestResolveFails(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	trouble := errors.New("no answer")
	if _, err := m.Resolve("north", known("uid", "u1"), func(datamap.Lookup) ([]string, error) { return nil, trouble }); !errors.Is(err, trouble) || strings.Contains(err.Error(), "u1") {
		t.Errorf("a store that does not answer: %v", err)
	}
	if _, err := m.Resolve("north", known("uid", "u1"), func(datamap.Lookup) ([]string, error) { return []string{"*"}, nil }); !fault.Is(err, fault.Invalid) {
		t.Errorf("a store that holds no identifier where one should be: %v", err)
	}
	if _, err := m.Resolve("north", known("uid", "u1"), func(datamap.Lookup) ([]string, error) {
		return strings.Split(strings.Repeat("c,", 101)+"c", ","), nil
	}); err != nil {
		t.Errorf("the same a hundred times: %v", err)
	}
	if _, err := m.Resolve("north", known("uid", "u1"), func(datamap.Lookup) (many []string, _ error) {
		for i := range 101 {
			many = append(many, fmt.Sprintf("c-%d", i))
		}
		return many, nil
	}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("more than a hundred: %v", err)
	}
}

func TestOnFile(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	l, err := m.OnFile("south", " Ada@South.example")
	if err != nil || l.Field != "email" || l.Query.Place != "tenants/south/users" || l.Query.Match.Field != "email" || !slices.Equal(l.Query.Match.Values, []string{"Ada@South.example", "ada@south.example"}) || l.Query.Action != "" {
		t.Errorf("looked up as %+v, %v", l, err)
	}
	for _, address := range []string{"", "*", "null", "a\x00@b.example"} {
		if _, err := m.OnFile("south", address); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is looked up: %v", address, err)
		}
	}
	for id, want := range map[datamap.Identifier]fault.Kind{
		{Kind: "uid", Value: "u-77", Verified: true}:                "",
		{Kind: "uid", Value: "u-77"}:                                fault.NotFound,
		{Kind: "uid", Value: "*", Verified: true}:                   fault.Invalid,
		{Kind: "email", Value: "ada@south.example", Verified: true}: fault.NotFound, // another may have it later
		{Kind: "nothing", Value: "u-77", Verified: true}:            fault.NotFound,
	} {
		l, err := m.AddressOf("south", id)
		if fault.KindOf(err) != want || want == "" && (l.Field != "email" || l.Query.Place != "tenants/south/users" || l.Query.Action != "" || len(l.Query.Match.Values) != 1) {
			t.Errorf("%+v is looked up as %+v, %v", id, l, err)
		}
	}
	without := read(t, strings.Replace(good, "    directory: true\n    address: email\n", "", 1))
	if _, err := without.OnFile("south", "ada@south.example"); !fault.Is(err, fault.NotFound) || without.Directory() != nil {
		t.Errorf("without a directory: %v", err)
	}
}
