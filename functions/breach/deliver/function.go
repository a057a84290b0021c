// Package deliver sends the messages other functions ask for, says what became of each, and asks the channel afterwards where that
// may know more. It alone reads the channels' secrets and opens what messages say.
package deliver

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/chat"
	"ostiary.internal/shared/platform/message/sms"
	"ostiary.internal/shared/platform/message/webhook"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/message/mailapi"
	_ "ostiary.internal/shared/platform/message/smtp"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/secret/secretmanager"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: store.Schema{outbox.Collection(), message.Collection(), heartbeat.Collection()}, Build: build}

func init() { functions.HTTP("deliver", Function.Entry()) }

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	channels, err := open(ctx, d)
	if err != nil {
		return web.Function{}, err
	}
	decided, problems := breach.Read(d.Policy)
	if len(problems) > 0 {
		decided = breach.Policy{Restored: decided.Restored} // mail of the other controls goes out all the same
	}
	courier := &message.Courier{
		Store: d.Store, Box: d.Box, Channels: channels, Keys: d.MessageKeys, Clock: d.Clock, Random: d.Random, Log: d.Log, Resolve: resolver(decided, d.Policy), Restored: decided.Restored,
		Evidence: func(batch *outbox.Batch, a message.Attempt) error { return attempted(d, batch, a) },
	}
	watch, err := newWatch(d, courier)
	if err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{
		Event: func(ctx context.Context, e event.Event) error {
			var request message.Request
			if err := json.Unmarshal(e.Data, &request); err != nil {
				return fault.New(fault.Invalid, "reading a message request: not the JSON of one")
			}
			request.Asked = e.Time
			return courier.Deliver(ctx, request)
		},
		// What a crash left in the outbox is tickbreach's to sweep.
		Tick: func(ctx context.Context) error {
			until := d.Clock.Now().Add(message.SweepTime)
			return errors.Join(retry(ctx, courier, until), courier.Ask(ctx, until), watch.look(ctx))
		},
	})...)
}

// A run of the schedule looks at so many pages of deliveries that are due, and begins no more of them once its time is up; the
// next minute goes on.
const (
	pages    = 20
	fullPage = 50 // of Courier.Sweep
)

// retry acts on the deliveries that are due, and begins with none from until on.
func retry(ctx context.Context, courier *message.Courier, until time.Time) error {
	for range pages {
		handled, err := courier.SweepUntil(ctx, until)
		if err != nil || handled < fullPage {
			return err
		}
	}
	return nil
}

// reply is the code of a peer's reply, as the channels tell it.
var reply = regexp.MustCompile(` with ([2-5][0-9]{2})\b`)

// attempted records one attempt: which message, by what channel, the outcome and the peer's reply, but neither recipient nor text; and
// what the channel said later of one that was accepted, or that it did not.
func attempted(d *wiring.Deps, batch *outbox.Batch, a message.Attempt) error {
	r := record.New(record.Case, "alert-route", a.ID(), d.Promises("alert-route")...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "message", a.At, a.At
	r.Config = d.PolicyDigest()
	r.Facts = map[string]string{"state": string(a.Delivery.State), "attempts": strconv.Itoa(a.Delivery.Attempts)}
	if channel := a.Delivery.Request.Channel; slices.Contains([]string{message.Mail, webhook.Name, sms.Name, chat.Name}, channel) {
		r.Facts["channel"] = channel
	}
	if code := reply.FindStringSubmatch(a.Delivery.Why); code != nil {
		r.Facts["reply"] = code[1]
	}
	// Whoever holds the delivery's salt, which the store forgets with it, can show that this text went to that address.
	if m, salt := a.Message, a.Delivery.Salt; m.To != "" && len(salt) > 0 {
		r.Subjects = []record.Subject{{Type: "recipient", C: record.Commitment(salt, "recipient", m.To)}, {Type: "content", C: record.Commitment(salt, "content", m.Subject+"\n"+m.Text)}}
	}
	if a.Wire.TLS != "" {
		r.Facts["tls"] = a.Wire.TLS
	}
	if reference := cmp.Or(a.Wire.Reference, a.Delivery.Reference); reference != "" && len(a.Delivery.Salt) > 0 {
		r.Subjects = append(r.Subjects, record.Subject{Type: "reference", C: record.Commitment(a.Delivery.Salt, "reference", reference)})
	}
	if a.Delivery.Asks > 0 {
		r.Facts["asks"] = strconv.Itoa(a.Delivery.Asks)
	}
	if a.Delivery.Looks > 0 {
		r.Facts["looks"] = strconv.Itoa(a.Delivery.Looks)
	}
	if a.Outcome != "" {
		r.Facts["outcome"] = string(a.Outcome)
	}
	return r.Put(batch)
}
