// Package listing knows from which addresses people could come in at any moment of the last days: the allow-list, as the
// messages about registrations tell it, and the company's fixed sites.
//
// It promises that messages may come twice and in any order: of one registration the earliest end is kept. It does not
// know more than the messages said: an address whose message is still under way reads as not listed.
package listing

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/rule"
)

// Change is the message about one registration, of topic lease.changed.
type Change struct {
	Lease  string       `json:"lease"`
	Prefix netip.Prefix `json:"prefix"`
	From   time.Time    `json:"from"`
	Until  time.Time    `json:"until"`
}

// Site is an address range that is let in without a registration.
type Site struct {
	Prefix netip.Prefix
	Until  time.Time // zero for no end
}

// kept is how long a registration is kept after its end: no entry about its day comes later.
const kept = 8 * 24 * time.Hour

// listed is one registration, as it is stored under the id of the lease.
type listed struct {
	V       int          `json:"v"`
	Prefix  netip.Prefix `json:"prefix"`
	From    time.Time    `json:"from"`
	Until   time.Time    `json:"until"`
	Last    int64        `json:"last"` // Until in microseconds since 1970, for queries
	Expires time.Time    `json:"expires"`
}

const collection = "listed"

// Collection declares what the control's schema holds for this package.
func Collection() store.Collection {
	return store.Collection{Name: collection, Indexes: []store.Index{{"last"}}, Expires: true}
}

// Book keeps the list. It is safe for concurrent use.
type Book struct {
	Store store.Store
	Sites []Site

	mu     sync.RWMutex
	known  map[netip.Prefix][]listed
	loaded time.Time
}

var _ rule.Facts = (*Book)(nil)

// Take notes what a message tells. Invalid: it names no registration, no address, or ends before it begins.
func (b *Book) Take(ctx context.Context, c Change) error {
	if c.Lease == "" || !c.Prefix.IsValid() || c.Prefix != c.Prefix.Masked() || c.From.IsZero() || c.Until.Before(c.From) {
		return fault.New(fault.Invalid, "reading a message about a registration: it names none, or no address or time")
	}
	return b.Store.Tx(ctx, func(tx store.Tx) error {
		var before listed
		err := tx.Get(collection, c.Lease, &before)
		switch {
		case err == nil && !c.Until.Before(before.Until):
			return nil
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		}
		b.forget()
		return tx.Put(collection, c.Lease, listed{
			V: 1, Prefix: c.Prefix, From: c.From.UTC(), Until: c.Until.UTC(), Last: c.Until.UnixMicro(), Expires: c.Until.Add(kept),
		})
	})
}

func (b *Book) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loaded = time.Time{}
}

// fresh is how long what was read is believed.
const fresh = 5 * time.Second

// Refresh reads the list anew unless that was just done. It is to be called before entries are judged, outside of any
// transaction; Listed then answers without reading.
func (b *Book) Refresh(ctx context.Context, now time.Time) error {
	b.mu.RLock()
	young := !b.loaded.IsZero() && now.Sub(b.loaded) < fresh && !now.Before(b.loaded)
	b.mu.RUnlock()
	if young {
		return nil
	}
	known := map[netip.Prefix][]listed{}
	for last := (*store.Cursor)(nil); ; {
		docs, err := b.Store.Query(ctx, store.Query{
			Collection: collection, Range: &store.Range{Name: "last", From: now.Add(-kept).UnixMicro()}, After: last, Limit: store.MaxQueryResults,
		})
		found, err := store.Find[listed](docs, err)
		if err != nil {
			return err
		}
		for _, l := range found {
			known[l.Prefix] = append(known[l.Prefix], l)
		}
		if len(docs) < store.MaxQueryResults {
			break
		}
		last = &store.Cursor{Value: found[len(found)-1].Last, ID: docs[len(docs)-1].ID}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.loaded = known, now
	return nil
}

// Listed implements rule.Facts: whether an address was let in at a time, by a registration or as a fixed site. What is no
// address is not. Transient: Refresh was never called.
func (b *Book) Listed(_ context.Context, ip string, at time.Time) (bool, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false, nil
	}
	addr = addr.Unmap().WithZone("")
	for _, s := range b.Sites {
		if s.Prefix.Contains(addr) && (s.Until.IsZero() || at.Before(s.Until)) {
			return true, nil
		}
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.known == nil {
		return false, fault.New(fault.Transient, "looking at the allow-list: it was not read yet")
	}
	for _, bits := range []int{32, 64, 128} {
		prefix, err := addr.Prefix(min(bits, addr.BitLen()))
		if err != nil {
			return false, nil
		}
		for _, l := range b.known[prefix] {
			if !at.Before(l.From.Add(-skew)) && at.Before(l.Until) {
				return true, nil
			}
		}
	}
	return false, nil
}

// skew is how far the clocks of the log and of the registration may differ.
const skew = 5 * time.Second
