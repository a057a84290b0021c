package pairaddress

import (
	"net/http"
	"net/netip"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/web"
)

// Case names the request of a proof that this is. The id opens the proof to whoever knows it, so it stands in no URL.
type Case struct {
	ID     string `json:"id" required:"true" doc:"of the proof"`
	Case   string `json:"case" required:"true"`
	Family string `json:"family" required:"true" enum:"ipv4,ipv6" doc:"over which it was sent"`
}

// Seen is what was seen of it. From which address is for those alone whom the proof's own site knows.
type Seen struct {
	Outcome string `json:"outcome" enum:"right,wrong,forged,refused"`
}

func (f *pairaddress) proofRoutes() []web.Route {
	return []web.Route{{Method: http.MethodPost, Path: "/v1/proofs/cases", Summary: "One request of a proof that registerip began, with the headers of its case.", Body: Case{},
		Answers: map[int]any{200: Seen{}}, Problems: []string{"proof_unknown", "proof_ended", "case_unknown", "body_invalid", "too_large", "unavailable"}, Handle: f.sawCase}}
}

// sawCase knows a proof by its id, which only who began it was told.
func (f *pairaddress) sawCase(w http.ResponseWriter, r *http.Request) error {
	body, _, err := web.DecodeBody[Case](w, r)
	if err != nil {
		return err
	}
	seen, err := f.Client.Client(r)
	if err != nil {
		seen = netip.Addr{} // the layout tells nobody's
	}
	outcome, err := f.Proofs().SawOfAny(r.Context(), parts.ProofID(body.ID),
		clientproof.Request{Spot: f.Spot(lease.Family(body.Family)), Layout: f.Client.String(), Case: body.Case, Seen: seen}, f.Clock.Now())
	if err != nil {
		return caller.Refused(err)
	}
	return web.WriteJSON(w, http.StatusOK, Seen{Outcome: string(outcome)})
}
