package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/watch/auditlog"
)

// opened is a rule about who is let in, and one that asks nothing of the kind.
var opened = map[string]string{
	"opened": "match: [{method: [setiampolicy], outcome: [ok]}]\nwhen: '!google && delta.exists(d, d.change == \"added\" && public(d.member))'\n" +
		"alarm: {class: public-exposure, severity: high, text: {en: Look.}, cases: [{when: unsure, severity: medium}]}\npromises: [P1]\n",
	"called": "match: [{method: [setiampolicy], outcome: [ok]}]\nwhen: actor.email == \"eve@else.example\"\nalarm: {class: called, severity: low, text: {en: Look.}}\npromises: [P1]\n",
	"less": "match: [{method: [setiampolicy], outcome: [ok]}]\nwhen: blinding.exists(b, b.change == \"removed\")\n" +
		"alarm: {class: logging-tamper, severity: high, text: {en: Look.}}\npromises: [P1]\n",
}

// policyAt is an entry of a service that logs the whole policy, so many minutes after noon.
func policyAt(id string, minute int, by string, members ...string) *auditlog.Entry {
	return policyOf("service-a", id, minute, by, members...)
}

func policyOf(name, id string, minute int, by string, members ...string) *auditlog.Entry {
	list, _ := json.Marshal(members)
	data := fmt.Sprintf(`{"insertId":%q,"logName":"projects/p/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"protoPayload":{"serviceName":"run.googleapis.com",
		"methodName":"google.cloud.run.v1.Services.SetIamPolicy","resourceName":"namespaces/p/services/%s","authenticationInfo":{"principalEmail":%q},
		"request":{"policy":{"bindings":[{"role":"roles/run.invoker","members":%s}]}}}}`,
		id, time.Date(2026, 3, 3, 12, minute, 0, 0, time.UTC).Format(time.RFC3339), name, by, list)
	all, err := auditlog.Decode([]byte(data))
	if err != nil {
		panic(err)
	}
	return &all[0]
}

func in(location string, e *auditlog.Entry) *auditlog.Entry {
	e.Location = location
	return e
}

// judged holds entries against the rules, in the order in which they come, and returns entry, rule and verdict of the hits.
func judged(t *testing.T, s *Set, m Memory, all ...*auditlog.Entry) (found []string) {
	t.Helper()
	for _, e := range all {
		hits, err := s.Evaluate(t.Context(), e, m, e.Time)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			said := fmt.Sprintf("%s %s %s %s", e.Actor.Email[:3], h.Rule, h.Verdict, h.Subject.Severity)
			if (h.Verdict == Undetermined) != (h.Why != "") {
				t.Errorf("%s: why is %q", said, h.Why)
			}
			found = append(found, said)
		}
	}
	return found
}

