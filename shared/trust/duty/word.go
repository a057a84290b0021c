package duty

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// doing is somebody's word that a task is done.
type doing struct {
	by       string
	ref      string
	document Document
	cycle    int      // that she looked at; 0 for the present one
	twins    []string // ids under which the same human may be known as well: see policy.Policy.Twins
}

// twin reports whether a task is the matter of the same human under another address, or was done by her.
func (d doing) twin(t Task) bool {
	return slices.ContainsFunc(d.twins, func(id string) bool { return t.Did(id) || t.Own(id) })
}

// done takes somebody's word that the task is done. again is true for word that was taken before. Codes: duty_unknown,
// duty_moved, duty_done, own_matter, same_person, evidence_missing, document_invalid, until_invalid.
func (d terms) done(t Task, by doing, now time.Time) (changed Task, again bool, err error) {
	switch {
	case t.State == Lapsed:
		return t, false, unknown()
	case by.cycle != 0 && by.cycle != t.Cycle:
		return t, false, moved()
	case !t.Owed() && t.DoneBy == by.by && t.Ref == by.ref && t.Document.same(by.document):
		return t, true, nil
	case !t.Owed():
		return t, false, fault.Refuse(fault.Conflict, "duty_done", "This is done already.", "There is nothing to do here now.")
	case t.Own(by.by) && d.Second == "":
		return t, false, ownMatter()
	case d.Second == "" && slices.ContainsFunc(by.twins, t.Own):
		return t, false, policy.SamePerson()
	}
	if missing := t.Missing(d.Duty); len(missing) > 0 {
		return t, false, fault.Refuse(fault.Conflict, "evidence_missing", "Evidence that this duty needs has not arrived: "+named(missing)+".",
			"Have it sent by its source, then try again.")
	}
	if err := d.accepts(by.document, now); err != nil {
		return t, false, err
	}
	t.State, t.DoneBy, t.DoneAt, t.Ref, t.Document = Done, by.by, now, by.ref, by.document
	return d.conclude(d.timely(t, now), now), false, nil
}

// Missing is the machine evidence that has not arrived in this cycle.
func (t Task) Missing(d Duty) []Needed {
	return slices.DeleteFunc(d.Machines(), func(n Needed) bool {
		seen, ok := t.Evidence[n.String()]
		return ok && seen.Cycle == t.Cycle
	})
}

func named(missing []Needed) string {
	var names []string
	for _, n := range missing {
		names = append(names, n.String())
	}
	return strings.Join(names, ", ")
}

// happened is how old what the task proves is: as old as the oldest part of it.
func (d terms) happened(t Task) time.Time {
	if t.Decided() {
		return t.Settled
	}
	at := t.DoneAt
	for _, n := range d.Machines() {
		if seen, ok := t.Evidence[n.String()]; ok && seen.Cycle == t.Cycle && seen.At.Before(at) {
			at = seen.At
		}
	}
	return at
}

// conclude settles a task that is done unless a second person has to look at it.
func (d terms) conclude(t Task, now time.Time) Task {
	if d.Second == "" || t.State == Reviewed {
		t.Settled, t.Valid, t.Finding, t.Proven = now, time.Time{}, "", true
		if !d.Every.IsZero() {
			t.Valid = d.end(d.Every, d.happened(t))
		}
		if end := t.Document.Until; !end.IsZero() && (t.Valid.IsZero() || end.Before(t.Valid)) {
			t.Valid = end
		}
	}
	return d.schedule(t)
}

// Verdict is what the second person says.
type Verdict string

const (
	Approved Verdict = "approved"
	Returned Verdict = "returned" // it has to be done again
	Turned   Verdict = "refused"  // what was asked for is not to be had
)

// review takes the second person's verdict. again is true for a verdict that was taken before. Codes: duty_unknown,
// duty_moved, duty_not_done, duty_reviewed, review_self, same_person.
func (d terms) review(t Task, by doing, v Verdict, now time.Time) (changed Task, again bool, err error) {
	switch {
	case t.State == Lapsed:
		return t, false, unknown()
	case by.cycle != 0 && by.cycle != t.Cycle:
		return t, false, moved()
	case t.State == Reviewed && t.Reviewer == by.by && v == Approved:
		return t, true, nil
	case !t.Owed() && !t.Waiting():
		return t, false, settled()
	case !t.Waiting():
		return t, false, fault.Refuse(fault.Conflict, "duty_not_done", "Nobody has said yet that this is done.", "Come back when it is done.")
	case t.Did(by.by) || t.Own(by.by):
		return t, false, selfReview()
	case by.twin(t):
		return t, false, policy.SamePerson()
	}
	if v == Returned {
		t = t.undone()
		t.State, t.Evidence = Open, maps.Clone(t.Evidence)
		for kind, seen := range t.Evidence {
			seen.Cycle = 0 // it was not enough
			t.Evidence[kind] = seen
		}
		if t.Finding != "" {
			t.State = Overdue
		}
		return d.schedule(t), false, nil
	}
	t.State, t.Reviewer = Reviewed, by.by
	return d.conclude(t, now), false, nil
}

// arrive takes machine evidence. changed is false for what was seen before, is older than what was seen, or proves
// nothing that is not proven for good. A person's word, and a request, stand on no evidence from before their time.
func (d terms) arrive(was Task, a Arrived, now time.Time) (after Task, changed bool) {
	t, settled := was, !was.Settled.IsZero()
	if t.State == Lapsed || settled && d.Every.IsZero() {
		return was, false
	}
	if settled {
		t = d.again(t, now)
	}
	if (d.ByHand() || d.Requested()) && a.At.Before(t.Since) {
		return was, false
	}
	evidence := map[string]Seen{}
	maps.Copy(evidence, t.Evidence)
	t.Evidence = evidence
	for _, n := range d.Machines() {
		seen, known := evidence[n.String()]
		if n.Fits(a.Type, a.About...) && !(known && (seen.Event == a.Event || !seen.At.Before(a.At))) {
			evidence[n.String()], changed = Seen{Event: a.Event, At: a.At, Cycle: t.Cycle, By: a.By}, true
		}
	}
	switch {
	case !changed:
		return was, false
	case d.ByHand() || len(t.Missing(d.Duty)) > 0 || !t.Owed():
		return d.schedule(t), true
	}
	t.State, t.DoneBy, t.DoneAt = Done, d.doer(t), a.At
	t = d.timely(t, now)
	t.DoneAt = d.happened(t)
	return d.conclude(t, now), true
}

func moved() error {
	return fault.Refuse(fault.Conflict, "duty_moved", "This duty has moved on since the page was made.", "Look at it again, then decide anew.")
}

func ownMatter() error {
	return fault.Refuse(fault.Denied, "own_matter", "Nobody settles alone what concerns herself or what she asked for.",
		"Ask a colleague with this role.")
}

func selfReview() error {
	return fault.Refuse(fault.Denied, "review_self", "Nobody reviews what she did herself, asked for, or what concerns her.",
		"Ask another person with this role.")
}

func settled() error {
	return fault.Refuse(fault.Conflict, "duty_reviewed", "This is settled already: nothing waits for a second person.", "Look at the list of duties.")
}
