// Package keeppromises follows the evidence log, computes each minute from it what is kept of every promise, and puts
// the page that says so on the shelf together with the record about it. It also does what the clock brings about in
// duties and statements, looks from outside at what the policy lets probes look at, and sends on what a crash left in the
// control's outbox.
//
// It promises that a page is never computed from a log that does not continue the one followed before, nor from part
// of one: then no page is made, and the last one soon says that nothing is known, until the log continues again or says
// itself that a person accepted that it was set back. What it keeps of the log it can make again from the first leaf.
package keeppromises

import (
	"compress/flate"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/intake"
	"ostiary.internal/shared/trust/probe"
	"ostiary.internal/shared/trust/probe/outside"
	"ostiary.internal/shared/trust/promise"

	_ "ostiary.internal/shared/evidence/log/gcs"
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
var Function = wiring.Function{Manifest: manifest, Build: build,
	Schema: slices.Concat(parts.Schema, store.Schema{heartbeat.Collection(), probe.Collection(), {Name: ledgers}, {Name: pieces}})}

func init() { functions.HTTP("keeppromises", Function.Entry()) }

// check is the name under which this function says that it looks.
const check = "keeppromises"

// EnvProbes says which hosts probes may reach: public or loopback.
const EnvProbes = "OSTIARY_PROBES"

// canaryToken is the secret that holds a token of the canary tenant, for the probe that asks for what belongs to another.
const canaryToken = "canary-token"

// prober measures from outside what promises say of our own doors, and records it.
type prober interface {
	Run(ctx context.Context, now time.Time) error
	Beats(ctx context.Context, now time.Time) ([]heartbeat.Beat, error)
}

// keeppromises is one instance.
type keeppromises struct {
	*parts.Parts
	log      *evidence.Log
	heart    *heartbeat.Heart // its own
	probes   prober
	pulse    *heartbeat.Heart // of the probes and of what senders feed
	register promise.Register
	digest   string // of the register

	mu       sync.Mutex      // one run at a time
	ledger   *promise.Ledger // as it is stored; nil: it has to be read
	place    place           // as it was read or written last
	most     int             // pieces in one transaction
	searched log.Point       // how far no rewind was found that ends the departure
	standing standing        // as it was computed last
	deflater *flate.Writer   // of large pieces: over a megabyte of tables, which is not made anew each minute
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	k, err := start(ctx, d)
	if err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{Tick: k.tick})...)
}

func start(ctx context.Context, d *wiring.Deps) (*keeppromises, error) {
	p, err := parts.New(d)
	if err != nil {
		return nil, err
	}
	k := &keeppromises{Parts: p, register: promise.NewRegister(d.Policy, p.Duties.Rules.Register()), most: mostPieces}
	k.digest = k.register.Digest()
	beats := heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()}
	k.heart, k.pulse = heartbeat.New(beats), heartbeat.New(beats)
	to, _ := d.Env(EnvProbes)
	eye, err := outside.New(reach.Network(to), d.Clock, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", d.Manifest.Name, EnvProbes, err)
	}
	canary := func(ctx context.Context) ([]byte, error) { return d.Secrets.Get(ctx, canaryToken) }
	if k.probes, err = probe.New(probe.Config{Store: d.Store, Box: d.Box, Eye: eye, Policy: d.Policy, Digest: d.PolicyDigest(), Canary: canary}); err != nil {
		return nil, err
	}
	k.log, err = evidence.Open(ctx, d)
	return k, err
}

// attempts is how often a run begins anew that another instance has overtaken.
const attempts = 3

func (k *keeppromises) tick(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.run(ctx, k.Clock.Now())
}

// run is one run. What cannot be done does not stop the rest; but nothing is said of promises unless the log could be
// followed.
func (k *keeppromises) run(ctx context.Context, now time.Time) error {
	_, swept := k.Box.Sweep(ctx)
	var head log.Checkpoint
	followed := errOvertaken
	for i := 0; i < attempts && errors.Is(followed, errOvertaken); i++ {
		head, followed = k.follow(ctx, now)
	}
	errs := []error{swept, followed}
	if followed == nil {
		errs = append(errs, k.show(ctx, now, head), k.beat(ctx, now, head))
	}
	errs = append(errs, k.Parts.Tick(ctx, now), k.probe(ctx, now))
	return errors.Join(errs...)
}

// probe looks at what is due, and says once in a quarter of an hour how much of all there is was seen, by probes and by
// the checks that senders feed.
func (k *keeppromises) probe(ctx context.Context, now time.Time) error {
	return errors.Join(k.probes.Run(ctx, now), k.pulse.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) {
		looked, err := k.probes.Beats(ctx, now)
		if err != nil {
			return nil, err
		}
		fed, err := intake.Beats(ctx, k.Store)
		return append(looked, fed...), err
	}))
}

// beat says once in a quarter of an hour how much of the log was followed.
func (k *keeppromises) beat(ctx context.Context, now time.Time, head log.Checkpoint) error {
	return k.heart.Beat(ctx, now, func(context.Context) ([]heartbeat.Beat, error) {
		return []heartbeat.Beat{{Check: check, Promises: k.Promises(check), Result: record.Result{State: record.Kept},
			Population: record.Population{Expected: head.Size, Seen: min(k.ledger.Size(), head.Size)}}}, nil
	})
}
