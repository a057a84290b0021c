package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Known is somebody whom a restored database knows.
type Known struct {
	Subject
	Created time.Time // zero where it cannot be told
}

// People lists whom a restored database knows, page by page: "" is the first cursor, and the one behind the last page.
// Somebody whose id cannot be read is listed with an empty one.
type People interface {
	Page(ctx context.Context, cursor string) (people []Known, next string, err error)
}

// Again is somebody who has to be erased again.
type Again struct {
	Subject
	// Before is when she was erased: what was made later is not hers, or is of a new account.
	Before time.Time
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
// came after. The ledger is held in memory, some 200 bytes an entry; the people are not. It may be run again: what was
// erased again is no longer listed. Errors: Invalid (no taken), Misconfigured (an entry was altered, or the key of one is
// missing: nobody may rely on the rest), those of people and of each, which end it.
func (l *Ledger) Replay(ctx context.Context, people People, taken time.Time, each func(context.Context, Again) error) (Summary, error) {
	var sum Summary
	if taken.IsZero() {
		return sum, fault.New(fault.Invalid, "replaying the ledger: when the backup was made is not known")
	}
	erased, err := l.load(ctx)
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
			again, found := l.judge(erased, known, taken, &sum)
			if !found {
				continue
			}
			if err := each(ctx, again); err != nil {
				return sum, err
			}
		}
		if next == "" {
			return sum, nil
		}
		cursor = next
	}
}

// judge looks somebody up and counts the answer.
func (l *Ledger) judge(erased map[string]int64, known Known, taken time.Time, sum *Summary) (Again, bool) {
	var at int64
	for _, k := range l.keys {
		at = max(at, erased[k.name(known.Subject)])
	}
	again := Again{Subject: known.Subject, Before: time.UnixMicro(at).UTC()}
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

// load reads the whole ledger: the time of each entry by its name.
func (l *Ledger) load(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	q := store.Query{Collection: entries, Limit: store.MaxQueryResults}
	for {
		found, err := l.store.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, doc := range found {
			var e entry
			if err := doc.Decode(&e); err != nil {
				return nil, err
			}
			i := slices.IndexFunc(l.keys, func(k Key) bool { return k.Version == e.Key })
			if i < 0 {
				return nil, fault.New(fault.Misconfigured, "reading the ledger: the key of an entry is missing; give every version that InUse knows")
			}
			if err := l.keys[i].check(doc.ID, e); err != nil {
				return nil, err
			}
			all[doc.ID] = e.Deleted
		}
		if len(found) < q.Limit {
			return all, nil
		}
		q.After = &store.Cursor{ID: found[len(found)-1].ID}
	}
}

// Directory lists the people of one tenant by the entry of the data map that tells who exists.
type Directory struct {
	Reader erasure.Reader
	Query  erasure.Query // of the entry, bound to the tenant; its Match, Action and Changes do not count
	Kind   string        // of the ids
	// Field holds somebody's id; "" where the last segment of the item's name is the id, as in users/{uid}.
	Field string
}

// Page implements People. Errors as of erasure.Reader. With Field it reads each item once more.
func (d Directory) Page(ctx context.Context, cursor string) ([]Known, string, error) {
	q := d.Query
	q.Match, q.Action, q.Changes, q.Descend = erasure.Match{Kind: erasure.MatchTenant}, "", nil, false
	page, err := d.Reader.Find(ctx, q, cursor, erasure.MaxPage)
	if err != nil {
		return nil, "", err
	}
	var people []Known
	for _, item := range page.Items {
		ids, err := d.ids(ctx, q, item)
		if err != nil {
			return nil, "", err
		}
		for _, id := range ids {
			people = append(people, Known{Subject{q.Tenant.ID, d.Kind, id}, item.Created})
		}
	}
	return people, page.Next, nil
}

// ids are what one item's person is called: one empty id where that cannot be read.
func (d Directory) ids(ctx context.Context, q erasure.Query, item erasure.Item) ([]string, error) {
	if d.Field == "" {
		return []string{item.Ref[strings.LastIndexByte(item.Ref, '/')+1:]}, nil
	}
	q.Match = erasure.Match{Kind: erasure.MatchDocument, Values: []string{item.Ref}}
	ids, err := d.Reader.Values(ctx, q, d.Field, erasure.MaxValues)
	if err == nil && len(ids) == 0 {
		ids = []string{""}
	}
	return ids, err
}
