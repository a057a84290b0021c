package promise

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

// Snapshot is what the page shows: page.json, and /trustpage/v1/promises.json. It follows from the register, the
// first Size leaves of the log and At alone: whoever has those computes the same bytes.
type Snapshot struct {
	V         int                  `json:"v"`
	Company   string               `json:"company"`
	Languages []string             `json:"languages"`
	Policy    string               `json:"policy"`   // digest of the policy's files, SHA-256 in hex
	Register  string               `json:"register"` // digest of register.json, sha256:...
	Origin    string               `json:"origin"`   // of the log
	Size      int64                `json:"size"`     // leaves of the log it was computed from
	Root      string               `json:"root"`     // of those leaves, base64 as in the checkpoint
	At        time.Time            `json:"at"`       // the time the states are true for
	Counts    map[record.State]int `json:"counts"`   // rows per state; all seven are there
	Gaps      Gaps                 `json:"gaps"`
	Promises  []Row                `json:"promises"` // worst state first, then severity, then id
}

// Gaps are gap records that name no promise: evidence arrived that could not be understood.
type Gaps struct {
	Count int64    `json:"count"`
	Last  Evidence `json:"last,omitzero"`
}

// Row is one promise of the page.
type Row struct {
	Promise
	Status
	Shares  []Share `json:"shares"` // over 30 and 365 days
	History History `json:"history"`
}

// Share is how long a promise was in which state, over the last Days days in UTC, today included. Time before the
// first page record counts nowhere; time in which no page was recorded counts as unknown.
type Share struct {
	Days    int                    `json:"days"`
	Seconds map[record.State]int64 `json:"seconds"` // states that never occurred are left out
}

// PerMille returns the share of a state in thousandths of all the time counted, rounded down; 0 without history.
func (s Share) PerMille(state record.State) int {
	var all int64
	for _, n := range s.Seconds {
		all += n
	}
	if all == 0 {
		return 0
	}
	return int(s.Seconds[state] * 1000 / all)
}

// History is the strip of the last 90 days, in UTC: one letter a day, the worst state that day: b broken, u unknown,
// s stale, e excepted, a attested, i inherited, k kept, - nothing recorded.
type History struct {
	From string `json:"from"` // the first day, YYYY-MM-DD
	Days string `json:"days"` // the last one is the day of At
}

// Canonical returns the snapshot's only bytes: JSON with sorted names, without white space.
func (s Snapshot) Canonical() []byte { return canonical(s) }

// Snap computes the page for a time, in UTC and whole milliseconds. size and root are those of the checkpoint up to
// which the ledger was folded.
func Snap(l *Ledger, origin string, size int64, root string, now time.Time) Snapshot {
	now = now.UTC().Truncate(time.Millisecond)
	s := Snapshot{
		V: Version, Company: l.register.Company, Languages: l.register.Languages, Policy: l.register.Policy, Register: l.digest,
		Origin: origin, Size: size, Root: root, At: now, Counts: map[record.State]int{}, Gaps: l.heads.Gaps,
		Promises: make([]Row, 0, len(l.register.Promises)),
	}
	for _, state := range States() {
		s.Counts[state] = 0
	}
	v := evaluate(l, now)
	for _, p := range l.register.Promises {
		row := Row{Promise: p, Status: v.status(p.ID)}
		row.Shares, row.History = l.entries[p.ID].history(v.now, row.State)
		s.Counts[row.State]++
		s.Promises = append(s.Promises, row)
	}
	slices.SortStableFunc(s.Promises, func(a, b Row) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(weight(a.Severity), weight(b.Severity)), compareID(a.ID, b.ID))
	})
	return s
}

// Standing is what a page says of the state of every promise.
type Standing struct {
	Digest string    // of the register and of all states with their reasons: equal for equal ones, and only for them
	Until  time.Time // up to here, but not at it, it is the same while nothing is added to the ledger; zero: for ever
}

// Stand computes what Snap says of the states at a time, without the rest of the page.
func Stand(l *Ledger, now time.Time) Standing {
	v := evaluate(l, now)
	all := []byte(l.digest)
	for _, p := range l.register.Promises {
		s := v.status(p.ID)
		all = fmt.Appendf(all, "\n%s %s %s", p.ID, s.State, s.Reason)
	}
	stands := Standing{Digest: record.Digest(all)}
	if v.turn != math.MaxInt64 {
		stands.Until = at(v.turn)
	}
	return stands
}

// weight orders severities, worst first.
func weight(s policy.Severity) int {
	return slices.Index([]policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low, policy.Info}, s)
}

// compareID orders ids as people do: B9 before B10.
func compareID(a, b string) int {
	letters := func(s string) string { return strings.TrimRight(s, "0123456789") }
	x, y := letters(a), letters(b)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
