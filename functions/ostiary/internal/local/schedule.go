package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/disk"
)

// job is one schedule of a function and when it is due next.
type job struct {
	function string
	cron     string
	schedule cron.Schedule
	next     time.Time
}

// Ran says that a schedule woke a function.
type Ran struct {
	Function string    `json:"function"`
	At       time.Time `json:"at"`
	Status   int       `json:"status"`
}

func newJobs(functions []manifest.Function, now time.Time) ([]*job, error) {
	var jobs []*job
	for _, f := range functions {
		for _, spec := range f.Crons() {
			schedule, err := cron.ParseStandard(spec)
			if err != nil {
				return nil, fmt.Errorf("schedule of %s: %w", f.Name, err)
			}
			jobs = append(jobs, &job{function: f.Name, cron: spec, schedule: schedule, next: schedule.Next(now.UTC())})
		}
	}
	return jobs, nil
}

// due returns the job that comes first, if it comes no later than until.
func due(jobs []*job, until time.Time) (*job, bool) {
	if len(jobs) == 0 {
		return nil, false
	}
	first := slices.MinFunc(jobs, func(a, b *job) int { return a.next.Compare(b.next) })
	return first, !first.next.After(until)
}

// tick wakes a function as its schedule would: a request without a body, with the invoker's token.
func (w *World) tick(ctx context.Context, function string) int {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/"+function+"/tick", http.NoBody)
	token, err := w.authorization(ctx, function)
	if err != nil {
		return http.StatusInternalServerError
	}
	r.Header.Set("Authorization", token)
	r.Header.Set("User-Agent", "Google-Cloud-Scheduler")
	answer := httptest.NewRecorder()
	w.functions[function].handler.ServeHTTP(answer, r)
	return answer.Code
}

// Advance moves the manual clock, stopping at every schedule on the way, and delivers all messages before it moves on.
// What a stop finds out is the same as if the time had passed. What an outbox has put off to a later time may be left.
// The disk is waited for once, in the end: a day's work would otherwise wait for it thousands of times.
func (w *World) Advance(ctx context.Context, by time.Duration) (ran []Ran, err error) {
	w.moving.Lock()
	defer w.moving.Unlock()
	begun := clock.System{}.Now()
	defer func() { err = errors.Join(err, w.settleDisk(begun)) }()
	return w.advance(disk.PutOff(ctx), by)
}

// settleDisk waits until everything written since a time of the machine's clock is on the disk.
func (w *World) settleDisk(since time.Time) error {
	return errors.Join(disk.Settle(w.evidence.dir, since), w.committed())
}

func (w *World) advance(ctx context.Context, by time.Duration) ([]Ran, error) {
	until := w.manual.Now().Add(by)
	if by < 0 {
		return nil, backwards(w.manual.Now())
	}
	ran, patient := []Ran{}, patience
	for {
		var err error
		if patient, err = w.rest(ctx, patient); err != nil {
			return ran, err
		}
		if err := ctx.Err(); err != nil {
			return ran, err // nobody waits any more: the clock stands where it came to
		}
		next, ok := due(w.jobs, until)
		if !ok {
			break
		}
		at := next.next
		if err := w.manual.Set(at); err != nil {
			return ran, err
		}
		next.next = next.schedule.Next(at)
		ran = append(ran, Ran{Function: next.function, At: at, Status: w.tick(ctx, next.function)})
	}
	if err := w.manual.Set(until); err != nil {
		return ran, err
	}
	_, err := w.rest(ctx, patient)
	return ran, err
}

// Jump sets the manual clock. No schedule runs: those that were due meanwhile are missed, as by a scheduler that
// stood still.
func (w *World) Jump(to time.Time) error {
	w.moving.Lock()
	defer w.moving.Unlock()
	if err := w.manual.Set(to); err != nil {
		return err
	}
	for _, j := range w.jobs {
		if j.next.Before(to) {
			j.next = j.schedule.Next(to.UTC().Add(-time.Nanosecond))
		}
	}
	return nil
}

// next takes the first schedule that is due now.
func (w *World) next() (function string, ok bool) {
	w.moving.Lock()
	defer w.moving.Unlock()
	now := w.clock.Now()
	first, ok := due(w.jobs, now)
	if !ok {
		return "", false
	}
	first.next = first.schedule.Next(now)
	return first.function, true
}

// eachMinute is the schedule of what looks around all the time.
const eachMinute = "* * * * *"

// lookAround wakes what runs each minute at once, and a second time, which sees what the first put on record: who has just
// started the server finds a trust page, and need not wait for the minute after the next.
func (w *World) lookAround(ctx context.Context) {
	for range 2 {
		for _, j := range w.jobs {
			if j.cron == eachMinute && ctx.Err() == nil {
				w.wake(ctx, j.function)
			}
		}
	}
}

// wake runs a function for its schedule, and says so when it failed.
func (w *World) wake(ctx context.Context, function string) {
	if status := w.tick(ctx, function); status >= 300 {
		w.log.WarnContext(ctx, "a schedule failed", "function", function, "status", status)
	}
}

// runSchedules wakes functions by the system clock until ctx ends.
func (w *World) runSchedules(ctx context.Context) {
	w.lookAround(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for function, ok := w.next(); ok; function, ok = w.next() {
			w.wake(ctx, function)
		}
		timer.Reset(time.Second)
	}
}
