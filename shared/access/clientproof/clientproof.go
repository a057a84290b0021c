// Package clientproof proves, against the deployed service itself, that the address a request comes from is told right and
// cannot be forged: somebody whose address is known sends requests with every header by which proxies and programs pass
// addresses on, and the service says which address it saw.
//
// # What it promises
//
// Each place that takes addresses, a function over one family, stands by its own requests, for the declared layout of
// proxies. It is proven when the plain request was seen from the address its sender has, and none of the forged ones from
// any other. One of those may be refused, here or by whatever stands in front, which hurts the forger alone: what is refused
// is not believed. But what was refused in front shows nothing of what the service believes, and a firewall that turns away the
// addresses of some forgeries lets others through: of each header that the layout reads, one forged request that names an
// address must have arrived. A later proof that finds a forged one believed takes the standing away, and so does one that was seen
// from an address that no sender has: one made up in its headers, or one of our own entrance. That is so whatever the
// person said of her own address. One whose plain request was seen from elsewhere says nothing of forging, and changes
// nothing. What was not sent proves nothing, there and nowhere else. The evidence counts the requests and holds no address.
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
	kept = 400 * 24 * time.Hour // how a place stands; whom a proof was from and by whom goes sooner
	gone = 24 * time.Hour       // a proof itself: it holds the addresses of a person

	version = 3 // of the stored proofs
)

// Collection declares the proofs, and how the layouts stand.
func Collection() []store.Collection { return []store.Collection{{Name: proofs, Expires: true}} }

// Outcome is what the service saw of one request. It is stored, hence a string.
type Outcome string

// The outcomes.
const (
	Right   Outcome = "right"   // the sender's own address
	Wrong   Outcome = "wrong"   // another one: a forger's, or the sender gave one that is not hers
	Forged  Outcome = "forged"  // one that no sender has: made up in the headers, or of our own entrance
	Refused Outcome = "refused" // none that could be told
	Blocked Outcome = "blocked" // it did not arrive: what stands in front refused it
)

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
	Screen   address.Screen // knows our own entrance
	Promises []string       // ids of the promises the evidence counts for
	Policy   string         // record.Digest of the policy in force
}

// Begin opens a proof of a layout at some places by somebody whose own addresses are from, at most one of each family. Invalid
// with code address_refused, or address_unknown: nobody can come from such an address.
func (s *Service) Begin(ctx context.Context, by, layout string, spots []Spot, from []netip.Addr, balancer netip.Addr, now time.Time) (Proof, error) {
	own := map[lease.Family]netip.Addr{}
	for _, addr := range from {
		prefix, err := s.Screen.Prefix(addr)
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
	if err := s.shorten(ctx); err != nil {
		return Proof{}, err
	}
	p := Proof{V: version, ID: hex.EncodeToString(b[:]), Layout: layout, By: by, Balancer: balancer, Began: now, Expires: now.Add(gone)}
	for _, spot := range spots {
		p.Places = append(p.Places, Place{Spot: spot, From: own[spot.Family], Seen: map[string]Outcome{}})
	}
	return p, s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(proofs, "p-"+p.ID, p) })
}

// lastLong is the last version of stored proofs that were kept as long as what they prove.
const lastLong = 2

// shorten takes the person and her addresses out of such proofs, and has them go.
func (s *Service) shorten(ctx context.Context) error {
	q := store.Query{Collection: proofs, After: &store.Cursor{ID: "p-"}, Limit: store.MaxQueryResults}
	for {
		docs, err := s.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("reading the proofs of before: %w", err)
		}
		for _, doc := range docs {
			var old Proof
			if err := doc.Decode(&old); err != nil {
				return err
			}
			if old.V > lastLong || !strings.HasPrefix(doc.ID, "p-") {
				continue
			}
			old.V, old.By, old.Places, old.Expires = version, "", nil, old.Began.Add(gone)
			if err := s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(proofs, doc.ID, old) }); err != nil {
				return fmt.Errorf("shortening a proof of before: %w", err)
			}
		}
		if len(docs) < q.Limit {
			return nil
		}
		q.After = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
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
		outcome = p.Places[p.at(r.Spot)].saw(r.Case, r.Seen, func(seen netip.Addr) bool {
			return slices.Contains(forgeries, seen) || seen == p.Balancer.Unmap() || s.Screen.Entrance(seen)
		})
		return nil
	})
	return outcome, err
}

// Block says which requests to a place were refused by what stands in front of it, as who sent them was answered.
type Block struct {
	Spot
	Cases []string
}

// End judges each place of by's proof to which anything was sent; by it the place stands or falls. A place to which some
// requests did not arrive is undetermined, but where a forgery was believed. blocked is the word of who sends: it counts for
// forged requests that did not arrive, and for no others. Conflict with code proof_incomplete: no request arrived anywhere.
func (s *Service) End(ctx context.Context, id, by string, blocked []Block, now time.Time) (Proof, error) {
	return s.edit(ctx, id, func(p Proof) bool { return p.By == by }, now, func(p *Proof, tx store.Tx, b *outbox.Batch) error {
		if !slices.ContainsFunc(p.Places, func(one Place) bool { return len(one.Seen) > 0 }) {
			return fault.Refuse(fault.Conflict, "proof_incomplete", "No request of this proof arrived.", "Send its cases, then end it; or begin a new one.")
		}
		p.Ended = now
		for _, block := range blocked {
			if i := p.at(block.Spot); i >= 0 && len(p.Places[i].Seen) > 0 {
				p.Places[i].block(block.Cases, p.Cases())
			}
		}
		var judged []Place
		for i := range p.Places {
			if place := &p.Places[i]; len(place.Seen) > 0 {
				place.judge(p.Cases(), reads(p.Layout))
				judged = append(judged, *place)
			}
		}
		return s.conclude(*p, judged, tx, b)
	})
}

// conclude writes how the judged places stand, and what the evidence says of each. A transaction reads before it writes.
func (s *Service) conclude(p Proof, judged []Place, tx store.Tx, b *outbox.Batch) error {
	before := make([]standing, len(judged))
	for i, place := range judged {
		if err := tx.Get(proofs, key(place.Spot, p.Layout), &before[i]); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading how %s stands: %w", place.Function, err)
		}
	}
	for i, place := range judged {
		if after, changed := before[i].after(p, place.Verdict); changed {
			if err := tx.Put(proofs, key(place.Spot, p.Layout), after); err != nil {
				return err
			}
		}
		if err := s.record(p, place, b); err != nil {
			return err
		}
	}
	return nil
}
