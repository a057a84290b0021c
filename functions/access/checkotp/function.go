// Package checkotp checks a one-time password for a service of the company: a bastion, a VPN, a jump host. It
// grants nothing itself; the service does, on the answer 200 and on no other.
package checkotp

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/directory/workspace"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("checkotp", Function.Entry()) }

// Check is what a service sends.
type Check struct {
	Email string `json:"email" required:"true" doc:"the person's company address"`
	Code  string `json:"code" required:"true" doc:"what she typed"`
}

// Passed is the answer to a right code.
type Passed struct {
	Outcome       string `json:"outcome" enum:"ok"`
	Authenticator string `json:"authenticator" doc:"id of the one that matched"`
	StepDelta     int    `json:"step_delta" doc:"periods or counts from the expected one"`
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	if err := p.WithOTP(); err != nil {
		return web.Function{}, err
	}
	return d.Served(web.Route{
		Method: http.MethodPost, Path: "/v1/check", Summary: "Check a one-time password, once.",
		Body: Check{}, Answers: map[int]any{http.StatusOK: Passed{}},
		Problems: []string{"caller_unauthenticated", "caller_denied", "otp_wrong", "otp_replay", "otp_malformed", "otp_waiting", "otp_locked", "unavailable", "body_invalid", "too_large"},
		Handle:   func(w http.ResponseWriter, r *http.Request) error { return check(p, w, r) },
	})
}

// nobody stands for everybody who is not approved or whose account is not in order. No id of people.yaml looks like
// it, so there is no account: the attempt takes the same way as a known person's, is recorded, and ends unknown.
const nobody = "@nobody"

func check(p *parts.Parts, w http.ResponseWriter, r *http.Request) error {
	service, err := p.Gate.Service(r, p.Manifest.Name)
	if err != nil {
		return err
	}
	body, _, err := web.DecodeBody[Check](w, r)
	if err != nil {
		return err
	}
	if err := p.Ready(r.Context()); err != nil {
		return err
	}
	now := p.Clock.Now()
	meta := p.Meta(r)
	meta.Actor = service.ID
	id := nobody
	person, err := p.Gate.Known(r.Context(), body.Email)
	if err == nil {
		id = person.ID
	} else if !fault.Is(err, fault.Denied) {
		return err
	}
	result, err := p.OTP.CheckOnce(r.Context(), id, body.Code, meta, now)
	if err != nil {
		return caller.Refused(err)
	}
	if !result.Granted() {
		return refuse(result)
	}
	return web.WriteJSON(w, http.StatusOK, Passed{Outcome: string(otp.OK), Authenticator: result.Authenticator, StepDelta: result.StepDelta})
}

// refuse tells the service the exact outcome. A person who does not exist, has left or has no authenticator reads
// like a wrong code but for that outcome.
func refuse(result otp.Result) error {
	problem := result.Fault()
	if result.Outcome == otp.Unknown {
		problem = otp.Result{Outcome: otp.Wrong}.Fault()
	}
	return parts.Outcome(problem, result)
}
