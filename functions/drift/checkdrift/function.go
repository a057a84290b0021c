// Package checkdrift looks at what the company has on Google Cloud: at everything once a night, and within the minute at
// what a message says changed. What is otherwise than promised, or than Terraform wants, becomes a finding with the name of
// who it may have been. So does what is otherwise than released of the controls themselves.
//
// It promises that a message is a hint and never an answer, that what cannot be read is neither in order nor healed, and that a
// list that was stopped goes on where it was. It repairs nothing.
package checkdrift

import (
	"context"
	_ "embed"
	"errors"
	"strings"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/drift/internal/parts"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/agents"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/attribution"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/people"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/drift/asset/cloudasset"
	_ "ostiary.internal/shared/drift/diff/gcs"
	_ "ostiary.internal/shared/drift/self/monitoring"
	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/directory/workspace"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// released is what can be seen from outside of each function of the house.
//
//go:embed functions.json
var released []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("checkdrift", Function.Entry()) }

// Topics that wake the function: a feed of Cloud Asset Inventory writes to the first, the watch control tells of calls by the
// second.
const (
	TopicFeed    = "asset.feed"
	TopicChanged = "asset.changed"
)

// Names of the variables only this function reads.
const (
	// EnvAssets is where what there is can be read: URLs of sources, separated by spaces.
	EnvAssets = "OSTIARY_ASSETS"
	// EnvStates is where Terraform keeps what it wants: URLs of states, separated by spaces. May be empty.
	EnvStates = "OSTIARY_STATES"
	// EnvSelf is what the deployment says of itself, as self.Deployed, packed; nothing: the controls themselves are not looked at.
	EnvSelf = "OSTIARY_SELF"
)

type checkdrift struct {
	*parts.Parts
	scan  *scan.Service
	heart *heartbeat.Heart
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	c := &checkdrift{Parts: p, heart: heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()})}
	sources, states, err := c.open(ctx)
	if err != nil {
		return web.Function{}, err
	}
	deployed, _ := c.Env(EnvSelf)
	own, err := self.Expect(released, deployed)
	if err != nil {
		return web.Function{}, err
	}
	named, _ := c.Env(EnvStates)
	c.scan, err = scan.New(scan.Config{
		Store: d.Store, Clock: d.Clock, Log: d.Log, Sources: sources, States: states, Named: strings.Fields(named), Set: p.Set, Findings: p.Findings, Random: d.Random, Agents: agents.Made, Self: own,
	})
	if err != nil {
		return web.Function{}, err
	}
	return d.Served(machine.Routes(d, machine.On{Event: c.event, Tick: c.tick})...)
}

// open opens what is read: what there is, the accounts of the directory, and what Terraform wants.
func (c *checkdrift) open(ctx context.Context) ([]asset.Source, []diff.Source, error) {
	places, _ := c.Env(EnvAssets)
	var sources []asset.Source
	for _, url := range strings.Fields(places) {
		source, err := asset.Sources.Open(ctx, url, asset.Options{Clock: c.Clock})
		if err != nil {
			return nil, nil, err
		}
		c.Keep(source)
		sources = append(sources, source)
	}
	if len(sources) == 0 {
		return nil, nil, fault.New(fault.Misconfigured, "%s is not set: where what there is can be read, such as cloudasset:organizations/1", EnvAssets)
	}
	wanted, _ := c.Env(EnvStates)
	var states []diff.Source
	for _, url := range strings.Fields(wanted) {
		state, err := diff.Sources.Open(ctx, url, diff.SourceOptions{})
		if err != nil {
			return nil, nil, err
		}
		c.Keep(state)
		states = append(states, state)
	}
	return append(sources, people.New(c.Directory, c.Policy, c.Clock)), states, nil
}

// event takes a message that something changed, and looks at it. It is acknowledged when what there is now is known.
func (c *checkdrift) event(ctx context.Context, e event.Event) error {
	if err := c.Ready(ctx); err != nil {
		return err
	}
	names, err := c.scan.Names(ctx)
	if err != nil {
		return understood(err)
	}
	if e.Topic == TopicFeed {
		a, err := asset.Feed(e.Data, names)
		if err != nil {
			return err
		}
		return understood(c.scan.Look(ctx, a.Type, a.Key))
	}
	h, err := attribution.Read(e.Data, names)
	if err != nil {
		return err
	}
	if err := c.scan.Hint(ctx, h); err != nil {
		return understood(err)
	}
	return understood(c.scan.Look(ctx, "", h.Asset))
}

// understood keeps an error of ours from reading as if the message could never be understood.
func understood(err error) error { return machine.Understood("looking at what changed", err) }

// tick is one run of the schedule; each part is tried even when another cannot be done.
func (c *checkdrift) tick(ctx context.Context) error {
	_, swept := c.Box.Sweep(ctx)
	now := c.Clock.Now()
	ready := c.Ready(ctx)
	errs := []error{swept, ready}
	if ready == nil {
		errs = append(errs, c.Findings.Tick(ctx, now, c.scan.Seek, func(f finding.Finding) bool { return c.scan.Applying(ctx, f) }), c.scan.Run(ctx))
	}
	return errors.Join(append(errs, c.beat(ctx, c.Clock.Now()))...)
}

// beat says what the assertions saw, as soon as there is anything to say.
func (c *checkdrift) beat(ctx context.Context, now time.Time) error {
	counts, is, err := c.scan.Counts(ctx)
	if err != nil || !is {
		return err
	}
	return c.heart.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) { return c.Findings.Beats(ctx, counts), nil })
}
