package request

import (
	"slices"
	"strings"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// lasting are the doubts that another search does not clear.
var lasting = []Doubt{SharedMailbox, LookAlike, ByHand, Moved, Untold}

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
	again := d.Plan != nil && d.Plan.Last
	d.Plan = &p
	d.unreview(false, looked(p))
	// Who owns the account was for the plan to say that was approved: what says so may be erased by now.
	if !d.begun() && d.owned(p, again) {
		return nil
	}
	if d.Proposed != nil && d.Proposed.What == Settle {
		d.Proposed = nil // the search has found the other owner
	}
	d.record("planned")
	switch speaksForPerson := d.Requester == Subject || d.Requester == Agent; {
	case speaksForPerson && p.Theirs && !p.Own && d.Kind == Person && !d.Split && !d.begun():
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

// owned blocks a request that only an owner may make, or that would leave an account without one, and reports that it did.
// again says that the plan before found her the last owner too.
func (d *deciding) owned(p Plan, again bool) bool {
	switch {
	case d.oversteps(p):
		d.Frozen = d.thaw()
		d.record("planned")
		d.block(NotOwner)
	case again && p.Last && !d.Settled && d.Kind == Person:
		d.to(Blocked) // who has to know does: it was only looked at again
		d.Why = LastOwner
	case d.Kind == Account && !p.Owner && d.Proof != BySession:
		d.record("planned")
		d.block(NotOwner)
	case d.Kind == Person && p.Last && !d.Settled:
		// Neither a silent refusal nor a tenant without an owner: she decides what becomes of the account.
		d.record("planned")
		d.block(LastOwner)
		d.Reminded = d.now
		if d.Proof == ByTenant {
			return true // nobody asked her: the account goes on, and what becomes of it is not for who asked to say
		}
		d.Frozen = true
		d.publish(TopicFreeze)
		d.tell(letter.Owner)
	default:
		return false
	}
	return true
}

func (d *deciding) block(why Why) {
	d.to(Blocked)
	d.Why = why
	d.record("blocked")
	d.staff(letter.Stuck)
}

// hindered stops a request that cannot be planned as it stands, or gone on with: a person looks.
func (d *deciding) hindered() error {
	if err := d.inRound(); err != nil {
		return err
	}
	if (d.State == Blocked || d.State == Partial) && d.Why == d.e.Why {
		d.later()
		return nil
	}
	if d.searches(d.now) { // one that was late by the time it gave up says nothing of the next
		d.incomplete("", d.e.Why)
		d.later()
		return nil
	}
	if err := d.from(Planning, Executing, Verifying); err != nil {
		return err
	}
	if d.State == Planning {
		d.block(d.e.Why)
	} else {
		d.incomplete(d.State, d.e.Why)
	}
	return nil
}

// later has a search that nobody gets over made again the next day, and not at once.
func (d *deciding) later() {
	if !d.Pass.IsZero() {
		d.Pass = d.now.Add(daily)
	}
}

// weigh decides whether a person has to look at the plan.
func (d *deciding) weigh(p Plan) {
	d.Doubts = slices.DeleteFunc(d.Doubts, func(one Doubt) bool { return !slices.Contains(lasting, one) })
	if d.seen(p.Review, p.Look) {
		p.Review = 0
	}
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
	d.Begun = true
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
	d.doubt(Moved)
	d.record("drifted")
	d.plan()
	d.Begun = d.Begun && d.e.Touched // nobody takes back what is gone, and what is not she may
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
	if d.Executed.IsZero() {
		d.Executed = d.now
	}
	erased := d.e.Totals.Erased+d.e.Totals.Anonymised > d.Totals.Erased+d.Totals.Anonymised
	if erased || d.Sweeps == 0 {
		d.Ran = d.now
	}
	if erased && d.Passed > 0 {
		d.restart()
	}
	d.Totals, d.Changed = d.e.Totals, d.Changed || erased
	d.record("executed")
	d.publish(TopicPlan)
	return nil
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
	if d.State == Forwarding && strings.HasPrefix(d.e.Letter, string(letter.Instruct)+"/") {
		d.undelivered()
	}
	return nil
}
