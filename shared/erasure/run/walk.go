package run

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// walk is one phase of a job: every step is walked page by page.
type walk struct {
	*Engine
	job   Job
	phase string
	key   *seal.DataKey
	until time.Time // no page is begun after it
	// page does one page, from p on. It leaves in t and p what save keeps, with t.Done at the end.
	page func(ctx context.Context, s datamap.Step, t *task, p *position) error
	// planned is how many items an entry may turn out to have; nil for any number.
	planned map[string]int64
	// ordered says that a step waits for those before it.
	ordered bool
}

const (
	mostTries = 30 // of a store that does not answer, each call of the engine counting once
	mostWalks = 5  // of an entry in which something is written all the time
)

// errGrown says that there is more than was planned.
var errGrown = fault.New(fault.Conflict, "erasing: there is more than was planned")

// walk returns where each step stands. All of them being done ends the phase.
func (w *walk) walk(ctx context.Context, steps []datamap.Step) (all []task, done bool, err error) {
	if w.key, err = seal.NewDataKey(ctx, w.Keys, w.Random, w.bound(w.job, w.phase)); err != nil {
		return nil, false, err
	}
	done = true
	state := map[string]task{}
	for _, s := range steps {
		t, err := w.take(ctx, s.Entry.ID)
		if err != nil && !errors.Is(err, errBusy) {
			return nil, false, err
		}
		if err == nil && !t.Done {
			err := w.step(ctx, s, &t, state)
			if errors.Is(err, errBusy) {
				t.Done = false // another has taken over: what it says counts, and not what we had in hand
			} else if err != nil {
				return nil, false, err
			}
		}
		done = done && t.Done
		state[s.Entry.ID] = t
		all = append(all, t)
	}
	return all, done, nil
}

// step walks one entry until it is done, the time is over or its store fails.
func (w *walk) step(ctx context.Context, s datamap.Step, t *task, state map[string]task) error {
	p, err := w.position(ctx, *t)
	if err != nil {
		return err
	}
	if wait, why := w.blocked(s, state); why != "" {
		t.Done, t.Why = true, why
		return w.save(ctx, t, p, true)
	} else if wait {
		return w.save(ctx, t, p, true)
	}
	for !t.Done && w.Clock.Now().Before(w.until) && ctx.Err() == nil {
		if err := w.pace.wait(ctx, s.Store); err != nil {
			break
		}
		err := w.page(ctx, s, t, &p)
		switch {
		case errors.Is(err, errGrown) || errors.Is(err, errBusy):
			return err
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

// blocked tells whether a step waits for one before it, or why it is not taken at all: what lies above something that
// could not be erased would be lost to every later search.
func (w *walk) blocked(s datamap.Step, state map[string]task) (wait bool, why string) {
	if !w.ordered {
		return false, ""
	}
	for _, before := range s.After {
		switch t, known := state[before]; {
		case !known:
		case t.Done && t.Why != "":
			return false, "after_" + t.Why
		case !t.Done:
			wait = true
		}
	}
	return wait, ""
}

// failed keeps what is known and tells whether it is worth trying again. It never stops the other entries.
func (w *walk) failed(ctx context.Context, s datamap.Step, t *task, p position, err error) error {
	t.Tries++
	switch kind := fault.KindOf(err); {
	case kind == fault.Exhausted:
		w.pace.exhausted(s.Store, err)
	case kind == fault.NotFound:
		t.Done, t.Why = true, "missing"
	case kind == fault.Denied:
		t.Done, t.Why = true, "denied"
	case kind == fault.Invalid || kind == fault.Misconfigured:
		t.Done, t.Why = true, "refused"
	}
	if t.Tries >= mostTries {
		t.Done, t.Why = true, "unreachable"
	}
	return w.save(context.WithoutCancel(ctx), t, p, true)
}
