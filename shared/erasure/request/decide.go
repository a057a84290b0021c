package request

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// deciding is one decision: a copy of the request that changes, and the effects that follow.
type deciding struct {
	Request
	e       Event
	now     time.Time
	rules   Rules
	effects []Effect
}

// Decide says what an event makes of a request. It does no I/O and leaves r as it is. What came before, or does not belong
// to the present round, is refused as Conflict, code request_moved; what has been taken in already changes nothing and has
// no effects. Further codes: state_conflict (the state does not have the event), plan_changed, approve_self, too_late,
// export_first, hold_unknown, extended_already, notice_late, token_invalid.
func Decide(r Request, e Event, now time.Time, rules Rules) (Request, []Effect, error) {
	d := &deciding{Request: r, e: e, now: now, rules: rules}
	d.Holds, d.Doubts, d.Linked, d.Reviewed = slices.Clone(r.Holds), slices.Clone(r.Doubts), slices.Clone(r.Linked), maps.Clone(r.Reviewed)
	d.Answers = maps.Clone(r.Answers)
	if err := d.decide(); err != nil {
		return r, nil, err
	}
	if e.What == Planned || e.What == Verified || e.What == Review {
		d.lookBy()
		d.others(r)
	}
	d.schedule()
	return d.Request, d.effects, nil
}

func (d *deciding) decide() error {
	switch d.e.What {
	case Looked:
		return d.looked()
	case Renewed:
		return d.renewed()
	case Mistried:
		return d.mistried()
	case Proved:
		return d.proved()
	case Duplicated:
		return d.duplicated()
	case Joined:
		return d.joined()
	case Gathered:
		d.Gather = ""
		return nil
	case PassOn:
		return d.passOn()
	case Delivered:
		d.delivered()
		return nil
	case GivenUp:
		return d.givenUp()
	case Planned:
		return d.planned()
	case Approve:
		return d.approve()
	case Reject:
		return d.reject()
	case HoldIt:
		return d.hold()
	case Release:
		return d.release()
	case Extend:
		return d.extend()
	case Exported:
		return d.exported()
	case Withdraw:
		return d.withdraw()
	case Settle:
		return d.settle()
	case Widen:
		return d.widen()
	case Resume:
		return d.resume()
	case Review:
		return d.reviewed()
	case Receipted:
		return d.receipted()
	case Forgotten:
		return d.forgotten()
	case Started:
		return d.started()
	case Drifted:
		return d.drifted()
	case Executed:
		return d.executed()
	case Verified:
		return d.verified()
	case Hindered:
		return d.hindered()
	case Alive:
		return d.alive()
	case Parties:
		return d.parties()
	case LetterLost:
		return d.letterLost()
	case Hinted:
		d.hinted()
		return nil
	case Ticked:
		return d.ticked()
	}
	return fault.New(fault.Invalid, "deciding about a request: an unknown event")
}

// from refuses the event in any other state.
func (d *deciding) from(states ...State) error {
	if slices.Contains(states, d.State) {
		return nil
	}
	return fault.Refuse(fault.Conflict, "state_conflict", "The request is "+string(d.State)+": this cannot be done now.", "Look at the request again.")
}

// inRound refuses what the engine says of an earlier round.
func (d *deciding) inRound() error {
	if d.e.Round == d.Round {
		return nil
	}
	return fault.Refuse(fault.Conflict, "request_moved", "The request has moved on since.", "Ask for the work there is now.")
}

func (d *deciding) record(step string) {
	d.effects = append(d.effects, Effect{do: doRecord, step: step})
}

func (d *deciding) tell(kind letter.Kind) {
	d.effects = append(d.effects, Effect{do: doLetter, letter: kind, step: string(kind)})
}

func (d *deciding) staff(kind letter.Kind) {
	d.effects = append(d.effects, Effect{do: doStaff, letter: kind, step: string(kind)})
}

func (d *deciding) publish(topic string) {
	d.effects = append(d.effects, Effect{do: doPublish, topic: topic, step: topic})
}

// to moves the request.
func (d *deciding) to(s State) {
	d.State, d.Why, d.Active = s, "", d.now
}

// plan lets the engine search, in a new round: whatever it says of an earlier one counts no more.
func (d *deciding) plan() {
	d.to(Planning)
	d.Round++
	d.Sought = d.now
	d.Passed, d.Pass, d.Sweeps, d.Restarts, d.Extra = 0, time.Time{}, 0, 0, false
	d.publish(TopicPlan)
}

// ends notes that the person has her answer.
func (d *deciding) ends(s State, why Why) {
	d.to(s)
	d.Why, d.Answered, d.Proposed, d.Reopened = why, s, nil, time.Time{}
	d.Frozen = d.thaw()
	d.record(string(s))
	d.Finding = "" // the record closes it
}

// thaw lets an account go on that stood still for the request.
func (d *deciding) thaw() bool {
	if d.Frozen {
		d.publish(TopicFreeze)
	}
	return false
}

// close destroys what was given and what recognises the person. What remains says that there was a request.
func (d *deciding) close() {
	d.Private, d.Marks, d.Address, d.Renew, d.Tell = nil, nil, "", false, false
	d.Closed, d.Expires = d.now, d.now.Add(d.rules.Keep)
	if d.Proved.IsZero() && d.EnteredBy == "" && d.State != Forwarded {
		d.Expires = d.now.Add(Pending) // whatever a stranger types is no record of anybody's
	}
	d.Pass = time.Time{}
	if d.Forget = d.Round > 0; d.Forget {
		d.call()
	}
}

// clock computes the deadline again.
func (d *deciding) clock() error {
	proved := calendar.Day{}
	if !d.Proved.IsZero() {
		proved = calendar.Date(d.Proved, d.rules.Zone)
	}
	due, err := d.rules.deadline(d.Request, proved)
	if err != nil {
		return err
	}
	if due.Due == d.Deadline.Due && due.Conservative == d.Deadline.Conservative {
		return nil
	}
	d.Deadline, d.Alarms = due, 0
	for d.Alarms+1 < len(due.Alarms) && !d.now.Before(begins(due.Alarms[d.Alarms+1], d.rules.Zone)) {
		d.Alarms++ // of those that have passed one is enough
	}
	return nil
}

// schedule notes when the clock brings something about.
func (d *deciding) schedule() {
	d.Open = !d.State.Answered()
	d.DueAt = d.Deadline.Due.End(d.rules.Zone).UnixMicro()
	d.shown()
	d.Next = 0
	for _, c := range d.due() {
		if at := c.at.UnixMicro(); d.Next == 0 || at < d.Next {
			d.Next = at
		}
	}
}
