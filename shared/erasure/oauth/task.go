package oauth

import (
	"context"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Tasks returns the connections that wait for a person, those due first, at most limit.
func (s *Service) Tasks(ctx context.Context, limit int) ([]Grant, error) {
	q := store.Query{Collection: Grants, Equal: []store.Field{{Name: "state", Value: string(Manual)}}, Range: &store.Range{Name: "next"}, Limit: limit}
	return store.Find[Grant](s.Store.Query(ctx, q))
}

// Settle takes a person's word of what became of a connection: Revoked, Gone, Shared or Failed. Refusals have codes:
// role_missing, grant_unknown, state_conflict.
func (s *Service) Settle(ctx context.Context, by policy.Person, id string, outcome State, now time.Time) (Grant, error) {
	if !by.Active(now) || !by.Has(policy.DPO) && !by.Has(policy.Security) && !by.Has(policy.Owner) {
		return Grant{}, fault.Refuse(fault.Denied, "role_missing", "You may not decide about connections.", "Ask the data protection officer.")
	}
	if s.Commit == nil {
		return Grant{}, fault.New(fault.Misconfigured, "settling a connection: there is nothing to make commitments with")
	}
	actor, err := s.Commit(ctx, vault.Subject{Type: "person", ID: by.ID}, now)
	if err != nil {
		return Grant{}, err
	}
	var after Grant
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var g Grant
		if err := tx.Get(Grants, id, &g); fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
			return fault.Refuse(fault.NotFound, "grant_unknown", "There is no such connection.", "Look at the list again.")
		} else if err != nil {
			return err
		}
		if g.State == outcome && g.By == by.ID {
			after = g
			return nil
		}
		settled, may := Settle(g, outcome, by.ID, now)
		if !may {
			return fault.Refuse(fault.Conflict, "state_conflict", "This connection waits for nobody, or cannot end like that.", "Look at the list again.")
		}
		settled.Rev++
		if err := s.record(batch, g, &settled, now, record.Subject{Type: "actor", C: actor.C}); err != nil {
			return err
		}
		after = settled
		return tx.Put(Grants, id, settled)
	})
	return after, err
}

// remind tells people again of a task that is overdue, and records that it is.
func (s *Service) remind(ctx context.Context, g Grant, now time.Time) error {
	after := g
	after.Next = now.Add(TaskTime).UnixMicro()
	m, err := s.mail(ctx, &after, private{}, now)
	if err != nil {
		return err
	}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var there Grant
		if err := tx.Get(Grants, g.ID, &there); err != nil {
			return err
		}
		if there.Rev != g.Rev {
			return nil
		}
		written := after
		written.Rev++
		if err := s.finding(batch, &written, now); err != nil {
			return err
		}
		if err := m.Put(batch); err != nil {
			return err
		}
		return tx.Put(Grants, g.ID, written)
	})
}
