package duty

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

// By is who acts, on what she saw.
type By struct {
	Person policy.Person
	Ref    string // a reference such as a ticket; may be empty
	Cycle  int    // that she looked at; 0 for the present one
}

// refForm keeps what people type down to a reference.
var refForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,79}$`)

// Done takes a person's word that a task is done. The same word again changes nothing. Codes: duty_unknown, role_missing,
// reference_invalid, duty_moved, duty_done, own_matter, evidence_missing.
func (s *Service) Done(ctx context.Context, id string, by By, now time.Time) (Task, error) {
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
		after, again, err := d.done(t, doing{by.Person.ID, by.Ref, by.Cycle}, now)
		if again {
			return t, nil
		}
		return after, err
	}}, now)
}

// Review takes the second person's verdict. The same verdict again changes nothing. Codes: duty_unknown, role_missing,
// verdict_invalid, duty_moved, duty_not_done, duty_reviewed, review_self.
func (s *Service) Review(ctx context.Context, id string, by By, v Verdict, now time.Time) (Task, error) {
	asOf, d, err := s.Get(ctx, id, now)
	switch {
	case err != nil:
		return Task{}, err
	case v != Approved && v != Returned:
		return Task{}, fault.Refuse(fault.Invalid, "verdict_invalid", "There is no such verdict.", "Say approved or returned.")
	case d.Second == "":
		return Task{}, fault.Refuse(fault.Conflict, "duty_reviewed", "This duty takes no second person.", "Look at the list of duties.")
	case !d.MayReview(by.Person):
		return Task{}, roleMissing(d.Second)
	}
	c := change{id: id, duty: d, people: []string{by.Person.ID}, begin: asOf.first, decide: func(d terms, t Task) (Task, error) {
		after, again, err := d.review(t, doing{by: by.Person.ID, cycle: by.Cycle}, v, now)
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

// Ask opens a task of a duty that people ask for. Asking for the same again returns the task there is. Codes:
// duty_unknown (not one to ask for), about_invalid.
func (s *Service) Ask(ctx context.Context, duty string, asker policy.Person, about string, now time.Time) (Task, error) {
	d, known := s.Rules.Duty(duty)
	about = strings.TrimSpace(about)
	switch {
	case !known || !d.Requested():
		return Task{}, unknown()
	case !isLine(about) || len(about) > maxAbout:
		return Task{}, fault.Refuse(fault.Invalid, "about_invalid", "What you ask for is missing, or is not one line of at most 200 bytes.", "Name it in one line, as its maker does.")
	}
	id := TaskID(duty, askID(asker.ID, about))
	return s.commitAsked(ctx, d, id, Task{Asker: asker.ID, About: about}, now)
}

// maxAbout is how much of what is asked for is kept, in bytes.
const maxAbout = 200

func askID(asker, about string) string {
	sum := sha256.Sum256([]byte(asker + "\x00" + strings.ToLower(about)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}

func (s *Service) commitAsked(ctx context.Context, d Duty, id string, asked Task, now time.Time) (Task, error) {
	nonce, err := s.nonce()
	if err != nil {
		return Task{}, err
	}
	terms := s.terms(d)
	var t Task
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		err := tx.Get(Tasks, id, &t)
		if !fault.Is(err, fault.NotFound) && (err != nil || t.State != Lapsed) {
			return err
		}
		if err != nil {
			t = asked
			t.ID, t.Nonce = id, nonce
		}
		t = terms.begin(t, now)
		if err := tx.Put(Tasks, id, t); err != nil {
			return err
		}
		if err := s.put(batch, terms.evidence(record.Case, t, "asked", now, terms.all())); err != nil {
			return err
		}
		return s.tell(batch, terms, t, notice.DutyAsked, s.holders(d.Owner, now))
	})
	return t, err
}

// Arrived is machine evidence that reached us.
type Arrived struct {
	Type     string    // such as training.completed
	Event    string    // record.Digest of the event's source and id
	Person   string    // whom it is about: id in people.yaml; "" for nobody
	About    string    // what it is about, as its source names it
	Promises []string  // the promises its source may prove by it; none: all
	At       time.Time // when it happened; not after now
}

// Evidence counts machine evidence for every task that needs it, and returns the ids of their duties. The same event
// again, and one older than what was seen, change nothing. Evidence about a request counts where it names, in any case of
// letters, what was asked for.
func (s *Service) Evidence(ctx context.Context, a Arrived, now time.Time) ([]string, error) {
	var counted []string
	for _, d := range s.Rules.Duties {
		if !slices.Contains(d.Evidence, a.Type) || len(a.Promises) > 0 && !slices.ContainsFunc(s.terms(d).all(), func(id string) bool { return slices.Contains(a.Promises, id) }) {
			continue
		}
		ids, err := s.concerned(ctx, d, a, now)
		if err != nil {
			return counted, err
		}
		for _, id := range ids {
			if err := s.arrive(ctx, d, id, a, now); err != nil {
				return counted, err
			}
			counted = append(counted, d.ID)
		}
	}
	slices.Sort(counted)
	return slices.Compact(counted), nil
}

// concerned are the ids of the tasks that evidence is about.
func (s *Service) concerned(ctx context.Context, d Duty, a Arrived, now time.Time) ([]string, error) {
	switch {
	case d.Requested():
		tasks, err := all(s.reader(ctx), d.ID)
		var ids []string
		for _, t := range tasks {
			if t.Owed() && a.About != "" && strings.EqualFold(t.About, a.About) {
				ids = append(ids, t.ID)
			}
		}
		return ids, err
	case d.Personal():
		if p, known := s.Policy.PersonByID(a.Person); !known || !p.Active(now) {
			return nil, nil
		}
		return []string{TaskID(d.ID, a.Person)}, nil
	}
	return []string{d.ID}, nil
}

func (s *Service) arrive(ctx context.Context, d Duty, id string, a Arrived, now time.Time) error {
	at := a.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	first := Task{ID: id}
	if d.Personal() {
		first.Person = a.Person
	}
	_, err := s.commit(ctx, change{id: id, duty: d, begin: first.first, step: a.Type, decide: func(d terms, t Task) (Task, error) {
		after, changed := d.arrive(t, a.Type, a.Event, at, now)
		if !changed {
			return t, nil
		}
		return after, nil
	}}, now)
	return err
}

func roleMissing(role policy.Role) error {
	return fault.Refuse(fault.Denied, "role_missing", "This takes the role "+string(role)+".", "Ask somebody who has it.")
}
