package request

import (
	"cmp"
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Identify looks for the address on file of a request that waits for it, and sends the link that proves the identity there;
// or it sends another one that was asked for. Where an administrator asked it tells the person so; of one whose address nobody
// has a person decides whether to go on. It is for the account that searches. Whatever it finds, the request goes on
// alike else. To an address that has just got a letter none goes: the one it has is good for this request too.
func (s *Service) Identify(ctx context.Context, id string, now time.Time) error {
	r, err := s.request(ctx, id)
	if err != nil || r.State != Received && !r.Renew && !r.Tell || r.queues(now) {
		return err
	}
	if r.State != Received && !r.Tell {
		return s.post(ctx, r.ID, Event{What: Looked}, Private{}, now)
	}
	private, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	if s.Directory == nil {
		return fault.New(fault.Misconfigured, "looking up who asked: there is no directory")
	}
	given := private.value(email)
	if r.Tell && !private.has(Identifier{Kind: email, Value: given}) {
		given = "" // whoever speaks for her has named her by an id, and this may be another's
	}
	var known, held, unsure bool
	if given != "" {
		var address string
		if known, address, err = s.Directory.OnFile(ctx, r.Tenant, given); err != nil {
			return fault.New(kindOf(err), "looking up who asked: %s", kindOf(err)) // its text may name her
		}
		if known = known && address != ""; !known && !r.Tell && r.Kind == Person {
			if held, address, err = s.Directory.HeldFor(ctx, r.Tenant, given); err != nil && !r.lasting(err, now) {
				return fault.New(kindOf(err), "looking up who asked: %s", kindOf(err)) // its text may name her
			}
			unsure = err != nil
			known = held && address != ""
		}
		switch {
		case known && r.Tell:
			private.OnFile = address // what to search for whoever speaks for her has said
		case known:
			private = private.knownAs(address)
		}
	}
	if r.Tell && !known {
		if known, private.OnFile, err = s.addressOf(ctx, r.Tenant, private); err != nil {
			return err
		}
	}
	e := Event{What: Looked, Known: known, Elsewhere: known && held, Unsure: unsure, Unsearched: private.unsearched(r.Proof)}
	if e.Private, err = s.seal(ctx, r.ID, private); err != nil {
		return err
	}
	if r.Tell {
		_, err = s.change(ctx, r.ID, now, "", func(t *turn) (Event, error) {
			if !t.before.Tell || !sameEnvelope(t.before.Private, r.Private) {
				return Event{}, nil // what it was joined with asks for it again
			}
			t.private = private
			return e, nil
		})
		return err
	}
	if given != "" {
		e.Address = s.mark("address", string(r.Kind), r.Tenant, strings.ToLower(cmp.Or(private.OnFile, given)))
	}
	return s.post(ctx, r.ID, e, private, now)
}

// lasting reports whether a store of a tenant's data will not say soon whether it has somebody. Her request goes on as that of
// one whom nobody knows: it would be told from others by the time it takes else, and nobody would look at it.
func (r Request) lasting(err error, now time.Time) bool {
	if kind := fault.KindOf(err); kind == fault.Denied || kind == fault.Misconfigured || kind == fault.Invalid || kind == fault.NotFound {
		return true
	}
	since := r.Entered
	if r.Paced.After(since) {
		since = r.Paced
	}
	return now.Sub(since) >= Unheard
}

// addressOf looks for the address on file by whatever else is known of a person somebody speaks for.
func (s *Service) addressOf(ctx context.Context, tenant string, private Private) (known bool, address string, err error) {
	for _, one := range private.Identifiers {
		if one.Kind == email || !one.Verified || one.Format != "" {
			continue
		}
		known, address, err = s.Directory.AddressOf(ctx, tenant, one)
		if err != nil {
			return false, "", fault.New(kindOf(err), "looking up whom to tell: %s", kindOf(err)) // its text may name her
		}
		if known && address != "" {
			return true, address, nil
		}
	}
	return false, "", nil
}

// kindOf is the kind of an error, Transient for one that nobody classified.
func kindOf(err error) fault.Kind {
	if kind := fault.KindOf(err); kind != "" {
		return kind
	}
	return fault.Transient
}

// Renew has another letter with a link sent, for whoever holds the request's secret. It says nothing about whether there is
// somebody to send it to, nor whether one has just gone out.
func (s *Service) Renew(ctx context.Context, number, secret string, now time.Time) error {
	r, _, err := s.shown(ctx, number, secret)
	if err != nil || r.State != IdentityPending {
		return err
	}
	_, err = s.change(ctx, r.ID, now, "", func(*turn) (Event, error) { return Event{What: Renewed}, nil })
	return err
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

// named finds the request that number stands for, its own or that of a link whose code it comes with, and the link.
func (s *Service) named(ctx context.Context, number, code string) (r Request, l link, err error) {
	if err := s.Store.Get(ctx, links, hashed(code), &l); err != nil && !fault.Is(err, fault.NotFound) {
		return r, l, err
	}
	r, err = s.byNumber(ctx, number)
	if fault.Is(err, fault.NotFound) && l.Number != "" && l.Number == typed(number) {
		r, err = s.request(ctx, l.Request)
	}
	return r, l, err
}

// shown finds a request for whoever holds its secret, or a code from her mail. A wrong one and a wrong number are one
// answer. hers reports whether it is certainly the person who looks: whoever asked for a person on the public page is not
// she, before the proof and after it, and it is the code from her mail that tells them apart.
func (s *Service) shown(ctx context.Context, number, secret string) (r Request, hers bool, err error) {
	secret = typed(secret)
	r, l, err := s.named(ctx, number, secret)
	if err != nil {
		return Request{}, false, err
	}
	hers = holds(r.Used, secret) || l.Address != "" && l.Address == r.Address && !l.Used
	if !hers && !holds(r.Secret, secret) {
		return Request{}, false, unknown()
	}
	return r, hers || r.Channel != Page && r.Proof != ByLink, nil
}

// Confirm takes the code of a link, with the number of a request that waits for it or the one from the letter. All requests
// that wait for the same address are proved with it; the answer is about the one that was named. Codes: token_invalid (also
// for a number there is none of), token_used.
func (s *Service) Confirm(ctx context.Context, number, code string, now time.Time) (View, error) {
	code = typed(code)
	r, l, err := s.named(ctx, number, code)
	if fault.Is(err, fault.NotFound) {
		return View{}, tokenInvalid()
	} else if err != nil {
		return View{}, err
	}
	own := r.Number == typed(number)
	if !own && r.State != IdentityPending && r.Used == "" {
		// Who asked took it back, or let it be rejected: the letter is good for the others that wait.
		waiting, err := s.waiting(ctx, l.Address, nil, 1)
		if err != nil {
			return View{}, err
		}
		for _, one := range waiting {
			r = one
		}
	}
	wrong := false
	r, err = s.changeWith(ctx, r.ID, now, "", func(t *turn) error {
		if l.Address == "" || l.Used {
			return nil // a wrong code costs the same whoever waits
		}
		return t.unite(ctx, ByLink)
	}, func(t *turn) (Event, error) {
		wrong = false
		switch b := t.before; {
		case holds(b.Used, code):
			return Event{}, tokenUsed()
		case own && b.Tries >= MaxTries:
			wrong = true
			return Event{}, nil
		}
		e, err := t.confirm(hashed(code))
		wrong = e.What == Mistried
		return e, err
	})
	switch {
	case err != nil && fault.CodeOf(err) != "token_used":
		return View{}, err
	case wrong:
		return View{}, tokenInvalid()
	}
	if r.Gather != "" {
		if err := s.gather(ctx, r, now); err != nil {
			return View{}, err
		}
	}
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r, true, now)
}

func tokenUsed() error {
	return fault.Refuse(fault.Conflict, "token_used", "This was confirmed already.", "Look at the state of your request.")
}

// confirm says what a code makes of the request: it is proved, linked to the one that counts, or the code is wrong.
func (t *turn) confirm(hash string) (Event, error) {
	var l link
	if err := t.tx.Get(links, hash, &l); err != nil && !fault.Is(err, fault.NotFound) {
		return Event{}, err
	}
	switch b := t.before; {
	case l.Request == b.ID && !b.Proved.IsZero(), l.Used && l.Address == b.Address:
		return Event{}, tokenUsed()
	case l.Address == "" || l.Address != b.Address || b.State != IdentityPending:
		return Event{What: Mistried}, nil
	}
	e, err := t.prove(t.before, Event{Proof: ByLink, Used: hash}, t.private.verified(ByLink))
	if err != nil {
		return e, err
	}
	l.Used = true
	t.later(links, hash, l)
	if t.other != nil {
		// The other request changes in the same transaction, after all that is read here.
		b := t.before
		t.writes = append(t.writes, func() error { return t.join(b) })
	}
	return e, nil
}

// Cancel takes a request back: of a linked request the one that counts. What was asked on the public page, and whatever the person
// has proved by a link, only the code from her mail takes back. Codes: request_unknown, state_conflict, too_late.
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
	return s.view(ctx, r, true, now)
}

