package intake

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/testdata/policies"
)

// seed is an event that keeps promises of a sample policy, and what of it may not be otherwise.
type seed struct {
	company, ids string
	eventType    string
	good         string   // members of the sample event that are replaced
	bad          []string // the same, over good: none of these keeps a promise
}

const (
	fresh   = `"expected":1,"stores":[{"store":"crm","restorable":"2026-03-03T08:53:00Z","regions":2,"offsite":1,"size_off_percent":3}]`
	malware = `"kind":"malware"`
	noAlert = `"alert_fired":null,"alert_reached":null,"alert_acknowledged":null`
	course  = `"course":"first-aid"`
	someone = `"person":"stranger@x.example"`
	unread  = `"open":7`
)

// seeds are about every promise that a source of a sample policy may speak of.
var seeds = []seed{
	{"labelsync", "L14 L15", "scan.finished", malware + `,"target":"Vim 9"`, []string{`"kind":"vulnerability"`, `"target":"another"`, `"critical":1`, `"kind":"tls"`}},
	{"labelsync", "L16", "review.done", `"review":"tools"`, []string{unread, `"reviewed":39`, `"review":"logs"`, `"review":"access"`}},
	{"labelsync", "L27", "training.completed", `"course":"phishing-2026"`, []string{course, `"passed":false`, someone}},
	{"labelsync", "L28", "person.screened", ``, []string{`"result":"concern"`, someone}},
	{"labelsync", "L29", "person.nda", ``, []string{someone}},
	{"labelsync", "L30", "training.completed", `"course":"security-reminder"`, []string{course}},
	{"sharedcontacts", "F15 F16", "scan.finished", malware + `,"target":"Vim 9"`, []string{`"kind":"vulnerability"`, `"target":"another"`, `"critical":1`}},
	{"sharedcontacts", "F17", "review.done", `"review":"tools"`, []string{unread, `"reviewed":39`, `"review":"logs"`}},
	{"sharedcontacts", "D28", "training.completed", `"course":"phishing"`, []string{course}},
	{"sharedcontacts", "D29", "person.screened", ``, []string{`"result":"concern"`}},
	{"sharedcontacts", "D30", "person.nda", ``, []string{someone}},
	{"sharedcontacts", "D31", "training.completed", `"course":"security-reminder"`, []string{course}},

	{"bookafy", "B01", "build.tested", `"suite":"ingest-schema","measured":"fields","value":4`, []string{`"suite":"ui"`, `"value":5`, `"measured":"roles"`}},
	{"bookafy", "B31", "build.tested", `"suite":"ingest-schema"`, []string{`"suite":"ui","tests":1,"passed":1`, `"failed":1,"passed":119`}},
	{"bookafy", "B46", "build.tested", ``, []string{`"signed_off":null`, `"signed_off":"2026-03-03T05:00:00Z"`, `"deployed":null`, `"deployed":"2026-03-01T06:00:00Z"`, `"failed":1,"passed":119`}},
	{"bookafy", "B100", "build.scanned", `"scope":"code"`, []string{`"scope":"secrets"`, `"critical":1`}},
	{"bookafy", "B101", "build.tested", `"suite":"tenant-isolation"`, []string{`"suite":"ui"`}},
	{"bookafy", "B40", "release.deployed", ``, []string{`"previous":"2026-02-01T09:00:00Z"`, `"environment":"staging"`}},
	{"bookafy", "B41", "release.deployed", ``, []string{`"staging_at":null`, `"signed_off":false`}},
	{"bookafy", "B43", "release.deployed", ``, []string{`"signed_off":false`, `"suite_passed":false`, `"environment":"staging"`}},
	{"bookafy", "B45", "release.deployed", ``, []string{`"environment":"dev"`}},
	{"bookafy", "B01", "scan.finished", `"kind":"schema","measured":"fields","value":4`, []string{malware, `"value":5`}},
	{"bookafy", "B02 B07 B83", "scan.finished", `"kind":"personal-data"`, []string{`"kind":"tls"`, malware, `"value":1`, `"measured":null,"value":null`}},
	{"bookafy", "B03", "scan.finished", `"kind":"oauth","found":["calendar.events"]`, []string{`"kind":"tls"`, `"found":["calendar.events","contacts"]`, `"found":[]`}},
	{"bookafy", "B06", "scan.finished", `"kind":"oauth"`, []string{malware, `"critical":1`}},
	{"bookafy", "B13", "scan.finished", `"kind":"content","found":["image/png"]`, []string{`"kind":"reputation"`, `"found":["text/html"]`}},
	{"bookafy", "B21", "scan.finished", `"kind":"credentials","measured":"cost","value":12`, []string{`"kind":"tls"`, `"value":9`}},
	{"bookafy", "B22", "scan.finished", `"kind":"credentials","measured":"dup_nonce","value":0`, []string{`"kind":"tls"`, `"value":1`}},
	{"bookafy", "B31", "scan.finished", `"kind":"schema"`, []string{malware, `"critical":1`}},
	{"bookafy", "B56", "scan.finished", ``, []string{malware, `"critical":1,"oldest_critical_days":31`, `"seen":11`}},
	{"bookafy", "B68 B69", "scan.finished", `"kind":"oauth","found":["openid","email"]`, []string{malware, `"found":["calendar.events"]`}},
	{"bookafy", "B71", "scan.finished", `"kind":"marketing","measured":"overlap","value":0`, []string{malware, `"value":1`}},
	{"bookafy", "B77", "scan.finished", `"kind":"passwords","measured":"min_len","value":6`, []string{malware, `"value":5`}},
	{"bookafy", "B84", "scan.finished", `"kind":"intrusion","drill":null,"alert_raised":null`, []string{malware, `"seen":11`}},
	{"bookafy", "B96", "scan.finished", `"kind":"log-lock"`, []string{malware}},
	{"bookafy", "B97", "scan.finished", `"kind":"intrusion"`, []string{malware, `"drill":null,"alert_raised":null`, `"alert_raised":null`, `"alert_raised":"2026-03-02T09:05:01Z"`}},
	{"bookafy", "B99 B102", "scan.finished", `"kind":"tenants"`, []string{malware, `"critical":1`, `"seen":11`}},
	{"bookafy", "B53 B54", "endpoint.report", ``, []string{`"antivirus_off":1`, `"unmanaged":1`, `"seen":30`}},
	{"bookafy", "B15 B109 B110", "backup.completed", ``, []string{`"expected":3`, `"stores":[{"store":"crm","restorable":"2026-03-02T07:00:00Z","regions":2,"offsite":1}]`}},
	{"bookafy", "B16", "backup.completed", ``, []string{`"expected":1,"stores":[{"store":"crm","restorable":"2026-03-03T08:53:00Z","regions":2,"offsite":1}]`,
		`"expected":1,"stores":[{"store":"crm","restorable":"2026-03-03T08:53:00Z","regions":2,"offsite":1,"size_off_percent":21}]`}},
	{"bookafy", "B38 B111", "backup.completed", fresh, []string{`"expected":2,"failed":1`, `"stores":[{"store":"crm","restorable":"2026-03-03T08:40:00Z","regions":2,"offsite":1}]`}},
	{"bookafy", "B107 B108", "backup.restored", ``, []string{`"checksum_ok":false`, `"request":"Vim 9"`}},
	{"bookafy", "B115 B116", "backup.restored", `"request":"Vim 9","declared":"2026-03-03T08:00:00Z","restored":"2026-03-03T08:30:00Z"`, []string{`"rest_unchanged":null`, `"rest_unchanged":false`, `"checksum_ok":false`, `"request":null`, `"request":"another"`}},
	{"bookafy", "B39", "uptime.report", ``, []string{`"failed":400`, `"missing":400`}},
	{"bookafy", "B47", "uptime.report", ``, []string{`"last":"2026-03-03T08:45:00Z"`}},
	{"bookafy", "B48", "uptime.report", ``, []string{noAlert, `"alert_reached":null,"alert_acknowledged":null`}},
	{"bookafy", "B49", "uptime.report", ``, []string{noAlert, `"alert_acknowledged":null`}},
	{"bookafy", "B30", "person.screened", ``, []string{`"result":"concern"`}},
	{"bookafy", "B33", "training.completed", ``, []string{`"passed":false`}},
	{"bookafy", "B34", "person.nda", ``, []string{someone}},
	{"bookafy", "B36", "review.done", `"review":"passwords"`, []string{`"review":"access"`, unread}},
	{"bookafy", "B64", "review.done", ``, []string{unread, `"reviewed":39`, `"review":"tools"`}},
	{"bookafy", "B87", "review.done", `"review":"audit","external":true`, []string{`"external":false`, `"external":null`, `"open":1`, `"review":"access"`}},
	{"bookafy", "B92", "review.done", `"review":"logs","period":"day"`, []string{`"period":null`, `"period":"year"`, `"review":"access"`}},

	{"bepark", "P37", "release.deployed", ``, []string{`"signed_off":false`, `"suite_passed":false`, `"environment":"dev"`}},
	{"bepark", "P39", "release.deployed", ``, []string{`"base_built":null`, `"base_built":"2026-01-01T00:00:00Z"`}},
	{"bepark", "P40", "release.deployed", ``, []string{`"previous":"2026-01-01T00:00:00Z"`}},
	{"bepark", "P41", "build.scanned", `"scope":"code"`, []string{`"scope":"image"`, `"committed":null`, `"committed":"2026-03-01T00:00:00Z"`}},
	{"bepark", "P53", "build.scanned", `"scope":"code"`, []string{`"scope":"dependencies"`}},
	{"bepark", "P43 P48", "build.tested", `"suite":"api-auth-probe"`, []string{`"suite":"ui"`}},
	{"bepark", "P50 P51", "build.tested", `"suite":"role-matrix-probe"`, []string{`"suite":"ui"`}},
	{"bepark", "P17", "scan.finished", `"kind":"intrusion"`, []string{malware, `"drill":null,"alert_raised":null`, `"alert_raised":null`}},
	{"bepark", "P21", "scan.finished", ``, []string{malware, `"critical":1,"oldest_critical_days":31`}},
	{"bepark", "P46", "scan.finished", `"kind":"credentials","measured":"cost","value":10`, []string{`"kind":"tls"`, `"value":9`}},
	{"bepark", "P60", "scan.finished", `"kind":"audit-trail"`, []string{malware, `"seen":11`}},
	{"bepark", "P30", "scan.finished", `"kind":"tls"`, []string{malware, `"grade":"B"`, `"grade":null`}},
	{"bepark", "P65", "scan.finished", `"kind":"reputation"`, []string{`"kind":"content"`, `"kind":"tls"`, `"grade":"A-"`}},
	{"bepark", "P33", "backup.completed", fresh, []string{`"expected":2`}},
	{"bepark", "P35", "backup.restored", ``, []string{`"checksum_ok":false`}},
	{"bepark", "P11", "uptime.report", ``, []string{`"last":"2026-03-03T08:45:00Z"`}},
	{"bepark", "P12", "uptime.report", ``, []string{noAlert}},
	{"bepark", "P27", "uptime.report", ``, []string{noAlert, `"alert_acknowledged":null`}},
	{"bepark", "P28", "training.completed", `"course":"incident-response"`, []string{course}},
	{"bepark", "P36", "training.completed", `"course":"secure-coding"`, []string{course}},
	{"bepark", "P69", "training.completed", `"course":"policies"`, []string{course}},
	{"bepark", "P70", "person.screened", ``, []string{`"result":"concern"`}},
	{"bepark", "P71", "person.screened", ``, []string{`"checks":["identity"]`, `"checks":[]`, `"result":"concern"`}},
	{"bepark", "P72", "person.nda", ``, []string{someone}},
	{"bepark", "P16", "review.done", `"review":"audit","external":true`, []string{`"external":null`, `"open":1`}},
	{"bepark", "P22", "pentest.report", ``, []string{`"scope":["network"]`, `"scope":["application"]`, `"scope":[]`, `"tester":"internal"`, `"high_open":1`}},
	{"bepark", "P25", "review.done", ``, []string{`"reviewer":"stranger@x.example"`, unread, `"review":"roles"`}},
	{"bepark", "P62", "review.done", `"review":"subprocessors"`, []string{unread, `"reviewed":39`}},
	{"bepark", "P63", "review.done", `"review":"agreements"`, []string{`"review":"subprocessors"`, `"reviewed":39`, `"open":1`, `"until":"2026-03-03T08:00:00Z"`}},
	{"bepark", "P69", "review.done", `"review":"acknowledgements"`, []string{`"review":"policy"`, `"waited_s":1209601`, `"waited_s":null`}},

	{"baseline", "A06", "review.done", ``, []string{unread}},
	{"baseline", "A07", "training.completed", ``, []string{`"passed":false`}},
	{"baseline", "A08", "person.nda", ``, []string{someone}},
	{"baseline", "A09", "backup.restored", ``, []string{`"checksum_ok":false`}},
}

