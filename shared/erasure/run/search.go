package run

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/store"
)

// Search looks for what is left, with the account that only reads, until the time is over. Not done, it is called again.
// pass counts the searches of a round, from 1. It asks for identifiers again: some may have come after the plan. Entries are
// what it counted, those that keep or have left something among them. Errors as Plan.
func (e *Engine) Search(ctx context.Context, j Job, pass int, until time.Time) (o request.Outcome, list []Entry, done bool, err error) {
	phase := searching + strconv.Itoa(pass)
	k, done, err := e.identify(ctx, j, phase, until)
	if err != nil || !done {
		return o, nil, false, err
	}
	all, steps, done, err := e.search(ctx, j, k, phase, until)
	if err != nil || !done {
		return o, nil, false, err
	}
	found, done, err := e.places(ctx, j, steps, phase, until)
	if err != nil || !done {
		return o, nil, false, err
	}
	past, err := e.past(ctx, j.Request)
	if err != nil {
		return o, nil, false, err
	}
	o.Missing, o.Open = found.missing, slices.Concat(k.Lost, e.letters(j, k), found.lost)
	list = entries(steps, all)
	for i := range list {
		list[i].Count.Stray += past[list[i].ID].Stray
		e.conclude(&o, list[i], past[list[i].ID], steps, all)
		o.Public = e.public(o.Public, past[list[i].ID], list[i].ID)
	}
	dark := e.unasked(j, k)
	if j.Scope != Account {
		gone, err := e.unmapped(ctx, j)
		if err != nil {
			return o, nil, false, err
		}
		dark = append(dark, gone...)
	}
	for _, id := range dark {
		o.Open = append(o.Open, request.Open{Entry: id, Why: notAsked})
	}
	o.Open = slices.DeleteFunc(distinct(o.Open), func(one request.Open) bool {
		is := one.Settled(j.Reviewed)
		if is {
			o.Settled = append(o.Settled, one)
		}
		return is
	})
	o.Purge = e.tails(ctx, j, steps)
	return o, list, true, e.passed(ctx, j, pass, list, o)
}

// public adds where anybody could see what was erased of an entry.
func (e *Engine) public(all []string, past Count, id string) []string {
	entry, _ := e.Map.Entry(id)
	if entry == nil || entry.Published == "" || past.Erased+past.Anonymised+past.Gone == 0 || slices.Contains(all, entry.Published) {
		return all
	}
	return append(all, entry.Published)
}

// unmapped are entries in which something was planned that the map does not have any more: nobody can ask there now.
func (e *Engine) unmapped(ctx context.Context, j Job) (gone []string, err error) {
	p, _, err := e.newest(ctx, j)
	if err != nil || p.Plan == nil {
		return nil, err
	}
	for _, entry := range p.Plan.Entries {
		if _, known := e.Map.Entry(entry.ID); !known && (entry.Count.Found > 0 || entry.Why != "") {
			gone = append(gone, entry.ID)
		}
	}
	return gone, nil
}

// notAsked is why an entry is open in which nobody could ask about the person: somebody has to look.
const notAsked = "unasked"

// letters are the entries in which an address of hers may stand in letters that no search finds: a person looks. Of a whole
// tenant everything is found.
func (e *Engine) letters(j Job, k known) (all []request.Open) {
	if j.Scope == Account {
		return nil
	}
	for _, id := range e.Map.Letters(j.role(), k.IDs) {
		if entry, _ := e.Map.Entry(id); entry.Tenant.Global == "" || j.Global || len(entry.Derives) > 0 {
			all = append(all, request.Open{Entry: id, Why: request.Letters})
		}
	}
	return all
}

// conclude adds one entry to the outcome. past is what was done in it before.
func (e *Engine) conclude(o *request.Outcome, one Entry, past Count, steps []step, all []task) {
	open := func(why string, is bool) {
		if is {
			o.Open = append(o.Open, request.Open{Entry: one.ID, Why: why})
		}
	}
	c := one.Count
	o.Left += c.Left
	open(one.Why, one.Why != "")
	open("foreign", c.Stray > 0)
	open("held", c.Held > 0)
	open("no_end", c.NoEnd)
	if c.Review > 0 {
		o.Open = append(o.Open, request.Open{Entry: one.ID, Why: "review", Items: c.Review, Set: c.Set})
	}
	small, own := false, Count{}
	for i, s := range steps {
		if s.Entry.ID == one.ID && s.mine == nil {
			own.add(all[i].Count)
		}
	}
	kept := request.Kept{Entry: one.ID, Items: own.Kept, Until: calendar.Date(own.Until, e.Zone), First: calendar.Date(own.First, e.Zone)}
	for i, s := range steps {
		if s.Entry.ID == one.ID {
			small = small || all[i].Small
			e.ground(&kept, s)
			e.beside(o, s, all[i].Count)
		}
	}
	if small {
		o.Open = append(o.Open, request.Open{Entry: one.ID, Why: request.Group, Items: past.Anonymised})
	}
	if own.Kept > 0 && kept.Ground != "" && !own.Until.IsZero() {
		o.Kept = append(o.Kept, kept)
	}
}

