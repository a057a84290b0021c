// Package syncallowlist writes the addresses of live leases, and no others, to every target: at every change and each
// minute. It also ends the leases of people who were suspended or whose authenticator may be in other hands, reminds
// whoever has not registered yet, and sends on what a crash left in the control's outbox.
package syncallowlist

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"

	"ostiary.internal/functions/access/internal/parts"
	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/machine"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/access/reminder"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/access/allowlist/accesslevel"
	_ "ostiary.internal/shared/access/allowlist/cloudarmor"
	_ "ostiary.internal/shared/access/allowlist/file"
	_ "ostiary.internal/shared/access/allowlist/vpcfirewall"
	_ "ostiary.internal/shared/evidence/record/gcs"
	_ "ostiary.internal/shared/platform/bus/pubsub"
	_ "ostiary.internal/shared/platform/directory/workspace"
	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/seal/kms"
	_ "ostiary.internal/shared/platform/store/firestore"
)

//go:embed function.json
var manifest []byte

// Function is this function.
var Function = wiring.Function{Manifest: manifest, Schema: parts.Schema, Build: build}

func init() { functions.HTTP("syncallowlist", Function.Entry()) }

// TopicSuspended tells that an account was suspended or removed.
const TopicSuspended = "person.suspended"

// TopicChanged tells that somebody called an API about an asset.
const TopicChanged = "asset.changed"

// freshness is how old the directory's answer may be when leases are swept: a suspension ends them within a minute.
const freshness = 30 * time.Second

// syncallowlist holds what the handlers share.
type syncallowlist struct {
	*parts.Parts
	leases     *lease.Service
	reconciler *allowlist.Reconciler
	heart      *heartbeat.Heart
	reminder   *reminder.Service
}

func build(ctx context.Context, d *wiring.Deps) (web.Function, error) {
	p, err := parts.New(d)
	if err != nil {
		return web.Function{}, err
	}
	s := &syncallowlist{Parts: p}
	if s.leases, err = p.Leases(); err != nil {
		return web.Function{}, err
	}
	targets, err := p.Targets(ctx)
	if err != nil {
		return web.Function{}, err
	}
	if s.reconciler, err = p.Reconciler(s.leases, targets, s.lost); err != nil {
		return web.Function{}, err
	}
	if s.reminder, err = p.Reminder(s.leases); err != nil {
		return web.Function{}, err
	}
	s.heart = heartbeat.New(heartbeat.Config{Store: d.Store, Box: d.Box, Policy: d.PolicyDigest()})
	return d.Served(machine.Routes(d, machine.On{Event: s.event, Tick: s.tick})...)
}

// grace is how far the clocks of two functions may differ: what was registered so shortly after an authenticator ended
// may still have been registered with it.
const grace = 2 * time.Second

// event takes every message as word that the set has changed, and the ones about a person also as the end of what she
// registered before. A message delivered late must not end what was registered after what it tells of.
func (s *syncallowlist) event(ctx context.Context, e event.Event) error {
	if e.Topic == lease.Topic {
		var about lease.Change
		if err := json.Unmarshal(e.Data, &about); err != nil || about.Lease == "" {
			return fault.New(fault.Invalid, "reading a message of %s: it names no lease", e.Topic)
		}
		return caller.Refused(s.reconcile(ctx))
	}
	if e.Topic == TopicChanged {
		return s.changed(ctx, e)
	}
	var about parts.Ended // of a suspension, the person alone
	if err := json.Unmarshal(e.Data, &about); err != nil || about.Person == "" || e.Time.IsZero() {
		return fault.New(fault.Invalid, "reading a message of %s: no person or no time", e.Topic)
	}
	why := lease.Lost
	switch {
	case e.Topic == TopicSuspended:
		why = lease.Suspended
	case about.Why == otp.ByReset:
		why = lease.Reset
	}
	if _, err := s.leases.EndStarted(ctx, about.Person, why, e.Time.Add(grace)); err != nil {
		return caller.Refused(err)
	}
	return caller.Refused(s.reconcile(ctx))
}

// changed takes in that somebody called an API about an asset. Of the many of a company few are doors.
func (s *syncallowlist) changed(ctx context.Context, e event.Event) error {
	var about allowlist.Call
	if err := json.Unmarshal(e.Data, &about); err != nil {
		return fault.New(fault.Invalid, "reading a message of %s: not one", e.Topic)
	}
	ours, err := s.reconciler.Called(ctx, about, s.Clock.Now())
	if fault.Is(err, fault.Invalid) {
		return err // no other delivery would make a call of it
	}
	if err != nil || !ours {
		return caller.Refused(err)
	}
	return caller.Refused(s.reconcile(ctx))
}

// tick reconciles, sweeps, says what was seen and reminds; each is tried even when another cannot be done.
func (s *syncallowlist) tick(ctx context.Context) error {
	_, swept := s.Box.Sweep(ctx)
	now := s.Clock.Now()
	report, reconciled := s.reconciler.Run(ctx, now)
	beaten := s.heart.Beat(ctx, now, func(ctx context.Context) ([]heartbeat.Beat, error) { return s.look(ctx, report, now) })
	_, reminded := s.reminder.Run(ctx, now)
	return errors.Join(swept, reconciled, beaten, reminded)
}

// reconcile is Transient while a door's write quota asks to wait: the message comes again, and goes then with all others that
// waited.
func (s *syncallowlist) reconcile(ctx context.Context) error {
	report, err := s.reconciler.Run(ctx, s.Clock.Now())
	if wait := report.Wait(); err == nil && wait > 0 {
		return &fault.Error{Kind: fault.Transient, RetryAfter: wait, Err: fault.New(fault.Transient, "writing the allow-list: the write quota of a door asks to wait %s", wait)}
	}
	return err
}

// lost tells why a person may no longer hold a lease: gone from the policy, or her account not in order; "" for one who may.
func (s *syncallowlist) lost(ctx context.Context, id string) (lease.Why, error) {
	person, known := s.Policy.PersonByID(id)
	if !known || !person.Active(s.Clock.Now()) {
		return lease.Withdrawn, nil
	}
	account, err := s.Directory.Lookup(ctx, person.Email, freshness)
	switch {
	case fault.Is(err, fault.NotFound):
		return lease.Suspended, nil
	case err == nil && (account.Suspended || !account.TwoStep):
		return lease.Suspended, nil
	}
	return "", err
}
