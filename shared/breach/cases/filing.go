package cases

import (
	"cmp"
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// maxPromises bounds what a case promises at once.
const maxPromises = 50

// maxAhead is how many years ahead something may be promised.
const maxAhead = 10

// file notes that somebody made a report on an authority's portal. A late one has its reasons (GDPR, article 33(1)). What
// was noted wrongly is corrected with a reason, and stays among Earlier.
func (d *deciding) file() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	old := d.Filed[d.e.Clock]
	states := []State{Open}
	at := d.e.At.UTC()
	if d.e.Wrong > 0 || !old.At.IsZero() && old.At.Equal(at) {
		states = append(states, Closed)
	}
	if err := d.from(states...); err != nil {
		return err
	}
	if at.Before(d.Times.Aware) || at.After(d.now.Add(clock.Ahead)) {
		return refuse("times_invalid", "The report was not made between awareness and now.", "Give the time on the authority's receipt, with its offset.")
	}
	running, known := d.clock(d.e.Clock)
	known = known && Tenant(d.e.Clock) == "" // no report is made for a tenant, and records name none
	if !known || running.Binding != clock.Law && !IsContract(d.e.Clock) {
		return refuse("clock_invalid", "The case has no such clock to be met by a report.", "Use one of its legal clocks.")
	}
	if old.says(d.e, at) {
		return nil
	}
	if old.adds(d.e, at) {
		d.Filed[d.e.Clock] = old.with(d.e)
		d.record("filing_corrected")
		return nil
	}
	if err := d.replaces(old, at); err != nil {
		return err
	}
	next := Filing{At: at, By: d.e.By.ID, Reference: d.e.Text, Reasons: d.e.Late, Earlier: old.after(d.e)}
	if d.e.Wrong > 0 {
		next.Reference, next.Reasons = cmp.Or(next.Reference, old.Reference), cmp.Or(next.Reasons, old.Reasons)
	}
	if !running.Target.IsZero() && next.First().After(running.Target) && next.Reasons == 0 {
		return refuse("late_reasons_missing", "The report is late: its reasons go with it.", "Say why it was not made in time.")
	}
	if d.Filed == nil {
		d.Filed = map[string]Filing{}
	}
	d.Filed[d.e.Clock] = next
	if d.e.Wrong > 0 {
		d.record("filing_corrected")
	} else {
		d.record("filed")
	}
	return nil
}

// says reports whether a report on record is what an event says.
func (f Filing) says(e Event, at time.Time) bool {
	return !f.At.IsZero() && !f.gone() && f.At.Equal(at) && (e.Text == 0 || e.Text == f.Reference) && (e.Late == 0 || e.Late == f.Reasons)
}

// adds reports whether an event says of a report on record only what is missing there.
func (f Filing) adds(e Event, at time.Time) bool {
	missing := (e.Text == 0 || e.Text == f.Reference || f.Reference == 0) && (e.Late == 0 || e.Late == f.Reasons || f.Reasons == 0)
	return !f.At.IsZero() && !f.gone() && f.At.Equal(at) && e.Wrong == 0 && missing
}

// with is a report with what was missing in it.
func (f Filing) with(e Event) Filing {
	f.Reference, f.Reasons = cmp.Or(f.Reference, e.Text), cmp.Or(f.Reasons, e.Late)
	return f
}

// maxReports bounds how often a report is noted again or corrected.
const maxReports = 50

// replaces refuses another report of a clock that has one, unless it is a correction or one of several.
func (d *deciding) replaces(old Filing, at time.Time) error {
	row, _ := clock.RowOf(d.e.Clock)
	switch {
	case old.At.IsZero() && d.e.Wrong > 0:
		return refuse("clock_invalid", "No report of that clock is on record: there is nothing to correct.", "Note the report, without a reason for a correction.")
	case old.At.IsZero():
		return nil
	case old.gone() && len(old.Earlier) < maxReports:
		return nil
	case len(old.Earlier) >= maxReports:
		return refuse("times_invalid", "The report was noted, or corrected, too often.", "Describe the rest in the review.")
	case d.e.Wrong > 0:
		return nil
	case !d.e.Further || !row.Repeats:
		return fault.Refuse(fault.Conflict, "filed_before", "This report is on record.", "Give the reason of a correction, where its time was noted wrongly. A complement has its own clock.")
	case !at.After(old.At):
		return refuse("times_invalid", "One more report comes after the last.", "Give the time on the authority's receipt, with its offset.")
	}
	return nil
}

