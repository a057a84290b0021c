package duty

import (
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// marks are the commitments of people a record may name, by id.
type marks map[string]record.Subject

// evidence begins a record about the task. What tells the steps of a task apart goes into the source event, behind the
// nonce that nobody can guess.
func (d terms) evidence(kind record.Kind, t Task, what string, now time.Time, promises []string) record.Record {
	r := record.New(kind, d.ID, t.Nonce+"#"+strconv.Itoa(t.Cycle)+"#"+what, promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "duty", now, now
	r.Facts = map[string]string{"event": what, "cycle": strconv.Itoa(t.Cycle)}
	return r
}

// passing is the evidence of a step that may come again in the same cycle: the time belongs to the event.
func (d terms) passing(t Task, what string, now time.Time) record.Record {
	r := d.evidence(record.Case, t, what+"#"+now.UTC().Format(time.RFC3339Nano), now, d.all())
	r.Facts["event"] = what
	return r
}

// all are the promises the duty keeps, whatever they call it.
func (d Duty) all() []string { return slices.Concat(d.Promises, d.Certificates) }

// finding is the evidence that the task is out of order: why, and since when. In one cycle its id is the same whenever it
// is made.
func (d terms) finding(t Task, why step, since, now time.Time) record.Record {
	r := d.evidence(record.Finding, t, string(why), now, d.all())
	r.Source.Observed, r.Method = since, record.Examine
	r.Result = record.Result{State: record.Broken}
	return r
}

// healed closes a finding.
func (d terms) healed(t Task, finding, why string, now time.Time) record.Record {
	r := d.evidence(record.Remediation, t, why, now, d.all())
	r.Refs = []record.Ref{{Rel: "closes", ID: finding}}
	return r
}

// settled is the evidence that proves the duty's promises: a review where a second person looked, an attestation where
// one person said so, an observation where machines did. Where the duty files a certificate, an attestation says that it
// is on file. Of a request it tells the decision, and names the evidence that somebody asked: what is refused or withdrawn
// keeps the promises too, as nobody has it.
func (d terms) settled(t Task, c *crowd, m marks, now time.Time) []record.Record {
	kind, method := record.Observation, record.Test
	switch {
	case t.Reviewer != "":
		kind, method = record.Review, record.Examine
	case d.ByHand() || t.State == Withdrawn:
		kind, method = record.Attestation, record.Interview
	}
	var records []record.Record
	add := func(kind record.Kind, state record.State, promises []string) {
		r := d.evidence(kind, t, "settled", now, promises)
		r.Source.Observed, r.Method = d.happened(t), method
		r.Result, r.Expires = record.Result{State: state}, t.Valid
		if t.Late {
			r.Facts["late"] = "true"
		}
		if d.Requested() {
			r.Facts["decision"] = decision(t)
		}
		if t.Request != "" {
			r.Refs = []record.Ref{{Rel: "decides", ID: t.Request}}
		}
		if c != nil {
			r.Result.State = c.state(state)
			// It is a count of today: evidence that came late must not make it older than the count before.
			r.Population, r.Expires, r.Source.Observed = &record.Population{Expected: c.expected, Seen: c.seen}, c.until, now
		}
		for _, s := range []struct{ kind, id string }{{"actor", t.DoneBy}, {"second", t.Reviewer}, {"person", t.Person}, {"asker", t.Asker}} {
			if s.id != "" {
				r.Subjects = append(r.Subjects, record.Subject{Type: s.kind, C: m[s.id].C})
			}
		}
		records = append(records, r)
	}
	if len(d.Promises) > 0 || len(d.Certificates) == 0 {
		add(kind, d.proven(), d.Promises)
	}
	if len(d.Certificates) > 0 && !t.Decided() {
		add(record.Attestation, record.Inherited, d.Certificates)
		records[len(records)-1].Facts[record.Mechanism] = string(policy.Certificate)
	}
	return records
}

// proven is what the duty's evidence shows once it is all there: that its promises are kept where machines measured part of
// it; where people alone say so, two of them also, that somebody stated it.
func (d Duty) proven() record.State {
	if len(d.Machines()) == 0 {
		return record.Attested
	}
	return record.Kept
}

// decision is what was decided of a request.
func decision(t Task) string {
	if t.Decided() {
		return string(t.State)
	}
	return string(Approved)
}
