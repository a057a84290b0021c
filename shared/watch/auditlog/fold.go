package auditlog

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"
)

// MaxParts is how many parts of a split entry are put together, and MaxSize how many bytes of them: Google makes parts
// of 512 KiB. What is of more is never whole.
const MaxParts = 64

// Part reports whether an entry is one part of an entry that was split, or what Join made of some of them: not all that
// the call asked for and answered is known then. Only audit logs are folded; who writes an application's log chooses
// what it says of a split, and could make many calls pass for one.
func (e *Entry) Part() bool {
	return e.Split.UID != "" && e.Kind == Audit && e.Stream != AccessTransparency
}

// WholeID is the ID of the entry that the parts of a split make, alike for all of them; Entry.ID for an entry in one
// piece. Parts that differ in how many there are belong to two entries.
func (e *Entry) WholeID() string {
	if !e.Part() {
		return e.ID
	}
	h := sha256.New()
	for _, part := range []string{"split", e.LogName, e.Split.UID, strconv.Itoa(e.Split.Total)} {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part)
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// Joinable reports whether the parts can ever be whole: there are not too many, and this is one of them.
func (s Split) Joinable() bool { return s.Index >= 0 && s.Index < s.Total && s.Total <= MaxParts }

// OperationKey names the operation an entry is the first or the last of, alike for both; "" for an entry that stands
// alone.
func (e Entry) OperationKey() string {
	if e.Operation.ID == "" || e.Operation.First && e.Operation.Last {
		return ""
	}
	return strings.Join([]string{"operation", e.LogName, e.Service, e.Operation.ID}, "\x00")
}

// Bounds of a Folder.
const (
	maxOpen  = 256      // splits that wait for parts
	maxBytes = 32 << 20 // of their payloads
	maxKnown = 100_000  // splits of one of two generations that are known to have been returned
)

// Folder puts the parts of split entries together in memory, for whoever reads a log from its beginning to its end. It
// holds 256 splits and 32 MiB; beyond that it gives up the oldest. Not safe for concurrent use.
type Folder struct {
	open       map[string]*waiting
	order      []string // of open, as they began
	bytes      int
	known, old map[string]struct{}
}

// waiting is a split of which parts are missing.
type waiting struct {
	parts []Entry
	until time.Time
	bytes int
}

// NewFolder makes an empty Folder.
func NewFolder() *Folder { return &Folder{open: map[string]*waiting{}, known: map[string]struct{}{}} }

// Fold takes a part and returns the entries to be judged now, each once by its ID, whatever the order in which parts come
// and however often: the whole one when this is the last part, what is known of one that can never be whole, and what is
// given up. Until is when the other parts count as lost.
func (f *Folder) Fold(e Entry, until time.Time) (ready []Entry) {
	id := e.WholeID()
	if f.returned(id) {
		return nil
	}
	if !e.Split.Joinable() {
		return []Entry{f.take(id, e)}
	}
	w, is := f.open[id]
	if !is {
		w = &waiting{until: until}
		f.open[id], f.order = w, append(f.order, id)
	}
	for _, p := range w.parts {
		if p.Split.Index == e.Split.Index {
			return nil
		}
	}
	w.parts = append(w.parts, e)
	w.bytes += len(e.Payload)
	f.bytes += len(e.Payload)
	if len(w.parts) == e.Split.Total || w.bytes > MaxSize {
		return []Entry{f.take(id)}
	}
	for len(f.open) > maxOpen || f.bytes > maxBytes {
		ready = append(ready, f.take(f.order[0]))
	}
	return ready
}

// Overdue returns what is known of the splits whose parts count as lost by now.
func (f *Folder) Overdue(now time.Time) (ready []Entry) {
	for len(f.order) > 0 && !f.open[f.order[0]].until.After(now) {
		ready = append(ready, f.take(f.order[0]))
	}
	return ready
}

// take ends the waiting for a split.
func (f *Folder) take(id string, more ...Entry) Entry {
	if w, is := f.open[id]; is {
		more = append(more, w.parts...)
		f.bytes -= w.bytes
		delete(f.open, id)
		for i, one := range f.order {
			if one == id {
				f.order = append(f.order[:i], f.order[i+1:]...)
				break
			}
		}
	}
	if len(f.known) >= maxKnown {
		f.known, f.old = map[string]struct{}{}, f.known
	}
	f.known[id] = struct{}{}
	return Join(more)
}

// Waits reports whether the split whose parts make the entry of that ID waits for some of them.
func (f *Folder) Waits(id string) bool {
	_, is := f.open[id]
	return is
}

func (f *Folder) returned(id string) bool {
	_, is := f.known[id]
	if !is {
		_, is = f.old[id]
	}
	return is
}
