package duty

import (
	"context"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// By is who acts, on what she saw.
type By struct {
	Person   policy.Person
	Ref      string   // a reference such as a ticket; may be empty
	Document Document // what she puts on file; zero for none
	Cycle    int      // that she looked at; 0 for the present one
}

// refForm keeps what people type down to a reference.
var refForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,79}$`)

// Done takes a person's word that a task is done. The same word again changes nothing. Codes: duty_unknown, role_missing,
// reference_invalid, duty_moved, duty_done, own_matter, evidence_missing, document_invalid, until_invalid.
func (s *Service) Done(ctx context.Context, id string, by By, now time.Time) (Task, error) {
	by.Document.Issuer, by.Document.Number = strings.TrimSpace(by.Document.Issuer), strings.TrimSpace(by.Document.Number)
	asOf, d, err := s.Get(ctx, id, now)
	switch {
	case err != nil:
		return Task{}, err
	case !d.MayDo(by.Person):
		return Task{}, roleMissing(d.Owner)
	case by.Ref != "" && !refForm.MatchString(by.Ref):
		return Task{}, fault.Refuse(fault.Invalid, "reference_invalid", "This is not a reference: letters, digits and . _ / + : # - only, at most 80.",
			"Give the number of the ticket or document, or nothing.")
	}
	return s.commit(ctx, change{id: id, duty: d, people: []string{by.Person.ID}, begin: asOf.first, decide: func(d terms, t Task) (Task, error) {
		after, again, err := d.done(t, doing{by.Person.ID, by.Ref, by.Document, by.Cycle, s.Policy.Twins(by.Person)}, now)
		if again {
			return t, nil
		}
		return after, err
	}}, now)
}

// Review takes the second person's verdict. The same verdict again changes nothing. What was asked for may be refused too,
// and where an examination speaks against it, whoever owes the duty refuses it as well. Codes: duty_unknown, role_missing,
// verdict_invalid, duty_moved, duty_not_done, duty_reviewed, review_self.
func (s *Service) Review(ctx context.Context, id string, by By, v Verdict, now time.Time) (Task, error) {
	asOf, d, err := s.Get(ctx, id, now)
	switch {
	case err != nil:
		return Task{}, err
	case v != Approved && v != Returned && !(v == Turned && d.Requested()):
		return Task{}, fault.Refuse(fault.Invalid, "verdict_invalid", "There is no such verdict here.", "Say approved or returned, or of a request refused.")
	case v == Turned && d.MayDo(by.Person):
	case d.Second == "":
		return Task{}, fault.Refuse(fault.Conflict, "duty_reviewed", "This duty takes no second person.", "Look at the list of duties.")
	case !d.MayReview(by.Person):
		return Task{}, roleMissing(d.Second)
	}
	c := change{id: id, duty: d, people: []string{by.Person.ID}, begin: asOf.first, decide: func(d terms, t Task) (Task, error) {
		word := doing{by: by.Person.ID, cycle: by.Cycle, twins: s.Policy.Twins(by.Person)}
		take := func() (Task, bool, error) { return d.review(t, word, v, now) }
		if v == Turned {
			take = func() (Task, bool, error) { return d.refuse(t, word, d.MayReview(by.Person), now) }
		}
		after, again, err := take()
		if again {
			return t, nil
		}
		return after, err
	}}
	if v == Returned {
		c.step = "returned"
	}
	return s.commit(ctx, c, now)
}

func roleMissing(role policy.Role) error {
	return fault.Refuse(fault.Denied, "role_missing", "This takes the role "+string(role)+".", "Ask somebody who has it.")
}
