package promise

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"ostiary.internal/shared/platform/fault"
)

// headsPiece is the piece that belongs to no promise.
const headsPiece = "heads"

func piece(id string) string { return "promise-" + id }

// Pieces yields the whole ledger in pieces, sorted by name: "heads", and "promise-" and an id for each promise. Each
// is JSON of usually under 40 KB and at most 1.5 MB. The same ledger gives the same bytes.
func (l *Ledger) Pieces() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		names := []string{headsPiece}
		for id := range l.entries {
			names = append(names, piece(id))
		}
		slices.Sort(names)
		l.yield(names, yield)
	}
}

// Changed yields the pieces that changed since NewLedger, Restore or the last Stored, sorted by name. Every Add
// changes "heads", which holds the size: whoever stores all of Changed in one transaction stores a whole ledger.
func (l *Ledger) Changed() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) { l.yield(sortedKeys(l.changed), yield) }
}

// Stored says that all pieces have been stored as they are now.
func (l *Ledger) Stored() { clear(l.changed) }

func (l *Ledger) yield(names []string, yield func(string, []byte) bool) {
	for _, name := range names {
		var data []byte
		var err error
		if name == headsPiece {
			data, err = json.Marshal(l.heads)
		} else {
			data, err = json.Marshal(l.entries[name[len(piece("")):]])
		}
		if err != nil {
			panic(err) // these shapes always encode
		}
		if !yield(name, data) {
			return
		}
	}
}

// Restore makes a ledger from all its pieces, in any order. Misconfigured: they belong to another register, so fold
// the log anew from its first leaf. Invalid: a piece is damaged, missing or unknown.
func Restore(r Register, pieces iter.Seq2[string, []byte]) (*Ledger, error) {
	l := NewLedger(r)
	missing := maps.Clone(l.changed)
	var wrong error
	for name, data := range pieces {
		if !missing[name] {
			wrong = cmp.Or(wrong, fault.New(fault.Invalid, "restoring the promise ledger: piece %.60q is unknown or there twice", name))
			continue
		}
		delete(missing, name)
		wrong = cmp.Or(wrong, l.restore(name, data))
	}
	switch names := sortedKeys(missing); {
	case !missing[headsPiece] && l.heads.Register != l.digest:
		return nil, fault.New(fault.Misconfigured, "restoring the promise ledger: it belongs to another register")
	case wrong != nil:
		return nil, wrong
	case len(names) > 0:
		return nil, fault.New(fault.Invalid, "restoring the promise ledger: %d pieces are missing, the first is %.60q", len(names), names[0])
	}
	l.Stored()
	return l, nil
}

func (l *Ledger) restore(name string, data []byte) error {
	damaged := func(err error) error {
		return fault.New(fault.Invalid, "restoring the promise ledger: piece %.60q: %w", name, err)
	}
	if name == headsPiece {
		var h heads
		if err := json.Unmarshal(data, &h); err != nil {
			return damaged(err)
		}
		if h.V != shape || h.Size < 0 || h.Controls == nil || h.Proofs == nil || h.Closed == nil {
			return fault.New(fault.Invalid, "restoring the promise ledger: piece %.60q is of another shape", name)
		}
		l.heads = h
		return nil
	}
	id := name[len(piece("")):]
	e := &entry{}
	if err := json.Unmarshal(data, e); err != nil {
		return damaged(err)
	}
	badDay := func(d day) bool { return d[1] < 0 || int(d[1]) >= len(letters) }
	if e.V != shape || e.ID != id || slices.ContainsFunc(e.Days, badDay) {
		return fault.New(fault.Invalid, "restoring the promise ledger: piece %.60q is another one", name)
	}
	l.entries[id] = e
	return nil
}
