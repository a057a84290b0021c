package duty

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// MayRefuse reports whether a person may refuse what was asked for: the second person what waits for her, and either
// side what an examination speaks against.
func (d Duty) MayRefuse(p policy.Person, t Task) bool {
	return d.Requested() && !t.Own(p.ID) && !t.Did(p.ID) &&
		(t.Waiting() && d.MayReview(p) || t.condemned(d) && (d.MayReview(p) || d.MayDo(p)))
}

// MayWithdraw reports whether a person may withdraw what she asked for. What was cleared once may be in use: it takes
// somebody else to say that it is not.
func (d Duty) MayWithdraw(p policy.Person, t Task) bool {
	return d.Requested() && t.Asker == p.ID && (t.Owed() || t.Waiting()) && !t.Proven
}

// condemned reports whether the newest examination speaks against what was asked for. A restore that failed does not: it
// is owed all the same.
func (t Task) condemned(d Duty) bool {
	return t.Owed() && slices.ContainsFunc(t.Failed(d), func(n Needed) bool { return slices.Contains(examining, n.Type) })
}

// refuse takes the word that what was asked for is not to be had. again is true for word that was taken before. Codes:
// duty_unknown, duty_moved, duty_not_done, duty_reviewed, review_self, role_missing.
func (d terms) refuse(t Task, by doing, second bool, now time.Time) (changed Task, again bool, err error) {
	switch {
	case t.State == Lapsed || !d.Requested():
		return t, false, unknown()
	case by.cycle != 0 && by.cycle != t.Cycle:
		return t, false, moved()
	case t.State == Refused && t.Reviewer == by.by:
		return t, true, nil
	case !t.Owed() && !t.Waiting():
		return t, false, settled()
	case t.Own(by.by) || t.Did(by.by):
		return t, false, selfReview()
	case by.twin(t):
		return t, false, policy.SamePerson()
	case t.Owed() && !t.condemned(d.Duty):
		return t, false, fault.Refuse(fault.Conflict, "duty_not_done", "Nobody has said yet that this is done, and no examination speaks against it.", "Come back when it is done.")
	case t.Waiting() && !second:
		return t, false, roleMissing(d.Second)
	}
	t.State, t.Reviewer = Refused, by.by
	return d.decided(t, now), false, nil
}

// withdraw takes the asker's word that she does not want it any more. again is true for word that was taken before. Codes:
// duty_unknown, duty_moved, duty_reviewed, not_asker, own_matter.
func (d terms) withdraw(t Task, by doing, now time.Time) (changed Task, again bool, err error) {
	switch {
	case t.State == Lapsed || !d.Requested():
		return t, false, unknown()
	case t.Asker != by.by:
		return t, false, notAsker()
	case by.cycle != 0 && by.cycle != t.Cycle:
		return t, false, moved()
	case t.State == Withdrawn:
		return t, true, nil
	case !t.Owed() && !t.Waiting():
		return t, false, settled()
	case t.Proven:
		return t, false, ownMatter()
	}
	t = t.undone()
	t.State = Withdrawn
	return d.decided(t, now), false, nil
}

// decided settles a request that ends without what was asked for.
func (d terms) decided(t Task, now time.Time) Task {
	t.Settled, t.Valid, t.Finding = now, time.Time{}, ""
	return d.schedule(t)
}

func notAsker() error {
	return fault.Refuse(fault.Denied, "not_asker", "Only whoever asked for it withdraws it.", "Ask her, or refuse it.")
}

// Withdraw takes back what a person asked for. The same again changes nothing. Codes: duty_unknown, duty_moved,
// duty_reviewed (it is decided already), not_asker, own_matter (it was cleared once: it may be in use).
func (s *Service) Withdraw(ctx context.Context, id string, by By, now time.Time) (Task, error) {
	asOf, d, err := s.Get(ctx, id, now)
	switch {
	case err != nil:
		return Task{}, err
	case d.Requested() && asOf.Asker != by.Person.ID: // before anything is kept of her
		return Task{}, notAsker()
	}
	return s.commit(ctx, change{id: id, duty: d, people: []string{by.Person.ID}, decide: func(d terms, t Task) (Task, error) {
		after, again, err := d.withdraw(t, doing{by: by.Person.ID, cycle: by.Cycle}, now)
		if again {
			return t, nil
		}
		return after, err
	}}, now)
}
