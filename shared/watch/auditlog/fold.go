package auditlog

import (
	"cmp"
	"slices"
	"strings"
)

// maxParts bounds how many entries one fold takes: an operation logs two, a split has a few dozen parts at most. A
// split of more is never whole; each of its parts is still returned as it is.
const maxParts = 64

// Folder brings the entries together that belong to one call: the parts of a split entry, the first and the last of a
// long-running operation. It holds a bounded number of calls in memory, forgets the oldest, and keeps nothing beyond
// the process: FoldKey tells entries that met in no Folder to be the same call. Not safe for concurrent use.
type Folder struct {
	limit int
	open  map[string][]Entry
	order []string
}

// NewFolder makes a Folder that holds up to limit calls, at least one.
func NewFolder(limit int) *Folder {
	return &Folder{limit: max(limit, 1), open: map[string][]Entry{}}
}

// FoldKey names the call an entry is a part of, alike for all its parts; "" for an entry that stands alone.
func (e Entry) FoldKey() string {
	switch {
	case e.Operation.ID != "" && !(e.Operation.First && e.Operation.Last):
		return strings.Join([]string{"operation", e.LogName, e.Service, e.Operation.ID}, "\x00")
	case e.Split.UID != "":
		return e.splitKey()
	}
	return ""
}

func (e Entry) splitKey() string {
	return strings.Join([]string{"split", e.LogName, e.Split.UID}, "\x00")
}

// Fold returns what is known of the call so far, and whether all of it is: rules need not wait for the rest, which
// may never come, as the last entry of a failed operation does. The order in which entries come does not matter, nor
// that some come twice. A part of a split entry is returned as it is until all parts are there.
func (f *Folder) Fold(e Entry) (Entry, bool) {
	if e.Split.UID != "" {
		parts := f.add(e.splitKey(), e)
		if len(parts) < e.Split.Total {
			return e, false
		}
		e = join(parts)
	}
	key := e.FoldKey()
	if e.Operation.ID == "" || key == "" {
		return e, true
	}
	parts := f.add(key, e)
	folded := merge(parts)
	return folded, folded.Operation.First && folded.Operation.Last
}

// add keeps an entry, once, and returns all of its call in order: the first before the last, then by time.
func (f *Folder) add(key string, e Entry) []Entry {
	parts, known := f.open[key]
	if !known {
		if len(f.order) >= f.limit {
			delete(f.open, f.order[0])
			f.order = f.order[1:]
		}
		f.order = append(f.order, key)
	}
	same := func(other Entry) bool { return other.ID == e.ID }
	if i := slices.IndexFunc(parts, same); i >= 0 {
		parts[i] = e // a split that is whole now replaces its parts
	} else if len(parts) < maxParts {
		parts = append(parts, e)
	}
	slices.SortFunc(parts, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Split.Index, b.Split.Index), cmp.Compare(rank(a), rank(b)),
			a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	f.open[key] = parts
	return parts
}

func rank(e Entry) int {
	switch {
	case e.Operation.First:
		return 0
	case e.Operation.Last:
		return 2
	}
	return 1
}

// merge makes one entry of those of an operation. The first has what was asked and by whom, the last how it ended.
func merge(parts []Entry) Entry {
	m := parts[0]
	for _, p := range parts[1:] {
		m.Operation.First = m.Operation.First || p.Operation.First
		m.Operation.Last = m.Operation.Last || p.Operation.Last
		if p.Time.Before(m.Time) && !p.Time.IsZero() || m.Time.IsZero() {
			m.Time = p.Time
		}
		if m.Received.IsZero() || p.Received.Before(m.Received) && !p.Received.IsZero() {
			m.Received = p.Received
		}
		if p.Outcome.Result != OK && p.Outcome.Result != "" {
			m.Outcome = p.Outcome
		}
		if weaker(m.Actor, p.Actor) {
			m.Actor = p.Actor
		}
		if strings.HasPrefix(p.Asset, m.Asset) {
			m.Asset, m.Resource = p.Asset, p.Resource // creation names the parent first
		}
		fill(&m.Request, p.Request)
		fill(&m.Metadata, p.Metadata)
		fill(&m.ServiceData, p.ServiceData)
		fill(&m.PolicyViolation, p.PolicyViolation)
		fill(&m.OriginalState, p.OriginalState)
		if len(p.Response) > 0 {
			m.Response = p.Response
		}
		if len(m.Permissions) == 0 {
			m.Permissions = p.Permissions
		}
		m.IP, m.Agent, m.Location = first(m.IP, p.IP), first(m.Agent, p.Agent), first(m.Location, p.Location)
		m.Reason = first(m.Reason, p.Reason)
	}
	return m
}

func fill[T ~[]byte](into *T, from T) {
	if len(*into) == 0 {
		*into = from
	}
}

// weaker reports whether the other entry says more of who acted.
func weaker(a, b Actor) bool {
	named := func(a Actor) bool { return a.Email != "" || a.Subject != "" }
	return !named(a) && named(b) || a.Email == b.Email && len(b.Chain) > len(a.Chain)
}
