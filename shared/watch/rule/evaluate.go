package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// Verdict says how sure a hit is. Verdicts are stored, hence strings.
type Verdict string

const (
	Violation    Verdict = "violation"
	Undetermined Verdict = "undetermined" // the rule could not be evaluated, or not for sure; a person must look
)

func (s Subject) verdict() Verdict {
	if s.Doubt != "" {
		return Undetermined
	}
	return Violation
}

// Hit is one thing that a rule found. An entry that comes again, or a window that is judged again, gives a hit of the
// same ID; the alarm of an episode is for package episode to make of them.
type Hit struct {
	ID      string // derived from rule, group and entry (or value and time, for distinct and first-seen)
	Rule    string
	Verdict Verdict
	Why     string // of Undetermined: what could not be evaluated, or Subject.Doubt; never content of the entry
	Crowded bool   // the group has more members than are counted

	Key     string    // of the group: Subject.Group as one text
	Time    time.Time // event time of the entry that completes the hit
	Since   time.Time // event time of the first entry that counts
	Subject Subject   // of the entry that completes the hit
	Count   int       // members or different values in the window; 1 without a window
	Members []Member  // those that count, oldest first; nil without a window
}

// Evaluate holds an entry against the rules and remembers what windows need. The parts of a split entry are to be put
// together before: of what is still a part, whatever needs what the others may hold is undetermined. Now is when the entry came; what has to
// wait is judged by Settle. Hits are sorted by time and ID. Errors are those of memory and
// of facts; nothing has been remembered then, and the entry is to come again.
func (s *Set) Evaluate(ctx context.Context, e *auditlog.Entry, memory Memory, now time.Time) ([]Hit, error) {
	var buffer [16]branch
	v := view{ctx: ctx, e: e, facts: s.facts, home: s.home}
	t := turn{ctx: ctx, memory: memory, now: now, at: happened(e, now), v: &v, tickets: s.tickets}
	if err := t.told(e); err != nil {
		return nil, fmt.Errorf("reading what is known of a ticket: %w", err)
	}
	for _, b := range s.index.candidates(e, buffer[:0]) {
		r := &s.rules[b.rule]
		side := &r.own
		if b.other {
			side = &r.other
		}
		if !side.accepts(e) {
			continue
		}
		if err := t.judge(r, side, b.other); err != nil {
			return nil, reading(r.Name, err)
		}
	}
	if v.failed != nil {
		return nil, fmt.Errorf("asking for a fact about an entry: %w", v.failed)
	}
	if len(t.adds) > 0 {
		if err := memory.Add(ctx, t.adds...); err != nil {
			return nil, fmt.Errorf("remembering an entry: %w", err)
		}
	}
	if len(t.stands) > 0 {
		if err := memory.Stand(ctx, t.stands...); err != nil {
			return nil, fmt.Errorf("remembering what stands: %w", err)
		}
	}
	return sorted(t.hits), nil
}

// happened returns the event time of an entry; of one that tells none, when it was received, or when it came.
func happened(e *auditlog.Entry, now time.Time) time.Time {
	at := e.Time
	if at.IsZero() {
		at = e.Received
	}
	if at.IsZero() {
		at = now
	}
	return at.UTC().Truncate(time.Microsecond)
}

func reading(rule string, err error) error {
	return fmt.Errorf("reading what rule %s remembers: %w", rule, err)
}

