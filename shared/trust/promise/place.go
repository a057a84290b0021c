package promise

import (
	"slices"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// separate are the mechanisms whose evidence is kept apart: a rule, an assertion, a check, a probe, a duty and a document may
// bear one name, and none proves anything for another.
var separate = []policy.Mechanism{policy.Rule, policy.Assertion, policy.Records, policy.Probe, policy.Duty, policy.Certificate}

// mechanism tells from a record alone whose evidence it is. A record says so by the fact record.Mechanism; one without it
// is told by its source: a duty's attestation that a document is inherited from a provider is a certificate's, what else
// a duty says its own, what a probe saw the probe's. Everything else is a check's own records, so that it counts for
// those and for no mechanism that would have said its name. One that names what nobody knows counts for nothing.
func mechanism(r record.Record) policy.Mechanism {
	named, says := r.Facts[record.Mechanism]
	switch m := policy.Mechanism(named); {
	case says && slices.Contains(separate, m):
		return m
	case says:
		return ""
	case r.Kind == record.Attestation && r.Control == StatementControl && r.Source.Type != dutySource:
		return policy.Statement
	case r.Kind == record.Attestation && r.Result.State == record.Inherited:
		return policy.Certificate
	case r.Source.Type == dutySource:
		return policy.Duty
	case r.Source.Type == probeSource:
		return policy.Probe
	}
	return policy.Records
}

// Types of sources that tell whose evidence a record is.
const (
	dutySource  = "duty"
	probeSource = "probe"
)

// place is where evidence of a mechanism is kept. Mechanisms are words without a colon, so no two look alike.
func place(m policy.Mechanism, name string) string { return string(m) + ":" + name }
