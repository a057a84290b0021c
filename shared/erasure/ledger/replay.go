package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Known is somebody whom a restored database knows, by one item of one place.
type Known struct {
	Subject
	Created time.Time // zero where it cannot be told
	Entry   string    // of the data map
	Address string    // of the directory: what it has on file of her; "" where nobody asked
}

// People lists whom a restored database knows, page by page: "" is the first cursor, and the one behind the last page.
// Somebody whose id cannot be read is listed with an empty one.
type People interface {
	Page(ctx context.Context, cursor string) (people []Known, next string, err error)
}

// Again is somebody who has to be erased again.
type Again struct {
	Known
	// Before is when she was erased: what was made later is not hers, or is of a new account.
	Before time.Time
	// Elsewhere says that the item is of another role: it tells who she is, and not that anything is back of what she was
	// erased from. Whoever erases her again looks there first.
	Elsewhere bool
	// Doubtful says that it cannot be told whether the data is older: a person looks before anything is erased.
	Doubtful bool
}

// Summary counts whom Replay looked at.
type Summary struct {
	Seen     int64 `json:"seen"`
	Again    int64 `json:"again"`    // to be erased again
	Doubtful int64 `json:"doubtful"` // perhaps to be erased again
	Newer    int64 `json:"newer"`    // erased once, and back with a new account
	Nameless int64 `json:"nameless"` // whose id could not be read: they were not looked up
}

// Replay goes through everybody a restored database knows and hands to each whom the ledger has, before the database gets
// any traffic. taken is when the backup was made: of data that does not tell its age, it is older than an erasure that
// came after. The ledger is held in memory, some 200 bytes an entry; the people are not, and somebody whom several items
// tell of is handed on with each. It may be run again: what was erased again is no longer listed. Errors: Invalid (no taken),
// Misconfigured (an entry was altered, or the key of one is missing: nobody may rely on the rest; or, after everybody was
// listed, there are people without a name), those of people and of each, which end it.
func (l *Ledger) Replay(ctx context.Context, people People, taken time.Time, each func(context.Context, Again) error) (Summary, error) {
	var sum Summary
	if taken.IsZero() {
		return sum, fault.New(fault.Invalid, "replaying the ledger: when the backup was made is not known")
	}
	erased := map[string]int64{}
	err := l.each(ctx, func(name string, e entry) { erased[name] = e.Deleted })
	if err != nil {
		return sum, err
	}
	for cursor := ""; ; {
		page, next, err := people.Page(ctx, cursor)
		if err != nil {
			return sum, fmt.Errorf("listing the people of the restored database: %w", err)
		}
		for _, known := range page {
			sum.Seen++
			if known.ID == "" {
				sum.Nameless++
				continue
			}
			for _, again := range l.judge(erased, known, taken, &sum) {
				if err := each(ctx, again); err != nil {
					return sum, err
				}
			}
		}
		if next == "" {
			return sum, sum.whole()
		}
		cursor = next
	}
}

// whole refuses to call everybody those who could be looked up.
func (s Summary) whole() error {
	if s.Nameless == 0 {
		return nil
	}
	return fault.New(fault.Misconfigured, "replaying the ledger: %d of %d people have no id that can be read, and whether they were erased nobody can tell; "+
		"name the field that holds it under select or derives of the directory in the data map, or look at them one by one, and replay again", s.Nameless, s.Seen)
}

// besides are the roles in which somebody is looked up of whom an item of one tells.
var besides = map[datamap.Role][]datamap.Role{
	datamap.Controller: {datamap.Processor, datamap.Global}, datamap.Processor: {datamap.Controller, datamap.Global},
}

// judge looks somebody up, in the data of both roles and of no tenant, and counts what the item's own says.
func (l *Ledger) judge(erased map[string]int64, known Known, taken time.Time, sum *Summary) (all []Again) {
	if again, found := l.lookUp(erased, known, taken, sum); found {
		all = append(all, again)
	}
	for _, other := range besides[known.Role] {
		known.Role = other
		if again, found := l.lookUp(erased, known, taken, &Summary{}); found {
			again.Elsewhere = true
			all = append(all, again)
		}
	}
	return all
}

func (l *Ledger) lookUp(erased map[string]int64, known Known, taken time.Time, sum *Summary) (Again, bool) {
	var at int64
	for _, k := range l.keys {
		at = max(at, erased[k.name(known.Subject)])
	}
	again := Again{Known: known, Before: time.UnixMicro(at).UTC()}
	switch {
	case at == 0:
		return Again{}, false
	case known.Created.IsZero() && again.Before.Before(taken):
		sum.Doubtful++
		again.Doubtful = true
	case !known.Created.IsZero() && !known.Created.Before(again.Before):
		sum.Newer++
		return Again{}, false
	default:
		sum.Again++
	}
	return again, true
}

// Unlooked counts the tenants that were erased as a whole and are none of these: whoever replays for these alone has not looked
// whether those are back. Errors as Replay, of the ledger alone.
func (l *Ledger) Unlooked(ctx context.Context, tenants []string) (n int, err error) {
	looked := map[string]bool{}
	for _, tenant := range tenants {
		for _, k := range l.keys {
			looked[k.name(Subject{Tenant: tenant, Kind: Whole, ID: tenant})] = true
		}
	}
	err = l.each(ctx, func(name string, e entry) {
		if e.Whole && !looked[name] {
			n++
		}
	})
	return n, err
}

// each reads the whole ledger, and hands on each entry with its name.
func (l *Ledger) each(ctx context.Context, fn func(name string, e entry)) error {
	q := store.Query{Collection: entries, Limit: store.MaxQueryResults}
	for {
		found, err := l.store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, doc := range found {
			var e entry
			if err := doc.Decode(&e); err != nil {
				return err
			}
			i := slices.IndexFunc(l.keys, func(k Key) bool { return k.Version == e.Key })
			if i < 0 {
				return fault.New(fault.Misconfigured, "reading the ledger: the key of an entry is missing; give every version that InUse knows")
			}
			if err := l.keys[i].check(doc.ID, e); err != nil {
				return err
			}
			fn(doc.ID, e)
		}
		if len(found) < q.Limit {
			return nil
		}
		q.After = &store.Cursor{ID: found[len(found)-1].ID}
	}
}
