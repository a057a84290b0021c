package request

import (
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Identify looks for the address on file of a request that waits for it, and sends the link that proves the identity there.
// It is for the account that searches. Whatever it finds, the request goes on alike. One that has been looked up changes
// nothing; so does one for an address that got as many links today as it may: it is tried again.
func (s *Service) Identify(ctx context.Context, id string, now time.Time) error {
	r, err := s.request(ctx, id)
	if err != nil || r.State != Received {
		return err
	}
	private, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	if s.Directory == nil {
		return fault.New(fault.Misconfigured, "looking up who asked: there is no directory")
	}
	given := private.value(email)
	var known bool
	if given != "" {
		var address string
		if known, address, err = s.Directory.OnFile(ctx, r.Tenant, given); err != nil {
			return fault.New(kindOr(err, fault.Transient), "looking up who asked: %s", kindOr(err, fault.Transient)) // its text may name her
		}
		if known = known && address != ""; known {
			private = private.knownAs(address)
		}
	}
	e := Event{What: Looked, Known: known}
	if e.Private, err = s.seal(ctx, r.ID, private); err != nil {
		return err
	}
	return s.link(ctx, r.ID, e, private, given, now)
}

// link sends a link, unless the address got enough of them today: nobody shall be buried in letters.
func (s *Service) link(ctx context.Context, id string, e Event, private Private, given string, now time.Time) error {
	token, err := s.random(secretBytes)
	if err != nil {
		return err
	}
	e.Link = &Link{Hash: hashed(token), Until: now.Add(LinkLife)}
	_, err = s.change(ctx, id, now, "", func(t *turn) (Event, error) {
		if wait, err := t.count(s.mark("links", t.before.Tenant, strings.ToLower(given)), MaxLinks); err != nil || wait > 0 {
			return Event{}, err
		}
		if e.Private != nil {
			t.private = private
		}
		t.token = token
		return e, nil
	})
	return err
}

func kindOr(err error, other fault.Kind) fault.Kind {
	if kind := fault.KindOf(err); kind != "" {
		return kind
	}
	return other
}

// Renew sends another link, for whoever holds the request's secret. It says nothing about whether there was one to send.
func (s *Service) Renew(ctx context.Context, number, secret string, now time.Time) error {
	r, _, err := s.shown(ctx, number, secret)
	if err != nil || r.State != IdentityPending {
		return err
	}
	private, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	given := private.value(email)
	return s.link(ctx, r.ID, Event{What: Renewed}, private, given, now)
}

// byNumber finds a request as people name it.
func (s *Service) byNumber(ctx context.Context, number string) (Request, error) {
	number = typed(number)
	if !isID(number) {
		return Request{}, unknown()
	}
	found, err := store.Find[Request](s.Store.Query(ctx, store.Query{Collection: Requests, Equal: []store.Field{{Name: "number", Value: number}}, Limit: 1}))
	if err != nil {
		return Request{}, err
	}
	if len(found) == 0 {
		return Request{}, unknown()
	}
	return found[0], nil
}

// shown finds a request for whoever holds its secret, or the code of its newest link. A wrong one and a wrong number are
// one answer. hers reports whether it is certainly the person who looks: whoever asked for a person on the public page is
// not she until she has proved it, and then it is the code from her mail that tells them apart.
func (s *Service) shown(ctx context.Context, number, secret string) (r Request, hers bool, err error) {
	r, err = s.byNumber(ctx, number)
	secret = typed(secret)
	hers = holds(r.Used, secret) || r.Link != nil && holds(r.Link.Hash, secret)
	asked := holds(r.Secret, secret)
	if err == nil && !hers && !asked {
		err = unknown()
	}
	if err != nil {
		return Request{}, false, err
	}
	return r, hers || r.Proof != ByLink, nil
}

// Confirm takes the code of a link. Codes: token_invalid (also for a number there is none of), token_used.
func (s *Service) Confirm(ctx context.Context, number, code string, now time.Time) (View, error) {
	r, err := s.byNumber(ctx, number)
	if fault.Is(err, fault.NotFound) {
		return View{}, tokenInvalid()
	} else if err != nil {
		return View{}, err
	}
	token, wrong := typed(code), false
	r, err = s.change(ctx, r.ID, now, "", func(t *turn) (Event, error) {
		wrong = false
		b := t.before
		switch {
		case holds(b.Used, token):
			return Event{}, fault.Refuse(fault.Conflict, "token_used", "This was confirmed already.", "Look at the state of your request.")
		case b.Link == nil || !holds(b.Link.Hash, token) || b.State != IdentityPending:
			wrong = true
			return Event{What: Mistried}, nil
		}
		e, err := t.prove(b, Event{Proof: ByLink}, t.private.verified(ByLink))
		if err != nil {
			return e, err
		}
		if t.other == nil {
			return e, nil
		}
		// The other request changes in the same transaction, after all that is read here.
		t.writes = append(t.writes, func() error { return t.join(b) })
		return e, nil
	})
	if err != nil {
		return View{}, err
	}
	if wrong {
		return View{}, tokenInvalid()
	}
	return s.view(ctx, r, true)
}

// Cancel takes a request back: of a linked request the one that counts. Once the person has proved to be it, only the code
// from her mail does so. Codes: request_unknown, state_conflict, too_late.
func (s *Service) Cancel(ctx context.Context, number, secret string, now time.Time) (View, error) {
	r, hers, err := s.shown(ctx, number, secret)
	if err == nil && !hers {
		err = unknown()
	}
	if err != nil {
		return View{}, err
	}
	id := r.ID
	if r.Of != "" {
		id = r.Of
	}
	if r, err = s.change(ctx, id, now, "", func(*turn) (Event, error) { return Event{What: Withdraw}, nil }); err != nil {
		return View{}, err
	}
	return s.view(ctx, r, true)
}
