package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/disk"
)

// machineClock is the machine's clock, but stands still where sample life is being played.
type machineClock struct{ stands atomic.Pointer[time.Time] }

func (c *machineClock) Now() time.Time {
	if t := c.stands.Load(); t != nil {
		return *t
	}
	return clock.System{}.Now()
}

func (c *machineClock) standAt(t time.Time) { c.stands.Store(&t) }

// openMachineClock returns the machine's clock; where a sample life goes on, it stands at the next stop. One that has
// not begun to be played empties the folder of what the machine wrote by itself: its log would begin in the middle.
// Where anything came from outside since, nothing goes on and nothing is emptied.
func (w *World) openMachineClock(empty func() error) (*machineClock, error) {
	c := &machineClock{}
	kept := w.life.now()
	if kept.State != lifePlaying || !w.fresh() {
		return c, nil
	}
	c.standAt(kept.at())
	if kept.Step > 0 {
		return c, nil
	}
	// A key signs one log only: with another key nobody takes the new one for a forgery of the old.
	for _, path := range []string{"evidence", filepath.Join("keys", "checkpoints"), "allowlist"} {
		if err := os.RemoveAll(filepath.Join(w.dir, path)); err != nil {
			return nil, fmt.Errorf("emptying the data folder: %w", err)
		}
	}
	return c, empty()
}

// goOn plays on where a process that was killed has stopped.
func (w *World) goOn() {
	if w.life.now().State == lifePlaying && w.fresh() {
		w.life.begin(w.play)
	}
}

// live begins a sample life of some days. Codes: function_unknown, where the trust control is not all there; life_there.
func (w *World) live(ctx context.Context, days int) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.life.playing() {
		return lived()
	}
	if err := w.untouched(ctx); err != nil {
		return err
	}
	from := w.clock.Now().Truncate(lifeStep).Add(lifeStep)
	if w.manual == nil {
		from = from.Add(-lifeStep - time.Duration(days)*day)
	}
	if err := w.life.keep(played{V: 1, State: lifePlaying, From: from, Days: days}); err != nil {
		return err
	}
	w.life.begin(func(ctx context.Context) error {
		if w.manual == nil {
			if err := w.anew(); err != nil {
				return w.told(ctx, err)
			}
		}
		return w.play(ctx)
	})
	return nil
}

// told logs why playing ended before its time; that the process ends is no reason.
func (w *World) told(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		w.log.ErrorContext(ctx, "playing sample life ended early", "error", err)
	}
	return err
}

// anew closes everything and opens it again.
func (w *World) anew() error {
	w.gate.Lock()
	defer w.gate.Unlock()
	if err := w.shut(); err != nil {
		return err
	}
	return w.open(context.Background(), w.options)
}

// play plays the sample life from where it is to its end, and lets time go on.
func (w *World) play(ctx context.Context) error {
	w.moving.Lock()
	defer w.moving.Unlock()
	err := w.playOn(ctx)
	// Whatever a process before this one left to the operating system is waited for too.
	if err = errors.Join(err, w.settleDisk(time.Time{})); err != nil {
		return w.told(ctx, err)
	}
	if c, machine := w.clock.(*machineClock); machine {
		c.stands.Store(nil)
	}
	for _, j := range w.jobs {
		j.next = j.schedule.Next(w.clock.Now())
	}
	done := w.life.now()
	done.State = lifeDone
	return w.told(ctx, w.life.keep(done))
}

// playOn plays stop after stop. What a function refuses is noted, and life goes on, as it does; a schedule that fails
// ends it.
func (w *World) playOn(ctx context.Context) error {
	stops, err := w.life.now().stops(w.scenes(w.life.now()))
	if err != nil {
		return err
	}
	quick := disk.PutOff(ctx)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the heap is small, and turned over thousands of times
	for kept := w.life.now(); kept.Step <= kept.last(); kept.Step++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		refused, err := w.playStep(quick, kept, stops[kept.Step])
		if err != nil {
			return err
		}
		next := kept
		next.Step++
		next.Refused = append(next.Refused, refused...)
		if err := w.life.keep(next); err != nil {
			return err
		}
		kept.Refused = next.Refused
	}
	return nil
}

