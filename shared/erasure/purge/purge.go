// Package purge erases by age what the data map's rules of retention say: once a day, each rule in each tenant's data; and,
// as the map says, what is kept of people who worked here once they have left.
//
// It promises that the first pass by a map that has changed erases nothing and counts what it would; that nothing of an entry
// on which two people hold something is erased in that tenant, from half a minute after on; that a death at any line loses
// nothing and counts nothing twice; that what is younger than the rule says, of another tenant, or held by its store
// stays; and that what is of another tenant opens a finding, and an alarm each day, until a pass meets none of it. It does not promise that a rule is right: whoever writes one answers for the period.
package purge

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Control is the check under whose name the evidence speaks of retention.
const Control = "retention-sweep"

// Cadence is how old the last pass of a rule may be while its promise is kept: a pass a day, and a day for it to fail.
const Cadence = 48 * time.Hour

const passes = "purges" // how far a rule has come in one tenant's data

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection { return store.Collection{Name: passes} }

// Config is what a Sweeper works with. Keys and Eraser may be nil for Look alone.
type Config struct {
	Store    store.Store
	Box      *outbox.Box // of the same database
	Keys     seal.Keys   // seals the names of items
	Random   io.Reader
	Clock    clock.Clock
	Map      *datamap.Map
	Tenants  []string
	Zone     *time.Location // of the company: a pass belongs to a day there
	Policy   string         // record.Digest of the policy in force
	Promises []string       // that retention keeps
	People   []policy.Person
	// Forget makes worthless what evidence keeps of somebody who left, and reports whether there was anything. Nil: nobody
	// asks for it. It may be called again.
	Forget func(ctx context.Context, p policy.Person, now time.Time) (bool, error)
	// Eraser opens a store of the map for erasing; it is never closed here.
	Eraser func(ctx context.Context, url string) (erasure.Store, error)
	// Alarm tells the people who look after requests where a pass met what is another tenant's; nil: the evidence alone does.
	Alarm *request.Alarm
	// Held returns the entries of each tenant on which something is held now.
	Held func(ctx context.Context) (map[string][]string, error)
	// Lengthen has the ledger of who was erased keep its entries as long as the longest backup is kept, Longest. It is called once
	// for each length, and again after an error. Nil where nobody keeps one.
	Lengthen func(ctx context.Context, keep time.Duration) error
	Longest  time.Duration
	// Pace keeps all who ask the stores together within what those bear; nil for as fast as it goes.
	Pace *pace.Pace
}

// Sweeper carries out the rules. It is safe for concurrent use, by several processes too.
type Sweeper struct{ Config }

// New returns a Sweeper, or Misconfigured when a part is missing.
func New(c Config) (*Sweeper, error) {
	if c.Store == nil || c.Box == nil || c.Clock == nil || c.Map == nil || c.Zone == nil || c.Held == nil {
		return nil, fault.New(fault.Misconfigured, "erasing by age: store, outbox, clock, data map, zone and holds are all needed")
	}
	return &Sweeper{c}, nil
}

// pass is one pass of a rule over one tenant's data, as it is stored. Its id is the rule's and the tenant's.
type pass struct {
	V      int            `json:"v"`
	Rule   string         `json:"rule"`
	Tenant string         `json:"tenant"`
	Map    string         `json:"map"`           // digest of the map it goes by
	Day    string         `json:"day"`           // the local day it began on
	Dry    bool           `json:"dry,omitempty"` // it counts and erases nothing
	At     *seal.Envelope `json:"at,omitempty"`  // position
	Count  Count          `json:"count"`
	Done   bool           `json:"done"`
	Why    string         `json:"why,omitempty"` // a word: why it was given up
	Tries  int            `json:"tries,omitempty"`
	Last   time.Time      `json:"last,omitzero"` // end of the last pass that was through and erased
	// Finding is the open record of what is another tenant's: from the pass that first met it to the one that meets none.
	Finding string `json:"finding,omitempty"`
	Fence   int64  `json:"fence"`
	Until   int64  `json:"until,omitempty"` // of the lease, in microseconds since 1970
	entry   string // that the rule is about
}

// Count is what became of the items a pass saw.
type Count struct {
	Due        int64 `json:"due"` // old enough
	Erased     int64 `json:"erased,omitempty"`
	Anonymised int64 `json:"anonymised,omitempty"`
	Gone       int64 `json:"gone,omitempty"`    // somebody else was first
	Foreign    int64 `json:"foreign,omitempty"` // of another tenant, or none: not touched
	Held       int64 `json:"held,omitempty"`    // by the store, or by two people
}

// position is where a pass stands. Items are those of the page being erased; they are on record before the first goes.
type position struct {
	Cursor  string         `json:"cursor"`
	Next    string         `json:"next,omitempty"`
	Items   []erasure.Item `json:"items,omitempty"`
	resumed bool           // somebody else may have begun with Items
	key     *seal.DataKey  // seals it
}

const (
	version   = 1
	lease     = 2 * time.Minute // how long a pass has its rule for itself after each page
	mostTries = 5               // of a store that does not answer, each call counting once
)

