package run

import (
	"context"
	"encoding/json"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Count is what became of the items of one entry, over all its pages.
type Count struct {
	Found      int64     `json:"found"`            // items of the tenant, each time a walk came by
	Erased     int64     `json:"erased,omitempty"` // deleted
	Anonymised int64     `json:"anonymised,omitempty"`
	Sought     int64     `json:"sought,omitempty"`  // of Anonymised: looked at again behind the change
	Stood      int64     `json:"stood,omitempty"`   // of Sought: in their place
	Same       int64     `json:"same,omitempty"`    // of Stood: in the group that the change makes of theirs
	Moved      int64     `json:"moved,omitempty"`   // of Stood: in another
	Gone       int64     `json:"gone,omitempty"`    // somebody else was first
	Clean      int64     `json:"clean,omitempty"`   // anonymised before
	Kept       int64     `json:"kept,omitempty"`    // by the entry's ground, or a hold
	Named      int64     `json:"named,omitempty"`   // of Kept: for what another request holds, where names tell what lies in what
	Held       int64     `json:"held,omitempty"`    // the store refuses
	Foreign    int64     `json:"foreign,omitempty"` // of another tenant, or of none: never touched
	Stray      int64     `json:"stray,omitempty"`   // of Foreign: of no tenant, or of another only when it was to go
	Review     int64     `json:"review,omitempty"`  // a person has to look at
	Set        string    `json:"set,omitempty"`     // of Review: a sum over the names of these items, keyed for the request
	Left       int64     `json:"left,omitempty"`    // to be erased
	Until      time.Time `json:"until,omitzero"`    // latest end of what is kept or held
	First      time.Time `json:"first,omitzero"`    // earliest end
	Freed      time.Time `json:"freed,omitzero"`    // latest known end of what the store holds, and of nothing else
	NoEnd      bool      `json:"no_end,omitempty"`  // something is kept, and nobody can tell until when
}

// task is one walk through one step, as it is stored.
type task struct {
	V       int            `json:"v"`
	Request string         `json:"request"`
	Round   int            `json:"round"`
	Phase   string         `json:"phase"`
	Entry   string         `json:"entry"`
	At      *seal.Envelope `json:"at,omitempty"` // position
	Count   Count          `json:"count"`
	Walks   int            `json:"walks"`           // finished
	Dirty   bool           `json:"dirty,omitempty"` // something was written meanwhile: the walk is made again
	Done    bool           `json:"done"`
	Why     string         `json:"why,omitempty"`   // a word: why it was given up
	Small   bool           `json:"small,omitempty"` // what was anonymised stands alone
	Tries   int            `json:"tries,omitempty"`
	Not     int64          `json:"not,omitempty"` // not before, in microseconds since 1970
	Fence   int64          `json:"fence"`
	Until   int64          `json:"until,omitempty"` // of the lease, in microseconds since 1970

	id    string
	mine  *theirs // what it is for, where another request holds that
	waits bool    // for its store, another entry, or another that walks it
}

// position is where a walk stands. Items are those of the page being erased; they are on record before the first of them
// goes.
type position struct {
	Cursor string         `json:"cursor"`
	Next   string         `json:"next,omitempty"`
	Items  []erasure.Item `json:"items,omitempty"`
	Over   bool           `json:"over,omitempty"`   // the page is of what is retained no longer
	Groups []string       `json:"groups,omitempty"` // of Items, in their order; none where nobody can tell
	Seek   []sought       `json:"seek,omitempty"`   // of the page, done with, and not looked at again yet
	// Left are items that an earlier round had on record when it was given up: what of them is not found is its work.
	Left  []string `json:"left,omitempty"`
	Names []string `json:"names,omitempty"` // of places that nobody has mapped: all that is kept of a walk that is done
	// resumed says that somebody else may have begun with Items: those that are gone are this request's work.
	resumed bool
}

// lease is how long a walk has its entry for itself after each page.
const lease = 2 * time.Minute

// Why a step is not taken now.
var (
	errBusy  = fault.New(fault.Transient, "walking an entry: somebody else does")
	errWaits = fault.New(fault.Transient, "walking an entry: its store is left alone for a while")
)

func taskID(j Job, phase, step string) string { return phaseID(j, phase) + "." + step }

// take begins or goes on with a walk, under a lease with a new fence.
func (w *walk) take(ctx context.Context, s *step) (t task, err error) {
	id := taskID(w.job, w.phase, s.ID)
	if err := w.Store.Get(ctx, tasks, id, &t); err != nil && !fault.Is(err, fault.NotFound) {
		return t, err
	}
	if t.Done { // for good
		t.id = id
		return t, nil
	}
	err = w.Store.Tx(ctx, func(tx store.Tx) error {
		now := w.Clock.Now()
		t = task{V: version, Request: w.job.Request, Round: w.job.Round, Phase: w.phase, Entry: s.Entry.ID}
		if err := tx.Get(tasks, id, &t); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if t.Done {
			return nil
		}
		if t.Until > now.UnixMicro() {
			return errBusy
		}
		if t.Not > now.UnixMicro() {
			return errWaits
		}
		t.Fence, t.Until = max(now.UnixMicro(), t.Fence+1), now.Add(lease).UnixMicro()
		return tx.Put(tasks, id, t)
	})
	t.id = id
	return t, err
}

// save puts the walk's progress on record, and documents with it, if it is still ours.
func (w *walk) save(ctx context.Context, t *task, p position, release bool, with ...kept) error {
	next := *t
	next.At = nil
	if !next.Done && p.begun() || len(p.Names) > 0 {
		sealed, err := w.seal(p)
		if err != nil {
			return err
		}
		next.At = &sealed
	}
	err := w.Store.Tx(ctx, func(tx store.Tx) error {
		var now task
		if err := tx.Get(tasks, t.id, &now); err != nil {
			return err
		}
		if now.Fence != t.Fence {
			return errBusy
		}
		next.Until = w.Clock.Now().Add(lease).UnixMicro()
		if release || next.Done {
			next.Until = 0
		}
		for _, k := range with {
			if err := tx.Put(jobs, k.id, k.doc); err != nil {
				return err
			}
		}
		return tx.Put(tasks, t.id, next)
	})
	if err == nil {
		*t = next
	}
	return err
}

func (p position) begun() bool {
	return p.Cursor != "" || p.Next != "" || len(p.Items)+len(p.Seek)+len(p.Left) > 0
}

func (w *walk) seal(p position) (seal.Envelope, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return seal.Envelope{}, fault.New(fault.Invalid, "keeping the place of a walk: %w", err)
	}
	defer seal.Wipe(plain)
	return w.key.Seal(w.Random, plain)
}

func (w *walk) position(ctx context.Context, t task) (p position, err error) {
	if t.At == nil {
		return p, nil
	}
	plain, err := seal.Open(ctx, w.Keys, *t.At, w.bound(w.job, w.phase))
	if err != nil {
		return p, err
	}
	defer seal.Wipe(plain)
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fault.New(fault.Invalid, "reading the place of a walk: not what was kept")
	}
	p.resumed = true
	return p, nil
}
