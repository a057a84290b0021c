package request

import (
	"context"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// gatherAtOnce is how many requests one query of gather reads.
const gatherAtOnce = 50

// waiting returns requests that wait for a proof by an address.
func (s *Service) waiting(ctx context.Context, address string, after *store.Cursor, most int) ([]Request, error) {
	if address == "" {
		return nil, nil
	}
	return store.Find[Request](s.Store.Query(ctx, store.Query{Collection: Requests, Equal: []store.Field{{Name: "address", Value: address}}, After: after, Limit: most}))
}

// gather links the other requests that wait for the address of a proved one to the one that counts: the same letter proves
// them. It may be called again, and ends what a death cut off.
func (s *Service) gather(ctx context.Context, proved Request, now time.Time) error {
	first := proved.ID
	if proved.Of != "" {
		first = proved.Of
	}
	for after := (*store.Cursor)(nil); ; {
		all, err := s.waiting(ctx, proved.Gather, after, gatherAtOnce)
		if err != nil {
			return err
		}
		for _, one := range all {
			if err := s.follow(ctx, one.ID, first, proved, now); err != nil {
				return err
			}
		}
		if len(all) < gatherAtOnce {
			break
		}
		after = &store.Cursor{ID: all[len(all)-1].ID}
	}
	_, err := s.engine(ctx, proved.ID, Event{What: Gathered}, now)
	return err
}

func (s *Service) follow(ctx context.Context, id, first string, proved Request, now time.Time) error {
	_, err := s.change(ctx, id, now, "", func(t *turn) (Event, error) {
		b := t.before
		if b.Address != proved.Gather || b.State != IdentityPending {
			return Event{}, nil
		}
		var other Request
		if err := t.tx.Get(Requests, first, &other); err == nil {
			t.other = &other
			t.united = &union{of: first, was: other.Private} // it went to the same address: there is nothing new in it
			t.writes = append(t.writes, func() error { return t.join(b) })
		} else if !fault.Is(err, fault.NotFound) {
			return Event{}, err
		}
		return Event{What: Duplicated, Proof: ByLink, Used: proved.Used, Of: first, Quiet: true}, nil
	})
	return err
}

// union is what the request that counts knows when another one has joined it. It is sealed before the transaction, for
// nothing in there may wait for the key service.
type union struct {
	of      string         // the request that counts
	was, is *seal.Envelope // is: nil where the other one adds nothing
	marks   []string
	doubts  []Doubt
	full    bool // there is no room for what the other one adds: it counts for itself
}

// unite seals what the request that counts for the person would know if this one joined it.
func (t *turn) unite(ctx context.Context, proof Proof) (err error) {
	s, proved := t.s, t.private.verified(proof)
	t.united = nil
	for _, mark := range append(s.marks(t.before, proved), s.formerMarks(t.before, proved)...) {
		var c claim
		if err := s.Store.Get(ctx, claims, mark, &c); fault.Is(err, fault.NotFound) || err == nil && c.Request == t.before.ID {
			continue
		} else if err != nil {
			return err
		}
		other, err := s.request(ctx, c.Request)
		if fault.Is(err, fault.NotFound) || err == nil && !other.counts() {
			continue
		} else if err != nil {
			return err
		}
		t.united, err = s.with(ctx, other, proved)
		return err
	}
	return nil
}

// with seals what a request knows together with what another one has proved.
func (s *Service) with(ctx context.Context, other Request, proved []Identifier) (*union, error) {
	u := &union{of: other.ID, was: other.Private}
	known, err := s.open(ctx, other)
	if err != nil {
		return nil, err
	}
	var added []Identifier
	for _, one := range proved {
		if !known.has(one) {
			known.Identifiers, added = append(known.Identifiers, one), append(added, one)
		}
	}
	if u.full = len(known.Identifiers) > maxUnited; u.full {
		return u, nil
	}
	if len(added) == 0 || other.Private == nil {
		return u, nil
	}
	u.marks, u.doubts = s.marks(other, known.verified(other.Proof)), s.doubts(other, added)
	u.is, err = s.seal(ctx, other.ID, known)
	return u, err
}

// counts reports whether a request stands for a person's later ones: it is neither over nor has it erased, as what is asked
// afterwards may be asked by somebody who came later.
func (r Request) counts() bool {
	return !r.State.Answered() && r.State != Forwarding && r.Closed.IsZero() && r.Executed.IsZero()
}
