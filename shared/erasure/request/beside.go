package request

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// beside are the requests of people of a tenant, not closed, in which something is held at a time, each with what is held then;
// of a request that closes no account, none.
func (s *Service) beside(ctx context.Context, of Request, now time.Time) (all []Request, err error) {
	if of.Kind != Account || !of.Closed.IsZero() {
		return nil, nil
	}
	q := store.Query{Collection: Requests, Range: &store.Range{Name: "next"}, Limit: store.MaxQueryResults}
	for {
		waiting, err := store.Find[Request](s.Store.Query(ctx, q))
		if err != nil {
			return nil, err
		}
		for _, r := range waiting {
			r.Holds = slices.DeleteFunc(r.Holds, func(h Hold) bool { return !now.Before(h.Until.End(s.Rules.Zone)) })
			if r.Tenant == of.Tenant && r.ID != of.ID && r.Kind == Person && r.Closed.IsZero() && len(r.Holds) > 0 {
				all = append(all, r)
			}
		}
		if len(waiting) < q.Limit {
			slices.SortFunc(all, func(a, b Request) int { return cmp.Compare(a.ID, b.ID) })
			return all, nil
		}
		last := waiting[len(waiting)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// besides stands for what others hold: another one when something is held, or let go, or more is known of whom. "" for nothing.
func besides(all []Request) (string, error) {
	if len(all) == 0 {
		return "", nil
	}
	type one struct {
		ID     string
		Proved bool
		Sealed []byte
		Holds  []Hold
	}
	var list []one
	for _, r := range all {
		o := one{ID: r.ID, Proved: !r.Proved.IsZero(), Holds: r.Holds}
		if r.Private != nil {
			o.Sealed = r.Private.Sealed
		}
		list = append(list, o)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "", fault.New(fault.Invalid, "telling what others hold: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Besides stands for what other requests of the tenant hold that a request, which closes the account, has to leave alone; "" for
// nothing. Whoever works by another Work.Besides stops. Code: request_unknown.
func (s *Service) Besides(ctx context.Context, id string, now time.Time) (string, error) {
	r, err := s.request(ctx, id)
	if err != nil {
		return "", err
	}
	all, err := s.beside(ctx, r, now)
	if err != nil {
		return "", err
	}
	return besides(all)
}

// HeldBeside is what other requests of the tenant hold that a request, which closes the account, leaves alone.
func (s *Service) HeldBeside(ctx context.Context, of Request, now time.Time) (holds []Hold, err error) {
	all, err := s.beside(ctx, of, now)
	for _, r := range all {
		holds = append(holds, r.Holds...)
	}
	return holds, err
}

// alongside puts into the work of closing an account what other requests hold. Of one that nobody can open no identifier is known.
func (s *Service) alongside(ctx context.Context, w *Work, of Request, now time.Time) error {
	all, err := s.beside(ctx, of, now)
	if err != nil {
		return err
	}
	if w.Besides, err = besides(all); err != nil {
		return err
	}
	for _, r := range all {
		private, err := s.open(ctx, r)
		if fault.Is(err, fault.Transient) {
			return err
		}
		one := Work{Request: r.ID, Tenant: r.Tenant, Kind: r.Kind, Requester: r.Requester, Round: r.Round, Holds: r.Holds, Executed: r.Executed, Ran: r.Ran, Global: r.herself()}
		if err == nil && !r.Proved.IsZero() {
			one.Identifiers = private.verified(r.Proof)
		}
		w.Beside = append(w.Beside, one)
	}
	return nil
}

// herself reports whether the person herself proved it.
func (r Request) herself() bool { return r.Proof == ByLink || r.Proof == BySession }

// freed reports whether what others hold is not what a request, which closed the account, left alone: it has to be looked at again.
func (s *Service) freed(ctx context.Context, r Request, now time.Time) (bool, error) {
	if !r.spares() {
		return false, nil
	}
	all, err := s.beside(ctx, r, now)
	if err != nil {
		return false, err
	}
	is, err := besides(all)
	return is != r.Outcome.Besides, err
}

// spares reports whether a request that is through waits for others to let go.
func (r Request) spares() bool {
	return r.Outcome.Besides != "" && (r.State == Retained || r.State == Partial)
}
