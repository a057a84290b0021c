package datamap_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

var looked = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// TestIgnored: a store that somebody has looked into is not strange until the day on which somebody has to look again, and no
// longer than such a look counts.
func TestIgnored(t *testing.T) {
	t.Parallel()
	const own = "postgres://sql.acme.example/postgres"
	text := good + "ignored:\n  - {store: \"" + own + "\", why: \"the server's own; looked into by Ada\", review: 2026-09-30}\n"
	m := read(t, text)
	for day, strange := range map[time.Time]bool{
		looked: false, time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC): false, time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC): true, looked.AddDate(-1, 0, 0): true,
	} {
		if got := m.Strange([]string{own, "postgres://sql.acme.example/other"}, day); slices.Contains(got, own) != strange || !slices.Contains(got, "postgres://sql.acme.example/other") {
			t.Errorf("on %s strange are %v", day, got)
		}
	}
	if regions := read(t, strings.Replace(text, "sql.acme", "sql-{region}.acme", 1)).Ignored; len(regions) != 1 || regions[0].Store != "postgres://sql-europe-west1.acme.example/postgres" {
		t.Errorf("in each region: %+v", regions)
	}
	if read(t, good).Digest() == m.Digest() {
		t.Error("a plan does not know that a store was left out")
	}
	for _, c := range []struct{ from, to, key string }{
		{own, "postgres://u@sql.acme.example/postgres", "ignored[0].store"}, {own, "the database", "ignored[0].store"}, {own, "gcs://acme-files", "ignored[0].store"},
		{"looked into by Ada", "", "ignored[0].why"}, {", review: 2026-09-30", "", "ignored[0].review"},
	} {
		spoilt := strings.Replace(text, c.from, c.to, 1)
		if c.key == "ignored[0].why" {
			spoilt = strings.Replace(text, "the server's own; looked into by Ada", "ours", 1)
		}
		if _, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": spoilt})); len(problems) != 1 || problems[0].Key != c.key {
			t.Errorf("%q: problems %v", c.to, problems)
		}
	}
}

// TestStrange: a bucket or database that no line of the map is about is strange; one that an entry is in, that holds no
// personal data or that lies outside is not. All live projects are looked at.
func TestStrange(t *testing.T) {
	t.Parallel()
	p, _, err := policy.Load(policies.FS, "sharedcontacts")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Read(p)
	if m == nil {
		t.Fatal(problems)
	}
	around := m.Around()
	if !slices.Contains(around, "firestore://sharedcontacts-live") || !slices.Contains(around, "gcs://sharedcontacts-live") {
		t.Errorf("looked at are %v", around)
	}
	there := []string{
		"firestore://sharedcontacts-live/contacts-europe-west1", "gcs://sharedcontacts-files-europe-west1", "gcs://sharedcontacts-site",
		"firestore://sharedcontacts-live/ledger", "firestore://sharedcontacts-live/contacts", "gcs://sharedcontacts-files", "gcs://backups-of-somebody",
	}
	want := []string{"firestore://sharedcontacts-live/contacts", "gcs://backups-of-somebody", "gcs://sharedcontacts-files"}
	if got := m.Strange(there, looked); !slices.Equal(got, want) {
		t.Errorf("strange are %v, want %v", got, want)
	}
}
