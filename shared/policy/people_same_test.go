package policy_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"ostiary.internal/shared/policy"
)

// folderOf is a policy of one company with two domains, with the people given.
func folderOf(people string) fstest.MapFS {
	return fstest.MapFS{
		"p/company.yaml":      file("company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr, en], domains: [firm.example, firm.test]}\n"),
		"p/people.yaml":       file("people:\n" + people),
		"p/promises/one.yaml": file("promises:\n- id: X1\n  text: {en: We act.}\n  source: {file: policy.html, section: one}\n  check: breach-clock\n  severity: low\n  kept_by: [{records: breach-clock}]\n"),
	}
}

// TestTwins: one human under two addresses is found by her name, her mailbox or what the file says; others are not.
func TestTwins(t *testing.T) {
	t.Parallel()
	const vera = "- {id: vera, email: vera.roux@firm.example, name: Véra Roux, roles: [security], language: fr, zone: Europe/Paris%s}\n"
	for name, c := range map[string]struct {
		also, other string
		twins, lint bool
	}{
		"same name":             {"", "{id: x, email: other@firm.test, name: roux  véra, roles: [dpo]", true, true},
		"another domain":        {"", "{id: x, email: vera.roux@firm.test, name: Admin, roles: [owner]", true, true},
		"a plus sign":           {"", "{id: x, email: vera.roux+2@firm.example, name: Admin, roles: [owner]", true, true},
		"declared":              {", also: [X@firm.test]", "{id: x, email: x@firm.test, name: Admin, roles: [owner]", true, false},
		"declared by the other": {"", "{id: x, email: x@firm.test, name: Admin, also: [vera.roux@firm.example], roles: [owner]", true, false},
		"a third address":       {", also: [v@home.example]", "{id: x, email: x@firm.test, name: Admin, also: [v@home.example], roles: [owner]", true, false},
		"no decider":            {"", "{id: x, email: other@firm.test, name: Véra Roux, roles: [employee]", true, false},
		"somebody else":         {"", "{id: x, email: vera@firm.example, name: Véra Rouge, roles: [dpo]", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems, err := policy.Load(folderOf(strings.Replace(vera, "%s", c.also, 1)+"- "+c.other+", language: fr, zone: Europe/Paris}\n"), "p")
			if err != nil {
				t.Fatal(err)
			}
			one, _ := p.PersonByID("vera")
			other, _ := p.PersonByID("x")
			if got := slices.Equal(p.Twins(one), []string{"x"}) && slices.Equal(p.Twins(other), []string{"vera"}); got != c.twins {
				t.Errorf("twins %v, %v", p.Twins(one), p.Twins(other))
			}
			if got := len(problems) == 1 && problems[0].Dangling && strings.HasPrefix(problems[0].String(), "people.yaml:3: people[1].email: looks like"); got != c.lint || !c.lint && len(problems) > 0 {
				t.Errorf("problems %v", problems)
			}
			if policy.Refuse(problems) != nil {
				t.Error("a server does not start")
			}
		})
	}
	if _, problems, _ := policy.Load(folderOf(strings.Replace(vera, "%s", ", also: [nobody]", 1)), "p"); len(problems) != 1 || problems[0].Key != "people[0].also[0]" {
		t.Errorf("%v", problems)
	}
}
