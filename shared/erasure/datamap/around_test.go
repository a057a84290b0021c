package datamap_test

import (
	"slices"
	"testing"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

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
	if got := m.Strange(there); !slices.Equal(got, want) {
		t.Errorf("strange are %v, want %v", got, want)
	}
}
