package rule

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
)

// Crowd is how many members of one group a window looks at. Above it the group is a hit of its own.
const Crowd = 1000

// Member is an entry that a rule remembers. Its ID derives from what it is, so that it is stored once however often the
// entry comes.
type Member struct {
	V     int    `json:"v"` // version of this shape: 1
	ID    string `json:"id"`
	Rule  string `json:"rule"`
	Other bool   `json:"other,omitempty"` // of the window's other selection
	Key   string `json:"key"`             // of the group
	Value string `json:"value,omitempty"` // of the window's of

	Time    time.Time `json:"time"`    // event time
	Due     time.Time `json:"due"`     // when it can be judged; zero: judged, or at once
	Expires time.Time `json:"expires"` // when no window can need it any more

	Subject Subject `json:"subject"`
}

// Subject is what an alarm tells of an entry, and what a suppression is scoped to.
type Subject struct {
	Entry     string          `json:"entry"` // Entry.ID
	Group     []string        `json:"group"` // values of the rule's group
	Actor     string          `json:"actor"`
	ActorKind string          `json:"actor_kind"`
	Service   string          `json:"service"`
	Method    string          `json:"method"`
	Resource  string          `json:"resource"`
	Tenant    string          `json:"tenant,omitempty"` // what an application says whose data it was
	Project   string          `json:"project"`
	Outcome   string          `json:"outcome"`
	Severity  policy.Severity `json:"severity"`
	Because   string          `json:"because,omitempty"` // the case of the rule that gave the severity
	Doubt     string          `json:"doubt,omitempty"`   // why it is undetermined although the rule could be evaluated
}

// Query asks for members of one group, by event time, both ends included.
type Query struct {
	Rule     string
	Other    bool
	Key      string
	Value    string // "" for any
	From, To time.Time
	Limit    int
}

// Memory keeps members, and what stands. Evaluate and Settle read first and write last, so that one store transaction may carry a call.
type Memory interface {
	// Range returns the members of a group in a span of time, oldest first, of equal time by ID, at most Limit. They are
	// only read, and only until the next Add.
	Range(ctx context.Context, q Query) ([]Member, error)
	// Add stores members that are not there yet; one that is there stays as it is.
	Add(ctx context.Context, members ...Member) error
	// Due returns members that can be judged by now, at most limit, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]Member, error)
	// Done makes members due no more; they stay members.
	Done(ctx context.Context, members ...Member) error
	// Stood returns what other entries than the one given told of a thing: the last at or before a time, the first after
	// it; nil for none.
	Stood(ctx context.Context, kind StandingKind, thing string, at time.Time, but string) (before, after *Standing, err error)
	// Stand stores what entries told. What the same entry told before it replaces.
	Stand(ctx context.Context, all ...Standing) error
}

// group names the members of one side of one group.
type group struct {
	rule  string
	other bool
	key   string
}

// Local is a Memory within one process, for replay and tests. It is not safe for concurrent use.
type Local struct {
	groups map[group][]Member
	known  map[string]struct{}
	due    []Member // by Due, then ID
	stood  landscape
}

// NewLocal returns an empty memory.
func NewLocal() *Local { return &Local{groups: map[group][]Member{}, known: map[string]struct{}{}} }

// Knows reports whether a member is stored, judged or not.
func (l *Local) Knows(id string) bool {
	_, known := l.known[id]
	return known
}

func earlier(a, b Member) int {
	if c := a.Time.Compare(b.Time); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func sooner(a, b Member) int {
	if c := a.Due.Compare(b.Due); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Range implements Memory.
func (l *Local) Range(_ context.Context, q Query) ([]Member, error) {
	all := l.groups[group{q.Rule, q.Other, q.Key}]
	from, _ := slices.BinarySearchFunc(all, q.From, func(m Member, t time.Time) int { return m.Time.Compare(t) })
	if q.Value != "" {
		return q.of(all[from:]), nil
	}
	to := from
	for to < len(all) && !all[to].Time.After(q.To) && to-from < q.Limit {
		to++
	}
	return all[from:to:to], nil
}

// of returns the members with the query's value.
func (q Query) of(all []Member) (some []Member) {
	for _, m := range all {
		if m.Time.After(q.To) || len(some) == q.Limit {
			break
		}
		if m.Value == q.Value {
			some = append(some, m)
		}
	}
	return some
}

// Add implements Memory.
func (l *Local) Add(_ context.Context, members ...Member) error {
	for _, m := range members {
		if _, known := l.known[m.ID]; known {
			continue
		}
		l.known[m.ID] = struct{}{}
		g := group{m.Rule, m.Other, m.Key}
		all := l.groups[g]
		i, _ := slices.BinarySearchFunc(all, m, earlier)
		l.groups[g] = slices.Insert(all, i, m)
		if !m.Due.IsZero() {
			i, _ := slices.BinarySearchFunc(l.due, m, sooner)
			l.due = slices.Insert(l.due, i, m)
		}
	}
	return nil
}

// Due implements Memory.
func (l *Local) Due(_ context.Context, now time.Time, limit int) ([]Member, error) {
	n := 0
	for n < len(l.due) && n < limit && !l.due[n].Due.After(now) {
		n++
	}
	return slices.Clone(l.due[:n]), nil
}

// Done implements Memory.
func (l *Local) Done(_ context.Context, members ...Member) error {
	for _, m := range members {
		if i, found := slices.BinarySearchFunc(l.due, m, sooner); found {
			l.due = slices.Delete(l.due, i, i+1)
		}
	}
	return nil
}

// Forget drops members that no window needs any more. Without it a replay of a year keeps all of them.
func (l *Local) Forget(now time.Time) {
	for g, all := range l.groups {
		kept := all[:0]
		for _, m := range all {
			if m.Expires.After(now) {
				kept = append(kept, m)
				continue
			}
			delete(l.known, m.ID)
		}
		if clear(all[len(kept):]); len(kept) == 0 {
			delete(l.groups, g)
			continue
		}
		l.groups[g] = kept
	}
}
