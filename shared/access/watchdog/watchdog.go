// Package watchdog takes away what a door still lets in although nobody holds it any more, where whoever should do so does
// not: its process is dead, or its store, or it may not.
//
// # What it promises
//
// It only ever takes away. It keeps a copy, in a store of its own, of when each registration ends, so that it goes on where the
// leases cannot be read: an entry goes at the end known of it, and one nobody knows when the longest registration would be over. What
// it does not know for certain stays for now: an entry is taken away only when it was seen without a holder for some minutes,
// since whoever registers at this moment may be at the door before she is in what was read. What it found and what it did are
// recorded apart; killed anywhere, the next look goes on.
//
// # What it does not do
//
// It adds nothing, puts nothing back that was changed by hand, and cuts no connection. It sees addresses and not people: somebody
// whose access was ended early stays where another still holds her address, until that door ends it by itself. Without any knowledge, no lease and no
// copy, it touches nothing and says so.
package watchdog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/allowlist"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const (
	// Grace is how long an entry may stand without a holder before it is taken away: whoever keeps the doors comes by each
	// minute, and tries again within one.
	Grace = 3 * time.Minute
	// Longest is how long any registration lasts at most: the day on which clocks go back.
	Longest = 25 * time.Hour

	renewed   = 15 * time.Minute // the copy is written anew after it, even when nothing changed
	readLimit = 20 * time.Second
	doorLimit = 40 * time.Second
)

const copies = "copies"

// Collection declares what the watchdog remembers: the ends of registrations, and what it saw at each door.
func Collection() []store.Collection { return []store.Collection{{Name: copies}} }

// ends is the copy: until when each prefix is held.
type ends struct {
	V    int                        `json:"v"`
	At   time.Time                  `json:"at"` // when the leases were read
	Ends map[netip.Prefix]time.Time `json:"ends"`
}

const endsDocument = "=ends" // no target has such a name

// Config is what a Dog needs. Store and Box are its own; the leases it only reads.
type Config struct {
	Store   store.Store
	Box     *outbox.Box
	Leases  func(ctx context.Context) ([]lease.Lease, error) // all that are open
	Sites   []access.Fixed
	Targets []allowlist.Target
	// Tell has people told; nil: nobody is. It does no I/O; Ready is called before, outside of any transaction.
	Tell     func(b *outbox.Batch, n allowlist.Notice) error
	Ready    func(ctx context.Context) error
	Promises []string
	Policy   string // record.Digest of the policy in force
	Log      *slog.Logger
}

// Dog watches the doors. It is safe for concurrent use.
type Dog struct {
	Config
	mu sync.Mutex
}

