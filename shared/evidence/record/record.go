// Package record makes evidence: small, never changed, and safe to publish.
//
// It promises that a record has one name and one sequence of bytes: the name follows from the event it is about, so
// a repeated event makes the same record; the bytes are a subset of RFC 8785 that every reader understands alike.
// No field takes free text, an e-mail address, or what is a network address, with a port or a prefix or without: people and
// things appear as commitments. What stands inside a longer word it does not look at. It does not say that a record is true,
// and it keeps nothing: an Inbox does.
package record

import (
	"slices"
	"time"
)

// MaxBytes is the largest record, in bytes of its canonical form: as much as the two bytes count that stand before an
// entry of the evidence log (C2SP tlog-tiles). About 1 KiB is usual.
const MaxBytes = 1<<16 - 1

// Version is the version of the shape, field "v".
const Version = 1

// Kind says what a record is about.
type Kind string

const (
	Run         Kind = "run"         // a heartbeat: a control looked, and counts what it saw
	Observation Kind = "observation" // a measured fact about a promise
	Finding     Kind = "finding"     // something is out of order
	Case        Kind = "case"        // a step of an investigation
	Access      Kind = "access"      // an attempt at, or the life of, a person's access
	Attestation Kind = "attestation" // a signed statement of a person
	Waiver      Kind = "waiver"      // an accepted exception
	Remediation Kind = "remediation" // something was put right
	Review      Kind = "review"      // somebody looked, with a verdict
	Drill       Kind = "drill"       // a seeded canary and when it was found
	Release     Kind = "release"     // new code was deployed
	DSR         Kind = "dsr"         // a step of a person's request about her data
	Breach      Kind = "breach"      // a step of a breach
	Claim       Kind = "claim"       // a fact claimed in public
	Policy      Kind = "policy"      // the policy in force
	Key         Kind = "key"         // a signing key begins or ends
	Page        Kind = "page"        // what the trust page showed
	Erasure     Kind = "erasure"     // payloads were erased, and by what right
	Gap         Kind = "gap"         // evidence is missing, or could not be understood
)

var kinds = []Kind{Run, Observation, Finding, Case, Access, Attestation, Waiver, Remediation, Review, Drill, Release, DSR, Breach, Claim, Policy, Key, Page, Erasure, Gap}

// Kinds returns every kind there is.
func Kinds() []Kind { return slices.Clone(kinds) }

// State is the outcome: of a promise as far as this record shows, or of a single decision.
type State string

const (
	Kept      State = "kept"
	Broken    State = "broken"
	Unknown   State = "unknown" // nothing, or not everything, could be looked at
	Attested  State = "attested"
	Inherited State = "inherited"
	Excepted  State = "excepted"

	Pass         State = "pass"
	Violation    State = "violation"
	Exempt       State = "exempt"
	Undetermined State = "undetermined"
)

var states = []State{Kept, Broken, Unknown, Attested, Inherited, Excepted, Pass, Violation, Exempt, Undetermined}

// Method is how the evidence was gained (NIST SP 800-53A, OSCAL observations).
type Method string

const (
	Test      Method = "TEST"
	Examine   Method = "EXAMINE"
	Interview Method = "INTERVIEW"
)

// Record is one piece of evidence. A "word" below is up to 128 ASCII letters, digits and . _ / + : - that begin
// with a letter, a digit or a negative number and are no network address. Times are kept in UTC to the millisecond. What is zero is left
// out.
type Record struct {
	Kind        Kind
	Control     string            // a word: the check that keeps the promises
	Promises    []string          // words: ids, sorted and without repetition in the canonical form
	PromiseText string            // Digest of the promise's text
	Code        string            // Digest of the code that decided
	Config      string            // Digest of the policy it decided by
	Source      Source            // what the record is about
	Method      Method            // may be empty
	Window      Window            // the time the record speaks about
	Run         int64             // number of the run, from 1, without gaps
	Population  *Population       // what should have been looked at and what was
	Result      Result            // the outcome
	Facts       map[string]string // further words by lower-case name, such as "outcome": "wrong"; at most 32
	Subjects    []Subject         // whom and what it concerns, as commitments
	Payload     Payload           // what is kept, sealed, in the vault
	Refs        []Ref             // other records
	Expires     time.Time         // when the evidence is too old to prove anything
}

// Source is the event a record follows from. Observed is when it happened, Collected when we learnt of it; the
// latter must be set.
type Source struct {
	Type      string // a word, such as "http" or "scheduler"
	Event     string // Digest of the event's id; New sets it
	Observed  time.Time
	Collected time.Time
}

// Window is a span of time: From inclusive, To exclusive. Both or none are set.
type Window struct{ From, To time.Time }

// Population counts what a check had to look at. Unless all of it was seen without an error, the state of the
// record is Unknown, whatever the check says.
type Population struct{ Expected, Seen, Errors int64 }

// complete reports whether everything was looked at.
func (p *Population) complete() bool { return p == nil || p.Errors == 0 && p.Seen >= p.Expected }

// Result is the outcome with, maybe, one number. Value counts with a Metric only, Limit with an Op only.
type Result struct {
	State  State
	Metric string // a word with its unit, such as "rpo_s"
	Value  int64
	Op     string // how Value has to stand to Limit: <, <=, ==, >=, >
	Limit  int64
}

var ops = []string{"<", "<=", "==", ">=", ">"}

// Subject is somebody or something the record concerns. C is a Commitment.
type Subject struct{ Type, C string }

// Payload is what the vault keeps beside the record. C is a Digest of it sealed, or a Commitment; Bytes its size.
type Payload struct {
	C     string
	Bytes int64
}

// Ref points to another record by its id; Rel is a word, such as "closes".
type Ref struct{ Rel, ID string }

// New begins a record about one event. sourceEventID is the event's own id, the same when it is delivered again; it
// is kept as a digest. Two records of one event with the same kind and promises need different ids: add what tells
// them apart, such as "#decided" and "#done".
func New(kind Kind, control, sourceEventID string, promises ...string) Record {
	r := Record{Kind: kind, Control: control, Promises: sorted(promises)}
	if sourceEventID != "" {
		r.Source.Event = Digest([]byte(sourceEventID))
	}
	return r
}

// sorted returns the ids in order, each once; nil for none.
func sorted(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// normal returns the record as its canonical form has it, and forces the state where the population is not whole.
func (r Record) normal() Record {
	r.Promises = sorted(r.Promises)
	for _, t := range []*time.Time{&r.Source.Observed, &r.Source.Collected, &r.Window.From, &r.Window.To, &r.Expires} {
		if !t.IsZero() {
			*t = t.UTC().Truncate(time.Millisecond)
		}
	}
	if !r.Population.complete() {
		r.Result.State = Unknown
	}
	if len(r.Facts) == 0 {
		r.Facts = nil
	}
	if len(r.Subjects) == 0 {
		r.Subjects = nil
	}
	if len(r.Refs) == 0 {
		r.Refs = nil
	}
	return r
}
