package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// walk is one phase of a job: every step is walked page by page.
type walk struct {
	*Engine
	job   Job
	known known
	phase string
	key   *seal.DataKey // of positions
	lists *seal.DataKey // of names that are kept
	until time.Time     // no page is begun after it
	// page does one page, from p on. It leaves in t and p what save keeps, with t.Done at the end.
	page   func(ctx context.Context, s *step, t *task, p *position) error
	limits limits // of erasing
	// given are the tasks that earlier rounds gave up, by step.
	given map[string]task
	// ordered says that a step waits for those before it.
	ordered bool
	// patience is how often a store is tried that does not answer.
	patience int
	// begins runs before the first item goes; nil for nothing to do. What it says ends the walk, and not the entry alone.
	begins func(ctx context.Context) error
	stop   error

	theirs map[*theirs]names // what other requests hold, as it was listed last
	state  map[string][]task // where the steps of each entry stand
}

const (
	mostTries = 12 // over some hours, each call of the engine counting once
	fewTries  = 3  // of what can do without an answer
	mostWalks = 5  // of an entry in which something is written all the time
)

// growing is how long a store is left alone after so many failures in a row. The first may be an accident.
func growing(tries int) time.Duration {
	if tries <= 1 {
		return 0
	}
	return min(15*time.Second<<(tries-2), time.Hour)
}

// errGrown says that there is more than was planned.
var errGrown = fault.New(fault.Conflict, "erasing: there is more than was planned")

// walk returns where each step stands. All of them being done ends the phase. ErrLater says that all others wait.
func (w *walk) walk(ctx context.Context, steps []step) (all []task, done bool, err error) {
	if w.key, err = seal.NewDataKey(ctx, w.Keys, w.Random, w.bound(w.job, w.phase)); err != nil {
		return nil, false, err
	}
	if w.lists, err = seal.NewDataKey(ctx, w.Keys, w.Random, w.bound(w.job, "names")); err != nil {
		return nil, false, err
	}
	defer w.release(ctx, steps)
	done, waits := true, true
	w.state = map[string][]task{}
	for i := range steps {
		s := &steps[i]
		t, err := w.take(ctx, s)
		if err == nil && !t.Done {
			err = w.step(ctx, s, &t)
		}
		switch {
		case errors.Is(err, errBusy), errors.Is(err, errWaits):
			t.Done, t.waits = false, true // another has it: what it says counts, and not what we had in hand
		case err != nil:
			return nil, false, err
		}
		t.mine = s.mine
		done, waits = done && t.Done, waits && (t.Done || t.waits)
		w.state[s.Entry.ID] = append(w.state[s.Entry.ID], t)
		all = append(all, t)
	}
	if !done && waits {
		return nil, false, ErrLater
	}
	return all, done, nil
}

// release lets others have the stores at once. What fails costs the rest of a slice.
func (w *walk) release(ctx context.Context, steps []step) {
	for _, s := range steps {
		_ = w.Pace.Release(ctx, s.Store)
	}
}

// step walks one entry until it is done, the time is over or its store fails.
func (w *walk) step(ctx context.Context, s *step, t *task) error {
	p, err := w.position(ctx, *t)
	if err != nil {
		return err
	}
	if s.Region != "" && w.Map.Away(s.Region) {
		t.Done, t.Why = true, elsewhere
		return w.save(ctx, t, p, true)
	}
	if wait, why := w.blocked(s); why != "" {
		t.Done, t.Why = true, why
		return w.save(ctx, t, p, true)
	} else if wait {
		t.waits = true
		return w.save(ctx, t, p, true)
	}
	if old, is := w.given[s.ID]; is && t.At == nil && t.Walks == 0 {
		if err := w.inherit(ctx, old, &p); err != nil {
			return err
		}
	}
	w.inside(s)
	for !t.Done && w.Clock.Now().Before(w.until) && ctx.Err() == nil {
		if w.job.Still != nil {
			if err := w.job.Still(ctx); err != nil {
				return errors.Join(err, w.save(context.WithoutCancel(ctx), t, p, true))
			}
		}
		begins, err := w.Pace.Wait(ctx, s.Store, w.until.Sub(w.Clock.Now()))
		if err != nil {
			return err
		}
		if t.waits = !begins; t.waits {
			break
		}
		err = w.page(w.metered(ctx, s), s, t, &p)
		w.Pace.End(s.Store)
		switch {
		case errors.Is(err, errGrown) || errors.Is(err, errBusy) || w.stop != nil:
			return err
		case fault.Is(err, fault.Exhausted) && t.Tries < fewTries:
			t.Tries++
			if err := w.Pace.Exhausted(ctx, s.Store, err); err != nil {
				return err
			}
			continue
		case err != nil:
			return w.failed(ctx, s, t, p, err)
		}
		t.Tries = 0
		if err := w.save(ctx, t, p, false); err != nil {
			return err
		}
		p.resumed = false
	}
	if t.Done {
		return nil
	}
	return w.save(context.WithoutCancel(ctx), t, p, true)
}

