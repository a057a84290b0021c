package registerip

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Proving begins a proof that the address requests come from is told right.
type Proving struct {
	From     string `json:"from" required:"true" doc:"the public address of the machine that sends the requests"`
	Balancer string `json:"balancer,omitempty" doc:"an address of the load balancer, where it is known"`
}

// Proof is a proof that began, and the requests it consists of.
type Proof struct {
	ID      string             `json:"id"`
	Layout  string             `json:"layout"`
	Expires time.Time          `json:"expires"`
	Cases   []clientproof.Case `json:"cases"`
}

// Case names the request of a proof that this is.
type Case struct {
	Case string `json:"case" required:"true"`
}

// Seen is what was seen of it.
type Seen struct {
	Outcome string `json:"outcome" enum:"right,wrong,refused"`
	Address string `json:"address,omitempty" doc:"from which the request was seen"`
}

// Judged is a proof that ended.
type Judged struct {
	Passed bool              `json:"passed"`
	Layout string            `json:"layout"`
	Cases  map[string]string `json:"cases" doc:"each with its outcome"`
}

func (f *registerip) proofRoutes() []web.Route {
	roles := append(slices.Clone(signedIn), "role_missing")
	refusals := append(slices.Clone(roles), "body_invalid", "too_large")
	return []web.Route{
		{Method: "POST", Path: "/v1/proofs", Summary: "Begin a proof that the address requests come from cannot be forged.", Body: Proving{},
			Answers: map[int]any{201: Proof{}}, Problems: append(slices.Clone(refusals), "address_refused"), Handle: f.Staff(f.beginProof)},
		{Method: "POST", Path: "/v1/proofs/{id}/cases", Summary: "One request of a proof, with the headers of its case.", Body: Case{},
			Answers: map[int]any{200: Seen{}}, Problems: append(slices.Clone(refusals), "proof_unknown", "proof_ended", "case_unknown"), Handle: f.Staff(f.sawCase)},
		{Method: "POST", Path: "/v1/proofs/{id}/end", Summary: "Judge a proof: from then on the declared layout stands or falls by it.",
			Answers: map[int]any{200: Judged{}}, Problems: append(slices.Clone(roles), "proof_unknown", "proof_ended", "proof_incomplete"), Handle: f.Staff(f.endProof)},
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
	from, err := netip.ParseAddr(body.From)
	if err != nil {
		return fault.Refuse(fault.Invalid, "body_invalid", "from: is not an address.", "Give the public address of the machine that sends the requests.")
	}
	var balancer netip.Addr
	if body.Balancer != "" {
		if balancer, err = netip.ParseAddr(body.Balancer); err != nil {
			return fault.Refuse(fault.Invalid, "body_invalid", "balancer: is not an address.", "Give the address of the load balancer, or leave it out.")
		}
	}
	p, err := f.Proofs().Begin(r.Context(), who.ID, f.Client.String(), from, balancer, f.Clock.Now())
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusCreated, Proof{ID: p.ID, Layout: p.Layout, Expires: p.Began.Add(clientproof.Life), Cases: p.Cases()})
}

// proofID is the form of a proof's id.
var proofID = regexp.MustCompile(`^[0-9a-f]{1,64}$`)

// asked is the id of the proof a request is about; one of another form is no proof's.
func asked(r *http.Request) string {
	if id := r.PathValue("id"); proofID.MatchString(id) {
		return id
	}
	return "0"
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
	outcome, err := f.Proofs().Saw(r.Context(), asked(r), who.ID, body.Case, seen, f.Clock.Now())
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
	p, err := f.Proofs().End(r.Context(), asked(r), who.ID, f.Clock.Now())
	if err != nil {
		return err
	}
	answer := Judged{Passed: p.Passed, Layout: p.Layout, Cases: map[string]string{}}
	for name, outcome := range p.Seen {
		answer.Cases[name] = string(outcome)
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}
