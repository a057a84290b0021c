package clientproof

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Place is what a proof knows of one place.
type Place struct {
	Spot
	From    netip.Addr         `json:"from,omitzero"` // the sender's own address of this family; the zero one: nothing is proven here
	Seen    map[string]Outcome `json:"seen"`          // by case
	Verdict record.State       `json:"verdict,omitempty"`
}

// saw notes what was seen of a case; nobody says whether no sender has an address. What was once seen worse stays so.
func (p *Place) saw(name string, seen netip.Addr, nobody func(netip.Addr) bool) Outcome {
	outcome := Wrong
	switch seen = seen.Unmap(); {
	case !seen.IsValid():
		outcome = Refused
	case seen == p.From:
		outcome = Right
	case nobody(seen):
		outcome = Forged
	}
	if before := p.Seen[name]; before != Forged && (before != Wrong || outcome == Forged) {
		p.Seen[name] = outcome
	}
	return outcome
}

// block notes which forged requests what stands in front refused. What arrived was not refused there.
func (p *Place) block(names []string, cases []Case) {
	for _, c := range cases {
		if _, arrived := p.Seen[c.Name]; !arrived && c.Name != Plain && slices.Contains(names, c.Name) {
			p.Seen[c.Name] = Blocked
		}
	}
}

// count is how many requests had an outcome.
func (p *Place) count(of ...Outcome) (n int) {
	for _, outcome := range p.Seen {
		if slices.Contains(of, outcome) {
			n++
		}
	}
	return n
}

// covered reports whether of each header one request arrived that forged an address in it, and was not believed.
func (p *Place) covered(cases []Case, headers []string) bool {
	for _, header := range headers {
		if !slices.ContainsFunc(cases, func(c Case) bool {
			return c.names(header) && slices.Contains([]Outcome{Right, Refused}, p.Seen[c.Name])
		}) {
			return false
		}
	}
	return true
}

// judge says what all that was seen of the cases comes to, where the service reads those headers. A request that was seen from an address no sender has is
// believed forgery, whatever else was seen. Where the plain request was not seen from the sender's own address, that address
// may be the one that is wrong: other addresses then show nothing. Neither do requests that never arrived: where a header that is
// read was forged in none that did, another forgery may be believed.
func (p *Place) judge(cases []Case, headers []string) {
	switch {
	case p.count(Forged) > 0, p.Seen[Plain] == Right && p.count(Wrong) > 0:
		p.Verdict = record.Violation
	case p.Seen[Plain] != Right, len(p.Seen) < len(cases), !p.covered(cases, headers):
		p.Verdict = record.Undetermined
	default:
		p.Verdict = record.Pass
	}
}

// standing is how one place stands, by one layout.
type standing struct {
	V        int       `json:"v"`
	Proof    string    `json:"proof"`
	Passed   bool      `json:"passed"`
	At       time.Time `json:"at"`
	Violated time.Time `json:"violated,omitzero"` // when a proof last found a forgery believed; passing does not clear it
	Expires  time.Time `json:"expires"`
}

// after is how a place stands once a proof of it has ended, and whether that is another way than before. What is
// undetermined changes nothing. Of two proofs at a time the one that found a forgery believed counts: what the other saw may
// be older, and only a proof that began later shows that it was mended.
func (s standing) after(p Proof, verdict record.State) (standing, bool) {
	failed := verdict == record.Violation
	if verdict == record.Undetermined || !failed && p.Began.Before(s.Violated) {
		return s, false
	}
	next := standing{V: 1, Proof: p.ID, Passed: !failed, At: p.Ended, Violated: s.Violated, Expires: p.Ended.Add(kept)}
	if failed {
		next.Violated = p.Ended
	}
	return next, true
}

// key is the document of a place and a layout, whose words are none of an id's.
func key(s Spot, layout string) string {
	return "=" + s.Function + "-" + string(s.Family) + "-" + hex.EncodeToString([]byte(layout))
}

func (s *Service) record(p Proof, place Place, b *outbox.Batch) error {
	e := record.New(record.Access, "ip-daily", "client address "+p.ID+" "+place.Function+" "+string(place.Family), s.Promises...)
	e.Config, e.Method, e.Result = s.Policy, record.Test, record.Result{State: place.Verdict}
	e.Source.Type, e.Source.Observed, e.Source.Collected = "proof", p.Began, p.Ended
	e.Facts = map[string]string{"event": "client-address", "function": place.Function, "family": string(place.Family), "layout": strings.ReplaceAll(p.Layout, ",", "+"),
		"requests": strconv.Itoa(len(place.Seen)), "wrong": strconv.Itoa(place.count(Wrong, Forged)), "blocked": strconv.Itoa(place.count(Blocked))}
	return e.Put(b)
}

// Proven reports whether a place is proven by a layout: the last proof there that determined anything passed, within the
// last 400 days.
func (s *Service) Proven(ctx context.Context, spot Spot, layout string, now time.Time) (bool, error) {
	return proven(func(into any) error { return s.Store.Get(ctx, proofs, key(spot, layout), into) }, now)
}

// ProvenIn is Proven within a transaction.
func (s *Service) ProvenIn(tx store.Tx, spot Spot, layout string, now time.Time) (bool, error) {
	return proven(func(into any) error { return tx.Get(proofs, key(spot, layout), into) }, now)
}

func proven(get func(into any) error, now time.Time) (bool, error) {
	var found standing
	err := get(&found)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading whether the client address is proven: %w", err)
	}
	return found.Passed && now.Before(found.Expires), nil
}
