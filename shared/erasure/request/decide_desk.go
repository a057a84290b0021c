package request

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// approve takes a person's word for the plan she saw.
func (d *deciding) approve() error {
	if d.By == d.e.By && d.Plan != nil && d.Plan.Digest == d.e.Digest && slices.Contains([]State{Approved, Executing, Verifying}, d.State) {
		return nil
	}
	if err := d.from(AwaitingApproval); err != nil {
		return err
	}
	if err := d.apart(); err != nil {
		return err
	}
	if d.Plan == nil || d.Plan.Digest != d.e.Digest {
		return fault.Refuse(fault.Conflict, "plan_changed", "The plan is not the one you saw.", "Look at the plan again.")
	}
	d.approved(d.e.By)
	return nil
}

// apart refuses the word of whoever entered the request, under whatever address, and of nobody.
func (d *deciding) apart() error {
	switch {
	case d.e.By == "" || d.e.By == d.EnteredBy:
		return fault.Refuse(fault.Denied, "approve_self", "Who entered a request does not decide about it.", "Ask another person.")
	case slices.Contains(d.e.Twins, d.EnteredBy):
		return policy.SamePerson()
	}
	return nil
}

// approved lets the plan be carried out: at once, after the grace of an account, or when the person has her copy.
func (d *deciding) approved(by string) {
	d.to(Approved)
	d.By, d.Decided, d.After, d.Proposed = by, d.now, d.now, nil
	d.record("approved")
	if d.Kind == Account {
		d.publish(TopicRevoke) // what acts in its name ends at once
	}
	if d.Kind == Account && !d.begun() {
		// The account still stands and can be kept until then.
		d.After = d.now.Add(time.Duration(d.rules.GraceDays) * 24 * time.Hour)
		d.tell(letter.Closure)
	}
	switch {
	case d.ready():
		d.publish(TopicRun)
	case d.exporting():
		d.staff(letter.Stuck) // somebody makes the copy
	}
}

// ready reports whether an approved plan may be carried out now.
func (d *deciding) ready() bool {
	return d.State == Approved && !d.now.Before(d.After) && !d.exporting()
}

// second takes a decision that two people have to take. It is done with the second one's word.
func (d *deciding) second(p Proposed, same func(Proposed) bool) (done bool, err error) {
	if err := d.apart(); err != nil {
		return false, err
	}
	switch {
	case d.Proposed == nil || d.Proposed.What != p.What || !same(*d.Proposed):
		d.Proposed = &p
		d.record("proposed_" + string(p.What))
		d.staff(letter.Second)
		return false, nil
	case d.Proposed.By == p.By:
		return false, nil // she said so already
	case slices.Contains(d.e.Twins, d.Proposed.By):
		return false, policy.SamePerson()
	}
	return true, nil
}

// beforehand are the states in which nothing has been erased yet.
var beforehand = []State{Received, IdentityPending, Planning, AwaitingApproval, Approved, Blocked}

func (d *deciding) reject() error {
	if r := d.Refusal; d.State == Rejected && r != nil && r.Ground == d.e.Refusal.Ground && (r.By == d.e.By || r.Second == d.e.By) {
		return nil
	}
	if d.begun() {
		return tooLate()
	}
	if err := d.from(beforehand...); err != nil {
		return err
	}
	if err := cited(d.e.Refusal.Ground, d.e.Refusal.Citation, RejectGrounds()); err != nil {
		return err
	}
	refusal := *d.e.Refusal
	refusal.By, refusal.Second = d.e.By, ""
	done, err := d.second(Proposed{What: Reject, By: d.e.By, At: d.now, Refusal: &refusal}, func(o Proposed) bool {
		return o.Refusal != nil && o.Refusal.Ground == refusal.Ground && o.Refusal.Citation == refusal.Citation
	})
	if err != nil || !done {
		return err
	}
	refusal.By, refusal.Second = d.Proposed.By, d.e.By
	d.Refusal = &refusal
	d.ends(Rejected, "")
	if d.Requester != Controller {
		d.tell(letter.Rejected)
	}
	d.close()
	return nil
}

// holdable are the states in which there may be something left to keep.
var holdable = append([]State{Executing, Partial, Retained}, beforehand...)

func (d *deciding) hold() error {
	if d.e.Alike {
		return d.heldAlike()
	}
	h := *d.e.Hold
	h.By, h.At = d.e.By, d.now
	if slices.ContainsFunc(d.Holds, func(o Hold) bool { return o.same(h) && (o.By == h.By || o.Second == h.By) }) {
		return nil
	}
	if d.State == Verifying || d.State == Completed {
		return tooLate()
	}
	if err := d.from(holdable...); err != nil {
		return err
	}
	if err := h.check(d.now, d.rules.Zone); err != nil {
		return err
	}
	if len(d.Holds) >= MaxHolds {
		return fault.Refuse(fault.Exhausted, "hold_invalid", "There are as many holds as a request may have.", "Release some first.")
	}
	done, err := d.second(Proposed{What: HoldIt, By: h.By, At: d.now, Hold: &h}, func(o Proposed) bool { return o.Hold != nil && o.Hold.same(h) })
	if err != nil || !done {
		return err
	}
	h.ID, h.By, h.Second = d.Proposed.Hold.ID, d.Proposed.By, d.e.By
	d.Holds, d.Proposed = append(d.Holds, h), nil
	d.record("held")
	// What was planned, or is being done or searched, is no longer right. The engine's next word meets another round.
	switch {
	case slices.Contains([]State{Planning, AwaitingApproval, Approved, Executing}, d.State):
		d.plan()
	case d.Round > 0:
		d.Round++
	}
	if d.State == Retained && d.Requester != Controller {
		d.tell(letter.Retained) // there is one reason more than she was told
	}
	return nil
}

