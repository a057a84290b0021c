package keeppromises

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
)

// unlessAccepted ends a departure that a person accepted: where the log itself says that what was followed counts no
// longer, it is followed anew from the first leaf. Otherwise it returns why the log departs.
func (k *keeppromises) unlessAccepted(ctx context.Context, now time.Time, why string, followed log.Point, head log.Checkpoint) (string, error) {
	w, accepted, err := k.accepted(ctx, followed, head)
	if err != nil || !accepted {
		return why, err
	}
	k.Log.ErrorContext(ctx, "the evidence log was set back, and that was accepted; it is followed anew from its first leaf",
		"followed", followed.String(), "gone", w.Gone.String(), "kept", w.Kept.String(), "why", w.Why)
	next := k.place
	next.Seen, next.Root, next.Signed = 0, "", nil
	return "", k.begin(ctx, now, next, nil) // the pieces are those of the same register: each is replaced
}

// accepted looks in the log for the sequencer's record of a rewind that gave up what was followed. A log that is damaged
// has none. Leaves that were looked through are not looked at again while the log continues them.
func (k *keeppromises) accepted(ctx context.Context, followed log.Point, head log.Checkpoint) (found log.Rewind, ok bool, err error) {
	from := k.searched.Size
	if why, err := k.departs(ctx, k.searched, head); err != nil {
		return found, false, err
	} else if why != "" {
		from = 0
	}
	var all []log.Rewind
	err = k.log.Reader.Entries(ctx, from, head.Size, func(index int64, leaf []byte) error {
		r, err := record.Parse(leaf)
		known := slices.Contains(k.place.Rewinds, r.ID())
		if w, is := log.ReadRewind(r); err == nil && is && !known && w.Kept.Size == index && covers(w, followed) {
			all = append(all, w)
		}
		return nil
	})
	if bad(err) {
		return found, false, nil
	}
	if err != nil {
		return found, false, fmt.Errorf("looking for a rewind that was accepted: %w", err)
	}
	for _, w := range all {
		if why, err := k.departs(ctx, w.Kept, head); err != nil || why == "" {
			return w, err == nil, err
		}
	}
	k.searched = log.Point{Size: head.Size, Root: tlog.Hash(head.Root)}
	return found, false, nil
}

// passed notes the record of a rewind that is in what was followed.
func (p *place) passed(r record.Record) {
	if _, is := log.ReadRewind(r); is && !slices.Contains(p.Rewinds, r.ID()) {
		p.Rewinds = append(slices.Clone(p.Rewinds), r.ID())
	}
}

// covers reports whether a rewind gave up a point: the very one, or one on the way from what was kept to it.
func covers(w log.Rewind, p log.Point) bool {
	return w.Gone == p || w.Kept.Size < p.Size && p.Size < w.Gone.Size
}
