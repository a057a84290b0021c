package policy_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/policies"
)

func load(t testing.TB, folder fs.FS, dir string) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(folder, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
	return p
}

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestLookups(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "sharedcontacts")
	simone, ok := p.Person("Simone.Bernard@SharedContacts.example")
	if !ok || simone.ID != "simone" || !simone.Has(policy.Security) || simone.Has(policy.Owner) || simone.Location().String() != "Europe/Paris" {
		t.Errorf("found %+v, %v", simone, ok)
	}
	if again, ok := p.PersonByID("simone"); !ok || again.Email != simone.Email {
		t.Errorf("found %+v, %v by id", again, ok)
	}
	if service, ok := p.Service("bastion@services.sharedcontacts.example"); !ok || !service.MayCall("checkotp") || service.MayCall("enrolotp") {
		t.Errorf("found %+v, %v", service, ok)
	}
	if service, ok := p.ServiceByID("bastion"); !ok || service.ID != "bastion" {
		t.Errorf("found %+v, %v", service, ok)
	}
	if service, ok := p.ServiceByID("deployment"); !ok || !service.Deploys || service.MayCall("checkotp") {
		t.Errorf("found %+v, %v", service, ok)
	}
	if gateway, ok := p.Gateway("edge"); !ok || gateway.Header != "X-Real-Ip" || gateway.KeyRef != "gateway-edge" {
		t.Errorf("found %+v, %v", gateway, ok)
	}
	if source, ok := p.Source("people@services.sharedcontacts.example"); !ok || !slices.Contains(source.Promises, "D29") {
		t.Errorf("found %+v, %v", source, ok)
	}
	if tenant, ok := p.Tenant("northwind"); !ok || tenant.ContractHours != 0 || len(tenant.Contacts) != 1 ||
		tenant.Contacts[0].Webhook != "https://hooks.northwind.example/suppliers/breach" || tenant.Contacts[0].Verified.String() != "2026-02-02" {
		t.Errorf("found %+v, %v", tenant, ok)
	}
	for _, address := range []string{"klinikamsee.example", "Arzt@KlinikAmSee.example", "a@b@klinikamsee.example"} {
		if tenant, ok := p.TenantOf(address); !ok || tenant.ID != "klinik-am-see" {
			t.Errorf("%s is of %+v, %v", address, tenant, ok)
		}
	}
	promise, ok := p.Promise("D36")
	users, window := promise.Params["users"], promise.Params["window"]
	if n, err := users.Int(); !ok || err != nil || n != 3 || users.Op != ">=" || users.String() != ">=3" {
		t.Errorf("D36 counts %v users: %d, %v", users, n, err)
	}
	if period, err := window.Period(); err != nil || period.Clock != 15*time.Minute {
		t.Errorf("D36 looks at %v, %v", period, err)
	}
	inherited, _ := p.Promise("D19")
	if len(inherited.KeptBy) != 1 || inherited.KeptBy[0].Mechanism != policy.Rollup || len(inherited.KeptBy[0].Refs) != 4 {
		t.Errorf("D19 is kept by %v, not by what keeps F20", inherited.KeptBy)
	}
	for what, found := range map[string]bool{
		"person": second(p.Person("nobody@sharedcontacts.example")), "id": second(p.PersonByID("")), "service": second(p.Service("")),
		"gateway": second(p.Gateway("")), "promise": second(p.Promise("Z1")), "tenant": second(p.Tenant("")), "tenant of a subdomain": second(p.TenantOf("x.klinikamsee.example")), "tenant of nothing": second(p.TenantOf("")), "source": second(p.Source("")),
	} {
		if found {
			t.Errorf("found a %s that is not there", what)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestActive(t *testing.T) {
	t.Parallel()
	p := load(t, policies.FS, "sharedcontacts")
	aurel, _ := p.PersonByID("aurel")
	odile, _ := p.PersonByID("odile")
	last := time.Date(2027, 12, 31, 22, 59, 59, 0, time.UTC) // the last second of her last day in Berlin
	if !aurel.Active(last) || aurel.Active(last.Add(time.Second)) || !odile.Active(last.AddDate(100, 0, 0)) {
		t.Error("people are approved for another time than people.yaml says")
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	folder := starter(t)
	folder["acme/notes.txt"] = file("x")
	folder["acme/.git/config"] = file("x")
	folder["acme/Company.yaml"] = file("x")
	folder["acme/promises/old.yml"] = file("x")
	folder["acme/promises/.hidden.yaml"] = file("x")
	folder["acme/templates/es/a.txt"] = file("x")
	folder["acme/templates/a.txt"] = file("x")
	folder["acme/templates/en/a.txt"] = file("\xff is for the control to judge")
	folder["acme/rules/deeper/a.yaml"] = file("x")
	folder["acme/rules/a.yaml"] = file("match: [\n")
	folder["acme/people.yaml/x"] = file("x")
	folder["acme/link.yaml"] = &fstest.MapFile{Data: []byte("people.yaml"), Mode: fs.ModeSymlink}
	folder["acme/promises/big.yaml"] = file("#" + strings.Repeat("x", 1<<20))
	delete(folder, "acme/people.yaml")
	_, problems, err := policy.Load(folder, "acme")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What))
	}
	want := []string{
		".git:1: has no place in a policy folder",
		"Company.yaml:1: has no place in a policy folder",
		"link.yaml:1: is not a regular file",
		"people.yaml:1: does not exist",
		"people.yaml:1: has no place in a policy folder",
		"promises/.hidden.yaml:1: has no place in a policy folder",
		"promises/big.yaml:1: is too large",
		"promises/old.yml:1: has no place in a policy folder",
		"rules/a.yaml:2: is not YAML: while parsing a flow node: did not find expected node content",
		"rules/deeper:1: has no place in a policy folder",
		"templates/a.txt:1: has no place in a policy folder",
		"templates/es:1: has no place in a policy folder",
	}
	want = append(want[:5:5], append([]string{"notes.txt:1: has no place in a policy folder"}, want[5:]...)...)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRequiredFiles(t *testing.T) {
	t.Parallel()
	_, problems, err := policy.Load(fstest.MapFS{"acme/README.md": file("x")}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, p := range problems {
		missing = append(missing, p.File)
	}
	if !slices.Equal(missing, []string{"company.yaml", "people.yaml", "promises"}) {
		t.Errorf("missing: %v", missing)
	}
	for _, dir := range []string{"nowhere", "acme/README.md"} {
		if _, _, err := policy.Load(fstest.MapFS{"acme/README.md": file("x")}, dir); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("loading %s: %v", dir, err)
		}
	}
}

func TestTooMuch(t *testing.T) {
	t.Parallel()
	many, large := starter(t), starter(t)
	for i := range 2100 {
		many[fmt.Sprintf("acme/templates/en/%d.txt", i)] = file("x")
	}
	for i := range 9 {
		large[fmt.Sprintf("acme/templates/en/%d.txt", i)] = file(strings.Repeat("x", 1<<20))
	}
	for _, folder := range []fs.FS{many, large} {
		if _, _, err := policy.Load(folder, "acme"); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("loaded: %v", err)
		}
	}
}

