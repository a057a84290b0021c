package episode

import (
	"slices"
	"strconv"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/notice"
)

// effect puts into the batch what follows from one step of an episode: evidence, messages.
func (t *turn) effect(w *working, what step) error {
	e, before := w.Episode, w.before
	switch what {
	case began, again:
		return t.raise(w, what)
	case worse:
		return join(t.put(t.passed(e, what)), t.tell(w, notice.Worse, t.watchers(e), "worse/"+revised(e)))
	case reminded:
		return join(t.put(t.passed(e, what)), t.tell(w, notice.Reminder, t.askedPeople(e), "reminder/"+revised(e)))
	case answered:
		err := t.put(t.passed(e, what, t.person("actor", e.AnsweredBy)))
		if e.State != Answered {
			return err
		}
		return join(err, t.tell(w, notice.Review, t.reviewers(e), "review/"+revised(e)))
	case late:
		return join(t.put(t.passed(e, what)), t.tell(w, notice.ReviewOverdue, t.reviewers(e), "overdue/"+revised(e)))
	case accepted, refused:
		r := t.verdict(e, before, what)
		r.Subjects = []record.Subject{t.person("second", w.reviewer())}
		if by := before.AnsweredBy; by != "" {
			r.Subjects = append(r.Subjects, t.person("actor", by))
		}
		if before.Reason != "" {
			r.Facts["reason"] = string(before.Reason)
		}
		return t.put(r)
	case suspected:
		return t.suspect(w)
	case closed:
		return t.put(t.passed(e, what))
	}
	return nil
}

func join(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// raise is the alarm, and each new question: a finding that stays open until it is accepted, a message to security, the
// question to who has to answer. Of a rule in shadow it is a record and nothing else.
func (t *turn) raise(w *working, what step) error {
	if w.Shadow {
		return t.put(t.passed(w.Episode, what))
	}
	f := t.finding(w.Episode, what)
	w.Finding = f.ID()
	asked := t.askedPeople(w.Episode)
	told := t.watchers(w.Episode)
	if w.Asks {
		told = slices.DeleteFunc(told, func(id string) bool { return slices.Contains(asked, id) })
	} else {
		asked = nil
	}
	round := strconv.Itoa(w.Round)
	return join(t.put(f), t.tell(w, notice.Alarm, told, round), t.tell(w, notice.Asked, asked, round))
}

// reviewer is who gave the verdict that this transaction is about.
func (w *working) reviewer() string {
	if w.ReviewedBy != "" {
		return w.ReviewedBy
	}
	return w.by // it opened again at once
}

// askedPeople are who has to answer: the person, or security where there is none; of what asks nobody, who was told.
func (t *turn) askedPeople(e Episode) []string {
	switch {
	case !e.Asks:
		return t.watchers(e)
	case e.Person != "":
		return []string{e.Person}
	}
	return t.s.holders(t.now, e.Involved, policy.Security)
}

// watchers are who is told of an alarm: security, and on-call of what is grave; nobody the call went through.
func (t *turn) watchers(e Episode) []string {
	roles := []policy.Role{policy.Security}
	if !graver(policy.High, e.Severity) {
		roles = append(roles, policy.OnCall)
	}
	return t.s.holders(t.now, append([]string{e.Person}, e.Involved...), roles...)
}

// reviewers are who is told that an answer waits: the manager where she may review it, and security.
func (t *turn) reviewers(e Episode) []string {
	to := t.s.holders(t.now, append([]string{e.Person, e.AnsweredBy}, e.Involved...), policy.Security)
	p, _ := t.s.Policy.PersonByID(e.Person)
	if m, known := t.s.Policy.PersonByID(p.Manager); known && m.Active(t.now) && t.s.reviews(e, m) && m.ID != e.AnsweredBy && !slices.Contains(to, m.ID) {
		to = append(to, m.ID)
	}
	return to
}

// suspect tells the controls and whoever is on call that a question was not answered as it should.
func (t *turn) suspect(w *working) error {
	e := w.Episode
	key := "watch-suspicion/" + hashed(e.Nonce, strconv.Itoa(e.Round), string(e.Cause))
	r := t.passed(e, suspected)
	r.Facts["why"] = string(e.Cause)
	if err := t.put(r); err != nil {
		return err
	}
	if err := t.batch.Message(TopicSuspicion, key, Suspicion{
		V: Version, Episode: e.ID, Round: e.Round, Rule: e.Rule, Why: e.Cause, Severity: e.Severity, Person: e.Person, Involved: e.Involved, Actor: e.ActorKind,
		Promises: e.Promises, Tenants: e.Tenants, First: e.First, At: t.now, Revoke: e.Cause == ByDenial,
	}); err != nil {
		return err
	}
	to := t.s.holders(t.now, append([]string{e.Person}, e.Involved...), policy.Security, policy.OnCall)
	return t.tell(w, notice.Suspicion, to, strconv.Itoa(e.Round)+"/suspicion/"+string(e.Cause))
}
