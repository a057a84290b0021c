package local

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

// DeadLetter is a message that was set aside after MaxAttempts failed deliveries.
type DeadLetter struct {
	ID         string // of the message, as its bodies named it; two functions may have one each of the same message
	Function   string
	Topic      string
	Data       []byte
	Attributes map[string]string
	Published  time.Time
	Attempts   int
	Why        string // what the last attempt came to, such as "answered 503"
}

// Pending returns how many deliveries are queued or under way; a message not fanned out yet counts as one. Dead
// letters do not count.
func (b *Bus) Pending() (int, error) {
	if err := b.enter(); err != nil {
		return 0, err
	}
	defer b.active.Done()
	pending := 0
	for _, name := range [][]byte{arrivals, queued} {
		keys, err := b.queue.keys(name)
		if err != nil {
			return 0, fmt.Errorf("counting messages: %w", err)
		}
		pending += len(keys)
	}
	return pending, nil
}

// Idle waits until nothing is queued or under way; dead letters do not count. It returns the error of ctx when that
// ends first.
func (b *Bus) Idle(ctx context.Context) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.active.Done()
	for {
		b.queue.mu.Lock()
		changed := b.queue.changed // taken before looking, so that no change is missed
		b.queue.mu.Unlock()
		empty, err := b.queue.empty(arrivals, queued)
		if err != nil {
			return fmt.Errorf("looking at the queue: %w", err)
		}
		if empty {
			return nil
		}
		select {
		case <-changed:
		case <-b.done:
			return fmt.Errorf("waiting for the queue to run empty: the bus was closed")
		case <-ctx.Done():
			return fmt.Errorf("waiting for the queue to run empty: %w", ctx.Err())
		}
	}
}

// DeadLetters lists what was set aside, oldest message first.
func (b *Bus) DeadLetters() ([]DeadLetter, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.active.Done()
	var letters []DeadLetter
	err := b.queue.db.View(func(tx *bbolt.Tx) error {
		return bucket(tx, dead).ForEach(func(_, doc []byte) error {
			e, err := parse(doc)
			letters = append(letters, letter(e))
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing dead letters: %w", err)
	}
	return letters, nil
}

// Name tells a dead letter from all others, those of the same message for other functions among them.
func (d DeadLetter) Name() string { return bus.Subscription(d.Function, d.Topic) + "/" + d.ID }

// Redeliver queues dead letters of one function again ("" for all functions), with their attempts counted anew, and
// returns how many: those of the names, or all where none is given. They are delivered when, and as soon as, a process
// delivers this queue. Conflict when one that is named is no dead letter, as after it was queued again: then none is moved.
func (b *Bus) Redeliver(function string, names ...string) (int, error) {
	if err := b.enter(); err != nil {
		return 0, err
	}
	defer b.active.Done()
	again := map[string]entry{}
	err := b.queue.db.Update(func(tx *bbolt.Tx) error {
		found := map[string]bool{}
		err := bucket(tx, dead).ForEach(func(k, doc []byte) error {
			e, err := parse(doc)
			name := letter(e).Name()
			if (function == "" || e.Function == function) && (len(names) == 0 || slices.Contains(names, name)) {
				e.Attempts, e.Why = 0, ""
				again[string(k)], found[name] = e, true
			}
			return err
		})
		if err == nil && slices.ContainsFunc(names, func(name string) bool { return !found[name] }) {
			err = fault.Refuse(fault.Conflict, "letter_gone", "One of them is no dead letter, or is queued again already.", "List the dead letters anew.")
		}
		for k, e := range again {
			if err == nil {
				err = bucket(tx, dead).Delete([]byte(k))
			}
			if err == nil {
				err = put(bucket(tx, arrivals), []byte(k), e)
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("queueing dead letters again: %w", err)
	}
	b.queue.notify()
	return len(again), nil
}

func letter(e entry) DeadLetter {
	return DeadLetter{e.ID, e.Function, e.Topic, e.Data, e.Attributes, e.Published, e.Attempts, e.Why}
}
