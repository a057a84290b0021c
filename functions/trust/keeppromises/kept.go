package keeppromises

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
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
	Rewinds  []string   `json:"rewinds,omitempty"` // records of accepted rewinds in what was followed: they excuse nothing more
	Torn     int64      `json:"torn,omitempty"`    // since when (unix milliseconds) pieces are being written that are no ledger yet
}

// mostPieces is how many pieces one transaction writes, until the database refuses as many.
const mostPieces = 400

// patience is how long another instance may take to write pieces: longer than it may run.
const patience = 4 * time.Minute

// piece is one piece of the ledger, compressed (RFC 1951).
type piece struct {
	V    int    `json:"v"`
	Data []byte `json:"data"`
}

// errOvertaken says that another instance has moved the ledger on; this one reads it anew.
var errOvertaken = fault.New(fault.Transient, "another instance has moved the promise ledger on")

// move writes changed pieces (those without data go), the next place and whatever else belongs to it. That is one
// transaction where the database takes so many documents at once; else there are several, and as long as the last of them
// is missing, the place says that the pieces are torn. After any error, errOvertaken too, the ledger has to be read anew.
func (k *keeppromises) move(ctx context.Context, now time.Time, next place, changed map[string][]byte, and func(tx store.Tx, batch *outbox.Batch) error) error {
	for rest := slices.Sorted(maps.Keys(changed)); ; {
		part, step, add := rest[:min(k.most, len(rest))], next, and
		last := len(part) == len(rest)
		if !last {
			step, add = k.place, func(store.Tx, *outbox.Batch) error { return nil }
			step.Torn = now.UnixMilli()
		}
		err := k.write(ctx, step, changed, part, add)
		switch {
		case refused(err) && len(part) > 1:
			k.most = (len(part) + 1) / 2
		case err != nil:
			k.ledger = nil
			return fmt.Errorf("storing the promise ledger: %w", err)
		case last:
			return nil
		default:
			rest = rest[len(part):]
		}
	}
}

// refused reports whether the database may have found a transaction too large.
func refused(err error) bool { return fault.Is(err, fault.Exhausted) || fault.Is(err, fault.Invalid) }

// write is one transaction of move.
func (k *keeppromises) write(ctx context.Context, next place, changed map[string][]byte, part []string, and func(tx store.Tx, batch *outbox.Batch) error) error {
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
		for _, id := range part {
			var err error
			if data := changed[id]; data == nil {
				err = tx.Delete(pieces, id)
			} else {
				err = tx.Put(pieces, id, piece{version, data})
			}
			if err != nil {
				return err
			}
		}
		return tx.Put(ledgers, placeID, next)
	})
	if err == nil {
		k.place = next
	}
	return err
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
		return each(tx, func(id string, p piece) { kept[id] = p.Data })
	})
	if err != nil {
		return fmt.Errorf("reading the promise ledger: %w", err)
	}
	if torn := now.UnixMilli() - held.Torn; held.Torn > 0 && max(torn, -torn) < patience.Milliseconds() {
		return fault.New(fault.Transient, "reading the promise ledger: another instance is writing it")
	}
	k.place = held
	if held.Register == k.digest && held.Torn == 0 {
		l, err := promise.Restore(k.register, unpacked(kept))
		if err == nil {
			k.ledger = l
			return nil
		}
		k.Log.ErrorContext(ctx, "the stored promise ledger is of no use; it is made again from the log", "error", err)
	}
	return k.begin(ctx, now, held, kept)
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

// begin stores an empty ledger for the register in force, in place of old pieces, and the next place. A register that was
// not in force before is put on the shelf and on record.
func (k *keeppromises) begin(ctx context.Context, now time.Time, next place, old map[string][]byte) error {
	l := promise.NewLedger(k.register)
	changed := map[string][]byte{}
	for id := range old {
		changed[id] = nil
	}
	maps.Copy(changed, k.packed(l.Changed()))
	before := next.Register
	next.Register, next.Torn = k.digest, 0
	r := k.record(record.Policy, check, fmt.Sprintf("register %s at %s", k.digest, now.UTC().Format(time.RFC3339Nano)), now)
	r.Facts = map[string]string{"policy": k.PolicyDigest(), "register": k.digest}
	err := k.move(ctx, now, next, changed, func(tx store.Tx, batch *outbox.Batch) error {
		if before == k.digest {
			return nil
		}
		if _, err := shelf.PutRegister(tx, k.register.Canonical()); err != nil {
			return err
		}
		return r.Put(batch)
	})
	if err != nil {
		return err
	}
	l.Stored()
	k.ledger = l
	return nil
}

// small is up to which size a piece is not compressed: to begin anew would be most of the work.
const small = 1 << 10

// packed compresses pieces: all of them change with each page record, and have to fit into one transaction.
func (k *keeppromises) packed(all iter.Seq2[string, []byte]) map[string][]byte {
	made := map[string][]byte{}
	var into bytes.Buffer
	var err error
	for id, data := range all {
		if len(data) <= small {
			made[id] = stored(data)
			continue
		}
		if into.Reset(); k.deflater == nil {
			k.deflater, err = flate.NewWriter(&into, flate.BestSpeed) // the others begin even slower
		} else {
			k.deflater.Reset(&into)
		}
		if err == nil {
			_, err = k.deflater.Write(data)
		}
		if err == nil {
			err = k.deflater.Close()
		}
		if err != nil {
			panic("keeppromises: compressing into memory: " + err.Error()) // there is no way to fail
		}
		made[id] = bytes.Clone(into.Bytes())
	}
	return made
}

// stored is a block without compression, the last one (RFC 1951, section 3.2.4).
func stored(data []byte) []byte {
	length := binary.LittleEndian.AppendUint16(nil, uint16(len(data)))
	return slices.Concat([]byte{1}, length, []byte{^length[0], ^length[1]}, data)
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
