package request

import (
	"slices"
	"time"

	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/platform/fault"
)

// chore is something that time brings about. Doing it takes it off the list.
type chore struct {
	at time.Time
	do func()
}

// mostChores of one tick: far more than a request has at once.
const mostChores = 200

// ticked does what has become due, the earliest first.
func (d *deciding) ticked() error {
	if d.e.Freed && d.spares() {
		d.reopen()
	}
	for range mostChores {
		all := d.due()
		if len(all) == 0 {
			return nil
		}
		first := slices.MinFunc(all, func(a, b chore) int { return a.at.Compare(b.at) })
		if first.at.After(d.now) {
			return nil
		}
		first.do()
	}
	return fault.New(fault.Invalid, "deciding about a request: what is due does not end")
}

// due returns what time brings about, sooner or later.
func (d *deciding) due() (all []chore) {
	add := func(at time.Time, do func()) { all = append(all, chore{at, do}) }
	if d.Forget || d.Renew || d.Tell || d.owed() > 0 {
		add(d.Called.Add(Idle), d.call)
	}
	if d.Gather != "" {
		add(d.Proved.Add(Idle), func() { d.Gather = "" }) // the service has done it before it says that time has passed
	}
	if !d.Closed.IsZero() {
		return all
	}
	if d.State == Received || d.State == IdentityPending {
		add(d.pendingUntil(), d.unproved)
	}
	if d.State == Forwarding {
		add(d.Active.Add(overdueLetter), d.undelivered)
	}
	if d.State.working() {
		d.idle(add)
	}
	if !d.Pass.IsZero() && !d.State.working() {
		add(d.Pass, func() {
			d.publish(TopicPlan)
			d.Pass = d.now.Add(Idle) // until the engine has answered
		})
	}
	if d.spares() {
		add(d.Beside.Add(Idle), func() { d.Beside = d.now }) // the service looks before it says that time has passed
	}
	if !d.Waits.IsZero() && d.told() {
		add(d.Waits, d.await)
	}
	if d.State == Blocked && d.Why == LastOwner {
		add(d.Active.Add(daily), d.plan) // there may be another owner by now
	}
	if p := d.Proposed; p != nil {
		add(p.At.Add(Proposal), func() {
			d.Proposed = nil
			d.record("proposal_lapsed")
		})
	}
	if d.passing() && !d.Unpassed {
		add(d.rules.passBy(d.Proved), func() {
			d.Unpassed = true
			d.record("forward_late")
			d.staff(letter.Target)
		})
	}
	d.clocks(add)
	d.endings(add)
	d.remind(add)
	d.lookLate(add)
	return all
}

// weekly is how often people are told again that a request waits for them.
const weekly = 7 * 24 * time.Hour

// exporting reports whether an approved request waits for the person's copy.
func (d *deciding) exporting() bool {
	return d.State == Approved && d.Export && d.Exported.IsZero()
}

// remind tells the people again what nobody but them can move.
func (d *deciding) remind(add func(time.Time, func())) {
	kind := letter.Stuck
	switch {
	case d.State == AwaitingApproval:
		kind = letter.Approve
	case d.State != Blocked && d.State != Partial && !d.exporting():
		return
	}
	since := d.Active
	if d.Reminded.After(since) || d.Why == LastOwner && !d.Reminded.IsZero() {
		since = d.Reminded
	}
	add(since.Add(weekly), func() {
		d.Reminded = d.now
		d.staff(kind)
	})
}

// pendingUntil is when a request nobody proved ends: after 30 days, and sooner where the answer is due sooner, but never
// before the person had two days to answer.
func (d *deciding) pendingUntil() time.Time {
	ends := d.Entered.Add(Pending)
	if late := d.Paced.Add(2 * LinkLife); late.After(ends) {
		ends = late
	}
	due := begins(d.Deadline.Conservative, d.rules.Zone)
	begun := d.Entered
	if d.Paced.After(begun) {
		begun = d.Paced
	}
	if least := begun.Add(2 * LinkLife); due.Before(least) {
		due = least
	}
	if due.Before(ends) {
		return due
	}
	return ends
}

// idle calls the engine again when nothing was heard of it: its message was lost, or it died.
func (d *deciding) idle(add func(time.Time, func())) {
	if d.exporting() {
		return
	}
	at, topic := d.Active.Add(Idle), TopicPlan
	if d.State == Approved || d.State == Executing {
		topic = TopicRun
	}
	if d.State == Approved && d.After.After(d.Active) {
		at = d.After
	}
	if d.State == Received && d.Paced.After(d.Active) {
		at = d.Paced
	}
	add(at, func() {
		d.Active = d.now
		d.Nudges++
		d.publish(topic)
	})
}

// clocked reports whether somebody waits for an answer: an identity is proved, or a letter lies on the desk. Whatever a
// stranger types into the public page alarms nobody, nor does what is erased after the answer was given.
func (d *deciding) clocked() bool {
	return d.Answered == "" && !d.State.Answered() && (!d.Proved.IsZero() || d.EnteredBy != "")
}

// clocks are the deadline, its alarms and the company's own target.
func (d *deciding) clocks(add func(time.Time, func())) {
	since := d.Proved
	if !d.Reopened.IsZero() {
		since = d.Reopened
	}
	if waits := d.Answered == "" || !d.Reopened.IsZero(); waits && !d.Late && !since.IsZero() && d.Kind == Person && !d.State.Answered() {
		add(since.Add(time.Duration(d.rules.TargetDays)*24*time.Hour), func() {
			d.Late = true
			d.record("target_missed")
			d.staff(letter.Target)
		})
	}
	if !d.clocked() {
		return
	}
	if d.Alarms < len(d.Deadline.Alarms) {
		add(begins(d.Deadline.Alarms[d.Alarms], d.rules.Zone), func() {
			d.Alarms++
			d.record("alarm")
			d.staff(letter.Deadline)
		})
	}
	if last := len(d.Deadline.Alarms) - 1; d.State == Partial && d.Informed.IsZero() && d.Requester != Controller && last >= 0 {
		add(begins(d.Deadline.Alarms[last], d.rules.Zone), func() {
			d.Informed = d.now
			d.tell(letter.Interim)
		})
	}
	if !d.Overdue {
		add(d.Deadline.Due.End(d.rules.Zone), func() {
			d.Overdue = true
			d.effects = append(d.effects, Effect{do: doFinding, step: "overdue"})
			d.staff(letter.Overdue)
		})
	}
}

// endings are the ends of what has to stay.
func (d *deciding) endings(add func(time.Time, func())) {
	for _, h := range d.Holds {
		add(h.Until.End(d.rules.Zone), func() {
			d.Holds = slices.DeleteFunc(d.Holds, func(o Hold) bool { return o.ID == h.ID })
			d.record("hold_ended")
			d.reopen()
		})
	}
	if d.State != Retained || d.Private == nil {
		return
	}
	for _, k := range d.Outcome.Kept {
		day, at := k.Until, d.Active.Add(Pending) // a store that does not say until when is asked again
		if !k.First.IsZero() {
			day = k.First
		}
		if !day.IsZero() {
			at = day.End(d.rules.Zone)
		}
		if !at.After(d.Active) {
			at = d.Active.Add(daily) // it should be over, and the search says that it is not
		}
		add(at, d.reopen)
	}
}
