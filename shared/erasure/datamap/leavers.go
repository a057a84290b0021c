package datamap

import (
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Leavers returns what erases people who worked here, by their ids, at most erasure.MaxValues of them, from the entries that
// hold nobody else: what is to be deleted as a whole, and of what the law keeps what it does not need; the rest of that
// when its period is over. What only a person can judge is not among it. Misconfigured for a map with problems.
func (m *Map) Leavers(ids []string, now time.Time) ([]Sweep, error) {
	if m.faulty {
		return nil, fault.New(fault.Misconfigured, "compiling the data map: %s has problems; run ostiary check", File)
	}
	var all []Sweep
	for _, i := range m.order {
		e := m.Entries[i]
		if !m.staffOnly(e) || e.Tenant.binding() != erasure.BindGlobal {
			continue
		}
		for n, s := range e.selectors() {
			match, err := m.match(e, s, e.place(""), ids)
			if err != nil {
				return nil, err
			}
			step, rule := m.step(e, "", match), Rule{ID: "left." + e.ID, Entry: e.ID, Action: e.Action}
			if n > 0 {
				rule.ID += "." + strconv.Itoa(n)
			}
			if step.Query.Action != "" {
				all = append(all, Sweep{Rule: rule, Step: step, Whole: true})
			}
			if q, retained := step.Over(now); retained {
				over := step
				over.Query = q
				rule.ID += ".over"
				all = append(all, Sweep{Rule: rule, Step: over})
			}
		}
	}
	return all, nil
}

// LeftUntil returns when nothing that is kept of somebody who left at a time is needed any more: the end of the longest
// period for which a law keeps what names people who work here, counted from that time, and Limits.LeaverDays at least.
func (m *Map) LeftUntil(left time.Time) time.Time {
	last := left.AddDate(0, 0, m.Limits.LeaverDays)
	for _, e := range m.Entries {
		if e.Retain == nil || !m.staffOnly(e) {
			continue
		}
		if end := e.Retain.Period.Add(left, m.zone); end.After(last) {
			last = end
		}
	}
	return last
}
