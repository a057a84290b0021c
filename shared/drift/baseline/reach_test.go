package baseline

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"ostiary.internal/shared/drift/asset"
)

// Of roles of Google's the longest line decides; one of which none says anything is not known.
func TestRoles(t *testing.T) {
	t.Parallel()
	lines := 0
	for line := range strings.Lines(rolesText) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		if sign, role, _ := strings.Cut(line, " "); !slices.Contains([]string{"+", "-"}, sign) || !strings.HasPrefix(role, "roles/") || strings.Contains(strings.TrimSuffix(role, "*"), "*") {
			t.Errorf("%q is no line", line)
		}
	}
	if lines != len(predefined) {
		t.Errorf("%d lines of %d roles: some are there twice", lines, len(predefined))
	}
	yes, no, unknown := "yes", "no", "unknown"
	for role, want := range map[string]string{
		"roles/owner": yes, "roles/viewer": yes, "roles/browser": no, "roles/bigquery.admin": yes, "roles/bigquery.dataViewer": yes, "roles/bigquery.jobUser": no, "roles/storage.legacyObjectReader": yes,
		"roles/storage.admin": yes, "roles/cloudsql.viewer": yes, "roles/logging.admin": no, "roles/compute.networkAdmin": no, "roles/compute.instanceAdmin.v1": yes, "roles/iam.serviceAccountTokenCreator": yes,
		"roles/iam.securityReviewer": no, "roles/iam.securityAdmin": yes, "roles/resourcemanager.projectIamAdmin": yes, "roles/run.developer": no, "roles/secretmanager.secretAccessor": yes, "roles/secretmanager.viewer": no,
		"roles/cloudbuild.builds.builder": yes, "roles/iam.roleAdmin": yes, "roles/iam.serviceAccountAdmin": yes, "roles/newthing.admin": unknown, "roles/resourcemanager.newthing": unknown, "roles/": unknown,
	} {
		is, known := predefinedReaches(role)
		if got := map[bool]map[bool]string{true: {true: yes, false: no}, false: {false: unknown}}[known][is]; got != want {
			t.Errorf("%s: %s, want %s", role, got, want)
		}
	}
}

// Of roles of the company's own the permissions decide, where they were read and the role is in force.
func TestOwnRoles(t *testing.T) {
	t.Parallel()
	for permission, want := range map[string]bool{
		"storage.objects.get": true, "storage.buckets.get": false, "datastore.entities.list": true, "bigquery.tables.getData": true, "bigquery.tables.get": false, "cloudsql.instances.export": true, "cloudsql.instances.get": false,
		"secretmanager.versions.access": true, "secretmanager.versions.list": false, "resourcemanager.projects.setIamPolicy": true, "resourcemanager.projects.getIamPolicy": false, "pubsub.topics.setIamPolicy": true, "run.services.setIamPolicy": false,
		"iam.serviceAccounts.getAccessToken": true, "iam.serviceAccounts.get": false, "compute.disks.useReadOnly": true, "compute.disks.get": false, "logging.logEntries.list": false,
		"datastore.databases.bulkDelete": true, "datastore.databases.clone": true, "datastore.databases.delete": true, "datastore.databases.update": true, "datastore.databases.get": false,
	} {
		if got := reaches(permission); got != want {
			t.Errorf("%s: %v", permission, got)
		}
	}
	if _, err := grants(&asset.Asset{Data: asset.Object{"name": "x"}}); err == nil {
		t.Error("a role without its permissions is known")
	}
	if is, err := grants(&asset.Asset{Data: asset.Object{"deleted": true}}); is || err != nil {
		t.Error(is, err)
	}
}

