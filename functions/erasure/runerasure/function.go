// Package runerasure erases: what was planned and approved, page by page, and what a later search found. Told that something was
// written, it has those searched for again of whom it may be. It decides nothing and completes nothing: a search by an account that
// can only read does.
package runerasure

import (
	"context"
	_ "embed"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/oauth/secretmanager"
	"ostiary.internal/shared/platform/event"
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

func init() { functions.HTTP("runerasure", Function.Entry()) }

// budget is how much of a call goes to the engine; the rest of the time-out is for what follows.
const budget = 4 * time.Minute

type runerasure struct{ *parts.Parts }

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	if err := p.OpenLedger(ctx); err != nil {
		return web.Function{}, err
	}
	p.Tokens = secretmanager.New(nil)
	f := &runerasure{p}
	return d.Served(machine.Routes(d, machine.On{Event: f.event})...)
}

func (f *runerasure) event(ctx context.Context, e event.Event) error {
	if e.Topic == parts.TopicWritten {
		return f.Written(ctx, e)
	}
	id, err := f.Meant(ctx, e)
	if err != nil {
		return err
	}
	clerk, err := f.Clerk(ctx, budget)
	if err != nil {
		return err
	}
	again, err := clerk.Carry(ctx, id)
	return f.Again(ctx, e, again, err)
}
