// Package promise computes what the trust page says of each promise, from evidence alone.
//
// It promises that State is the one function behind page, verification and export; that it is pure (no I/O, time is
// an argument) and gives the same answer and the same bytes everywhere; and that missing, partial or failed evidence
// is never Kept. Silence turns a promise to unknown by itself. Evidence counts for the mechanism it is of, and for no other
// of the same name. Kept means measured: what people alone state, by a signature or by doing a duty for which no machine
// evidence is asked, two of them also, is Attested.
//
// It does not know whether a record is true, and it verifies no log: it folds the records it is given, in log order.
// History is what the register in force today makes of the evidence of past days; what was shown on a past day
// stands in the page records.
package promise

import (
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// Version is the version of all shapes of this package, field "v".
const Version = 1

// Stale is the seventh state of a promise; the other six are states of records (record.Kept, Broken, Unknown,
// Attested, Inherited, Excepted).
const Stale record.State = "stale"

// States returns the seven states, worst first: the order of the page, and of several mechanisms of one promise.
func States() []record.State {
	return []record.State{
		record.Broken, record.Unknown, Stale, record.Excepted, record.Attested, record.Inherited, record.Kept,
	}
}

// Reason says why a promise is not plainly kept. The words are stable: pages translate them.
type Reason string

const (
	// Unknown.
	NotRunning    Reason = "not running"    // the mechanism never reported, or the promise has none
	Silent        Reason = "silent"         // no heartbeat of the mechanism, or of the log itself, within interval and grace
	GapInRuns     Reason = "gap"            // a numbered run is missing
	Incomplete    Reason = "incomplete"     // not everything was looked at, or looking failed
	NoProof       Reason = "no proof"       // a probe or a check that is fed runs, and no measurement of it is known
	NotDone       Reason = "not done"       // a duty nobody has done yet
	NotSigned     Reason = "not signed"     // a statement nobody has signed yet
	WrongRole     Reason = "wrong role"     // signed by a role the policy does not ask
	TextChanged   Reason = "text changed"   // another text was signed than the one in force
	NoCertificate Reason = "no certificate" // nothing on file
	ClockAhead    Reason = "clock ahead"    // the evidence is dated after now
	// Broken.
	OpenFinding Reason = "finding"      // something is out of order, and nobody has closed it
	BeyondLimit Reason = "limit"        // the measured number is beyond its limit
	Failed      Reason = "failed"       // the newest measurement says so
	DrillFailed Reason = "drill failed" // the seeded canary was not found
	// Stale.
	Expired      Reason = "expired"       // the newest proof is too old
	DrillExpired Reason = "drill expired" // the last drill is too old
	// Excepted.
	ByWaiver Reason = "waiver" // two people accepted it until a date
)

// Reasons returns every reason, so that a test can hold a page to a text for each.
func Reasons() []Reason {
	return []Reason{
		NotRunning, Silent, GapInRuns, Incomplete, NoProof, NotDone, NotSigned, WrongRole, TextChanged, NoCertificate,
		ClockAhead, OpenFinding, BeyondLimit, Failed, DrillFailed, Expired, DrillExpired, ByWaiver,
	}
}

// Status is what is known of one promise at one time. Times are UTC in whole milliseconds; what does not apply is
// zero and left out of the JSON form.
type Status struct {
	State  record.State `json:"state"`
	Reason Reason       `json:"reason,omitempty"` // "" when kept, attested or inherited
	Since  time.Time    `json:"since,omitzero"`   // since when the state has been this one, as far as evidence tells
	// Mechanism and Ref are the mechanism that decided, of several the one with the worst state.
	Mechanism policy.Mechanism `json:"mechanism,omitempty"`
	Ref       string           `json:"ref,omitempty"`
	Via       string           `json:"via,omitempty"`          // id of the promise that decided, for a rollup or an equal sentence
	Last      Evidence         `json:"last_evidence,omitzero"` // the newest record that counts for the state
	Measure   *Measure         `json:"measure,omitempty"`      // the newest number
	Until     time.Time        `json:"until,omitzero"`         // when proof, statement, certificate or exception ends
	SignedBy  policy.Role      `json:"signed_by,omitempty"`    // role of the signer of a statement, also an expired one
	Waiver    string           `json:"waiver,omitempty"`       // id of the waiver record in force
	Findings  int              `json:"findings,omitempty"`     // open findings; 0 where FindingsBelow tells enough
	// FindingsBelow is set where findings are as many persons, and fewer than this: the number might say who.
	FindingsBelow int      `json:"findings_below,omitempty"`
	Finding       Evidence `json:"oldest_finding,omitzero"` // the oldest of them
	Drill         *Drill   `json:"drill,omitempty"`         // the last drill
	Parts         []Part   `json:"parts,omitempty"`         // each mechanism by itself, in the order of the policy
}

// Evidence points to one record of the log.
type Evidence struct {
	Index    int64       `json:"index"` // of the leaf, from 0
	ID       string      `json:"id"`
	Kind     record.Kind `json:"kind"`
	Observed time.Time   `json:"observed"` // when it happened; when it was learnt of, where that is all there is
}

// Measure is a number and how it has to stand to its limit; Op is "" where there is no limit.
type Measure struct {
	Metric string `json:"metric"`          // a word with its unit, such as rpo_s
	Value  *int64 `json:"value,omitempty"` // nil where Below tells enough
	Below  int64  `json:"below,omitempty"` // the value counts persons and is less than this: it might say who
	Op     string `json:"op,omitempty"`    // <, <=, ==, >=, >
	Limit  int64  `json:"limit,omitempty"`
}

// Drill is the last test of whether a mechanism notices: Passed tells whether the canary was found.
type Drill struct {
	Evidence
	Passed  bool     `json:"passed"`
	Measure *Measure `json:"measure,omitempty"` // such as the measured delay
}

// Part is one mechanism's share in a promise.
type Part struct {
	Mechanism policy.Mechanism `json:"mechanism"`
	Ref       string           `json:"ref"` // the id of a promise, for a rollup; the roles with commas, for a statement
	State     record.State     `json:"state"`
	Reason    Reason           `json:"reason,omitempty"`
	Until     time.Time        `json:"until,omitzero"`
	Last      Evidence         `json:"last_evidence,omitzero"`
}