// The accounts of projects for tests are known by whatever name, and by a number only where the projects were read.
func TestTester(t *testing.T) {
	t.Parallel()
	blind := company{Fixture(), asset.NewNames()}
	names := asset.NewNames()
	names.Learn("11", "company-live")
	names.Learn("22", "company-staging")
	seeing := company{Fixture(), names}
	const pool = "principalSet://iam.googleapis.com/projects/22/locations/global/workloadIdentityPools/ci/*"
	for member, want := range map[string]struct{ known, is, blind bool }{
		"user:ben@company.example": {true, false, true}, "allUsers": {true, false, true}, "serviceAccount:a@company-staging.iam.gserviceaccount.com": {true, true, true},
		"serviceAccount:a@company-live.iam.gserviceaccount.com": {true, false, true}, "serviceAccount:22-compute@developer.gserviceaccount.com": {true, true, false},
		"serviceAccount:11-compute@developer.gserviceaccount.com": {true, false, false}, "serviceAccount:33@cloudbuild.gserviceaccount.com": {true, false, false},
		"serviceAccount:company-staging@appspot.gserviceaccount.com": {true, true, true}, "serviceAccount:company-staging.svc.id.goog[a/b]": {true, true, true},
		"projectViewer:company-staging": {true, true, true}, "projectViewer:company-live": {true, false, true}, pool: {true, true, false},
		"serviceAccount:service-22@gcp-sa-pubsub.iam.gserviceaccount.com": {true, false, true}, "principal://goog/subject/ben@company.example": {true, false, true},
	} {
		if is, err := seeing.tester(member); is != want.is || err != nil {
			t.Errorf("%s: %v, %v", member, is, err)
		}
		if is, err := blind.tester(member); (err == nil) != want.blind || err == nil && is != want.is {
			t.Errorf("%s, with no project read: %v, %v", member, is, err)
		}
	}
}

