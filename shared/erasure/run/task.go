package run

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Count is what became of the items of one entry, over all its pages.
type Count struct {
	Found      int64     `json:"found"`            // items seen, each time a walk came by
	Erased     int64     `json:"erased,omitempty"` // deleted
	Anonymised int64     `json:"anonymised,omitempty"`
	Gone       int64     `json:"gone,omitempty"`    // somebody else was first
	Clean      int64     `json:"clean,omitempty"`   // anonymised before
	Kept       int64     `json:"kept,omitempty"`    // by the entry's ground, or a hold
	Held       int64     `json:"held,omitempty"`    // the store refuses
	Foreign    int64     `json:"foreign,omitempty"` // of another tenant, or of none: never touched
	Review     int64     `json:"review,omitempty"`  // a person has to look at
	Left       int64     `json:"left,omitempty"`    // to be erased
	Until      time.Time `json:"until,omitzero"`    // latest end of what is kept or held
	NoEnd      bool      `json:"no_end,omitempty"`  // something is kept, and nobody can tell until when
}

// until notes an end.
func (c *Count) until(t time.Time) {
	if t.After(c.Until) {
		c.Until = t.UTC()
	}
}

// task is one walk through one entry, as it is stored.
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
	Why     string         `json:"why,omitempty"` // a word: why it was given up
	Tries   int            `json:"tries,omitempty"`
	Fence   int64          `json:"fence"`
	Until   int64          `json:"until,omitempty"` // of the lease, in microseconds since 1970
}

// position is where a walk stands. Items are those of the page being erased; they are on record before the first of them
// goes.
type position struct {
	Cursor string         `json:"cursor"`
	Next   string         `json:"next,omitempty"`
	Items  []erasure.Item `json:"items,omitempty"`
	Over   bool           `json:"over,omitempty"` // the page is of what is retained no longer
	// resumed says that somebody else may have begun with Items: those that are gone are this request's work.
	resumed bool
}

// lease is how long a walk has its entry for itself after each page.
const lease = 2 * time.Minute

// busy says that somebody else walks the entry now.
var errBusy = fault.New(fault.Transient, "walking an entry: somebody else does")

func taskID(j Job, phase, entry string) string {
	return j.Request + "." + strconv.Itoa(j.Round) + "." + phase + "." + entry
}

// take begins or goes on with a walk, under a lease with a new fence.
func (w *walk) take(ctx context.Context, entry string) (t task, err error) {
	id := taskID(w.job, w.phase, entry)
	err = w.Store.Tx(ctx, func(tx store.Tx) error {
		now := w.Clock.Now()
		t = task{V: version, Request: w.job.Request, Round: w.job.Round, Phase: w.phase, Entry: entry}
		if err := tx.Get(tasks, id, &t); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if t.Done {
			return nil
		}
		if t.Until > now.UnixMicro() {
			return errBusy
		}
		t.Fence, t.Until = max(now.UnixMicro(), t.Fence+1), now.Add(lease).UnixMicro()
		return tx.Put(tasks, id, t)
	})
	return t, err
}

// save puts the walk's progress on record, if it is still ours.
func (w *walk) save(ctx context.Context, t *task, p position, release bool) error {
	next := *t
	next.At = nil
	if !next.Done {
		sealed, err := w.seal(p)
		if err != nil {
			return err
		}
		next.At = &sealed
	}
	err := w.Store.Tx(ctx, func(tx store.Tx) error {
		var now task
		id := taskID(w.job, w.phase, t.Entry)
		if err := tx.Get(tasks, id, &now); err != nil {
			return err
		}
		if now.Fence != t.Fence {
			return errBusy
		}
		next.Until = w.Clock.Now().Add(lease).UnixMicro()
		if release || next.Done {
			next.Until = 0
		}
		return tx.Put(tasks, id, next)
	})
	if err == nil {
		*t = next
	}
	return err
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
