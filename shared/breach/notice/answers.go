package notice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// few is up to how many recipients of a notice each arrival is told to the case at once. Those of a larger one Tick tells
// together: a case is one document.
const few = 50

// Answered takes what became of a message, in whatever order and however often it is said. Whom the case is to be told of
// is returned: none of a notice to many, which Tick tells together. An answer to somebody else's message does nothing.
func (s *Service) Answered(ctx context.Context, a message.Answer, now time.Time) ([]Told, error) {
	id, way, ours := keyed(a.Key)
	if !ours {
		return nil, nil
	}
	for range attempts {
		var d Delivery
		if err := s.Store.Get(ctx, Deliveries, id, &d); fault.Is(err, fault.NotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		after, next := d.answered(a, way, now)
		after, err := s.conclude(ctx, d, after, next, policy.Person{}, now)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil || after.Told.IsZero() || after.Of > few {
			return nil, err
		}
		return []Told{{after.Case, after.Tenant, after.Told}}, nil
	}
	return nil, fault.New(fault.Conflict, "taking an answer: %w", errMoved)
}

// answered is the delivery after an answer about one of its ways; next reports that the next way is to be tried.
func (d Delivery) answered(a message.Answer, way int, now time.Time) (after Delivery, next bool) {
	if waits := d.Progress == Going || d.Silent; !waits || way != d.Way || way >= len(d.Ways) {
		return d, false
	}
	if a.At.IsZero() {
		a.At = now
	}
	d.Silent = false
	d.Tries = append(slices.Clone(d.Tries), Try{d.Ways[way], a.State, a.Attempts, a.Why, a.At.UTC(), a.TLS, a.Reference})
	// A text message says nothing of what happened: however it went, the whole text has to follow.
	whole := d.Ways[way] != SMS
	switch {
	case whole && a.State == message.StateAccepted:
		d.Progress, d.Told = Arrived, a.At.UTC()
	case whole && a.State == message.StateUnknown:
		d.Progress = Doubtful
	case !whole || a.State == message.StateFailed || a.State == message.StateDead:
		return d.further()
	}
	return d, false
}

// further goes to the next way, or nowhere.
func (d Delivery) further() (Delivery, bool) {
	d.Silent = false
	if d.Way+1 < len(d.Ways) {
		d.Way, d.Progress = d.Way+1, Going
		return d, true
	}
	d.Progress = Lost
	return d, false
}

// Settle takes what a person found out about a delivery that is in doubt or lost, or about which nobody answered in time. One that did not arrive after all goes to
// the recipient's next channel. Whom the case is to be told of is returned. Codes: not_allowed, delivery_unknown,
// state_conflict.
func (s *Service) Settle(ctx context.Context, by policy.Person, caseID string, n int, delivery string, arrived bool, now time.Time) ([]Told, error) {
	if !actor(by).decides() {
		return nil, fault.Refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
	}
	for range attempts {
		var d Delivery
		err := fault.New(fault.NotFound, "no delivery of this notice")
		if strings.HasPrefix(delivery, name(caseID, n)+".") && len(delivery) <= 128 {
			err = s.Store.Get(ctx, Deliveries, delivery, &d)
		}
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Refuse(fault.NotFound, "delivery_unknown", "The notice has no such recipient.", "Look at its deliveries.")
		} else if err != nil {
			return nil, err
		}
		after, next, err := d.settled(by.ID, arrived, now)
		if err != nil {
			return nil, err
		}
		after, err = s.conclude(ctx, d, after, next, by, now)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil || after.Told.IsZero() {
			return nil, err
		}
		return []Told{{after.Case, after.Tenant, after.Told}}, nil
	}
	return nil, fault.New(fault.Conflict, "settling a delivery: %w", errMoved)
}

func (d Delivery) settled(by string, arrived bool, now time.Time) (after Delivery, next bool, err error) {
	switch {
	case arrived && d.Progress == Arrived, !arrived && d.Progress == Lost, !arrived && d.Progress == Going && d.Settler == by && !d.overdue(now):
		return d, false, nil
	case d.Progress != Doubtful && d.Progress != Lost && !d.overdue(now):
		return d, false, fault.Refuse(fault.Conflict, "state_conflict", "The delivery is "+string(d.Progress)+"; there is nothing to find out about it.", "Look at it as it is now.")
	}
	d.Settler, d.Settled = by, now.UTC()
	if !arrived {
		d, next = d.further()
		return d, next, nil
	}
	d.Progress, d.Told, d.Silent = Arrived, now.UTC(), false
	return d, false, nil
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

// conclude stores what became of a delivery, with its evidence, and asks for the next message.
func (s *Service) conclude(ctx context.Context, before, after Delivery, next bool, by policy.Person, now time.Time) (Delivery, error) {
	if before.Rev == after.Rev && before.Progress == after.Progress && len(before.Tries) == len(after.Tries) && before.Settler == after.Settler {
		return before, nil
	}
	if next {
		stands, err := s.stands(ctx, before)
		if err != nil {
			return before, err
		}
		if !stands {
			after.Progress, after.Way, next = Lost, before.Way, false
		}
	}
	c, w, err := s.kept(ctx, before, next)
	if err != nil {
		return before, err
	}
	key, err := s.Messages.Key(ctx, message.Bound())
	if err != nil {
		return before, err
	}
	var who record.Subject
	if by.ID != "" {
		if who, err = s.Commit(ctx, vault.Subject{Type: "person", ID: by.ID}, now); err != nil {
			return before, err
		}
	}
	after.Rev++
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var stored struct {
			Rev int64 `json:"rev"`
		}
		if err := tx.Get(Deliveries, before.ID, &stored); err != nil {
			return err
		}
		if stored.Rev != before.Rev {
			return errMoved
		}
		return s.store(tx, batch, key, before, &after, c, w, next, who, now)
	})
	if err == nil {
		s.worked(ctx, before.Case, by.ID, now)
	}
	return after, err
}

// kept is what the next message of a delivery says, and where it goes; nothing where there is none.
func (s *Service) kept(ctx context.Context, d Delivery, next bool) (c content, w whereTo, err error) {
	if !next {
		return c, w, nil
	}
	if c, err = s.content(ctx, s.Keys, d); err != nil {
		return c, w, err
	}
	w, err = s.whereTo(ctx, s.Keys, d)
	return c, w, err
}

// stands reports whether what was agreed to may still go out: the notice was not stopped meanwhile, the case has not ended,
// and the ways are trusted as they were.
func (s *Service) stands(ctx context.Context, d Delivery) (bool, error) {
	n, err := s.get(ctx, d.Case, d.N)
	if err != nil || n.State == Voided {
		return false, err
	}
	about, err := s.Case(ctx, d.Case)
	return !about.shut(d.Kind) && (len(about.Compromised) == 0 || d.Guarded), err
}

func (s *Service) store(tx store.Tx, batch *outbox.Batch, key *seal.DataKey, before Delivery, after *Delivery, c content, w whereTo, next bool, who record.Subject, now time.Time) error {
	if next {
		if err := s.post(batch, key, *after, c, w, now); err != nil {
			return err
		}
		after.News = after.patience(now)
	} else {
		after.News = now.UnixMicro()
	}
	if err := s.deliveryRecords(batch, before, after, who, now); err != nil {
		return err
	}
	return tx.Put(Deliveries, after.ID, *after)
}
