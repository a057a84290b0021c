package allowlist

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/access/lease"
)

// end takes steps that end leases, and reads afresh what is due if any did.
func (r *Reconciler) end(ctx context.Context, d due, steps []lease.Step, now time.Time, report *Report) (due, error) {
	ended, err := r.Leases.Advance(ctx, steps, now)
	report.Ended += len(ended)
	if err != nil || len(ended) == 0 {
		return d, err
	}
	return r.due(ctx, now)
}

// patience is how long leases in force stay where a target suddenly has less room: a quota that is read may lag behind.
const patience = time.Minute

// makeRoom fails the newest leases for which some target has no room. They are told, never dropped silently. One that stood
// for longer, in force or not, ends only when the room is still too small a minute later.
func (r *Reconciler) makeRoom(ctx context.Context, d due, now time.Time, report *Report) (due, error) {
	over, cramped := r.over(d, now), map[string]time.Time{}
	var steps []lease.Step
	for _, l := range d.leases {
		if !over[l.ID] {
			continue
		}
		if l.State == lease.Confirmed || l.State == lease.Working || now.Sub(l.Started) > patience {
			since, before := r.cramped[l.ID]
			if !before {
				since = now
			}
			cramped[l.ID] = since
			if now.Sub(since) < patience {
				continue
			}
		}
		steps = append(steps, lease.Step{ID: l.ID, To: []lease.State{lease.Failed, lease.Ended}, Why: lease.NoRoom})
	}
	r.cramped = cramped
	if len(over) > 0 {
		r.Log.ErrorContext(ctx, "the allow-list is full", "without room", len(over), "refused", len(steps))
	}
	if report.Full = len(over) > 0; report.Full {
		if err := r.sayFull(ctx, now); err != nil {
			return d, err
		}
	}
	return r.end(ctx, d, steps, now, report)
}

// over names the live leases for which some target has no room.
func (r *Reconciler) over(d due, now time.Time) map[string]bool {
	over := map[string]bool{}
	smallest := 0 // no limit
	for _, t := range r.Targets {
		if capacity := t.Limits().Capacity; smallest == 0 || capacity < smallest {
			smallest = capacity
		}
		if p, ok := t.(Packer); ok {
			for _, id := range p.Over(d.set) {
				over[id] = true
			}
		}
	}
	for _, l := range Overflow(d.leases, d.sites, smallest, now) {
		over[l.ID] = true
	}
	return over
}

// standingsAtOnce is how many people's standing is read side by side: a directory takes a tenth of a second for each.
const standingsAtOnce = 8

// dismiss ends the leases of people who lost their standing.
func (r *Reconciler) dismiss(ctx context.Context, d due, now time.Time, report *Report) (due, error) {
	lost, undetermined := r.standings(ctx, d.leases, now)
	report.Undetermined = undetermined
	var steps []lease.Step
	for _, l := range d.leases {
		if why := lost[l.Person]; l.Live(now) && why != "" {
			steps = append(steps, lease.Step{ID: l.ID, To: []lease.State{lease.Ended}, Why: why})
		}
	}
	d, err := r.end(ctx, d, steps, now, report)
	if err == nil && undetermined > 0 {
		err = r.undetermined(ctx, undetermined, now)
	}
	return d, err
}

// standings asks about everybody who holds a live lease: who lost it and why, and of how many that could not be told.
func (r *Reconciler) standings(ctx context.Context, leases []lease.Lease, now time.Time) (lost map[string]lease.Why, undetermined int) {
	lost = map[string]lease.Why{}
	asked := map[string]bool{}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(standingsAtOnce)
	for _, l := range leases {
		if !l.Live(now) || asked[l.Person] {
			continue
		}
		asked[l.Person] = true
		group.Go(func() error {
			why, err := r.Lost(ctx, l.Person)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				undetermined++
				r.Log.WarnContext(ctx, "reading a person's standing", "error", err)
				return nil
			}
			lost[l.Person] = why
			return nil
		})
	}
	_ = group.Wait() // no standing is an error of the run
	return lost, undetermined
}

// beyond names the leases a person holds above the number of her devices: the oldest of each family, and only once
// the newer ones are confirmed, so that nobody is locked out by a change of address that did not work.
func beyond(open, moved []lease.Lease, devices int, now time.Time) []lease.Step {
	latest := map[string]lease.Lease{}
	for _, l := range moved {
		latest[l.ID] = l
	}
	type hand struct {
		person string
		family lease.Family
	}
	held := map[hand][]lease.Lease{}
	for _, l := range open {
		if newer, ok := latest[l.ID]; ok {
			l = newer
		}
		if l.Live(now) && (l.State == lease.Confirmed || l.State == lease.Working) {
			h := hand{l.Person, l.Family}
			held[h] = append(held[h], l)
		}
	}
	var steps []lease.Step
	for _, all := range held {
		slices.SortFunc(all, lease.ByAge)
		for _, l := range all[:max(0, len(all)-devices)] {
			steps = append(steps, lease.Step{ID: l.ID, To: []lease.State{lease.Ended}, Why: lease.Replaced})
		}
	}
	slices.SortFunc(steps, func(a, b lease.Step) int { return strings.Compare(a.ID, b.ID) })
	return steps
}
