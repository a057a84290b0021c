package rule

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// company returns a policy with rules, by name.
func company(t testing.TB, rules map[string]string) *policy.Policy {
	t.Helper()
	fsys := fstest.MapFS{
		"p/company.yaml": {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Paris\n  country: FR\n  languages: [en]\n" +
			"  environments:\n    - {id: live, project: firm-live, kind: live}\n    - {id: staging, project: firm-staging, kind: staging}\n")},
		"p/people.yaml": {Data: []byte("people:\n  - {id: eva, email: eva@firm.example, name: Eva, roles: [employee, manager], zone: Europe/Paris, language: en}\n")},
		"p/promises/all.yaml": {Data: []byte("promises:\n  - id: P1\n    text: {en: Nobody reads.}\n    source: {file: a, section: b}\n    check: anomaly-detect\n" +
			"    severity: high\n    kept_by: [{rule: burst}]\n")},
	}
	for name, text := range rules {
		fsys["p/rules/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(fsys, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	return p
}

// set compiles rules that must be right.
func set(t testing.TB, rules map[string]string) *Set {
	t.Helper()
	s, problems := Load(company(t, rules))
	if len(problems) > 0 {
		t.Fatalf("loading rules: %v", problems)
	}
	return s
}

const tail = `
alarm: {severity: high, text: {en: Look.}}
promises: [P1]
`

// rule returns a rule about calls of one verb of an application.
func rule(verb, rest string) string {
	return fmt.Sprintf("match: [{service: [app], method: [%s], stream: [application]}]\n", verb) + strings.TrimSpace(rest) + tail
}

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// entry is a call of an application.
func entry(id, verb, actor, user string, at time.Duration) *auditlog.Entry {
	return &auditlog.Entry{
		ID: id, Kind: auditlog.Application, Stream: auditlog.ApplicationLog, Service: "app", Method: verb, Verb: verb,
		Time: noon.Add(at), Actor: auditlog.Actor{Kind: auditlog.Human, Key: actor, Email: actor},
		App: auditlog.App{User: user, Tenant: "t1", Action: verb}, Outcome: auditlog.Outcome{Result: auditlog.OK},
	}
}

// ids are the entries of hits, joined.
func ids(hits []Hit) string {
	var all []string
	for _, h := range hits {
		all = append(all, h.Subject.Entry)
	}
	return strings.Join(all, " ")
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, rule string
		entries    []*auditlog.Entry
		at         time.Duration // when settled
		want       string
	}{
		{"every match is a hit", rule("act", ""), []*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "other", "a", "u", 0)}, 0, "1"},
		{"a condition", rule("act", `when: app.user == "u"`), []*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "act", "a", "v", 0)}, 0, "1"},
		{"a method by star", rule(`"a*"`, ""), []*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "add", "a", "v", time.Second), entry("3", "b", "a", "v", 2*time.Second)}, 0, "1 2"},
		{"count at the end of the window", rule("act", `window: {kind: count, at_least: 2, within: PT15M}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "act", "b", "u", 0), entry("3", "act", "a", "u", 15*time.Minute)}, 0, "3"},
		{"count after the window", rule("act", `window: {kind: count, at_least: 2, within: PT15M}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("3", "act", "a", "u", 15*time.Minute+time.Second)}, 0, ""},
		{"three users", rule("act", `window: {kind: distinct, of: app.user, at_least: 3, within: PT15M}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "act", "a", "v", time.Minute), entry("3", "act", "a", "v", 2*time.Minute),
				entry("4", "act", "a", "w", 15*time.Minute)}, 0, "4"},
		{"one user often", rule("act", `window: {kind: distinct, of: app.user, at_least: 2, within: PT15M}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "act", "a", "u", time.Minute)}, 0, ""},
		{"in sequence, either way it comes", rule("act", `window: {kind: sequence, within: PT15M, other: {match: [{method: [before], stream: [application]}]}}`),
			[]*auditlog.Entry{entry("2", "act", "a", "u", 2*time.Minute), entry("1", "before", "a", "u", time.Minute), entry("3", "act", "a", "u", 0)}, 0, "2"},
		{"nothing followed", rule("act", `window: {kind: absence, within: PT1H, other: {match: [{method: [after], stream: [application]}]}}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0), entry("2", "act", "b", "u", 0), entry("3", "after", "b", "u", time.Hour)}, 2 * time.Hour, "1"},
		{"too early to say", rule("act", `window: {kind: absence, within: PT1H, other: {match: [{method: [after], stream: [application]}]}}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 0)}, time.Hour, ""},
		{"one read for each deployment", rule("act", `window: {kind: budget, of: app.user, at_most: 1, within: PT15M, other: {match: [{method: [deploy], stream: [application]}]}}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", 2*time.Minute), entry("0", "deploy", "a", "", time.Minute), entry("2", "act", "a", "v", 3*time.Minute),
				entry("3", "act", "a", "u", 4*time.Minute), entry("4", "act", "b", "u", 2*time.Minute), entry("5", "act", "a", "v", 17*time.Minute)}, 2 * time.Hour, "4 3 5"},
		{"a new address", rule("act", `window: {kind: first-seen, of: app.user, within: P90D, learn: P7D}`),
			[]*auditlog.Entry{entry("1", "act", "a", "u", -8*24*time.Hour), entry("2", "act", "a", "v", 0), entry("3", "act", "a", "u", 0), entry("4", "act", "b", "v", 0)},
			time.Hour, "2"},
		{"not known", rule("act", `when: listed`), []*auditlog.Entry{entry("1", "act", "a", "u", 0)}, 0, "1"},
		{"nothing to tell apart", rule("act", `window: {kind: distinct, of: app.user, at_least: 2, within: PT15M}`),
			[]*auditlog.Entry{entry("1", "act", "a", "", 0)}, 0, "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, memory := set(t, map[string]string{"r": test.rule}), NewLocal()
			var hits []Hit
			for range 2 { // the second time is a redelivery
				for _, e := range test.entries {
					found, err := s.Evaluate(t.Context(), e, memory, e.Time)
					if err != nil {
						t.Fatal(err)
					}
					hits = append(hits, found...)
				}
			}
			found, _, err := s.Settle(t.Context(), memory, noon.Add(test.at), 100)
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(sorted(append(hits, found...))); got != test.want {
				t.Errorf("hits of entries %q, want %q", got, test.want)
			}
		})
	}
}

func TestSeverityByCase(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{"r": "match: [{service: [app]}]\nalarm: {severity: high, text: {en: Look.}, cases: [{when: 'app.user == \"u\"', severity: low}]}\npromises: [P1]\n"})
	hits, err := s.Evaluate(t.Context(), entry("1", "act", "a", "u", 0), NewLocal(), noon)
	if err != nil || len(hits) != 1 || hits[0].Subject.Severity != policy.Low || hits[0].Subject.Because == "" {
		t.Errorf("hits %+v, error %v: want one of severity low, and why", hits, err)
	}
}

func TestOneHitForAnOperation(t *testing.T) {
	t.Parallel()
	s := set(t, map[string]string{"r": rule("act", "")})
	first, last := entry("1", "act", "a", "u", 0), entry("2", "act", "a", "u", time.Minute)
	first.Operation = auditlog.Operation{ID: "op", First: true}
	last.Operation = auditlog.Operation{ID: "op", Last: true}
	seen := map[string]bool{}
	for _, e := range []*auditlog.Entry{first, last} {
		hits, err := s.Evaluate(t.Context(), e, NewLocal(), noon)
		if err != nil || len(hits) != 1 {
			t.Fatalf("hits %v, error %v", hits, err)
		}
		seen[hits[0].ID] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d hits, want one", len(seen))
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	s, memory := set(t, map[string]string{"r": rule("act", `window: {kind: count, at_least: 500, within: PT2H}`)}), NewLocal()
	crowded := map[string]bool{}
	for i := range Crowd + 50 {
		hits, err := s.Evaluate(t.Context(), entry(fmt.Sprint(i), "act", "a", "u", time.Duration(i)*time.Second), memory, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			if h.Crowded {
				crowded[h.ID] = true
			}
		}
	}
	if n := len(memory.known); len(crowded) != 1 || n != Crowd {
		t.Errorf("%d crowds and %d members, want 1 and %d", len(crowded), n, Crowd)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	s, memory := set(t, map[string]string{"r": rule("act", `window: {kind: count, at_least: 2, within: PT2H}`)}), NewLocal()
	if _, err := s.Evaluate(t.Context(), entry("1", "act", "a", "u", 0), memory, noon); err != nil {
		t.Fatal(err)
	}
	memory.Forget(noon.Add(26 * time.Hour))
	if len(memory.known) != 1 {
		t.Error("forgot a member that a late entry needs")
	}
	memory.Forget(noon.Add(27 * time.Hour))
	if len(memory.known) != 0 || len(memory.groups) != 0 {
		t.Error("kept a member that no window needs")
	}
}
