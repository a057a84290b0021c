package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Work does what is due, until the time is over: takes connections out of the product, asks providers, reminds people. It
// may run at any time and in several places at once. One connection that cannot be handled stops no other; its error is
// returned.
func (s *Service) Work(ctx context.Context, now, until time.Time, clock func() time.Time) error {
	if s.Eraser == nil || s.Revoke == nil || s.Messages == nil {
		return fault.New(fault.Misconfigured, "ending connections: stores that erase, a way to providers and the key of messages are all needed")
	}
	// All are out of the product before the first provider is asked: none counts as alive that ends with the others.
	return errors.Join(
		s.each(ctx, Pending, now, until, clock, s.disable),
		s.each(ctx, Disabled, now, until, clock, s.revoke),
		s.each(ctx, Manual, now, until, clock, s.remind),
	)
}

// each calls do with every connection in a state that is due.
func (s *Service) each(ctx context.Context, state State, now, until time.Time, clock func() time.Time, do func(ctx context.Context, g Grant, now time.Time) error) error {
	q := store.Query{Collection: Grants, Equal: []store.Field{{Name: "state", Value: string(state)}}, Range: &store.Range{Name: "next", To: now.UnixMicro() + 1}, Limit: page}
	var errs []error
	for {
		due, err := store.Find[Grant](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, g := range due {
			if clock().After(until) {
				return errors.Join(errs...)
			}
			if err := do(ctx, g, now); err != nil {
				errs = append(errs, fmt.Errorf("a connection with %s that is %s: %w", g.Provider, state, err))
			}
		}
		if len(due) < page {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// disable takes a connection out of the product.
func (s *Service) disable(ctx context.Context, g Grant, now time.Time) error {
	var p private
	if err := s.box().Open(ctx, g.ID, g.Private, &p); err != nil {
		return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
	}
	if s.Wanted != nil && g.Request != "" {
		wanted, err := s.Wanted(ctx, g.Request, g.Entry)
		if err != nil {
			return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
		}
		if !wanted {
			return s.drop(ctx, g)
		}
	}
	eraser, err := s.Eraser(ctx, p.Store)
	if err != nil {
		return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
	}
	results, err := eraser.Erase(ctx, p.Query, []erasure.Item{p.Item})
	if err == nil && len(results) != 1 {
		err = fault.New(fault.Invalid, "taking a connection out of the product: the store did not say what became of it")
	}
	if err != nil {
		return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
	}
	switch results[0].Outcome {
	case erasure.OutcomeErased, erasure.OutcomeGone:
		return s.change(ctx, g, Disable(g, "", now), now)
	case erasure.OutcomeHeld:
		return s.change(ctx, g, Disable(g, "held", now), now) // its store keeps it: what it holds becomes worthless
	case erasure.OutcomeForeign:
		return s.conclude(ctx, g, p, Answer{Result: Refused, Why: "foreign"}, now, nil)
	case erasure.OutcomeChanged:
		return s.again(ctx, g, p, now)
	}
	return s.conclude(ctx, g, p, Answer{Result: Later}, now, nil)
}

// drop lets go of a connection that nobody wants ended any more: nothing of it was touched, and nothing is kept. Whoever
// wants it ended later finds it where it is.
func (s *Service) drop(ctx context.Context, g Grant) error {
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		var now Grant
		switch err := tx.Get(Grants, g.ID, &now); {
		case fault.Is(err, fault.NotFound) || err == nil && now.State != Pending:
			return nil
		case err != nil:
			return err
		}
		return tx.Delete(Grants, g.ID)
	})
}

// again finds a connection that was written since it was found: its token may be another now.
func (s *Service) again(ctx context.Context, g Grant, p private, now time.Time) error {
	eraser, err := s.Eraser(ctx, p.Store)
	if err != nil {
		return err
	}
	for cursor := ""; ; {
		found, err := eraser.Find(ctx, p.Query, cursor, erasure.MaxPage)
		if err != nil {
			return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
		}
		for _, i := range found.Items {
			if i.Ref != p.Item.Ref {
				continue
			}
			return s.renew(ctx, g, p, i, now)
		}
		if cursor = found.Next; cursor == "" {
			return s.change(ctx, g, Disable(g, "", now), now) // nobody has it any more
		}
	}
}

// renew keeps a connection as it is now.
func (s *Service) renew(ctx context.Context, g Grant, p private, i erasure.Item, now time.Time) (err error) {
	if e, known := s.Map.Entry(g.Entry); known && e.Grants != nil && i.Shown[e.Grants.Token] != "" {
		p.Token.Value, p.Account = i.Shown[e.Grants.Token], i.Shown[e.Grants.Account]
		if e.Grants.Vault != "" {
			if p.Token.Value, p.Secret, err = s.secret(ctx, e.Grants.Vault, p.Token.Value); err != nil {
				return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
			}
		}
	}
	p.Item, p.Item.Shown = i, nil
	after := Decide(g, Answer{Result: Later}, now) // what is written all the time is not tried all the time
	if !after.State.machine() {
		return s.forget(ctx, g, after, p, now)
	}
	if after.Private, err = s.box().Seal(ctx, g.ID, p); err != nil {
		return err
	}
	if g.Tries == 0 {
		after.Next = now.UnixMicro()
	}
	return s.change(ctx, g, after, now)
}

// revoke asks the provider to end a connection.
func (s *Service) revoke(ctx context.Context, g Grant, now time.Time) error {
	var p private
	if err := s.box().Open(ctx, g.ID, g.Private, &p); err != nil {
		return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
	}
	provider, known := s.Map.Provider(g.Provider)
	switch {
	case g.Said != "":
		return s.conclude(ctx, g, p, Answer{Result: g.Said}, now, nil)
	case !known:
		return s.conclude(ctx, g, p, Answer{Result: Refused, Why: "unlisted"}, now, nil)
	case provider.By == datamap.ByHand:
		return s.conclude(ctx, g, p, Answer{Result: NoWay}, now, nil)
	case p.Token.Value == "":
		return s.conclude(ctx, g, p, Answer{Result: Refused, Why: "no_token"}, now, nil)
	case provider.By.Whole():
		alive, dark, err := s.alive(ctx, provider, p)
		switch {
		case err != nil:
			return s.conclude(ctx, g, p, Answer{Result: Later}, now, err)
		case alive == 0 && dark:
			return s.conclude(ctx, g, p, Answer{Result: Refused, Why: "region"}, now, nil)
		}
		if spared, yes := Spare(g, alive, now); yes {
			return s.forget(ctx, g, spared, p, now)
		}
	}
	answer, err := s.Revoke(ctx, provider, p.Token)
	if err != nil {
		answer = Answer{Result: Later}
	}
	return s.conclude(ctx, g, p, answer, now, err)
}

// alive counts the connections of whatever tenant with the same account. Without an account nobody can tell, nor of those kept in
// another region: dark says that there may be some.
func (s *Service) alive(ctx context.Context, provider datamap.Provider, p private) (alive int, dark bool, err error) {
	if p.Account == "" {
		return 1, false, nil
	}
	for _, search := range s.Map.Alike(provider.ID, p.Account) {
		if s.Map.Away(search.Region) {
			dark = true
			continue
		}
		reader, err := s.Eraser(ctx, search.Store)
		if err != nil {
			return 0, false, err
		}
		found, err := reader.Find(ctx, search.Query, "", erasure.MaxPage)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return 0, false, err
		}
		others := slices.DeleteFunc(found.Items, func(i erasure.Item) bool { return i.Ref == p.Item.Ref }) // ours, where its store holds it
		alive += len(others)
		if found.Next != "" {
			alive++
		}
	}
	return alive, dark, nil
}

// conclude writes what an answer makes of a connection. why is an error of ours on the way to it, and returned.
func (s *Service) conclude(ctx context.Context, g Grant, p private, a Answer, now time.Time, why error) error {
	after := Decide(g, a, now)
	if after.State.machine() {
		return errors.Join(why, s.change(ctx, g, after, now))
	}
	return errors.Join(why, s.forget(ctx, g, after, p, now))
}

// forget ends a connection, or hands it to a person, and destroys the secret it had. While that fails nothing else is said:
// the answer is kept and nobody asked again.
func (s *Service) forget(ctx context.Context, before, after Grant, p private, now time.Time) error {
	if p.Secret != "" && s.Secrets != nil {
		if err := s.Secrets.Destroy(ctx, p.Secret); err != nil && before.State == Disabled && now.Before(before.Since.Add(KeepToken)) {
			wait := Decide(before, Answer{Result: Later}, now)
			if wait.State == Disabled {
				wait.Said = said(after)
				return errors.Join(err, s.change(ctx, before, wait, now))
			}
		} else if err != nil {
			after.Why = "secret_left"
		}
	}
	if after.State != Manual {
		return s.change(ctx, before, after, now)
	}
	m, err := s.mail(ctx, &after, p, now)
	if err != nil {
		return err
	}
	return s.change(ctx, before, after, now, m.Put)
}

// said is the answer that leads to an end, as far as asking for it again would give another.
func said(after Grant) Result {
	switch after.State {
	case Revoked:
		return Confirmed
	case Gone:
		return Unknown
	}
	return ""
}
