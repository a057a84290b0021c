package duty

import (
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk/desktest"
	"ostiary.internal/testdata/policies"
)

const people = `people:
  - {id: ada, email: ada@acme.example, name: Ada, roles: [employee, security], zone: Europe/Paris, language: en}
  - {id: bob, email: bob@acme.example, name: Bob, roles: [employee, security, manager], zone: Europe/Paris, language: fr}
  - {id: cleo, email: cleo@acme.example, name: Cleo, roles: [employee, owner], zone: Europe/Paris, language: de}
  - {id: dan, email: dan@acme.example, name: Dan, roles: [employee], zone: Asia/Kolkata, language: en, until: 2026-06-30}
`

const promises = `promises:
  - {id: A1, text: {en: We review.}, check: audit-calendar, severity: high, kept_by: [{duty: review}]}
  - {id: A2, text: {en: We clear software.}, check: software-clearance, severity: high, kept_by: [{duty: clear}]}
  - {id: A3, text: {en: We are trained.}, check: people-register, severity: high, kept_by: [{duty: train}]}
  - {id: A4, text: {en: We are certified.}, check: vendor-register, severity: low, kept_by: [{certificate: partner}]}
  - {id: A5, text: {en: We sign.}, check: people-register, severity: low, kept_by: [{duty: nda}]}
  - {id: A6, text: {en: We restore.}, check: restore, severity: low, kept_by: [{duty: drill}]}
  - {id: A7, text: {en: We exercise.}, check: restore, severity: low, kept_by: [{duty: exercise}]}
  - {id: A8, text: {en: We code well.}, check: training, severity: low, max_age: P10D, kept_by: [{duty: code}]}
  - {id: A9, same_as: A8, text: {en: We code well}, check: training, severity: low, kept_by: [{duty: code}]}
`

const duties = `duties:
  - {id: review, what: Review., owner_role: security, every: P1Y, second: owner, remind: P30D, promises: [A1]}
  - {id: clear, what: {en: Clear it., fr: Validez.}, owner_role: security, on: request, evidence: [statement, scan.finished], second: manager}
  - {id: train, what: Train., owner_role: security, every: P1Y, evidence: [training.completed]}
  - {id: partner, what: File it., owner_role: owner, every: P1Y}
  - {id: nda, what: Sign it., owner_role: security, on: joining, within: P7D}
  - {id: drill, what: Restore., owner_role: security, every: P90D, evidence: [backup.restored]}
  - {id: exercise, what: Restore and tell., owner_role: security, every: P90D, evidence: [statement, backup.restored]}
  - {id: code, what: Code., owner_role: security, on: joining, evidence: [{type: training.completed, about: Secure-Coding}]}
`

const services = `sources:
  - {id: desk, email: desk@acme.example, types: [scan.finished, training.completed, backup.restored, review.done], promises: [A2, A3, A6, A7, A9]}
`

func files(duties string) map[string]string {
	return map[string]string{"people.yaml": people, "promises/a.yaml": promises, "duties.yaml": duties, "services.yaml": services}
}

func load(t testing.TB, duties string) *policy.Policy { return desktest.Policy(t, files(duties)) }

func TestReadRules(t *testing.T) {
	t.Parallel()
	rules, problems := ReadRules(load(t, duties))
	if len(problems) > 0 || !rules.On || len(rules.Duties) != 8 {
		t.Fatalf("%d duties, problems %v", len(rules.Duties), problems)
	}
	for id, want := range map[string]struct {
		personal, requested, byHand bool
		promises, certificates      string
	}{
		"review":  {false, false, true, "A1", ""},
		"clear":   {false, true, true, "A2", ""},
		"train":   {true, false, false, "A3", ""},
		"partner": {false, false, true, "", "A4"},
		"nda":     {true, false, true, "A5", ""},
		"drill":   {false, false, false, "A6", ""},
		"code":    {true, false, false, "A8,A9", ""},
	} {
		d, known := rules.Duty(id)
		if !known || d.Personal() != want.personal || d.Requested() != want.requested || d.ByHand() != want.byHand ||
			strings.Join(d.Promises, ",") != want.promises || strings.Join(d.Certificates, ",") != want.certificates {
			t.Errorf("%s is read as %+v", id, d)
		}
	}
	clear, _ := rules.Duty("clear")
	for lang, want := range map[string]string{"en": "Clear it.", "fr": "Validez.", "de": "Clear it."} {
		if got := clear.What.In(lang); got != want {
			t.Errorf("in %s it is %q", lang, got)
		}
	}
	if told := rules.Register(); len(told) != 8 || told[0].Every != "P1Y" || told[1].On != "request" {
		t.Errorf("the register reads %+v", told)
	}
	if rules, problems := ReadRules(load(t, "duties: []")); len(problems) != 1 || len(rules.Duties) != 0 {
		t.Errorf("no duty at all: %v", problems)
	}
}

