// Package heartbeat records that checks looked: one run record for each check and quarter of an hour, numbered without
// gaps, so that a check that fell silent, and a record that was held back, both show.
//
// It promises that a quarter of an hour has one record whoever tries, and that the number moves with the record in one
// transaction. It does not look itself: what was seen is the check's own word.
package heartbeat

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const (
	// Interval is how often a check says that it looked.
	Interval = 15 * time.Minute
	// Grace is how long the next word may be late before silence counts.
	Grace = 5 * time.Minute
)

const collection = "heartbeats"

// Collection is where the numbers are kept: it belongs into the schema of each control that beats.
func Collection() store.Collection { return store.Collection{Name: collection} }

// Beat is what one check saw.
type Beat struct {
	Check      string   // the record's control
	Mechanism  string   // whose evidence it is, where it is not the check's own records: see record.Mechanism
	Promises   []string // those it keeps
	Population record.Population
	Result     record.Result     // its state is Unknown where the population is not whole
	Facts      map[string]string // further words
}

// Config is what a Heart needs. Store and Box are of the control's own database.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	Policy string // record.Digest of the policy in force; may be empty
}

// Heart writes run records. It is safe for concurrent use, by several processes too.
type Heart struct {
	Config
	mu     sync.Mutex
	beaten int64 // the quarter this process knows to be recorded
}

// New returns a Heart.
func New(c Config) *Heart { return &Heart{Config: c} }

// count is the last run of one check.
type count struct {
	V       int   `json:"v"`
	Run     int64 `json:"run"`
	Quarter int64 `json:"quarter"` // since 1970
}

// Beat asks look what the checks saw and records it, once in each quarter of an hour; within one that is recorded it
// does nothing. An error, of look or of the store, records nothing: the checks then fall silent, which is the truth.
func (h *Heart) Beat(ctx context.Context, now time.Time, look func(context.Context) ([]Beat, error)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	quarter := now.Unix() / int64(Interval/time.Second)
	if quarter <= h.beaten {
		return nil
	}
	beats, err := look(ctx)
	if err != nil {
		return fmt.Errorf("looking for the record of this quarter of an hour: %w", err)
	}
	err = h.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		counts := make([]count, len(beats)) // a transaction reads before it writes
		for i, b := range beats {
			if err := tx.Get(collection, b.id(), &counts[i]); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		for i, b := range beats {
			if quarter <= counts[i].Quarter { // another instance was first, or the clock went back
				continue
			}
			made := count{1, counts[i].Run + 1, quarter}
			if err := h.record(batch, b, made, now); err != nil {
				return fmt.Errorf("check %s: %w", b.Check, err)
			}
			if err := tx.Put(collection, b.id(), made); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording that the checks looked: %w", err)
	}
	h.beaten = quarter
	return nil
}

// Last is the beginning of the last quarter of an hour in which a check said that it looked; zero for never.
func Last(ctx context.Context, s store.Store, check string) (time.Time, error) {
	var c count
	if err := s.Get(ctx, collection, check, &c); fault.Is(err, fault.NotFound) {
		return time.Time{}, nil
	} else if err != nil {
		return time.Time{}, fmt.Errorf("reading when check %s looked last: %w", check, err)
	}
	return time.Unix(c.Quarter*int64(Interval/time.Second), 0).UTC(), nil
}

// id is where the number of what beats is kept: mechanisms number their runs apart.
func (b Beat) id() string {
	if b.Mechanism == "" {
		return b.Check
	}
	return b.Mechanism + ":" + b.Check
}

func (h *Heart) record(batch *outbox.Batch, b Beat, c count, now time.Time) error {
	begun := time.Unix(c.Quarter*int64(Interval/time.Second), 0).UTC()
	event := fmt.Sprintf("beat %d", c.Quarter)
	if b.Mechanism != "" {
		event = b.Mechanism + " " + event // a check of that name may keep the same promises
	}
	r := record.New(record.Run, b.Check, event, b.Promises...)
	r.Source.Type, r.Source.Observed, r.Source.Collected = "schedule", now, now
	r.Config, r.Method, r.Facts, r.Result, r.Population = h.Policy, record.Test, b.Facts, b.Result, &b.Population
	if b.Mechanism != "" {
		r.Facts = maps.Clone(b.Facts)
		if r.Facts == nil {
			r.Facts = map[string]string{}
		}
		r.Facts[record.Mechanism] = b.Mechanism
	}
	r.Run, r.Window, r.Expires = c.Run, record.Window{From: begun, To: now}, begun.Add(Interval+Grace)
	return r.Put(batch)
}
