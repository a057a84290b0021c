// Package run is the engine of erasure: it searches the stores of personal data for what is somebody's, erases it page
// by page, and searches again.
//
// # What it promises
//
// A death at any line loses nothing and counts nothing twice: before a page is erased it is written down, sealed, which
// items it holds; whoever goes on afterwards begins with exactly those. A walk goes on where it stood and never from the
// start. Two that are called for the same entry at once do not both walk it; should one wake up late, what it says counts
// no more. An entry that cannot be reached holds up none but those that come after it. What is found is judged item by
// item: kept until its ground is over, left to the store that refuses, or erased.
//
// It says what it found and did, in numbers. Whether that completes a request is decided elsewhere, from a search by
// an account that cannot erase.
//
// # What it does not do
//
// It does not know who asked, nor why; it sends nothing and writes no evidence.
package run

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Names of the collections of the database "erasure".
const (
	jobs  = "jobs"  // the identifiers of a request, sealed
	tasks = "tasks" // how far a walk has come in one entry
)

// Collection declares what the control's schema holds for this package. Nothing of it ends by itself: what a law keeps for
// ten years has to be found then, by identifiers that no other place knows any more. Forget ends it.
func Collection() []store.Collection {
	return []store.Collection{{Name: jobs}, {Name: tasks, Indexes: []store.Index{{"request"}}}}
}

// version of the stored shapes.
const version = 1

// Config is what an Engine works with.
type Config struct {
	Store  store.Store
	Keys   seal.Keys // seals identifiers and the names of items
	Random io.Reader
	Clock  clock.Clock
	Map    *datamap.Map
	Zone   *time.Location // of the company: ends are days there
	// Reader opens a store for searching, Eraser for erasing; the engine never closes what they return. Eraser is nil
	// where the account may only read.
	Reader func(ctx context.Context, url string) (erasure.Reader, error)
	Eraser func(ctx context.Context, url string) (erasure.Store, error)
}

// Engine carries out jobs. It is safe for concurrent use.
type Engine struct {
	Config
	pace *pace
}

// New returns an engine, or Misconfigured when a part is missing.
func New(c Config) (*Engine, error) {
	if c.Store == nil || c.Keys == nil || c.Random == nil || c.Clock == nil || c.Map == nil || c.Zone == nil || c.Reader == nil {
		return nil, fault.New(fault.Misconfigured, "erasing: store, keys, random bytes, clock, data map, zone and readers are all needed")
	}
	return &Engine{Config: c, pace: newPace(clock.System{}, c.Map.Limits.RatePerSecond)}, nil
}

// Scope says whose data a job is about.
type Scope string

// The scopes. It is stored nowhere here.
const (
	Person     Scope = "person"     // her data of which the company is controller
	Instructed Scope = "instructed" // her data of which the tenant is, who told us to
	Account    Scope = "account"    // everything of the tenant
)

// Hold keeps an entry as it is.
type Hold struct {
	Entry string
	Until time.Time // exclusive
}

// Job is one round of the work on a request.
type Job struct {
	Request string // id: letters and digits
	Round   int
	Tenant  string
	Scope   Scope
	IDs     []datamap.Identifier // as the request has them; what is derived from them is kept by the engine
	Holds   []Hold
	// Executed is when the first round had been through, zero before: what a reusable identifier finds may be somebody
	// else's when it was made later and the directory knows a person again.
	Executed time.Time
}

// snapshot is what Job's identifiers became when they were looked up: the records that tell them may be gone later.
type snapshot struct {
	V   int           `json:"v"`
	Rev int64         `json:"rev"` // counts the changes
	IDs seal.Envelope `json:"ids"`
}

// identify returns the job's identifiers with those derived from them. The first call looks them up and keeps them, sealed; a
// later one adds what it finds, as a record that told some of them may be erased by then.
func (e *Engine) identify(ctx context.Context, j Job, lookUp bool) ([]datamap.Identifier, error) {
	if j.Scope == Account {
		return nil, nil
	}
	known, rev, err := e.recall(ctx, j)
	if err != nil || !lookUp && len(known) > 0 {
		return known, err
	}
	all, err := e.Map.Resolve(j.Tenant, union(known, j.IDs), func(l datamap.Lookup) ([]string, error) {
		reader, err := e.Reader(ctx, l.Reader)
		if err != nil {
			return nil, err
		}
		return reader.Values(ctx, l.Query, l.Field, erasure.MaxValues)
	})
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return nil, fault.New(fault.Invalid, "keeping identifiers: %w", err)
	}
	defer seal.Wipe(plain)
	sealed, err := seal.Seal(ctx, e.Keys, e.Random, plain, e.bound(j, "ids"))
	if err != nil {
		return nil, err
	}
	return all, e.Store.Tx(ctx, func(tx store.Tx) error {
		var now snapshot
		if err := tx.Get(jobs, j.Request, &now); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if now.Rev != rev {
			// Another looked them up meanwhile, maybe while the records that tell them were still there.
			return fault.New(fault.Transient, "keeping identifiers: somebody else did meanwhile")
		}
		return tx.Put(jobs, j.Request, snapshot{V: version, Rev: rev + 1, IDs: sealed})
	})
}

func (e *Engine) recall(ctx context.Context, j Job) ([]datamap.Identifier, int64, error) {
	var kept snapshot
	if err := e.Store.Get(ctx, jobs, j.Request, &kept); fault.Is(err, fault.NotFound) {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	plain, err := seal.Open(ctx, e.Keys, kept.IDs, e.bound(j, "ids"))
	if err != nil {
		return nil, 0, err
	}
	defer seal.Wipe(plain)
	var ids []datamap.Identifier
	if err := json.Unmarshal(plain, &ids); err != nil {
		return nil, 0, fault.New(fault.Invalid, "reading identifiers: not what was kept")
	}
	return ids, kept.Rev, nil
}

func union(a, b []datamap.Identifier) []datamap.Identifier {
	seen, all := map[datamap.Identifier]bool{}, []datamap.Identifier{}
	for _, list := range [][]datamap.Identifier{a, b} {
		for _, id := range list {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	return all
}

// bound ties what is sealed to the request and its place.
func (e *Engine) bound(j Job, what string) []byte { return []byte("erasure/" + j.Request + "/" + what) }

// steps are the job's, in order.
func (e *Engine) steps(j Job, ids []datamap.Identifier) ([]datamap.Step, error) {
	switch j.Scope {
	case Account:
		return e.Map.Close(j.Tenant)
	case Instructed:
		return e.Map.Instruct(j.Tenant, ids)
	case Person:
		return e.Map.Compile(j.Tenant, ids)
	}
	return nil, fault.New(fault.Invalid, "erasing: a job of no known scope")
}

// forgetAtOnce is how many documents one transaction of Forget deletes.
const forgetAtOnce = 200

// Forget destroys what the engine keeps of a request: it is closed. It may be called again.
func (e *Engine) Forget(ctx context.Context, request string) error {
	for {
		docs, err := e.Store.Query(ctx, store.Query{Collection: tasks, Equal: []store.Field{{Name: "request", Value: request}}, Limit: forgetAtOnce})
		if err != nil {
			return err
		}
		if err := e.Store.Tx(ctx, func(tx store.Tx) error {
			for _, d := range docs {
				if err := tx.Delete(tasks, d.ID); err != nil {
					return err
				}
			}
			return tx.Delete(jobs, request)
		}); err != nil || len(docs) < forgetAtOnce {
			return err
		}
	}
}
