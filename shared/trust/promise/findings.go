package promise

import (
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
)

// finding is an open finding: index of its leaf, its time, and 1 where the control could not tell (else 0).
type finding [3]int64

// waiver is an exception two people made.
type waiver struct {
	Index int64 `json:"i"`
	From  int64 `json:"from"`
	Until int64 `json:"until"`
}

// embargo hides a broken critical promise until a time.
type embargo struct {
	At    int64 `json:"t"`
	Until int64 `json:"until"`
}

// open notes a finding that is out of order, or undecided. A finding whose closing is known already stays closed:
// relays may swap the two, and a record may enter the log twice.
func (l *Ledger) open(e *entry, p proof) {
	if _, closed := l.heads.Closed[p.ID]; closed || p.State == record.Kept {
		return
	}
	if _, known := e.Open[p.ID]; known {
		return
	}
	if len(e.Open) >= maxOpen {
		e.Overflow = true
		return
	}
	if e.Open == nil {
		e.Open = map[string]finding{}
	}
	f := finding{p.Index, p.At, 0}
	if p.State == record.Unknown {
		f[2] = 1
	}
	e.Open[p.ID] = f
}

// close ends the findings a record closes: one that put things right, or somebody's look at it, and says so wholly.
// A waiver does not close: it excepts until its end.
func (l *Ledger) close(index int64, p proof, r record.Record) {
	switch r.Kind {
	case record.Remediation, record.Review, record.Observation:
	default:
		return
	}
	if p.State != record.Kept {
		return
	}
	for _, ref := range r.Refs {
		if ref.Rel != "closes" {
			continue
		}
		if _, known := l.heads.Closed[ref.ID]; !known {
			l.heads.Closed[ref.ID] = index
			l.boundClosed()
		}
		for id, e := range l.entries {
			if _, open := e.Open[ref.ID]; open {
				delete(e.Open, ref.ID)
				l.changed[piece(id)] = true
			}
			if _, waived := e.Waivers[ref.ID]; waived {
				delete(e.Waivers, ref.ID)
				l.changed[piece(id)] = true
			}
		}
	}
}

// boundClosed forgets the oldest closings. A finding that comes again after that opens again, which is the safe side.
func (l *Ledger) boundClosed() {
	if len(l.heads.Closed) <= maxClosed+maxClosed/10 {
		return
	}
	indexes := slices.Sorted(maps.Values(l.heads.Closed))
	first := indexes[len(indexes)-maxClosed]
	maps.DeleteFunc(l.heads.Closed, func(_ string, index int64) bool { return index < first })
}

// waive notes a waiver of two people that ends within 90 days; any other has no effect.
func (e *entry) waive(p proof, r record.Record) {
	people := map[string]bool{}
	for _, s := range r.Subjects {
		people[s.C] = true
	}
	if len(people) < 2 || p.Expires == 0 || p.Expires > p.At+longestWaiver.Milliseconds() {
		return
	}
	if e.Waivers == nil {
		e.Waivers = map[string]waiver{}
	}
	e.Waivers[p.ID] = waiver{p.Index, p.At, p.Expires}
	if len(e.Waivers) > maxWaivers {
		delete(e.Waivers, slices.MinFunc(slices.Sorted(maps.Keys(e.Waivers)), func(a, b string) int {
			return int(e.Waivers[a].Until - e.Waivers[b].Until)
		}))
	}
}

// waived returns the waiver in force that lasts longest.
func (e *entry) waived(now int64) (id string, until int64) {
	for _, key := range slices.Sorted(maps.Keys(e.Waivers)) {
		if w := e.Waivers[key]; w.From <= now+allowedSkew.Milliseconds() && now < w.Until && w.Until > until {
			id, until = key, w.Until
		}
	}
	return id, until
}

// hide notes an embargo; a time that cannot be read has no effect.
func (e *entry) hide(p proof, until string) {
	t, err := time.Parse(time.RFC3339, until)
	if err != nil || e.Embargo != nil && p.At < e.Embargo.At {
		return
	}
	e.Embargo = &embargo{p.At, t.UnixMilli()}
}

// oldest returns the open finding that was there first, of those out of order (undecided false) or undecided.
func (e *entry) oldest(undecided bool) (first Evidence, open int) {
	for id, f := range e.Open {
		if (f[2] == 1) != undecided {
			continue
		}
		open++
		if at := at(f[1]); open == 1 || at.Before(first.Observed) || at.Equal(first.Observed) && f[0] < first.Index {
			first = Evidence{f[0], id, record.Finding, at}
		}
	}
	return first, open
}
