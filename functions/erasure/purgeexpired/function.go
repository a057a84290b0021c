// Package purgeexpired erases by age, once a day: what the data map's rules of retention say, in each tenant's data; and what
// is kept of people who worked here, after their last day, until the evidence vault forgets them too. Where backups are kept
// longer than they were, it has the ledger of who was erased remember for longer too.
package purgeexpired

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/purge"
	"ostiary.internal/shared/evidence/vault"
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

func init() { functions.HTTP("purgeexpired", Function.Entry()) }

// budget is how much of a run goes to the stores. What is not done then, the next run does.
const budget = 4 * time.Minute

type purgeexpired struct {
	*parts.Parts
	sweeper *purge.Sweeper
	vault   *vault.Vault
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	f := &purgeexpired{Parts: p}
	if f.sweeper, err = p.Sweeper(); err != nil {
		return web.Function{}, err
	}
	f.sweeper.Alarm = p.Alarm()
	if err := p.Lengthen(ctx, f.sweeper); err != nil {
		return web.Function{}, err
	}
	if f.vault, err = d.ForgettingVault(); err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{Tick: f.tick})...)
}

func (f *purgeexpired) tick(ctx context.Context) error {
	_, err := f.sweeper.Run(ctx, f.Clock.Now().Add(budget))
	// What the vault has begun to forget goes on even when nothing else does.
	return errors.Join(err, f.vault.Tick(ctx, f.Clock.Now()))
}