// after is what stood in a case before the report of an event.
func (f Filing) after(e Event) []Filing {
	if f.At.IsZero() {
		return nil
	}
	earlier := f.Earlier
	f.Earlier, f.Wrong = nil, e.Wrong
	return append(slices.Clone(earlier), f)
}

// First is when the first report was made that was not noted wrongly, and not taken back.
func (f Filing) First() time.Time {
	for _, one := range f.Earlier {
		if one.Wrong == 0 && !one.gone() {
			return one.At
		}
	}
	return f.At
}

// IsReport reports whether an id is that of a clock of a Contract, or of the law that a report of its own ends, beside the first to the
// authority and what the persons are told, about which is decided by names of their own. Two people end such a clock as well,
// by deciding that it does not apply: the subject of that decision is its id.
func IsReport(id string) bool {
	row, known := clock.RowOf(id)
	return IsContract(id) || known && row.Binding == clock.Law && !slices.Contains(always, id)
}

// OwesReport reports whether a clock of a case is one of IsReport that is neither ended by a report nor decided against: the
// case is not closed before.
func OwesReport(c clock.Clock) bool {
	return IsReport(c.ID) && c.Done.IsZero() && c.Status != clock.Stopped
}

// promise notes something that is to be done by an instant, such as a complement or the next update, or that it was. One
// that was promised may be moved, with a reason.
func (d *deciding) promise() error {
	byNotice := d.e.What == Keep && d.e.Noted && d.e.By.ID == ""
	if err := d.mayDecide(); err != nil && !byNotice {
		return err
	}
	if err := d.from(Open); err != nil {
		return err
	}
	name, at := d.e.Name, d.e.At.UTC()
	by, known := d.Promises[name]
	switch {
	case name == "" || len(name) > 40:
		return refuse("name_invalid", "A promise has a short name.", "Use letters, digits and hyphens, at most 40.")
	case d.e.What == Keep && name == Persons && !d.e.Noted:
		return fault.Refuse(fault.Conflict, "notice_missing", "That the persons were told is noted on the notice to them.", "Write that notice, have another person approve it, and note on it how and when they were told.")
	case d.e.What == Keep && !known && name != Persons:
		return refuse("name_invalid", "Nothing was promised by that name.", "Look at the promises of the case.")
	case d.e.What == Keep && !d.Kept[name].IsZero(), d.e.What == Promise && known && by.Equal(at):
		return nil
	case d.e.What == Promise && at.After(d.now.AddDate(maxAhead, 0, 0)):
		return refuse("times_invalid", "Nobody promises something for more than ten years ahead.", "Give an earlier instant.")
	case d.e.What == Promise && !at.After(d.now):
		return refuse("times_invalid", "What is promised lies ahead.", "Give an instant after now, with its offset.")
	case d.e.What == Promise && known && d.Kept[name].IsZero() && d.e.Text == 0:
		return refuse("reason_missing", "Moving a promise has a reason.", "Say why it takes longer.")
	case d.e.What == Promise && !known && len(d.Promises) >= maxPromises:
		return refuse("name_invalid", "The case promises too much already.", "Keep one of its promises first.")
	}
	if d.e.What == Keep {
		if d.Kept == nil {
			d.Kept = map[string]time.Time{}
		}
		if d.Kept[name] = d.now; d.e.Noted && !at.IsZero() {
			d.Kept[name] = at
		}
		d.record("kept")
		return nil
	}
	if d.Promises == nil {
		d.Promises = map[string]time.Time{}
	}
	if d.Pledged == nil {
		d.Pledged = map[string]time.Time{}
	}
	d.Promises[name], d.Pledged[name] = at, d.now
	delete(d.Kept, name)
	d.record("promised")
	return nil
}
