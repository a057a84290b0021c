package breach_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/policy"
)

const company = `company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr], domains: [firm.example]}
`

const people = `people:
- {id: dana, email: dana@firm.example, name: Dana, roles: [employee, dpo], language: de, zone: Europe/Paris}
- {id: otto, email: otto@firm.example, name: Otto, roles: [employee, owner], language: en, zone: Europe/Paris}
`

const tenants = `tenants:
- {id: nord, name: Cabinet Nord, country: FR, language: fr, domains: [nord.example], contract_hours: 24}
`

const promised = `promises:
- {id: X1, text: {fr: Les clients sont prévenus.}, source: {file: policy.html, section: one}, check: breach-clock, severity: high, kept_by: [{records: breach-clock}]}
`

const good = `authorities:
- {id: cnil, name: CNIL, portal: "https://notifications.cnil.example/", lead: true}
regimes: [cnil_followup]
contact: "+33 1 00 00 00 00"
ladder:
- {id: dpo, roles: [dpo], wait: PT15M}
- {id: owner, roles: [owner], wait: PT1H, channels: [sms, chat]}
ack_life: PT2H
aim: PT12H
review_days: 10
again_days: 20
drill: {people: [dana], every: P3M, ack: PT20M}
restored: 2026-09-01T12:00:00+02:00
reviewed: 2026-09-30
review_every: P6M
out_of_band:
- {person: otto, channel: sms, to: "+33612345678"}
- {person: dana, channel: mail, to: dana@elsewhere.example}
- {tenant: nord, channel: sms, to: "+33698765432"}
`

func read(t *testing.T, file string) (breach.Policy, []policy.Problem) {
	t.Helper()
	return breach.Read(loaded(t, file, people))
}

