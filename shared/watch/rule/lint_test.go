package rule

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// burst is a rule as a company writes it.
const burst = `
match:
  - {stream: [application], method: [impersonate]}
when: app.ticket == ""
group: [actor.key, app.tenant]
window: {kind: distinct, of: app.user, at_least: 3, within: PT15M}
alarm:
  severity: critical
  text: {en: Several users of one customer were impersonated without a ticket.}
  justify: actor
  deadline: PT4H
promises: [P1]
tests:
  - name: three users
    base: {jsonPayload: {actor: ben@company.example, action: impersonate, tenant: t1}}
    entries:
      - {jsonPayload: {user: u1}, timestamp: 2026-03-03T10:00:00Z}
      - {jsonPayload: {user: u2}, timestamp: 2026-03-03T10:07:00Z}
      - {jsonPayload: {user: u3}, timestamp: 2026-03-03T10:15:00Z}
    alarms: 1
  - name: three users with a ticket
    base: {jsonPayload: {actor: ben@company.example, action: impersonate, tenant: t1, ticket: T-1}}
    entries: [{jsonPayload: {user: u1}}, {jsonPayload: {user: u2}}, {jsonPayload: {user: u3}}]
    alarms: 0
`

// reader is one about Google's own logs.
const reader = `
match:
  - service: [secretmanager.googleapis.com]
    method: [accesssecretversion]
    stream: [data_access]
when: actor.kind == "human"
alarm: {severity: high, text: {en: A person read a secret.}}
promises: [P1]
tests:
  - name: a person
    entries:
      - protoPayload: &call
          serviceName: secretmanager.googleapis.com
          methodName: google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion
          resourceName: projects/company-live/secrets/db/versions/latest
          authenticationInfo: {principalEmail: ben@company.example}
    alarms: 1
  - name: the service
    base: {protoPayload: *call}
    entries: [{protoPayload: {authenticationInfo: {principalEmail: deploy@company-live.iam.gserviceaccount.com}}}]
    alarms: 0
`

func TestLint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, rule, old, new string
		want                 string // of the one problem; "" for none
	}{
		{"good", burst, "", "", ""},
		{"good, of Google's logs", reader, "", "", ""},
		{"unknown key", burst, "justify: actor", "justifies: actor", "alarm.justifies: unknown key"},
		{"condition that does not compile", burst, `app.ticket == ""`, `app.tickets == ""`, "when: does not compile at character 4"},
		{"condition of another type", burst, `app.ticket == ""`, `app.ticket`, "when: gives string"},
		{"unknown function", burst, `app.ticket == ""`, `nothing(app.ticket)`, "when: does not compile"},
		{"bad regular expression", burst, `app.ticket == ""`, `app.ticket.matches("(")`, "when: does not compile"},
		{"unknown method", reader, "[accesssecretversion]", "[accesssecretversions]", `match[0].method[0]: unknown method "accesssecretversions" (did you mean "accesssecretversion"?)`},
		{"unknown service", reader, "service: [secretmanager.googleapis.com]\n", "service: [secretmanager.googlapis.com]\n", "match[0].service[0]: is no service"},
		{"stream the method is not logged to", reader, "[data_access]", "[activity]", "unreachable: is not logged to activity"},
		{"never true", reader, `actor.kind == "human"`, `actor.kind == "human" && false`, "when: unreachable"},
		{"no promise", burst, "promises: [P1]", "promises: []", "promises: keeps no promise"},
		{"a promise nobody gave", burst, "[P1]", "[P9]", `promises[0]: there is no promise "P9"; allowed: P1`},
		{"tests that do not alarm", burst, "alarms: 1", "alarms: 0", "tests[0].alarms: there are 1"},
		{"tests that alarm less", burst, "at_least: 3", "at_least: 4", "tests[0].alarms: there are 0"},
		{"no window length", burst, ", within: PT15M", "", "window.within: is out of range"},
		{"a key of another window", burst, "at_least: 3", "at_least: 3, at_most: 1", "window.at_most: is not for distinct"},
		{"a missing key of a window", burst, "of: app.user, ", "", "window.of: is missing"},
		{"unknown window", burst, "kind: distinct", "kind: often", "window.kind: is unknown"},
		{"window without a kind", burst, "kind: distinct, ", "", "has no kind to belong to"},
		{"unknown stream", burst, "[application]", "[app]", "match[0].stream[0]: is unknown"},
		{"every entry", burst, "{stream: [application], method: [impersonate]}", "{outcome: [ok]}", "match[0]: chooses every entry"},
		{"method in the middle", burst, "[impersonate]", `["*person*"]`, "match[0].method[0]: is not the end of a method"},
		{"severity", burst, "severity: critical", "severity: bad", "alarm.severity: is unknown"},
		{"text", burst, "text: {en: Several users of one customer were impersonated without a ticket.}", "shadow: true", "alarm.text: is empty"},
		{"deadline", burst, "PT4H", "P1Y", "alarm.deadline: is not a span"},
		{"an entry that is none", reader, "- protoPayload: &call", "- notPayload: &call", "tests[0]"},
		{"a test without a name", burst, "- name: three users\n", "- name: \"\"\n", "tests[0]: has no name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(test.rule, test.old, test.new, 1)
			if test.old != "" && text == test.rule {
				t.Fatal("the test changes nothing")
			}
			problems := Lint(t.Context(), company(t, map[string]string{"burst": text}))
			if test.want == "" {
				if len(problems) > 0 {
					t.Errorf("problems %v, want none", problems)
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p policy.Problem) bool { return strings.Contains(p.String(), test.want) && p.Line > 1 }) {
				t.Errorf("problems %v, want one of %q with its line", problems, test.want)
			}
		})
	}
}