func TestReadRulesRefuses(t *testing.T) {
	t.Parallel()
	const fine = "id: x, what: Do., owner_role: security, every: P1Y"
	for entry, key := range map[string]string{
		"id: X, what: Do., owner_role: security, every: P1Y":                                                 "duties[0].id",
		"id: x, owner_role: security, every: P1Y":                                                            "duties[0].what",
		`id: x, what: "", owner_role: security, every: P1Y`:                                                  "duties[0].what",
		`id: x, what: {xx: Do.}, owner_role: security, every: P1Y`:                                           "duties[0].what",
		`id: x, what: [Do.], owner_role: security, every: P1Y`:                                               "duties[0].what",
		"id: x, what: Do., owner_role: boss, every: P1Y":                                                     "duties[0].owner_role",
		"id: x, what: Do., owner_role: security":                                                             "duties[0]",
		"id: x, what: Do., owner_role: security, every: P1Y, on: request":                                    "duties[0]",
		"id: x, what: Do., owner_role: security, every: PT1M":                                                "duties[0].every",
		"id: x, what: Do., owner_role: security, every: P11Y":                                                "duties[0].every",
		"id: x, what: Do., owner_role: security, on: Any time":                                               "duties[0].on",
		fine + ", within: P2Y":                                                                               "duties[0].within",
		fine + ", remind: P1M":                                                                               "duties[0].remind",
		fine + ", second: boss":                                                                              "duties[0].second",
		fine + ", evidence: [hearsay]":                                                                       "duties[0].evidence[0]",
		fine + ", evidence: [statement, statement]":                                                          "duties[0].evidence[1]",
		fine + ", evidence: [{type: review.done, about: roles}, {type: review.done, about: Roles}]":          "duties[0].evidence[1]",
		fine + ", evidence: [{about: roles}]":                                                                "duties[0].evidence[0]",
		fine + ", evidence: [{type: review.done, kind: roles}]":                                              "duties[0].evidence[0]",
		fine + ", evidence: [[review.done]]":                                                                 "duties[0].evidence[0]",
		fine + ", evidence: [{type: person.nda, about: x}]":                                                  "duties[0].evidence[0]", // never says what it is about
		fine + ", evidence: [{type: statement, about: x}]":                                                   "duties[0].evidence[0]",
		fine + ", evidence: [training.completed, review.done]":                                               "duties[0].evidence[1]", // never says which person
		"id: x, what: Do., owner_role: security, on: joining, evidence: [scan.finished]":                     "duties[0].evidence[0]",
		"id: x, what: Do., owner_role: security, on: request, evidence: [endpoint.report]":                   "duties[0].evidence[0]", // never says which request
		"id: x, what: Do., owner_role: security, on: request, evidence: [training.completed]":                "duties[0].evidence[0]",
		"id: x, what: Do., owner_role: security, on: request, evidence: [review.done]":                       "duties[0].evidence[0]",
		"id: x, what: Do., owner_role: security, on: request, evidence: [{type: review.done, about: audit}]": "duties[0].evidence[0]",
		"id: partner, what: File it., owner_role: owner, every: P1Y, evidence: [review.done]":                "duties[0].evidence", // never names the document
		fine + ", promises: [Z9]":                                                                            "duties[0].promises[0]",
		fine + ", colour: red":                                                                               "duties[0].colour",
	} {
		_, problems := ReadRules(load(t, "duties: [{"+entry+"}]"))
		if len(problems) == 0 || !slices.ContainsFunc(problems, func(p policy.Problem) bool { return p.Key == key || strings.HasPrefix(p.Key, key) }) {
			t.Errorf("{%s}: %v, wanted a problem of %s", entry, problems, key)
		}
	}
	// What needs people or a source that are not there hangs in the air: the rest of the policy runs.
	for entry, key := range map[string]string{
		"id: x, what: Do., owner_role: dpo, every: P1Y":                                              "duties[0].owner_role",
		"id: x, what: Do., owner_role: owner, second: owner, every: P1Y":                             "duties[0].owner_role", // nobody reviews what she did
		"id: x, what: Do., owner_role: manager, on: joining":                                         "duties[0].owner_role", // nobody is there for the manager
		"id: x, what: Do., owner_role: owner, every: P1Y, evidence: [backup.restored], second: dpo":  "duties[0].owner_role",
		"id: x, what: Do., owner_role: owner, every: P1Y, evidence: [uptime.report], promises: [A6]": "duties[0].evidence[0]", // nobody sends it
		"id: x, what: Do., owner_role: owner, every: P1Y, evidence: [review.done], promises: [A1]":   "duties[0].evidence[0]", // nobody may prove it
	} {
		_, problems := ReadRules(load(t, "duties: [{"+entry+"}]"))
		if len(problems) != 1 || problems[0].Key != key || !problems[0].Dangling {
			t.Errorf("{%s}: %v, wanted a problem of %s that hangs in the air", entry, problems, key)
		}
	}
	_, problems := ReadRules(load(t, "duties: [{"+fine+"}, {"+fine+"}]"))
	if len(problems) != 1 || problems[0].Key != "duties[1].id" || problems[0].Line != 1 {
		t.Errorf("twice the same id: %v", problems)
	}
}

// The sample companies' duties are in order.
func TestSamples(t *testing.T) {
	t.Parallel()
	folders, err := policies.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		p, _, err := policy.Load(policies.FS, folder.Name())
		if err != nil {
			t.Fatal(err)
		}
		rules, problems := ReadRules(p)
		read += len(rules.Duties)
		for _, problem := range problems {
			t.Errorf("%s: %s", folder.Name(), problem)
		}
	}
	if read == 0 {
		t.Error("no sample company has a duty")
	}
}
