package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// What one run of Tick does at most; the next minute goes on.
const (
	duePage   = 50
	newsPage  = 100
	maxPages  = 60 // of one notice
	newsPages = 60
)

// Tick lets time pass for every notice that has something to do by now: what was begun is handed over, drafts expire, and
// people are asked where one has to find out what became of a message. It may run at any time, any number of times, in
// several places at once. One notice that cannot be handled does not stop the others; its error is returned.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	return errors.Join(s.due(ctx, now), s.news(ctx, now))
}

func (s *Service) due(ctx context.Context, now time.Time) error {
	var errs []error
	q := store.Query{Collection: Notices, Range: &store.Range{Name: "due", From: int64(1), To: now.UnixMicro() + 1}, Limit: duePage}
	for {
		due, err := store.Find[Notice](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, n := range due {
			if err := s.tick(ctx, n, now); err != nil {
				errs = append(errs, fmt.Errorf("a notice that is due: %w", err))
			}
		}
		if len(due) < duePage {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Due, ID: last.ID}
	}
}

func (s *Service) tick(ctx context.Context, n Notice, now time.Time) error {
	about, err := s.Case(ctx, n.Case)
	if err != nil {
		return err
	}
	e := Event{What: Ticked}
	if n.State == Drafted && !n.Stalled {
		p, err := s.open(ctx, n)
		if err != nil {
			return err
		}
		e.Stall = about.stall(n.Kind, p.Tenants)
	}
	after, err := s.change(ctx, n, e, about, nil, nil, now)
	if errors.Is(err, errMoved) {
		return nil // somebody else is at it
	}
	if err != nil {
		return err
	}
	_, err = s.handOver(ctx, after, maxPages, now)
	return err
}

// news tells cases and notices what became of deliveries.
func (s *Service) news(ctx context.Context, now time.Time) error {
	var errs []error
	q := store.Query{Collection: Deliveries, Range: &store.Range{Name: "news", From: int64(1), To: now.UnixMicro() + 1}, Limit: newsPage}
	for range newsPages {
		all, err := store.Find[Delivery](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		of := map[string][]Delivery{}
		for _, d := range all {
			if !d.overdue(now) {
				of[d.Notice] = append(of[d.Notice], d)
			} else if err := s.unanswered(ctx, d, now); err != nil { // heard of by the next run
				errs = append(errs, fmt.Errorf("what became of a notice: %w", err))
			}
		}
		for _, some := range of {
			if err := s.hear(ctx, some, now); err != nil {
				errs = append(errs, fmt.Errorf("what became of a notice: %w", err))
			}
		}
		if len(all) < newsPage {
			break
		}
		last := all[len(all)-1]
		q.After = &store.Cursor{Value: last.News, ID: last.ID}
	}
	return errors.Join(errs...)
}

// unanswered puts a delivery in doubt about which nobody answered in time, such as after the loss of its request.
func (s *Service) unanswered(ctx context.Context, d Delivery, now time.Time) error {
	after := d
	after.Progress, after.Silent = Doubtful, true
	_, err := s.conclude(ctx, d, after, false, policy.Person{}, now)
	if errors.Is(err, errMoved) {
		return nil // an answer came
	}
	return err
}

// hear tells the case of arrivals, and of what was taken for one, and then counts the deliveries of one notice, each once.
func (s *Service) hear(ctx context.Context, some []Delivery, now time.Time) error {
	first := some[0]
	if err := s.tellCase(ctx, some, now); err != nil {
		return err
	}
	about, err := s.Case(ctx, first.Case)
	if err != nil {
		return err
	}
	if err := s.keepPromise(ctx, some, about, now); err != nil {
		return err
	}
	_, err = s.again(func() (Notice, error) {
		n, err := s.get(ctx, first.Case, first.N)
		if err != nil {
			return n, err
		}
		return s.count(ctx, n, about, some, now)
	})
	if errors.Is(err, errHeard) {
		return nil
	}
	return err
}

func (s *Service) count(ctx context.Context, n Notice, about About, some []Delivery, now time.Time) (Notice, error) {
	e := Event{What: Heard}
	for _, d := range some {
		e.count(d.Counted, -1)
		e.count(d.Progress, 1)
	}
	return s.change(ctx, n, e, about, nil, func(tx store.Tx, _ *turn) error {
		for _, d := range some {
			var stored struct {
				Rev int64 `json:"rev"`
			}
			if err := tx.Get(Deliveries, d.ID, &stored); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if stored.Rev != d.Rev {
				return errHeard
			}
		}
		for _, d := range some {
			d.Counted, d.News, d.Recalled = d.Progress, 0, false
			if d.Progress == Going { // again, by another way
				d.News = d.patience(now)
			}
			d.Rev++
			if err := tx.Put(Deliveries, d.ID, d); err != nil {
				return err
			}
		}
		return nil
	}, now)
}

// errHeard: another tick heard of one of them, or there is more to hear. The next one does it.
var errHeard = fault.New(fault.Conflict, "a delivery has changed meanwhile")

func (e *Event) count(p Progress, by int) {
	switch p {
	case Arrived:
		e.Accepted += by
	case Lost:
		e.Failed += by
	case Doubtful:
		e.Unknown += by
	}
}
