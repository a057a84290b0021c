package intake

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

// clinic is a policy whose duties are done by events that may be bad.
var clinic = with(company, map[string]string{
	"people.yaml": `people:
  - {id: emma, email: emma.dubois@sharedcontacts.example, name: Emma Dubois, roles: [employee, security], zone: Europe/Paris, language: fr}
  - {id: omar, email: omar@x.example, name: Omar, roles: [employee, manager], zone: Europe/Paris, language: fr}
  - {id: olga, email: olga@x.example, name: Olga, roles: [employee, manager, security], zone: Europe/Paris, language: fr}
`,
	"services.yaml": `sources:
  - {id: desk, email: desk@services.x.example, types: [review.done, pentest.report, backup.restored, scan.finished, person.screened], promises: [R1, P1, M1, Q1, H1]}
`,
	"duties.yaml": `duties:
  - {id: look, what: Look., owner_role: security, every: P1Y, evidence: [{type: review.done, about: access}], second: employee}
  - {id: pentest, what: Test., owner_role: security, every: P1Y, evidence: [pentest.report]}
  - {id: drill, what: Restore., owner_role: security, every: P1Y, evidence: [backup.restored]}
  - {id: clear, what: Clear., owner_role: security, on: software, evidence: [scan.finished], second: manager}
  - {id: screen, what: Screen., owner_role: manager, on: joining, evidence: [person.screened], second: security}
`,
	"promises/all.yaml": "promises:\n" + sentences("R1: duty: look", "P1: duty: pentest", "M1 {rto: PT4H}: duty: drill", "Q1: duty: clear", "H1: duty: screen"),
})

func clinicOf(t *testing.T) (*rig, *duty.Service, func(id, name, change string)) {
	t.Helper()
	r := newRigOf(t, fstest.MapFS(clinic), nil)
	n := 0
	return r, r.Duties.(*duty.Service), func(id, name, change string) {
		t.Helper()
		n++
		if err := r.clock.Set(now.Add(time.Duration(n) * time.Hour)); err != nil {
			t.Fatal(err)
		}
		r.send(t, id, message(fmt.Sprint(n), name, r.clock.Now(), changed(t, name, change)))
	}
}

// TestNotGoodEnough: what did not look at everything, or is beyond a limit, does no duty.
func TestNotGoodEnough(t *testing.T) {
	t.Parallel()
	r, tasks, send := clinicOf(t)
	emma, _ := r.Policy.PersonByID("emma")
	asked, err := tasks.Ask(t.Context(), "clear", emma, "vim 9", now)
	if err != nil {
		t.Fatal(err)
	}
	state := func(id string) duty.Task {
		t.Helper()
		task, _, err := tasks.Get(t.Context(), id, r.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	const scan = `{"promises":["Q1"],"kind":"malware","target":"vim 9","drill":null,"alert_raised":null,"grade":null,"measured":null,"value":null,"found":[],`
	for _, test := range []struct {
		name, change, task string
		open               bool
	}{
		{"scan.finished", scan + `"expected":12,"seen":0,"errors":12,"critical":0}`, asked.ID, true},
		{"scan.finished", scan + `"expected":12,"seen":11,"critical":0}`, asked.ID, true},
		{"scan.finished", scan + `"critical":1,"oldest_critical_days":1}`, asked.ID, true},
		{"scan.finished", scan + `"critical":0}`, asked.ID, false},
		{"backup.restored", `{"promises":["M1"],"request":null,"rest_unchanged":null,"declared":"2026-03-03T01:00:00Z","restored":"2026-03-03T05:00:01Z"}`, "drill", true},
		{"backup.restored", `{"promises":["M1"],"request":null,"rest_unchanged":null,"declared":"2026-03-03T06:00:00Z","restored":"2026-03-03T08:00:00Z"}`, "drill", false},
		{"review.done", `{"promises":["R1"],"ended":null,"until":null,"waited_s":null,"expected":40,"reviewed":39}`, "look", true},
		{"review.done", `{"promises":["R1"],"ended":null,"until":null,"waited_s":null,"reviewer":"stranger@elsewhere.example"}`, "look", true},
		{"review.done", `{"promises":["R1"],"ended":null,"until":null,"waited_s":null,"reviewer":"omar@x.example"}`, "look", true},
		{"review.done", `{"promises":["R1"],"ended":null,"until":null,"waited_s":null}`, "look", false},
	} {
		send("desk", test.name, test.change)
		if task := state(test.task); task.Owed() != test.open {
			t.Errorf("%s %s: %+v", test.name, test.change, task)
		}
	}
	if task := state("look"); task.DoneBy != "emma" {
		t.Errorf("done by %q", task.DoneBy)
	}
}

// TestBadAfterGood: a bad event after a good one undoes what the good one did.
func TestBadAfterGood(t *testing.T) {
	t.Parallel()
	r, tasks, send := clinicOf(t)
	person := func(id string) policy.Person { p, _ := r.Policy.PersonByID(id); return p }
	findings := func(duty string) (n int) {
		for _, e := range r.of(duty) {
			if e.Kind == record.Finding && e.Result.State == record.Broken {
				n++
			}
		}
		return n
	}
	const pentest = `{"promises":["P1"],"from":"2026-02-01T00:00:00Z","to":"2026-02-%02dT00:00:00Z","critical_open":%d,"high_open":0}`
	send("desk", "pentest.report", fmt.Sprintf(pentest, 20, 0))
	if left := seen(t, tasks, r.clock.Now()); len(left) == 0 {
		t.Error("a good report does no duty")
	}
	send("desk", "pentest.report", fmt.Sprintf(pentest, 21, 9))
	if findings("pentest") != 1 {
		t.Error("a bad report is not found")
	}
	send("desk", "person.screened", `{"promises":["H1"],"result":"clear"}`)
	send("desk", "person.screened", `{"promises":["H1"],"result":"concern"}`)
	task, _, err := tasks.Get(context.Background(), "screen~emma", r.clock.Now())
	if err != nil || !task.Owed() || findings("screen") != 0 {
		t.Errorf("of concern, what waited is %+v, %v", task, err)
	}
	if _, err := tasks.Review(t.Context(), "screen~emma", duty.By{Person: person("olga")}, duty.Approved, r.clock.Now()); err == nil {
		t.Error("what is of concern is approved")
	}
}
