package house

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/store"
)

var updateIndexes = flag.Bool("update-indexes", false, "write anew what Terraform's tests hold the indexes against")

// wantedIndexes is what Firestore has to be told so that queries work and what has ended goes: composite indexes, and collections
// with a time-to-live policy on the field that ends a document. Fields one by one it indexes itself.
type wantedIndexes struct {
	Indexes []string `json:"indexes"` // such as "access/leases: person ASCENDING, until DESCENDING"
	Expires []string `json:"expires"` // such as "access/leases"
}

// keptCollections is what the functions say they keep, by database: functions/indexes.json, which is generated from their code.
type keptCollections map[string][]struct {
	Collection string     `json:"collection"`
	Expires    bool       `json:"expires"`
	Indexes    [][]string `json:"indexes"`
}

// want works out what queries on the declared indexes ask of Firestore. A query compares every field but perhaps the last, and
// orders by the last and then by the document's name, both the same way; Firestore appends the name in the direction of the
// last field, and walks no index backwards. So one that orders needs an index each way, and the ascending one serves the query
// that only compares.
func (k keptCollections) want() wantedIndexes {
	w := wantedIndexes{Indexes: []string{}, Expires: []string{}}
	for database, collections := range k {
		for _, c := range collections {
			place := database + "/" + c.Collection
			if c.Expires {
				w.Expires = append(w.Expires, place)
			}
			for _, fields := range c.Indexes {
				if len(fields) < 2 {
					continue
				}
				last := len(fields) - 1
				for _, way := range []string{"ASCENDING", "DESCENDING"} {
					var parts []string
					for _, equal := range fields[:last] {
						parts = append(parts, equal+" ASCENDING")
					}
					w.Indexes = append(w.Indexes, place+": "+strings.Join(append(parts, fields[last]+" "+way), ", "))
				}
			}
		}
	}
	slices.Sort(w.Indexes)
	slices.Sort(w.Expires)
	return w
}

// expectedIndexes is what Terraform's own test holds the planned resources of the module against.
const expectedIndexes = "terraform/modules/platform/tests/indexes.json"

// TestQueriesHaveIndexes: what Terraform is held to is what the queries in the code need. A query that declares no index is
// refused by every store (storetest); what is declared is listed in functions/indexes.json (functions/internal/generate); here
// it becomes what Firestore needs; and terraform/modules/platform/tests/indexes.tftest.hcl finds exactly that in the plan.
func TestQueriesHaveIndexes(t *testing.T) {
	t.Parallel()
	var k keptCollections
	decodeJSON(t, "functions/indexes.json", &k)
	want := k.want()
	if len(want.Indexes) == 0 || len(want.Expires) == 0 {
		t.Fatal("functions/indexes.json names no index, or nothing that ends")
	}
	if *updateIndexes {
		text, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, expectedIndexes), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var have wantedIndexes
	decodeJSON(t, expectedIndexes, &have)
	if !slices.Equal(have.Indexes, want.Indexes) || !slices.Equal(have.Expires, want.Expires) {
		t.Errorf("%s holds Terraform to %v, the queries need %v: go test ./functions/internal/house -run TestQueriesHaveIndexes -update-indexes", expectedIndexes, have, want)
	}
	text, err := os.ReadFile(filepath.Join(root, "terraform/modules/platform/tests/indexes.tftest.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, needed := range []string{`jsondecode(file("tests/indexes.json")).indexes`, `jsondecode(file("tests/indexes.json")).expires`, `jsondecode(file("../../../functions/indexes.json"))`, `google_firestore_index.query`, `google_firestore_field.expires`} {
		if !strings.Contains(string(text), needed) {
			t.Errorf("the module's test does not read %s: nothing holds the plan to the queries", needed)
		}
	}
}

// TestWantedIndexes: each way for what is ranged over, nothing for a field alone.
func TestWantedIndexes(t *testing.T) {
	t.Parallel()
	var k keptCollections
	if err := json.Unmarshal([]byte(`{"watch":[{"collection":"a","expires":true,"indexes":[["x"],["x","y"],["x","y","z"]]},{"collection":"b","expires":false,"indexes":[]}]}`), &k); err != nil {
		t.Fatal(err)
	}
	got := k.want()
	want := []string{
		"watch/a: x ASCENDING, y ASCENDING", "watch/a: x ASCENDING, y ASCENDING, z ASCENDING", "watch/a: x ASCENDING, y ASCENDING, z DESCENDING", "watch/a: x ASCENDING, y DESCENDING",
	}
	if !slices.Equal(got.Indexes, want) || !slices.Equal(got.Expires, []string{"watch/a"}) {
		t.Errorf("got %v", got)
	}
}

// TestNoIndexOnEnds: the field that ends documents is kept out of all indexes in Firestore, so that no query may use one.
func TestNoIndexOnEnds(t *testing.T) {
	t.Parallel()
	var k keptCollections
	decodeJSON(t, "functions/indexes.json", &k)
	for database, collections := range k {
		for _, c := range collections {
			for _, fields := range c.Indexes {
				if slices.Contains(fields, store.ExpiresField) {
					t.Errorf("%s/%s has an index on %s, which Firestore does not make", database, c.Collection, store.ExpiresField)
				}
			}
		}
	}
}

// collectionsGiven is how an environment hands the list on.
var collectionsGiven = regexp.MustCompile(`(?m)^\s*collections\s*=\s*jsondecode\(file\("[^"\n]*/indexes\.json"\)\)$`)

// TestEnvironmentsHandIndexesOn: every environment gives the module the list of this repository, as it is.
func TestEnvironmentsHandIndexesOn(t *testing.T) {
	t.Parallel()
	given := 0
	for folder, text := range terraformFolders(t) {
		if filepath.Dir(folder) != "environments" {
			continue
		}
		if given++; !strings.Contains(text, `"../../modules/platform"`) || !collectionsGiven.MatchString(text) {
			t.Errorf("terraform/%s: module platform is not given functions/indexes.json as it is", folder)
		}
	}
	if given == 0 {
		t.Error("there is no environment")
	}
}

func decodeJSON(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
