package request

import (
	"context"
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

// posted is how many letters an address got within a day.
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

// posted reads how many letters an address got.
func (t *turn) posted(address string) (p posted, err error) {
	if err = t.tx.Get(asks, t.s.mark("letters", address), &p); fault.Is(err, fault.NotFound) {
		return posted{V: version, Expires: t.now.Add(24 * time.Hour)}, nil
	}
	return p, err
}

func (t *turn) putPosted(address string, p posted) { t.later(asks, t.s.mark("letters", address), p) }

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
			if p, err = t.posted(address); err != nil {
				return Event{}, err
			}
		}
		if e.Send = address != "" && p.mayLink(now); !e.Send {
			return e, nil
		}
		e.Send, t.token, t.number, t.until = true, token, number, now.Add(LinkLife)
		p.Links, p.Last = p.Links+1, now
		t.putPosted(address, p)
		t.later(links, hashed(token), link{version, number, address, id, false, t.until})
		return e, nil
	})
	return err
}