// New returns a Dog. Misconfigured: a part is missing.
func New(c Config) (*Dog, error) {
	if c.Store == nil || c.Box == nil || c.Leases == nil {
		return nil, fault.New(fault.Misconfigured, "watchdog: store, outbox and leases are all needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Dog{Config: c}, nil
}

// Report is what a look found and did.
type Report struct {
	Blind   bool // the leases could not be read: judged by the copy
	Late    int  // entries that stood too long without a holder, at all doors
	Removed int  // of them, those seen gone
}

// Look looks at every door once. An error names the doors that could not be looked at or still let in what they should not; the
// others were looked at.
func (d *Dog) Look(ctx context.Context, now time.Time) (Report, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var report Report
	known, err := d.known(ctx, now, &report)
	if err != nil {
		return report, err
	}
	var failed []error
	for _, t := range d.Targets {
		if err := d.look(ctx, t, known, now, &report); err != nil {
			failed = append(failed, fmt.Errorf("target %s: %w", t.Name(), err))
		}
	}
	return report, errors.Join(failed...)
}

// known returns until when each prefix is held, from the leases, or else from the copy. Transient: there is neither.
func (d *Dog) known(ctx context.Context, now time.Time, report *Report) (ends, error) {
	reading, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	leases, err := d.Leases(reading)
	if err == nil {
		fresh := ends{V: 1, At: now, Ends: map[netip.Prefix]time.Time{}}
		for _, e := range allowlist.Desired(leases, nil, now).Entries() {
			fresh.Ends[e.Prefix] = e.Until
		}
		d.keep(ctx, fresh)
		return fresh, nil
	}
	report.Blind = true
	d.Log.WarnContext(ctx, "the leases cannot be read; judging by the copy", "error", err)
	var kept ends
	if unread := d.Store.Get(ctx, copies, endsDocument, &kept); unread != nil {
		return ends{}, fault.New(fault.Transient, "watching the doors: neither the leases nor a copy of their ends can be read: %w", errors.Join(err, unread))
	}
	return kept, nil
}

// keep writes the copy when it says something new, or grows old. Where that fails the look goes on with what was read: the next
// one tries again.
func (d *Dog) keep(ctx context.Context, fresh ends) {
	var kept ends
	err := d.Store.Get(ctx, copies, endsDocument, &kept)
	if err == nil && maps.EqualFunc(kept.Ends, fresh.Ends, time.Time.Equal) && fresh.At.Sub(kept.At) < renewed {
		return
	}
	if err == nil || fault.Is(err, fault.NotFound) {
		err = d.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(copies, endsDocument, fresh) })
	}
	if err != nil {
		d.Log.WarnContext(ctx, "keeping a copy of the ends", "error", err)
	}
}

// held reports whether somebody may hold a prefix at now, as far as is known.
func (e ends) held(p netip.Prefix, since map[netip.Prefix]time.Time, sites []access.Fixed, now time.Time) bool {
	if slices.ContainsFunc(sites, func(s access.Fixed) bool { return s.Prefix == p && now.Before(s.Until) }) {
		return true
	}
	until := e.Ends[p]
	if first, back := since[p]; back {
		until = first.Add(Longest)
	}
	return now.Before(until)
}

// since returns, of a copy, since when each entry stands of which it says nothing. What was just read says all.
func (e ends) since(kept door, seen []netip.Prefix, now time.Time) map[netip.Prefix]time.Time {
	if now.Equal(e.At) {
		return nil
	}
	since := map[netip.Prefix]time.Time{}
	before := map[netip.Prefix]time.Time{}
	if kept.Copy.Equal(e.At) {
		before = kept.Since
	}
	for p := range e.Ends {
		if _, gone := before[p]; gone || !slices.Contains(seen, p) {
			since[p] = time.Time{}
		}
	}
	for _, p := range seen {
		_, says := e.Ends[p]
		if _, gone := since[p]; says && !gone {
			continue
		}
		if since[p] = before[p]; since[p].IsZero() {
			since[p] = now
		}
	}
	return since
}

func (d *Dog) look(ctx context.Context, t allowlist.Target, known ends, now time.Time, report *Report) error {
	ctx, cancel := context.WithTimeout(ctx, doorLimit)
	defer cancel()
	seen, err := t.Read(ctx)
	if err != nil {
		return fmt.Errorf("reading what it holds: %w", err)
	}
	late, err := d.remember(ctx, t, known, seen.Prefixes, now)
	if err != nil || len(late) == 0 {
		return err
	}
	report.Late += len(late)
	if err := t.Remove(ctx, late); err != nil {
		return fmt.Errorf("taking away %d entries: %w", len(late), err)
	}
	if seen, err = t.Read(ctx); err != nil {
		return fmt.Errorf("reading back what was taken away: %w", err)
	}
	left := slices.DeleteFunc(slices.Clone(late), func(p netip.Prefix) bool { return !slices.Contains(seen.Prefixes, p) })
	report.Removed += len(late) - len(left)
	if len(left) > 0 {
		return fault.New(fault.Transient, "reading back what was taken away: %d of %d entries are still there", len(left), len(late))
	}
	return d.done(ctx, t, known, late, now)
}
