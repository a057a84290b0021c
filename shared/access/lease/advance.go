package lease

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Step is what has become true of one lease: the states it went through, and whether it is gone from every target.
type Step struct {
	ID    string
	To    []State
	Why   Why  // of a last state Ended or Failed
	Close bool // no target counts it any more
}

// batchSize is how many leases one transaction moves: small enough for a person who taps "I am done" meanwhile.
const batchSize = 100

// Advance moves leases as far as their life allows and returns those that changed. With one lease the other addresses of
// its device end, and the device whose place a lease takes ends once that is confirmed. A step that no longer fits (the
// person ended the lease meanwhile) is left out; a step already taken changes nothing and writes nothing. On an error
// the batches before it are committed; the same call may be made again.
func (s *Service) Advance(ctx context.Context, steps []Step, now time.Time) ([]Lease, error) {
	var moved []Lease
	for len(steps) > 0 {
		chunk := steps[:min(len(steps), batchSize)]
		steps = steps[len(chunk):]
		var changed []Lease
		err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			var err error
			changed, err = s.advance(tx, batch, chunk, now)
			return err
		})
		if err != nil {
			return moved, fmt.Errorf("moving %d leases: %w", len(chunk), err)
		}
		moved = append(moved, changed...)
	}
	return moved, nil
}

func (s *Service) advance(tx store.Tx, batch *outbox.Batch, steps []Step, now time.Time) ([]Lease, error) {
	var changed []Lease
	for _, step := range steps {
		var l Lease
		err := tx.Get(leases, step.ID, &l)
		if fault.Is(err, fault.NotFound) {
			continue // kept for Retention after its day: nothing is left to say about it
		}
		if err != nil {
			return nil, err
		}
		if after, ok := step.Apply(l, now); ok {
			changed = append(changed, after)
		}
	}
	changed, err := follow(tx, changed, now)
	if err != nil {
		return nil, err
	}
	for _, l := range changed {
		if err := tx.Put(leases, l.ID, l); err != nil {
			return nil, err
		}
		if l.State.Final() && l.Open {
			if err := announce(batch, l); err != nil {
				return nil, err
			}
		}
	}
	return changed, s.tellAll(batch, changed, now)
}

// follow ends what ends because of what others became: the other addresses of a device that ended, and the device whose
// place a confirmed lease takes. It returns all that changed.
func follow(tx store.Tx, changed []Lease, now time.Time) ([]Lease, error) {
	for _, l := range slices.Clone(changed) {
		device, why := l.Device(), l.Why
		switch {
		case l.State == Ended && l.Why != Expired:
		case l.State == Confirmed && l.Replaces != "":
			device, why = l.Replaces, Replaced
		default:
			continue
		}
		mine, err := ofPerson(tx.Query, l.Person, now)
		if err != nil {
			return nil, err
		}
		for _, other := range mine {
			i := slices.IndexFunc(changed, func(c Lease) bool { return c.ID == other.ID })
			if i >= 0 {
				other = changed[i]
			}
			if other.Device() != device || !other.Live(now) {
				continue
			}
			if other, err = other.To(Ended, why, now); err != nil {
				return nil, err
			}
			if i >= 0 {
				changed[i] = other
			} else {
				changed = append(changed, other)
			}
		}
	}
	return changed, nil
}

// tellAll puts one record into the batch for all leases that took the same step for the same reason.
func (s *Service) tellAll(batch *outbox.Batch, changed []Lease, now time.Time) error {
	byEvent := map[string][]Lease{}
	for _, l := range changed {
		key := l.event() + " " + string(l.Why)
		byEvent[key] = append(byEvent[key], l)
	}
	for _, key := range slices.Sorted(maps.Keys(byEvent)) {
		event, _, _ := strings.Cut(key, " ")
		if err := s.tell(batch, event, byEvent[key], now); err != nil {
			return err
		}
	}
	return nil
}

// Apply takes the step on a copy and reports whether it changed anything. It is pure: what Advance does within its
// transaction can be asked beforehand.
func (step Step) Apply(l Lease, now time.Time) (after Lease, changed bool) {
	if !l.Open {
		return l, false
	}
	after = l
	if step.Close {
		after = after.At(now) // what expired becomes so on record
	}
	for _, state := range step.To {
		if !after.Live(now) {
			break
		}
		why := step.Why
		if !state.Final() {
			why = ""
		}
		if moved, err := after.To(state, why, now); err == nil {
			after = moved
		}
	}
	if step.Close {
		closed, err := after.Close(now)
		if err != nil {
			return l, false
		}
		after = closed
	}
	return after, after != l
}

// event names what last happened to a lease, for the register.
func (l Lease) event() string {
	if !l.Open {
		return "removed"
	}
	return string(l.State)
}
