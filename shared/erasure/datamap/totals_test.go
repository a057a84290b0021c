package datamap_test

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
)

// summing is the small map with usage in Firestore, and a total of its minutes.
func summing(into, by string) string {
	return strings.NewReplacer(
		"store: mongodb://reader-{account}@mongo.acme.example/?secret=mongo-{account}\n    place: app.usage", "store: firestore://{project}/main\n    place: usage",
		"{field: minutes, do: delete}", `{field: minutes, do: aggregate, into: "`+into+`", by: [`+by+`]}`,
	).Replace(good)
}

// TestAggregate: an aggregate names a place of the entry's own store, by fields whose values several people share each.
func TestAggregate(t *testing.T) {
	t.Parallel()
	const totals = "firestore://{project}/main/totals"
	steps, err := read(t, summing(totals, "at, city")).Compile("acme", []datamap.Identifier{{Kind: "uid", Value: "u-77", Verified: true}})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(steps, func(s datamap.Step) bool { return s.ID == "usage" })
	change := steps[at].Query.Changes[3]
	if change.Kind != erasure.ChangeAggregate || change.Into != "totals" || change.Least != datamap.UsualGroup || !slices.Equal(change.By, []string{"at", "city"}) {
		t.Errorf("it compiles to %+v", change)
	}
	steps, err = read(t, summing(totals, "at, city")).Close("acme")
	if err != nil {
		t.Fatal(err)
	}
	if at = slices.IndexFunc(steps, func(s datamap.Step) bool { return s.ID == "usage" }); steps[at].Query.Whose != "user_id" {
		t.Errorf("of a whole tenant, people are told by %q", steps[at].Query.Whose)
	}
	for name, c := range map[string]struct{ into, by, key, what string }{
		"among people":          {"firestore://{project}/main/logins", "", "into", "no place without"},
		"in another store":      {"postgres://sql-{region}.acme.example/app/public.plans", "", "into", "in another store"},
		"by what nobody checks": {totals, "user_id", "by[0]", "could be of one person"},
	} {
		_, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": summing(c.into, c.by)}))
		if !told(problems, "entries[1].fields[3]."+c.key, c.what) {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// TestElsewhere: a deployment lists and sweeps the stores of its own regions, and says which are not.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	of := func(text string) *datamap.Map {
		t.Helper()
		m, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": text, "tenants.yaml": strings.Replace(tenants, "country: DE", "region: europe-west3, country: DE", 1)}))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return m
	}
	all, m := of(good), of(with(t, "identifiers:\n", "regions: [europe-west1]\nidentifiers:\n"))
	if m.Away("europe-west1") || !m.Away("europe-west3") || all.Away("europe-west3") {
		t.Error("which regions are away")
	}
	if m.Digest() == all.Digest() {
		t.Error("the digest does not tell the regions")
	}
	here, away := m.Stores(), 0
	for _, store := range all.Stores() {
		if m.Elsewhere(store) == slices.Contains(here, store) {
			t.Errorf("%s is here and elsewhere, or neither", store)
		}
		if m.Elsewhere(store) {
			away++
		}
	}
	if away == 0 || all.Elsewhere(here[0]) {
		t.Errorf("%d stores are elsewhere", away)
	}
	var there []string
	for _, store := range all.Stores() {
		there = append(there, strings.TrimRight(erasure.Bare(store), "/"))
	}
	if got := m.Strange(append(there, "gcs://nobodys"), looked); !slices.Equal(got, []string{"gcs://nobodys"}) {
		t.Errorf("strange to a deployment of one region are %v", got)
	}
}
