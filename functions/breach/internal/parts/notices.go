package parts

import (
	"context"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/policy"
)

func (p *Parts) newNotices(messages *seal.Cache, commit commit) (*notice.Service, error) {
	texts, err := notice.Read(p.Policy.Read)
	if err != nil {
		return nil, err
	}
	staff, err := notice.LettersStaff(p.Policy.Read)
	if err != nil {
		return nil, err
	}
	var others []notice.Other
	for _, o := range p.Breach.OutOfBand {
		others = append(others, notice.Other(o))
	}
	return notice.New(notice.Config{
		Store: p.Store, Box: p.Box, Policy: p.Policy, Digest: p.PolicyDigest(), Letters: texts, Staff: staff, Keys: p.BreachKeys, Messages: messages, Commit: commit,
		Drill: p.Breach.Drill, OutOfBand: others, Desk: p.Page(casePage), Random: p.Random, Crier: p.Cases.Crier, Case: p.about, Tell: p.tell, Untell: p.untell, Restored: p.Breach.Restored, Calls: p.Breach.OnCall.Calls, Keep: p.kept, Worked: p.worked,
	})
}

// about is a case as its notices need to know it.
func (p *Parts) about(ctx context.Context, id string) (notice.About, error) {
	c, err := p.Cases.Get(ctx, id)
	if err != nil {
		return notice.About{}, err
	}
	return notice.AboutCase(c.Case, p.Breach.Rules, p.Policy.Company.Name, p.Clock.Now()), nil
}

// tell lets a case know, in one event, which tenants have a notice of ours.
func (p *Parts) tell(ctx context.Context, id string, told []notice.Told, now time.Time) error {
	_, err := p.Cases.Do(ctx, id, policy.Person{}, cases.Event{What: cases.Told, Arrivals: arrivals(told)}, cases.Words{}, now)
	return err
}

// untell lets a case know of tenants that seemed to have a notice of ours and do not.
func (p *Parts) untell(ctx context.Context, id string, tenants map[string]bool, now time.Time) error {
	e := cases.Event{What: cases.Untold, Arrivals: map[string]time.Time{}}
	for tenant := range tenants {
		e.Arrivals[tenant] = time.Time{}
	}
	_, err := p.Cases.Do(ctx, id, policy.Person{}, e, cases.Words{}, now)
	return err
}

// kept lets a case know that tenants heard again, as they were promised.
func (p *Parts) kept(ctx context.Context, id string, at, now time.Time) error {
	_, err := p.Cases.Do(ctx, id, policy.Person{}, cases.Event{What: cases.Keep, Name: notice.NextUpdate, Noted: true, At: at}, cases.Words{}, now)
	return err
}

// worked lets a case know that somebody is at its notices.
func (p *Parts) worked(ctx context.Context, id, person string, now time.Time) error {
	by, known := p.Policy.PersonByID(person)
	if !known {
		return nil
	}
	_, err := p.Cases.Do(ctx, id, by, cases.Event{What: cases.Work}, cases.Words{}, now)
	return err
}

// purge deletes the notices of a case that is about to be deleted.
func (p *Parts) purge(ctx context.Context, id string, now time.Time) error {
	return p.Notices.Purge(ctx, id, now)
}

// arrivals are when each tenant was told first.
func arrivals(told []notice.Told) map[string]time.Time {
	all := map[string]time.Time{}
	for _, t := range told {
		if first, known := all[t.Tenant]; !known || t.At.Before(first) {
			all[t.Tenant] = t.At
		}
	}
	return all
}

// Tell lets cases know what came of a message. It may be called again with the same.
func (p *Parts) Tell(ctx context.Context, told []notice.Told, now time.Time) error {
	for _, t := range told {
		if err := p.tell(ctx, t.Case, []notice.Told{t}, now); err != nil {
			return err
		}
	}
	return nil
}
