// Package deliver sends the messages other functions ask for, and says what became of each. It alone reads the
// channels' secrets and opens what messages say.
package deliver

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/message/smtp"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: store.Schema{outbox.Collection(), message.Collection()}, Build: build}

func init() { functions.HTTP("deliver", Function.Entry()) }

// EnvChannel names the channel messages leave by.
const EnvChannel = "OSTIARY_MESSAGE"

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	url, set := d.Env(EnvChannel)
	if !set {
		return web.Function{}, fault.New(fault.Misconfigured, "%s is not set", EnvChannel)
	}
	channel, err := message.Drivers.Open(ctx, url, message.Options{Clock: d.Clock, Secrets: d.Secrets})
	if err != nil {
		return web.Function{}, err
	}
	courier := &message.Courier{
		Store: d.Store, Box: d.Box, Channels: map[string]message.Channel{"mail": channel}, Keys: d.MessageKeys, Clock: d.Clock, Random: d.Random, Log: d.Log,
		Resolve: func(_ context.Context, r message.Request) (string, error) {
			person, known := d.Policy.PersonByID(r.Person)
			if !known {
				return "", fault.New(fault.NotFound, "finding the recipient of a message: no such person in the policy")
			}
			return person.Email, nil
		},
		Evidence: func(batch *outbox.Batch, a message.Attempt) error { return attempted(d, batch, a) },
	}
	return d.Served(machine.Routes(d, machine.On{
		Event: func(ctx context.Context, e event.Event) error {
			var request message.Request
			if err := json.Unmarshal(e.Data, &request); err != nil {
				return fault.New(fault.Invalid, "reading a message request: not the JSON of one")
			}
			return courier.Deliver(ctx, request)
		},
		Tick: func(ctx context.Context) error {
			_, swept := d.Box.Sweep(ctx)
			return errors.Join(swept, retry(ctx, courier))
		},
	})...)
}

// A run of the schedule looks at so many pages of deliveries that are due; the next minute goes on.
const (
	pages    = 20
	fullPage = 50 // of Courier.Sweep
)

// retry acts on the deliveries that are due.
func retry(ctx context.Context, courier *message.Courier) error {
	for range pages {
		handled, err := courier.Sweep(ctx)
		if err != nil || handled < fullPage {
			return err
		}
	}
	return nil
}

// attempted records one attempt: which message, the outcome and the peer's reply, but neither recipient nor text.
func attempted(d *wiring.Deps, batch *outbox.Batch, a message.Attempt) error {
	r := record.New(record.Case, "alert-route", a.ID(), d.Promises("alert-route")...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "message", a.At, a.At
	r.Config = d.PolicyDigest()
	r.Facts = map[string]string{"state": string(a.Delivery.State), "attempts": strconv.Itoa(a.Delivery.Attempts)}
	if a.Outcome != "" {
		r.Facts["outcome"] = string(a.Outcome)
	}
	data, err := r.Canonical()
	if err != nil {
		return fmt.Errorf("recording an attempt to deliver: %w", err)
	}
	batch.Record(r.ID(), data)
	return nil
}
