package notice

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/clock"
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
	if a.Fate() { // it may come before what it follows
		if _, err := s.take(ctx, a.Accepted(), now); err != nil {
			return nil, err
		}
	}
	return s.take(ctx, a, now)
}

func (s *Service) take(ctx context.Context, a message.Answer, now time.Time) ([]Told, error) {
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
		if a.Fate() {
			after, next = d.hears(a, way)
		}
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
	if waits := d.Progress == Going || d.Silent; !waits || way != d.Way || way >= len(d.Ways) || a.Again != d.Replays {
		return d, false
	}
	if a.At.IsZero() {
		a.At = now
	}
	d.Silent = false
	d.Tries = append(slices.Clone(d.Tries), d.try(way, a))
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

func (d Delivery) try(way int, a message.Answer) Try {
	return Try{Channel: d.Ways[way], State: a.State, Attempts: a.Attempts, Why: a.Why, At: a.At.UTC(), TLS: a.TLS, Reference: a.Reference}
}

// further goes to the next way, or nowhere.
func (d Delivery) further() (Delivery, bool) { return d.by(d.Way + 1) }

// by goes to the first way from one on that may be used: nothing is sent again that was sent, or may have been.
func (d Delivery) by(way int) (Delivery, bool) {
	d.Silent, d.Vouched = false, false
	for ; way < len(d.Ways); way++ {
		if d.unsent(d.Ways[way]) {
			d.Way, d.Progress = way, Going
			return d, true
		}
	}
	d.Progress = Lost
	return d, false
}

// unsent reports whether it is certain that nothing was sent on a channel.
func (d Delivery) unsent(channel string) bool {
	for _, t := range slices.Backward(d.Tries) {
		if t.Channel == channel {
			return t.State == message.StateFailed || t.State == message.StateDead
		}
	}
	return true
}

// Found is what a person found out about a delivery.
type Found struct {
	Arrived bool
	At      time.Time // of Arrived: when, between the handing over and now; zero for now
}

// Settle takes what a person found out about a delivery that is in doubt or lost, about which nobody answered in time, or that
// a peer took and nobody got. One that did not arrive after all goes to the recipient's next channel. Whom the case is to be
// told of is returned. Codes: not_allowed, own_matter, delivery_unknown, state_conflict, times_invalid.
func (s *Service) Settle(ctx context.Context, by policy.Person, caseID string, n int, delivery string, f Found, now time.Time) ([]Told, error) {
	if err := s.maySettle(ctx, by, caseID); err != nil {
		return nil, err
	}
	var seen Progress
	for try := range attempts {
		d, err := s.delivery(ctx, caseID, n, delivery)
		if err != nil {
			return nil, err
		}
		if try == 0 {
			seen = d.Progress
		}
		after, next, err := d.settled(by.ID, f, seen, now)
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

// maySettle refuses who may not say what became of deliveries of a case.
func (s *Service) maySettle(ctx context.Context, by policy.Person, caseID string) error {
	if !actor(by).decides() {
		return fault.Refuse(fault.Denied, "not_allowed", "This is for security, the data protection officer or an owner.", "Ask one of them.")
	}
	about, err := s.Case(ctx, caseID)
	if err == nil && about.own(s.actor(by)) {
		return ownMatter()
	}
	return err
}

// delivery is a recipient of a notice.
func (s *Service) delivery(ctx context.Context, caseID string, n int, id string) (d Delivery, err error) {
	err = fault.New(fault.NotFound, "no delivery of this notice")
	if strings.HasPrefix(id, name(caseID, n)+".") && len(id) <= 128 {
		err = s.Store.Get(ctx, Deliveries, id, &d)
	}
	if fault.Is(err, fault.NotFound) {
		err = fault.Refuse(fault.NotFound, "delivery_unknown", "The notice has no such recipient.", "Look at its deliveries.")
	}
	return d, err
}

// settled is the delivery after what a person found out, who saw it as it was seen.
func (d Delivery) settled(by string, f Found, seen Progress, now time.Time) (after Delivery, next bool, err error) {
	arrived, recalls := f.Arrived, !f.Arrived && d.Progress == Arrived && seen == Arrived
	switch {
	case !f.At.IsZero() && (!arrived || f.At.Before(d.Handed.Truncate(time.Minute)) || f.At.After(now.Add(clock.Ahead))):
		return d, false, fault.Refuse(fault.Invalid, "times_invalid", "What arrived did so between the handing over and now; of what did not there is no time.", "Give the time with its offset, or leave it out.")
	case arrived && d.Progress == Arrived, !arrived && d.Progress == Lost, !arrived && d.Progress == Going && d.Settler == by && !d.overdue(now):
		return d, false, nil
	case d.Progress != Doubtful && d.Progress != Lost && !d.overdue(now) && !recalls:
		return d, false, fault.Refuse(fault.Conflict, "state_conflict", "The delivery is "+string(d.Progress)+"; there is nothing to find out about it.", "Look at it as it is now.")
	}
	d.Settler, d.Settled, d.Told = by, now.UTC(), time.Time{}
	if !arrived {
		d.Recalled = d.Recalled || recalls
		d, next = d.further()
		return d, next, nil
	}
	if d.Progress, d.Told, d.Silent, d.Vouched = Arrived, now.UTC(), false, true; !f.At.IsZero() {
		d.Told = f.At.UTC()
		if d.Told.Before(d.Handed) { // in the same minute, as people say it
			d.Told = d.Handed
		}
	}
	return d, false, nil
}

// conclude stores what became of a delivery, with its evidence, and asks for the next message.
func (s *Service) conclude(ctx context.Context, before, after Delivery, next bool, by policy.Person, now time.Time) (Delivery, error) {
	if reflect.DeepEqual(before, after) {
		return before, nil
	}
	var about About
	if next {
		may, of, err := s.onward(ctx, before, by)
		if err != nil {
			return before, err
		}
		about = of
		if may != Going {
			after.Progress, after.Way, next = may, before.Way, false
		}
	}
	var c content
	var w whereTo
	var err error
	if next {
		if c, w, err = s.said(ctx, before); err != nil {
			return before, err
		}
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
		if next {
			if err := stillAs(tx, before.Case, about); err != nil {
				return err
			}
		}
		return s.store(tx, batch, key, before, &after, c, w, next, who, now)
	})
	if err == nil {
		s.worked(ctx, before.Case, by.ID, now)
	}
	return after, err
}

func (s *Service) store(tx store.Tx, batch *outbox.Batch, key *seal.DataKey, before Delivery, after *Delivery, c content, w whereTo, next bool, who record.Subject, now time.Time) error {
	if next {
		if err := s.post(batch, key, *after, c, w, now); err != nil {
			return err
		}
		after.News = after.patience(now)
	}
	if after.Recalled || !next && after.Progress != before.Progress {
		after.News = now.UnixMicro()
	}
	if err := s.deliveryRecords(batch, before, after, who, now); err != nil {
		return err
	}
	return tx.Put(Deliveries, after.ID, *after)
}
