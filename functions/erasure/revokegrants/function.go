// Package revokegrants ends, at the providers, the connections by which the product acts for people at other accounts: when an
// account closes, is downgraded, or somebody is erased. It also tells the recipients of data that it was erased, and customers'
// programs how their instructions go. Each minute it goes on with what waits; what a crash left in its outbox the
// function planerasure sends on.
package revokegrants

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/oauth/secretmanager"
	"ostiary.internal/shared/erasure/oauth/upstream"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/erasure/recipient/wire"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/erasure/firestore"
	_ "ostiary.internal/shared/erasure/gcs"
	_ "ostiary.internal/shared/erasure/hook"
	_ "ostiary.internal/shared/erasure/mongodb"
	_ "ostiary.internal/shared/erasure/postgres"
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

func init() { functions.HTTP("revokegrants", Function.Entry()) }

// TopicAccount is on which the product says that an account ended or lost its connections: the payload is a Change.
const TopicAccount = "account.changed"

// Change is what the product says of one account. Connections made after At are not touched: a message may come late, and
// twice.
type Change struct {
	V      int         `json:"v"`
	Tenant string      `json:"tenant"`
	Change oauth.Cause `json:"change"` // oauth.Cancelled or oauth.Downgraded
	At     time.Time   `json:"at"`
}

// ahead is how far the product's clock may go before ours.
const ahead = 5 * time.Minute

// budget is how much of a call goes to the stores and to others; the rest of the time-out is for what follows.
const budget = 4 * time.Minute

type revokegrants struct {
	*parts.Parts
	heart       *heartbeat.Heart
	connections *lazy.Value[*oauth.Service]
	recipients  *lazy.Value[*recipient.Service]
	outside     http.RoundTripper
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	transport, err := outside(p)
	if err != nil {
		return web.Function{}, err
	}
	f := &revokegrants{Parts: p, outside: transport, heart: heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()})}
	providers, recipients := upstream.New(transport, d.Secrets.Get), wire.New(transport, d.Secrets.Get, d.Clock)
	recipients.Unsigned = transport != nil // what stands for others has no certificate
	f.connections = lazy.New(func(ctx context.Context) (*oauth.Service, error) {
		return p.Connections(ctx, secretmanager.New(nil), func(c *oauth.Config) { c.Revoke = providers.Revoke })
	})
	f.recipients = lazy.New(func(ctx context.Context) (*recipient.Service, error) {
		return p.Recipients(ctx, func(c *recipient.Config) { c.Send = recipients.Send })
	})
	return d.Served(machine.Routes(d, machine.On{Event: f.event, Tick: f.tick})...)
}

func (f *revokegrants) event(ctx context.Context, e event.Event) error {
	switch e.Topic {
	case message.TopicFailed, message.TopicUnknown:
		var a message.Answer
		if err := json.Unmarshal(e.Data, &a); err != nil {
			return fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
		}
		recipients, err := f.recipients.Get(ctx)
		if err != nil {
			return err
		}
		return parts.Understood(recipients.Answered(ctx, a, f.Clock.Now()))
	case TopicAccount:
		return f.changed(ctx, e)
	}
	id, err := f.Meant(ctx, e)
	if err != nil {
		return err
	}
	return parts.Understood(f.requested(ctx, id))
}

// requested ends the connections of a request that was approved: of an account at once, before its grace is over.
func (f *revokegrants) requested(ctx context.Context, id string) error {
	requests, err := f.Requests(ctx)
	if err != nil {
		return err
	}
	w, err := requests.Work(ctx, id, f.Clock.Now())
	if fault.CodeOf(err) == "request_unknown" {
		return nil // it ended long ago
	}
	if err != nil {
		return err
	}
	if w.Kind != request.Account || w.State != request.Approved && w.State != request.Executing {
		return f.cut(ctx, oauth.Cut{}) // of a person the engine has kept them, and they wait here
	}
	steps, err := f.Map.Close(w.Tenant)
	if err != nil {
		return err
	}
	holds := w.Holds
	for _, b := range w.Beside {
		holds = append(holds, b.Holds...) // of such an entry the engine takes what nobody holds
	}
	steps = slices.DeleteFunc(steps, func(s datamap.Step) bool {
		return slices.ContainsFunc(holds, func(h request.Hold) bool { return h.Entry == s.Entry.ID })
	})
	return f.cut(ctx, oauth.Cut{Request: id, Tenant: w.Tenant, Cause: oauth.Cancelled, Steps: steps})
}

// changed ends the connections of an account that the product says has ended, or has none any more.
func (f *revokegrants) changed(ctx context.Context, e event.Event) error {
	var c Change
	if err := json.Unmarshal(e.Data, &c); err != nil || c.V != 1 || c.Tenant == "" || c.At.IsZero() || c.At.After(f.Clock.Now().Add(ahead)) || c.Change != oauth.Cancelled && c.Change != oauth.Downgraded {
		return fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
	}
	steps, err := f.Map.Close(c.Tenant)
	if err != nil {
		return err // Invalid for what is no tenant
	}
	return parts.Understood(f.cut(ctx, oauth.Cut{Tenant: c.Tenant, Cause: c.Change, Steps: steps, Before: c.At}))
}

// cut takes connections, and begins to end them. What is not done at once the schedule goes on with; what could not be taken in
// half of the time the message brings again, when those that were are out of the product.
func (f *revokegrants) cut(ctx context.Context, c oauth.Cut) error {
	connections, err := f.connections.Get(ctx)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	c.Over = func() bool { return f.Clock.Now().After(now.Add(budget / 2)) }
	_, unfinished := connections.Take(ctx, c, now)
	if unfinished != nil && !errors.Is(unfinished, oauth.ErrUnfinished) {
		return unfinished
	}
	if err := connections.Work(ctx, now, now.Add(budget), f.Clock.Now); err != nil {
		f.Log.WarnContext(ctx, "a connection could not be ended yet; it is tried again", "error", err)
	}
	return unfinished
}

// tick is one run of the schedule; each part is tried even when another cannot be done. What a crash left in the outbox
// planerasure sends on: it may publish whatever the control writes.
func (f *revokegrants) tick(ctx context.Context) error {
	now := f.Clock.Now()
	until := now.Add(budget / 2)
	var errs []error
	connections, err := f.connections.Get(ctx)
	if errs = append(errs, err); err == nil {
		errs = append(errs, connections.Work(ctx, now, until, f.Clock.Now))
		errs = append(errs, f.heart.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) { return connections.Look(ctx, now) }))
	}
	recipients, err := f.recipients.Get(ctx)
	if errs = append(errs, err); err == nil {
		errs = append(errs, recipients.Work(ctx, now, now.Add(budget), f.Clock.Now))
	}
	if err := f.PublishCertificate(ctx); fault.Is(err, fault.Misconfigured) {
		f.Log.WarnContext(ctx, "the certificate for customers' programs cannot be published", "error", err) // whoever takes no instructions has none
	} else {
		errs = append(errs, err)
	}
	callbacks, err := f.Callbacks(ctx, f.outside)
	if errs = append(errs, err); err == nil {
		_, err = callbacks.Sweep(ctx, now)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
