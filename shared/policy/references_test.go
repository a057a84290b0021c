package policy_test

import (
	"slices"
	"testing"

	"ostiary.internal/shared/policy"
)

func TestReferences(t *testing.T) {
	t.Parallel()
	folder := starter(t)
	folder["acme/promises/more.yaml"] = file(`promises:
  - id: M1
    text: {en: "One."}
    source: {file: page, section: Top}
    check: work
    severity: low
    kept_by:
      - duty: [known, forgotten]
      - rule: not-there-yet
      - probe: tls-version
  - id: M2
    same_as: M1
    text: {en: "One."}
    source: {file: page, section: Top}
    check: work
    severity: low
  - id: M3
    text: {en: "Two."}
    source: {file: page, section: Top}
    check: work
    severity: low
    kept_by:
      - probe: guess
`)
	p := load(t, folder, "acme")
	var mine []string
	for _, problem := range p.References(map[policy.Mechanism][]string{policy.Duty: {"known"}, policy.Probe: {}}) {
		if !problem.Dangling {
			t.Errorf("%s would stop a server", problem)
		}
		if problem.File == "promises/more.yaml" {
			mine = append(mine, problem.String())
		}
	}
	want := []string{
		`promises/more.yaml:8: promises[0].kept_by[0].duty: there is no duty "forgotten"; allowed: known`,
		`promises/more.yaml:10: promises[0].kept_by[2].probe: there is no probe "tls-version"; allowed: nothing, there is none`,
		`promises/more.yaml:23: promises[2].kept_by[0].probe: there is no probe "guess"; allowed: nothing, there is none`,
	}
	if !slices.Equal(mine, want) {
		t.Errorf("found %q, want %q", mine, want)
	}
	if found := p.References(nil); len(found) > 0 {
		t.Errorf("nothing is known, and yet %v", found)
	}
}