func TestPolicyBefore(t *testing.T) {
	t.Parallel()
	const ada, bob, all = "user:ada@firm.example", "user:bob@firm.example", "allUsers"
	agent := "service-1@gcp-sa-run.iam.gserviceaccount.com"
	type entries = []*auditlog.Entry
	for name, c := range map[string]struct {
		entries entries
		want    string
	}{
		"first seen, and harmless":              {entries{policyAt("1", 0, "ann@firm.example", ada)}, ""},
		"first seen":                            {entries{policyAt("1", 0, "ann@firm.example", ada, all)}, "ann opened undetermined medium"},
		"added":                                 {entries{policyAt("1", 0, "ann@firm.example", ada), policyAt("2", 1, "ben@firm.example", ada, all)}, "ben opened violation high"},
		"it stood already":                      {entries{policyAt("1", 0, "ann@firm.example", all), policyAt("2", 1, "ben@firm.example", all, bob)}, "ann opened undetermined medium"},
		"taken away":                            {entries{policyAt("1", 0, "ann@firm.example", all), policyAt("2", 1, "ben@firm.example", bob)}, "ann opened undetermined medium"},
		"given again":                           {entries{policyAt("1", 0, "ann@firm.example", all), policyAt("2", 1, "ben@firm.example"), policyAt("3", 2, "cli@firm.example", all)}, "ann opened undetermined medium, cli opened violation high"},
		"duplicated":                            {entries{policyAt("1", 0, "ann@firm.example", ada), policyAt("2", 1, "ben@firm.example", all), policyAt("2", 1, "ben@firm.example", all), policyAt("1", 0, "ann@firm.example", ada)}, "ben opened violation high, ben opened violation high"},
		"the older one comes later":             {entries{policyAt("2", 1, "ben@firm.example", all), policyAt("1", 0, "ann@firm.example", ada)}, "ben opened undetermined medium"},
		"late, and what it took away came back": {entries{policyAt("1", 0, "ann@firm.example", all), policyAt("3", 2, "cli@firm.example", all, bob), policyAt("2", 1, "ben@firm.example", bob)}, "ann opened undetermined medium, ben opened undetermined medium"},
		"late, and it gave":                     {entries{policyAt("1", 0, "ann@firm.example", ada), policyAt("3", 2, "cli@firm.example", ada), policyAt("2", 1, "ben@firm.example", ada, all)}, "ben opened violation high"},
		"by Google, so that nobody is asked":    {entries{policyAt("1", 0, agent, ada), policyAt("2", 1, "ben@firm.example", ada)}, ""},
		"after Google took it away":             {entries{policyAt("1", 0, "ann@firm.example", all), policyAt("2", 1, agent), policyAt("3", 2, "cli@firm.example", all)}, "ann opened undetermined medium, cli opened violation high"},
		"another thing":                         {entries{policyOf("b", "1", 0, "ann@firm.example", all), policyAt("2", 1, "ben@firm.example", all)}, "ann opened undetermined medium, ben opened undetermined medium"},
		"the same name elsewhere":               {entries{policyAt("1", 0, "ann@firm.example", all), in("europe-west1", policyAt("2", 1, "ben@firm.example", all))}, "ann opened undetermined medium, ben opened undetermined medium"},
		"a rule that does not ask is sure":      {entries{policyAt("1", 0, "eve@else.example", ada)}, "eve called violation low"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, opened)
			if got := strings.Join(judged(t, s, NewLocal(), c.entries...), ", "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What is logged is part of a policy: less of it is a change too.
func TestPolicyBeforeTellsWhatIsLogged(t *testing.T) {
	t.Parallel()
	s, m := set(t, opened), NewLocal()
	first, second := policyAt("1", 0, "ann@firm.example"), policyAt("2", 1, "ben@firm.example")
	first.Request = json.RawMessage(`{"policy":{"bindings":[],"auditConfigs":[{"service":"allServices","auditLogConfigs":[{"logType":"DATA_READ"}]}]}}`)
	if got := judged(t, s, m, first, second); len(got) != 1 || got[0] != "ben less violation high" {
		t.Error(got)
	}
}

// A refused call changes nothing, and an entry that names no thing is compared with none.
func TestPolicyBeforeIsOfCallsThatWentWell(t *testing.T) {
	t.Parallel()
	s, m := set(t, opened), NewLocal()
	refused := policyAt("2", 1, "ben@firm.example", "allUsers")
	refused.Outcome.Result = auditlog.Denied
	nameless := policyAt("4", 3, "dan@firm.example", "allUsers")
	nameless.Asset = ""
	got := judged(t, s, m, policyAt("1", 0, "ann@firm.example"), refused, policyAt("3", 2, "cli@firm.example", "allUsers"), nameless)
	if strings.Join(got, ", ") != "cli opened violation high, dan opened undetermined medium" {
		t.Error(got)
	}
}

// A policy that is too large to be kept makes the next one undetermined, not silent.
func TestPolicyTooLarge(t *testing.T) {
	t.Parallel()
	s, m := set(t, opened), NewLocal()
	crowd := make([]string, mostBindings+1)
	for i := range crowd {
		crowd[i] = fmt.Sprint("user:", i, "@firm.example")
	}
	if got := judged(t, s, m, policyAt("1", 0, "ann@firm.example", crowd...), policyAt("2", 1, "ben@firm.example", "allUsers")); len(got) != 1 || got[0] != "ben opened undetermined medium" {
		t.Error(got)
	}
}

// Memory does not grow with the number of things and their changes; what is forgotten is undetermined again.
func TestStandingIsBounded(t *testing.T) {
	t.Parallel()
	m := NewLocal()
	for i := range 2*mostThings + 5 {
		if err := m.Stand(t.Context(), Standing{Kind: StandingPolicy, Thing: fmt.Sprint(i), Entry: "e"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 * mostStood {
		if err := m.Stand(t.Context(), Standing{Kind: StandingTicket, Thing: "t", Entry: fmt.Sprint(i), Time: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.stood.of(standingOf{StandingTicket, "t"})); n != mostStood {
		t.Errorf("%d of one thing", n)
	}
	large := make([]auditlog.Binding, mostBindings)
	for i := range 3 * mostHeld / mostBindings {
		if err := m.Stand(t.Context(), Standing{Kind: StandingPolicy, Thing: fmt.Sprint("large ", i), Entry: "e", Bindings: large}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.stood.young); n > mostHeld/mostBindings+1 {
		t.Errorf("%d large policies in one generation", n)
	}
	if n := len(m.stood.young) + len(m.stood.old); n > 2*mostThings {
		t.Errorf("%d things", n)
	}
}

// What stands lives long while it is the newest, and shorter when something newer is known.
func TestStandingExpires(t *testing.T) {
	t.Parallel()
	s, m := set(t, opened), NewLocal()
	judged(t, s, m, policyAt("1", 0, "ann@firm.example"), policyAt("3", 2, "cli@firm.example"), policyAt("2", 1, "ben@firm.example"))
	all := m.stood.of(standingOf{StandingPolicy, policyAt("1", 0, "ann@firm.example").Asset + " p "})
	if len(all) != 3 {
		t.Fatal(all)
	}
	for i, want := range []time.Duration{SupersededKept, SupersededKept, StandingKept} {
		if got := all[i].Expires.Sub(all[i].Time); got < want || got > want+time.Hour {
			t.Errorf("%d: kept for %v", i, got)
		}
	}
}

// A store that is away leaves an entry to come again: nothing was remembered.
func TestStandingFailsWhole(t *testing.T) {
	t.Parallel()
	s := set(t, opened)
	for at := 1; ; at++ {
		m := &strict{Local: NewLocal(), failAt: at}
		e := policyAt("1", 0, "ann@firm.example", "allUsers")
		_, err := s.Evaluate(t.Context(), e, m, e.Time)
		if err == nil {
			if at < 3 {
				t.Errorf("no call was made to fail: %d", at)
			}
			return
		}
		if !errors.Is(err, errStore) || fault.Is(err, fault.Invalid) || len(m.stood.young) > 0 {
			t.Errorf("call %d: %v", at, err)
		}
	}
}