// ground says by what right items of a step are kept: its own, or that of what lies inside them. What a hold keeps the
// request itself knows.
func (e *Engine) ground(k *request.Kept, s step) {
	switch {
	case k.Ground != "" || s.mine != nil || !s.held.IsZero():
	case s.Entry.Retain != nil:
		k.Ground, k.Citation = request.Ground(s.Entry.Retain.Ground), s.Entry.Retain.Citation
	case s.shield == nil && len(s.theirs) > 0:
		k.Ground, k.Citation = s.theirs[0].hold.Ground, s.theirs[0].hold.Citation
	case s.shield == nil:
	case s.shield.hold != nil:
		k.Ground, k.Citation = s.shield.hold.Ground, s.shield.hold.Citation
	default:
		if inner, known := e.Map.Entry(s.shield.entry); known && inner.Retain != nil {
			k.Ground, k.Citation = request.Ground(inner.Retain.Ground), inner.Retain.Citation
		}
	}
}

// past counts, by entry, what all runs made anonymous, and what the last one took for the person's until it was to go.
func (e *Engine) past(ctx context.Context, id string) (map[string]Count, error) {
	last, all := 0, map[string]Count{}
	err := e.history(ctx, id, func(_ string, t task) {
		if t.Phase == erasing {
			last = max(last, t.Round)
		}
	})
	if err == nil {
		err = e.history(ctx, id, func(_ string, t task) {
			if t.Phase != erasing {
				return
			}
			c := all[t.Entry]
			c.Erased, c.Gone = c.Erased+t.Count.Erased, c.Gone+t.Count.Gone
			if c.Anonymised += t.Count.Anonymised; t.Round == last {
				c.Stray += t.Count.Stray
			}
			all[t.Entry] = c
		})
	}
	return all, err
}

// tails are the classes of backups that hold something of the job, and the days on which they have forgotten it: by the map, or
// later where a store itself says that it keeps what was erased for longer.
func (e *Engine) tails(ctx context.Context, j Job, steps []step) []request.Tail {
	from := j.Ran
	if from.IsZero() {
		from = e.Clock.Now()
	}
	told := map[string]int{} // days, by store
	var list []request.Tail
	for _, b := range e.Map.Backups {
		days := 0
		for _, s := range steps {
			if s.Entry.Backup != b.Class {
				continue
			}
			if _, asked := told[s.Reader]; !asked {
				told[s.Reader] = e.keeps(ctx, s)
			}
			days = max(days, b.Days, told[s.Reader])
		}
		if days > 0 {
			// A backup of the day itself is as old as the period on the day after its last.
			list = append(list, request.Tail{Class: b.Class, By: calendar.Date(from.AddDate(0, 0, days+1), e.Zone)})
		}
	}
	return list
}

// keeps is for how many days, begun ones whole, the store of a step says that it keeps what was erased. One that cannot be asked
// keeps nothing from being said by the map; the receipt tells.
func (e *Engine) keeps(ctx context.Context, s step) int {
	if s.Region != "" && e.Map.Away(s.Region) {
		return 0
	}
	reader, err := e.Reader(ctx, s.Reader)
	if err != nil {
		return 0
	}
	t, err := reader.Traces(ctx)
	if err != nil {
		return 0
	}
	const day = 24 * time.Hour
	return int((max(t.Rewind, t.SoftDelete) + day - 1) / day)
}

// outdated deletes what earlier rounds of searching left: a search that is made each day would fill the database.
func (e *Engine) outdated(ctx context.Context, j Job) error {
	var ids []string
	err := e.history(ctx, j.Request, func(id string, t task) {
		if t.Round < j.Round && (strings.HasPrefix(t.Phase, searching) || strings.HasPrefix(t.Phase, "places."+searching) || strings.HasPrefix(t.Phase, hashing+searching)) {
			ids = append(ids, id)
		}
	})
	for part := range slices.Chunk(ids, forgetAtOnce) {
		if err == nil {
			err = e.Store.Tx(ctx, func(tx store.Tx) error {
				for _, id := range part {
					if err := tx.Delete(tasks, id); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return err
}
