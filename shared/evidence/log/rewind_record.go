package log

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/record"
)

// Rewind says that a log goes on from Kept, and that what went on from there to Gone counts no longer.
type Rewind struct {
	Gone, Kept Point
	Why        string // a word, by the person who accepted it
}

// ReadRewind reads the gap record of a rewind; ok is false for every other record. Of the leaves of a log only those it
// wrote itself can be one, and such a leaf stands right behind Kept.
func ReadRewind(r record.Record) (found Rewind, ok bool) {
	if r.Kind != record.Gap || r.Control != Control || r.Facts["reason"] != rewoundReason {
		return Rewind{}, false
	}
	gone, goneOK := pointOf(r.Facts["gone_size"], r.Facts["gone_root"])
	kept, keptOK := pointOf(r.Facts["kept_size"], r.Facts["kept_root"])
	return Rewind{gone, kept, r.Facts["why"]}, goneOK && keptOK
}

const rewoundReason = "rewound"

// rewind is the record of w.
func (s *Sequencer) rewind(w Rewind, now time.Time) record.Record {
	r := s.begin(record.Gap, fmt.Sprintf("rewound from %s to %s at %d", w.Gone, w.Kept, now.UnixMilli()), now)
	r.Source.Type, r.Result.State = "head", record.Undetermined
	r.Facts = map[string]string{"reason": rewoundReason, "why": w.Why,
		"gone_size": strconv.FormatInt(w.Gone.Size, 10), "gone_root": hex.EncodeToString(w.Gone.Root[:]),
		"kept_size": strconv.FormatInt(w.Kept.Size, 10), "kept_root": hex.EncodeToString(w.Kept.Root[:])}
	return r
}

func pointOf(size, root string) (Point, bool) {
	n, sizeErr := strconv.ParseInt(size, 10, 64)
	hash, rootErr := hex.DecodeString(root)
	if sizeErr != nil || rootErr != nil || n < 0 || len(hash) != tlog.HashSize {
		return Point{}, false
	}
	return Point{n, tlog.Hash(hash)}, true
}
