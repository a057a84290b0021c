package keeppromises

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	platformlog "ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const (
	step   = 2048             // leaves followed before the ledger is stored: whole bundles of the log
	budget = 40 * time.Second // for following, in one run; the next one goes on
)

// Ways in which the log can depart from what was followed. They stand in records.
const (
	rewound = "rewound" // it is shorter, or gone
	forked  = "forked"  // it says something else
	damaged = "damaged" // its tiles are missing, or do not make the root that was signed
)

// bad reports whether a reader's error says that the log is damaged: that it could not be reached says nothing.
func bad(err error) bool {
	return fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid)
}

// follow takes in what the log has grown by and returns its newest checkpoint, the zero one before there is a log. With
// an error nothing may be said of promises.
func (k *keeppromises) follow(ctx context.Context, now time.Time) (log.Checkpoint, error) {
	if err := k.read(ctx, now); err != nil {
		return log.Checkpoint{}, err
	}
	head, err := k.log.Reader.Checkpoint(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return log.Checkpoint{}, fmt.Errorf("reading how far the evidence log goes: %w", err)
	}
	followed, err := k.place.followed()
	if err != nil {
		return log.Checkpoint{}, err
	}
	why, err := k.departs(ctx, followed, head)
	if err == nil && why != "" {
		why, err = k.unlessAccepted(ctx, now, why, followed, head)
	}
	switch {
	case err != nil:
		return log.Checkpoint{}, err
	case why != "":
		return log.Checkpoint{}, k.depart(ctx, now, why, head)
	}
	return head, k.fold(ctx, now, head)
}

// followed is how far the log was followed.
func (p place) followed() (log.Point, error) {
	if p.Seen == 0 {
		return log.Point{}, nil
	}
	root, err := tlog.ParseHash(p.Root)
	if err != nil {
		return log.Point{}, fault.New(fault.Misconfigured, "reading the root of the log that was followed: %w", err)
	}
	return log.Point{Size: p.Seen, Root: root}, nil
}

// departs tells how a checkpoint fails to continue a point of the log; "" when it continues it.
func (k *keeppromises) departs(ctx context.Context, seen log.Point, head log.Checkpoint) (why string, err error) {
	switch {
	case seen.Size == 0:
		return "", nil
	case head.Size < seen.Size:
		return rewound, nil
	case head.Size == seen.Size && tlog.Hash(head.Root) != seen.Root:
		return forked, nil
	case head.Size == seen.Size:
		return "", nil
	}
	proof, err := k.log.Reader.Consistency(ctx, seen.Size, head.Size)
	switch {
	case bad(err):
		return damaged, nil
	case err != nil:
		return "", fmt.Errorf("proving that the log of %d leaves continues that of %d: %w", head.Size, seen.Size, err)
	case tlog.CheckTree(proof, head.Size, tlog.Hash(head.Root), seen.Size, seen.Root) != nil:
		return forked, nil
	}
	return "", nil
}

// departure is what is kept of a log that departed, until it continues again: with the checkpoint that was followed,
// this one proves to anybody that the log's key signed both.
type departure struct {
	Record string      `json:"record"`
	Kind   record.Kind `json:"kind"`
	Signed []byte      `json:"signed,omitempty"`
}

