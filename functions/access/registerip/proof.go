package registerip

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Proving begins a proof that the address requests come from is told right.
type Proving struct {
	From     []string `json:"from" required:"true" doc:"the public addresses of the machine that sends the requests: one, or one of each family"`
	Balancer string   `json:"balancer,omitempty" doc:"an address of the load balancer, where it is known"`
}

// Proof is a proof that began, and the places it consists of.
type Proof struct {
	ID      string    `json:"id"`
	Layout  string    `json:"layout"`
	Expires time.Time `json:"expires"`
	Places  []Place   `json:"places"`
}

// Place takes addresses over one family.
type Place struct {
	Function string             `json:"function"`
	Family   string             `json:"family" enum:"ipv4,ipv6"`
	URL      string             `json:"url" doc:"where its requests go, reached over its family alone; below the site of this call where it names no other"`
	Cases    []clientproof.Case `json:"cases"`
}

// Case names the request of a proof that this is. The id opens the proof to whoever knows it, so it stands in no URL.
type Case struct {
	ID     string `json:"id" required:"true" doc:"of the proof"`
	Case   string `json:"case" required:"true"`
	Family string `json:"family" required:"true" enum:"ipv4,ipv6" doc:"over which it was sent"`
}

// Seen is what was seen of it.
type Seen struct {
	Outcome string `json:"outcome" enum:"right,wrong,forged,refused"`
	Address string `json:"address,omitempty" doc:"from which the request was seen"`
}

// Ending ends a proof.
type Ending struct {
	ID      string    `json:"id" required:"true" doc:"of the proof"`
	Blocked []Blocked `json:"blocked" doc:"forged requests that did not arrive, because what stands in front answered 4xx: whoever forges is turned away there, and not believed"`
}

// Blocked are forged requests to one place that what stands in front refused.
type Blocked struct {
	Function string   `json:"function"`
	Family   string   `json:"family" enum:"ipv4,ipv6"`
	Cases    []string `json:"cases"`
}

// Judged is a proof that ended.
type Judged struct {
	Layout string        `json:"layout"`
	Places []JudgedPlace `json:"places"`
}

// JudgedPlace is what a proof came to at one place, and how it stands.
type JudgedPlace struct {
	Function string            `json:"function"`
	Family   string            `json:"family" enum:"ipv4,ipv6"`
	Verdict  string            `json:"verdict,omitempty" enum:"pass,violation,undetermined" doc:"left out where nothing arrived; undetermined changes nothing"`
	Proven   bool              `json:"proven" doc:"whether addresses are taken here from now on; not after pass where another proof found a forgery believed since this one began"`
	Cases    map[string]string `json:"cases,omitempty" doc:"each with its outcome: right, wrong, forged, refused or blocked; what did not arrive is left out"`
}

func (f *registerip) proofRoutes() []web.Route {
	roles := append(slices.Clone(signedIn), "role_missing")
	refusals := append(slices.Clone(roles), "body_invalid", "too_large")
	return []web.Route{
		{Method: "POST", Path: "/v1/proofs", Summary: "Begin a proof that the address requests come from cannot be forged.", Body: Proving{},
			Answers: map[int]any{201: Proof{}}, Problems: append(slices.Clone(refusals), "address_refused"), Browser: true, Handle: f.Staff(f.beginProof)},
		{Method: "POST", Path: "/v1/proofs/cases", Summary: "One request of a proof, with the headers of its case.", Body: Case{},
			Answers: map[int]any{200: Seen{}}, Problems: append(slices.Clone(refusals), "proof_unknown", "proof_ended", "case_unknown"), Browser: true, Handle: f.Staff(f.sawCase)},
		{Method: "POST", Path: "/v1/proofs/end", Summary: "Judge a proof: from then on the declared layout stands or falls by it.", Body: Ending{},
			Answers: map[int]any{200: Judged{}}, Problems: append(slices.Clone(refusals), "proof_unknown", "proof_ended", "proof_incomplete"), Browser: true, Handle: f.Staff(f.endProof)},
	}
}

// prover is who may prove: security, or the owner.
func prover(who caller.Staff) error {
	if who.May(policy.Security) || who.May(policy.Owner) {
		return nil
	}
	return fault.Refuse(fault.Denied, "role_missing", "This is for the security team and the owner.", "Ask one of them.")
}

