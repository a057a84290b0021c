package run

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
)

// Search looks for what is left, with the account that only reads, until the time is over. Not done, it is called again.
// pass counts the searches of a round, from 1.
func (e *Engine) Search(ctx context.Context, j Job, pass int, until time.Time) (o request.Outcome, list []Entry, done bool, err error) {
	ids, err := e.identify(ctx, j, false)
	if err != nil {
		return o, nil, false, err
	}
	all, steps, done, err := e.search(ctx, j, ids, searching+strconv.Itoa(pass), until)
	if err != nil || !done {
		return o, nil, false, err
	}
	unmapped, err := e.unmapped(ctx)
	if err != nil {
		return o, nil, false, err
	}
	o.Missing = int64(len(unmapped))
	for i, s := range steps {
		e.conclude(&o, j, s, all[i])
	}
	o.Purge = e.tails(j, steps)
	return o, entries(steps, all), true, nil
}

// conclude adds one entry to the outcome.
func (e *Engine) conclude(o *request.Outcome, j Job, s datamap.Step, t task) {
	open := func(why string, is bool) {
		if is {
			o.Open = append(o.Open, request.Open{Entry: s.Entry.ID, Why: why})
		}
	}
	c := t.Count
	o.Left += c.Left
	open(t.Why, t.Why != "")
	open("foreign", c.Foreign > 0)
	open("held", c.Held > 0)
	open("review", c.Review > 0)
	open("no_end", c.NoEnd)
	if c.Kept == 0 || s.Entry.Retain == nil {
		return // what a hold keeps the request itself knows
	}
	o.Kept = append(o.Kept, request.Kept{
		Entry: s.Entry.ID, Items: c.Kept, Ground: request.Ground(s.Entry.Retain.Ground), Citation: s.Entry.Retain.Citation,
		Until: calendar.Date(c.Until, e.Zone),
	})
}

// tails are the classes of backups that hold something of the job, and the days on which they have forgotten it.
func (e *Engine) tails(j Job, steps []datamap.Step) []request.Tail {
	from := j.Executed
	if from.IsZero() {
		from = e.Clock.Now()
	}
	var list []request.Tail
	for _, b := range e.Map.Backups {
		if slices.ContainsFunc(steps, func(s datamap.Step) bool { return s.Entry.Backup == b.Class }) {
			// A backup of the day itself is as old as the period on the day after its last.
			list = append(list, request.Tail{Class: b.Class, By: calendar.Date(from.AddDate(0, 0, b.Days+1), e.Zone)})
		}
	}
	return list
}
