package datamap

import (
	"slices"

	"ostiary.internal/shared/policy"
)

// Check finds what other files of the policy say and the map does not bear out. The problems are dangling: nothing stops
// for them.
func Check(p *policy.Policy, m *Map) []policy.Problem {
	if m == nil {
		return nil
	}
	var problems []policy.Problem
	for _, t := range p.Tenants {
		for i, e := range m.Entries {
			if region := m.region(e, t.ID); t.Region != "" && e.Tenant.Global == "" && region != t.Region {
				problem := p.Problem(File, at("entries", i)+".region", "keeps data in "+region+", and tenants.yaml says that data of "+t.ID+" stays in "+t.Region,
					"{region} in store for one that each region has, or the tenant's region")
				problem.Dangling = true
				problems = append(problems, problem)
			}
		}
	}
	for _, promise := range p.Promises {
		keeps := func(k policy.Keeper) bool {
			return k.Mechanism == policy.Records && slices.Contains(k.Refs, "retention-sweep")
		}
		if len(m.Retention) == 0 && !promise.Inherits() && slices.ContainsFunc(promise.KeptBy, keeps) {
			problem := p.ProblemOf(promise, "kept_by", "nothing is erased by age: datamap.yaml has no rule of retention", "rules in retention, or another mechanism")
			problem.Dangling = true
			problems = append(problems, problem)
		}
	}
	return policy.Sort(problems)
}
