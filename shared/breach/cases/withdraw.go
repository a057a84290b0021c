package cases

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
)

// Withdrawal is what became of a report to an authority after the case turned out to be no breach: it was taken back there,
// or it stands, as where the law wants incidents reported.
type Withdrawal struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Text   int       `json:"text,omitempty"` // the authority's reference, or why it stands
	Stands bool      `json:"stands,omitempty"`
}

// gone reports whether a report was taken back.
func (f Filing) gone() bool { return f.Withdrawn != nil && !f.Withdrawn.Stands }

// Reported reports whether a report of a clock is with the authority.
func (c *Case) Reported(id string) bool {
	f := c.Filed[id]
	return !f.At.IsZero() && !f.gone()
}

// recalling begins the ids of the clocks by which reports are to be taken back.
const recalling = "withdraw"

// recallable are the reports of a case that is no breach. A report that follows another goes with it.
func (c *Case) recallable() (ids []string) {
	if c.Exercise || c.State != Closed || c.Ending != NotABreach {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(c.Filed)) {
		if row, known := clock.RowOf(id); known && row.Start != clock.Submitted && !c.Filed[id].At.IsZero() {
			ids = append(ids, id)
		}
	}
	return ids
}

// TakesBack are the clocks of reports that are with an authority about what turned out to be no breach, and of which nobody
// has said yet that they were taken back there, or stand (EDPB guidelines 9/2022).
func (c *Case) TakesBack() []string {
	return slices.DeleteFunc(c.recallable(), func(id string) bool { return c.Filed[id].Withdrawn != nil })
}

// recalls are the clocks by which reports are to be taken back: the law gives no hours, the company's aim is its own.
func (c *Case) recalls(r Rules, now time.Time) (all []clock.Clock) {
	for _, id := range c.recallable() {
		done := time.Time{}
		if w := c.Filed[id].Withdrawn; w != nil {
			done = w.At
		}
		all = append(all, clock.Promised(recalling+":"+id, c.Closed, c.Closed.Add(r.Aim), done, time.Time{}, now))
	}
	return all
}

// withdraw notes that a report was taken back on the authority's portal, or why it stands.
func (d *deciding) withdraw() error {
	if err := d.mayDecide(); err != nil {
		return err
	}
	if err := d.from(Closed); err != nil {
		return err
	}
	f, at := d.Filed[d.e.Clock], d.e.At.UTC()
	switch {
	case !slices.Contains(d.recallable(), d.e.Clock):
		return refuse("clock_invalid", "The case has no such report to be taken back.", "Use one of those that were made before it turned out to be no breach.")
	case f.Withdrawn != nil:
		return nil
	case d.e.Yes && (at.Before(f.At) || at.After(d.now.Add(clock.Ahead))):
		return refuse("times_invalid", "The report was not taken back between the time it was made and now.", "Give the time on the authority's receipt, with its offset.")
	case !d.e.Yes && d.e.Text == 0:
		return refuse("reason_missing", "That a report stands has a reason.", "Say why the authority keeps it.")
	case !d.e.Yes:
		at = d.now
	}
	f.Withdrawn = &Withdrawal{At: at, By: d.e.By.ID, Text: d.e.Text, Stands: !d.e.Yes}
	d.Filed[d.e.Clock] = f
	d.record("withdrawn")
	return nil
}

// recall puts on record that a report is not taken back within the company's aim, and tells who decides: then, and once a week.
func (d *deciding) recall() {
	at := d.recallDue()
	if at.IsZero() || d.now.Before(at) {
		return
	}
	if d.Overdue == "" {
		d.Overdue = "withdrawal"
		d.effects = append(d.effects, Effect{Do: DoFinding, Step: "withdrawal"})
	}
	d.Recalled = d.today()
	d.tell("take_back", "")
}

// recallDue is when people are told next of a report that is to be taken back; zero for never.
func (d *deciding) recallDue() time.Time {
	switch {
	case len(d.TakesBack()) == 0:
		return time.Time{}
	case d.Recalled.IsZero():
		return d.Closed.Add(d.bound(d.rules).Aim)
	}
	return calendar.AddDays(d.Recalled, reminding-1).End(d.rules.Zone)
}
