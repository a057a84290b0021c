package episode

import (
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// The functions below are the machine of one episode. They do no I/O, take the time as an argument, and leave the episode
// they are given as it is.

// step is what happened to an episode; each becomes evidence and messages. Steps stand in records.
type step string

const (
	began     step = "alarm"      // its alarm goes out, or is noted
	again     step = "reopened"   // members came after what was accepted: a new question
	worse     step = "worse"      // it is graver than its alarm said
	reminded  step = "reminded"   // half of the time is over
	answered  step = "answered"   // somebody justified it
	late      step = "unreviewed" // nobody has reviewed the answer yet, and half of the time is over
	accepted  step = "accepted"
	refused   step = "refused"
	suspected step = "suspicion"
	closed    step = "closed" // nothing of it can come any more
)

var severities = []policy.Severity{policy.Info, policy.Low, policy.Medium, policy.High, policy.Critical}

// graver reports whether a is graver than b.
func graver(a, b policy.Severity) bool {
	return slices.Index(severities, a) > slices.Index(severities, b)
}

// alarmed returns the episode with its alarm out.
func (e Episode) alarmed(now time.Time) Episode {
	e.Alarmed, e.Round, e.Reminded = now.UnixMicro(), 1, false
	if e = e.asking(now); e.Shadow {
		e.State, e.Open, e.Due = Noted, false, time.Time{}
	}
	return e.schedule()
}

// asking returns the episode with a question that waits: for who is asked, or for security.
func (e Episode) asking(now time.Time) Episode {
	e.State, e.Open, e.Due = Told, true, time.Time{}
	if e.Asks {
		e.State = Asked
	}
	if e.presses() {
		e.Due = now.Add(e.Within)
	}
	return e
}

// presses reports whether what stays undone makes a suspicion of the episode: always where somebody is asked, otherwise
// from medium severity on.
func (e Episode) presses() bool { return e.Asks || !graver(policy.Medium, e.Severity) }

// waiting reports whether the question waits for its answer.
func (e Episode) waiting() bool { return e.State == Asked || e.State == Told }

// alone reports whether one person may settle the alarm without an answer to review.
func (e Episode) alone() bool { return e.State == Told && graver(policy.High, e.Severity) }

// joined returns the episode with one more member, and the question the member belongs to. One that was answered goes on
// and the member is part of the next question; one that was accepted opens again.
func (e Episode) joined(at time.Time, now time.Time) (after Episode, round int, steps []step) {
	if closes := at.Add(e.Gap + e.Reach); !e.Closed.IsZero() && closes.After(now) {
		e.Closed, e.Quiet = time.Time{}, closes
	}
	switch e.State {
	case Answered:
		e.More = true
		return e.schedule(), e.Round + 1, nil
	case Accepted:
		e = e.reopened(now)
		return e, e.Round, []step{again}
	}
	return e.schedule(), e.Round, nil
}

// reopened asks anew, about the members that came after what was accepted.
func (e Episode) reopened(now time.Time) Episode {
	e.Round++
	e.More, e.Reminded, e.AcceptedBy = false, false, ""
	e.AnsweredBy, e.AnsweredAt, e.Reason, e.Words, e.Ticket = "", time.Time{}, "", "", ""
	e.ReviewedBy, e.ReviewedAt, e.Verdict, e.Note = "", time.Time{}, "", ""
	e.Escalated, e.Cause, e.Expires = time.Time{}, "", time.Time{}
	return e.asking(now).schedule()
}

// raised returns the episode with a member of a severity in it. What is graver has to be answered sooner.
func (e Episode) raised(to policy.Severity, within time.Duration, now time.Time) (Episode, []step) {
	if !graver(to, e.Severity) {
		return e, nil
	}
	e.Severity, e.Within = to, min(e.Within, within)
	if due := now.Add(e.Within); e.waiting() && e.presses() && (e.Due.IsZero() || due.Before(e.Due)) {
		e.Due = due
	}
	if e.State == Held || e.State == Noted {
		return e.schedule(), nil
	}
	return e.schedule(), []step{worse}
}

// answer takes a justification. same is true for one that was taken before. Codes: episode_settled, episode_answered.
func (e Episode) answer(by string, a Answer, now time.Time) (after Episode, same bool, steps []step, err error) {
	switch {
	case e.State == Answered && e.AnsweredBy == by && e.Reason == a.Reason && e.Words == a.Words && e.Ticket == a.Ticket && !a.NotMe:
		return e, true, nil, nil
	case e.State == Escalated && e.Cause == ByDenial && e.AnsweredBy == by && a.NotMe:
		return e, true, nil, nil
	case e.State == Answered:
		return e, false, nil, fault.Refuse(fault.Conflict, "episode_answered", "This was answered already; a second person has to review the answer.", "Wait for the review.")
	case e.State != Asked && e.State != Told && e.State != Escalated:
		return e, false, nil, settled()
	}
	e.AnsweredBy, e.AnsweredAt, e.Reason, e.Words, e.Ticket, e.AcceptedBy = by, now, a.Reason, a.Words, a.Ticket, ""
	e.ReviewedBy, e.ReviewedAt, e.Verdict, e.Note = "", time.Time{}, "", ""
	if a.NotMe {
		e.Reason, e.Ticket = "", ""
		e, steps = e.escalated(ByDenial, now)
		return e, false, append([]step{answered}, steps...), nil
	}
	e.State, e.Reminded, e.Due = Answered, false, now.Add(e.Within)
	return e.schedule(), false, []step{answered}, nil
}

// review takes the second person's verdict. same is true for one that was taken before. Codes: episode_settled,
// not_answered.
func (e Episode) review(by string, v Verdict, note string, now time.Time) (after Episode, same bool, steps []step, err error) {
	switch {
	case e.ReviewedBy == by && e.Verdict == v && (v == Accept) == (e.State == Accepted) && e.State != Answered && e.State != Asked:
		return e, true, nil, nil
	case e.AcceptedBy == by && v == Accept && e.waiting():
		return e, true, nil, nil // more had come, and it was asked anew
	case e.State == Asked || e.State == Escalated || e.State == Told && !e.alone():
		return e, false, nil, fault.Refuse(fault.Conflict, "not_answered", "Nobody has justified this yet.", "Come back when it is answered.")
	case e.State != Answered && e.State != Told:
		return e, false, nil, settled()
	}
	e.ReviewedBy, e.ReviewedAt, e.Verdict, e.Note = by, now, v, note
	if v == Refuse {
		e, steps = e.escalated(ByRefusal, now)
		return e, false, append([]step{refused}, steps...), nil
	}
	steps = []step{accepted}
	if e.More {
		next := e.reopened(now)
		next.AcceptedBy = by
		return next, false, append(steps, again), nil
	}
	e.State, e.Open, e.Due = Accepted, false, time.Time{}
	return e.schedule(), false, steps, nil
}

// escalated makes a suspicion of the question, once.
func (e Episode) escalated(why Cause, now time.Time) (Episode, []step) {
	first := e.Escalated.IsZero() || why == ByDenial && e.Cause != ByDenial
	if e.Escalated.IsZero() {
		e.Escalated = now
	}
	e.State, e.Cause, e.Due, e.More = Escalated, why, time.Time{}, false
	if first {
		return e.schedule(), []step{suspected}
	}
	return e.schedule(), nil
}

// tick does what the clock has brought about, but for the end of a hold and the end of the run, which take a look at the
// members.
func (e Episode) tick(now time.Time) (Episode, []step) {
	var steps []step
	switch {
	case e.waiting() && e.presses() && !now.Before(e.Due):
		return e.escalated(BySilence, now)
	case e.neglectable() && !now.Before(e.Due):
		return e.escalated(ByNeglect, now)
	case e.waiting() && e.presses() && !e.Reminded && !now.Before(e.half()):
		e.Reminded, steps = true, []step{reminded}
	case e.State == Answered && !e.Reminded && !now.Before(e.half()):
		e.Reminded, steps = true, []step{late}
	}
	return e.schedule(), steps
}

// neglectable reports whether an answer that nobody reviews makes a suspicion of the episode. Of what is one already the
// answer stays.
func (e Episode) neglectable() bool {
	return e.State == Answered && e.presses() && e.Escalated.IsZero()
}

// half is when whoever has to do something is reminded.
func (e Episode) half() time.Time { return e.Due.Add(-e.Within / 2) }

// ended closes the run.
func (e Episode) ended(now time.Time) (Episode, []step) {
	e.Closed = now
	return e.schedule(), []step{closed}
}

// schedule sets when Tick has to look at the episode again, and when it may be forgotten.
func (e Episode) schedule() Episode {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	switch {
	case !e.Reminded && (e.waiting() && e.presses() || e.State == Answered):
		sooner(e.half())
	case e.waiting() && e.presses(), e.neglectable():
		sooner(e.Due)
	}
	if e.Closed.IsZero() || e.State == Held {
		sooner(e.Quiet)
	}
	e.Next, e.Expires = 0, time.Time{}
	switch {
	case e.State == Joined:
		e.Expires = e.Closed.Add(kept)
	case !next.IsZero():
		e.Next = next.UnixMicro()
	case e.State == Accepted || e.State == Noted:
		e.Expires = e.Closed.Add(kept)
	}
	return e
}

func settled() error {
	return fault.Refuse(fault.Conflict, "episode_settled", "This is settled: nothing waits for an answer or a review.", "Look at the list of episodes.")
}

func moved() error {
	return fault.Refuse(fault.Conflict, "episode_moved", "This episode has moved on since the page was made: somebody decided, or more was seen.", "Look at it again, then decide anew.")
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "episode_unknown", "There is no such episode, or it does not concern you.", "Look at the list of episodes.")
}
