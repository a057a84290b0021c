package watchdog

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"time"

	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// door is what was seen at one target.
type door struct {
	V    int                        `json:"v"`
	Seen map[netip.Prefix]time.Time `json:"seen"`          // without a holder, since when
	Copy time.Time                  `json:"copy,omitzero"` // of which copy Since speaks
	// Since is when an entry of which that copy says nothing was first seen: one that is not in it, or that was gone in the
	// meantime and came back. Zero while it is gone.
	Since   map[netip.Prefix]time.Time `json:"since,omitempty"`
	Finding string                     `json:"finding,omitempty"` // id of the record that says so, until it is put right
}

// remember keeps since when entries stand without a holder, and returns those that have for too long. The first look at which
// there are any is a finding. It writes nothing when nothing changed.
func (d *Dog) remember(ctx context.Context, t allowlist.Target, known ends, seen []netip.Prefix, now time.Time) (late []netip.Prefix, err error) {
	kept, err := d.door(ctx, t)
	if err != nil {
		return nil, err
	}
	since := known.since(kept, seen, now)
	next := map[netip.Prefix]time.Time{}
	for _, p := range seen {
		if known.held(p, since, d.Sites, now) {
			continue
		}
		if next[p] = kept.Seen[p]; next[p].IsZero() {
			next[p] = now
		}
		if now.Sub(next[p]) >= Grace {
			late = append(late, p)
		}
	}
	finding := len(late) > 0 && kept.Finding == ""
	if len(late) == 0 && kept.Finding != "" { // somebody else has taken away what was found
		return nil, d.done(ctx, t, known, nil, now)
	}
	if !finding && maps.EqualFunc(next, kept.Seen, time.Time.Equal) && maps.EqualFunc(since, kept.Since, time.Time.Equal) {
		return late, nil
	}
	tell := finding && d.Tell != nil
	if tell && d.Ready != nil {
		if err := d.Ready(ctx); err != nil { // the door is not left open because nobody can be told
			d.Log.ErrorContext(ctx, "telling that a door lets in too much", "error", err)
			tell = false
		}
	}
	return late, d.edit(ctx, t, func(kept *door, b *outbox.Batch) error {
		kept.Seen, kept.Since, kept.Copy = next, since, known.At
		if !finding {
			return nil
		}
		e := d.entry(record.Finding, t, "late", record.Violation, len(late), now)
		kept.Finding = e.ID()
		if err := e.Put(b); err != nil || !tell {
			return err
		}
		return d.Tell(b, allowlist.Notice{Key: e.ID(), Target: t.Name(), Found: now, Late: len(late)})
	})
}

// done records what was seen gone. Judged by a copy, what comes back after that is of somebody of whom the copy knows nothing: it
// is not taken away again for what the copy says.
func (d *Dog) done(ctx context.Context, t allowlist.Target, known ends, late []netip.Prefix, now time.Time) error {
	return d.edit(ctx, t, func(kept *door, b *outbox.Batch) error {
		for _, p := range late {
			delete(kept.Seen, p)
			if !now.Equal(known.At) {
				if kept.Since == nil {
					kept.Since = map[netip.Prefix]time.Time{}
				}
				kept.Since[p] = time.Time{}
			}
		}
		e := d.entry(record.Remediation, t, "removed", record.Pass, len(late), now)
		if kept.Finding != "" {
			e.Refs = []record.Ref{{Rel: "closes", ID: kept.Finding}}
		}
		kept.Finding = ""
		return e.Put(b)
	})
}

func (d *Dog) door(ctx context.Context, t allowlist.Target) (door, error) {
	var kept door
	if err := d.Store.Get(ctx, copies, t.Name(), &kept); err != nil && !fault.Is(err, fault.NotFound) {
		return kept, fmt.Errorf("reading what was seen before: %w", err)
	}
	return kept, nil
}

func (d *Dog) edit(ctx context.Context, t allowlist.Target, fn func(kept *door, b *outbox.Batch) error) error {
	return d.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		kept := door{}
		if err := tx.Get(copies, t.Name(), &kept); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading what was seen before: %w", err)
		}
		kept.V = 1
		if kept.Seen == nil {
			kept.Seen = map[netip.Prefix]time.Time{}
		}
		if err := fn(&kept, b); err != nil {
			return err
		}
		return tx.Put(copies, t.Name(), kept)
	})
}

// entry begins a record about one door. It counts entries and names none.
func (d *Dog) entry(kind record.Kind, t allowlist.Target, event string, state record.State, entries int, now time.Time) record.Record {
	e := record.New(kind, "ip-allowlist", fmt.Sprintf("watchdog %s %d #%s", t.Name(), now.UnixMicro(), event), d.Promises...)
	e.Config, e.Method, e.Result = d.Policy, record.Test, record.Result{State: state}
	e.Source.Type, e.Source.Observed, e.Source.Collected = "watchdog", now, now
	e.Facts = map[string]string{"event": event, "target": t.Name(), "entries": strconv.Itoa(entries)}
	return e
}
