package notice

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// NextUpdate is the name of the promise of a case by which tenants hear of it again. The next notice says it; the update after
// that, or the last report, keeps it.
const NextUpdate = "next-update"

// AboutCase is what a notice says, and has to know, of a case.
func AboutCase(c cases.Case, r cases.Rules, company string, now time.Time) About {
	a := About{
		Facts: Facts{
			Number: c.Number, Company: company, Exercise: c.Exercise, Zone: r.Zone,
			FirstSign: c.Times.Detected, Aware: c.Times.AwareAs(cases.Processor), Contained: c.Times.Contained,
		},
		Nonce: c.Nonce, Compromised: c.Compromised, Own: c.About, Closed: c.State == cases.Closed,
	}
	if c.Kept[NextUpdate].IsZero() {
		a.Next, a.Pledged = c.Promises[NextUpdate], c.Pledged[NextUpdate]
	}
	due, stall := map[string]time.Time{}, map[string]time.Time{}
	for _, one := range cases.Clocks(c, r, now) {
		running := one.Status == clock.Running || one.Status == clock.Overdue
		if !running || a.Closed || one.Binding == clock.Information {
			continue
		}
		of := cases.Tenant(one.ID)
		if one.ID == "promise:"+NextUpdate {
			of = one.ID
		}
		if due[of].IsZero() || one.Target.Before(due[of]) {
			due[of] = one.Target
		}
		if at := one.Start.Add(one.Target.Sub(one.Start) * 3 / 4); stall[of].IsZero() || at.Before(stall[of]) {
			stall[of] = at
		}
	}
	a.Stall, a.NextStall = stall[""], stall["promise:"+NextUpdate]
	decided := map[string]string{}
	for _, d := range c.Decisions {
		if answer := No; !d.Replaced && !d.Settled.IsZero() {
			if d.Yes {
				answer = Yes
			}
			decided[d.Subject] = answer
		}
	}
	a.Persons = decided[cases.Persons]
	for _, t := range c.Tracks {
		if t.Role == cases.Processor {
			a.Tenants = append(a.Tenants, AboutTenant{ID: t.ID, Decided: decided[t.ID], Due: due[t.ID], Stall: stall[t.ID], Told: !t.Told.IsZero()})
		}
	}
	return a
}

// stall is when three quarters are over of the shortest clock that a notice is written for; zero where none runs.
func (a About) stall(k Kind, tenants []string) (first time.Time) {
	if k == Persons {
		return a.Stall
	}
	all := []time.Time{}
	if k == Update || k == Final {
		all = append(all, a.NextStall)
	}
	for _, t := range a.Tenants {
		if slices.Contains(tenants, t.ID) {
			all = append(all, t.Stall)
		}
	}
	for _, at := range all {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// all are the tenants a notice is for where nobody is named; heard are those that know already what it says.
func (a About) all(k Kind, heard map[string]bool) (chosen []string) {
	for _, t := range a.Tenants {
		if told := heard[t.ID] || k == Initial && t.Told; t.may(k) && !told {
			chosen = append(chosen, t.ID)
		}
	}
	return chosen
}

// choose returns whom a notice is for of those that are named, or refuses those it may not be for.
func (a About) choose(k Kind, tenants []string) (chosen []string, err error) {
	if k == Persons {
		if len(tenants) > 0 {
			return nil, fault.Refuse(fault.Invalid, "subject_invalid", "A notice to persons is for no tenant.", "Leave the tenants out.")
		}
		return nil, nil
	}
	for _, t := range a.Tenants {
		if slices.Contains(tenants, t.ID) && t.may(k) {
			chosen = append(chosen, t.ID)
		}
	}
	for _, id := range tenants {
		if !slices.Contains(chosen, id) {
			return nil, fault.Refuse(fault.Invalid, "subject_invalid", "The case does not concern "+id+", or two people decided that it is not told.", "Leave it out, or decide about it again.")
		}
	}
	if len(chosen) == 0 {
		return nil, fault.Refuse(fault.Invalid, "subject_invalid", "The case concerns no tenant that may be told, or all of them were told already.", "Say first whose data is concerned, or name those who hear it again.")
	}
	return chosen, nil
}

// may reports whether a tenant may be told at all: nobody decided against it. Who was told hears of a mistake all the same.
func (t AboutTenant) may(k Kind) bool {
	if k == Withdrawal {
		return t.Told
	}
	return t.Decided != No || t.Told && k == Correction
}

// open returns the tenants of a notice about which two people have not decided that they are told; blocked reports one
// that may not be told at all, or that the case does not concern any more.
func (a About) open(k Kind, tenants []string) (undecided []string, blocked bool) {
	known := map[string]AboutTenant{}
	for _, t := range a.Tenants {
		known[t.ID] = t
	}
	for _, id := range tenants {
		t, concerned := known[id]
		switch {
		case !concerned || !t.may(k):
			blocked = true
		case t.Decided == "" && k != Withdrawal: // what was said is taken back from whoever heard it
			undecided = append(undecided, id)
		}
	}
	return undecided, blocked
}

// agreed refuses a notice two people decided against, and one to tenants about which two people have not decided that they
// are told, unless one person breaks the glass.
func (a About) agreed(k Kind, tenants []string, glass bool) error {
	undecided, blocked := a.open(k, tenants)
	switch {
	case a.shut(k):
		return closed()
	case k == Persons && a.Persons == No:
		return fault.Refuse(fault.Conflict, "state_conflict", "Two people decided that the persons are not told.", "Decide about it again first.")
	case blocked:
		return fault.Refuse(fault.Conflict, "hash_mismatch", "Two people decided meanwhile that one of the tenants is not told.", "Write the notice again without it.")
	case len(undecided) > 0 && !glass:
		return fault.Refuse(fault.Conflict, "tenant_undecided", "Two people have not decided yet that they are told: "+list(undecided)+".", "Decide about them first, or break the glass if nobody can be reached.")
	}
	return nil
}

// shut reports whether a case is over for notices of a kind: that it was no breach after all is said even then, to whoever
// was told of one.
func (a About) shut(k Kind) bool { return a.Closed && (k != Withdrawal || a.Exercise) }

// own reports whether the case may be somebody's own matter.
func (a About) own(by Actor) bool { return by.ID != "" && slices.ContainsFunc(a.Own, by.is) }

// list names some of many.
func list(ids []string) string {
	const most = 10
	if len(ids) > most {
		return strings.Join(ids[:most], ", ") + " and more"
	}
	return strings.Join(ids, ", ")
}
