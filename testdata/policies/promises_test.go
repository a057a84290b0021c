package policies_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/probe"
	"ostiary.internal/testdata/policies"
)

// published says which rows of the table a folder holds, by the first letter of the id.
var published = map[string]string{"labelsync": "L", "sharedcontacts": "FD", "bookafy": "B", "bepark": "P"}

func TestFoldersHoldThePublishedPromises(t *testing.T) {
	t.Parallel()
	rows := table(t)
	pages, held := map[string]string{}, 0
	for folder, letters := range published {
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
			held++
			if !slices.Contains(policy.Checks(), row["control"]) {
				t.Errorf("%s: %s is no check of the house", row["id"], row["control"])
			}
			delete(left, row["id"])
			compare(t, promise, row)
			if pages[row["seed"]] == "" {
				pages[row["seed"]] = page(t, row["seed"])
			}
			if text := promise.Text.In(row["lang"]); text == "" || !strings.Contains(pages[row["seed"]], plain(text)) {
				t.Errorf("%s: %s does not say %q", promise.ID, row["seed"], text)
			}
		}
		for id := range left {
			t.Errorf("%s: %s is in no row", folder, id)
		}
	}
	if held != len(rows) || held != 286 {
		t.Errorf("the folders hold %d of %d rows", held, len(rows))
	}
}

func compare(t *testing.T, promise policy.Promise, row map[string]string) {
	t.Helper()
	got := map[string]string{
		"check": promise.Check, "severity": string(promise.Severity), "file": promise.Source.File,
		"section": promise.Source.Section, "params": params(promise, row["params"]),
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
}

// mayKeep says which mechanisms can keep a promise of each kind. Records stand for checks that see what no rule,
// assertion or probe of ours can: tests, backups, scans, counts inside a database. A set-up that is a document is
// looked after by a duty; a sentence made of others by a rollup.
var mayKeep = map[string][]policy.Mechanism{
	"automatable-event":     {policy.Rule, policy.Assertion, policy.Records},
	"automatable-config":    {policy.Assertion, policy.Probe, policy.Records, policy.Duty, policy.Rollup},
	"automatable-workflow":  {policy.Duty, policy.Records},
	"attestation-only":      {policy.Statement, policy.Certificate, policy.Rollup, policy.Probe},
	"out-of-scope-physical": {policy.Certificate},
}

func TestEachKindIsKeptByWhatCanKeepIt(t *testing.T) {
	t.Parallel()
	rows := table(t)
	for folder := range published {
		p := load(t, policies.FS, folder)
		for _, row := range rows {
			promise, found := p.Promise(row["id"])
			if found && len(promise.KeptBy) == 0 {
				t.Errorf("%s: kept by nothing", promise.ID)
			}
			for _, k := range promise.KeptBy {
				if !slices.Contains(mayKeep[row["kind"]], k.Mechanism) {
					t.Errorf("%s: %s cannot keep a promise that is %s", promise.ID, k.Mechanism, row["kind"])
				}
				if k.Mechanism == policy.Records && !slices.Equal(k.Refs, []string{promise.Check}) {
					t.Errorf("%s: records of %v cannot show what %s checks", promise.ID, k.Refs, promise.Check)
				}
			}
		}
	}
}

// TestReferences: whatever a promise refers to has an owner who lists it. Rules and assertions may not run yet.
func TestReferences(t *testing.T) {
	t.Parallel()
	var checks []string
	for _, row := range table(t) {
		checks = append(checks, row["control"])
	}
	for _, folder := range folders(t) {
		p := load(t, policies.FS, folder)
		rules, _ := duty.ReadRules(p)
		var duties []string
		for _, d := range rules.Duties {
			duties = append(duties, d.ID)
		}
		told(t, p.References(map[policy.Mechanism][]string{
			policy.Duty: duties, policy.Certificate: duties, policy.Records: checks,
		}))
		told(t, probe.Check(p))
	}
}

// TestEqualPromisesAreJoined: the groups of a folder are those of the table, within the company; over all companies
// the table leaves 181 different promises.
func TestEqualPromisesAreJoined(t *testing.T) {
	t.Parallel()
	rows := table(t)
	groups := map[string]string{}
	for _, row := range rows {
		groups[row["id"]] = row["id"]
		if row["same_as"] != "" {
			groups[row["id"]] = row["same_as"]
		}
	}
	different := map[string]bool{}
	for id, first := range groups {
		if groups[first] != first {
			t.Errorf("%s is the same as %s, which is the same as yet another", id, first)
		}
		different[first] = true
	}
	if len(different) != 181 {
		t.Errorf("%d different promises", len(different))
	}
	for folder, letters := range published {
		p := load(t, policies.FS, folder)
		first := map[string]string{} // the row that stands for a group here
		for _, row := range rows {
			if _, here := p.Promise(groups[row["id"]]); here {
				first[groups[row["id"]]] = groups[row["id"]]
			} else if group := groups[row["id"]]; first[group] == "" && strings.Contains(letters, row["id"][:1]) {
				first[group] = row["id"]
			}
		}
		for _, promise := range p.Promises {
			want := first[groups[promise.ID]]
			if want == promise.ID {
				want = ""
			}
			if promise.SameAs != want {
				t.Errorf("%s: %s is the same as %q, the table says %q", folder, promise.ID, promise.SameAs, want)
			}
		}
	}
}

func TestAccessKeepsItsPromises(t *testing.T) {
	t.Parallel()
	for folder, ids := range map[string][3]string{"sharedcontacts": {"D23", "D24", "D25"}, "labelsync": {"L22", "L23", "L24"}} {
		p := load(t, policies.FS, folder)
		for i, check := range []string{"ip-allowlist", "ip-daily", "otp-gate"} {
			promise, _ := p.Promise(ids[i])
			if i > 0 && len(promise.KeptBy) != 1 || promise.KeptBy[0].Mechanism != policy.Records || promise.KeptBy[0].Refs[0] != check {
				t.Errorf("%s: %s is kept by %v, not by records of %s", folder, ids[i], promise.KeptBy, check)
			}
		}
	}
}

// table reads promises.csv, one map a row.
func table(t *testing.T) []map[string]string {
	t.Helper()
	f, err := os.Open("promises.csv")
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

// page returns a published page in plain form.
func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "pages", name))
	if err != nil {
		t.Fatal(err)
	}
	return plain(string(data))
}

// plain makes every run of spaces and line breaks one space.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// own are the parameters that folders add: what a probe looks at, which suite, analysis or scan a promise takes, and what
// of the sentence the table's column of checks says in words.
var own = []string{"targets", "suite", "scope", "kind", "scopes", "before_live", "after_live", "size_off", "delay"}

// params returns the parameters in the table's form, sorted; without those the folder adds to the table's.
func params(p policy.Promise, table string) string {
	var all []string
	for name, param := range p.Params {
		op := param.Op
		if op == "" {
			op = "="
		}
		if listed := regexp.MustCompile(`(^|;)` + name + `[^a-z_]`).MatchString(table); listed || !slices.Contains(own, name) {
			all = append(all, name+op+strings.Join(param.Values, ","))
		}
	}
	return sorted(strings.Join(all, ";"))
}

func sorted(params string) string {
	all := strings.Split(params, ";")
	slices.Sort(all)
	return strings.Join(all, ";")
}
