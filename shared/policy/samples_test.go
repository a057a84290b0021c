package policy_test

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

func TestEveryFolderLoads(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(policies.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			p := load(t, policies.FS, folder.Name())
			rules, problems := access.ReadRules(p)
			for _, problem := range problems {
				t.Error(problem)
			}
			if !rules.On {
				t.Error("the access control is off")
			}
			host := regexp.MustCompile(`[a-z0-9.-]+@([a-z0-9.-]+)|https?://([a-z0-9.-]+)`)
			for name, data := range p.Packed() {
				for _, found := range host.FindAllStringSubmatch(string(data), -1) {
					if !strings.HasSuffix(found[1]+found[2], ".example") {
						t.Errorf("%s names %s, a host that somebody may own", name, found[0])
					}
				}
			}
		})
	}
}

func TestStarterStandsAlone(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	if err := os.CopyFS(filepath.Join(parent, "acme"), policies.Starter()); err != nil {
		t.Fatal(err)
	}
	p := load(t, os.DirFS(parent), "acme")
	if p.Company.Extends != "" || len(p.Gateways) != 1 {
		t.Errorf("the starter extends %q and has %d gateways", p.Company.Extends, len(p.Gateways))
	}
	if err := os.CopyFS(filepath.Join(parent, "acme"), policies.Starter()); err == nil {
		t.Error("copying twice overwrote what somebody had edited")
	}
}

// seeds says which rows of the table each folder must hold, by the first letter of the id.
var seeds = map[string]string{"sharedcontacts": "FD"}

func TestFoldersHoldThePublishedPromises(t *testing.T) {
	t.Parallel()
	rows := table(t)
	for folder, letters := range seeds {
		p := load(t, policies.FS, folder)
		left := map[string]bool{}
		for _, promise := range p.Promises {
			left[promise.ID] = true
		}
		for _, row := range rows {
			if !strings.Contains(letters, row["id"][:1]) {
				continue
			}
			promise, found := p.Promise(row["id"])
			if !found {
				t.Errorf("%s: %s is missing", folder, row["id"])
				continue
			}
			delete(left, row["id"])
			compare(t, p, promise, row)
		}
		for id := range left {
			t.Errorf("%s: %s is in no row", folder, id)
		}
	}
}

func compare(t *testing.T, p *policy.Policy, promise policy.Promise, row map[string]string) {
	t.Helper()
	got := map[string]string{
		"check": promise.Check, "severity": string(promise.Severity), "file": promise.Source.File,
		"section": promise.Source.Section, "params": params(promise),
	}
	want := map[string]string{
		"check": row["control"], "severity": row["severity"], "file": row["seed"], "section": row["section"],
		"params": sorted(row["params"]),
	}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s: %s is %q, the table says %q", promise.ID, key, got[key], want[key])
		}
	}
	for _, language := range []string{"en", "fr", "de"} {
		if quoted := promise.Text.In(language) != ""; quoted != (language == row["lang"]) {
			t.Errorf("%s: quoted in %s: %v, published in %s", promise.ID, language, quoted, row["lang"])
		}
	}
	if len(promise.KeptBy) == 0 {
		t.Errorf("%s: kept by nothing", promise.ID)
	}
	// A row may be the same as one of another company; then the rows of this company that share it are joined.
	same, here := p.Promise(row["same_as"])
	if here && promise.SameAs != same.ID {
		t.Errorf("%s: same_as is %q, the table says %q", promise.ID, promise.SameAs, same.ID)
	}
	if !here && promise.SameAs != "" && row["same_as"] == "" {
		t.Errorf("%s: same_as is %q, the table says none", promise.ID, promise.SameAs)
	}
}

// TestEqualRowsAreJoined: rows of one company that are the same as one row elsewhere are one group.
func TestEqualRowsAreJoined(t *testing.T) {
	t.Parallel()
	for folder, letters := range seeds {
		p := load(t, policies.FS, folder)
		groups := map[string][]string{}
		for _, row := range table(t) {
			if _, here := p.Promise(row["same_as"]); !here && row["same_as"] != "" && strings.Contains(letters, row["id"][:1]) {
				groups[row["same_as"]] = append(groups[row["same_as"]], row["id"])
			}
		}
		for _, ids := range groups {
			for _, id := range ids[1:] {
				if promise, _ := p.Promise(id); promise.SameAs != ids[0] {
					t.Errorf("%s: %s is the same as %s, not as %q", folder, id, ids[0], promise.SameAs)
				}
			}
		}
	}
}

func TestAccessKeepsItsPromises(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "sharedcontacts")
	for id, check := range map[string]string{"D23": "ip-allowlist", "D24": "ip-daily", "D25": "otp-gate"} {
		promise, _ := p.Promise(id)
		if !slices.ContainsFunc(promise.KeptBy, func(k policy.Keeper) bool {
			return k.Mechanism == policy.Records && slices.Equal(k.Refs, []string{check})
		}) {
			t.Errorf("%s is kept by %v, not by records of %s", id, promise.KeptBy, check)
		}
	}
	for _, role := range []policy.Role{policy.Employee, policy.Manager, policy.Security, policy.DPO, policy.OnCall, policy.Auditor, policy.Owner} {
		if !slices.ContainsFunc(p.People, func(person policy.Person) bool { return person.Has(role) }) {
			t.Errorf("nobody has the role %s", role)
		}
	}
}

// table reads promises.csv, one map a row.
func table(t *testing.T) []map[string]string {
	t.Helper()
	f, err := os.Open("../../testdata/policies/promises.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// params returns the parameters in the table's form, sorted.
func params(p policy.Promise) string {
	var all []string
	for name, param := range p.Params {
		op := param.Op
		if op == "" {
			op = "="
		}
		all = append(all, name+op+strings.Join(param.Values, ","))
	}
	return sorted(strings.Join(all, ";"))
}

func sorted(params string) string {
	all := strings.Split(params, ";")
	slices.Sort(all)
	return strings.Join(all, ";")
}
