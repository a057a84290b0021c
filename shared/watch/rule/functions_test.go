package rule

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"ostiary.internal/shared/watch/auditlog"
)

func TestExt(t *testing.T) {
	t.Parallel()
	w := Fixture()
	w.Domains = append(w.Domains, "kinetic.example")
	tests := map[string]bool{
		"user:anna@company.example": false, "user:ANNA@Company.Example": false, "anna@company.example": false, "group:all@company.example": false,
		"user:anna@sub.company.example": true, "user:anna@company.example.evil.example": true, "user:x@gmail.com": true, "group:g@googlegroups.com": true,
		"domain:company.example": false, "domain:other.example": true, "allUsers": true, "allAuthenticatedUsers": true,
		"deleted:user:anna@company.example?uid=123": false, "deleted:user:x@other.example?uid=123": true,
		"serviceAccount:x@company-live.iam.gserviceaccount.com": false, "serviceAccount:x@company-live2.iam.gserviceaccount.com": true,
		"deleted:serviceAccount:x@foreign.iam.gserviceaccount.com?uid=1": true, "serviceAccount:company-live@appspot.gserviceaccount.com": false,
		"serviceAccount:123-compute@developer.gserviceaccount.com": true, "serviceAccount:company-live.svc.id.goog[ns/sa]": false,
		"serviceAccount:foreign.svc.id.goog[ns/sa]": true, "serviceAccount:service-12@gcp-sa-pubsub.iam.gserviceaccount.com": false,
		"projectOwner:company-live": false, "projectEditor:foreign": true,
		"principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*":    true,
		"principal://iam.googleapis.com/locations/global/workforcePools/p/subject/a@company.example": true, "": true, "nonsense": true,
		"user:anna@Kinetic.example": true, "user:anna@kinetic.example": false, "domain:Kinetic.example": true,
		"user:x@company-live.iam.gserviceaccount.com": false,
	}
	for member, want := range tests {
		if got := w.Ext(member); got != want {
			t.Errorf("Ext(%q) = %v", member, got)
		}
	}
}

func TestGoogleAgent(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]bool{
		"service-123@gcp-sa-cloudbuild.iam.gserviceaccount.com": true, "123@cloudservices.gserviceaccount.com": true,
		"service-123@compute-system.iam.gserviceaccount.com": true, "serviceAccount:service-9@container-engine-robot.iam.gserviceaccount.com": true,
		"service-x@compute-system.iam.gserviceaccount.com": false, "service-123@my-project.iam.gserviceaccount.com": false,
		"service-123@gcp-sa-cloudbuild.iam.gserviceaccount.com.evil.example": false, "x@notgcp-sa-pubsub.iam.gserviceaccount.com": false,
		"123-compute@developer.gserviceaccount.com": false, "eve@cloudservices.gserviceaccount.com": false, "": false,
	} {
		if got := GoogleAgent(member); got != want {
			t.Errorf("GoogleAgent(%q) = %v", member, got)
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]bool{
		"roles/owner": true, "roles/editor": true, "roles/viewer": false, "roles/iam.serviceAccountTokenCreator": true, "roles/secretmanager.secretAccessor": true,
		"roles/storage.admin": true, "roles/storage.objectViewer": false, "roles/compute.osAdminLogin": true, "roles/resourcemanager.projectIamAdmin": true,
		"projects/p/roles/custom": true, "roles/browser": false, "": false,
	} {
		if got := Privileged(role); got != want {
			t.Errorf("Privileged(%q) = %v", role, got)
		}
	}
	if !Primitive("roles/viewer") || Primitive("roles/storage.admin") || !Public("ALLUSERS") || Public("user:a@b.example") {
		t.Error("a primitive role or the public is misjudged")
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w := Fixture()
	left := time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)
	if !w.HasRole("user:anna@company.example", "manager", noon) || w.HasRole("ben@company.example", "manager", noon) || w.HasRole("", "employee", noon) ||
		!w.HasRole("gone@company.example", "manager", left) || w.HasRole("gone@company.example", "manager", left.AddDate(0, 0, 1)) {
		t.Error("a role is misjudged")
	}
	if !w.Approved("ANNA@company.example", noon) || w.Approved("eve@company.example", noon) || !w.Approved("deploy@company-live.iam.gserviceaccount.com", noon) {
		t.Error("an approval is misjudged")
	}
	if !w.Live("company-live") || w.Live("company-staging") || !w.Live("whatever") || !w.Live("") {
		t.Error("only what the policy calls staging is not live")
	}
}