func (f *registerip) beginProof(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if err := prover(who); err != nil {
		return err
	}
	body, _, err := web.DecodeBody[Proving](w, r)
	if err != nil {
		return err
	}
	from, err := senders(body.From)
	if err != nil {
		return err
	}
	var balancer netip.Addr
	if body.Balancer != "" {
		if balancer, err = netip.ParseAddr(body.Balancer); err != nil {
			return fault.Refuse(fault.Invalid, "body_invalid", "balancer: is not an address.", "Give the address of the load balancer, or leave it out.")
		}
	}
	p, err := f.Proofs().Begin(r.Context(), who.ID, f.Client.String(), f.spots(), from, balancer, f.Clock.Now())
	if err != nil {
		return err
	}
	answer := Proof{ID: p.ID, Layout: p.Layout, Expires: p.Began.Add(clientproof.Life)}
	for _, place := range p.Places {
		site := "" // this one
		if place.Function == pairing {
			site = f.hosts[place.Family]
		}
		answer.Places = append(answer.Places, Place{Function: place.Function, Family: string(place.Family), Cases: p.Cases(),
			URL: site + "/" + place.Function + "/v1/proofs/cases"})
	}
	return web.WriteJSON(w, http.StatusCreated, answer)
}

// pairing is the function that takes addresses at the hosts of one family.
const pairing = "pairaddress"

// spots are the places that take addresses.
func (f *registerip) spots() []clientproof.Spot {
	var spots []clientproof.Spot
	for _, family := range []lease.Family{lease.IPv4, lease.IPv6} {
		spots = append(spots, f.Spot(family))
		if f.hosts != nil {
			spots = append(spots, clientproof.Spot{Function: pairing, Family: family})
		}
	}
	return spots
}

// senders reads the addresses a proof is sent from, one of each family at most. Invalid with code body_invalid.
func senders(texts []string) (from []netip.Addr, err error) {
	six := map[bool]bool{}
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		if addr = addr.Unmap(); err != nil || six[addr.Is6()] {
			return nil, fault.Refuse(fault.Invalid, "body_invalid", "from: is not an address, or the second one of its family.", "Give the public address of the machine that sends the requests, or one of each family.")
		}
		six[addr.Is6()], from = true, append(from, addr)
	}
	if len(from) == 0 {
		return nil, fault.Refuse(fault.Invalid, "body_invalid", "from: holds no address.", "Give the public address of the machine that sends the requests.")
	}
	return from, nil
}

func (f *registerip) sawCase(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if err := prover(who); err != nil {
		return err
	}
	body, _, err := web.DecodeBody[Case](w, r)
	if err != nil {
		return err
	}
	seen, err := f.Client.Client(r)
	if err != nil {
		seen = netip.Addr{} // the layout tells nobody's
	}
	outcome, err := f.Proofs().Saw(r.Context(), parts.ProofID(body.ID), who.ID,
		clientproof.Request{Spot: f.Spot(lease.Family(body.Family)), Layout: f.Client.String(), Case: body.Case, Seen: seen}, f.Clock.Now())
	if err != nil {
		return err
	}
	answer := Seen{Outcome: string(outcome)}
	if seen.IsValid() {
		answer.Address = seen.String()
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

func (f *registerip) endProof(w http.ResponseWriter, r *http.Request, who caller.Staff) error {
	if err := prover(who); err != nil {
		return err
	}
	body, _, err := web.DecodeBody[Ending](w, r)
	if err != nil {
		return err
	}
	var blocked []clientproof.Block
	for _, b := range body.Blocked {
		blocked = append(blocked, clientproof.Block{Spot: clientproof.Spot{Function: b.Function, Family: lease.Family(b.Family)}, Cases: b.Cases})
	}
	p, err := f.Proofs().End(r.Context(), parts.ProofID(body.ID), who.ID, blocked, f.Clock.Now())
	if err != nil {
		return err
	}
	answer := Judged{Layout: p.Layout}
	for _, place := range p.Places {
		one := JudgedPlace{Function: place.Function, Family: string(place.Family), Verdict: string(place.Verdict), Cases: map[string]string{}}
		if one.Proven, err = f.Proofs().Proven(r.Context(), place.Spot, p.Layout, f.Clock.Now()); err != nil {
			return err
		}
		for name, outcome := range place.Seen {
			one.Cases[name] = string(outcome)
		}
		answer.Places = append(answer.Places, one)
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}
