package duty

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/notice"
)

// roster says for which people and duties the tasks were made.
type roster struct {
	V    int    `json:"v"`
	Made string `json:"made"`
}

// duePage is how many tasks one run looks at in one query.
const duePage = 200

// Tick does what the clock has brought about: it opens what is owed now, ends what nobody owes any more, reminds, and
// finds what is overdue. It may run at any time, any number of times, and in several places at once. One task that cannot
// be handled does not stop the others; its error is returned.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	if err := s.muster(ctx, now); err != nil {
		return fmt.Errorf("opening duties: %w", err)
	}
	var errs []error
	for _, d := range s.Rules.Duties {
		if d.Personal() {
			errs = append(errs, s.count(ctx, s.terms(d), now))
		}
	}
	q := store.Query{Collection: Tasks, Range: &store.Range{Name: "next", To: now.UnixMicro() + 1}, Limit: duePage}
	for {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		due, err := store.Find[Task](docs, nil)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, t := range due {
			errs = append(errs, s.tick(ctx, t.ID, t.Duty, now))
		}
		if len(docs) < duePage {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// tick looks at one task.
func (s *Service) tick(ctx context.Context, id, duty string, now time.Time) error {
	d, known := s.Rules.Duty(duty)
	if !known {
		return nil // the roster ends it
	}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var t Task
		if err := tx.Get(Tasks, id, &t); fault.Is(err, fault.NotFound) {
			return nil
		} else if err != nil {
			return err
		}
		d := s.terms(d)
		after, steps := d.tick(t, now)
		if same(t, after) {
			return nil
		}
		if err := tx.Put(Tasks, id, after); err != nil {
			return err
		}
		for _, what := range steps {
			if err := s.ticked(batch, d, after, what, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// ticked is what follows from one step of the clock.
func (s *Service) ticked(batch *outbox.Batch, d terms, t Task, what step, now time.Time) error {
	switch what {
	case reminded:
		return s.tell(batch, d, t, notice.DutyReminder, t.DoneAt, s.holders(d.Owner, now))
	case overdue:
		if err := s.Put(batch, d.finding(t, overdue, t.Due, now)); err != nil {
			return err
		}
		to := s.holders(d.Owner, now)
		if t.Waiting() {
			to = s.seconds(d, t, now)
		}
		return s.tell(batch, d, t, notice.DutyOverdue, t.DoneAt, to)
	}
	return nil
}

// owed are the tasks there have to be, by id: duty and person.
func (s *Service) owed(now time.Time) (map[string]Task, string) {
	wanted, names := map[string]Task{}, []string{}
	add := func(d Duty, person string) {
		id := TaskID(d.ID, person)
		wanted[id] = Task{ID: id, Duty: d.ID, Person: person}
		names = append(names, id)
	}
	for _, d := range s.Rules.Duties {
		switch {
		case d.Requested():
			names = append(names, d.ID)
		case !d.Personal():
			add(d, "")
		default:
			for _, p := range s.Policy.People {
				if p.Active(now) {
					add(d, p.ID)
				}
			}
		}
	}
	return wanted, record.Digest([]byte(strings.Join(names, "\n")))
}

// muster makes the tasks there have to be and ends the others, when people or duties have changed since it last did.
func (s *Service) muster(ctx context.Context, now time.Time) error {
	wanted, made := s.owed(now)
	var last roster
	if err := s.Store.Get(ctx, rosters, Tasks, &last); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if last.Made == made {
		return nil
	}
	tasks, err := all(s.reader(ctx))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.State == Lapsed {
			continue
		}
		_, keep := wanted[t.ID]
		d, known := s.Rules.Duty(t.Duty)
		delete(wanted, t.ID)
		if keep || known && d.Requested() {
			continue
		}
		if !known {
			d = Duty{ID: t.Duty}
		}
		if _, err := s.commit(ctx, change{id: t.ID, duty: d, nobody: true, decide: func(d terms, t Task) (Task, error) { return d.lapse(t, now), nil }}, now); err != nil {
			return err
		}
	}
	for id, t := range wanted {
		if err := s.open(ctx, id, t, now); err != nil {
			return err
		}
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(rosters, Tasks, roster{Version, made}) })
}

// open makes a task, or the next cycle of one that had lapsed.
func (s *Service) open(ctx context.Context, id string, wanted Task, now time.Time) error {
	nonce, err := s.Nonce()
	if err != nil {
		return err
	}
	d, _ := s.Rules.Duty(wanted.Duty)
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		var t Task
		err := tx.Get(Tasks, id, &t)
		switch {
		case fault.Is(err, fault.NotFound):
			t = wanted
			t.Nonce = nonce
		case err != nil || t.State != Lapsed:
			return err
		}
		return tx.Put(Tasks, id, s.terms(d).begin(t, now))
	})
}
