package request

import (
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// daily is how often the last search is made again while something is left.
const daily = 24 * time.Hour

// verified takes what a search found. Only it completes a request.
func (d *deciding) verified() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if d.e.Pass > 0 && d.e.Pass <= d.Passed {
		return nil
	}
	if err := d.from(Verifying, Completed, Retained, Partial); err != nil {
		return err
	}
	if d.Executed.IsZero() || d.e.Pass != d.Passed+1 || d.e.Pass > len(Passes()) {
		return fault.Refuse(fault.Conflict, "request_moved", "This is not the search that is due.", "Ask for the work there is now.")
	}
	d.unreview(true, d.e.Outcome.Open, d.e.Outcome.Settled)
	d.Outcome = d.settled(d.e.Outcome)
	if d.Outcome.Left > 0 && d.Sweeps < maxSweeps {
		d.sweep()
		return nil
	}
	d.Passed, d.Pass = d.e.Pass, time.Time{}
	if d.Extra {
		d.another()
	}
	if d.Extra = false; d.Passed < len(Passes()) {
		d.Pass = d.Ran.Add(Passes()[d.Passed])
	}
	d.conclude()
	if d.Pass.IsZero() && d.State == Partial {
		d.another() // the last search goes on until it finds everything in order
		d.Pass = d.now.Add(daily)
	}
	d.finish()
	return nil
}

// another lets the search that was made be made once more, in a round of its own: the engine looks again, and what it said
// of this one counts once.
func (d *deciding) another() {
	d.Passed--
	d.Round++
}

// restart begins the searches anew: a month without a find is to follow the last of her that was erased. Of what goes on
// appearing a person has to find out why.
func (d *deciding) restart() {
	if d.Restarts++; d.Restarts <= maxRestarts {
		d.Passed, d.Extra = 0, false
	}
}

// sweep erases what came late or was left. It needs no further approval as long as it is no more than may go without one
// beside what was approved: the plan is to erase this person. Of more than that a person has seen nothing.
func (d *deciding) sweep() {
	if d.Plan == nil || d.Outcome.Left > d.rules.AutoApprove+d.Plan.Items {
		d.doubt(Moved)
		d.record("drifted")
		d.plan()
		return
	}
	d.Sweeps++
	d.to(Approved)
	d.Round++
	d.After, d.Pass = d.now, time.Time{}
	d.record("swept")
	d.publish(TopicRun)
}

// conclude says how the request stands after a search.
func (d *deciding) conclude() {
	before := d.State
	swept := d.Sweeps > 0
	d.Sweeps = 0
	switch o := d.Outcome; {
	case o.Left > 0 || len(o.Open) > 0 || d.Restarts > maxRestarts:
		d.incomplete(before, Left)
	case o.Missing > 0 && d.rules.Strict:
		d.incomplete(before, Unmapped)
	case len(o.Kept) > 0 || len(d.Holds) > 0:
		d.answer(Retained, letter.Retained, swept)
	default:
		d.answer(Completed, letter.Completed, swept)
	}
}

func (d *deciding) incomplete(before State, why Why) {
	d.to(Partial)
	d.Why = why
	d.takeBack()
	if before == Partial {
		d.record("verified")
		return
	}
	d.record("partial")
	d.staff(letter.Stuck)
}

// takeBack tells a person who was told that it is over that it is not, and has a receipt made that says so.
func (d *deciding) takeBack() {
	if d.Answered != Completed && d.Answered != Retained {
		return
	}
	d.Answered = Partial
	d.Receipts++
	d.call()
	if d.Requester != Controller {
		d.tell(letter.Interim)
	}
}

// answer tells the person how it ended, once for each end.
func (d *deciding) answer(s State, kind letter.Kind, swept bool) {
	first := d.Answered != s
	if first || d.Changed {
		d.Receipts, d.Changed = d.Receipts+1, false
		d.call()
	}
	if !first && !swept {
		d.to(s)
		d.record("verified")
		return
	}
	d.ends(s, "")
	if first && d.Requester != Controller {
		d.tell(kind)
	}
}

// call asks the engine's reading account for what is owed: a letter with a link, receipts, or to forget.
func (d *deciding) call() {
	d.Called = d.now
	d.publish(TopicPlan)
}

// receipted notes that a receipt is made.
func (d *deciding) receipted() error {
	if d.e.Pass != d.Made+1 || d.Made >= d.Receipts {
		return nil
	}
	d.Made++
	d.record("receipted")
	if d.Made == d.Amends {
		d.amended()
	}
	if d.owed() > 0 {
		d.call()
	}
	d.finish()
	return nil
}

// finish closes a request of which nothing is left to be done.
func (d *deciding) finish() {
	if d.State == Completed && d.Pass.IsZero() && d.owed() == 0 && d.Waits.IsZero() && d.Closed.IsZero() {
		d.close()
	}
}

// forgotten notes that the engine keeps nothing of a closed request.
func (d *deciding) forgotten() error {
	d.Forget = false
	return nil
}
