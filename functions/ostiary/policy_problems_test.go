package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
)

// keyMade is a rule with its tests.
const keyMade = `match:
  - {service: [iam.googleapis.com], method: [createserviceaccountkey]}
alarm:
  class: credential-create
  severity: high
  text: {en: "A key was made.", fr: "Une clé a été créée."}
  justify: actor
promises: [DATA1]
tests:
  - name: made
    base: {timestamp: "2026-03-03T02:00:00Z", protoPayload: &key {serviceName: iam.googleapis.com, methodName: google.iam.admin.v1.CreateServiceAccountKey, resourceName: projects/-/serviceAccounts/1, authenticationInfo: {principalEmail: ben@company.example}}}
    entries: [{}]
    alarms: 1
  - name: deleted
    base: {timestamp: "2026-03-03T02:00:00Z", protoPayload: {<<: *key, methodName: google.iam.admin.v1.DeleteServiceAccountKey}}
    entries: [{}]
    alarms: 0
`

// small is a policy that is in order and says one of each thing that refers to another.
var small = map[string]string{
	"company.yaml": `company: {name: Acme, domains: [acme.example], zone: Europe/Paris, country: FR, languages: [en, fr], environments: [{id: live, project: acme-live, kind: live}]}
`,
	"people.yaml": `people:
  - {id: ann, email: ann@acme.example, name: Ann, roles: [employee, security], zone: Europe/Paris, language: en}
  - {id: ben, email: ben@acme.example, name: Ben, roles: [employee, security], zone: Europe/Paris, language: en}
`,
	"services.yaml": `services:
  - {id: shop, email: shop@acme-live.iam.gserviceaccount.com, may: [checkotp]}
`,
	"promises/all.yaml": `promises:
  - id: DATA1
    text: {en: "Our databases cannot be reached from the internet."}
    source: {file: security-policy, section: Data}
    check: db-exposure
    severity: high
    kept_by:
      - assertion: buckets-versioned
      - rule: key-made
      - records: backup-freshness
      - duty: access-review
      - statement: security
  - id: DATA2
    text: {en: "All is well."}
    source: {file: security-policy, section: Data}
    check: attestation-desk
    severity: info
    kept_by:
      - rollup: DATA1
`,
	"duties.yaml": `duties:
  - id: access-review
    what: {en: "Go through all accounts.", fr: "Passez en revue les comptes."}
    owner_role: security
    every: P90D
    evidence: [statement]
    promises: [DATA1]
`,
	"rules/key-made.yaml": keyMade,
	"rules/other-key-made.yaml": strings.NewReplacer("createserviceaccountkey", "uploadserviceaccountkey", "was made", "was uploaded", "été créée", "été déposée",
		"name: made", "name: uploaded", "CreateServiceAccountKey", "UploadServiceAccountKey").Replace(keyMade),
	"baseline/buckets-versioned.yaml": `what: {en: "No versions.", fr: "Pas de versions.", de: "Keine Fassungen."}
asset: [storage.googleapis.com/Bucket]
assert:
  - 'data.versioning.?enabled.orValue(false)'
severity: medium
repair: gcloud storage buckets update gs://{name} --versioning
tests:
  - {name: kept, want: in_order, asset: {name: b, data: {versioning: {enabled: true}}}}
  - {name: not kept, want: out_of_order, asset: {name: b, data: {versioning: {enabled: false}}}}
  - {name: nothing was read, want: undetermined, asset: {name: b}}
`,
}

// checked writes a policy folder and returns what check tells of it, remarks last.
func checked(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "acme")
	for name, text := range files {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	problems, remarks, err := problemsOf(folder)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range append(problems, remarks...) {
		lines = append(lines, p.String())
	}
	if policy.Refuse(remarks) != nil {
		t.Error("a server does not start for a remark")
	}
	return strings.Join(lines, "\n")
}

