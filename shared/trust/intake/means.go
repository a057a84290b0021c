package intake

import (
	"slices"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/duty"
)

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
