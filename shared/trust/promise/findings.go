package promise

import (
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/record"
)

// finding is an open finding: index of its leaf, its time, and 1 where the control could not tell (else 0).
type finding [3]int64

// waiver is an exception two people made: of the whole promise, or of some findings.
type waiver struct {
	Index int64    `json:"i"`
	From  int64    `json:"from"`
	Until int64    `json:"until"`
	Of    []string `json:"of,omitempty"` // keys of the findings; empty: all that speaks against the promise
}

// open notes a finding that is out of order, or undecided. A finding whose closing is known already stays closed:
// relays may swap the two, and a record may enter the log twice.
func (l *Ledger) open(e *entry, key string, p proof) {
	if _, closed := l.heads.Closed[key]; closed || p.State == record.Kept {
		return
	}
	if _, known := e.Open[key]; known {
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
	e.Open[key] = f
}

// close ends the findings a record closes: one that put things right, or somebody's look at it, and says so wholly. It
// ends those of its own control only: no other can tell. A waiver does not close: it excepts until its end.
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
		key := key(r.Control, ref.ID)
		if _, known := l.heads.Closed[key]; !known {
			l.heads.Closed[key] = index
			l.boundClosed()
		}
		for id, e := range l.entries {
			if _, open := e.Open[key]; open {
				delete(e.Open, key)
				l.changed[piece(id)] = true
			}
			if _, waived := e.Waivers[key]; waived {
				delete(e.Waivers, key)
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

// waive notes a waiver of two people that ends within 90 days; any other has no effect. That of a control which is not the
// waivers' own lets be the findings it refers to, its own, and nothing else: as with closing, no other can tell.
func (e *entry) waive(p proof, r record.Record) {
	var of []string
	for _, ref := range r.Refs {
		if ref.Rel == "excepts" && r.Control != WaiverControl && len(of) < maxWaivers {
			of = append(of, key(r.Control, ref.ID))
		}
	}
	if len(of) == 0 && r.Control != WaiverControl {
		return // whoever else says that two people agreed is not believed
	}
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
	e.Waivers[key(r.Control, p.ID)] = waiver{p.Index, p.At, p.Expires, of}
	if len(e.Waivers) > maxWaivers {
		delete(e.Waivers, slices.MinFunc(slices.Sorted(maps.Keys(e.Waivers)), func(a, b string) int {
			return int(e.Waivers[a].Until - e.Waivers[b].Until)
		}))
	}
}

// waived returns the waiver of a promise in force that lasts longest.
func (v *evaluation) waived(e *entry) (found Evidence, until int64) {
	for _, key := range sortedKeys(e.Waivers) {
		if w := e.Waivers[key]; len(w.Of) == 0 && v.inForce(w) && w.Until > until {
			found, until = Evidence{w.Index, idOf(key), record.Waiver, at(w.From)}, w.Until
		}
	}
	return found, until
}

func (v *evaluation) inForce(w waiver) bool { return !v.ahead(w.From) && !v.reached(w.Until) }

// excepted returns the open findings that are let be now, and what lets them be; of several the waiver that ends first.
func (v *evaluation) excepted(e *entry) (of map[string]bool, d verdict) {
	for _, key := range sortedKeys(e.Waivers) {
		w := e.Waivers[key]
		for _, finding := range w.Of {
			if _, open := e.Open[finding]; !open || !v.inForce(w) {
				continue
			}
			if of == nil {
				of = map[string]bool{}
			}
			of[finding] = true
			if d.until == 0 || w.Until < d.until {
				d = verdict{state: record.Excepted, reason: ByWaiver, since: w.From, until: w.Until, waiver: idOf(key), last: Evidence{w.Index, idOf(key), record.Waiver, at(w.From)}}
			}
		}
	}
	return of, d
}

// oldest returns the open finding that was there first and the one that came last, of those out of order (undecided
// false) or undecided, but for some.
func (e *entry) oldest(undecided bool, but map[string]bool) (first, last Evidence, open int) {
	for key, f := range e.Open {
		if (f[2] == 1) != undecided || but[key] {
			continue
		}
		open++
		found := Evidence{f[0], idOf(key), record.Finding, at(f[1])}
		if open == 1 || later(first, found) {
			first = found
		}
		if open == 1 || later(found, last) {
			last = found
		}
	}
	return first, last, open
}

// ofPersons reports whether an open finding is about what one person owes. All findings of such a duty together are a count
// of persons, and so is what is left of a number when the others are known.
func (e *entry) ofPersons(duties map[string]bool) bool {
	for key, f := range e.Open {
		if control, _, _ := strings.Cut(key, " "); f[2] == 0 && duties[control] {
			return true
		}
	}
	return false
}

// later reports whether a follows b, in time or else in the log.
func later(a, b Evidence) bool {
	return a.Observed.After(b.Observed) || a.Observed.Equal(b.Observed) && a.Index > b.Index
}
