// Package tickwatch does for the watch control what time brings about: windows settle, alarms that were held go out, people
// are reminded, silence becomes a suspicion, episodes close. It writes the marker that has to come back by the way log
// entries come, says what the rules saw, and sends on what a crash left in the control's outbox.
package tickwatch

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/internal/parts"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"

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

func init() { functions.HTTP("tickwatch", Function.Entry()) }

type tickwatch struct {
	*parts.Parts
	heart  *heartbeat.Heart
	marked atomic.Int64 // microseconds since 1970: when this instance wrote the marker last
}

func build(_ context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	w := &tickwatch{Parts: p, heart: heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()})}
	for _, need := range p.Blind() {
		d.Log.Warn("rules are blind: a log stream they look for is not known to be written", "service", need.Service, "stream", string(need.Stream),
			"rules", strings.Join(need.Rules, " "))
	}
	if believing := p.Rules.Believing(); len(believing) > 0 {
		d.Log.Warn("a ticket counts as open unless its closing is logged: no log says which are", "rules", strings.Join(believing, " "))
	}
	if anywhere := p.Rules.Anywhere(); len(anywhere) > 0 {
		d.Log.Warn("not judged: no regions in watch.yaml", "rules", strings.Join(anywhere, " "))
	}
	return d.Served(machine.Routes(d, machine.On{Tick: w.tick})...)
}

// tick is one run of the schedule; each part is tried even when another cannot be done.
func (w *tickwatch) tick(ctx context.Context) error {
	_, swept := w.Box.Sweep(ctx)
	now := w.Clock.Now()
	ready := w.Ready(ctx)
	errs := []error{swept, w.mark(ctx, now), ready}
	if ready == nil {
		errs = append(errs, w.Episodes.Tick(ctx, now))
	}
	return errors.Join(append(errs, w.beat(ctx, now))...)
}

// beat says what the rules saw, as soon as there is anything to say: a beat stands for a quarter of an hour, and one too
// early would call unknown what is merely new.
func (w *tickwatch) beat(ctx context.Context, now time.Time) error {
	if ready, err := w.Episodes.Listened(ctx, now); err != nil || !ready {
		return err
	}
	return w.heart.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) { return w.Episodes.Look(ctx, w.Blind(), now) })
}

// mark writes the marker into the log: the sink carries it to watchaudit as it carries every entry.
func (w *tickwatch) mark(ctx context.Context, now time.Time) error {
	if last := w.marked.Load(); now.UnixMicro()-last < episode.HeartbeatInterval.Microseconds() {
		return nil
	}
	value, err := w.Episodes.NewMarker(ctx, now)
	if err != nil {
		return err
	}
	w.marked.Store(now.UnixMicro())
	w.Log.LogAttrs(ctx, log.LevelNotice, "the watch is awake", slog.Any("labels", log.Labels{episode.HeartbeatLabel: value}))
	return nil
}
