// Package tickbreach does for the breach control what time brings about: clocks tell what has to be told, people are called
// up the ladder until one answers, notices are handed over, exercises begin. It takes what the log watch suspects, hears what
// became of notices, and sends on what a crash left in the control's outbox, also where no breaches are declared.
package tickbreach

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/breach/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/web"

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

func init() { functions.HTTP("tickbreach", Function.Entry()) }

type tickbreach struct {
	*parts.Parts
	heart *heartbeat.Heart
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	if parts.Off(d) {
		// Messages are sent for every control: what a crash left of their answers goes on in any case.
		return d.Served(machine.Routes(d, machine.On{
			Event: func(context.Context, event.Event) error { return nil },
			Tick: func(ctx context.Context) error {
				_, err := d.Box.Sweep(ctx)
				return err
			},
		})...)
	}
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	t := &tickbreach{Parts: p, heart: heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()})}
	return d.Served(machine.Routes(d, machine.On{Event: t.event, Tick: t.tick})...)
}

func (t *tickbreach) event(ctx context.Context, e event.Event) error {
	if e.Topic == topicSuspicion {
		s, err := readSuspicion(e.Data)
		if err != nil {
			return err
		}
		return understood(t.suspected(ctx, s))
	}
	var a message.Answer
	if err := json.Unmarshal(e.Data, &a); err != nil || a.Key == "" {
		return fault.New(fault.Invalid, "reading a message of %s: not the JSON of one", e.Topic)
	}
	now := t.Clock.Now()
	// Dead between the two, it comes again, and so does the answer.
	told, err := t.Notices.Answered(ctx, a, now)
	if err == nil {
		err = t.Tell(ctx, told, now)
	}
	if a.Fate() { // calls to staff and exercises ask whether it was taken, and hear that apart
		return understood(err)
	}
	return understood(errors.Join(err, t.Cases.Answered(ctx, a, now), t.Drills.Answered(ctx, a, now)))
}

// understood keeps an error of ours from reading as if the message could never be understood.
func understood(err error) error { return machine.Understood("acting on a message", err) }

// tick is one run of the schedule; each part is tried even when another cannot be done.
func (t *tickbreach) tick(ctx context.Context) error {
	_, swept := t.Box.Sweep(ctx)
	now := t.Clock.Now()
	ticked := t.Cases.Tick(ctx, now)
	all := errors.Join(swept, ticked, t.Notices.Tick(ctx, now), t.Drills.Tick(ctx, now))
	if ticked != nil {
		return all // whoever does not hear of a clock must not hear that all is well
	}
	return errors.Join(all, t.heart.Beat(ctx, now, t.Look))
}
