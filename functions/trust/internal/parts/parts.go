// Package parts builds what the functions of the trust control have in common from a function's dependencies.
package parts

import (
	"context"
	"errors"
	"slices"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/desk"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/intake"
	"ostiary.internal/shared/trust/notice"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/statement"
	"ostiary.internal/shared/trust/waiver"
)

// Schema is what the trust control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection(), statement.Collection(), waiver.Collection()}, duty.Collection(), intake.Collection(), shelf.Collections())

// Parts are a function's dependencies and the trust control's services on them.
type Parts struct {
	*wiring.Deps
	Notices    *notice.Sender
	Duties     *duty.Service
	Statements *statement.Service
	Waivers    *waiver.Service
}

// New reads duties.yaml and builds the services. A function that does not read OSTIARY_VAULT can run Tick, and can decide
// nothing that names a person; one that does not read OSTIARY_SEAL_MESSAGE tells nobody. Misconfigured: a wrong
// duties.yaml.
func New(d *wiring.Deps) (*Parts, error) {
	rules, problems := duty.ReadRules(d.Policy)
	for _, problem := range problems {
		if !problem.Dangling {
			return nil, fault.New(fault.Misconfigured, "reading the duties: %s", problem)
		}
	}
	p := &Parts{Deps: d}
	if d.MessageKeys != nil {
		p.Notices = notice.New(d.Policy, seal.NewCache(d.MessageKeys, d.Random, d.Clock), d.Random)
	}
	commit := func(context.Context, string, time.Time) (record.Subject, error) {
		return record.Subject{}, fault.New(fault.Misconfigured, "%s: naming a person in evidence takes the vault", d.Manifest.Name)
	}
	if d.Vault != nil {
		v, err := d.OpenVault()
		if err != nil {
			return nil, err
		}
		commit = func(ctx context.Context, person string, now time.Time) (record.Subject, error) {
			return v.Commit(ctx, vault.Subject{Type: "person", ID: person}, now)
		}
	}
	on := desk.Desk{Store: d.Store, Box: d.Box, Policy: d.Policy, Digest: d.PolicyDigest(), Commit: commit, Notify: p.notify, Random: d.Random}
	var errs [3]error
	p.Duties, errs[0] = duty.New(on, rules)
	p.Statements, errs[1] = statement.New(on)
	p.Waivers, errs[2] = waiver.New(on)
	return p, errors.Join(errs[:]...)
}

func (p *Parts) notify(b *outbox.Batch, n notice.Notice) error {
	if p.Notices == nil {
		return nil
	}
	return p.Notices.Notify(b, n)
}

// Ready prepares what may give notice: it fails before anything is decided.
func (p *Parts) Ready(ctx context.Context) error {
	if p.Notices == nil {
		return nil
	}
	if err := p.Notices.Ready(ctx); err != nil {
		return caller.Unavailable(err)
	}
	return nil
}

// Tick does what the clock has brought about in duties and statements, and tells of it.
func (p *Parts) Tick(ctx context.Context, now time.Time) error {
	if err := p.Ready(ctx); err != nil {
		return err
	}
	return errors.Join(p.Duties.Tick(ctx, now), p.Statements.Tick(ctx, now))
}