// depart records, once, that the log departed, and returns the error that says so each time.
func (k *keeppromises) depart(ctx context.Context, now time.Time, why string, head log.Checkpoint) error {
	k.Log.Log(ctx, platformlog.LevelCritical, "the evidence log does not continue what was followed; nothing is shown as kept until it does",
		"why", why, "followed", k.place.Seen, "size", head.Size)
	departed := fault.New(fault.Misconfigured, "following the evidence log: it is %s: it was followed to %d:%s, and its newest checkpoint is at %s; %s",
		why, k.place.Seen, k.place.Root, log.Point{Size: head.Size, Root: tlog.Hash(head.Root)}, log.Way)
	if k.place.Departed != nil {
		return departed
	}
	event := fmt.Sprintf("%s at %d of %d, %s", why, head.Size, k.place.Seen, now.UTC().Format(time.RFC3339Nano))
	r := k.record(record.Finding, log.Control, event, now)
	r.Result.State = record.Broken
	if r.Promises = k.Promises(log.Control); len(r.Promises) == 0 {
		r = k.record(record.Gap, check, event, now) // the page counts gaps that concern no promise; those of the log are its own
		r.Result.State = record.Undetermined
	}
	r.Facts = map[string]string{"why": why, "followed": strconv.FormatInt(k.place.Seen, 10), "size": strconv.FormatInt(head.Size, 10)}
	next := k.place
	next.Departed = &departure{r.ID(), r.Kind, head.Signed}
	if err := k.move(ctx, now, next, nil, func(_ store.Tx, batch *outbox.Batch) error { return r.Put(batch) }); err != nil {
		return fmt.Errorf("%w; recording it: %w", departed, err)
	}
	return departed
}

// fold adds to the ledger what the log has and the ledger has not, as far as time allows, and stores both after each
// step. A log that continues again closes the finding that it did not.
func (k *keeppromises) fold(ctx context.Context, now time.Time, head log.Checkpoint) error {
	begun := k.Clock.Now()
	for k.ledger.Size() < head.Size || k.place.Seen < head.Size || k.place.Departed != nil {
		l := k.ledger
		k.ledger = nil // until it is stored
		from := l.Size()
		to := min((from/step+1)*step, head.Size)
		next := k.place
		err := k.log.Reader.Entries(ctx, from, to, func(index int64, leaf []byte) error {
			r := k.parse(ctx, now, index, leaf)
			next.passed(r)
			return l.Add(index, r)
		})
		if bad(err) {
			return k.depart(ctx, now, damaged, head)
		}
		if err != nil {
			return fmt.Errorf("following the evidence log from leaf %d: %w", from, err)
		}
		next.Seen, next.Root, next.Signed, next.Departed = head.Size, evidence.Root(head), head.Signed, nil
		changed := k.packed(l.Changed())
		d := k.place.Departed
		if err := k.move(ctx, now, next, changed, func(_ store.Tx, batch *outbox.Batch) error { return k.mend(batch, d, now) }); err != nil {
			return err
		}
		l.Stored()
		k.ledger = l
		if k.Clock.Now().Sub(begun) > budget {
			break
		}
	}
	return nil
}

// mend closes the finding of a departure that is over.
func (k *keeppromises) mend(batch *outbox.Batch, d *departure, now time.Time) error {
	if d == nil || d.Kind != record.Finding {
		return nil
	}
	r := k.record(record.Remediation, log.Control, "continues "+d.Record, now)
	r.Promises, r.Result.State, r.Refs = k.Promises(log.Control), record.Kept, []record.Ref{{Rel: "closes", ID: d.Record}}
	return r.Put(batch)
}

// parse reads a leaf. The sequencer lets nothing in that is no record; should there be one all the same, it is a gap in
// what is known, and the log goes on.
func (k *keeppromises) parse(ctx context.Context, now time.Time, index int64, leaf []byte) record.Record {
	r, err := record.Parse(leaf)
	if err == nil {
		return r
	}
	k.Log.Log(ctx, platformlog.LevelCritical, "a leaf of the evidence log is no record; it counts as a gap", "leaf", index, "error", err)
	return k.record(record.Gap, log.Control, fmt.Sprintf("leaf %d", index), now)
}

// record begins a record of this function.
func (k *keeppromises) record(kind record.Kind, control, event string, now time.Time) record.Record {
	r := record.New(kind, control, event)
	r.Source.Type, r.Source.Observed, r.Source.Collected, r.Config = "schedule", now, now, k.PolicyDigest()
	return r
}
