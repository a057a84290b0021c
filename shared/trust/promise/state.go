package promise

import (
	"cmp"
	"math"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// State computes the status of one promise at a time. It is pure: the same ledger, id and time give the same status.
// An id the register does not hold is unknown, NotRunning.
func State(l *Ledger, id string, now time.Time) Status { return evaluate(l, now).status(id) }

// evaluation computes states of one ledger at one time, each once.
type evaluation struct {
	l    *Ledger
	now  int64
	log  sealed
	done map[string]Status
	busy map[string]bool
	turn int64 // the first instant after now that was asked for
}

func evaluate(l *Ledger, now time.Time) *evaluation {
	return &evaluation{l: l, now: now.UnixMilli(), log: l.heads.Sealed, done: map[string]Status{}, busy: map[string]bool{}, turn: math.MaxInt64}
}

// reached reports whether it is an instant, or later. Nothing else compares with now: until the first instant that was
// asked for and is still to come, every answer stays the same.
func (v *evaluation) reached(instant int64) bool {
	if v.now < instant {
		v.turn = min(v.turn, instant)
	}
	return v.now >= instant
}

// ahead reports whether an instant is so far ahead that a clock must be wrong.
func (v *evaluation) ahead(instant int64) bool {
	return !v.reached(instant - allowedSkew.Milliseconds())
}

// verdict is what one mechanism, finding or drill says.
type verdict struct {
	state   record.State
	reason  Reason
	since   int64
	until   int64
	last    Evidence
	measure *Measure
	role    policy.Role
	via     string
	waiver  string
}

// rank orders states, worst first.
func rank(s record.State) int {
	switch s {
	case record.Broken:
		return 0
	case record.Unknown:
		return 1
	case Stale:
		return 2
	case record.Excepted:
		return 3
	case record.Attested:
		return 4
	case record.Inherited:
		return 5
	}
	return 6
}

func (v *evaluation) status(id string) Status {
	if s, done := v.done[id]; done {
		return s
	}
	i, known := v.l.index[id]
	if !known || v.busy[id] || v.l.entries[v.l.root[id]] == nil {
		return Status{State: record.Unknown, Reason: NotRunning}
	}
	v.busy[id] = true
	s := v.compute(v.l.register.Promises[i])
	v.busy[id] = false
	v.done[id] = s
	return s
}

// compute joins everything that says something about a promise; the worst counts.
func (v *evaluation) compute(p Promise) Status {
	e := v.l.entries[v.l.root[p.ID]]
	around := v.around(e)
	parts, all := v.mechanisms(p, e, around)
	var s Status
	s.Drill = e.drill()
	let, _ := v.excepted(e)
	s.Finding, _, s.Findings = e.oldest(false, let)
	if e.Overflow && s.Findings == 0 {
		s.Findings = maxOpen
	}
	if s.Findings > 0 && s.Findings < few && e.ofPersons(v.l.people) {
		s.Findings, s.FindingsBelow = 0, few
	}
	waiver, until := v.waived(e)
	s.Last = waiver
	if s.Drill != nil && later(s.Drill.Evidence, s.Last) {
		s.Last = s.Drill.Evidence
	}
	var worst verdict
	for i, d := range all {
		if d.state == record.Broken && waiver.ID != "" {
			d.state, d.reason, d.until, d.waiver = record.Excepted, ByWaiver, until, waiver.ID
		}
		d = v.sealed(d)
		if k := i - len(around); k >= 0 && k < len(parts) {
			parts[k].State, parts[k].Reason, parts[k].Until, parts[k].Last = d.state, d.reason, at(d.until), d.last
		}
		if i == 0 || rank(d.state) < rank(worst.state) {
			worst = d
			if k := max(i-len(around), 0); k < len(parts) {
				s.Mechanism, s.Ref = parts[k].Mechanism, parts[k].Ref
			}
		}
		if d.last.ID != "" && later(d.last, s.Last) {
			s.Last = d.last
		}
	}
	s.State, s.Reason, s.Until, s.Waiver, s.SignedBy, s.Measure = worst.state, worst.reason, at(worst.until), worst.waiver, worst.role, worst.measure.masked()
	s.Parts, s.Via = parts, cmp.Or(worst.via, p.SameAs)
	s.Since = at(v.since(p.ID, s.State, worst.since))
	return s
}

// sealed is what a verdict amounts to when the log itself may have stopped: what was not broken may be so by now, or may
// have been put right, and nobody would read of it.
func (v *evaluation) sealed(d verdict) verdict {
	ahead, silent := v.ahead(v.log.At), v.log.Run == 0 || v.reached(v.log.end())
	if rank(d.state) <= rank(record.Unknown) || !ahead && !silent {
		return d
	}
	d.state, d.reason, d.since, d.until, d.waiver = record.Unknown, ClockAhead, 0, 0, ""
	if silent {
		d.reason = Silent
	}
	if silent && v.log.Run > 0 {
		d.since = v.log.end()
	}
	return d
}

// since goes back to where the history saw the state begin.
func (v *evaluation) since(id string, state record.State, since int64) int64 {
	if m := v.l.entries[id].Mark; m != nil && m.State == state && m.Since > 0 && (since == 0 || m.Since < since) {
		return m.Since
	}
	return since
}

// around returns what speaks about a promise beside its mechanisms: findings, drills, lost evidence.
func (v *evaluation) around(e *entry) []verdict {
	var all []verdict
	add := func(state record.State, reason Reason, since, until int64, last Evidence) {
		all = append(all, verdict{state: state, reason: reason, since: since, until: until, last: last})
	}
	let, exception := v.excepted(e)
	if len(let) > 0 {
		all = append(all, exception)
	}
	if first, last, open := e.oldest(false, let); open > 0 || e.Overflow {
		add(record.Broken, OpenFinding, unix(first.Observed), 0, last)
	}
	if first, last, open := e.oldest(true, let); open > 0 {
		add(record.Unknown, Incomplete, unix(first.Observed), 0, last)
	}
	for _, control := range sortedKeys(e.Drills) {
		switch d := e.Drills[control]; {
		case d.State == record.Broken:
			add(record.Broken, DrillFailed, d.At, 0, d.evidence())
		case v.ahead(d.At):
			add(record.Unknown, ClockAhead, d.At, 0, d.evidence())
		case d.State == record.Unknown:
			add(record.Unknown, Incomplete, d.At, 0, d.evidence())
		case v.reached(d.until(longestProof)):
			add(Stale, DrillExpired, d.until(longestProof), d.until(longestProof), d.evidence())
		}
	}
	if e.Lost > 0 && !v.reached(v.healed(e.ID, e.Lost)) {
		add(record.Unknown, GapInRuns, e.Lost, v.healed(e.ID, e.Lost), Evidence{})
	}
	return all
}

// healed returns when a gap no longer tells against a promise: when no proof of that time would count any more.
func (v *evaluation) healed(id string, gap int64) int64 {
	if age := v.l.maxAge[id]; !age.IsZero() {
		return after(gap, age)
	}
	return gap + defaultHeal.Milliseconds()
}

// drill returns the newest drill, of several controls too.
func (e *entry) drill() *Drill {
	var newest *proof
	for _, control := range sortedKeys(e.Drills) {
		if d := e.Drills[control]; newest == nil || d.newer(*newest) {
			newest = &d
		}
	}
	if newest == nil {
		return nil
	}
	return &Drill{newest.evidence(), newest.State == record.Kept, newest.Measure.masked()}
}

// mechanisms asks each mechanism of a promise, and returns their verdicts behind those that are there. A promise
// without any is kept by nobody.
func (v *evaluation) mechanisms(p Promise, e *entry, verdicts []verdict) ([]Part, []verdict) {
	parts := make([]Part, 0, len(p.KeptBy))
	add := func(m policy.Mechanism, ref string, d verdict) {
		parts, verdicts = append(parts, Part{Mechanism: m, Ref: ref}), append(verdicts, d)
	}
	for _, k := range p.KeptBy {
		if k.Mechanism == policy.Statement {
			add(k.Mechanism, strings.Join(k.Refs, ","), v.statement(p, k.Refs))
			continue
		}
		for _, ref := range k.Refs {
			switch k.Mechanism {
			case policy.Rollup:
				add(k.Mechanism, ref, v.part(ref))
			case policy.Duty:
				add(k.Mechanism, ref, v.duty(p, e, ref))
			case policy.Certificate:
				add(k.Mechanism, ref, v.certificate(p, e, ref))
			default:
				add(k.Mechanism, ref, v.watched(p, e, k.Mechanism, ref))
			}
		}
	}
	if len(parts) == 0 {
		return nil, append(verdicts, verdict{state: record.Unknown, reason: NotRunning})
	}
	return parts, verdicts
}
