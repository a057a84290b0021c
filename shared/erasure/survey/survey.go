// Package survey compares the data map with what the stores hold, and keeps what nobody has mapped until somebody has.
//
// It promises one finding for each place, from the look that first saw it to the look that no longer does, and that a
// store which does not answer neither opens nor heals anything. The names of places stay in the database: they may hold
// what a person is called, so records count them and tell them apart by a hash. It maps nothing itself.
package survey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Control is the check under whose name the evidence speaks of places: a request is no better than its map.
const Control = "dsr-desk"

// Every is how often the stores are looked at: listing all their places is not for free.
const Every = time.Hour

// retry is how long a look waits after one in which a store did not answer.
const retry = 10 * time.Minute

const (
	places = "unmapped"  // by hash
	mark   = "_surveyed" // the document that says when all stores were looked at last
	most   = 2_000       // places of one store that are compared
)

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection { return store.Collection{Name: places} }

// Place is a place that nobody has mapped.
type Place struct {
	V       int       `json:"v"`
	Name    string    `json:"name"` // as datamap.Place has it
	Since   time.Time `json:"since"`
	Finding string    `json:"finding"` // id of the record that opened it
}

// Surveyor looks at stores. It is safe for concurrent use.
type Surveyor struct {
	Store    store.Store
	Box      *outbox.Box // of the same database
	Map      *datamap.Map
	Policy   string   // record.Digest of the policy in force
	Promises []string // that requests keep
	Reader   func(ctx context.Context, url string) (erasure.Reader, error)
	Pace     *pace.Pace                                                    // within which the stores are read; nil: as fast as they answer
	Lister   func(ctx context.Context, url string) (erasure.Lister, error) // nil: nobody looks for stores that are not in the map
}

// Open returns the places that nobody has mapped, by name: what the desk shows.
func Open(ctx context.Context, s store.Store) ([]Place, error) {
	var all []Place
	var after *store.Cursor
	for {
		docs, err := s.Query(ctx, store.Query{Collection: places, After: after, Limit: store.MaxQueryResults})
		list, err := store.Find[Place](docs, err)
		if err != nil {
			return nil, err
		}
		for i, p := range list {
			if docs[i].ID != mark {
				all = append(all, p)
			}
		}
		if len(docs) < store.MaxQueryResults {
			slices.SortFunc(all, func(a, b Place) int { return strings.Compare(a.Name, b.Name) })
			return all, nil
		}
		after = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

// Look compares every store with the map, unless that was done within the last hour. An error leaves what is open as it is;
// the stores that answered count.
func (s *Surveyor) Look(ctx context.Context, now time.Time) error {
	var last Place
	if err := s.Store.Get(ctx, places, mark, &last); err == nil && now.Sub(last.Since) < Every && last.Name == s.Map.Digest() {
		return nil
	} else if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	found, silent := map[string][]string{}, error(nil)
	for _, url := range s.Map.Stores() {
		reader, err := s.Reader(ctx, url)
		if err == nil && s.Pace != nil {
			reader = s.Pace.Reader(reader, url)
		}
		if err == nil {
			found[url], err = reader.Places(ctx, most)
		}
		if err != nil {
			delete(found, url)
			silent = err
		}
	}
	stores, err := s.stores(ctx)
	if err != nil {
		silent = err
	}
	unknown := slices.Concat(s.Map.Unmapped(found), s.Map.Strange(stores, now))
	open, err := Open(ctx, s.Store)
	if err != nil {
		return err
	}
	for _, name := range unknown {
		if !slices.ContainsFunc(open, func(p Place) bool { return p.Name == name }) {
			if err := s.opened(ctx, name, now); err != nil {
				return err
			}
		}
	}
	if silent != nil { // what was not looked at is not healed
		return errors.Join(silent, s.looked(ctx, now.Add(retry-Every)))
	}
	for _, p := range open {
		if !slices.Contains(unknown, p.Name) {
			if err := s.healed(ctx, p, now); err != nil {
				return err
			}
		}
	}
	return s.looked(ctx, now)
}

// stores are those that there are, mapped or not: of a project that does not answer, none.
func (s *Surveyor) stores(ctx context.Context) (all []string, silent error) {
	if s.Lister == nil {
		return nil, nil
	}
	for _, url := range s.Map.Around() {
		lister, err := s.Lister(ctx, url)
		if err == nil {
			var some []string
			some, err = lister.Stores(ctx, most)
			all = append(all, some...)
		}
		if err != nil {
			silent = err
		}
	}
	return all, silent
}

// looked notes when all stores were looked at.
func (s *Surveyor) looked(ctx context.Context, at time.Time) error {
	return s.Store.Tx(ctx, func(tx store.Tx) error {
		return tx.Put(places, mark, Place{V: 1, Name: s.Map.Digest(), Since: at.UTC()})
	})
}

func idOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// opened puts a place on record that nobody has mapped.
func (s *Surveyor) opened(ctx context.Context, name string, now time.Time) error {
	id := idOf(name)
	r := s.record(record.Finding, "unmapped "+id+" "+strconv.FormatInt(now.UnixMicro(), 10), now)
	r.Result = record.Result{State: record.Undetermined}
	if s.Map.Strict {
		r.Result.State = record.Broken // no request is completed meanwhile
	}
	r.Facts = map[string]string{"event": "unmapped", "place": id, "map": s.Map.Digest()}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var known Place
		if err := tx.Get(places, id, &known); err == nil {
			return nil
		} else if !fault.Is(err, fault.NotFound) {
			return err
		}
		if err := r.Put(batch); err != nil {
			return err
		}
		return tx.Create(places, id, Place{V: 1, Name: name, Since: now.UTC(), Finding: r.ID()})
	})
}

// healed puts on record that a place is mapped, or gone.
func (s *Surveyor) healed(ctx context.Context, p Place, now time.Time) error {
	id := idOf(p.Name)
	r := s.record(record.Remediation, "mapped "+p.Finding, now)
	r.Result = record.Result{State: record.Kept}
	r.Facts = map[string]string{"event": "mapped", "place": id, "map": s.Map.Digest()}
	r.Refs = []record.Ref{{Rel: "closes", ID: p.Finding}}
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var known Place
		if err := tx.Get(places, id, &known); fault.Is(err, fault.NotFound) || err == nil && known.Finding != p.Finding {
			return nil
		} else if err != nil {
			return err
		}
		if err := r.Put(batch); err != nil {
			return err
		}
		return tx.Delete(places, id)
	})
}

func (s *Surveyor) record(kind record.Kind, event string, now time.Time) record.Record {
	r := record.New(kind, Control, event, s.Promises...)
	r.Config, r.Method = s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	return r
}
