package request

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// reviewed notes that a person has looked at items that only people can judge. When nothing else is to be looked at, the
// engine searches again at once: whether the request is complete is for a search to say.
func (d *deciding) reviewed() error {
	if err := d.from(AwaitingApproval, Approved, Executing, Verifying, Partial); err != nil {
		return err
	}
	if err := d.apart(); err != nil {
		return err
	}
	l := d.e.Look
	if !d.asked(l) {
		return fault.Refuse(fault.Conflict, "review_unknown", "There are not so many items of this entry to look at.", "Look at the request again.")
	}
	if l.Why == "" && l.Items > 0 && l.Set == "" && slices.Contains(d.Others, l.Entry) {
		return fault.Refuse(fault.Conflict, "review_unknown", "Other items of this entry were found since it was first shown: which of them were looked at is not said.", "Look at the request again, and name the set with them.")
	}
	if l.Why == "" && l.Items > 0 {
		l.Set = d.set(l.Entry)
	}
	if n, known := d.Reviewed[l.key()]; known && n == l.Items && d.Answers[l.key()].Reference == d.e.Reference {
		return nil
	}
	if d.Reviewed == nil {
		d.Reviewed = map[string]int64{}
	}
	if d.Answers == nil {
		d.Answers = map[string]Answer{}
	}
	d.Reviewed[l.key()], d.Answers[l.key()] = l.Items, l.answer(d.e.By, d.e.Reference, d.now)
	d.record("reviewed")
	if d.State == Partial && !d.Executed.IsZero() && !slices.ContainsFunc(d.settled(d.Outcome).Open, Open.settles) {
		d.Extra, d.Pass = true, d.now.Add(Idle) // until the engine has answered
		d.Round++
		d.publish(TopicPlan)
	}
	return nil
}

// counted is how many items of an entry a person has to look at, as far as plan and search have told.
func (d *deciding) counted(entry string) (n int64) {
	if d.Plan != nil {
		for _, l := range d.Plan.Look {
			if l.Entry == entry {
				n = max(n, l.Items)
			}
		}
	}
	for _, o := range d.Outcome.Open {
		if o.Entry == entry && o.Why == review {
			n = max(n, o.Items)
		}
	}
	return n
}

// set is which items of an entry a person has to look at: those of the last search, or of the plan before there is one.
func (d *deciding) set(entry string) string {
	for _, o := range d.Outcome.Open {
		if o.Entry == entry && o.Why == review {
			return o.Set
		}
	}
	if d.Plan != nil {
		for _, l := range d.Plan.Look {
			if l.Entry == entry {
				return l.Set
			}
		}
	}
	return ""
}

// others notes the entries of which people are shown other items to look at than they were before, or in the plan than in the last
// search.
func (d *deciding) others(before Request) {
	was := &deciding{Request: before}
	d.Others = slices.Clone(d.Others)
	for _, one := range d.sets() {
		if old := was.set(one.Entry); !slices.Contains(d.Others, one.Entry) && (old != "" && old != one.Set || d.set(one.Entry) != one.Set) {
			d.Others = append(d.Others, one.Entry)
		}
	}
}

// sets are the items people are shown to look at, of plan and last search, where it is known which.
func (d *deciding) sets() (all []Open) {
	all = slices.Clone(d.Outcome.Open)
	if d.Plan != nil {
		all = append(all, looked(*d.Plan)...)
	}
	return slices.DeleteFunc(all, func(o Open) bool { return o.Set == "" || o.Why != review })
}

// asked reports whether there is something that such an answer settles.
func (d *deciding) asked(l Look) bool {
	open := func(why string) bool {
		return slices.ContainsFunc(d.Outcome.Open, func(o Open) bool { return o.Entry == l.Entry && o.Why == why && l.Items <= o.Items })
	}
	switch {
	case l.Items < 0 || l.Set != "" && l.Set != d.set(l.Entry): // she saw others
		return false
	case slices.Contains(questions, l.Why):
		return open(l.Why)
	}
	return l.Why == "" && (l.Items > 0 && l.Items <= d.counted(l.Entry) || l.Items == 0 && open(unasked))
}

// seen reports whether a person has settled all of what there is to look at.
func (d *deciding) seen(items int64, all []Look) bool {
	var listed int64
	for _, l := range all {
		if listed += l.Items; !d.Saw(l) {
			return false
		}
	}
	return listed >= items
}

// unreview lowers what a person has settled to what is found of it: what she saw and is gone settles nothing that comes later.
// Of an entry that could not be searched nobody knows. Only a search after the erasing tells of questions without a number.
func (d *deciding) unreview(whole bool, found ...[]Open) {
	seen, dark := map[string]int64{}, map[string]bool{}
	for _, one := range slices.Concat(found...) {
		if !one.settles() {
			dark[one.Entry] = true
			continue
		}
		seen[one.key()] = max(seen[one.key()], one.Items)
	}
	maps.DeleteFunc(d.Reviewed, func(k string, n int64) bool {
		entry, _, question := strings.Cut(k, ":")
		entry, _, _ = strings.Cut(entry, inSet)
		_, there := seen[k]
		return !there && !dark[entry] && (whole || n > 0 && !question)
	})
	maps.DeleteFunc(d.Answers, func(k string, _ Answer) bool {
		_, counts := d.Reviewed[k]
		return !counts
	})
	for k, n := range seen {
		if d.Reviewed[k] > n {
			d.Reviewed[k] = n
		}
	}
}

// looked is what a plan found for people to look at.
func looked(p Plan) (all []Open) {
	for _, l := range p.Look {
		all = append(all, Open{Entry: l.Entry, Why: review, Items: l.Items, Set: l.Set})
	}
	return all
}

// settled leaves out of an outcome what a person has looked at.
func (d *deciding) settled(o Outcome) Outcome {
	o.Settled, o.Open = nil, slices.DeleteFunc(slices.Clone(o.Open), func(one Open) bool { return one.Settled(d.Reviewed) })
	return o
}