func TestExtends(t *testing.T) {
	t.Parallel()
	folder := starter(t)
	company := string(folder["acme/company.yaml"].Data)
	folder["acme/company.yaml"] = file(strings.Replace(company, "  name:", "  extends: common\n  name:", 1))
	maps.DeleteFunc(folder, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, "acme/rules/") })
	folder["acme/rules/b.yaml"] = file("match: here")
	folder["common/rules/a.yaml"] = file("match: inherited")
	folder["common/rules/b.yaml"] = file("match: [replaced, so never read")
	folder["common/rules/c.yaml"] = file("match: [\n")
	folder["common/duties.yaml"] = file("duties: []")
	folder["common/templates/fr/a.txt"] = file("bonjour")
	folder["common/access.yaml"] = file("lease: {devices: 1}")
	folder["common/junk.txt"] = file("its own business")
	p, problems, err := policy.Load(folder, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].File != "../common/rules/c.yaml" || problems[0].Line != 2 {
		t.Errorf("problems: %v", problems)
	}
	if got := p.Names("rules"); !slices.Equal(got, []string{"rules/a.yaml", "rules/b.yaml", "rules/c.yaml"}) {
		t.Errorf("rules: %v", got)
	}
	if data, ok := p.Read("templates/fr/a.txt"); !ok || string(data) != "bonjour" {
		t.Errorf("template: %q, %v", data, ok)
	}
	var rule struct {
		Match string `yaml:"match"`
	}
	for name, want := range map[string]string{"rules/a.yaml": "inherited", "rules/b.yaml": "here"} {
		if found, problems := p.Decode(name, &rule); !found || len(problems) > 0 || rule.Match != want {
			t.Errorf("%s says %q: %v, %v", name, rule.Match, found, problems)
		}
	}
	if got := p.Problem("rules/a.yaml", "match", "is wrong", ""); got.File != "../common/rules/a.yaml" {
		t.Errorf("an inherited file is called %s", got.File)
	}
	var access struct {
		Lease map[string]int `yaml:"lease"`
	}
	if _, _ = p.Decode("access.yaml", &access); access.Lease["devices"] == 1 {
		t.Error("access.yaml was inherited")
	}
	for _, bad := range []string{"nowhere", "acme", "..", "people.yaml"} {
		folder["acme/company.yaml"] = file(strings.Replace(company, "  name:", "  extends: "+bad+"\n  name:", 1))
		if _, problems, err := policy.Load(folder, "acme"); err != nil || len(problems) != 1 || problems[0].Key != "company.extends" {
			t.Errorf("extends %s: %v, %v", bad, problems, err)
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	digest := func(change func(fstest.MapFS)) string {
		folder := starter(t)
		folder["acme/company.yaml"] = file(strings.Replace(string(folder["acme/company.yaml"].Data), "  name:", "  extends: common\n  name:", 1))
		folder["common/rules/a.yaml"] = file("match: a")
		folder["common/people.yaml"] = file("people: []")
		change(folder)
		p, _, err := policy.Load(folder, "acme")
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Digest) != 64 || len(maps.Collect(p.Packed())) < 6 {
			t.Errorf("digest %q of %d files", p.Digest, len(maps.Collect(p.Packed())))
		}
		return p.Digest
	}
	same := digest(func(fstest.MapFS) {})
	seen := map[string]string{same: "nothing"}
	for what, change := range map[string]func(fstest.MapFS){
		"a byte of the folder": func(f fstest.MapFS) { f["acme/README.md"].Data = append(bytes.Clone(f["acme/README.md"].Data), ' ') },
		"a file more":          func(f fstest.MapFS) { f["acme/tenants.yaml"] = file("tenants: []") },
		"a file less":          func(f fstest.MapFS) { delete(f, "acme/README.md") },
		"an inherited byte":    func(f fstest.MapFS) { f["common/rules/a.yaml"] = file("match: b") },
		"a name": func(f fstest.MapFS) {
			f["common/rules/b.yaml"] = f["common/rules/a.yaml"]
			delete(f, "common/rules/a.yaml")
		},
		"from theirs to ours": func(f fstest.MapFS) {
			f["acme/rules/a.yaml"] = f["common/rules/a.yaml"]
			delete(f, "common/rules/a.yaml")
		},
		"bytes to the next file": func(f fstest.MapFS) { f["common/rules/a.yaml"] = file("match: "); f["common/rules/b.yaml"] = file("a") },
	} {
		got := digest(change)
		if before, taken := seen[got]; taken {
			t.Errorf("changing %s gives the digest of changing %s", what, before)
		}
		seen[got] = what
	}
	if got := digest(func(f fstest.MapFS) { f["common/people.yaml"] = file("people: [x]") }); got != same {
		t.Error("a file that does not apply here changes the digest")
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	dangling := policy.Problem{File: "services.yaml", Line: 1, Key: "k", What: "is wrong", Dangling: true}
	if err := policy.Refuse([]policy.Problem{dangling}); err != nil {
		t.Errorf("a dangling reference refuses: %v", err)
	}
	var many []policy.Problem
	for i := range 8 {
		many = append(many, policy.Problem{File: "people.yaml", Line: i + 1, Key: "k", What: "is wrong", Allowed: "right"})
	}
	err := policy.Refuse(append(many, dangling))
	if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "people.yaml:1: k: is wrong; allowed: right") || !strings.Contains(err.Error(), "and 3 more") {
		t.Errorf("got %v", err)
	}
	if got := policy.Sort(slices.Concat(many, many)); len(got) != len(many) {
		t.Errorf("%d problems of %d", len(got), len(many))
	}
}

func BenchmarkPerson(b *testing.B) {
	p := load(b, policies.FS, "sharedcontacts")
	b.ReportAllocs()
	for b.Loop() {
		p.Person("camila.soto@sharedcontacts.example")
	}
}
