// Package parts builds what the functions of the drift control have in common from a function's dependencies.
package parts

import (
	"context"
	"slices"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/drift/scan"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Schema is what the drift control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection()}, finding.Collection(), scan.Collection())

// Parts are a function's dependencies and the drift control's findings on them.
type Parts struct {
	*wiring.Deps
	Set      *baseline.Set // assertions that some promise is kept by
	Findings *finding.Service

	notices *notice.Sender
}

// New reads the assertions and builds the services. Misconfigured: an assertion that cannot be read, since one that is left
// out is a promise nobody looks after.
func New(d *wiring.Deps) (*Parts, error) {
	set, problems := baseline.Load(d.Policy)
	for _, problem := range problems {
		if !problem.Dangling {
			return nil, fault.New(fault.Misconfigured, "reading the assertions: %s", problem)
		}
	}
	link, err := d.Site()
	if err != nil {
		return nil, err
	}
	v, err := d.OpenVault()
	if err != nil {
		return nil, err
	}
	p := &Parts{Deps: d, Set: set.Promised(), notices: notice.New(d.Policy, seal.NewCache(d.MessageKeys, d.Random, d.Clock), d.Random)}
	p.Findings, err = finding.New(finding.Config{
		Store: d.Store, Box: d.Box, Policy: d.Policy, Digest: d.PolicyDigest(), Link: link, Notify: p.notices.Notify, Random: d.Random, Words: p.Says,
		Commit: v.Commit,
	})
	return p, err
}

// Says is what an assertion says is wrong, in a language; "" of a difference from Terraform.
func (p *Parts) Says(f finding.Finding, language string) string {
	if f.Class != finding.Forbidden {
		return ""
	}
	for _, name := range p.Set.Names() {
		if f.What == name || len(f.What) > len(name) && f.What[:len(name)+1] == name+" " {
			said, _ := p.Set.Get(name)
			return said.What.In(language)
		}
	}
	return ""
}

// Ready prepares what may give notice: it fails before anything is decided.
func (p *Parts) Ready(ctx context.Context) error {
	if err := p.notices.Ready(ctx); err != nil {
		return caller.Unavailable(err)
	}
	return nil
}
