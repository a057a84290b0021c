// Package parts builds what the functions of the breach control have in common from a function's dependencies: what the
// company decided, its cases, and the notices about them.
//
// What a function is not given it cannot use: whoever lacks the key of texts opens no case. It decides nothing itself.
package parts

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/drill"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Schema is what the breach control keeps in its database.
var Schema = slices.Concat(store.Schema{outbox.Collection(), heartbeat.Collection(), message.Collection()}, cases.Collection(), notice.Collection(), drill.Collection())

// Parts are a function's dependencies and the breach control's services on them. It is safe for concurrent use.
type Parts struct {
	*wiring.Deps
	Breach  breach.Policy // what breach.yaml says
	Cases   *cases.Service
	Notices *notice.Service
	Drills  *drill.Service

	site string
}

// commit makes the commitment that stands for somebody in records.
type commit = func(ctx context.Context, about vault.Subject, now time.Time) (record.Subject, error)

// Off reports whether the policy has no breach.yaml: then nobody declares anything, and nothing runs.
func Off(d *wiring.Deps) bool {
	_, there := d.Policy.Read(breach.File)
	return !there
}

// New reads breach.yaml and the letters. Misconfigured: the policy has none, or one with problems, since a rule that is left
// out is a customer nobody tells.
func New(d *wiring.Deps) (*Parts, error) {
	rules, problems := breach.Read(d.Policy)
	switch {
	case len(problems) > 0:
		return nil, fault.New(fault.Misconfigured, "reading what is decided about breaches: %s", problems[0])
	case !rules.On:
		return nil, fault.New(fault.Misconfigured, "the policy has no %s: the breach control is off", breach.File)
	case d.BreachKeys == nil || d.MessageKeys == nil:
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for %s and %s", d.Manifest.Name, wiring.EnvSealBreach, wiring.EnvSealMessage)
	}
	p := &Parts{Deps: d, Breach: rules}
	var err error
	if p.site, err = d.Site(); err != nil {
		return nil, err
	}
	v, err := d.OpenVault()
	if err != nil {
		return nil, err
	}
	messages := seal.NewCache(d.MessageKeys, d.Random, d.Clock)
	if p.Cases, err = p.newCases(messages, v.Commit); err != nil {
		return nil, err
	}
	if p.Notices, err = p.newNotices(messages, v.Commit); err != nil {
		return nil, err
	}
	p.Drills, err = p.newDrills(messages)
	return p, err
}

func (p *Parts) newCases(messages *seal.Cache, commit commit) (*cases.Service, error) {
	letters, err := cases.Letters(p.Policy.Read)
	if err != nil {
		return nil, err
	}
	return cases.New(cases.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Rules: p.Breach.Rules, Keys: p.BreachKeys, Messages: messages, Letters: letters, Commit: commit,
		Desk: p.Page(casePage), OutOfBand: p.beside, Calls: p.Breach.OnCall.Calls, Purge: p.purge, Random: p.Random,
		// The notices are built after the cases they are about.
		Pending: func(ctx context.Context, id string) ([]cases.Pending, func(store.Tx) (bool, error), error) {
			return p.Notices.Pending(ctx, id)
		},
		Reaches: func(tenant string, compromised []string, now time.Time) bool {
			return p.Notices.Reaches(tenant, compromised, now)
		},
	})
}

func (p *Parts) newDrills(messages *seal.Cache) (*drill.Service, error) {
	letters, err := drill.Letters(p.Policy.Read)
	if err != nil {
		return nil, err
	}
	return drill.New(drill.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Breach: p.Breach, Letters: letters, Messages: messages, Cases: p.Cases, Notices: p.Notices.List,
		OutOfBand: p.beside, Desk: p.Page(casePage), Page: p.Page("drills"), Random: p.Random,
	})
}

// beside is where one of the company's people is reached by a channel when the usual ways may be read or forged.
func (p *Parts) beside(person, channel string) (to string, ok bool) {
	for _, o := range p.Breach.OutOfBand {
		if o.Person == person && person != "" && o.Channel == channel {
			return o.To, true
		}
	}
	return "", false
}

// casePage is the page of a case.
const casePage = "case"

// Page is the address of one of the pages for people.
func (p *Parts) Page(name string) string { return p.site + "/declarebreach/" + name }

// numbers are as long as the numbers of cases that people say, without and with the mark of an exercise.
var numbers = []int{8, 10}

// ID is the id of a case that is given by it or by its number, as messages and people name it.
func (p *Parts) ID(ctx context.Context, ref string) (string, error) {
	if !slices.Contains(numbers, len(ref)) {
		return ref, nil
	}
	found, err := store.Find[cases.Case](p.Store.Query(ctx, store.Query{Collection: cases.Cases, Equal: []store.Field{{Name: "number", Value: ref}}, Limit: 1}))
	if err != nil || len(found) == 0 {
		return ref, err
	}
	return found[0].ID, nil
}

// page is how many cases are read at once.
const page = 100

// Every visits every case, newest first, without its texts.
func (p *Parts) Every(ctx context.Context, visit func(cases.Case) error) error {
	var after *store.Cursor
	for {
		found, err := p.Cases.List(ctx, after, page)
		if err != nil {
			return err
		}
		for _, c := range found {
			if err := visit(c); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
		last := found[len(found)-1]
		after = &store.Cursor{Value: last.Since, ID: last.ID}
	}
}

// Look says how the clocks of all cases stand: how many are out of order. Exercises prove nothing.
func (p *Parts) Look(ctx context.Context) ([]heartbeat.Beat, error) {
	beat := heartbeat.Beat{Check: cases.Control, Promises: p.Promises(cases.Control), Result: record.Result{State: record.Kept, Metric: "overdue", Op: "==", Limit: 0}}
	err := p.Every(ctx, func(c cases.Case) error {
		if c.Exercise || c.State == cases.Closed && !c.Reviewed.IsZero() && c.Overdue == "" {
			return nil
		}
		beat.Population.Expected++
		beat.Population.Seen++
		if c.Overdue != "" {
			beat.Result.Value++
			beat.Result.State = record.Broken
		}
		return nil
	})
	return []heartbeat.Beat{beat}, err
}
