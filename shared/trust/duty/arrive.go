package duty

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Arrived is machine evidence that reached us.
type Arrived struct {
	Type     string    // such as training.completed
	Event    string    // record.Digest of the event's source and id
	Person   string    // whom it is about: id in people.yaml; "" for nobody
	By       string    // whose work it tells of: id in people.yaml; "" for nobody we know
	Failed   bool      // it says that things are out of order
	About    []string  // what it is about, as its source names it
	Request  string    // what was asked for, where it answers a request
	Promises []string  // the promises its source may prove by it; none: all
	Duty     string    // id of the only duty it may count for; "" for every duty that takes it
	At       time.Time // when it happened; not after now
}

// Evidence counts machine evidence for every task that needs it, and returns the ids of their duties. The same event
// again, and one older than what was seen, change nothing. Evidence about a request counts where it names, in any case of
// letters, what was asked for. A person's work counts when she has the role that owes the duty. What failed undoes what
// was done, whoever did it.
func (s *Service) Evidence(ctx context.Context, a Arrived, now time.Time) ([]string, error) {
	var counted []string
	for _, d := range s.Rules.Duties {
		if a.Duty != "" && a.Duty != d.ID || !d.Takes(a.Type, a.About...) || !s.mayProve(d, a.Promises) || !a.Failed && !s.mayWork(d, a, now) {
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

// mayProve reports whether a source that may prove some promises may prove all of a duty's: what it sends settles every
// one of them. Who may prove a sentence may prove it in every document that holds it.
func (s *Service) mayProve(d Duty, may []string) bool {
	return len(may) == 0 || within(sentences(s.Policy, d.all()), sentences(s.Policy, may))
}

// mayWork reports whether evidence of a person's work is of somebody who may do the duty.
func (s *Service) mayWork(d Duty, a Arrived, now time.Time) bool {
	p, known := s.Policy.PersonByID(a.By)
	return !slices.Contains(working, a.Type) || known && p.Active(now) && d.MayDo(p)
}

// concerned are the ids of the tasks that evidence is about.
func (s *Service) concerned(ctx context.Context, d Duty, a Arrived, now time.Time) ([]string, error) {
	switch {
	case d.Requested():
		tasks, err := all(s.reader(ctx), d.ID)
		var ids []string
		for _, t := range tasks {
			if (t.Owed() || a.Failed) && a.Request != "" && strings.EqualFold(t.About, a.Request) {
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
	if a.At.IsZero() || a.At.After(now) {
		a.At = now
	}
	first := Task{ID: id}
	if d.Personal() {
		first.Person = a.Person
	}
	c := change{id: id, duty: d, people: []string{a.By}, begin: first.first, step: a.Type, decide: func(d terms, t Task) (Task, error) {
		after, _ := d.arrive(t, a, now)
		return after, nil
	}}
	if a.Failed {
		c.step, c.decide = string(failed), func(d terms, t Task) (Task, error) { return d.fail(t, a, now), nil }
	}
	_, err := s.commit(ctx, c, now)
	return err
}
