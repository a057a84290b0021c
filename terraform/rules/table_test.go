package rules

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRightsTable: the table of rights in the page about deploying is what the plans of an environment and of the organization
// grant to functions, and to nobody beside: it is generated from the manifests, and read here against the plans. What a company's data
// map, its doors and its directory bring is in the table wherever it is.
func TestRightsTable(t *testing.T) {
	t.Parallel()
	all := plans(t)
	table := readRights(t, filepath.Join(top, "docs", "deploying.md"))
	granted := map[string][]string{}
	for _, folder := range []string{"environments/staging", "org"} {
		in, err := Load(os.DirFS(top), folder, all[folder])
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(granted, grantedIn(in))
	}
	for _, at := range slices.Sorted(maps.Keys(granted)) {
		have := slices.Sorted(slices.Values(granted[at]))
		if strings.HasSuffix(at, " assets") { // split by where it is looked at
			for _, permission := range have {
				if !slices.Contains(table[at], permission) {
					t.Errorf("%s: the plan gives %s, and the table does not tell", at, permission)
				}
			}
			continue
		}
		if !slices.Equal(have, table[at]) {
			t.Errorf("%s: the plan gives %v, and the table says %v", at, have, table[at])
		}
	}
	for _, at := range slices.Sorted(maps.Keys(table)) {
		_, on, _ := strings.Cut(at, " ")
		elsewhere := on == "directory" || strings.HasPrefix(on, "data:") || strings.HasPrefix(on, "door:")
		if granted[at] == nil && !elsewhere {
			t.Errorf("%s: the table says %v, and no plan gives it", at, table[at])
		}
	}
	if len(table) == 0 {
		t.Error("the table is empty: make generate")
	}
}

// readRights are the rows of the table: permissions by member and resource.
func readRights(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "<!-- begin rights -->\n")
	rows, _, closed := strings.Cut(rest, "<!-- end rights -->")
	if !found || !closed || strings.TrimSpace(rows) == "" {
		t.Fatalf("%s has no table of rights: make generate", file)
	}
	table := map[string][]string{}
	for i, row := range strings.Split(strings.TrimSpace(rows), "\n") {
		cells := strings.Split(strings.ReplaceAll(row, "`", ""), " | ")
		if len(cells) != 3 {
			t.Fatalf("%q is no row of three cells", row)
		}
		if i < 2 {
			continue // the head
		}
		at := strings.TrimPrefix(cells[0], "| ") + " " + cells[1]
		if table[at] != nil {
			t.Errorf("%s is there twice", at)
		}
		table[at] = strings.Split(strings.TrimSuffix(cells[2], " |"), ", ")
	}
	return table
}

// grantedIn is what a plan grants: permissions, or a role of Google's, by member and resource in the words of manifests.
func grantedIn(in Input) map[string][]string {
	words := map[string]Right{} // by the id of the role
	for _, m := range in.Manifests {
		for _, right := range slices.Concat(m.rights(false), m.rights(true)) {
			words[right.roleID()] = right
		}
	}
	granted := map[string][]string{}
	for _, r := range in.members() {
		for _, role := range in.customs(r) {
			id := role.Text("role_id")
			if name, found := strings.CutSuffix(id, ".above"); found {
				id = name + ".assets"
			}
			environment, _ := in.Plan.Variables["environment"].(string)
			id = strings.TrimSuffix(id, "_"+environment)
			if right, known := words[id]; known {
				at := "fn-" + right.Function + " " + right.On
				granted[at] = slices.Compact(slices.Sorted(slices.Values(append(granted[at], role.Texts("permissions")...))))
			}
		}
		if r.Type == invokes {
			m, _ := in.manifest(r.Text("service"))
			who := map[string]string{"staff": "the agent of IAP", "public": "everybody", "service": "the company's service_members", "machine": "in-" + m.Name}[m.Callers]
			granted[who+" function:"+m.Name] = []string{r.Text("role")}
		}
	}
	return granted
}

// TestEnvironmentsAreAlike: what staging is tried with is what live runs: the same files, byte for byte, and so the same resources.
func TestEnvironmentsAreAlike(t *testing.T) {
	t.Parallel()
	read := func(environment string) map[string]string {
		files, err := filepath.Glob(filepath.Join(top, "terraform", "environments", environment, "*.tf"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no configuration of %s: %v", environment, err)
		}
		texts := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[filepath.Base(file)] = string(text)
		}
		return texts
	}
	staging, live := read("staging"), read("live")
	for _, name := range slices.Sorted(maps.Keys(staging)) {
		if staging[name] != live[name] {
			t.Errorf("%s is not the same in both environments: what differs belongs into their variables", name)
		}
	}
	for name := range live {
		if _, both := staging[name]; !both {
			t.Errorf("live has %s, and staging has not", name)
		}
	}
}

// TestPlansAreAlike: both environments plan the same resources, whatever their variables say of them.
func TestPlansAreAlike(t *testing.T) {
	t.Parallel()
	all := plans(t)
	kinds := func(folder string) map[string]bool {
		in, err := Load(os.DirFS(top), folder, all[folder])
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, r := range in.Plan.Resources {
			found[r.Module+" "+r.Type+"."+r.Name] = true
		}
		return found
	}
	staging, live := kinds("environments/staging"), kinds("environments/live")
	for _, pair := range []struct {
		one, other map[string]bool
		name       string
	}{{staging, live, "live"}, {live, staging, "staging"}} {
		for _, kind := range slices.Sorted(maps.Keys(pair.one)) {
			if !pair.other[kind] {
				t.Errorf("%s plans no %s: give the same parts in the ci.tfvars of both", pair.name, kind)
			}
		}
	}
}
