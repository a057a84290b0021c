package episode

import (
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
)

// put puts a record into the batch. One that misses a commitment is not made yet.
func (t *turn) put(r record.Record) error {
	if len(t.lacks) > 0 {
		return nil
	}
	r.Config = t.s.Digest
	return r.Put(t.batch)
}

// person is a person in a record.
func (t *turn) person(kind, id string) record.Subject {
	return t.subject(kind, vault.Subject{Type: "person", ID: id})
}

// observed is when something happened, not later than it was learnt of and not before there were logs.
func observed(at, now time.Time) time.Time {
	if at.After(now) || at.Year() < 1970 {
		return now
	}
	return at
}

// evidence begins a record about an episode. What tells the steps apart goes into the source event, behind the nonce that
// nobody can guess.
func (e Episode) evidence(kind record.Kind, what step, event string, now time.Time) record.Record {
	r := record.New(kind, Control, e.Nonce+"#"+strconv.Itoa(e.Round)+"#"+string(what)+event, e.Promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "audit", now, now
	r.Facts = map[string]string{"event": string(what), "rule": e.Rule, "kind": string(e.Kind), "severity": string(e.Severity), "round": strconv.Itoa(e.Round)}
	return r
}

// revised tells the changes of an episode apart.
func revised(e Episode) string { return strconv.FormatInt(e.Rev, 10) }

// finding is the evidence that something is out of order, or that nobody can tell.
func (t *turn) finding(e Episode, what step) record.Record {
	r := e.evidence(record.Finding, what, "", t.now)
	r.Source.Observed, r.Method = observed(e.First, t.now), record.Test
	r.Result = record.Result{State: record.Broken}
	if e.Kind != Violation {
		r.Result.State = record.Unknown
	}
	for _, id := range e.Involved {
		r.Subjects = append(r.Subjects, t.person("actor", id))
	}
	if len(e.Involved) == 0 && e.Actor != "" {
		name := e.Actor
		if len(name) > 500 {
			name = hashed(name)
		}
		r.Subjects = append(r.Subjects, t.subject("actor", vault.Subject{Type: "account", ID: name}))
	}
	return r
}

// passed is the evidence of a step that proves nothing by itself. A step may come again in the same round: the revision
// belongs to its event.
func (t *turn) passed(e Episode, what step, by ...record.Subject) record.Record {
	r := e.evidence(record.Case, what, "#"+revised(e), t.now)
	r.Subjects = by
	return r
}

// verdict is the evidence of a review; one that accepts closes the finding.
func (t *turn) verdict(e, before Episode, what step) record.Record {
	e.Round = before.Round
	r := e.evidence(record.Review, what, "#"+revised(e), t.now)
	r.Method = record.Examine
	r.Result = record.Result{State: record.Broken}
	if what == accepted {
		r.Result.State = record.Kept
		if before.Finding != "" {
			r.Refs = []record.Ref{{Rel: "closes", ID: before.Finding}}
		}
	}
	return r
}
