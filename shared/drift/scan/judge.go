package scan

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

// judgements takes what assertions say. That something is in order is not believed where not all was read that it is held
// against.
func (s *Service) judgements(v *verdicts, k *known, live *baseline.Live, all []baseline.Judgement) {
	short := map[string]bool{}
	if len(k.blinds)+len(k.behind) > 0 {
		for _, name := range s.Set.Names() {
			short[name] = s.short(k, s.Set.Needs(name))
		}
	}
	for _, j := range all {
		if j.Verdict == baseline.Exempt {
			continue
		}
		c := v.counts[j.Assertion]
		if c == nil {
			c = &finding.Count{Assertion: j.Assertion}
			v.counts[j.Assertion] = c
		}
		c.Expected++
		verdict := j.Verdict
		if s.unseen(k, j) || past(k, j) || verdict == baseline.InOrder && short[j.Assertion] {
			verdict = baseline.Undetermined
		}
		switch verdict {
		case baseline.Undetermined:
			c.Undetermined++
			v.doubt[finding.ID(j.Key, finding.About(j.Assertion, j.Promise))] = true
			s.untell(v, k, j)
		case baseline.OutOfOrder:
			c.Seen, c.Out = c.Seen+1, c.Out+1
			v.add(s.forbidden(k, live, j))
			v.rests(j)
		default:
			c.Seen++
		}
	}
}

// unseen reports whether nobody can tell what a judgement rests on: of the company, as soon as any of what it looks at was not
// listed.
func (s *Service) unseen(k *known, j baseline.Judgement) bool {
	if j.Key != "" {
		kind := ""
		if a, there := k.live.Get("", j.Key); there {
			kind = a.Type
		}
		_, is := k.unseen(kind, j.Key)
		return is
	}
	return s.short(k, s.Set.Looks(j.Assertion))
}

// past reports whether a judgement rests on a fact that is too old to say anything of now.
func past(k *known, j baseline.Judgement) bool {
	return !j.Read.IsZero() && j.Read.Before(k.at.Add(-Stale))
}

// short reports whether some of some types could not be listed.
func (s *Service) short(k *known, kinds []string) bool {
	return len(k.blinds)+len(k.behind) > 0 && slices.ContainsFunc(kinds, func(kind string) bool { return !k.read(kind, s.listed) })
}

// forbidden is what an assertion found out of order.
func (s *Service) forbidden(k *known, live *baseline.Live, j baseline.Judgement) finding.Seen {
	seen := finding.Seen{Read: k.at}
	seen.Asset, seen.What, seen.Class = j.Key, finding.About(j.Assertion, j.Promise), finding.Forbidden
	seen.Promises, seen.Severity, seen.Loosened, seen.Data = s.Set.Promises(j), j.Severity, true, j.Data
	seen.Want, seen.Got = Teller{s.Set, s.want.salt, s.want.secret}.Told(live, j)
	a, there := k.live.Get("", j.Key)
	seen.Urgent = strings.Contains(seen.Want, "audit.") || j.Severity == policy.Critical || there && urgent(a.Type)
	return seen
}

// urgent reports whether no time is given to assets of a type to settle: what they say stops a log.
func urgent(kind string) bool { return strings.HasPrefix(kind, "logging.googleapis.com/") }

// differences takes what is otherwise than Terraform wants.
func (s *Service) differences(v *verdicts, k *known, all []diff.Finding) {
	for _, f := range all {
		if f.Class == diff.Undetermined {
			v.dark[cmp.Or(f.Key, f.Address)] = true
			continue
		}
		if _, is := k.unseen(f.Type, f.Key); is {
			v.dark[f.Key] = true
			continue
		}
		seen := finding.Seen{Read: k.at}
		seen.Asset, seen.Class, seen.Severity, seen.Data = f.Key, string(f.Class), f.Severity, f.Data
		seen.What, seen.Same = f.About(), f.Same()
		seen.Loosened, seen.Want, seen.Got = f.Direction == diff.Loosened, clip(f.Want), clip(s.valueOf(k, f))
		seen.Urgent = seen.Loosened && f.Severity == policy.Critical || urgent(f.Type) && f.Direction != diff.Tightened
		v.add(seen)
	}
}

func (s *Service) options() diff.Options {
	return diff.Options{Salt: s.want.salt, Unmanaged: true, Agents: s.Agents, Staging: s.Set.Staging, Holds: s.Set.Holds}
}

func (s *Service) live(k *known) *baseline.Live {
	return &baseline.Live{Inventory: k.live, Now: s.Clock.Now().UTC(), Read: func(kind string) bool { return k.read(kind, s.listed) }, Partly: k.partly}
}

