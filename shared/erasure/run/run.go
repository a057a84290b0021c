// Package run is the engine of erasure: it searches the stores of personal data for what is somebody's, erases it page
// by page, and searches again.
//
// # What it promises
//
// A death at any line loses nothing and counts nothing twice: before a page is erased it is written down, sealed, which
// items it holds; whoever goes on afterwards begins with exactly those. A walk goes on where it stood and never from the
// start. Two that are called for the same entry at once do not both walk it; should one wake up late, what it says counts
// no more. An entry that cannot be reached holds up none but those that come after it, and is tried again at growing
// intervals. What is found is judged item by item: kept until its ground is over, left to the store that refuses, or
// erased. What has something inside it that has to stay, stays.
// The end of an account leaves alone what requests of its people hold: those items, or fields, and nothing else of their entries.
//
// From the end of the first run on, an identifier that somebody else may have later finds nothing that was made since.
//
// It says what it found and did, in numbers; an item that an entry recognises in two ways counts once, but where it is not
// certain that both find it.
// Whether that completes a request is decided elsewhere, from a search by an account that cannot erase.
//
// # What it does not do
//
// It does not know who asked, nor why; it sends nothing and writes no evidence.
package run

import (
	"context"
	"io"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Names of the collections of the database "erasure".
const (
	jobs  = "jobs"  // what a request knows of a person, sealed, and what its searches counted
	tasks = "tasks" // how far a walk has come in one step
)

// Collection declares what the control's schema holds for this package. Nothing of it ends by itself: what a law keeps for
// ten years has to be found then, by identifiers that no other place knows any more. Forget ends it.
func Collection() []store.Collection {
	return []store.Collection{{Name: jobs, Indexes: []store.Index{{"request"}, {"list"}}}, {Name: tasks, Indexes: []store.Index{{"request"}}}, pace.Collection()}
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
	// Lister opens what tells which stores there are beside those of the map, as Reader does; nil where nobody asks.
	Lister func(ctx context.Context, url string) (erasure.Lister, error)
	// Suppress puts on record who is being erased, so that a restored backup brings nobody back: the identifiers of hers
	// that nobody else can have, with the role in whose data she is, or none for a whole tenant; and again with datamap.Global of whoever
	// has what is of no tenant erased too. It is called before anything goes, again with each later call
	// of Execute, and not for somebody of whom nothing else is known: Report tells. While it fails, nothing is erased. Nil
	// for nobody who remembers.
	Suppress func(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier, at time.Time) error
	// Names returns what those that Suppress puts on record are called there: by these names Written finds the request while it
	// is open. Nil for nobody who asks.
	Names func(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier) ([]string, error)
	// Disconnect keeps what ends the connections with other providers' accounts that a step is about to erase: without it
	// nobody could end them there any more. It is called before each page of such a step, with the names of those that are
	// to go of all that the step finds; while it fails, and where it is nil, none of them is erased.
	Disconnect func(ctx context.Context, request, tenant string, s datamap.Step, refs []string) error
	// Pace keeps all who ask the stores together within what those bear; nil for one by the map's limit on Store.
	Pace *pace.Pace
}

// Engine carries out jobs. It is safe for concurrent use.
type Engine struct{ Config }

// New returns an engine, or Misconfigured when a part is missing.
func New(c Config) (*Engine, error) {
	if c.Store == nil || c.Keys == nil || c.Random == nil || c.Clock == nil || c.Map == nil || c.Zone == nil || c.Reader == nil {
		return nil, fault.New(fault.Misconfigured, "erasing: store, keys, random bytes, clock, data map, zone and readers are all needed")
	}
	if c.Pace == nil {
		c.Pace = pace.New(c.Store, clock.System{}, c.Map.Limits.RatePerSecond)
	}
	return &Engine{c.within()}, nil
}

// asking opens a store for what is no page of a walk: it waits for its turn, and counts, all the same.
func (e *Engine) asking(ctx context.Context, url string) (erasure.Reader, error) {
	reader, err := e.Reader(ctx, url)
	if err != nil {
		return nil, err
	}
	return e.Pace.Reader(reader, url), nil
}

// ErrLater says that all that is left to do waits: for a store that did not answer, or for somebody else who is at it. To
// call again at once is of no use. It is Transient.
var ErrLater = fault.New(fault.Transient, "erasing: what is left to do waits for a store, or is being done")

// Scope says whose data a job is about.
type Scope string

// The scopes. It is stored nowhere here.
const (
	Person     Scope = "person"     // her data of which the company is controller
	Instructed Scope = "instructed" // her data of which the tenant is, who told us to
	Account    Scope = "account"    // everything of the tenant
)

// role is in whose data a job erases; "" for all of a tenant.
func (j Job) role() datamap.Role {
	return map[Scope]datamap.Role{Person: datamap.Controller, Instructed: datamap.Processor}[j.Scope]
}

// Hold keeps an entry as it is, or fields of it. Where a field cannot be kept without the rest, the item is kept whole.
type Hold struct {
	Entry    string         `json:"entry"`
	Fields   []string       `json:"fields,omitempty"`
	Until    time.Time      `json:"until"` // exclusive
	Ground   request.Ground `json:"ground,omitempty"`
	Citation string         `json:"citation,omitempty"`
}

// Job is one round of the work on a request.
type Job struct {
	Request string // id: letters and digits
	Round   int
	Tenant  string
	Scope   Scope
	IDs     []datamap.Identifier // as the request has them; what is derived from them is kept by the engine
	// Hashed are identifiers given as digests; of which values they are is looked up in the tenant's data.
	Hashed []Hashed
	Holds  []Hold
	// Beside are the jobs of other requests of the tenant that hold something: of Account, which leaves that alone. Besides stands
	// for them: another one when something is held or let go.
	Beside  []Job
	Besides string
	// Global says that she proved herself who she is: what is of no tenant is hers to erase, and nobody else's.
	Global bool
	// Reviewed are items by entry that a person has settled.
	Reviewed map[string]int64
	// Executed is when the first run ever had been through, zero before: what a reusable identifier finds may be somebody
	// else's when it was made later.
	Executed time.Time
	// Ran is when the last run had been through; zero as Executed. Backups forget from then on.
	Ran time.Time
	// Still returns an error when the job counts no more: it is asked before each page. Nil for a job that always does.
	Still func(ctx context.Context) error
}

// bound ties what is sealed to the request and its place.
func (e *Engine) bound(j Job, what string) []byte { return []byte("erasure/" + j.Request + "/" + what) }

// forgetAtOnce is how many documents one transaction of Forget deletes.
const forgetAtOnce = 200

// Forget destroys what the engine keeps of a request: it is closed. It may be called again.
func (e *Engine) Forget(ctx context.Context, request string) error {
	for _, collection := range []string{tasks, jobs} {
		for {
			docs, err := e.Store.Query(ctx, store.Query{Collection: collection, Equal: []store.Field{{Name: "request", Value: request}}, Limit: forgetAtOnce})
			if err != nil {
				return err
			}
			if err := e.drop(ctx, collection, docs); err != nil {
				return err
			}
			if len(docs) < forgetAtOnce {
				break
			}
		}
	}
	return nil
}

func (e *Engine) drop(ctx context.Context, collection string, docs []store.Document) error {
	if len(docs) == 0 {
		return nil
	}
	return e.Store.Tx(ctx, func(tx store.Tx) error {
		for _, d := range docs {
			if err := tx.Delete(collection, d.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