// stops deals the scenes out to the stops: each is played at the first one that is not before it. A scene that no stop
// would play is an error, not one that is left out.
func (p played) stops(scenes []scene) (map[int][]scene, error) {
	at := map[int][]scene{}
	for _, s := range scenes {
		stop := int((s.at.Sub(p.From) + lifeStep - 1) / lifeStep)
		if s.at.Before(p.From) || stop > p.last() {
			return nil, fmt.Errorf("%s at %s is no part of a sample life from %s to %s", s.name, s.at.Format(time.RFC3339), p.From.Format(time.RFC3339), p.to().Format(time.RFC3339))
		}
		at[stop] = append(at[stop], s)
	}
	return at, nil
}

// playStep is one stop: people and programs do what they do at that time, then every schedule runs.
func (w *World) playStep(ctx context.Context, kept played, scenes []scene) (refused []string, err error) {
	now := kept.at()
	if c, machine := w.clock.(*machineClock); machine {
		c.standAt(now)
	} else if err := w.manual.Set(now); err != nil {
		return nil, err
	}
	for _, s := range scenes {
		if err := s.play(ctx, w); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			refused = append(refused, s.name+": "+err.Error())
		}
	}
	rounds := 1
	if kept.Step == kept.last() {
		rounds = 3 // until everything is sealed and shown
	}
	for range rounds {
		for _, j := range w.jobs {
			if j.function == silent && asleep(kept.From, now) {
				continue
			}
			if status := w.tick(ctx, j.function); status != http.StatusNoContent {
				return nil, fmt.Errorf("the run of %s at %s answered %d", j.function, now.Format(time.RFC3339), status)
			}
		}
		if _, err := w.rest(ctx, patience); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// untouched refuses where life cannot be played: without the functions of trust, and where somebody did something.
func (w *World) untouched(ctx context.Context) error {
	for _, name := range []string{"attest", "collectevidence", "keeppromises", "sealevidence", "trustpage"} {
		if w.functions[name] == nil {
			return missing("function", name)
		}
	}
	if w.life.now().State != lifeNone || !w.fresh() {
		return lived()
	}
	mail, err := w.mailbox.List()
	if err != nil {
		return err
	}
	accounts, err := w.directory.List(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if a.Suspended || !a.TwoStep {
			return lived()
		}
	}
	records, err := w.evidence.all(ctx)
	for _, data := range records {
		r, bad := record.Parse(data)
		err = errors.Join(err, bad)
		if bad == nil && !ofMachine(r) {
			return lived()
		}
	}
	if len(mail) > 0 && err == nil {
		return lived()
	}
	return err
}

// ofMachine reports whether a record tells of no more than what the schedules do by themselves. What people and programs
// send in has other sources.
func ofMachine(r record.Record) bool {
	kinds := []record.Kind{record.Run, record.Page, record.Key, record.Policy, record.Observation, record.Access}
	sources := []string{"schedule", "probe", "reconcile", "duty", "key", "sequencer"}
	return slices.Contains(kinds, r.Kind) && slices.Contains(sources, r.Source.Type) && len(r.Subjects) == 0
}

// mark puts a record into the inbox that says that what follows, or what stands before it, is a sample.
func (w *World) mark(ctx context.Context, event string) error {
	now := w.clock.Now()
	r := record.New(record.Claim, "sample-life", event)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "sample", now, now
	r.Facts, r.Code = map[string]string{"event": event, "sample": "true"}, w.options.Code
	data, err := r.Canonical()
	if err != nil {
		return err
	}
	return folder.New(filepath.Join(w.evidence.inboxDir(), writers.Sample)).Create(ctx, r.ID(), data)
}
