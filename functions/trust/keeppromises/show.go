package keeppromises

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"ostiary.internal/functions/trust/internal/evidence"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	platformlog "ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/trust/page/shelf"
	"ostiary.internal/shared/trust/promise"
)

const (
	// every is how old a page becomes before a new one is made though no state has changed: a quarter of an hour, less
	// than which runs of a schedule may differ.
	every = 15*time.Minute - 20*time.Second
	// skew is how far the clock may stand behind the last page, made by another instance, before that page counts as
	// dated by a wrong clock.
	skew = 5 * time.Minute
)

// Facts of a page record: the digest of the page's bytes, and how many leaves it was computed from. The time it was
// computed for is when the record observed it.
const (
	pageFact = "page"
	sizeFact = "size"
)

const shownID = "shown"

// shown is the page that was put on the shelf last.
type shown struct {
	V      int       `json:"v"`
	Digest string    `json:"digest"`
	At     time.Time `json:"at"`
	States string    `json:"states"` // digest of all states and their reasons
}

// show computes the page of now, and puts it on the shelf and on record when it says something new, or the last one is
// old; otherwise it affirms the last one. A last page that is dated ahead gives way. A ledger that is behind the log shows
// nothing.
func (k *keeppromises) show(ctx context.Context, now time.Time, head log.Checkpoint) error {
	if head.Size == 0 || k.ledger.Size() != head.Size {
		return nil
	}
	var last shown
	if err := k.Store.Get(ctx, ledgers, shownID, &last); err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("asking which page was shown last: %w", err)
	}
	at := now.UTC().Truncate(time.Millisecond)
	ahead := last.At.Sub(at)
	switch {
	case ahead > skew:
		k.Log.Log(ctx, platformlog.LevelCritical, "the last trust page is dated ahead: a clock is wrong, or was; the next one takes its place", "ahead", ahead)
	case ahead > 0:
		return nil
	}
	next := shown{V: version, At: at, States: k.stand(at)}
	if ahead <= 0 && last.States == next.States && at.Sub(last.At) < every && sameDay(at, last.At) {
		return k.affirm(ctx, last, at)
	}
	s := promise.Snap(k.ledger, head.Origin, head.Size, evidence.Root(head), at)
	page := s.Canonical()
	next.Digest = record.Digest(page)
	r := k.record(record.Page, promise.PageControl, "page "+next.Digest, at)
	r.Facts = map[string]string{pageFact: next.Digest, sizeFact: strconv.FormatInt(s.Size, 10)}
	err := k.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		if first, err := unmoved(tx, last); err != nil || !first {
			return err
		}
		if _, err := shelf.Put(tx, page, at, s.Size); err != nil {
			return err
		}
		if err := tx.Put(ledgers, shownID, next); err != nil {
			return err
		}
		return r.Put(batch)
	})
	if err != nil {
		return fmt.Errorf("showing the page of %d leaves: %w", s.Size, err)
	}
	return nil
}

// affirm says that the last page holds still.
func (k *keeppromises) affirm(ctx context.Context, last shown, at time.Time) error {
	err := k.Store.Tx(ctx, func(tx store.Tx) error {
		if first, err := unmoved(tx, last); err != nil || !first {
			return err
		}
		return shelf.Affirm(tx, last.Digest, at)
	})
	if err != nil {
		return fmt.Errorf("affirming the page shown last: %w", err)
	}
	return nil
}

// unmoved reports whether the page shown last is still the same: another instance may have shown the next one.
func unmoved(tx store.Tx, last shown) (bool, error) {
	var held shown
	if err := tx.Get(ledgers, shownID, &held); err != nil && !fault.Is(err, fault.NotFound) {
		return false, err
	}
	return held.Digest == last.Digest, nil
}

// standing is what was computed of a ledger at a time.
type standing struct {
	promise.Standing
	ledger *promise.Ledger
	size   int64
	at     time.Time
}

// stand returns the digest of all states at a time. In most minutes nothing was added and nothing turns: then it is not
// computed again.
func (k *keeppromises) stand(at time.Time) string {
	s := k.standing
	same := s.ledger == k.ledger && s.size == k.ledger.Size() && !at.Before(s.at) && (s.Until.IsZero() || at.Before(s.Until))
	if !same {
		k.standing = standing{promise.Stand(k.ledger, at), k.ledger, k.ledger.Size(), at}
	}
	return k.standing.Digest
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Format(time.DateOnly) == b.UTC().Format(time.DateOnly)
}
