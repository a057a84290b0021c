package outbox

import (
	"context"
	"encoding/base64"
	"time"

	"ostiary.internal/shared/platform/store"
)

const (
	pageEntries  = 50                                // leased at once
	pageBytes    = store.MaxTransactionBytes * 4 / 5 // leased at once, encoded
	entryBytes   = 4 << 10                           // of an entry beside its data, at most
	firstBackoff = time.Second
	lastBackoff  = 5 * time.Minute
)

// Sweep relays the entries that are due: what a crash left, and what a sink refused a while ago. It goes on until
// nothing is left that was due when it began, or ctx ends. It returns how many entries were accepted.
//
// It takes the entries of every writer: a sink that may not hand in what another wrote refuses it, as Denied.
//
// Several sweeps may run at once; each entry is leased by one. An entry that is refused is kept and put off, longer
// each time, from a second to five minutes; at once for five minutes where a person must act first. Refusals are
// logged, and are not an error of the sweep; errors are those of the store.
func (b *Box) Sweep(ctx context.Context) (relayed int, err error) {
	due := b.clock.Now().UnixMicro()
	for {
		leased, err := b.lease(ctx, due)
		if err != nil || len(leased) == 0 {
			return relayed, err
		}
		outcomes := b.relay(ctx, leased)
		for _, o := range outcomes {
			if o.err == nil {
				relayed++
			}
		}
		if err := b.settle(ctx, outcomes); err != nil {
			return relayed, err
		}
	}
}

// lease takes a page of what was due at the given time, so that nobody else relays it for the length of a lease.
func (b *Box) lease(ctx context.Context, due int64) (leased []held, err error) {
	err = b.store.Tx(ctx, func(tx store.Tx) error {
		leased, err = b.page(tx, store.Range{Name: "due", To: due + 1}, func(e *Entry) {
			e.Due = b.until(lease)
			e.Fence++
			e.Attempts++
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// page changes the first entries of a range, as many as one transaction may write, and returns them.
func (b *Box) page(tx store.Tx, r store.Range, change func(*Entry)) (changed []held, err error) {
	docs, err := tx.Query(store.Query{Collection: collection, Range: &r, Limit: pageEntries})
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, d := range docs {
		h := held{id: d.ID}
		if err := d.Decode(&h.entry); err != nil {
			return nil, err
		}
		bytes += base64.StdEncoding.EncodedLen(len(h.entry.Data)) + entryBytes
		if len(changed) > 0 && bytes > pageBytes {
			break // the next page begins here
		}
		change(&h.entry)
		if err := tx.Put(collection, h.id, h.entry); err != nil {
			return nil, err
		}
		changed = append(changed, h)
	}
	return changed, nil
}

// backoff returns how long an entry is put off after its nth attempt.
func backoff(attempts int, err error) time.Duration {
	if hopeless(err) {
		return lastBackoff
	}
	wait := firstBackoff
	for range attempts - 1 {
		if wait *= 2; wait >= lastBackoff {
			return lastBackoff
		}
	}
	return wait
}
