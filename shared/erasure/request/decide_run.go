package request

import (
	"slices"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// daily is how often the last search is made again while something is left.
const daily = 24 * time.Hour

// lasting are the doubts that another search does not clear.
var lasting = []Doubt{SharedMailbox, LookAlike, ByHand, Moved}

// planned takes what the search found: it is forwarded, blocked, to be approved, or approved by the limits.
func (d *deciding) planned() error {
	if err := d.inRound(); err != nil {
		return err
	}
	p := *d.e.Plan
	if d.State != Planning && d.Plan != nil && d.Plan.Digest == p.Digest {
		return nil
	}
	if err := d.from(Planning); err != nil {
		return err
	}
	d.Plan = &p
	d.record("planned")
	switch speaksForPerson := d.Requester == Subject || d.Requester == Agent; {
	case d.Kind == Account && !p.Owner && d.Proof != BySession:
		d.block(NotOwner)
		return nil
	case d.Kind == Person && p.Last && !d.Settled:
		// Neither a silent refusal nor a tenant without an owner: she decides what becomes of the account.
		d.block(LastOwner)
		if !d.Frozen {
			d.Frozen = true
			d.publish(TopicFreeze)
		}
		d.tell(letter.Owner)
		return nil
	case speaksForPerson && p.Theirs && !p.Own && d.Kind == Person:
		d.forward()
		return nil
	case speaksForPerson && p.Theirs && d.Kind == Person && !d.Split:
		d.Split = true
		d.effects = append(d.effects, Effect{do: doSplit})
	}
	if d.Frozen {
		d.Frozen = d.thaw() // there is another owner by now
	}
	d.weigh(p)
	return nil
}

func (d *deciding) block(why Why) {
	d.to(Blocked)
	d.Why = why
	d.record("blocked")
	d.staff(letter.Stuck)
}

// forward hands the request to the tenant, whose data it is. What there is, if anything, the letter does not say.
func (d *deciding) forward() {
	d.ends(Forwarded, "")
	d.effects = append(d.effects, Effect{do: doForward, letter: letter.Instruct, step: string(letter.Instruct)})
	d.tell(letter.Forwarded)
	d.close()
}

// weigh decides whether a person has to look at the plan.
func (d *deciding) weigh(p Plan) {
	d.Doubts = slices.DeleteFunc(d.Doubts, func(one Doubt) bool { return !slices.Contains(lasting, one) })
	d.doubt(d.rules.doubts(p, d.Kind)...)
	if len(d.Doubts) == 0 {
		d.approved("")
		return
	}
	d.to(AwaitingApproval)
	d.record("awaiting")
	d.staff(letter.Approve)
}

// started lets the engine begin, with the plan that was approved and no other.
func (d *deciding) started() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if d.State == Executing {
		return nil
	}
	if err := d.from(Approved); err != nil {
		return err
	}
	switch {
	case d.Plan == nil || d.Plan.Digest != d.e.Digest:
		return fault.Refuse(fault.Conflict, "plan_changed", "The plan is not the one that was approved.", "Search again.")
	case d.exporting():
		return fault.Refuse(fault.Conflict, "export_first", "The person gets her copy first.", "Wait until it is handed over.")
	case !d.ready():
		return fault.Refuse(fault.Conflict, "too_early", "The account can still be kept.", "Wait until the grace is over.")
	}
	d.to(Executing)
	d.record("started")
	return nil
}

// drifted stops what is not what was approved. A person looks at the next plan.
func (d *deciding) drifted() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if err := d.from(Approved, Executing); err != nil {
		return err
	}
	d.doubt(append([]Doubt{Moved}, d.e.Doubts...)...)
	d.record("drifted")
	d.plan()
	return nil
}

// executed notes that the plan was carried out, as far as it could be. Whether anything is left is for the search to say.
func (d *deciding) executed() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if slices.Contains([]State{Verifying, Completed, Retained, Partial}, d.State) {
		return nil
	}
	if err := d.from(Executing); err != nil {
		return err
	}
	d.to(Verifying)
	if d.Totals = d.e.Totals; d.Passed == 0 {
		d.Executed = d.now
	}
	d.record("executed")
	d.publish(TopicPlan)
	return nil
}

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
	if d.e.Pass != d.Passed+1 || d.e.Pass > len(Passes()) {
		return fault.Refuse(fault.Conflict, "request_moved", "This is not the search that is due.", "Ask for the work there is now.")
	}
	d.Outcome = d.e.Outcome
	if d.Outcome.Left > 0 && d.Sweeps < maxSweeps {
		d.sweep()
		return nil
	}
	d.Passed, d.Pass = d.e.Pass, time.Time{}
	if d.Passed < len(Passes()) {
		d.Pass = d.Executed.Add(Passes()[d.Passed])
	}
	d.conclude()
	if d.Pass.IsZero() && d.State == Partial {
		d.Passed, d.Pass = d.Passed-1, d.now.Add(daily) // the last search goes on until it finds everything in order
	}
	if d.Pass.IsZero() && d.State == Completed {
		d.close()
	}
	return nil
}

// sweep erases what came late or was left. It needs no further approval: the plan is to erase this person.
func (d *deciding) sweep() {
	d.Sweeps++
	if d.Answered == Completed || d.Answered == Retained {
		d.Amended++
	}
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
	case o.Left > 0 || len(o.Open) > 0:
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
	if before == Partial {
		d.record("verified")
		return
	}
	d.record("partial")
	d.staff(letter.Stuck)
}

// answer tells the person how it ended, once for each end.
func (d *deciding) answer(s State, kind letter.Kind, swept bool) {
	if d.Answered == s && !swept {
		d.to(s)
		d.record("verified")
		return
	}
	first := d.Answered != s
	d.ends(s, "")
	if first && d.Requester != Controller {
		d.tell(kind)
	}
}

// alive notes that the engine is at it.
func (d *deciding) alive() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if d.State.working() {
		d.Active = d.now
	}
	return nil
}

// maxLost is how many lost letters are told apart.
const maxLost = 20

// letterLost has a person look after a letter that did not arrive for certain. It is not sent again by itself.
func (d *deciding) letterLost() error {
	if slices.Contains(d.Lost, d.e.Letter) || len(d.Lost) >= maxLost {
		return nil
	}
	d.Lost = append(slices.Clone(d.Lost), d.e.Letter)
	d.record("letter_lost")
	d.staff(letter.Lost)
	return nil
}