func TestMissingTests(t *testing.T) {
	t.Parallel()
	text, _, _ := strings.Cut(burst, "tests:")
	problems := Lint(t.Context(), company(t, map[string]string{"burst": text}))
	if len(problems) != 2 || problems[0].Dangling {
		t.Errorf("problems %v, want two about tests", problems)
	}
}

func TestDanglingPromiseDoesNotStopLoading(t *testing.T) {
	t.Parallel()
	problems := Lint(t.Context(), company(t, map[string]string{"burst": strings.Replace(burst, "[P1]", "[P9]", 1)}))
	if len(problems) != 1 || !problems[0].Dangling || policy.Refuse(problems) != nil {
		t.Errorf("problems %v, want one that is dangling", problems)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	anyStream := strings.Replace(reader, "    stream: [data_access]\n", "", 1)
	s := set(t, map[string]string{"reader": reader, "second": anyStream, "burst": strings.Replace(burst, "{stream", "{service: [application], stream", 1)})
	needs := s.Needs()
	if len(needs) != 2 || needs[1].Service != "secretmanager.googleapis.com" || needs[1].Stream != auditlog.DataAccess || len(needs[1].Rules) != 2 {
		t.Errorf("needs %+v", needs)
	}
	s = set(t, map[string]string{"app": strings.Replace(burst, "{service: [app], stream", "{stream", 1)})
	if needs := s.Needs(); len(needs) != 1 || needs[0].Service != "" || needs[0].Stream != auditlog.ApplicationLog || !needs[0].Met("any", auditlog.ApplicationLog) || needs[0].Configured() {
		t.Errorf("of any application: %+v", needs)
	}
	s = set(t, map[string]string{"reader": reader, "second": anyStream})
	blind := s.Blind(func(service string, stream auditlog.Stream) bool { return stream != auditlog.DataAccess })
	if len(blind) != 1 || blind[0].Service != "secretmanager.googleapis.com" {
		t.Errorf("blind %+v, want secret reads", blind)
	}
}

// What a stream is switched on by: the Service Account Credentials API has no setting of its own.
func TestNeedSwitch(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]string{"iamcredentials.googleapis.com": "iam.googleapis.com", "secretmanager.googleapis.com": "secretmanager.googleapis.com"} {
		if got := (Need{Service: service, Stream: auditlog.DataAccess}).Switch(); got != want {
			t.Errorf("%s by %s", service, got)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	for _, wanted := range []string{"# Source:", "# Date:"} {
		if !strings.Contains(catalogueText, wanted) {
			t.Errorf("the catalogue does not say %s", wanted)
		}
	}
	c := readCatalogue()
	lines, methods := 0, 0
	for line := range strings.Lines(catalogueText) {
		if !strings.HasPrefix(line, "#") {
			lines++
		}
	}
	for _, all := range c {
		for _, l := range all {
			methods++
			if l.stream != "activity" && l.stream != "data_access" {
				t.Errorf("%s goes to %q", l.method, l.stream)
			}
		}
	}
	if lines != methods || len(c) < 40 {
		t.Errorf("%d lines, %d methods of %d services", lines, methods, len(c))
	}
}
