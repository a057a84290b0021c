// Package clientproof proves, against the deployed service itself, that the address a request comes from is told right and
// cannot be forged: somebody whose address is known sends requests with every header by which proxies and programs pass
// addresses on, and the service says which address it saw.
//
// # What it promises
//
// A declared layout of proxies is proven when the plain request was seen from the address its sender has, and none of the
// forged ones from any other; one of those may be refused, which hurts the forger alone. A later proof that fails takes the
// standing away. What was not sent proves nothing. The evidence counts the requests and holds no address.
//
// # What it does not do
//
// It does not find out the address its sender has: a person says it. It proves the way the requests took and no other.
package clientproof

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const (
	proofs = "proofs"

	// Life is how long a proof may take.
	Life = 10 * time.Minute
	kept = 400 * 24 * time.Hour
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

// Proof is one proof, open or ended.
type Proof struct {
	V        int                `json:"v"`
	ID       string             `json:"id"`
	Layout   string             `json:"layout"`
	By       string             `json:"by"` // id of who runs it
	From     netip.Addr         `json:"from"`
	Balancer netip.Addr         `json:"balancer,omitzero"`
	Began    time.Time          `json:"began"`
	Seen     map[string]Outcome `json:"seen"` // by case
	Ended    time.Time          `json:"ended,omitzero"`
	Passed   bool               `json:"passed"`
	Expires  time.Time          `json:"expires"`
}

// Cases are those of this proof.
func (p Proof) Cases() []Case { return Cases(p.Layout, p.Balancer) }

// Missing names the cases nobody sent.
func (p Proof) Missing() (names []string) {
	for _, c := range p.Cases() {
		if _, seen := p.Seen[c.Name]; !seen {
			names = append(names, c.Name)
		}
	}
	return names
}

// holds reports whether all that was seen proves the layout.
func (p Proof) holds() bool {
	return p.Seen[Plain] == Right && !slices.Contains(slices.Collect(maps.Values(p.Seen)), Wrong) && len(p.Missing()) == 0
}

// standing is how one layout stands.
type standing struct {
	V       int       `json:"v"`
	Proof   string    `json:"proof"`
	Passed  bool      `json:"passed"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// Service keeps proofs. It is safe for concurrent use.
type Service struct {
	Store    store.Store
	Box      *outbox.Box
	Random   io.Reader
	Promises []string // ids of the promises the evidence counts for
	Policy   string   // record.Digest of the policy in force
}

// Begin opens a proof of a layout by somebody whose own address is from. Invalid with code address_refused, or address_unknown: nobody can
// come from that address.
func (s *Service) Begin(ctx context.Context, by, layout string, from, balancer netip.Addr, now time.Time) (Proof, error) {
	if _, err := address.Prefix(from); err != nil {
		return Proof{}, err
	}
	var b [10]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return Proof{}, fault.New(fault.Transient, "naming a proof: %w", err)
	}
	p := Proof{V: 1, ID: hex.EncodeToString(b[:]), Layout: layout, By: by, From: from.Unmap(), Balancer: balancer, Began: now, Seen: map[string]Outcome{}, Expires: now.Add(kept)}
	return p, s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(proofs, "p-"+p.ID, p) })
}

// edit changes an open proof of its own person.
func (s *Service) edit(ctx context.Context, id, by string, now time.Time, fn func(p *Proof, tx store.Tx, b *outbox.Batch) error) (Proof, error) {
	var p Proof
	err := s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		p = Proof{}
		if err := tx.Get(proofs, "p-"+id, &p); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading a proof: %w", err)
		}
		switch {
		case p.By != by || now.Sub(p.Began) > Life && p.Ended.IsZero():
			return fault.Refuse(fault.NotFound, "proof_unknown", "There is no such proof, or its ten minutes are over.", "Begin a new one.")
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

// Saw takes in one request of a proof: seen is the address it was seen from, the zero one when none could be told. What was once
// seen wrong stays so. Invalid with code case_unknown: there is no such case.
func (s *Service) Saw(ctx context.Context, id, by, name string, seen netip.Addr, now time.Time) (Outcome, error) {
	var outcome Outcome
	_, err := s.edit(ctx, id, by, now, func(p *Proof, _ store.Tx, _ *outbox.Batch) error {
		if !slices.ContainsFunc(p.Cases(), func(c Case) bool { return c.Name == name }) {
			return fault.Refuse(fault.Invalid, "case_unknown", "This proof has no such case.", "Send the cases the proof began with.")
		}
		switch {
		case !seen.IsValid():
			outcome = Refused
		case seen.Unmap() == p.From:
			outcome = Right
		default:
			outcome = Wrong
		}
		if p.Seen[name] != Wrong {
			p.Seen[name] = outcome
		}
		return nil
	})
	return outcome, err
}

// End judges a proof; by it the layout stands or falls. Conflict with code proof_incomplete: some requests were not sent.
func (s *Service) End(ctx context.Context, id, by string, now time.Time) (Proof, error) {
	return s.edit(ctx, id, by, now, func(p *Proof, tx store.Tx, b *outbox.Batch) error {
		if missing := p.Missing(); len(missing) > 0 {
			return fault.Refuse(fault.Conflict, "proof_incomplete", "Some requests of this proof did not arrive: "+strings.Join(missing, ", ")+".", "Send them, then end it; or begin a new one.")
		}
		p.Ended, p.Passed = now, p.holds()
		if err := tx.Put(proofs, layoutKey(p.Layout), standing{V: 1, Proof: p.ID, Passed: p.Passed, At: now, Expires: now.Add(kept)}); err != nil {
			return err
		}
		return s.record(*p, b)
	})
}

func (s *Service) record(p Proof, b *outbox.Batch) error {
	e := record.New(record.Access, "ip-daily", "client address "+p.ID, s.Promises...)
	e.Config, e.Method, e.Result = s.Policy, record.Test, record.Result{State: record.Violation}
	if p.Passed {
		e.Result.State = record.Pass
	}
	e.Source.Type, e.Source.Observed, e.Source.Collected = "proof", p.Began, p.Ended
	wrong := 0
	for _, outcome := range p.Seen {
		if outcome == Wrong {
			wrong++
		}
	}
	e.Facts = map[string]string{"event": "client-address", "layout": strings.ReplaceAll(p.Layout, ",", "+"), "requests": strconv.Itoa(len(p.Seen)), "wrong": strconv.Itoa(wrong)}
	data, err := e.Canonical()
	if err != nil {
		return fmt.Errorf("recording a proof: %w", err)
	}
	b.Record(e.ID(), data)
	return nil
}

// layoutKey is the document of a layout: its words are none of an id's.
func layoutKey(layout string) string { return "=" + hex.EncodeToString([]byte(layout)) }

// Proven reports whether the last proof of a layout passed, within the last 400 days.
func (s *Service) Proven(ctx context.Context, layout string, now time.Time) (bool, error) {
	var found standing
	err := s.Store.Get(ctx, proofs, layoutKey(layout), &found)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading whether the client address is proven: %w", err)
	}
	return found.Passed && now.Before(found.Expires), nil
}
