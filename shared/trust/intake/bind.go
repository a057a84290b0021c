package intake

import (
	"slices"

	"ostiary.internal/shared/policy"
)

// binding is one promise an event counts for: by checks whose records keep it, by a duty, or both.
type binding struct {
	promise policy.Promise
	checks  []string
	duty    bool
}

// bind finds what an event of a type counts for: the promises it names, all of which must be the sender's and take
// such evidence, or, when it names none, those of the sender's that take it.
func (s *Service) bind(from policy.Source, eventType string, named []string) ([]binding, error) {
	ids := named
	if len(ids) == 0 {
		ids = from.Promises
	}
	var bound []binding
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		p, exists := s.Policy.Promise(id)
		if !exists && len(named) == 0 {
			continue // the policy was found to name it in vain when it was loaded
		}
		if !exists || !slices.Contains(from.Promises, id) {
			return nil, mayNot("This sender may not speak of one of these promises.")
		}
		b := s.binding(p, eventType, len(named) > 0)
		if b.duty || len(b.checks) > 0 {
			bound = append(bound, b)
		} else if len(named) > 0 {
			return nil, unbound()
		}
	}
	if len(bound) == 0 {
		return nil, unbound()
	}
	return bound, nil
}

func unbound() error {
	return unprocessable("evidence_unbound", "Nothing keeps these promises by evidence of this type.",
		"Bind the promise to a check or a duty that takes it, or name other promises.")
}

// binding is how evidence of a type counts for a promise, that the event names or not.
func (s *Service) binding(p policy.Promise, eventType string, named bool) binding {
	b, checks := binding{promise: p}, kinds[eventType].checks
	if named {
		checks = slices.Concat(checks, kinds[eventType].named)
	}
	for _, k := range p.KeptBy {
		for _, ref := range k.Refs {
			switch k.Mechanism {
			case policy.Records:
				if slices.Contains(checks, ref) && !slices.Contains(b.checks, ref) {
					b.checks = append(b.checks, ref)
				}
			case policy.Duty, policy.Certificate:
				d, known := s.Rules.Duty(ref)
				b.duty = b.duty || known && slices.Contains(d.Evidence, eventType)
			}
		}
	}
	return b
}

// lasts is when evidence of an event ends to count for a promise, in seconds behind the event.
func (b binding) lasts(in incoming) int64 {
	if b.promise.MaxAge.IsZero() {
		return seconds(in.kind.lasts)
	}
	return seconds(b.promise.MaxAge.Add(in.event.Time, utc).Sub(in.event.Time))
}