// untold are promises that a source may speak of, and that an event of this hour does not keep.
var untold = map[string]string{"B42": "releases on Sundays"}

// TestSeeds: each promise of the sample policies is kept by an event that says what the sentence says, and not by one
// that leaves it out or says otherwise.
func TestSeeds(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"labelsync", "sharedcontacts", "bookafy", "bepark", "baseline"} {
		t.Run(company, func(t *testing.T) {
			t.Parallel()
			p, problems, err := policy.Load(policies.FS, company)
			rules, wrong := duty.ReadRules(p)
			if err != nil || len(problems)+len(wrong) > 0 {
				t.Fatal(err, problems, wrong)
			}
			told := map[string]bool{}
			for _, s := range seeds {
				if s.company != company {
					continue
				}
				for id := range strings.FieldsSeq(s.ids) {
					told[id] = true
					if !s.keeps(t, p, rules, id, "") {
						t.Errorf("%s {%s} does not keep %s", s.eventType, s.good, id)
					}
					for _, bad := range s.bad {
						if s.keeps(t, p, rules, id, bad) {
							t.Errorf("%s {%s} with {%s} keeps %s", s.eventType, s.good, bad, id)
						}
					}
				}
			}
			for _, from := range p.Sources {
				for _, id := range from.Promises {
					if !told[id] && untold[id] == "" {
						t.Errorf("nothing is known to keep %s of %s", id, from.ID)
					}
				}
			}
		})
	}
}

