package baseline

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

const good = `
what: {en: a, fr: b, de: c}
asset: [sqladmin.googleapis.com/Instance]
when: live
least: 1
params: {days: {from: pitr, is: days, default: P7D}}
assert: [number(data.days) >= params.days, data.on]
severity: high
tests:
  - {name: a, want: in_order, asset: {name: instances/a, data: {days: 7, "on": true}}}
  - {name: b, want: out_of_order, asset: {name: instances/a, data: {days: "6", "on": true}}}
  - {name: c, want: undetermined, asset: {name: instances/a, data: {"on": true}}}
`

// load is a policy of two promises with one assertion, kept.
func load(t *testing.T, assertion string, promises ...string) *policy.Policy {
	t.Helper()
	if len(promises) == 0 {
		promises = []string{`{id: P1, check: c, severity: high, text: {en: x}, source: {file: f, section: s}, params: {pitr: ">=P30D"}, kept_by: [{assertion: kept}]}`}
	}
	files := map[string]string{
		"x/company.yaml":       "company: {name: Company, domains: [company.example], zone: Europe/Paris, country: FR, languages: [en], environments: [{id: live, project: acme-live, kind: live}, {id: staging, project: acme-staging, kind: staging}]}",
		"x/people.yaml":        "people: [{id: anna, email: anna@company.example, name: Anna, roles: [owner], zone: Europe/Paris, language: en}]",
		"x/promises/all.yaml":  "promises:\n  - " + strings.Join(promises, "\n  - "),
		"x/baseline/kept.yaml": assertion,
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
	}
	p, problems, err := policy.Load(fsys, "x")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return p
}

func TestGood(t *testing.T) {
	t.Parallel()
	p := load(t, good)
	if problems := Lint(p); len(problems) > 0 {
		t.Fatal(problems)
	}
	s, problems := Load(p)
	if len(problems) > 0 || !slices.Equal(s.Names(), []string{"kept"}) || !slices.Equal(s.Types(), []string{"sqladmin.googleapis.com/Instance"}) {
		t.Fatal(s.Names(), s.Types(), problems)
	}
	if again, _ := Load(p); again != s {
		t.Error("the same policy was compiled twice")
	}
}

// Every mistake is told with its place.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for was, c := range map[string]struct{ is, want string }{
		"severity: high": {"severity: bad", "severity"}, "asset: [sqladmin.googleapis.com/Instance]": {"asset: [Instance]", "no type of asset"},
		"fr: b": {`fr: ""`, "is not said in fr"}, "when: live": {"when: live +", "does not compile"}, "assert: [number(data.days) >= params.days, data.on]": {"assert: []", "asserts nothing"},
		"data.on]": {"'\"text\"']", "gives string"}, "is: days": {"is: weeks", "no sort of value"}, "default: P7D": {"default: 7", "no length of time"}, "least: 1": {"least: -1", "counts nothing"},
		"want: in_order": {"want: out_of_order", "is in_order"}, "days: 7,": {"days: {},", "is undetermined"}, "name: instances/a, data: {days: 7": {"data: {days: 7", "no name"}, "live\n": {"strange\n", "undeclared"},
		"params.days, data.on]": {"params.days, data.on, 'data.list.all(x, x)']", "always there"}, "[number(data.days)": {"['assets(data.kind).all(a, true)', number(data.days)", "not written out"}, ", data.on]": {", data.on, size(data.list) > 0]", "always there"},
	} {
		text := strings.Replace(good, was, c.is, 1)
		if text == good {
			t.Fatalf("%q: nothing was changed", was)
		}
		problems := Lint(load(t, text))
		if !slices.ContainsFunc(problems, func(p policy.Problem) bool {
			return strings.Contains(p.String(), c.want) && strings.Contains(p.String(), "baseline/kept.yaml:")
		}) {
			t.Errorf("%q instead of %q: %v", c.is, was, problems)
		}
	}
	other := `{id: P1, check: c, severity: high, text: {en: x}, source: {file: f, section: s}, kept_by: [{duty: d}]}`
	if s, problems := Load(load(t, good, other)); len(problems) != 0 || len(s.Promised().Names()) != 0 || len(s.Promised().Types()) != 0 || len(s.Names()) != 1 {
		t.Errorf("what nobody promised: %v, %v", s.Promised().Names(), problems)
	}
	fits := `{id: P1, check: c, severity: high, text: {en: x}, source: {file: f, section: s}, params: {pitr: soon}, kept_by: [{assertion: kept}]}`
	if _, problems := Load(load(t, good, fits)); len(problems) != 1 || !strings.Contains(problems[0].String(), "no length of time") {
		t.Errorf("a promise that does not fit: %v", problems)
	}
}

