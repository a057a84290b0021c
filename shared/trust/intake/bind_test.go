package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

// office is a policy in which one source proves several duties, and several sentences by one check.
var office = with(company, map[string]string{
	"people.yaml": `people:
  - {id: emma, email: emma.dubois@sharedcontacts.example, name: Emma Dubois, roles: [employee, security], zone: Europe/Paris, language: fr}
  - {id: omar, email: omar@x.example, name: Omar, roles: [employee, oncall], zone: Europe/Paris, language: fr}
  - {id: olga, email: olga@x.example, name: Olga, roles: [employee, owner], zone: Europe/Paris, language: fr}
`,
	"services.yaml": `sources:
  - {id: desk, email: desk@services.x.example, types: [training.completed, review.done, pentest.report, backup.restored], promises: [C1, C2, C3, W1, W2, A1, P1, M1, M2, X1]}
  - {id: ci, email: ci@services.x.example, types: [build.tested, build.scanned, scan.finished], promises: [L1, S1, S2, S3, G1, H1]}
  - {id: uptime, email: uptime@services.x.example, types: [uptime.report], promises: [U1, E1, E2]}
`,
	"duties.yaml": `duties:
  - {id: phishing, what: Pass., owner_role: security, every: P1Y, evidence: [{type: training.completed, about: phishing}]}
  - {id: coding, what: Pass., owner_role: security, every: P1Y, evidence: [{type: training.completed, about: Secure-Coding}]}
  - {id: reading, what: Read., owner_role: security, every: P1Y, evidence: [training.completed]}
  - {id: daily, what: Look., owner_role: security, every: P1D, evidence: [{type: review.done, about: logs/day}]}
  - {id: weekly, what: Look., owner_role: security, every: P7D, evidence: [{type: review.done, about: logs/week}]}
  - {id: access, what: Look., owner_role: security, every: P90D, evidence: [{type: review.done, about: access}]}
  - {id: one, what: Look., owner_role: security, every: P1Y, evidence: [review.done]}
  - {id: other, what: Look., owner_role: security, every: P1Y, evidence: [review.done]}
  - {id: pentest, what: Test., owner_role: security, every: P1Y, evidence: [{type: pentest.report, about: external}]}
  - {id: drill, what: Restore., owner_role: security, every: P1Y, evidence: [backup.restored]}
  - {id: give-back, what: Restore., owner_role: oncall, on: restore-request, within: P4D, evidence: [backup.restored], second: security}
`,
	"promises/all.yaml": "promises:\n" + sentences(
		"C1: duty: phishing", "C2: duty: coding", "C3: duty: reading", "W1: duty: [daily, weekly]", "W2: duty: [one, other]", "A1: duty: access", "P1: duty: pentest",
		"M1: duty: drill", "M2: duty: give-back", "L1 {lag: PT24H, scope: code}: records: ci-evidence", "S1 {suite: tenants}: records: ci-evidence",
		"S2: records: ci-evidence", "G1 {cost: '>=10'}: records: credential-format", "H1 {drill: P1M}: records: edge-protection",
		"U1 {slo: 99.3%/P30D}: records: uptime-slo", "E1 {drill: P7D}: records: alert-route", "E2 {ack: PT15M}: records: alert-route", "X1: records: [pentest, review, dr-drill]") +
		"  - {id: S3, same_as: S1, text: {en: So it is.}, source: {file: x, section: y}, check: x, severity: high}\n",
})