func passID(rule, tenant string) string { return rule + "." + tenant }

// Run carries on with every pass of today until the time is over. Not done, it is called again. A rule that fails holds up
// no other; its error is told in its record.
func (s *Sweeper) Run(ctx context.Context, until time.Time) (done bool, err error) {
	if s.Keys == nil || s.Random == nil || s.Eraser == nil {
		return false, fault.New(fault.Misconfigured, "erasing by age: this account only reads")
	}
	late := s.lengthen(ctx) // which holds up nothing
	done, err = s.remembering().run(ctx, until)
	return done && late == nil, errors.Join(err, late)
}

func (s *Sweeper) run(ctx context.Context, until time.Time) (done bool, err error) {
	done = true
	current := map[string]bool{}
	for _, tenant := range s.Tenants {
		sweeps, err := s.Map.Sweeps(tenant, s.Clock.Now())
		if err != nil {
			return false, err
		}
		for _, one := range sweeps {
			if s.elsewhere(one, tenant) {
				continue
			}
			current[passID(one.Rule.ID, tenant)] = true
			through, err := s.sweep(ctx, one, tenant, until)
			if err != nil {
				return false, err
			}
			done = done && through
		}
	}
	left, err := s.leavers(ctx, until, current)
	if done = done && left; err != nil || !done {
		return false, err
	}
	return true, s.dropped(ctx, current)
}

// heldFor is how long what is held is taken for known within a run: to know it all open requests are read.
const heldFor = 30 * time.Second

// remembering is the Sweeper for one run, which does not ask what is held at each page anew.
func (s *Sweeper) remembering() *Sweeper {
	var known map[string][]string
	var read time.Time
	one := *s
	one.Held = func(ctx context.Context) (map[string][]string, error) {
		now := s.Clock.Now()
		if known != nil && now.Before(read.Add(heldFor)) {
			return known, nil
		}
		held, err := s.Held(ctx)
		if err != nil {
			return nil, err
		}
		if known, read = held, now; known == nil {
			known = map[string][]string{}
		}
		return known, nil
	}
	return &one
}

// elsewhere reports whether a rule is another tenant's to carry out: what belongs to none is swept once.
func (s *Sweeper) elsewhere(one datamap.Sweep, tenant string) bool {
	return one.Global && tenant != s.Tenants[0]
}

// Look says how retention stands, for the record of this quarter of an hour: the rules that should have been carried out in
// each tenant's data, and those that were. No rules, no word.
func (s *Sweeper) Look(ctx context.Context, now time.Time) ([]heartbeat.Beat, error) {
	left, err := s.leaving(now)
	if err != nil {
		return nil, err
	}
	if len(s.Map.Retention) == 0 && len(left) == 0 {
		return nil, nil
	}
	stored, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	beat := heartbeat.Beat{Check: Control, Promises: s.Promises, Result: record.Result{State: record.Kept, Metric: "oldest_pass_h", Op: "<=", Limit: int64(Cadence / time.Hour)}}
	look := func(one datamap.Sweep, tenant string) {
		beat.Population.Expected++
		p := stored[passID(one.Rule.ID, tenant)]
		if p.Last.IsZero() {
			return // only counted so far: nobody can say that it is kept
		}
		beat.Population.Seen++
		age := now.Sub(p.Last)
		if beat.Result.Value = max(beat.Result.Value, int64(age/time.Hour)); age > Cadence {
			beat.Result.State = record.Broken
		}
	}
	for _, tenant := range s.Tenants {
		sweeps, err := s.Map.Sweeps(tenant, now)
		if err != nil {
			return nil, err
		}
		for _, one := range sweeps {
			if !s.elsewhere(one, tenant) {
				look(one, tenant)
			}
		}
	}
	for _, one := range left {
		look(one, staff)
	}
	return []heartbeat.Beat{beat}, nil
}

func (s *Sweeper) all(ctx context.Context) (map[string]pass, error) {
	all := map[string]pass{}
	var after *store.Cursor
	for {
		docs, err := s.Store.Query(ctx, store.Query{Collection: passes, After: after, Limit: store.MaxQueryResults})
		list, err := store.Find[pass](docs, err)
		if err != nil {
			return nil, err
		}
		for i, d := range docs {
			all[d.ID] = list[i]
		}
		if len(docs) < store.MaxQueryResults {
			return all, nil
		}
		after = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

// today is the local day a pass belongs to.
func (s *Sweeper) today() string { return calendar.Date(s.Clock.Now(), s.Zone).String() }

// isHeld reports whether something of what a sweep takes, or of what lies inside it, is held in a tenant's data.
func (s *Sweeper) isHeld(ctx context.Context, tenant string, one datamap.Sweep) (bool, error) {
	held, err := s.Held(ctx)
	if tenant == staff { // what belongs to no tenant is held in whosever request it is
		held = map[string][]string{staff: slices.Concat(slices.Collect(maps.Values(held))...)}
	}
	return slices.ContainsFunc(held[tenant], func(entry string) bool { return entry == one.Entry.ID || slices.Contains(one.Within, entry) }), err
}
