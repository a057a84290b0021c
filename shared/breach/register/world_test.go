package register_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/register"
	"ostiary.internal/shared/breach/severity"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

var update = flag.Bool("update", false, "write the golden files")

const company = `company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr], domains: [firm.example]}
`

const people = `people:
- {id: dana, email: dana@firm.example, name: Dana Prime, roles: [employee, dpo], language: de, zone: Europe/Paris}
- {id: vera, email: vera@firm.example, name: Vera Safe, roles: [employee, security, oncall], language: en, zone: Europe/Paris}
- {id: otto, email: otto@firm.example, name: Otto Chief, roles: [employee, owner], language: en, zone: Europe/Paris}
`

const tenants = `tenants:
- {id: nord, name: Cabinet Nord, country: FR, language: fr, domains: [nord.example], contract_hours: 24, contacts: [{role: privacy, email: dpo@nord.example, language: fr, channels: [mail], verified: 2026-02-01}]}
- {id: sued, name: Klinik Süd, country: DE, language: de, domains: [sued.example, sued-zwei.example], contacts: [{role: privacy, email: dpo@sued.example, language: de, channels: [mail]}]}
- {id: west, name: West & Sons, country: GB, language: en, domains: [west.example], contacts: [{role: security, email: sec@west.example, language: en, channels: [mail]}]}
`

const says = `authorities:
- {id: ico, name: ICO, portal: "https://ico.example/report"}
- {id: cnil, name: CNIL, portal: "https://cnil.example/", lead: true}
regimes: [cnil_followup]
contact: "privacy@firm.example, +33 1 99 00 12 34"
reviewed: 2026-01-10
drill: {people: [otto], every: P3M}
out_of_band:
- {person: otto, channel: sms, to: "+33639980001"}
- {tenant: nord, channel: mail, to: nord@elsewhere.example}
`

const promised = `promises:
- {id: X1, text: {fr: Les clients sont prévenus.}, source: {file: policy.html, section: one}, check: breach-clock, severity: high, kept_by: [{records: breach-clock}]}
`

