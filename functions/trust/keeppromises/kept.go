package keeppromises

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

// Collections and documents.
const (
	ledgers = "ledger" // the documents "place" and "shown"
	pieces  = "ledgerpieces"

	placeID = "place"
	version = 1
)

// maxPiece bounds what a stored piece may unpack to.
const maxPiece = 16 << 20

// place says what the stored ledger is, and which checkpoint was followed last.
type place struct {
	V        int        `json:"v"`
	Turn     int64      `json:"turn"`     // grows with each write: another turn is another instance's
	Register string     `json:"register"` // digest of the register the pieces were folded for
	Seen     int64      `json:"seen"`     // leaves of the checkpoint followed last
	Root     string     `json:"root,omitempty"`
	Signed   []byte     `json:"signed,omitempty"` // that checkpoint
	Departed *departure `json:"departed,omitempty"`
}

// piece is one piece of the ledger, compressed (RFC 1951).
type piece struct {
	V    int    `json:"v"`
	Data []byte `json:"data"`
}

// errOvertaken says that another instance has moved the ledger on; this one reads it anew.
var errOvertaken = fault.New(fault.Transient, "another instance has moved the promise ledger on")

// move writes the next place and whatever else belongs to it in one transaction. After any error, errOvertaken too, the
// ledger has to be read anew.
func (k *keeppromises) move(ctx context.Context, next place, and func(tx store.Tx, batch *outbox.Batch) error) error {
	next.V, next.Turn = version, k.place.Turn+1
	err := k.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var held place
		if err := tx.Get(ledgers, placeID, &held); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if held.Turn != k.place.Turn {
			return errOvertaken
		}
		if err := and(tx, batch); err != nil {
			return err
		}
		return tx.Put(ledgers, placeID, next)
	})
	if err != nil {
		k.ledger = nil
		return fmt.Errorf("storing the promise ledger: %w", err)
	}
	k.place = next
	return nil
}

// read makes sure that the ledger in memory is the stored one, of the register in force. Where there is none, or none
// that fits, it begins one at the first leaf.
func (k *keeppromises) read(ctx context.Context, now time.Time) error {
	var held place
	if err := k.Store.Get(ctx, ledgers, placeID, &held); err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("reading how far the log was followed: %w", err)
	}
	if k.ledger != nil && held.Turn == k.place.Turn {
		return nil
	}
	k.ledger = nil
	kept := map[string][]byte{}
	err := k.Store.Tx(ctx, func(tx store.Tx) error {
		clear(kept)
		held = place{}
		if err := tx.Get(ledgers, placeID, &held); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if held.Register != k.digest {
			return nil
		}
		return each(tx, func(id string, p piece) { kept[id] = p.Data })
	})
	if err != nil {
		return fmt.Errorf("reading the promise ledger: %w", err)
	}
	k.place = held
	if held.Register == k.digest {
		l, err := promise.Restore(k.register, unpacked(kept))
		if err == nil {
			k.ledger = l
			return nil
		}
		k.Log.ErrorContext(ctx, "the stored promise ledger is of no use; it is made again from the log", "error", err)
	}
	return k.begin(ctx, now)
}

// each calls fn with every stored piece.
func each(tx store.Tx, fn func(id string, p piece)) error {
	for q := (store.Query{Collection: pieces, Limit: store.MaxQueryResults}); ; {
		docs, err := tx.Query(q)
		if err != nil {
			return err
		}
		for _, d := range docs {
			var p piece
			if err := d.Decode(&p); err != nil {
				return err
			}
			fn(d.ID, p)
		}
		if len(docs) < q.Limit {
			return nil
		}
		q.After = &store.Cursor{ID: docs[len(docs)-1].ID}
	}
}

// begin stores an empty ledger for the register in force. A register that was not in force before is put on the shelf
// and on record.
func (k *keeppromises) begin(ctx context.Context, now time.Time) error {
	l := promise.NewLedger(k.register)
	fresh := packed(l.Changed())
	next := k.place
	next.Register = k.digest
	r := k.record(record.Policy, check, fmt.Sprintf("register %s at %s", k.digest, now.UTC().Format(time.RFC3339Nano)), now)
	r.Facts = map[string]string{"policy": k.PolicyDigest(), "register": k.digest}
	err := k.move(ctx, next, func(tx store.Tx, batch *outbox.Batch) error {
		var old []string
		if err := each(tx, func(id string, _ piece) { old = append(old, id) }); err != nil {
			return err
		}
		for _, id := range old {
			if _, again := fresh[id]; again {
				continue
			}
			if err := tx.Delete(pieces, id); err != nil {
				return err
			}
		}
		if err := write(tx, fresh); err != nil || k.place.Register == k.digest {
			return err
		}
		if _, err := shelf.PutRegister(tx, k.register.Canonical()); err != nil {
			return err
		}
		return put(batch, r)
	})
	if err != nil {
		return err
	}
	l.Stored()
	k.ledger = l
	return nil
}

func write(tx store.Tx, changed map[string][]byte) error {
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		if err := tx.Put(pieces, id, piece{version, changed[id]}); err != nil {
			return err
		}
	}
	return nil
}

// packed compresses pieces: all of them change with each page record, and have to fit into one transaction.
func packed(all iter.Seq2[string, []byte]) map[string][]byte {
	made := map[string][]byte{}
	var into bytes.Buffer
	w, err := flate.NewWriter(&into, flate.BestSpeed) // of small pieces, to begin anew is most of the work at other levels
	for id, data := range all {
		into.Reset()
		w.Reset(&into)
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		made[id] = bytes.Clone(into.Bytes())
	}
	if err != nil {
		panic("keeppromises: compressing into memory: " + err.Error()) // there is no way to fail
	}
	return made
}

// unpacked undoes packed. What cannot be read is yielded as it is, for the ledger to refuse.
func unpacked(kept map[string][]byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for id, data := range kept {
			read, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxPiece))
			if err != nil {
				read = nil
			}
			if !yield(id, read) {
				return
			}
		}
	}
}