// with is a policy folder with some files replaced.
func with(folder fstest.MapFS, files map[string]string) fstest.MapFS {
	folder = maps.Clone(folder)
	for name, text := range files {
		folder["x/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

// sentences are promises written as "ID {params}: keeper".
func sentences(all ...string) string {
	var text strings.Builder
	for _, one := range all {
		i := strings.LastIndex(one[:strings.LastIndex(one, ": ")], ": ")
		id, keeper := one[:i], one[i+2:]
		id, params, limited := strings.Cut(id, " ")
		if limited {
			params = ", params: " + params
		}
		fmt.Fprintf(&text, "  - {id: %s, text: {en: It is so.}, source: {file: x, section: y}, check: x, severity: high%s, kept_by: [{%s}]}\n", id, params, keeper)
	}
	return text.String()
}

// TestOneEventDoesOneDuty: an event counts for what it is about, and where that cannot be told for nothing.
func TestOneEventDoesOneDuty(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	tasks := r.Duties.(*duty.Service)
	for i, test := range []struct {
		name, change, code string
		does               []string
	}{
		{"training.completed", `{"course":"secure-coding"}`, "evidence_ambiguous", nil}, // the plain duty takes it too
		{"training.completed", `{"course":"secure-coding","promises":["C1"]}`, "evidence_unbound", nil},
		{"training.completed", `{"course":"secure-coding","promises":["C1","C2"]}`, "evidence_unbound", nil},
		{"training.completed", `{"course":"secure-coding-2026","promises":["C2"]}`, "", []string{"coding~emma"}},
		{"training.completed", `{"course":"phishing-2026","promises":["C1"]}`, "", []string{"phishing~emma"}},
		{"training.completed", `{"course":"first-aid","promises":["C3"]}`, "", []string{"reading~emma"}},
		{"training.completed", `{"course":"first-aid"}`, "", []string{"reading~emma"}},
		{"review.done", `{"review":"logs","period":"day","promises":["W1"]}`, "", []string{"daily"}},
		{"review.done", `{"review":"logs","period":"week","promises":["W1"]}`, "", []string{"weekly"}},
		{"review.done", `{"review":"logs","period":null,"promises":["W1"]}`, "evidence_unbound", nil},
		{"review.done", `{"review":"access","promises":["W1"]}`, "evidence_unbound", nil},
		{"review.done", `{"review":"logs","promises":["W2"]}`, "evidence_ambiguous", nil},
		{"review.done", `{"review":"logs","period":"day"}`, "evidence_ambiguous", nil},
		{"review.done", `{"promises":["A1"]}`, "", []string{"access"}}, // whatever its period
		{"pentest.report", `{"tester":"internal","promises":["P1"]}`, "evidence_unbound", nil},
		{"pentest.report", `{"promises":["P1"]}`, "", []string{"pentest"}},
		{"backup.restored", `{"promises":["M2"]}`, "evidence_unbound", nil},
		{"backup.restored", `{"promises":["M1"],"request":"Emma's calendar"}`, "evidence_unbound", nil},
		{"backup.restored", `{"promises":["M1"]}`, "", []string{"drill"}},
	} {
		before := seen(t, tasks, now)
		_, err := r.Receive(t.Context(), r.source("desk"), message(fmt.Sprint(i), test.name, happened.Add(time.Duration(i)*time.Second), changed(t, test.name, test.change)), now)
		var does []string
		for id, event := range seen(t, tasks, now) {
			if before[id] != event {
				does = append(does, id)
			}
		}
		slices.Sort(does)
		if fault.CodeOf(err) != test.code || !slices.Equal(does, test.does) {
			t.Errorf("%s %s: %v, does %v; want %s, %v", test.name, test.change, err, does, test.code, test.does)
		}
		if refused, ok := err.(*fault.Error); test.code != "" && (!ok || refused.Status != 422 || !strings.Contains(refused.Next+refused.Detail, "promise")) {
			t.Errorf("%s %s: %+v", test.name, test.change, err)
		}
	}
}

// seen is what the duties know of events.
func seen(t *testing.T, tasks *duty.Service, now time.Time) map[string]string {
	t.Helper()
	list, err := tasks.List(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, task := range list {
		for _, e := range task.Evidence {
			found[task.ID] += e.Event
		}
	}
	return found
}

// TestUnmeasured: an event is no evidence for a limit that it does not measure, and of a promise that chooses among suites
// only the chosen one.
func TestUnmeasured(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	for i, test := range []struct{ name, change, code string }{
		{"build.tested", `{"promises":["L1"]}`, "evidence_unmeasured"},
		{"build.scanned", `{"promises":["L1"]}`, "evidence_unmeasured"}, // of dependencies
		{"build.scanned", `{"promises":["L1"],"scope":"code"}`, ""},
		{"build.scanned", `{"promises":["S1"]}`, "evidence_unmeasured"},
		{"build.tested", `{"promises":["S1"]}`, "evidence_unmeasured"},
		{"build.tested", `{"promises":["S1"],"suite":"tenants"}`, ""},
		{"build.tested", `{"promises":["S1","S2"],"suite":"tenants"}`, ""},
		{"build.tested", `{"promises":["S3"]}`, "evidence_unmeasured"}, // the same sentence as S1
		{"build.tested", `{"suite":"tenants"}`, "evidence_ambiguous"},
		{"build.tested", ``, ""}, // the unlimited one alone
		{"scan.finished", `{"promises":["G1"],"kind":"credentials"}`, "evidence_unmeasured"},
		{"scan.finished", `{"promises":["G1"],"kind":"credentials","measured":null,"value":null}`, "evidence_unmeasured"},
		{"scan.finished", `{"promises":["G1"],"kind":"credentials","measured":"cost","value":12}`, ""},
		{"scan.finished", `{"promises":["G1"],"kind":"tls","measured":"cost","value":12}`, "evidence_unbound"},
		{"scan.finished", `{"promises":["H1"],"kind":"intrusion"}`, ""},
		{"scan.finished", `{"promises":["H1"],"kind":"malware"}`, "evidence_unbound"},
		{"scan.finished", `{"promises":["H1"],"kind":"intrusion","drill":null,"alert_raised":null}`, "evidence_unmeasured"},
		{"scan.finished", ``, "evidence_unbound"},
	} {
		got, err := r.Receive(t.Context(), r.source("ci"), message(fmt.Sprint(i), test.name, happened, changed(t, test.name, test.change)), now)
		if fault.CodeOf(err) != test.code || err == nil && test.change == `` && !slices.Equal(got.Promises, []string{"S2"}) {
			t.Errorf("%s %s: %+v, %v; want %s", test.name, test.change, got, err, test.code)
		}
	}
	kept := map[string]bool{}
	for _, e := range r.records {
		if e.Control != Control && e.Result.State == record.Kept {
			kept[e.Promises[0]] = true
		}
	}
	if got := slices.Sorted(maps.Keys(kept)); !slices.Equal(got, []string{"G1", "H1", "L1", "S1", "S2"}) {
		t.Errorf("kept: %v", got)
	}
	// What is due each month counts for two at most, whatever the type allows.
	if e := r.of("edge-protection"); len(e) != 1 || !e[0].Expires.Equal(time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", e)
	}
}

// TestFacts: evidence counts from when what it tells of happened, not from when it was told.
func TestFacts(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for i, test := range []struct {
		source, name, change, control, fact string
		lasts                               time.Duration
	}{
		{"desk", "pentest.report", `{"promises":["X1"]}`, "pentest", "2026-02-20T00:00:00Z", 366 * day},
		{"desk", "backup.restored", `{"promises":["X1"]}`, "dr-drill", "2026-03-03T07:30:00Z", 366 * day},
		{"desk", "review.done", `{"promises":["X1"]}`, "review", "2026-03-03T08:00:00Z", 366 * day},
		{"desk", "review.done", `{"promises":["X1"],"review":"risks","ended":"2026-01-03T08:00:00Z"}`, "review", "2026-01-03T08:00:00Z", 0}, // the other holds longer
		{"uptime", "uptime.report", `{"promises":["U1"]}`, "uptime-slo", "2026-03-03T08:50:00Z", 25 * time.Hour},
		{"uptime", "uptime.report", `{"promises":["E1"],"alert_fired":"2026-03-03T01:00:00Z","alert_reached":"2026-03-03T01:00:30Z","alert_acknowledged":null}`, "alert-route", "2026-03-03T01:00:00Z", 25 * time.Hour},
	} {
		r.records = nil
		r.send(t, test.source, message(fmt.Sprint(i), test.name, happened, changed(t, test.name, test.change)))
		told := r.of(test.control)
		if len(told) != 1 || told[0].Result.State != record.Kept {
			t.Errorf("%s: %+v", test.name, told)
			continue
		}
		if fact := at(test.fact); test.lasts > 0 && (!told[0].Source.Observed.Equal(fact) || !told[0].Expires.Equal(fact.Add(test.lasts))) {
			t.Errorf("%s: of %s until %s", test.name, told[0].Source.Observed, told[0].Expires)
		}
	}
	for name, change := range map[string]string{
		"pentest.report": `{"promises":["X1"],"from":"2024-01-01T00:00:00Z","to":"2024-02-01T00:00:00Z"}`,
		"review.done":    `{"promises":["X1"],"ended":"2025-01-01T00:00:00Z"}`,
	} {
		if _, err := r.Receive(t.Context(), r.source("desk"), message("old", name, happened, changed(t, name, change)), now); fault.CodeOf(err) != "event_time" {
			t.Errorf("%s of long ago: %v", name, err)
		}
	}
	for i, change := range []string{`{"expected":0,"reviewed":0}`} {
		if _, err := r.Receive(t.Context(), r.source("desk"), message(fmt.Sprint("none", i), "review.done", happened, changed(t, "review.done", change)), now); fault.CodeOf(err) != "event_invalid" {
			t.Errorf("a review of nothing: %v", err)
		}
	}
}

// TestOldFactsDoNoDuty: what was done for a time that is over does not end a duty's finding today.
func TestOldFactsDoNoDuty(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	r.send(t, "desk", message("1", "review.done", happened, changed(t, "review.done", `{"promises":["A1"],"ended":"2025-11-01T00:00:00Z"}`)))
	if left := seen(t, r.Duties.(*duty.Service), now); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

// TestFuture: no time of a record is ahead of our clock, however an event puts it.
func TestFuture(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	ahead := now.Add(MaxSkew + time.Second).Format(time.RFC3339)
	for name, members := range map[string][]string{
		"pentest.report": {"to"}, "backup.restored": {"restored"}, "review.done": {"ended"}, "uptime.report": {"to", "last", "alert_fired", "alert_reached", "alert_acknowledged"},
	} {
		source := "desk"
		if name == "uptime.report" {
			source = "uptime"
		}
		for _, member := range members {
			data := changed(t, name, `{"`+member+`":"`+ahead+`"}`)
			for _, at := range []time.Time{happened, now.Add(MaxSkew + 2*time.Second)} {
				if _, err := r.Receive(t.Context(), r.source(source), message("1", name, at, data), now); err == nil {
					t.Errorf("%s: %s in the future was taken", name, member)
				}
			}
		}
	}
	// Clocks differ a little: then it happened just now.
	soon := now.Add(MaxSkew)
	r.send(t, "desk", message("2", "review.done", soon, changed(t, "review.done", `{"promises":["X1"],"ended":"`+soon.Format(time.RFC3339)+`"}`)))
	for _, e := range r.records {
		if e.Source.Observed.After(now) {
			t.Errorf("observed %s", e.Source.Observed)
		}
	}
}

// TestRequest: a customer asks for something, it is restored, a second person looks at it, and the promise is kept.
func TestRequest(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	tasks := r.Duties.(*duty.Service)
	person := func(id string) policy.Person { p, _ := r.Policy.PersonByID(id); return p }
	asked, err := tasks.Ask(t.Context(), "give-back", person("emma"), "The calendar of 2 March", now)
	if err != nil {
		t.Fatal(err)
	}
	later := now.Add(6 * time.Hour)
	if err := r.clock.Set(later); err != nil {
		t.Fatal(err)
	}
	restored := func(id, request string) {
		t.Helper()
		r.send(t, "desk", message(id, "backup.restored", later, changed(t, "backup.restored",
			`{"promises":["M2"],"request":"`+request+`","declared":"2026-03-03T10:00:00Z","restored":"2026-03-03T12:00:00Z"}`)))
	}
	state := func() duty.Task {
		t.Helper()
		task, _, err := tasks.Get(t.Context(), asked.ID, later)
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	restored("1", "The calendar of 3 March")
	if task := state(); task.State != duty.Open {
		t.Errorf("another request was answered: %+v", task)
	}
	restored("2", "the calendar of 2 march")
	if task := state(); !task.Waiting() {
		t.Errorf("restored: %+v", task)
	}
	if _, err := tasks.Review(t.Context(), asked.ID, duty.By{Person: person("emma")}, duty.Approved, later); fault.CodeOf(err) != "review_self" {
		t.Errorf("who asked for it looks at it: %v", err)
	}
	r.Policy.People[2].Roles = append(r.Policy.People[2].Roles, policy.Security)
	if _, err := tasks.Review(t.Context(), asked.ID, duty.By{Person: r.Policy.People[2]}, duty.Approved, later); err != nil {
		t.Fatal(err)
	}
	if task := state(); !task.InForce(later) {
		t.Errorf("done: %+v", task)
	}
	if kept := r.of("give-back"); kept[len(kept)-1].Result.State != record.Kept || !slices.Contains(kept[len(kept)-1].Promises, "M2") {
		t.Errorf("%+v", kept)
	}
	for _, e := range r.records {
		if data, _ := e.Canonical(); strings.Contains(string(data), "alendar") {
			t.Errorf("a record holds what was asked for: %s", data)
		}
	}
}

// TestAlerts: a report proves that alerts reach people by an alert, not by being one.
func TestAlerts(t *testing.T) {
	t.Parallel()
	r := newRigOf(t, office, nil)
	for i, test := range []struct {
		change, code string
		state        record.State
	}{
		{`{"promises":["E1","E2"],"alert_fired":null,"alert_reached":null,"alert_acknowledged":null}`, "evidence_unmeasured", ""},
		{`{"promises":["E1","E2"]}`, "", record.Kept},
		{`{"promises":["E1","E2"],"alert_fired":"2026-03-03T01:00:00Z","alert_reached":null,"alert_acknowledged":null}`, "", record.Broken},
	} {
		r.records = nil
		_, err := r.Receive(t.Context(), r.source("uptime"), message(fmt.Sprint(i), "uptime.report", happened, changed(t, "uptime.report", test.change)), now)
		told := r.of(alertRoute)
		if fault.CodeOf(err) != test.code || (len(told) == 2) != (err == nil) {
			t.Errorf("%s: %v, %+v", test.change, err, told)
		}
		for _, e := range told {
			if e.Result.State != test.state {
				t.Errorf("%s: %+v", test.change, e)
			}
		}
	}
}
