package policies_test

import (
	"slices"
	"testing"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
	"ostiary.internal/testdata/policies"
)

// TestRulesAreInOrder: every rule of every folder loads, chooses calls that exist, and passes its own tests, also in
// the company that inherits it; every one says in three languages what happened, and has a class.
func TestRulesAreInOrder(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			p := load(t, policies.FS, folder)
			told(t, rule.Lint(t.Context(), p))
			_, problems := rule.Mappings(p)
			told(t, problems)
			set, _ := rule.Load(p)
			for _, r := range set.Rules() {
				if r.Alarm.Class == "" {
					t.Errorf("%s has no class", r.File)
				}
				for _, language := range []string{"en", "fr", "de"} {
					if r.Alarm.Text.In(language) == "" {
						t.Errorf("%s says nothing in %s", r.File, language)
					}
				}
			}
		})
	}
}

// TestPromisedRulesExist: a promise that a rule keeps is kept by a rule that runs.
func TestPromisedRulesExist(t *testing.T) {
	t.Parallel()
	for _, folder := range folders(t) {
		p := load(t, policies.FS, folder)
		set, _ := rule.Load(p)
		var names []string
		for _, r := range set.Rules() {
			names = append(names, r.Name)
			for _, id := range r.Promises {
				promise, here := p.Promise(id)
				if here && !slices.ContainsFunc(promise.KeptBy, func(k policy.Keeper) bool { return k.Mechanism == policy.Rule && slices.Contains(k.Refs, r.Name) }) {
					t.Errorf("%s: %s says it keeps %s, which does not name it", folder, r.File, id)
				}
			}
		}
		told(t, p.References(map[policy.Mechanism][]string{policy.Rule: names}))
	}
}
