// Package clientproof proves, against the deployed service itself, that the address a request comes from is told right and
// cannot be forged: somebody whose address is known sends requests with every header by which proxies and programs pass
// addresses on, and the service says which address it saw.
//
// # What it promises
//
// Each place that takes addresses, a function over one family, stands by its own requests, for the declared layout of
// proxies. It is proven when the plain request was seen from the address its sender has, and none of the forged ones from
// any other; one of those may be refused, which hurts the forger alone. A later proof that finds a forged one believed takes
// the standing away. One whose plain request was seen from elsewhere says nothing of forging, and changes nothing. What was
// not sent proves nothing. The evidence counts the requests and holds no address.
//
// # What it does not do
//
// It does not find out the addresses its sender has: a person says them. It proves the ways the requests took and no other.
package clientproof

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const (
	proofs = "proofs"

	// Life is how long a proof may take.
	Life = 10 * time.Minute
	kept = 400 * 24 * time.Hour

	version = 2 // of the stored proofs
)

// Collection declares the proofs, and how the layouts stand.
func Collection() []store.Collection { return []store.Collection{{Name: proofs, Expires: true}} }

// Outcome is what the service saw of one request. It is stored, hence a string.
type Outcome string

// The outcomes.
const (
	Right   Outcome = "right"   // the sender's own address
	Wrong   Outcome = "wrong"   // another one: a forger would be let in with it, or everybody with the proxy's
	Refused Outcome = "refused" // none that could be told
)

// Case is one request of a proof.
type Case struct {
	Name    string      `json:"name"`
	Headers [][2]string `json:"headers"` // in their order; a name may be there twice
}

// Plain is the name of the request without any forged header.
const Plain = "plain"

// Cases returns the requests a proof consists of. layout is what the service declares; balancer is an address of our own
// load balancer, or the zero one.
func Cases(layout string, balancer netip.Addr) []Case {
	// Documentation addresses (RFC 5737, RFC 3849): no sender has one.
	const v4, v6 = "198.51.100.7", "2001:db8::7"
	own := v4
	if balancer.IsValid() {
		own = balancer.String()
	}
	all := []Case{
		{Plain, nil},
		{"one", [][2]string{{"X-Forwarded-For", v4}}},
		{"two", [][2]string{{"X-Forwarded-For", v4 + ", " + v4}}},
		{"lines", [][2]string{{"X-Forwarded-For", v4}, {"X-Forwarded-For", v6}, {"X-Forwarded-For", v4}}},
		{"six", [][2]string{{"X-Forwarded-For", v6}}},
		{"port", [][2]string{{"X-Forwarded-For", v4 + ":443, [" + v6 + "]:443"}}},
		{"junk", [][2]string{{"X-Forwarded-For", "unknown, , _hidden, 0x7f000001"}}},
		{"own", [][2]string{{"X-Forwarded-For", v4 + ", " + own}}},
		{"many", [][2]string{{"X-Forwarded-For", strings.TrimSuffix(strings.Repeat(v4+", ", 60), ", ")}}},
		{"forwarded", [][2]string{{"Forwarded", "for=" + v4 + `;proto=https, for="[` + v6 + `]"`}}}, // RFC 7239
		{"real-ip", [][2]string{{"X-Real-Ip", v4}}},
		{"true-client-ip", [][2]string{{"True-Client-Ip", v4}}},
		{"cf-connecting-ip", [][2]string{{"Cf-Connecting-Ip", v4}}},
		{"client-ip", [][2]string{{"Client-Ip", v4}, {"X-Client-Ip", v4}, {"X-Cluster-Client-Ip", v4}}},
	}
	if header := private(layout); header != "" {
		all = append(all, Case{"private", [][2]string{{header, v4}}}, Case{"private-twice", [][2]string{{header, v4}, {header, v6}}},
			Case{"private-both", [][2]string{{header, v4}, {"X-Forwarded-For", v4 + ", " + own}}})
	}
	var together [][2]string
	for _, c := range all {
		together = append(together, c.Headers...)
	}
	return append(all, Case{"all", together})
}

// private is the header our own proxy sets by a layout, or "".
func private(layout string) string {
	header, ok := strings.CutPrefix(layout, "header:")
	header, _, _ = strings.Cut(header, ",")
	if !ok {
		return ""
	}
	return header
}

// Spot names a place that takes addresses: a function, reached over one family.
type Spot struct {
	Function string       `json:"function"`
	Family   lease.Family `json:"family"`
}

// Proof is one proof of all places, open or ended.
type Proof struct {
	V        int        `json:"v"`
	ID       string     `json:"id"` // 80 random bits: whoever knows it takes part
	Layout   string     `json:"layout"`
	By       string     `json:"by"` // id of who runs it
	Balancer netip.Addr `json:"balancer,omitzero"`
	Places   []Place    `json:"places"`
	Began    time.Time  `json:"began"`
	Ended    time.Time  `json:"ended,omitzero"`
	Expires  time.Time  `json:"expires"`
}

// Cases are the requests to send to each place of this proof.
func (p Proof) Cases() []Case { return Cases(p.Layout, p.Balancer) }

func (p Proof) at(s Spot) int {
	return slices.IndexFunc(p.Places, func(one Place) bool { return one.Spot == s })
}

// Service keeps proofs. It is safe for concurrent use.
type Service struct {
	Store    store.Store
	Box      *outbox.Box
	Random   io.Reader
	Promises []string // ids of the promises the evidence counts for
	Policy   string   // record.Digest of the policy in force
}