// release ends a hold. One person is enough: it gives the person her right back.
func (d *deciding) release() error {
	if d.e.Alike {
		return d.freedAlike()
	}
	i := slices.IndexFunc(d.Holds, func(h Hold) bool { return h.ID == d.e.ID })
	if i < 0 {
		return fault.Refuse(fault.NotFound, "hold_unknown", "The request has no such hold.", "Look at the request again.")
	}
	if err := d.apart(); err != nil {
		return err
	}
	d.Holds = slices.Delete(d.Holds, i, i+1)
	d.record("released")
	d.reopen()
	return nil
}

// reopen searches again, because there is less to keep than there was.
func (d *deciding) reopen() {
	if d.Private == nil {
		return
	}
	switch d.State {
	case Retained, Partial, Planning, AwaitingApproval, Approved, Executing, Verifying:
		d.plan()
		d.Reopened, d.Late = d.now, false
		d.record("reopened")
	}
}

// extend takes two further months. The notice has to reach the person within the first (article 12(3)).
func (d *deciding) extend() error {
	if d.State.Answered() {
		return d.from()
	}
	switch {
	case d.Extended != nil && d.Extended.Reason == d.e.Reason && d.Extended.By == d.e.By:
		return nil
	case d.Extended != nil:
		return fault.Refuse(fault.Conflict, "extended_already", "The deadline was extended before.", "It can be extended once.")
	case d.Proved.IsZero():
		return d.from() // nobody to tell
	case !d.now.Before(d.Deadline.NoticeBy.End(d.rules.Zone)):
		return fault.Refuse(fault.Conflict, "notice_late", "The person has to hear of an extension within the first month.", "Answer by the deadline there is.")
	case d.e.Reason != Complexity && d.e.Reason != Number:
		return fault.Refuse(fault.Invalid, "reason_invalid", "There is no such reason.", "Give complexity or number.")
	}
	d.Extended = &Extension{Reason: d.e.Reason, By: d.e.By, At: d.now}
	if err := d.clock(); err != nil {
		return err
	}
	d.record("extended")
	if d.Requester != Controller {
		d.tell(letter.Extended)
	}
	return nil
}

// exported notes that the person has her copy: now it may be erased.
func (d *deciding) exported() error {
	if !d.Exported.IsZero() || !d.Export {
		return nil
	}
	if err := d.from(Planning, AwaitingApproval, Approved, Blocked); err != nil {
		return err
	}
	day := d.e.Day
	if day.IsZero() {
		day = d.today()
	}
	if d.today().Before(day) || day.Before(calendar.Date(d.Received, d.rules.Zone)) {
		return fault.Refuse(fault.Invalid, "body_invalid", "The copy was handed over after today, or before the request came.", "Give the day on which the person got it.")
	}
	d.Exported, d.Handed, d.HandedBy = d.now, day, d.e.By
	d.record("exported")
	if d.ready() {
		d.Active = d.now
		d.publish(TopicRun)
	}
	return nil
}

// settle goes on with the request of who was the last owner: there is another one now. One person's word has it searched again, and
// it goes on where the search finds the other one; against the search it takes two.
func (d *deciding) settle() error {
	searching := d.State == Planning && d.Proposed != nil && d.Proposed.What == Settle
	switch {
	case d.State != Blocked && d.Settled || searching && d.Proposed.By == d.e.By:
		return nil
	case !searching && (d.State != Blocked || d.Why != LastOwner):
		return d.from()
	}
	done, err := d.second(Proposed{What: Settle, By: d.e.By, At: d.now}, func(Proposed) bool { return true })
	if err != nil {
		return err
	}
	if done {
		d.Settled, d.Proposed, d.Frozen = true, nil, d.thaw()
		d.record("settled")
	}
	if !searching {
		d.plan()
	}
	return nil
}

// closes reports whether whoever asked may have the account closed when the person turns out to be its last owner: she
// herself, not who spoke for her.
func (r Request) closes() bool {
	return r.Proof == ByLink || r.Proof == BySession && r.Role == TenantOwner
}

// widen makes of the request of a last owner one to close her account.
func (d *deciding) widen() error {
	if d.Kind == Account {
		return nil
	}
	if err := d.from(Blocked); err != nil {
		return err
	}
	if d.Why != LastOwner || !d.closes() {
		return d.from()
	}
	d.Kind, d.Widened, d.Requester, d.Marks, d.Frozen = Account, true, TenantOwner, d.e.Marks, d.thaw()
	d.record("widened")
	d.plan()
	return nil
}

// resume searches again when what stood in the way is gone.
func (d *deciding) resume() error {
	if err := d.from(Blocked, Partial); err != nil {
		return err
	}
	d.record("resumed")
	if d.held() {
		d.forward() // what there is was searched, or is not ours to search
		return nil
	}
	d.plan()
	return nil
}