// metered counts what is read beside the items of a page: the page in hand has its turn, and the next one waits for these.
func (w *walk) metered(ctx context.Context, s *step) context.Context {
	return erasure.WithMeter(ctx, func(_ context.Context, items int) error {
		w.Pace.Spent(s.Store, items)
		return nil
	})
}

// blocked tells whether a step waits for one before it, or why it is not taken at all: what lies above something that
// could not be erased would be lost to every later search, and what lies inside the items of a step has to be known.
func (w *walk) blocked(s *step) (wait bool, why string) {
	before := s.Within
	if s.dark {
		return false, heldUnread
	}
	if why := w.unread(s.Entry.ID); w.ordered && why != "" {
		return false, why
	}
	if w.ordered {
		before = slices.Concat(s.After, s.Within)
	}
	for _, entry := range before {
		for _, t := range w.state[entry] {
			if t.Done && t.Why == elsewhere && (w.done(entry) || !slices.Contains(s.Within, entry)) {
				continue // whoever works there keeps no order with what is here, and has finished in the end
			}
			if t.Done && t.Why != "" {
				return false, "after_" + strings.TrimPrefix(t.Why, "after_")
			}
			wait = wait || !t.Done
		}
	}
	for _, t := range w.state[s.Entry.ID] {
		wait = wait || w.ordered && !t.Done // what another way of the entry has in hand is counted by that one
	}
	return wait, ""
}

// inside leaves a step alone while something lies in its items that has to stay.
func (w *walk) inside(s *step) {
	s.shield = nil
	guard := func(entry string) *shield {
		if s.shield == nil {
			s.shield = &shield{entry: entry}
		}
		return s.shield
	}
	now := w.Clock.Now()
	for _, entry := range s.Within {
		for i, h := range w.job.Holds {
			if h.Entry == entry && now.Before(h.Until) {
				g := guard(entry)
				g.hold, g.until = &w.job.Holds[i], latest(g.until, h.Until)
			}
		}
		for _, t := range w.state[entry] {
			if c := t.Count; c.Kept-c.Named+c.Held+c.Stray+c.Review > 0 {
				if t.mine != nil && t.mine.paths() {
					continue // by their names the items are known that it lies in
				}
				g := guard(entry)
				if t.mine != nil {
					g.hold = t.mine.hold
				}
				g.until, g.open = latest(g.until, c.Until), g.open || c.NoEnd || c.Held+c.Stray+c.Review > 0
			}
		}
	}
}

// passing reports whether an error may be over by itself.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Denied, fault.Invalid, fault.Misconfigured:
		return false
	}
	return true
}

// word says in a word why a store could not be asked.
func word(err error) string {
	if errors.Is(err, errElsewhere) {
		return elsewhere
	}
	switch fault.KindOf(err) {
	case fault.NotFound:
		return "missing"
	case fault.Denied:
		return "denied"
	case fault.Invalid, fault.Misconfigured:
		return "refused"
	}
	return "unreachable"
}

// failed keeps what is known and tells whether it is worth trying again. It never stops the other entries.
func (w *walk) failed(ctx context.Context, s *step, t *task, p position, err error) error {
	t.Tries++
	if fault.Is(err, fault.Exhausted) {
		if err := w.Pace.Exhausted(ctx, s.Store, err); err != nil {
			return err
		}
	}
	most := w.patience
	if most == 0 {
		most = mostTries
	}
	if !passing(err) || t.Tries >= most {
		t.Done, t.Why = true, word(err)
	} else if wait := growing(t.Tries); wait > 0 {
		t.Not, t.waits = w.Clock.Now().Add(wait).UnixMicro(), true
	}
	return w.save(context.WithoutCancel(ctx), t, p, true)
}