func sql(project, name, data string) string {
	return fmt.Sprintf(`{"name":"//cloudsql.googleapis.com/projects/%s/instances/%s","assetType":"sqladmin.googleapis.com/Instance","resource":{"data":%s}}`, project, name, data)
}

func world(t *testing.T, lines ...string) *Live {
	t.Helper()
	v := asset.NewInventory()
	if len(lines) > 0 {
		for a, err := range asset.Decode(strings.NewReader(strings.Join(lines, "\n")), time.Unix(1772539200, 0), v.Names()) {
			if err != nil {
				t.Fatal(err)
			}
			v.Add(a)
		}
	}
	v.Settle()
	return &Live{Inventory: v, Now: time.Unix(1772539200, 0)}
}

func verdicts(all []Judgement) map[string]Verdict {
	out := map[string]Verdict{}
	for _, j := range all {
		out[strings.TrimSpace(asset.Base(j.Key)+" "+j.Promise)] = j.Verdict
	}
	return out
}

// Each promise is judged by its own parameters, and alike promises once.
func TestEachPromiseHasItsOwn(t *testing.T) {
	t.Parallel()
	promise := func(id, pitr string) string {
		return fmt.Sprintf(`{id: %s, check: c, severity: high, text: {en: x %s}, source: {file: f, section: s}, params: {%s}, kept_by: [{assertion: kept}]}`, id, id, pitr)
	}
	s, problems := Load(load(t, good, promise("P1", `pitr: ">=P30D"`), promise("P2", ""), promise("P3", `pitr: ">=P30D"`), promise("P4", `pitr: ">=P7D"`)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := verdicts(s.Scan(world(t, sql("acme-live", "a", `{"days":14,"on":true}`))))
	if want := map[string]Verdict{"a P1": OutOfOrder, "a": InOrder}; !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	s, _ := Load(load(t, good))
	for name, c := range map[string]struct {
		lines []string
		want  map[string]Verdict
	}{
		"in order":                 {[]string{sql("acme-live", "a", `{"days":30,"on":true}`)}, map[string]Verdict{"a P1": InOrder}},
		"wrong beats not known":    {[]string{sql("acme-live", "a", `{"on":false}`)}, map[string]Verdict{"a P1": OutOfOrder}},
		"not known":                {[]string{sql("acme-live", "a", `{"days":30}`)}, map[string]Verdict{"a P1": Undetermined}},
		"staging alone is too few": {[]string{sql("acme-staging", "a", `{"days":1}`)}, map[string]Verdict{"a P1": Exempt, "": OutOfOrder}},
		"nothing was read":         {nil, map[string]Verdict{"": Undetermined}},
	} {
		if got := verdicts(s.Scan(world(t, c.lines...))); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	empty := world(t)
	empty.Read = func(string) bool { return true }
	if got := verdicts(s.Scan(empty)); !maps.Equal(got, map[string]Verdict{"": OutOfOrder}) {
		t.Errorf("there are none: %v", got)
	}
}

// What is out of order where only tests run weighs one step less; a project nobody knows is a live one.
func TestStagingWeighsLess(t *testing.T) {
	t.Parallel()
	s, _ := Load(load(t, strings.Replace(strings.Replace(good, "when: live\n", "", 1), "least: 1\n", "", 1)))
	for project, want := range map[string]policy.Severity{"acme-live": policy.High, "acme-staging": policy.Medium, "acme-other": policy.High} {
		if all := s.Scan(world(t, sql(project, "a", `{"on":false}`))); len(all) != 1 || all[0].Verdict != OutOfOrder || all[0].Severity != want {
			t.Errorf("%s: %+v", project, all)
		}
	}
}

// The company as a whole can be judged, and what an assertion looks for beside its own asset has to be read.
func TestCompany(t *testing.T) {
	t.Parallel()
	const two = `
what: {en: a, fr: b, de: c}
assert: ['assets("sqladmin.googleapis.com/Instance").filter(i, i.live).map(i, i.location).exists_one(l, within(l, ["EU"]))']
severity: low
tests:
  - {name: a, want: in_order, others: [{type: sqladmin.googleapis.com/Instance, name: instances/a, location: europe-west1, data: {}}]}
  - {name: b, want: out_of_order, others: [{type: sqladmin.googleapis.com/Instance}]}
  - {name: c, want: undetermined}
`
	p := load(t, two, `{id: P1, check: c, severity: high, text: {en: x}, source: {file: f, section: s}, kept_by: [{assertion: kept}]}`)
	if problems := Lint(p); len(problems) > 0 {
		t.Fatal(problems)
	}
	s, _ := Load(p)
	if !slices.Equal(s.Types(), []string{"sqladmin.googleapis.com/Instance"}) {
		t.Error(s.Types())
	}
	if got := s.Scan(world(t)); len(got) != 1 || got[0].Verdict != Undetermined || !strings.Contains(got[0].Why, "was read") {
		t.Errorf("%+v", got)
	}
}

// A day is as old as the oldest fact it rests on.
func TestAge(t *testing.T) {
	t.Parallel()
	s, _ := Load(load(t, good))
	l := world(t, sql("acme-live", "a", `{"days":30,"on":true}`))
	if got := s.Scan(l); len(got) != 1 || !got[0].Read.Equal(time.Unix(1772539200, 0)) {
		t.Errorf("%+v", got)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	names := asset.NewNames()
	names.Learn("1", "company-live")
	names.Learn("999", "other")
	w := company{Fixture(), names}
	const pools = "://iam.googleapis.com/projects/"
	for member, want := range map[string][3]bool{ // outside, human, machinery
		"user:ben@company.example": {false, true, false}, "user:x@gmail.com": {true, true, false}, "allUsers": {true, false, false}, "group:g@company.example": {false, true, false},
		"domain:other.example": {true, true, false}, "serviceAccount:a@company-live.iam.gserviceaccount.com": {false, false, false}, "serviceAccount:a@other.iam.gserviceaccount.com": {true, false, false},
		"serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com": {false, false, true}, "serviceAccount:1@cloudservices.gserviceaccount.com": {false, false, true},
		"serviceAccount:1-compute@developer.gserviceaccount.com": {false, false, false}, "serviceAccount:999-compute@developer.gserviceaccount.com": {true, false, false}, "serviceAccount:2-compute@developer.gserviceaccount.com": {true, false, false},
		"serviceAccount:company-live@appspot.gserviceaccount.com": {false, false, false}, "serviceAccount:evil@appspot.gserviceaccount.com": {true, false, false}, "serviceAccount:1@cloudbuild.gserviceaccount.com": {false, false, false},
		"serviceAccount:999@cloudbuild.gserviceaccount.com": {true, false, false}, "serviceAccount:x@evil.gserviceaccount.com": {true, false, false}, "serviceAccount:service-1@compute-system.iam.gserviceaccount.com": {false, false, true},
		"user:x@gcp-sa-pubsub.iam.gserviceaccount.com": {true, true, false}, "serviceAccount:company-live.svc.id.goog[n/s]": {false, false, false}, "serviceAccount:other.svc.id.goog[n/s]": {true, false, false},
		"principal" + pools + "1/locations/global/workloadIdentityPools/ci/subject/x": {false, false, false}, "principalSet" + pools + "999/locations/global/workloadIdentityPools/ci/*": {true, true, false},
		"principalSet" + pools + "company-live/locations/global/workloadIdentityPools/ci/group/g": {false, false, false}, "principalSet://iam.googleapis.com/locations/global/workforcePools/p/*": {true, true, false},
		"principalSet://goog/public:all": {true, true, false}, "principal://goog/subject/ben@company.example": {false, true, false}, "principal://goog/subject/x@gmail.com": {true, true, false},
		"projectOwner:company-live": {false, false, false}, "projectEditor:company-staging": {false, true, false}, "projectViewer:other": {true, true, false},
	} {
		if got := [3]bool{w.outside(member), w.human(member), machinery(member)}; got != want {
			t.Errorf("%s: outside, human, machinery %v", member, got)
		}
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		location, area string
		want           bool
	}{
		{"europe-west1", "EU", true}, {"EU", "EU", true}, {"europe-west2", "EU", false}, {"europe-west6-a", "EU", false}, {"europe-west3-c", "eu", true}, {"us-east1", "EU", false}, {"global", "EU", false},
		{"us-east1", "us", true}, {"US", "us", true}, {"nam5", "us", true}, {"europe-west1", "europe-west1", true}, {"europe-west10", "europe-west1", false}, {"australia-southeast1", "australia", true}, {"eur5", "EU", false},
	} {
		if got := within(c.location, []string{c.area}); got != c.want {
			t.Errorf("within(%q, %q) = %v", c.location, c.area, got)
		}
	}
}