func TestWorkHours(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	w := World{Zone: paris}
	for at, want := range map[string]bool{
		"2026-03-03T06:00:00Z": true, "2026-03-03T05:59:59Z": false, "2026-03-03T18:59:59Z": true, "2026-03-03T19:00:00Z": false,
		"2026-07-03T05:00:00Z": true, "2026-03-07T12:00:00Z": false, "2026-03-08T12:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.WorkHours(when); got != want {
			t.Errorf("WorkHours(%s) = %v", at, got)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ranges string
		want   bool
	}{
		{"0.0.0.0/0", true}, {"::/0", true}, {"0.0.0.0/1 128.0.0.0/1", true}, {"128.0.0.0/1 0.0.0.0/2 64.0.0.0/2", true}, {"*", true},
		{"0.0.0.0/1", false}, {"10.0.0.0/8 192.0.2.1", false}, {"", false}, {"0.0.0.0/1 129.0.0.0/8 128.0.0.0/9", false}, {"8000::/1 ::/1", true},
		{"0.0.0.0/1 0.0.0.0/8 128.0.0.0/1", true},
	} {
		if got := Open(strings.Fields(test.ranges)); got != test.want {
			t.Errorf("Open(%s) = %v", test.ranges, got)
		}
	}
	if !InRanges("::ffff:192.0.2.7", []string{"192.0.2.0/24"}) || InRanges("private", []string{"0.0.0.0/0"}) || InRanges("", nil) || !InRanges("2001:db8::1", []string{"2001:db8::1"}) {
		t.Error("an address is misjudged")
	}
}

func TestSourceRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, service, method, request, want string }{
		{"made without ranges", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"name":"f"}`, "0.0.0.0/0"},
		{"patched without ranges", "compute.googleapis.com", "v1.compute.firewalls.patch", `{"name":"f"}`, ""},
		{"ranges", "compute.googleapis.com", "beta.compute.firewalls.insert", `{"sourceRanges":["10.0.0.0/8"],"alloweds":[{"IPProtocol":"tcp"}]}`, "10.0.0.0/8"},
		{"by tag", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"sourceTags":["a"]}`, ""},
		{"outwards", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"direction":"EGRESS"}`, ""},
		{"off", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"disabled":true}`, ""},
		{"denies", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"denieds":[{"IPProtocol":"all"}]}`, ""},
		{"policy", "compute.googleapis.com", "v1.compute.networkFirewallPolicies.addRule", `{"action":"allow","match":{"srcIpRanges":["0.0.0.0/0"]}}`, "0.0.0.0/0"},
		{"armor", "compute.googleapis.com", "v1.compute.securityPolicies.addRule", `{"action":"allow","match":{"config":{"srcIpRanges":["*"]}}}`, "*"},
		{"armor denies", "compute.googleapis.com", "v1.compute.securityPolicies.addRule", `{"action":"deny(403)","match":{"config":{"srcIpRanges":["*"]}}}`, ""},
		{"app engine", "appengine.googleapis.com", "google.appengine.v1.Firewall.CreateIngressRule", `{"rule":{"action":"ALLOW","sourceRange":"*"}}`, "*"},
		{"database", "cloudsql.googleapis.com", "cloudsql.instances.update", `{"body":{"settings":{"ipConfiguration":{"authorizedNetworks":[{"value":"0.0.0.0/0"}]}}}}`, "0.0.0.0/0"},
		{"another service", "iam.googleapis.com", "x", `{"sourceRanges":["0.0.0.0/0"]}`, ""},
		{"the end of an operation", "compute.googleapis.com", "v1.compute.firewalls.insert", `{"@type":"type.googleapis.com/compute.firewalls.insert"}`, ""},
		{"no request", "compute.googleapis.com", "v1.compute.firewalls.insert", ``, ""},
	} {
		e := &auditlog.Entry{Service: test.service, Method: test.method, Verb: auditlog.Verb(test.method), Request: json.RawMessage(test.request)}
		if got := strings.Join(sourceRanges(e), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	var value any
	const text = `{"x.y/z":"dotted","a":{"b":[{"c":"x"},{"c":12345678901}]},"t":true,"event":[{"parameter":[{"name":"E","value":"v"},{"name":"B","boolValue":true}]}]}`
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a.b.0.c": "x", "a.b.1.c": "12345678901", "x.y/z": "dotted", "t": "true", "a": "", "a.b.2.c": "", "a.b.-1": "", "x.y.z": "", "a.b.c": ""} {
		if got := Text(value, path); got != want {
			t.Errorf("Text(%s) = %q, want %q", path, got, want)
		}
	}
	if Parameter(value, "E") != "v" || Parameter(value, "B") != "true" || Parameter(value, "X") != "" || len(Sub(value, "a.b")) != 2 || Sub(nil, "a") == nil {
		t.Error("a parameter or a list is misread")
	}
	if segment("projects/p/secrets/s/versions/1", "secrets") != "s" || segment("projects", "projects") != "" {
		t.Error("a path is misread")
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, method string
		want            bool
	}{
		{"setiampolicy", "google.iam.v1.IAMPolicy.SetIamPolicy", true}, {"SetIamPolicy", "SetIamPolicy", true}, {"firewalls.insert", "beta.compute.firewalls.insert", true},
		{"compute.firewalls.insert", "v1.compute.firewalls.insert", true}, {"firewalls.insert", "v1.compute.myfirewalls.insert", false},
		{"insert", "v1.compute.firewalls.insert", true}, {"firewalls.insert", "insert", false}, {"google.iam.admin.v1.SetIAMPolicy", "google.iam.admin.v1.SetIAMPolicy", true},
		{"*serviceaccountkey", "google.iam.admin.v1.UploadServiceAccountKey", true}, {"ConfigServiceV2.Delete*", "google.logging.v2.ConfigServiceV2.DeleteSink", true},
		{"delete*", "google.logging.v2.ConfigServiceV2.UpdateSink", false}, {"policies.*rule", "v1.compute.securitypolicies.addRule", false},
	} {
		m := ready([]Match{{Method: []string{test.pattern}}})[0]
		if got := m.accepts(&auditlog.Entry{Method: test.method, Verb: auditlog.Verb(test.method)}); got != test.want {
			t.Errorf("%s accepts %s = %v", test.pattern, test.method, got)
		}
	}
}

// TestVocabulary asks for every variable and function once, as rules do.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	env, err := environment(Fixture())
	if err != nil {
		t.Fatal(err)
	}
	e := entry("1", "act", "anna@company.example", "u", 0)
	e.Actor.Chain = []auditlog.Identity{{Email: "ben@company.example"}, {}}
	e.Actor.KeyName = "keys/1"
	e.IP, e.Request = "192.0.2.7", json.RawMessage(`{"a":{"b":["x"]},"n":3}`)
	e.Permissions = []auditlog.Permission{{Name: "p.get", Granted: true}, {Name: "p.set"}}
	e.Metadata = json.RawMessage(`{"event":[{"parameter":[{"name":"E","value":"v"}]}]}`)
	e.Resource, e.Labels = "projects/p/secrets/s/versions/latest", map[string]string{"k": "v"}
	v := &view{ctx: t.Context(), e: e, facts: listedIn{"192.0.2.0/24"}}
	for name := range variables {
		if _, ok := v.ResolveName(name); !ok {
			t.Errorf("no value for %s", name)
		}
	}
	for _, expression := range []string{
		`ext("user:x@other.example") && !ext(actor.email)`, `public("allUsers")`, `!agent(actor.email)`, `own("deploy@company-live.iam.gserviceaccount.com")`, `!machine_own("deploy@company-live.iam.gserviceaccount.com")`,
		`live("company-live")`, `privileged("roles/owner") && primitive("roles/viewer")`, `role(actor.email, "manager")`, `approved(actor.email, time)`,
		`workhours(time)`, `cidr(ip, ["192.0.2.0/24"])`, `listed`, `!open(ranges)`, `open(["0.0.0.0/1"] + ["128.0.0.0/1"])`, `text(request, "n") == "3"`,
		`items(request, "a.b").exists(i, i == "x")`, `items(request, "nowhere").size() == 0`, `parameter(metadata, "E") == "v"`,
		`segment(resource, "secrets") == "s"`, `actor.chain == ["ben@company.example", "anna@company.example"]`, `actor.key_name == "keys/1"`, `permissions == ["p.get"] && denied == ["p.set"]`,
		`labels["k"] == "v" && !("x" in resource_labels)`, `delta.size() == 0 && blinding.size() == 0`, `time.getHours("UTC") == 12`, `text(response, "x") == ""`,
	} {
		p, err := program(env, expression, cel.BoolType)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if is, err := holds(p, v); err != nil || !is {
			t.Errorf("%s is %v, error %v", expression, is, err)
		}
	}
	if _, ok := v.ResolveName("nothing"); ok {
		t.Error("a name that is none has a value")
	}
}

func TestCostIsBounded(t *testing.T) {
	t.Parallel()
	env, err := environment(Fixture())
	if err != nil {
		t.Fatal(err)
	}
	p, err := program(env, `items(request, "l").exists(a, items(request, "l").exists(b, a == b && a == 0.5))`, cel.BoolType)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Repeat("1,", 5000) + "2"
	v := &view{ctx: t.Context(), e: &auditlog.Entry{Request: json.RawMessage(`{"l":[` + list + `]}`)}}
	if _, err := holds(p, v); err == nil {
		t.Error("twenty-five million comparisons were allowed")
	}
}

// Only what deploys, and ostiary's own functions where they run, act without being asked: no other account of the policy,
// nobody who chose a name like theirs, and nothing of staging on what is live.
func TestMachine(t *testing.T) {
	t.Parallel()
	w := Fixture()
	for member, want := range map[string]string{
		"deploy@company-live.iam.gserviceaccount.com": "live staging", "serviceAccount:Deploy@company-live.iam.gserviceaccount.com": "live staging",
		"desk@company-live.iam.gserviceaccount.com":             "",
		"fn-syncallowlist@company-live.iam.gserviceaccount.com": "live staging", "in-watchaudit@company-live.iam.gserviceaccount.com": "live staging",
		"fn-syncallowlist@company-staging.iam.gserviceaccount.com": "staging", "fn-syncallowlist@elsewhere.iam.gserviceaccount.com": "",
		"fn-anything@company-live.iam.gserviceaccount.com": "", "syncallowlist@company-live.iam.gserviceaccount.com": "",
		"fn-admit@company.example": "", "fn-admit@company-live.iam.gserviceaccount.com.evil.example": "", "": "",
	} {
		var got []string
		for _, project := range []string{"live", "staging"} {
			if w.Machine(member, "company-"+project) {
				got = append(got, project)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %q", member, got, want)
		}
	}
	if !w.Own("desk@company-live.iam.gserviceaccount.com") {
		t.Error("an account of the policy is not the company's own")
	}
}

// Every function there is may act as itself.
func TestMachinesAreAllFunctions(t *testing.T) {
	t.Parallel()
	manifests, err := filepath.Glob("../../../functions/*/*/function.json")
	if err != nil || len(manifests) < 10 {
		t.Fatalf("%d manifests, %v", len(manifests), err)
	}
	for _, m := range manifests {
		if name := filepath.Base(filepath.Dir(m)); !slices.Contains(functionNames, name) {
			t.Errorf("%s is missing among functionNames", name)
		}
	}
}
