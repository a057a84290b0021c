package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/terraform/plan"
)

func TestInUnion(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]bool{
		"europe-west1": true, "EUROPE-WEST4": true, "europe-southwest1": true, "europe-west1-b": true, "eur3": true, "EU": true, "projects/p/regions/europe-west9": true,
		"europe-west2": false, "europe-west6": false, "europe-west2-a": false, "EUROPE-WEST6": false, "us-central1": false, "nam5": false, "global": false, "US": false, "me-west1": false, "eur6": false,
	} {
		if inUnion(place) != want {
			t.Errorf("%s is in the Union: %v", place, !want)
		}
	}
}

func TestManifests(t *testing.T) {
	t.Parallel()
	for what, tree := range map[string]fstest.MapFS{
		"no manifest": {}, "one that is none": {"functions/a/b/function.json": {Data: []byte("[")}},
	} {
		if _, err := Manifests(tree); err == nil {
			t.Errorf("%s was read", what)
		}
		if _, err := Load(tree, "org", nil); err == nil {
			t.Errorf("%s was loaded", what)
		}
	}
}

// TestRoomForRoles: a project with more roles than fit is told of before IAM says so halfway through an apply.
func TestRoomForRoles(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{mostRoles: 0, mostRoles + 1: 1} {
		p := &plan.Plan{}
		for i := range n {
			p.Resources = append(p.Resources, &plan.Resource{Type: customOwn, Values: map[string]any{"project": "p", "role_id": fmt.Sprintf("ostiary.role%d", i)}})
		}
		rule := Rule{"custom-role", "", "", customRole}
		if v := rule.Check(Input{Folder: "org", Plan: p}); len(v.Problems) != want || v.Seen != n {
			t.Errorf("%d roles: %v", n, v.Problems)
		}
	}
}

// TestArmorVersions: whatever keeps rules of Cloud Armor is kept from the versions of the provider that plan no change where such a
// rule was edited.
func TestArmorVersions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(top, "terraform", "modules", "*", "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), `resource "google_compute_security_policy"`) {
			continue
		}
		found++
		versions, err := os.ReadFile(filepath.Join(filepath.Dir(file), "versions.tf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"7.37.0", "7.38.0", "7.39.0", "7.40.0", "7.41.0"} {
			if !strings.Contains(string(versions), "!= "+bad) {
				t.Errorf("%s keeps a policy of Cloud Armor, and its versions.tf takes version %s of the provider", file, bad)
			}
		}
	}
	if found == 0 {
		t.Error("no module keeps a policy of Cloud Armor")
	}
}

// TestFurthest: how far back an expression looks is told in each unit, and of each window.
func TestFurthest(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{
		"x": 0, "x[900s]": 900, "x[30m] + x[1h]": 3600, "x[2d] offset 3d": 2 * 86400, "x[1w:5m]": 7 * 86400, `x{a="b"}[23h]`: 23 * 3600, "x[99999999999999999999s]": longest + 1,
	} {
		if have := furthest(windows, query); have != want {
			t.Errorf("%s: %d, want %d", query, have, want)
		}
	}
	if have := furthest(offsets, "x[2d] offset 3d"); have != 3*86400 {
		t.Errorf("an offset of three days is %d", have)
	}
}