// Begin opens a proof of a layout at some places by somebody whose own addresses are from, at most one of each family. Invalid
// with code address_refused, or address_unknown: nobody can come from such an address.
func (s *Service) Begin(ctx context.Context, by, layout string, spots []Spot, from []netip.Addr, balancer netip.Addr, now time.Time) (Proof, error) {
	own := map[lease.Family]netip.Addr{}
	for _, addr := range from {
		prefix, err := address.Prefix(addr)
		if err != nil {
			return Proof{}, err
		}
		family := lease.FamilyOf(prefix)
		if own[family].IsValid() {
			return Proof{}, fault.New(fault.Invalid, "beginning a proof: two addresses of %s", family)
		}
		own[family] = addr.Unmap()
	}
	var b [10]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return Proof{}, fault.New(fault.Transient, "naming a proof: %w", err)
	}
	p := Proof{V: version, ID: hex.EncodeToString(b[:]), Layout: layout, By: by, Balancer: balancer, Began: now, Expires: now.Add(kept)}
	for _, spot := range spots {
		p.Places = append(p.Places, Place{Spot: spot, From: own[spot.Family], Seen: map[string]Outcome{}})
	}
	return p, s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(proofs, "p-"+p.ID, p) })
}

// edit changes an open proof that is the caller's.
func (s *Service) edit(ctx context.Context, id string, own func(Proof) bool, now time.Time, fn func(p *Proof, tx store.Tx, b *outbox.Batch) error) (Proof, error) {
	var p Proof
	err := s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		p = Proof{}
		err := tx.Get(proofs, "p-"+id, &p)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading a proof: %w", err)
		}
		switch {
		case err != nil || !own(p) || now.Sub(p.Began) > Life && p.Ended.IsZero():
			return fault.Refuse(fault.NotFound, "proof_unknown", "There is no such proof of this place, or its ten minutes are over.", "Begin a new one.")
		case !p.Ended.IsZero():
			return fault.Refuse(fault.Conflict, "proof_ended", "This proof has ended.", "Begin a new one.")
		}
		if err := fn(&p, tx, b); err != nil {
			return err
		}
		return tx.Put(proofs, "p-"+id, p)
	})
	return p, err
}

// Request is one request of a proof as a place saw it.
type Request struct {
	Spot
	Layout string     // the place's own
	Case   string     // name of the case
	Seen   netip.Addr // the zero one: none could be told
}

// Saw takes in one request of by's proof. What was once seen wrong stays so. NotFound with code proof_unknown: there is no
// such proof of this person, or it is not of this place and layout. Invalid with code case_unknown: there is no such case.
func (s *Service) Saw(ctx context.Context, id, by string, r Request, now time.Time) (Outcome, error) {
	return s.saw(ctx, id, func(p Proof) bool { return p.By == by }, r, now)
}

// SawOfAny is Saw at a place that knows nobody: whoever knows the id of a proof takes part in it.
func (s *Service) SawOfAny(ctx context.Context, id string, r Request, now time.Time) (Outcome, error) {
	return s.saw(ctx, id, func(Proof) bool { return true }, r, now)
}

func (s *Service) saw(ctx context.Context, id string, own func(Proof) bool, r Request, now time.Time) (outcome Outcome, err error) {
	here := func(p Proof) bool {
		i := p.at(r.Spot)
		return own(p) && p.Layout == r.Layout && i >= 0 && p.Places[i].From.IsValid()
	}
	_, err = s.edit(ctx, id, here, now, func(p *Proof, _ store.Tx, _ *outbox.Batch) error {
		if !slices.ContainsFunc(p.Cases(), func(c Case) bool { return c.Name == r.Case }) {
			return fault.Refuse(fault.Invalid, "case_unknown", "This proof has no such case.", "Send the cases the proof began with.")
		}
		outcome = p.Places[p.at(r.Spot)].saw(r.Case, r.Seen)
		return nil
	})
	return outcome, err
}

// End judges each place of by's proof to which anything was sent; by it the place stands or falls. Conflict with code
// proof_incomplete: some requests to such a place did not arrive, or none at all.
func (s *Service) End(ctx context.Context, id, by string, now time.Time) (Proof, error) {
	return s.edit(ctx, id, func(p Proof) bool { return p.By == by }, now, func(p *Proof, tx store.Tx, b *outbox.Batch) error {
		if missing := p.missing(); len(missing) > 0 {
			return fault.Refuse(fault.Conflict, "proof_incomplete", "Some requests of this proof did not arrive: "+strings.Join(missing, ", ")+".", "Send them, then end it; or begin a new one.")
		}
		p.Ended = now
		for i := range p.Places {
			place := &p.Places[i]
			if len(place.Seen) == 0 {
				continue
			}
			place.judge()
			if err := s.stand(*p, *place, tx); err != nil {
				return err
			}
			if err := s.record(*p, *place, b); err != nil {
				return err
			}
		}
		return nil
	})
}

// missing names what was not sent of what was begun to be.
func (p Proof) missing() (names []string) {
	begun := false
	for _, place := range p.Places {
		if begun = begun || len(place.Seen) > 0; len(place.Seen) == 0 {
			continue
		}
		for _, c := range p.Cases() {
			if _, seen := place.Seen[c.Name]; !seen {
				names = append(names, place.Function+" "+string(place.Family)+" "+c.Name)
			}
		}
	}
	if !begun {
		names = []string{"all of them"}
	}
	return names
}