// firm loads the test company.
func firm(t testing.TB) (*policy.Policy, breach.Policy) {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range map[string]string{"company.yaml": company, "people.yaml": people, "tenants.yaml": tenants, "breach.yaml": says, "promises/one.yaml": promised} {
		files["p/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(files, "p")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	b, problems := breach.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p, b
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return got.UTC()
}

// whole is a case that has everything: late, decided both ways, told, and looked back at.
func whole(t testing.TB) register.File {
	t.Helper()
	p, b := firm(t)
	p.Digest = strings.Repeat("ab", 32)
	aware := at(t, "2026-03-27T10:30:00+01:00")
	all, _ := severity.Cases()
	input := all[13].Input // 14: an office mails 60,000 job seekers' file
	c := cases.Case{
		V: 1, ID: "0123456789abcdef", Number: "k3x9q2aa", Nonce: "n", State: cases.Closed, Ending: cases.Handled, Declared: aware, By: "vera", Summary: 1,
		Times: cases.Times{OccurredFrom: aware.Add(-48 * time.Hour), Detected: aware.Add(-time.Hour), Investigating: aware.Add(-time.Hour), Aware: aware, ProcessorAware: aware.Add(30 * time.Minute), Contained: aware.Add(time.Hour)},
		Moves: []cases.Move{{To: aware.Add(time.Hour), By: "vera", At: aware.Add(time.Hour)}, {From: aware.Add(time.Hour), To: aware, By: "dana", Second: "otto", At: aware.Add(2 * time.Hour), Reason: 2}},
		Tracks: []cases.Track{
			{ID: cases.Own, Role: cases.Controller, People: cases.Count{N: 12, How: cases.Exact}, Records: cases.Count{How: cases.Unknown}},
			{ID: "nord", Role: cases.Processor, People: cases.Count{N: 311, How: cases.Estimate}, Records: cases.Count{N: 4000, How: cases.Estimate}, Told: aware.Add(5 * time.Hour), Hours: 24},
			{ID: "sued", Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.NotApplicable}},
		},
		Score: &cases.Scored{Input: input, Score: severity.Of(input), By: "vera", At: aware.Add(3 * time.Hour), Why: 3}, Scores: 2,
		Decisions: []cases.Decision{
			{Subject: cases.SA, Yes: true, By: "vera", Second: "dana", DPO: true, At: aware.Add(3 * time.Hour), Settled: aware.Add(4 * time.Hour)},
			{Subject: cases.Persons, Yes: false, Reason: 4, By: "dana", Second: "otto", DPO: true, Below: true, Exception: "b", At: aware.Add(3 * time.Hour), Settled: aware.Add(4 * time.Hour), Again: calendar.Day{Year: 2026, Month: 4, Day: 26}},
			{Subject: "nord", Yes: true, By: "vera", Second: "otto", At: aware.Add(3 * time.Hour), Settled: aware.Add(4 * time.Hour)},
			{Subject: "sued", Yes: false, Reason: 5, By: "vera", Second: "otto", At: aware.Add(3 * time.Hour), Settled: aware.Add(4 * time.Hour)},
		},
		Filed:    map[string]cases.Filing{"gdpr_33_1": {At: aware.Add(80 * time.Hour), By: "dana", Reference: 6, Reasons: 7, Earlier: []cases.Filing{{At: aware.Add(79 * time.Hour), By: "vera", Reference: 6, Reasons: 7, Wrong: 9}}}},
		Promises: map[string]time.Time{"forensics": aware.Add(200 * time.Hour), "update-nord": aware.Add(48 * time.Hour)}, Kept: map[string]time.Time{"update-nord": aware.Add(40 * time.Hour)},
		Closed: aware.Add(300 * time.Hour), ClosedBy: "vera", Review: calendar.Day{Year: 2026, Month: 4, Day: 22}, Reviewed: aware.Add(400 * time.Hour), Lessons: 8,
		Actions: []cases.Action{
			{What: 10, Owner: "vera", By: calendar.Day{Year: 2026, Month: 5, Day: 1}, Done: aware.Add(500 * time.Hour), DoneBy: "vera", Note: 11},
			{What: 12, Owner: "otto", By: calendar.Day{Year: 2026, Month: 5, Day: 8}},
		},
		Details: cases.Details{Certainty: cases.Estimate, Origin: cases.Internal, Intent: cases.Accidental, Found: cases.ByThirdParty, Systems: 15, Before: 16, Police: 17, Others: 18, Earlier: []string{"m2p4q7bb"}},
		Holds:   []cases.Hold{{By: "dana", At: aware.Add(301 * time.Hour), Reason: 13, Until: calendar.Day{Year: 2026, Month: 9, Day: 1}, Second: "otto", Settled: aware.Add(302 * time.Hour), LiftBy: "dana", LiftAt: aware.Add(500 * time.Hour), LiftReason: 14}},
	}
	texts := []string{"A file of job seekers went to job seekers.", "The log shows an earlier certainty.", "simple: <script>alert(1)</script>", "Nobody opened it | all confirmed.", "Klinik Süd has no people in it.", "CNIL-2026-77", "Easter holidays, nobody had the portal's key.", "Lists are mailed by two; Vera, by May.",
		"The receipt says an hour later.", "Two people mail a list.", "It is in the checklist.", "Ask who needs lists at all.", "A person concerned sues.", "The suit was withdrawn.",
		"=mail01 and the lists of Klinik Süd", "A password; | by hand.", "Told, PV-12.", "The ministry, under 7-B."}
	return register.File{Case: cases.Read{Case: c, Texts: texts}, Policy: b, Company: p, Now: at(t, "2026-04-20T08:00:00Z"), Notices: []register.Sent{sent(aware)}}
}

// sent is a notice to Cabinet Nord.
func sent(aware time.Time) register.Sent {
	return register.Sent{
		Notice: notice.Notice{ID: "0123456789abcdef.1", Case: "0123456789abcdef", N: 1, Kind: notice.Initial, State: notice.Sent, Version: 2, Author: "vera", Authors: []string{"vera"}, Written: aware.Add(4 * time.Hour), Hash: strings.Repeat("c0", 32), To: 1, Approver: "dana", Agreed: aware.Add(5 * time.Hour), Accepted: 1},
		Draft: notice.Draft{Kind: notice.Initial, Version: 2, Texts: map[string]map[string]string{
			"en": {"nature": "A list was mailed to the wrong people.", "measures": "The mail was recalled.\nAccess was closed.", "consequences": "Unwanted mail.", "subjects": "job seekers", "open": "unknown"},
			"fr": {"nature": "Une liste a été envoyée aux mauvaises personnes.", "measures": "Le courriel a été rappelé.", "subjects": "demandeurs d'emploi"},
		}, Tenants: map[string]map[string]map[string]string{"nord": {"fr": {"subjects": "311 demandeurs d'emploi"}}}},
		Deliveries: []notice.Delivery{{V: 1, ID: "0123456789abcdef.1.0", Notice: "0123456789abcdef.1", Tenant: "nord", Language: "fr", Progress: notice.Arrived, Ways: []string{"mail"}, Handed: aware.Add(5 * time.Hour), Told: aware.Add(5*time.Hour + time.Minute),
			Tries: []notice.Try{{Channel: "mail", State: message.StateAccepted, Attempts: 1, Why: "250 2.0.0 OK", At: aware.Add(5*time.Hour + time.Minute), Fates: []notice.Fate{{State: message.StateDelivered, At: aware.Add(5*time.Hour + 3*time.Minute)}}}}}},
	}
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is expected; -update writes it:\n%s", name, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
