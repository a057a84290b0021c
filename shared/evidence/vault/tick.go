package vault

import (
	"cmp"
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// perTick is how many erasures one Tick looks at.
const perTick = 100

// Tick goes on with every erasure that is due: one that was interrupted, one whose hold has ended, one whose horizon
// has passed; at most 100 a call. Then it sends what a crash left in the vault's outbox. Call it every few minutes. One
// erasure that fails does not keep the others; the errors are joined.
func (v *Vault) Tick(ctx context.Context, now time.Time) error {
	due, err := v.Store.Query(ctx, store.Query{
		Collection: erasures, Range: &store.Range{Name: "due", To: now.UnixMicro() + 1}, Limit: perTick,
	})
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range due {
		if _, err := v.advance(ctx, d.ID, now); err != nil {
			failed = append(failed, err)
		}
	}
	if _, err := v.Box.Sweep(ctx); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// advance takes an erasure as far as it can go now.
func (v *Vault) advance(ctx context.Context, id string, now time.Time) (Erasure, error) {
	for {
		var before, after erasureDoc
		err := v.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			before, after = erasureDoc{}, erasureDoc{}
			if err := tx.Get(erasures, id, &before); err != nil {
				return err
			}
			return v.step(tx, batch, id, before, now)
		})
		if err != nil {
			return Erasure{}, err
		}
		if err := v.Store.Get(ctx, erasures, id, &after); err != nil {
			return Erasure{}, err
		}
		if after.State == before.State && after.State != Erasing {
			return after.view(id), nil
		}
	}
}

// step is one transaction of an erasure's life.
func (v *Vault) step(tx store.Tx, batch *outbox.Batch, id string, e erasureDoc, now time.Time) error {
	switch {
	case e.State == Erasing:
		return v.remove(tx, batch, id, e, now)
	case e.State == Pending && e.Due <= now.UnixMicro():
		return v.finish(tx, batch, id, e, now)
	case e.State != Waiting || e.Due > now.UnixMicro():
		return nil
	}
	var doc subjectDoc
	if err := tx.Get(subjects, e.Subject, &doc); err != nil {
		return err
	}
	held := doc.heldUntil(now)
	if held.IsZero() {
		return v.destroy(tx, id, e, now)
	}
	e.Due, e.Until = held.UnixMicro(), held.UnixMicro()
	return tx.Put(erasures, id, e)
}

// Erasure returns an erasure by its id. NotFound when there is none, or it has been final for years.
func (v *Vault) Erasure(ctx context.Context, id string) (Erasure, error) {
	if !leafForm.MatchString(id) {
		return Erasure{}, fault.New(fault.Invalid, "looking for an erasure: not the id of one")
	}
	var e erasureDoc
	if err := v.Store.Get(ctx, erasures, id, &e); err != nil {
		return Erasure{}, err
	}
	return e.view(id), nil
}

// day is a date as records show it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func compare(a, b string) int { return cmp.Compare(a, b) }

// latest returns the later of two times, in UTC.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		a = b
	}
	return a.UTC()
}