// One rule is told as the other, whichever way it is written.
func TestRules(t *testing.T) {
	t.Parallel()
	list := func(all ...any) []any { return all }
	o := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	policy := func(rule map[string]any) map[string]any { return o("rules", list(rule)) }
	tcp, ssh := list(o("IPProtocol", "tcp", "ports", list("22"))), list(o("ipProtocol", "TCP", "ports", list("22")))
	for name, c := range map[string]struct {
		data map[string]any
		want string // ingress, allow, open, everywhere, inside, targeted, logged
	}{
		"ranges":         {o("allowed", tcp, "sourceRanges", list("10.0.0.0/8", "192.0.2.0/24")), "ingress allow open"},
		"private":        {o("allowed", tcp, "sourceRanges", list("10.0.0.0/8")), "ingress allow"},
		"nobody said":    {o("allowed", tcp), "ingress allow open everywhere"},
		"by tag":         {o("allowed", tcp, "sourceTags", list("a")), "ingress allow inside"},
		"tag or range":   {o("allowed", tcp, "sourceTags", list("a"), "sourceRanges", list("0.0.0.0/0")), "ingress allow open everywhere"},
		"health checks":  {o("allowed", tcp, "sourceRanges", list("35.191.0.0/16", "130.211.0.0/22")), "ingress allow"},
		"more than them": {o("allowed", tcp, "sourceRanges", list("35.0.0.0/8")), "ingress allow open"},
		"unreadable":     {o("allowed", tcp, "sourceRanges", list("x")), "ingress allow open"},
		"out":            {o("denied", tcp, "direction", "EGRESS", "targetTags", list("a"), "logConfig", o("enable", true)), "open everywhere targeted logged"},
		"halves":         {o("denied", tcp, "direction", "EGRESS", "destinationRanges", list("0.0.0.0/1", "128.0.0.0/1")), "open everywhere"},
		"off":            {o("allowed", tcp, "disabled", true), ""},
		"of a policy":    {policy(o("action", "allow", "direction", "INGRESS", "match", o("srcIpRanges", list("0.0.0.0/0"), "layer4Configs", ssh), "enableLogging", true)), "ingress allow open everywhere logged"},
		"inspected":      {policy(o("action", "apply_security_profile_group", "match", o("layer4Configs", ssh))), "ingress allow open everywhere"},
		"of countries":   {policy(o("action", "allow", "match", o("srcRegionCodes", list("US"), "layer4Configs", ssh))), "ingress allow open"},
		"secure tags":    {policy(o("action", "allow", "match", o("srcSecureTags", list(o("name", "t")), "layer4Configs", ssh), "targetSecureTags", list(o("name", "u")))), "ingress allow inside targeted"},
		"not of without": {policy(o("action", "allow", "match", o("srcIpRanges", list("0.0.0.0/0"), "srcNetworkScope", "NON_INTERNET", "layer4Configs", ssh))), "ingress allow"},
		"a list":         {policy(o("action", "deny(403)", "direction", "EGRESS", "match", o("destAddressGroups", list("g"), "layer4Configs", ssh))), "open?"},
		"next":           {policy(o("action", "goto_next", "match", o("layer4Configs", ssh))), ""},
	} {
		all, _ := rules(types.DefaultTypeAdapter.NativeToValue(c.data)).Value().([]any)
		var got []string
		for _, one := range all {
			r := one.(map[string]any)
			for _, word := range []string{"ingress", "allow", "open", "everywhere", "inside", "targeted", "logged"} {
				switch is, told := r[word]; {
				case !told:
					got = append(got, word+"?")
				case is == true:
					got = append(got, word)
				}
			}
			if d := r["doors"].([]any)[0].(map[string]any); !maps.Equal(d, map[string]any{"protocol": "tcp", "from": 22.0, "to": 22.0}) {
				t.Errorf("%s: %v", name, d)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
	}
	for _, data := range []ref.Val{types.String("x"), types.DefaultTypeAdapter.NativeToValue(o("name", "x"))} {
		if !types.IsError(rules(data)) {
			t.Errorf("rules of %v", data)
		}
	}
}

// A folder in which tests alone run is none of the live ones, one in which nobody knows what runs is; what an assertion looks for
// above and in roles of the company is read.
func TestFolders(t *testing.T) {
	t.Parallel()
	const rights = `
what: {en: a, fr: b, de: c}
asset: [cloudresourcemanager.googleapis.com/Folder]
when: live
assert: ['iam.all(b, !reaches(b.role)) && above().all(o, true)']
severity: high
tests:
  - {name: a, want: in_order, asset: {name: folders/1, iam: []}}
  - {name: b, want: out_of_order, asset: {name: folders/1, iam: [{role: roles/owner, members: ["user:x@y.example"]}]}}
  - {name: c, want: undetermined, asset: {name: folders/1, ancestors: [organizations/1], iam: []}}
`
	p := load(t, rights)
	if problems := Lint(p); len(problems) > 0 {
		t.Fatal(problems)
	}
	s, _ := Load(p)
	if want := []string{folderType, organizationType, roleType}; !slices.Equal(s.Looks("kept"), want) {
		t.Error(s.Looks("kept"))
	}
	l := &Live{Inventory: asset.NewInventory(), Now: time.Unix(1772539200, 0)}
	add := func(kind, name, project string, ancestors ...string) {
		l.Inventory.Add(asset.Asset{Key: "//" + resources + "/" + name, Type: kind, Project: project, Ancestors: ancestors, Data: asset.Object{"name": name}, IAM: &asset.Policy{}})
	}
	add(organizationType, "organizations/1", "", "organizations/1")
	for _, folder := range []string{"2", "3", "4", "5"} {
		add(folderType, "folders/"+folder, "", "folders/"+folder, "organizations/1")
	}
	add(projectType, "projects/acme-staging", "acme-staging", "projects/2", "folders/2", "organizations/1")
	add(projectType, "projects/acme-live", "acme-live", "projects/3", "folders/3", "organizations/1")
	add(projectType, "projects/strange", "strange", "projects/4", "folders/4", "organizations/1")
	got := verdicts(s.Scan(l))
	if want := map[string]Verdict{"2": Exempt, "3": InOrder, "4": InOrder, "5": InOrder}; !maps.Equal(got, want) {
		t.Error(got)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"data.x": "data.x||", "rules(data).all(r, r.open)": "rules().all(r, r.open)|direction|", "assets(\"t\").all(f, rules(f.data).all(r, r.open))": "assets(\"t\").all(f, rules().all(r, r.open))||direction",
		"covered(filter)": "covered(filter)||filter", "params.need.all(f, covered(f, params.days))": "params.need.all(f, covered(f, params.days))||filter locked",
	} {
		rest, own, others := Reads(expression)
		told := func(all []string) (out []string) {
			for _, field := range []string{"direction", "filter", "locked"} {
				if slices.Contains(all, field) {
					out = append(out, field)
				}
			}
			return out
		}
		if got := rest + "|" + strings.Join(told(own), " ") + "|" + strings.Join(told(others), " "); got != want {
			t.Errorf("%s: %s", expression, got)
		}
	}
}
