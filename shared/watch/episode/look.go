package episode

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/rule"
)

// Promises returns the promises of a rule, sorted: those it names that the policy has, and those whose kept_by names it.
func Promises(p *policy.Policy, r rule.Rule) []string {
	ids := keptBy(p, policy.Rule, r.Name)
	for _, id := range r.Promises {
		if _, exists := p.Promise(id); exists {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// keptBy returns the promises whose kept_by names something of a mechanism.
func keptBy(p *policy.Policy, m policy.Mechanism, name string) (ids []string) {
	for _, one := range p.Promises {
		if slices.ContainsFunc(one.KeptBy, func(k policy.Keeper) bool {
			return k.Mechanism == m && slices.Contains(k.Refs, name)
		}) {
			ids = append(ids, one.ID)
		}
	}
	return ids
}

// Look says what the rules and the control can say for themselves, for heartbeat.Heart.Beat: one beat of Control, and one
// for each rule that a promise is kept by. Blind are the streams that are off (rule.Set.Blind). A rule runs while the real
// path brings entries and no stream it needs is off, nor one unseen that nobody says is on; otherwise its population is not whole, and what it keeps is unknown.
// What it found stands in findings. A rule in shadow keeps nothing, and says nothing.
func (s *Service) Look(ctx context.Context, blind []rule.Need, now time.Time) ([]heartbeat.Beat, error) {
	marker, _, err := s.pulses(ctx)
	if err != nil {
		return nil, err
	}
	whole := heard(marker, now)
	if blind, err = s.unseen(ctx, blind); err != nil {
		return nil, err
	}
	open, err := s.Store.Query(ctx, store.Query{
		Collection: Episodes, Equal: []store.Field{{Name: "open", Value: true}}, Range: &store.Range{Name: "alarmed"}, Limit: store.MaxQueryResults,
	})
	if err != nil {
		return nil, err
	}
	all := []heartbeat.Beat{beat(Control, keptBy(s.Policy, policy.Records, Control), whole, 0)}
	all[0].Facts = map[string]string{"open": strconv.Itoa(len(open)), "rules": strconv.Itoa(len(s.Rules.Rules()))}
	for _, r := range s.Rules.Rules() {
		if r.Alarm.Shadow || len(keptBy(s.Policy, policy.Rule, r.Name)) == 0 {
			continue
		}
		off := 0
		for _, n := range blind {
			if slices.Contains(n.Rules, r.Name) {
				off++
			}
		}
		b := beat(r.Name, Promises(s.Policy, r), whole, off)
		b.Mechanism = string(policy.Rule)
		all = append(all, b)
	}
	return all, nil
}

func beat(check string, promises []string, whole bool, off int) heartbeat.Beat {
	b := heartbeat.Beat{
		Check: check, Promises: promises, Result: record.Result{State: record.Kept},
		Population: record.Population{Expected: int64(1 + off), Errors: int64(off)},
	}
	if whole {
		b.Population.Seen = 1
	} else {
		b.Population.Errors++
	}
	return b
}