// TestTypos: what an author mistypes is told once, with its place, what was written, what was meant and what is allowed.
func TestTypos(t *testing.T) {
	t.Parallel()
	const roles, types = "employee, manager, security, dpo, oncall, auditor, owner", "statement, build.tested, build.scanned, release.deployed, backup.completed, backup.restored, training.completed, person.screened, person.nda, scan.finished, pentest.report, review.done, endpoint.report, uptime.report"
	const checks = "access-justify, access-layers, access-notice, access-review, admin-path, alert-route, anomaly-detect, api-auth-probe, asset-location, attestation-desk, audit-calendar, audit-trail-check, backup-freshness, backup-retention, breach-channels, breach-clock, case-flow, ci-evidence, claim-watch, credential-format, ..."
	tests := []struct{ name, file, old, new, want string }{
		{"nothing", "people.yaml", "Ann,", "Ann,", ""},
		{"assertion", "promises/all.yaml", "assertion: buckets-versioned", "assertion: bucket-versioned",
			`promises/all.yaml:8: promises[0].kept_by[0].assertion: there is no assertion "bucket-versioned" (did you mean "buckets-versioned"?); allowed: buckets-versioned`},
		{"rule", "promises/all.yaml", "rule: key-made", "rule: key_made", `promises/all.yaml:9: promises[0].kept_by[1]: "key_made" is not a name; allowed: lower-case letters, digits and hyphens, at most 63, such as anna or eu-west`},
		{"another rule", "promises/all.yaml", "rule: key-made", "rule: nothing-alike",
			`promises/all.yaml:9: promises[0].kept_by[1].rule: there is no rule "nothing-alike"; allowed: key-made, other-key-made`},
		{"records", "promises/all.yaml", "backup-freshness", "backup-freshnes",
			`promises/all.yaml:10: promises[0].kept_by[2].records: remark: there are no records "backup-freshnes" (did you mean "backup-freshness"?); allowed: ` + checks},
		{"duty", "promises/all.yaml", "duty: access-review", "duty: acess-review",
			`promises/all.yaml:11: promises[0].kept_by[3].duty: there is no duty "acess-review" (did you mean "access-review"?); allowed: access-review`},
		{"statement", "promises/all.yaml", "statement: security", "statement: securty",
			`promises/all.yaml:12: promises[0].kept_by[4]: "securty" is not a role that could sign (did you mean "security"?); allowed: ` + roles},
		{"rollup", "promises/all.yaml", "rollup: DATA1", "rollup: DATAl",
			`promises/all.yaml:19: promises[1].kept_by[0].rollup: there is no promise "DATAl" (did you mean "DATA1"?); allowed: DATA1, DATA2`},
		{"mechanism", "promises/all.yaml", "- rollup:", "- rolup:",
			`promises/all.yaml:19: promises[1].kept_by[0]: "rolup" is not a mechanism (did you mean "rollup"?); allowed: one of rule, assertion, records, probe, duty, statement, certificate, rollup, each with a name or a list of names`},
		{"check", "promises/all.yaml", "check: db-exposure", "check: db-exposur",
			`promises/all.yaml:5: promises[0].check: remark: "db-exposur" is no check of this release (did you mean "db-exposure"?); allowed: ` + checks},
		{"key", "promises/all.yaml", "check: db-exposure", "chek: db-exposure",
			`promises/all.yaml:5: promises[0].chek: unknown key (did you mean "check"?); allowed: check, id, kept_by, max_age, params, same_as, severity, source, text`},
		{"severity", "promises/all.yaml", "severity: high", "severity: hihg",
			`promises/all.yaml:6: promises[0].severity: "hihg" is not a severity (did you mean "high"?); allowed: critical, high, medium, low, info`},
		{"page", "promises/all.yaml", "security-policy, section: Data}\n    check: db", "security-polcy, section: Data}\n    check: db",
			`promises/all.yaml:4: promises[0].source.file: remark: "security-polcy" is nearly the page of other promises (did you mean "security-policy"?); allowed: one name for a page, the same for every promise on it` + "\n" +
				`promises/all.yaml:15: promises[1].source.file: remark: "security-policy" is nearly the page of other promises (did you mean "security-polcy"?); allowed: one name for a page, the same for every promise on it`},
		{"owner", "duties.yaml", "owner_role: security", "owner_role: securty", `duties.yaml:4: duties[0].owner_role: "securty" is not a role (did you mean "security"?); allowed: ` + roles},
		{"owner's key", "duties.yaml", "owner_role:", "owner_rol:",
			`duties.yaml:4: duties[0].owner_rol: unknown key (did you mean "owner_role"?); allowed: every, evidence, id, on, owner_role, promises, remind, second, what, within`},
		{"no owner", "duties.yaml", "    owner_role: security\n", "", "duties.yaml:2: duties[0].owner_role: is missing; allowed: " + roles},
		{"period", "duties.yaml", "P90D", "90d", `duties.yaml:5: duties[0].every: reading "90d" as a period: not an ISO 8601 duration such as P1Y, P90D or PT24H`},
		{"period's key", "duties.yaml", "every:", "evry:",
			`duties.yaml:5: duties[0].evry: unknown key (did you mean "every"?); allowed: every, evidence, id, on, owner_role, promises, remind, second, what, within`},
		{"no period", "duties.yaml", "    every: P90D\n", "", "duties.yaml:2: duties[0].every: is missing, and so is on; allowed: every: a period such as P90D, or on: joining or a word for what is asked for"},
		{"period and occasion", "duties.yaml", "P90D", "P90D\n    on: joining", "duties.yaml:6: duties[0].on: is an occasion of what recurs already; allowed: every: a period, or on: an occasion, not both"},
		{"evidence", "duties.yaml", "[statement]", "[statment]", `duties.yaml:6: duties[0].evidence[0]: "statment" is not a type of evidence (did you mean "statement"?); allowed: ` + types},
		{"evidence twice", "duties.yaml", "[statement]", "[statement, statement]", `duties.yaml:6: duties[0].evidence[1]: "statement" is here twice; allowed: each piece of evidence once`},
		{"promise of a duty", "duties.yaml", "[DATA1]", "[DTAA1]", `duties.yaml:7: duties[0].promises[0]: there is no promise "DTAA1" (did you mean "DATA1"?); allowed: DATA1, DATA2`},
		{"language of a duty", "duties.yaml", "fr:", "es:", `duties.yaml:3: duties[0].what: "es" is no language of the pages; allowed: en, fr, de`},
		{"duty in one language", "duties.yaml", `, fr: "Passez en revue les comptes."`, "", ""},
		{"promise of a rule", "rules/key-made.yaml", "[DATA1]", "[DATA]", `rules/key-made.yaml:8: promises[0]: there is no promise "DATA" (did you mean "DATA1"?); allowed: DATA1, DATA2`},
		{"method", "rules/key-made.yaml", "[createserviceaccountkey]", "[createserviceaccountky]",
			`rules/key-made.yaml:2: match[0].method[0]: unknown method "createserviceaccountky" (did you mean "createserviceaccountkey"?); allowed: one that the catalogue of methods has` + "\n" +
				`rules/key-made.yaml:13: tests[0].alarms: there are 0; allowed: 1, as the test says`},
		{"class", "rules/key-made.yaml", "credential-create", "credental-create",
			`rules/key-made.yaml:4: alarm.class: remark: no other rule has the class "credental-create" (did you mean "credential-create"?); allowed: a class of your own; rules that mean the same share one` + "\n" +
				`rules/other-key-made.yaml:4: alarm.class: remark: no other rule has the class "credential-create" (did you mean "credental-create"?); allowed: a class of your own; rules that mean the same share one`},
		{"class of one's own", "rules/key-made.yaml", "credential-create", "coffee-spilt", ""},
		{"language of a rule", "rules/key-made.yaml", `, fr: "Une clé a été créée."`, "",
			`rules/key-made.yaml:6: alarm.text: remark: is not said in fr, a language of company.yaml; allowed: one sentence in each of en, fr; whoever reads another sees the one there is`},
		{"asset", "baseline/buckets-versioned.yaml", "/Bucket]", "/Buckt]",
			`baseline/buckets-versioned.yaml:2: asset[0]: remark: "storage.googleapis.com/Buckt" is no type of asset that is known here (did you mean "storage.googleapis.com/Bucket"?); allowed: a type of https://cloud.google.com/asset-inventory/docs/asset-types: nothing is found of any other`},
		{"blank", "baseline/buckets-versioned.yaml", "{name}", "{nam}",
			`baseline/buckets-versioned.yaml:6: repair: remark: nothing fills {nam} (did you mean "name"?), so it is shown as NAM; allowed: {name}, {project}, {location}`},
		{"language of an assertion", "baseline/buckets-versioned.yaml", `, fr: "Pas de versions.", de: "Keine Fassungen."`, "",
			`baseline/buckets-versioned.yaml:1: what: is not said in fr, de; allowed: one sentence in each of en, fr and de`},
		{"function", "services.yaml", "[checkotp]", "[chekotp]",
			`services.yaml:2: services[0].may[0]: remark: "chekotp" is no function of this release (did you mean "checkotp"?); allowed: ` + strings.Join(functionNames(), ", ")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(small)
			files[test.file] = strings.Replace(files[test.file], test.old, test.new, 1)
			if test.old != test.new && files[test.file] == small[test.file] {
				t.Fatal("the test changes nothing")
			}
			if got := checked(t, files); got != test.want {
				t.Errorf("told\n%s\nwanted\n%s", got, test.want)
			}
		})
	}
}

// TestFirstPartOfAPolicy: a control without its files is off, which is no problem; that a promise waits for one is remarked.
func TestFirstPartOfAPolicy(t *testing.T) {
	t.Parallel()
	files := maps.Clone(small)
	maps.DeleteFunc(files, func(name, _ string) bool {
		return !slices.Contains([]string{"company.yaml", "people.yaml", "promises/all.yaml"}, name)
	})
	want := `promises/all.yaml:8: promises[0].kept_by[0].assertion: remark: there is no assertion "buckets-versioned"; allowed: a file of baseline/, which has none
promises/all.yaml:9: promises[0].kept_by[1].rule: remark: there is no rule "key-made"; allowed: a file of rules/, which has none
promises/all.yaml:11: promises[0].kept_by[3].duty: remark: there is no duty "access-review"; allowed: an entry of duties.yaml, which is not there`
	if got := checked(t, files); got != want {
		t.Errorf("told\n%s\nwanted\n%s", got, want)
	}
}
