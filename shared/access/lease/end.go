package lease

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// End ends one lease of a person, and with it the other addresses of the same device. One that is over already stays as
// it ended. NotFound: the person has no such lease.
func (s *Service) End(ctx context.Context, person, id string, why Why) (Lease, error) {
	now := s.Clock.Now()
	var l Lease
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		l = Lease{}
		if err := tx.Get(leases, id, &l); err != nil {
			return fmt.Errorf("ending lease: %w", err)
		}
		if l.Person != person {
			return fault.New(fault.NotFound, "ending lease %s: of another person", id)
		}
		if !l.Live(now) {
			l = l.At(now)
			return nil
		}
		device, err := ofDevice(tx, l, now)
		if err != nil {
			return err
		}
		ended, err := s.end(tx, batch, device, why, now)
		if i := slices.IndexFunc(ended, func(one Lease) bool { return one.ID == id }); i >= 0 {
			l = ended[i]
		}
		return err
	})
	return l, err
}

// ofDevice returns the live leases of the device a lease is for.
func ofDevice(tx store.Tx, l Lease, now time.Time) ([]Lease, error) {
	mine, err := ofPerson(tx.Query, l.Person, now)
	return slices.DeleteFunc(mine, func(one Lease) bool { return one.Device() != l.Device() || !one.Live(now) }), err
}

// EndStarted ends the live leases a person had at an instant, and leaves later ones alone: word of a suspension or a
// lost authenticator may come late, when the person has long registered anew. What a device was given later without
// another code ends too. It returns how many it ended.
func (s *Service) EndStarted(ctx context.Context, person string, why Why, at time.Time) (int, error) {
	now := s.Clock.Now()
	ended := 0
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		mine, err := ofPerson(tx.Query, person, now)
		if err != nil {
			return err
		}
		had := map[string]bool{} // devices
		for _, l := range mine {
			had[l.Device()] = had[l.Device()] || !l.Started.After(at)
		}
		mine = slices.DeleteFunc(mine, func(l Lease) bool { return !l.Live(now) || !had[l.Device()] })
		ended = len(mine)
		_, err = s.end(tx, batch, mine, why, now)
		return err
	})
	return ended, err
}

// end ends live leases within a transaction.
func (s *Service) end(tx store.Tx, batch *outbox.Batch, live []Lease, why Why, now time.Time) ([]Lease, error) {
	var ended []Lease
	for _, l := range live {
		l, err := l.To(Ended, why, now)
		if err != nil {
			return nil, err
		}
		if err := tx.Put(leases, l.ID, l); err != nil {
			return nil, err
		}
		if err := announce(batch, l); err != nil {
			return nil, err
		}
		ended = append(ended, l)
	}
	if len(ended) == 0 {
		return nil, nil
	}
	return ended, s.tell(batch, "ended", ended, now)
}

// announce puts the message that the set of live leases has changed. It names the lease and nobody.
func announce(batch *outbox.Batch, l Lease) error {
	change := Change{Lease: l.ID, Prefix: l.Prefix, From: l.Started, Until: l.Ends}
	if !l.EndedAt.IsZero() && l.EndedAt.Before(l.Ends) {
		change.Until = l.EndedAt
	}
	return batch.Message(Topic, l.ID+"/"+string(l.State), change)
}
