// Package watchallowlist looks at every door each minute, with an identity and a store of its own, and takes away what nobody
// holds any more where whoever keeps the doors does not. It never lets anybody in.
package watchallowlist

import (
	"context"
	_ "embed"
	"errors"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/notice"
	"ostiary.internal/shared/access/watchdog"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/access/allowlist/accesslevel"
	_ "ostiary.internal/shared/access/allowlist/cloudarmor"
	_ "ostiary.internal/shared/access/allowlist/file"
	_ "ostiary.internal/shared/access/allowlist/vpcfirewall"
	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function. Of the control's database it only reads the leases.
var Function = wiring.Function{Manifest: manifest, Schema: lease.Collection(), Build: build}

func init() { functions.HTTP("watchallowlist", Function.Entry()) }

// own is what it keeps in the database that is its alone.
var own = append(store.Schema{outbox.Collection()}, watchdog.Collection()...)

// watchallowlist holds what the handlers share.
type watchallowlist struct {
	*parts.Parts
	dog *watchdog.Dog
	box *outbox.Box
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	targets, err := p.Targets(ctx)
	if err != nil {
		return web.Function{}, err
	}
	url, _ := d.Env(wiring.EnvWatchdog)
	if url == "" {
		return web.Function{}, fault.New(fault.Misconfigured, "%s: %s is not set", d.Manifest.Name, wiring.EnvWatchdog)
	}
	kept, err := store.Drivers.Open(ctx, url, store.Options{Schema: own, Clock: d.Clock})
	if err != nil {
		return web.Function{}, err
	}
	d.Keep(kept)
	w := &watchallowlist{Parts: p, box: d.Outbox(kept)}
	doors := notice.NewDoors(d.Policy, seal.NewCache(d.MessageKeys, d.Random, d.Clock), d.Random, d.Clock)
	w.dog, err = watchdog.New(watchdog.Config{
		Store: kept, Box: w.box, Leases: lease.Reader(d.Store), Sites: p.Rules.Fixed, Targets: targets, Tell: doors.Tell, Ready: doors.Ready,
		Promises: d.Promises("ip-allowlist"), Policy: d.PolicyDigest(), Log: d.Log,
	})
	if err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{Tick: w.tick})...)
}

// tick looks, and sends on what a crash left.
func (w *watchallowlist) tick(ctx context.Context) error {
	_, swept := w.box.Sweep(ctx)
	_, looked := w.dog.Look(ctx, w.Clock.Now())
	return errors.Join(swept, looked)
}