func loaded(t *testing.T, file, people string) *policy.Policy {
	t.Helper()
	files := fstest.MapFS{"p/company.yaml": {Data: []byte(company)}, "p/people.yaml": {Data: []byte(people)}, "p/tenants.yaml": {Data: []byte(tenants)}, "p/promises/one.yaml": {Data: []byte(promised)}}
	if file != "" {
		files["p/breach.yaml"] = &fstest.MapFile{Data: []byte(file)}
	}
	p, problems, err := policy.Load(files, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	return p
}

// TestReviewAndLimits: a file says when it was gone through last, and how long an exercise may take.
func TestReviewAndLimits(t *testing.T) {
	t.Parallel()
	b, problems := read(t, good)
	want := breach.Limits{Ack: 20 * time.Minute, Approve: 4 * time.Hour, Deliver: 6 * time.Hour}
	if len(problems) > 0 || b.DrillLimits != want || b.ReviewDue().String() != "2027-03-30" {
		t.Errorf("%v %+v, reviewed again by %s", problems, b.DrillLimits, b.ReviewDue())
	}
	if b, _ = read(t, strings.ReplaceAll(good, "reviewed: 2026-09-30\n", "")); !b.ReviewDue().IsZero() {
		t.Errorf("nobody reviewed it, and it is due %s", b.ReviewDue())
	}
	for old, wrong := range map[string]string{"P6M": "PT6H", "ack: PT20M": "ack: PT1M", "2026-09-30": "soon", "restored: 2026-09-01T12:00:00+02:00": "restored: 2026-09-01"} {
		if _, problems := read(t, strings.Replace(good, old, wrong, 1)); len(problems) != 1 {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
}

// TestRead takes what a company says, and its contracts.
func TestRead(t *testing.T) {
	t.Parallel()
	b, problems := read(t, good)
	if len(problems) > 0 || !b.On {
		t.Fatalf("%v", problems)
	}
	if err := b.Rules.Check(); err != nil {
		t.Error(err)
	}
	r := b.Rules
	if r.AckLife != 2*time.Hour || r.Aim != 12*time.Hour || r.ReviewDays != 10 || r.AgainDays != 20 || r.Hours["nord"] != 24 || len(r.Ladder) != 2 || r.Ladder[0].Wait != 15*time.Minute || b.Drill[0] != "dana" {
		t.Errorf("%+v", b)
	}
	if dpo, owner := r.Ladder[0].Channels, r.Ladder[1].Channels; !slices.Equal(dpo, []string{"mail"}) || !slices.Equal(owner, []string{"sms", "chat"}) {
		t.Errorf("called by %v and %v", dpo, owner)
	}
	if o := b.OutOfBand; len(o) != 3 || o[0] != (breach.Other{Person: "otto", Channel: "sms", To: "+33612345678"}) || o[2].Tenant != "nord" {
		t.Errorf("out of band %+v", o)
	}
	if want := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC); !b.Restored.Equal(want) {
		t.Errorf("restored %s", b.Restored)
	}
	if b, problems := read(t, ""); b.On || len(problems) > 0 {
		t.Errorf("without the file: %+v, %v", b, problems)
	}
}

// TestProblems: each mistake alone is found where it stands, with what is allowed.
func TestProblems(t *testing.T) {
	t.Parallel()
	for change, want := range map[[2]string]string{
		{"portal: \"https://", "portal: \"http://"}:                        "authorities[0].portal",
		{"{id: cnil, ", "{id: \"\", "}:                                     "authorities[0].id",
		{"name: CNIL", "name: \" \""}:                                      "authorities[0].name",
		{"[cnil_followup]", "[gdpr_33_1_downstream]"}:                      "regimes[0]",
		{"[cnil_followup]", "[cnil_followup, cnil_followup]"}:              "regimes[1]",
		{"contact: \"+33 1 00 00 00 00\"", "contact: \"\""}:                "contact",
		{"roles: [dpo]", "roles: [security]"}:                              "ladder[0].roles[0]",
		{"roles: [dpo]", "roles: []"}:                                      "ladder[0].roles",
		{"id: owner", "id: dpo"}:                                           "ladder[1].id",
		{"wait: PT15M", "wait: PT10S"}:                                     "ladder[0].wait",
		{"wait: PT15M", "wait: P1M"}:                                       "ladder[0].wait",
		{"ack_life: PT2H", "ack_life: PT1M"}:                               "ack_life",
		{"aim: PT12H", "aim: P30D"}:                                        "aim",
		{"review_days: 10", "review_days: 0"}:                              "review_days",
		{"again_days: 20", "again_days: 999"}:                              "again_days",
		{"people: [dana]", "people: [nobody]"}:                             "drill.people[0]",
		{"people: [dana]", "people: []"}:                                   "drill.people",
		{", every: P3M", ""}:                                               "drill.every",
		{"[sms, chat]", "[sms, fax]"}:                                      "ladder[1].channels[1]",
		{"[sms, chat]", "[sms, sms]"}:                                      "ladder[1].channels[1]",
		{"[sms, chat]", "[webhook]"}:                                       "ladder[1].channels[0]",
		{"person: otto", "person: nobody"}:                                 "out_of_band[0]",
		{"{person: otto", "{person: otto, tenant: nord"}:                   "out_of_band[0]",
		{"tenant: nord", "tenant: sud"}:                                    "out_of_band[2]",
		{"channel: sms, to: \"+336123", "channel: chat, to: \"+336123"}:    "out_of_band[0].channel",
		{"- {tenant: nord, channel: sms", "- {person: otto, channel: sms"}: "out_of_band[2].channel",
		{"\"+33612345678\"", "\"0612345678\""}:                             "out_of_band[0].to",
		{"\"+33612345678\"", "\"+33 6 12 34 56 78\""}:                      "out_of_band[0].to",
		{"dana@elsewhere.example", "dana@firm.example"}:                    "out_of_band[1].to",
		{"dana@elsewhere.example", "dana"}:                                 "out_of_band[1].to",
		{"review_days", "review_day"}:                                      "review_day",
	} {
		file := strings.Replace(good, change[0], change[1], 1)
		if file == good {
			t.Fatalf("%q changes nothing", change)
		}
		_, problems := read(t, file)
		if len(problems) != 1 || problems[0].Key != want || problems[0].Allowed == "" || problems[0].Line == 0 {
			t.Errorf("%q: %v, want %s", change, problems, want)
		}
	}
}

// TestReservedTenant: a tenant is called nothing that decides about a case.
func TestReservedTenant(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"own", "sa", "persons", "breach", "tenants"} {
		files := fstest.MapFS{"p/company.yaml": {Data: []byte(company)}, "p/people.yaml": {Data: []byte(people)}, "p/promises/one.yaml": {Data: []byte(promised)},
			"p/tenants.yaml": {Data: []byte(strings.Replace(tenants, "id: nord", "id: "+id, 1))}, "p/breach.yaml": {Data: []byte(strings.Replace(good, "tenant: nord", "tenant: "+id, 1))}}
		p, problems, err := policy.Load(files, "p")
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		_, problems = breach.Read(p)
		if len(problems) != 1 || problems[0].File != "tenants.yaml" || problems[0].Key != "tenants[0].id" || problems[0].Line == 0 || !strings.Contains(problems[0].Allowed, "customer-"+id) {
			t.Errorf("%s: %v", id, problems)
		}
	}
}

// TestKeep: a closed case is kept for whole months or years, three of the latter at least and thirty at most.
func TestKeep(t *testing.T) {
	t.Parallel()
	if b, problems := read(t, good); len(problems) > 0 || !cases.Kept(b.Rules.Keep) {
		t.Errorf("without a word about it: %s %v", b.Rules.Keep, problems)
	}
	for says, fine := range map[string]bool{
		"P3Y": true, "P36M": true, "P30Y": true, "P360M": true, "P29Y12M": true, "P35M": false, "P2Y11M": false, "P361M": false, "P30Y1M": false, "P1095D": false, "P3Y1D": false, "PT26280H": false,
	} {
		b, problems := read(t, good+"keep: "+says+"\n")
		switch {
		case fine && (len(problems) > 0 || b.Rules.Keep.String() != says):
			t.Errorf("%s: kept for %s, %v", says, b.Rules.Keep, problems)
		case !fine && (len(problems) != 1 || problems[0].Key != "keep" || !strings.Contains(problems[0].Allowed, "P3Y to P30Y")):
			t.Errorf("%s: %v", says, problems)
		}
	}
}

// TestOnCall: a file says who is on call when; what it says wrong is told where it stands, and what will go wrong by the check.
func TestOnCall(t *testing.T) {
	t.Parallel()
	const table = good + `oncall:
  rotations:
  - {id: first, people: [otto], hand_over: {day: monday, at: "09:00"}, from: 2026-01-05}
`
	if _, problems := read(t, table); len(problems) != 1 || !strings.Contains(problems[0].String(), "breach.yaml:22: oncall.rotations[0].people[0]: \"otto\" is nobody who can be on call") {
		t.Errorf("%v", problems)
	}
	p := loaded(t, table, strings.Replace(people, "roles: [employee, owner]", "roles: [employee, owner, oncall], until: 2026-06-30", 1))
	b, problems := breach.Read(p)
	noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	if got := b.OnCall.At(noon); len(problems) > 0 || !slices.Equal(got, []string{"otto"}) {
		t.Errorf("%v, on call %v", problems, got)
	}
	if got := breach.Check(p, noon); len(got) != 0 {
		t.Errorf("in March: %v", got)
	}
	if got := breach.Check(p, noon.AddDate(0, 2, 0)); len(got) != 2 || !strings.Contains(got[0].String()+got[1].String(), `oncall.rotations[0].people[0]: "otto" leaves on 2026-06-30`) {
		t.Errorf("in May: %v", got)
	}
}
