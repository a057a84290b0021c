package pair

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"time"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// TicketLife is how long a registration waits for the address of the other family.
const TicketLife = time.Minute

// ticket is one registration that waits. Its id is the hash of its token.
type ticket struct {
	V       int          `json:"v"`
	Person  string       `json:"person"`
	Lease   string       `json:"lease"`
	Prefix  netip.Prefix `json:"prefix"` // that was registered
	Family  lease.Family `json:"family"` // that is missing
	Nonce   string       `json:"nonce"`
	Joined  netip.Prefix `json:"joined,omitzero"` // once it was used
	Until   int64        `json:"until"`           // unix microseconds
	Expires time.Time    `json:"expires"`
}

// Ticket is what a page needs to bring the address of the other family.
type Ticket struct {
	Token  string       // 256 bits
	Prefix netip.Prefix // of the registration: whoever shows it comes from there
	Family lease.Family // that is missing
	Until  time.Time
}

// Issue returns what a registration writes with its lease: the ticket for the other family of the same device.
func (s *Service) Issue(now time.Time) (func(tx store.Tx, l lease.Lease) error, error) {
	nonce, err := s.nonce()
	if err != nil {
		return nil, err
	}
	token, err := s.token(nonce)
	if err != nil {
		return nil, err
	}
	return func(tx store.Tx, l lease.Lease) error {
		missing := lease.IPv4
		if l.Family == lease.IPv4 {
			missing = lease.IPv6
		}
		until := now.Add(TicketLife)
		return tx.Create(pairings, hashed(token), ticket{V: 1, Person: l.Person, Lease: l.ID, Prefix: l.Prefix, Family: missing,
			Nonce: nonce, Until: until.UnixMicro(), Expires: until})
	}, nil
}

func (s *Service) token(nonce string) (string, error) {
	secret, err := s.secret("token", nonce)
	return base64.RawURLEncoding.EncodeToString(secret), err
}

// hashed is what is stored of a token.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Waiting returns the tickets of a person that nobody has used.
func (s *Service) Waiting(ctx context.Context, person string, now time.Time) ([]Ticket, error) {
	found, err := open[ticket](s.query(ctx), pairings, person, now)
	if err != nil {
		return nil, err
	}
	var waiting []Ticket
	for _, t := range found {
		if t.Joined.IsValid() {
			continue
		}
		token, err := s.token(t.Nonce)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, Ticket{Token: token, Prefix: t.Prefix, Family: t.Family, Until: time.UnixMicro(t.Until)})
	}
	return waiting, nil
}

// Redeem gives the device that shows a token the address it comes from now, once. A token that is unknown, expired or
// used, whose registration has ended, or that comes over the family it was made over, is one thing to the caller: NotFound
// with code "pair_unknown". Shown again from the same place within its life, it gives the same lease and writes nothing.
// Other codes: address_refused, address_unknown, capacity_full. request is the server's own id of the request.
func (s *Service) Redeem(ctx context.Context, token string, from netip.Addr, request string, now time.Time) (lease.Lease, error) {
	id := hashed(token)
	prefix, _ := address.Of(from)
	var t ticket
	l, err := s.Leases.Join(ctx, lease.Joining{
		Address: from, ID: request,
		Read: func(tx store.Tx) (person, of string, err error) {
			t = ticket{}
			if err := tx.Get(pairings, id, &t); err != nil {
				return "", "", err
			}
			used := t.Joined.IsValid() && t.Joined != prefix
			if used || prefix.IsValid() && lease.FamilyOf(prefix) != t.Family {
				return "", "", fault.New(fault.NotFound, "pairing: the token was used, or came over the family it was made over")
			}
			return t.Person, t.Lease, nil
		},
		Joined: func(tx store.Tx, l lease.Lease, fresh bool) error {
			switch {
			case !t.Joined.IsValid():
				t.Joined = l.Prefix
				return tx.Put(pairings, id, t)
			case fresh: // what it gave is over, and it gives nothing twice
				return fault.New(fault.NotFound, "pairing: the token was used")
			}
			return nil
		},
	}, now)
	if fault.Is(err, fault.NotFound) {
		return lease.Lease{}, fault.Refuse(fault.NotFound, "pair_unknown", "There is no registration that waits for this address.",
			"Open the page again; a new code starts a new minute.")
	}
	return l, err
}
