// Package duty keeps what people must do by a date and prove: reviews, training, clearances, drills.
//
// It promises one state machine for all of them, decided by pure functions (task.go): a task opens, is done, is
// reviewed by a second person where the policy wants one, and then proves the duty's promises until its time is over.
// What is not proven when the time is over is a finding, and the promise broken, until it is; so is what was proven and
// then failed. Nobody reviews what is her own; whoever asks for something, or whom it concerns, does not settle it alone.
// What was asked for may be refused or withdrawn: then nobody has it, and the promises are kept. Records hold codes,
// dates and commitments, never a name or what somebody wrote.
//
// It does not know whether what a person says is true, and it sends nothing: notices leave with the transaction.
package duty

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/desk"
)

// Names of the collections.
const (
	Tasks   = "duties"
	rosters = "duty_rosters"
)

// Collection declares what the control's schema holds for this package.
func Collection() []store.Collection {
	return []store.Collection{
		{Name: Tasks, Indexes: []store.Index{{"next"}, {"duty"}}, Expires: true},
		{Name: rosters},
	}
}

// Service keeps tasks. It is safe for concurrent use. Refusals meant for the caller are *fault.Error with a code; on any
// error nothing was changed.
type Service struct {
	desk.Desk
	Rules Rules
}

// New returns a Service, or Misconfigured when a part of the desk is missing.
func New(d desk.Desk, rules Rules) (*Service, error) {
	d, err := d.Complete()
	return &Service{d, rules}, err
}

// TaskID is the id of the task of a duty: about a person for a personal duty, "" for one of the company.
func TaskID(duty, person string) string {
	if person == "" {
		return duty
	}
	return duty + "~" + person
}

// ValidID reports whether text may be the id of a task. Anything else is none, and some of it no id at all.
func ValidID(id string) bool {
	duty, about, tilde := strings.Cut(id, "~")
	return idForm.MatchString(duty) && (!tilde || idForm.MatchString(about))
}

// terms returns what a task's machine has to know besides the task.
func (s *Service) terms(d Duty) terms { return terms{d, s.Policy.Company.Location()} }

// Get returns one task; one that is owed and that Tick has not opened yet is as it would open now. Codes: duty_unknown.
func (s *Service) Get(ctx context.Context, id string, now time.Time) (Task, Duty, error) {
	if !ValidID(id) {
		return Task{}, Duty{}, unknown()
	}
	var t Task
	if err := s.Store.Get(ctx, Tasks, id, &t); fault.Is(err, fault.NotFound) {
		wanted, _ := s.owed(now)
		t = wanted[id]
	} else if err != nil {
		return Task{}, Duty{}, err
	}
	d, known := s.Rules.Duty(t.Duty)
	if known && t.State == "" {
		t = s.terms(d).begin(t, now)
	}
	if !known {
		return Task{}, Duty{}, unknown()
	}
	return t, d, nil
}

// List returns all tasks that have not lapsed, by id; those that are owed and that Tick has not opened yet are as they
// would open now.
func (s *Service) List(ctx context.Context, now time.Time) ([]Task, error) {
	stored, err := all(s.reader(ctx))
	if err != nil {
		return nil, err
	}
	wanted, _ := s.owed(now)
	tasks := slices.DeleteFunc(stored, func(t Task) bool {
		delete(wanted, t.ID)
		return t.State == Lapsed
	})
	for _, t := range wanted {
		d, _ := s.Rules.Duty(t.Duty)
		tasks = append(tasks, s.terms(d).begin(t, now))
	}
	slices.SortFunc(tasks, func(a, b Task) int { return strings.Compare(a.ID, b.ID) })
	return tasks, nil
}

// reader reads outside of a transaction.
func (s *Service) reader(ctx context.Context) func(store.Query) ([]store.Document, error) {
	return func(q store.Query) ([]store.Document, error) { return s.Store.Query(ctx, q) }
}

// all reads the tasks through a reader, those of one duty when it is named.
func all(read func(store.Query) ([]store.Document, error), duty ...string) ([]Task, error) {
	q := store.Query{Collection: Tasks, Limit: store.MaxQueryResults}
	for _, id := range duty {
		q.Equal = []store.Field{{Name: "duty", Value: id}}
	}
	var found []Task
	for {
		docs, err := read(q)
		if err != nil {
			return nil, err
		}
		page, err := store.Find[Task](docs, nil)
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		if len(docs) < q.Limit {
			return found, nil
		}
		q.After = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

// holders returns the ids of the people who have a role now, but for some.
func (s *Service) holders(role policy.Role, now time.Time, but ...string) []string {
	return s.Holders(func(p policy.Person) bool { return p.Has(role) }, now, but...)
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "duty_unknown", "There is no such duty, or it has lapsed.", "Look at the list of duties again.")
}