func sorted(hits []Hit) []Hit {
	slices.SortFunc(hits, func(a, b Hit) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return slices.CompactFunc(hits, func(a, b Hit) bool { return a.ID == b.ID })
}

// turn is one call of Evaluate.
type turn struct {
	ctx     context.Context
	memory  Memory
	now     time.Time
	at      time.Time // event time
	v       *view
	hits    []Hit
	adds    []Member
	stands  []Standing
	started bool // that an operation began is remembered

	tickets bool // World.Tickets
}

// judge holds the entry against one side of one rule that wants it by its match. Errors are those of memory only.
func (t *turn) judge(r *compiled, side *selection, other bool) error {
	e := t.v.e
	if r.asksChange {
		if err := t.policy(); err != nil {
			return err
		}
	}
	if r.asksTicket {
		if err := t.ticket(); err != nil {
			return err
		}
	}
	if r.Window.Kind == Single {
		t.begun()
	}
	leaves := r.leaves(side, e)
	wanted, err := t.holds(r, side)
	switch {
	case err != nil && leaves:
		t.waits(r, t.about(r))
		return nil
	case err != nil:
		t.undetermined(r, "its condition", err)
		return nil
	case !wanted:
		return nil
	case r.Window.Kind != Single && e.Operation.Last && !e.Operation.First && e.Operation.ID != "":
		return nil // it tells of a call that its first entry told of already
	}
	subject, ok := t.subject(r, side, other)
	if !ok {
		return nil
	}
	switch {
	case leaves:
		t.waits(r, subject)
		return nil
	case r.Window.Kind == Single:
		t.hits = append(t.hits, single(r, subject, e, t.at))
		return nil
	}
	m := Member{V: 1, Rule: r.Name, Other: other, Key: joined(subject.Group), Time: t.at, Subject: subject}
	if !other && r.of != nil {
		if m.Value, err = says(r.of, t.v); err != nil || m.Value == "" {
			t.undetermined(r, "what it tells apart", err)
			return nil
		}
	}
	t.identify(r, &m)
	return t.remember(r, m)
}

// identify gives a member its ID, and the times until which it counts.
func (t *turn) identify(r *compiled, m *Member) {
	side := "own"
	if m.Other {
		side = "other"
	}
	if k := r.Window.Kind; k == FirstSeen || k == Distinct {
		m.Time = m.Time.Truncate(r.span.step)
		m.ID = identity(r.Name, side, m.Key, m.Value, m.Time.Format(time.RFC3339))
	} else {
		m.ID = identity(r.Name, side, m.Key, m.Subject.Entry)
	}
	latest := m.Time
	if r.Window.Kind == Absence {
		latest = latest.Add(r.span.within)
	}
	latest = later(latest, t.now)
	if r.Window.Settles() && !m.Other {
		m.Due = latest.Add(r.span.settle)
	}
	m.Expires = latest.Add(r.span.within + r.span.settle + 24*time.Hour)
}

// about is what is known of every hit about the entry.
func (t *turn) about(r *compiled) Subject {
	e := t.v.e
	return Subject{
		Entry: e.ID, Group: []string{e.Actor.Key}, Actor: e.Actor.Key, ActorKind: string(e.Actor.Kind), Service: e.Service, Method: e.Method,
		Tenant: e.App.Tenant, Resource: cmp.Or(e.Resource, e.App.Tenant), // of an application that names no target: whose data it was
		Project: e.Project, Outcome: string(e.Outcome.Result), Severity: r.Alarm.Severity,
	}
}

// subject says whom and what a hit would be about. It is false when an expression could not be evaluated.
func (t *turn) subject(r *compiled, side *selection, other bool) (Subject, bool) {
	s := t.about(r)
	s.Doubt = t.v.doubt(r)
	var err error
	if s.Group, err = side.key(t.v); err != nil {
		t.undetermined(r, "its group", err)
		return s, false
	}
	if other {
		return s, true
	}
	for i, p := range r.cases {
		is, err := holds(p, t.v)
		if err != nil {
			t.undetermined(r, "a case of its severity", err)
			return s, false
		}
		if is {
			s.Severity, s.Because = r.Alarm.Cases[i].Severity, r.Alarm.Cases[i].When
			break
		}
	}
	return s, true
}

// undetermined makes a hit of a rule that could not say. The error of an expression may hold what stood in the entry, so
// only the place is told, and whether a fact could not be had.
func (t *turn) undetermined(r *compiled, what string, err error) {
	why := what + " is empty"
	if err != nil {
		why = what + " cannot be evaluated"
	}
	s := t.about(r)
	if errors.Is(err, errParts) {
		s.Doubt, why = PartsMissing, PartsMissing
	}
	t.hits = append(t.hits, Hit{
		ID: identity(r.Name, "undetermined", s.Entry), Rule: r.Name, Verdict: Undetermined, Why: why,
		Time: t.at, Since: t.at, Count: 1, Key: joined(s.Group), Subject: s,
	})
}

// single returns the hit of a rule without a window. The entries of one operation are one hit.
func single(r *compiled, s Subject, e *auditlog.Entry, at time.Time) Hit {
	key := joined(s.Group)
	id := identity(r.Name, "single", key, s.Entry)
	if e.Operation.ID != "" {
		id = identity("hit", operation(r, key, e))
	}
	return Hit{ID: id, Rule: r.Name, Verdict: s.verdict(), Why: s.Doubt, Key: key, Time: at, Since: at, Subject: s, Count: 1}
}
