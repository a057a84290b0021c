package rule

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// idEncoding gives IDs that may be names of documents everywhere.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// identity returns 26 characters (128 bits) that stand for the parts in their order.
func identity(parts ...string) string {
	var space [512]byte
	b := space[:0]
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	sum := sha256.Sum256(b)
	return idEncoding.EncodeToString(sum[:16])
}

// joined returns a group as one text: no two groups have the same.
func joined(group []string) string {
	text, err := json.Marshal(group)
	if err != nil {
		panic(fmt.Sprintf("rule: encoding a list of texts: %v", err)) // there is no list of texts that JSON cannot hold
	}
	return string(text)
}

// remember stores a member and finds what it completes. Members of kinds that settle are judged later.
func (t *turn) remember(r *compiled, m Member) error {
	if r.Window.Settles() {
		t.adds = append(t.adds, m)
		return nil
	}
	if r.Window.Kind == Sequence {
		return t.sequence(r, m)
	}
	all, err := t.memory.Range(t.ctx, Query{
		Rule: r.Name, Key: m.Key, From: m.Time.Add(-r.span.within), To: m.Time.Add(r.span.within), Limit: Crowd,
	})
	if err != nil {
		return err
	}
	if t.crowded(r, m, all) {
		return nil
	}
	t.adds = append(t.adds, m)
	all = with(all, m)
	for _, f := range completed(all, m.Time, r.span.within, r.Window.AtLeast, r.Window.Kind == Distinct) {
		t.hits = append(t.hits, hit(r, f))
	}
	return nil
}

// sequence pairs an entry with those before it, or, when it is itself what comes before, with those after it.
func (t *turn) sequence(r *compiled, m Member) error {
	q := Query{Rule: r.Name, Key: m.Key, Other: !m.Other, From: m.Time.Add(-r.span.within), To: m.Time, Limit: Crowd}
	if m.Other {
		q.From, q.To = m.Time, m.Time.Add(r.span.within)
	}
	all, err := t.memory.Range(t.ctx, q)
	if err != nil {
		return err
	}
	if t.crowded(r, m, all) {
		return nil
	}
	t.adds = append(t.adds, m)
	all = without(all, m.Subject.Entry)
	switch {
	case m.Other:
		for _, own := range all {
			t.hits = append(t.hits, hit(r, found{at: own, members: []Member{m, own}, count: 2}))
		}
	case len(all) > 0:
		t.hits = append(t.hits, hit(r, found{at: m, members: append(slices.Clone(all), m), count: len(all) + 1}))
	}
	return nil
}

// crowded reports whether a group is full. That is a hit, once a window; the member is not stored.
func (t *turn) crowded(r *compiled, m Member, all []Member) bool {
	if len(all) < Crowd || slices.ContainsFunc(all, func(o Member) bool { return o.ID == m.ID }) {
		return false
	}
	h := hit(r, found{at: m, members: nil, count: Crowd})
	h.ID = identity(r.Name, "crowd", m.Key, m.Time.Truncate(r.span.within).Format(time.RFC3339))
	h.Crowded, h.Since = true, all[0].Time
	t.hits = append(t.hits, h)
	return true
}

func hit(r *compiled, f found) Hit {
	h := Hit{
		ID: identity("hit", f.at.ID), Rule: r.Name, Verdict: f.at.Subject.verdict(), Why: f.at.Subject.Doubt, Key: f.at.Key, Time: f.at.Time, Since: f.at.Time,
		Subject: f.at.Subject, Count: f.count, Members: slices.Clone(f.members),
	}
	if len(f.members) > 0 {
		h.Since = f.members[0].Time
	}
	return h
}

// Settle judges what had to wait until now, at most limit members, and returns the hits and how many were judged: fewer
// than limit means that nothing more is due. When memory is a transaction, hits and marks are written together. Errors
// are those of memory; the members stay due.
func (s *Set) Settle(ctx context.Context, memory Memory, now time.Time, limit int) (hits []Hit, judged int, err error) {
	due, err := memory.Due(ctx, now, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("reading what rules can judge: %w", err)
	}
	for _, m := range due {
		i, exists := s.byName[m.Rule]
		if !exists {
			continue // the rule was taken back: nobody asks any more
		}
		f, is, err := s.rules[i].settle(ctx, memory, m)
		if err != nil {
			return nil, 0, reading(m.Rule, err)
		}
		if is {
			hits = append(hits, hit(&s.rules[i], f))
		}
	}
	if len(due) > 0 {
		if err := memory.Done(ctx, due...); err != nil {
			return nil, 0, fmt.Errorf("marking what rules have judged: %w", err)
		}
	}
	return sorted(hits), len(due), nil
}

// settle judges one member, and reports whether it is a hit.
func (r *compiled) settle(ctx context.Context, memory Memory, m Member) (found, bool, error) {
	q := Query{Rule: r.Name, Key: m.Key, From: m.Time.Add(-r.span.within), To: m.Time, Limit: Crowd}
	switch r.Window.Kind {
	case Single:
		if m.Subject.Doubt != FirstUnseen {
			return found{}, false, nil // it had a window then
		}
		first, err := memory.Range(ctx, unbegun(m))
		return found{at: m, count: 1}, len(first) == 0, err
	case FirstSeen:
		return r.unseen(ctx, memory, m, q)
	case Absence:
		q.Other, q.From, q.To = true, m.Time, m.Time.Add(r.span.within)
		others, err := memory.Range(ctx, q)
		return found{at: m, members: []Member{m}, count: 1}, len(without(others, m.Subject.Entry)) == 0, err
	case Budget:
		q.Value = m.Value
		spends, err := memory.Range(ctx, q)
		if err != nil {
			return found{}, false, err
		}
		spends = slices.Clone(spends)
		q.Value, q.Other = "", true
		openings, err := memory.Range(ctx, q)
		over := !covered(m, openings, spends, r.Window.AtMost)
		return found{at: m, members: spends, count: len(spends)}, over, err
	}
	return found{}, false, nil // the rule has another window now
}

// unseen reports whether a group had a value never before in the window, although it was known for the time to learn.
func (r *compiled) unseen(ctx context.Context, memory Memory, m Member, q Query) (found, bool, error) {
	q.To, q.Limit, q.Value = m.Time.Add(-r.span.step), 1, m.Value
	seen, err := memory.Range(ctx, q)
	if err != nil || len(seen) > 0 {
		return found{}, false, err
	}
	if r.span.learn > 0 {
		q.To, q.Value = m.Time.Add(-r.span.learn), ""
		known, err := memory.Range(ctx, q)
		if err != nil || len(known) == 0 {
			return found{}, false, err
		}
	}
	return found{at: m, members: []Member{m}, count: 1}, true, nil
}