// keeps sends the event, with members replaced, to a service to which nothing was said before. What is asked for is the
// same each time.
func (s seed) keeps(t *testing.T, p *policy.Policy, rules duty.Rules, id, bad string) bool {
	t.Helper()
	r := newRigBy(t, p, rules, nil)
	i := slices.IndexFunc(p.Sources, func(from policy.Source) bool {
		return slices.Contains(from.Types, s.eventType) && slices.Contains(from.Promises, id)
	})
	if i < 0 {
		t.Fatalf("nobody may send %s about %s", s.eventType, id)
	}
	data := members(t, changed(t, s.eventType, `{"promises":["`+id+`"]}`))
	s.people(t, r, id, data)
	for _, change := range []string{s.good, bad} {
		if err := json.Unmarshal([]byte("{"+change+"}"), &data); err != nil {
			t.Fatal(err)
		}
	}
	e := event.Event{ID: "1", Source: "//x.example", Type: s.eventType, Time: now, Data: encoded(t, data)}
	if s.eventType == "backup.completed" || s.eventType == "build.tested" || s.eventType == "uptime.report" {
		e.Time = happened
	}
	if _, err := r.Receive(t.Context(), p.Sources[i], e, now); err != nil {
		return false
	}
	all, err := r.Duties.(*duty.Service).List(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	done := slices.ContainsFunc(all, func(task duty.Task) bool { return task.State == duty.Done || task.State == duty.Reviewed })
	promise, _ := p.Promise(id)
	fed := slices.ContainsFunc(promise.KeptBy, func(k policy.Keeper) bool { return k.Mechanism == policy.Records })
	for _, one := range r.of(promise.Check) {
		if fed {
			return one.Result.State == record.Kept
		}
	}
	return done
}

// people puts those into the event who are there, with the roles the duty of a promise wants, and has one of them ask for
// what the event answers.
func (s seed) people(t *testing.T, r *rig, id string, data map[string]any) {
	t.Helper()
	role, asker := policy.Employee, r.Policy.People[0]
	for _, d := range r.Rules.Duties {
		if !slices.Contains(d.Promises, id) || !d.Hears(s.eventType) {
			continue
		}
		role = d.Owner
		if !d.Requested() {
			continue
		}
		if _, err := r.Duties.(*duty.Service).Ask(t.Context(), d.ID, asker, "Vim 9", now.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	i := slices.IndexFunc(r.Policy.People, func(p policy.Person) bool { return p.Has(role) && p.Active(now) })
	for _, member := range []string{"person", "reviewer"} {
		if data[member] != nil {
			data[member] = r.Policy.People[i].Email
		}
	}
}
