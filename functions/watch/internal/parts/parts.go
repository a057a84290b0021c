// Package parts builds what the functions of the watch control have in common from a function's dependencies.
package parts

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/episode"
	"ostiary.internal/shared/watch/listing"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
)

// Schema is what the watch control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection(), listing.Collection()}, episode.Collection())

// Names of the variables only this control reads.
const (
	// EnvStreams lists the services whose Data Access logs are written, separated by commas, or allServices: what the
	// rules need beyond that is blind, and said to be. A service without a setting of its own goes by another's
	// (rule.Need.Switch).
	EnvStreams = "OSTIARY_DATA_ACCESS"
	// EnvLogs lists the other streams that are known to be written, separated by commas: application, access_transparency,
	// login (of Workspace), or all. Rules that look for one that is not listed are blind until an entry of it came.
	EnvLogs = "OSTIARY_LOG_STREAMS"
	// EnvAssets lists the services whose changes are told to other controls, as the logs name them, separated by commas. Empty
	// or all: those whose assets the drift control looks at.
	EnvAssets = "OSTIARY_ASSET_SERVICES"
)

// Parts are a function's dependencies and the watch control's services on them.
type Parts struct {
	*wiring.Deps
	Rules    *rule.Set
	Mappings []auditlog.Mapping
	Listed   *listing.Book
	Episodes *episode.Service

	notices *notice.Sender
}

// New reads the rules and builds the services. Misconfigured: a rule or a mapping that cannot be read, since a rule that is
// left out is a promise nobody keeps.
func New(d *wiring.Deps) (*Parts, error) {
	set, problems := rule.Load(d.Policy)
	mappings, more := rule.Mappings(d.Policy)
	for _, problem := range slices.Concat(problems, more) {
		if !problem.Dangling {
			return nil, fault.New(fault.Misconfigured, "reading the rules: %s", problem)
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
	p := &Parts{Deps: d, Mappings: mappings, Listed: &listing.Book{Store: d.Store, Sites: sites(d)}}
	p.Rules = set.With(p.Listed)
	p.notices = notice.New(d.Policy, seal.NewCache(d.MessageKeys, d.Random, d.Clock), d.Random)
	p.Episodes, err = episode.New(episode.Config{
		Store: d.Store, Box: d.Box, Policy: d.Policy, Rules: p.Rules, Digest: d.PolicyDigest(), Link: link, Notify: p.notices.Notify, Random: d.Random,
		Commit: v.Commit, Bus: d.Bus, Assets: assets(p.list(EnvAssets), d.Policy),
	})
	return p, err
}

// sites are the fixed sites of the access control, if there is one.
func sites(d *wiring.Deps) []listing.Site {
	rules, problems := access.ReadRules(d.Policy)
	if len(problems) > 0 || !rules.On {
		return nil
	}
	var all []listing.Site
	for _, f := range rules.Fixed {
		all = append(all, listing.Site{Prefix: netip.Prefix(f.Prefix), Until: f.Until})
	}
	return all
}

func (p *Parts) list(variable string) []string {
	value, _ := p.Env(variable)
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

// Blind returns the log streams that rules look for and that are not known to be written.
func (p *Parts) Blind() []rule.Need {
	return p.Rules.Blind(rule.Written(p.list(EnvStreams), p.list(EnvLogs)))
}

// Ready prepares what may give notice: it fails before anything is decided.
func (p *Parts) Ready(ctx context.Context) error {
	if err := p.notices.Ready(ctx); err != nil {
		return caller.Unavailable(err)
	}
	return nil
}
