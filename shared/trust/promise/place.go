package promise

import (
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// separate are the mechanisms whose evidence is kept apart: a rule, an assertion, a check, a probe, a duty and a document may
// bear one name, and none proves anything for another.
var separate = []policy.Mechanism{policy.Rule, policy.Assertion, policy.Records, policy.Probe, policy.Duty, policy.Certificate}

// mechanism tells from a record alone whose evidence it is.
func mechanism(r record.Record) policy.Mechanism { return policy.Mechanism(r.Of()) }

// place is where evidence of a mechanism is kept. Mechanisms are words without a colon, so no two look alike.
func place(m policy.Mechanism, name string) string { return string(m) + ":" + name }