// one judges one asset, by what is known by now. It is called with the lock.
func (s *Service) one(k *known, a *asset.Asset) *verdicts {
	v := newVerdicts()
	if live := s.live(k); !a.Deleted {
		s.judgements(v, k, live, s.Set.Judge(a, live))
	}
	s.ours(v, k, a.Key)
	w := &s.want
	mine := w.byKey[a.Key]
	switch {
	case len(s.States) == 0:
		return v
	case !w.whole():
		v.dark[a.Key] = true
		return v
	}
	only := diff.Desired{Resources: mine}
	if w.applied != nil {
		only.Applied = append([]diff.Resource{}, w.applied[a.Key]...)
	}
	o := s.options()
	o.Unmanaged = false // what others are wanted does not stand in its part of the state
	s.differences(v, k, diff.Compare(only, k.live, o).Findings)
	if len(mine) == 0 && !a.Deleted && w.managed(a.Type, k) && (s.Agents == nil || !s.Agents(a)) {
		alone := diff.Finding{Key: a.Key, Type: a.Type, Class: diff.Unmanaged, Direction: diff.Unclear, Severity: policy.Medium}
		if len(only.Applied) > 0 {
			alone.Class = diff.StaleDesired
		}
		if s.Set.Staging(a.Project) {
			alone.Severity = alone.Severity.Less()
		}
		if alone.Data = s.Set.Holds(a.Type, a.Key, a); alone.Data != "" {
			alone.Severity = alone.Severity.More()
		}
		s.differences(v, k, []diff.Finding{alone})
	}
	return v
}

// managed reports whether Terraform knows some assets of a type.
func (w *wanted) managed(kind string, k *known) bool {
	if is, known := w.types[kind]; known {
		return is
	}
	for key := range w.byKey {
		if a, there := k.live.Get(kind, key); there && key != "" && a.Type == kind {
			w.types[kind] = true
			return true
		}
	}
	w.types[kind] = false
	return false
}

// judged is what the last look at everything found.
type judged struct {
	at   time.Time
	took time.Duration
}

// all judges everything. It is called with the lock.
func (s *Service) all(k *known) *verdicts {
	v := newVerdicts()
	v.began, v.of, v.known = k.at, k.head, k
	for _, name := range s.Set.Names() { // one that finds nothing to look at looked
		v.counts[name] = &finding.Count{Assertion: name}
	}
	live := s.live(k)
	s.judgements(v, k, live, s.Set.Scan(live))
	for name, c := range v.counts { // what was not listed was not judged either
		if c.Undetermined == 0 && s.short(k, s.Set.Looks(name)) {
			c.Expected, c.Undetermined = c.Expected+1, 1
		}
	}
	s.ours(v, k, "")
	v.waits = k.waits()
	if len(s.States) > 0 && s.want.whole() {
		found := diff.Compare(s.want.all, k.live, s.options())
		s.differences(v, k, found.Findings)
		v.compared = &found
	}
	v.told = s.untolds(v, k)
	return v
}

// Judge judges everything that is known, where there is news or the last time is an hour ago, and not more often than a
// tenth of the time goes into it. Nothing is judged before one list was whole.
func (s *Service) Judge(ctx context.Context) error {
	s.mu.Lock()
	k, v, err := s.judging(ctx)
	terraform := s.want.whole()
	s.mu.Unlock()
	if err != nil || v == nil {
		return err
	}
	now := s.Clock.Now().UTC()
	running, err := s.running(ctx, now)
	if err != nil {
		return s.again(err)
	}
	for i := range v.seen {
		v.seen[i].Again = true
	}
	if err := s.Findings.Out(ctx, s.applied(v.seen, running), now); err != nil {
		return s.again(err)
	}
	fate := s.fate(v, v.lost(k, terraform))
	// Messages are looked at meanwhile: what they find is newer than what this look began with, and not swept away.
	if err := s.Findings.Sweep(ctx, v.began, fate, now); err != nil {
		return s.again(err)
	}
	if err := errors.Join(s.tally(ctx, v), s.tell(ctx, v)); err != nil {
		return s.again(err)
	}
	return s.name(ctx, v)
}

// again has everything judged once more, since not all of what was found is known.
func (s *Service) again(err error) error {
	s.mu.Lock()
	s.judge = judged{}
	s.mu.Unlock()
	return err
}

func (s *Service) judging(ctx context.Context) (*known, *verdicts, error) {
	k, err := s.learn(ctx)
	if err != nil || k.head.Whole == 0 {
		return nil, nil, err
	}
	if err := errors.Join(s.desire(ctx, k), s.salted(ctx)); err != nil {
		return nil, nil, err
	}
	passed := s.Clock.Now().Sub(s.judge.at)
	if !s.judge.at.IsZero() && (passed < 10*s.judge.took || !k.news && passed < time.Hour) {
		return nil, nil, nil
	}
	began := clock.System{}.Now() // what it costs, whatever time the rest of the house has
	v := s.all(k)
	s.beside = v.beside
	s.judge, k.news = judged{at: s.Clock.Now(), took: clock.System{}.Now().Sub(began)}, false
	return k, v, nil
}
