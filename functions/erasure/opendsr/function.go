// Package opendsr takes the instructions of customers, who are controllers, to us, their processor: as OpenDSR 2.0 has it,
// with the paths and headers of 1.0 besides. Whoever calls is known by a token that is bound to one customer in the policy,
// and reaches that customer's instructions alone. Every answer that is no refusal is signed.
//
// It searches nothing, erases nothing and calls nobody back; package callback does the last, elsewhere. Discovery and the
// certificate are served without a token too, by requesterasure: a function has callers of one kind. The package
// shared/erasure/opendsr says how what the specification leaves open is read.
package opendsr

import (
	"context"
	_ "embed"
	"net/http"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("opendsr", Function.Entry()) }

// processor holds what the handlers share.
type processor struct {
	*parts.Parts
	gate  caller.Gate
	types []opendsr.IdentityType // by which people of customers' can be named
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s := &processor{Parts: p, gate: caller.Gate{Policy: d.Policy, Identity: d.Identity, Clock: d.Clock, Fronted: d.Fronted()}}
	s.types, _ = p.Identities()
	return d.Served(s.routes()...)
}

// Codes that every route may answer, and those of one that names a request.
var (
	anybody = []string{"caller_unauthenticated", "caller_denied", "unavailable"}
	ofOne   = append([]string{"request_unknown"}, anybody...)
)

func (s *processor) routes() []web.Route {
	created, standing, cancelled := map[int]any{201: opendsr.Created{}}, map[int]any{200: opendsr.State{}}, map[int]any{202: opendsr.Cancellation{}}
	routes := []web.Route{
		{Method: "GET", Path: "/v2/discovery", Summary: "What is served here.", Answers: map[int]any{200: opendsr.Discovery{}}, Handle: s.discovery, Problems: anybody},
		{Method: "GET", Path: "/v2/certificate", Summary: "The certificate with whose key answers are signed, in PEM.", Answers: map[int]any{200: web.Media("application/x-pem-file")}, Handle: s.certificate, Problems: anybody},
		{Method: "GET", Path: "/v2/requests/{id}/receipt", Summary: "The newest signed receipt, as a file.", Answers: map[int]any{200: web.Media("application/json")}, Handle: s.receipt,
			Problems: append([]string{"receipt_missing"}, ofOne...)},
		{Method: "GET", Path: "/v2/requests/{id}/status", Summary: "The same as the request itself.", Answers: standing, Handle: s.status(opendsr.V2), Problems: ofOne},
	}
	for _, at := range []struct {
		path    string
		version opendsr.Version
	}{{"/v2/requests", opendsr.V2}, {"/opengdpr_requests", opendsr.V1}} {
		routes = append(routes,
			web.Route{Method: "POST", Path: at.path, Summary: "Instruct to erase a person. The same again is answered alike.", Body: Instruction{}, Answers: created, Handle: s.create(at.version),
				Problems: append([]string{"body_invalid", "too_large", "callback_refused", "id_conflict"}, anybody...)},
			web.Route{Method: "GET", Path: at.path + "/{id}", Summary: "How the request stands.", Answers: standing, Handle: s.status(at.version), Problems: ofOne},
			web.Route{Method: "DELETE", Path: at.path + "/{id}", Summary: "Take it back, while it is pending.", Answers: cancelled, Handle: s.cancel(at.version),
				Problems: append([]string{"not_pending"}, ofOne...)},
		)
	}
	return routes
}

// Instruction describes the body of POST /requests; other members are left alone.
type Instruction struct {
	Regulation  string             `json:"regulation" enum:"gdpr,ccpa" doc:"required but in version 1.0"`
	ID          string             `json:"subject_request_id" required:"true" doc:"UUID of version 4, in small letters, of the controller's making"`
	Type        string             `json:"subject_request_type" required:"true" enum:"erasure"`
	Submitted   string             `json:"submitted_time" required:"true" doc:"RFC 3339: when the person asked the controller"`
	Identities  []opendsr.Identity `json:"subject_identities" required:"true" doc:"of the types and formats that discovery lists"`
	APIVersion  string             `json:"api_version" doc:"2.0"`
	CallbackURL []string           `json:"status_callback_urls" doc:"https, at hosts that were agreed"`
	Extensions  map[string]any     `json:"extensions"`
}

// of returns whom the caller speaks for.
func (s *processor) of(r *http.Request) (tenant string, callbacks []string, err error) {
	service, err := s.gate.Service(r, s.Manifest.Name)
	if err != nil {
		return "", nil, err
	}
	if service.Tenant == "" { // the policy's check does not let it be
		return "", nil, denied()
	}
	return service.Tenant, service.Callbacks, nil
}
