package datamap

import (
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Until returns when the ground to retain an item is over. It is false where the entry retains nothing, and where nobody
// can tell from when the period counts: the item stays, and a person looks.
func (s Step) Until(item erasure.Item) (time.Time, bool) {
	if s.Entry.Retain == nil || item.Created.IsZero() {
		return time.Time{}, false
	}
	return s.Entry.Retain.Period.Add(item.Created, s.zone), true
}

// Over returns the query that erases what is retained no longer at now. An item that is found by it and whose Created
// is zero is to be left alone: Until says so. It is false where the entry retains nothing.
func (s Step) Over(now time.Time) (erasure.Query, bool) {
	if s.Entry.Retain == nil {
		return erasure.Query{}, false
	}
	q := s.Query
	q.Action, q.Changes = erasure.ActionDelete, nil
	q.CreatedBefore = cutoff(s.Entry.Retain.Period, now, s.zone)
	return q, true
}

// Sweep is one rule of retention at work in one tenant's data.
type Sweep struct {
	Rule Rule
	Step
	Whole bool // everything that is found is due, whatever its age
}

// Due returns the items that the sweep may erase. Those whose age nobody can tell are not among them.
func (s Sweep) Due(items []erasure.Item) []erasure.Item {
	if s.Whole {
		return items
	}
	return slices.DeleteFunc(slices.Clone(items), func(i erasure.Item) bool {
		return i.Created.IsZero() || !i.Created.Before(s.Query.CreatedBefore)
	})
}

// Sweeps returns what the rules of retention erase of a tenant's data in the regions of this deployment at now, in the order of the entries. Errors as
// Compile.
func (m *Map) Sweeps(tenant string, now time.Time) ([]Sweep, error) {
	if err := m.fit(tenant); err != nil {
		return nil, err
	}
	var sweeps []Sweep
	for _, i := range m.order {
		for _, rule := range m.Retention {
			if e := m.Entries[i]; rule.Entry == e.ID {
				step := m.step(e, tenant, erasure.Match{Kind: erasure.MatchTenant})
				if m.Away(step.Region) {
					continue // a deployment there does it
				}
				step.Query.CreatedField = rule.Field
				step.Query.CreatedBefore = cutoff(rule.OlderThan, now, m.zone)
				if rule.Action == Delete {
					step.Query.Action, step.Query.Changes = erasure.ActionDelete, nil
				}
				if step.Query.CreatedBefore.After(now.Add(-leastAge)) {
					return nil, fault.New(fault.Misconfigured, "compiling the data map: rule %q would erase what is younger than a day", rule.ID)
				}
				sweeps = append(sweeps, Sweep{Rule: rule, Step: step})
			}
		}
	}
	return sweeps, nil
}

// cutoff is the instant before which whatever was made is older than a period at now, never later: of a month that is
// shorter than its neighbour it takes the earlier day.
func cutoff(p calendar.Period, now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	at := local.AddDate(-p.Years, -p.Months, -p.Days).Add(-p.Clock)
	for p.Add(at, zone).After(now) {
		at = at.AddDate(0, 0, -1)
	}
	return at.UTC()
}
