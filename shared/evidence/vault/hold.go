package vault

import (
	"context"
	"regexp"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Reason is why a legal hold stands; a record shows it.
type Reason string

// Reasons of GDPR article 17(3) that apply to evidence.
const (
	ForLaw    Reason = "gdpr-17-3-b" // a law demands that it is kept
	ForClaims Reason = "gdpr-17-3-e" // legal claims are made, exercised or defended
)

// Hold keeps a subject from being erased.
type Hold struct {
	ID     string // 1 to 64 small letters, digits and hyphens; the caller's own
	Reason Reason
	Until  time.Time // exclusive; at most MaxHold ahead, then it is set anew
}

// holdDoc is a hold within its subject's document.
type holdDoc struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // random: records are named after it, as ID may be guessed
	Reason Reason `json:"reason"`
	Until  int64  `json:"until"` // microseconds
}

const maxHolds = 16

var holdForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// heldUntil returns when the last hold in force ends; zero when none is.
func (d subjectDoc) heldUntil(now time.Time) time.Time {
	var last int64
	for _, h := range d.Holds {
		last = max(last, h.Until)
	}
	if last <= now.UnixMicro() {
		return time.Time{}
	}
	return time.UnixMicro(last).UTC()
}

// Hold puts off the erasure of a subject, and the end of its payloads, to the hold's end; a record tells reason and end.
// The same id again changes the hold. It is Invalid outside its limits, Exhausted with 16 holds. What
// was erased before is not brought back.
func (v *Vault) Hold(ctx context.Context, s Subject, h Hold, now time.Time) error {
	if !holdForm.MatchString(h.ID) || h.Reason != ForLaw && h.Reason != ForClaims || !h.Until.After(now) || h.Until.After(now.Add(MaxHold)) {
		return fault.New(fault.Invalid, "holding a subject: id, reason or end is not of the allowed form")
	}
	name, err := v.name()
	if err != nil {
		return err
	}
	return v.with(ctx, s, true, func(o opened) error {
		err := v.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
			doc, err := o.same(tx)
			if err != nil {
				return err
			}
			return v.hold(tx, batch, o.subject, doc, holdDoc{h.ID, name, h.Reason, h.Until.UnixMicro()}, now)
		})
		if err != nil {
			return err
		}
		return v.prolong(ctx, o, h.Until)
	})
}

// hold writes a hold into its subject's document.
func (v *Vault) hold(tx store.Tx, batch *outbox.Batch, key string, doc subjectDoc, h holdDoc, now time.Time) error {
	over := func(other holdDoc) bool { return other.Until <= now.UnixMicro() && other.ID != h.ID }
	doc.Holds = slices.DeleteFunc(slices.Clone(doc.Holds), over)
	at := slices.IndexFunc(doc.Holds, func(other holdDoc) bool { return other.ID == h.ID })
	switch {
	case at < 0 && len(doc.Holds) >= maxHolds:
		return fault.New(fault.Exhausted, "holding a subject: it has %d holds", maxHolds)
	case at < 0:
		doc.Holds = append(doc.Holds, h)
	case doc.Holds[at].Reason == h.Reason && doc.Holds[at].Until == h.Until:
		return nil
	default:
		doc.Holds[at] = h
	}
	until := time.UnixMicro(h.Until)
	r := v.begun("hold "+h.Name, now)
	r.Result.State = record.Exempt
	r.Facts = map[string]string{"step": "held", "reason": string(h.Reason), "until": day(until)}
	r.Expires = until
	if err := r.Put(batch); err != nil {
		return err
	}
	return tx.Put(subjects, key, doc)
}

// prolong keeps the payloads that are there to the end of a hold; Put keeps those that come later.
func (v *Vault) prolong(ctx context.Context, o opened, until time.Time) error {
	q := store.Query{Collection: payloads, Equal: []store.Field{{Name: "generation", Value: o.generation}}, Limit: perTransaction}
	for {
		found, err := v.Store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range found {
			if err := v.Store.Tx(ctx, func(tx store.Tx) error {
				var doc payloadDoc
				err := tx.Get(payloads, d.ID, &doc)
				if fault.Is(err, fault.NotFound) {
					return nil
				}
				if err != nil || doc.Generation != o.generation || !doc.Expires.Before(until) {
					return err
				}
				ends := until.UTC()
				doc.Expires = &ends
				return tx.Put(payloads, d.ID, doc)
			}); err != nil {
				return err
			}
		}
		if len(found) < q.Limit {
			return nil
		}
		q.After = &store.Cursor{ID: found[len(found)-1].ID}
	}
}

// Release ends a hold before its time; a record tells it. An erasure that waited is due at once, with the next Tick.
// NotFound when there is no such hold.
func (v *Vault) Release(ctx context.Context, s Subject, id string, now time.Time) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	return v.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var doc subjectDoc
		if err := tx.Get(subjects, key, &doc); err != nil {
			return err
		}
		at := slices.IndexFunc(doc.Holds, func(h holdDoc) bool { return h.ID == id })
		if at < 0 {
			return fault.New(fault.NotFound, "releasing a subject: there is no such hold")
		}
		var waiting erasureDoc
		if doc.Erasure != "" {
			if err := tx.Get(erasures, doc.Erasure, &waiting); err != nil {
				return err
			}
		}
		h := doc.Holds[at]
		doc.Holds = slices.Delete(slices.Clone(doc.Holds), at, at+1)
		r := v.begun("release "+h.Name, now)
		r.Result.State = record.Pass
		r.Facts = map[string]string{"step": "released", "reason": string(h.Reason)}
		if err := r.Put(batch); err != nil {
			return err
		}
		if waiting.State == Waiting {
			waiting.Due = now.UnixMicro() // Tick looks whether another hold stands
			if err := tx.Put(erasures, doc.Erasure, waiting); err != nil {
				return err
			}
		}
		return tx.Put(subjects, key, doc)
	})
}
