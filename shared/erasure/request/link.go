package request

import (
	"cmp"
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// link is what proves an identity: 256 random bits that went to the address on file. It proves every request that waits
// for that address, so that none can be put in another's way.
type link struct {
	V       int       `json:"v"`
	Number  string    `json:"number"` // random: stands in the letter where somebody else may know the request's
	Address string    `json:"address"`
	Request string    `json:"request"` // for which it went out
	Used    bool      `json:"used,omitempty"`
	Expires time.Time `json:"expires"`
}

// posted is how many letters an address got within a day, about whatever, or about one kind of request of one tenant.
type posted struct {
	V       int       `json:"v"`
	Links   int       `json:"links"`
	Last    time.Time `json:"last,omitzero"` // of those with a link
	Told    time.Time `json:"told,omitzero"` // that it was not proved
	Expires time.Time `json:"expires"`
}

// mayLink reports whether a letter with a link may go out.
func (p posted) mayLink(now time.Time) bool {
	every := LinkEvery
	if p.Links >= MaxLinks {
		every = LinkRarely
	}
	return p.Links == 0 || !now.Before(p.Last.Add(every))
}

// pace is how many letters an address got: about one kind of request of one tenant, and about all of them. The first of a day
// about each goes out whatever went before, as no other one proves it; after that all of them together are few.
type pace struct {
	of, all     string // marks
	about, ever posted
}

// pace reads how many letters went to whoever a request waits for.
func (t *turn) pace(address string) (p pace, err error) {
	p.of, p.all = t.s.mark("letters", address), t.s.mark("letters to", strings.ToLower(cmp.Or(t.private.OnFile, t.private.value(email))))
	for id, into := range map[string]*posted{p.of: &p.about, p.all: &p.ever} {
		if err = t.tx.Get(asks, id, into); fault.Is(err, fault.NotFound) {
			*into, err = posted{V: version, Expires: t.now.Add(24 * time.Hour)}, nil
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p pace) mayLink(now time.Time) bool {
	return p.about.Links == 0 || p.about.mayLink(now) && p.ever.mayLink(now)
}

// linked counts a letter with a link.
func (p pace) linked(now time.Time) pace {
	p.about.Links, p.about.Last = p.about.Links+1, now
	p.ever.Links, p.ever.Last = p.ever.Links+1, now
	return p
}

func (t *turn) putPace(p pace) {
	t.later(asks, p.of, p.about)
	t.later(asks, p.all, p.ever)
}

// post lets a letter with a link go out, unless the address has one that is new: nobody shall be buried in letters.
func (s *Service) post(ctx context.Context, id string, e Event, private Private, now time.Time) error {
	token, err := s.random(secretBytes)
	if err != nil {
		return err
	}
	number, err := s.random(numberBytes)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, id, now, "", func(t *turn) (Event, error) {
		address, p := t.before.Address, t.mail
		if e.Private != nil {
			t.private, address = private, e.Address
			if p, err = t.pace(address); err != nil {
				return Event{}, err
			}
		}
		if e.Send = address != "" && p.mayLink(now); !e.Send {
			return e, nil
		}
		e.Send, t.token, t.number, t.until = true, token, number, now.Add(LinkLife)
		t.putPace(p.linked(now))
		t.later(links, hashed(token), link{version, number, address, id, false, t.until})
		return e, nil
	})
	return err
}