// CloseAccount makes of the request of a last owner one to close her account with everything in it. Only the code from her
// mail, or a session's secret, does so. Codes: request_unknown, state_conflict.
func (s *Service) CloseAccount(ctx context.Context, number, secret string, now time.Time) (View, error) {
	r, hers, err := s.shown(ctx, number, secret)
	if err == nil && !hers {
		err = unknown()
	}
	if err != nil {
		return View{}, err
	}
	r, err = s.change(ctx, r.ID, now, "", func(t *turn) (Event, error) {
		b := t.before
		b.Kind, b.Requester = Account, TenantOwner
		e := Event{What: Widen, Marks: s.marks(b, t.private.verified(b.Proof))}
		for _, mark := range e.Marks {
			var c claim
			if err := t.tx.Get(claims, mark, &c); err == nil && c.Request != b.ID {
				return Event{}, fault.Refuse(fault.Conflict, "state_conflict", "There is a request to close the account already.", "Follow that one.")
			} else if err != nil && !fault.Is(err, fault.NotFound) {
				return Event{}, err
			}
			t.later(claims, mark, claim{version, b.ID})
		}
		for _, mark := range t.claims {
			t.writes = append(t.writes, func() error { return t.tx.Delete(claims, mark) })
		}
		return e, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r, true, now)
}
