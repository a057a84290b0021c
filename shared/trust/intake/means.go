package intake

import (
	"slices"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/duty"
)

// judged is what an event means for a promise that a check keeps, and for those that say the same: what is recorded for one
// counts for each of them, so it says no better than the strictest limit allows, and Unknown where one of them limits what the
// event does not measure.
func (s *Service) judged(in incoming, check string, p policy.Promise) (record.Result, *record.Population) {
	result, population := judge(in.report, p.Params)
	for _, other := range s.Policy.Promises {
		kept := slices.ContainsFunc(other.KeptBy, func(k policy.Keeper) bool {
			return k.Mechanism == policy.Records && slices.Contains(k.Refs, check)
		})
		if !kept || other.ID == p.ID || sentence(other) != sentence(p) {
			continue
		}
		params := limits(s.Policy, other)
		also, seen := judge(in.report, params)
		if len(in.report.lacks(in.kind, params)) > 0 && also.State == record.Kept {
			also, seen = record.Result{State: record.Unknown}, nil
		}
		if worse(also.State, result.State) {
			result, population = also, seen
		}
	}
	return result, population
}

// means says what an event means for a duty: the worst of what it means for each promise the duty keeps, as it settles all
// of them. One that proves and breaks nothing is Unknown, as one is that did not look at everything.
func (s *Service) means(r report, d duty.Duty) record.State {
	if r.silent {
		return record.Unknown
	}
	state := record.Kept
	for _, id := range slices.Concat(d.Promises, d.Certificates) {
		if promise, exists := s.Policy.Promise(id); exists {
			result, _ := judge(r, limits(s.Policy, promise))
			state = worst(state, result.State)
		}
	}
	return state
}
