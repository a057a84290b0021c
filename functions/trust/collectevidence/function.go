// Package collectevidence takes machine evidence as CloudEvents: that a build was tested, a backup made, a course
// finished. Who sends is told by the token alone, and may send only the types and promises its entry in the policy
// names. The folder schemas describes the data of every type.
package collectevidence

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/intake"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("collectevidence", Function.Entry()) }

// Event describes the body in structured mode. In binary mode the attributes are headers and the body is the data
// (CloudEvents HTTP binding, 3.1).
type Event struct {
	SpecVersion string `json:"specversion" required:"true" enum:"1.0"`
	ID          string `json:"id" required:"true" doc:"names the event within its source; the same when it is sent again"`
	Source      string `json:"source" required:"true" doc:"URI reference of what it comes from"`
	Type        string `json:"type" required:"true" doc:"such as backup.completed"`
	Time        string `json:"time" required:"true" doc:"RFC 3339: when it happened"`
	Data        any    `json:"data" required:"true" doc:"as the schema of the type says"`
}

// Accepted is the answer to an event that counts. The same event again is answered alike.
type Accepted struct {
	Record   string   `json:"record" doc:"id of the evidence record of its receipt"`
	Promises []string `json:"promises" doc:"the promises it counts for"`
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	vault, err := d.OpenVault()
	if err != nil {
		return web.Function{}, err
	}
	service, err := intake.New(intake.Config{
		Store: d.Store, Box: d.Box, Policy: d.Policy, Digest: d.PolicyDigest(), Rules: p.Duties.Rules, Duties: p.Duties, Vault: vault, Random: d.Random,
	})
	if err != nil {
		return web.Function{}, err
	}
	gate := caller.Gate{Policy: d.Policy, Identity: d.Identity, Clock: d.Clock, Fronted: d.Fronted()}
	return d.Served(web.Route{
		Method: http.MethodPost, Path: "/v1/events", Summary: "Send one event of machine evidence.",
		Body: Event{}, Answers: map[int]any{http.StatusAccepted: Accepted{}},
		Problems: []string{"caller_unauthenticated", "caller_denied", "source_may_not", "body_invalid", "too_large", "event_invalid", "event_time",
			"event_conflict", "evidence_unbound", "evidence_unmeasured", "evidence_ambiguous", "scopes_exhausted", "unavailable"},
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			from, err := gate.Source(r)
			if err != nil {
				return err
			}
			e, err := decode(w, r)
			if err != nil {
				return err
			}
			receipt, err := receive(r.Context(), p, service, from, e)
			if err != nil {
				return err
			}
			return web.WriteJSON(w, http.StatusAccepted, Accepted{receipt.Record, receipt.Promises})
		},
	})
}

func receive(ctx context.Context, p *parts.Parts, service *intake.Service, from policy.Source, e event.Event) (intake.Receipt, error) {
	if err := p.Ready(ctx); err != nil {
		return intake.Receipt{}, err
	}
	receipt, err := service.Receive(ctx, from, e, p.Clock.Now())
	return receipt, caller.Refused(err)
}

// decode reads a CloudEvent in binary or structured mode; a Pub/Sub push is none of these. Codes: too_large,
// body_invalid.
func decode(w http.ResponseWriter, r *http.Request) (event.Event, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, intake.MaxBytes))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		refusal := fault.Refuse(fault.Invalid, "too_large", "The body is larger than "+strconv.Itoa(intake.MaxBytes)+" bytes.", "Send less.")
		refusal.Status = http.StatusRequestEntityTooLarge
		return event.Event{}, refusal
	}
	if err != nil {
		return event.Event{}, malformed("the body did not arrive whole")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	structured := media == "application/cloudevents+json"
	if err != nil || !structured && (media != "application/json" || len(r.Header["Ce-Id"]) == 0) {
		return event.Event{}, malformed("it is neither application/cloudevents+json nor application/json with headers ce-id, ce-source, ce-type, ce-specversion and ce-time")
	}
	if charset := params["charset"]; r.Header.Get("Content-Encoding") != "" || charset != "" && charset != "utf-8" && charset != "UTF-8" {
		return event.Event{}, malformed("it is compressed, or not in UTF-8")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	e, err := event.Decode(r, event.Accepts{Eventarc: []string{claimed(r, body, structured)}})
	if err != nil {
		return event.Event{}, malformed(reason(err))
	}
	return e, nil
}

// claimed is the type the event says it is of: whether its sender may send that is decided once the event is read.
func claimed(r *http.Request, body []byte, structured bool) string {
	if !structured {
		return r.Header.Get("Ce-Type")
	}
	var e struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &e) // what cannot be read is refused by who reads it strictly
	return e.Type
}

// reason is what the decoder says; its errors name no part of the body.
func reason(err error) string {
	if inner := errors.Unwrap(errors.Unwrap(err)); inner != nil {
		return inner.Error()
	}
	return "it cannot be read"
}

func malformed(why string) error {
	return fault.Refuse(fault.Invalid, "body_invalid", "The body is not accepted as a CloudEvent: "+why+".", "Send one CloudEvent 1.0 as described at openapi.json.")
}
