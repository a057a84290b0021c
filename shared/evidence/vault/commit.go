package vault

import (
	"context"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// saltDoc is a subject's salt of one month.
type saltDoc struct {
	V          int    `json:"v"`
	Generation string `json:"generation"`
	Sealed     []byte `json:"sealed"`
}

// Commit returns the commitment by which a record names the subject: equal for every call within a calendar month of
// UTC, of now, until the subject is erased. The month's salt is made when it is first asked for. It is called before
// the control's own transaction; that a commitment is made and never used does no harm.
func (v *Vault) Commit(ctx context.Context, s Subject, now time.Time) (record.Subject, error) {
	var c string
	err := v.with(ctx, s, true, func(o opened) error {
		salt, err := v.salt(ctx, o, now.UTC().Format("2006-01"))
		c = record.Commitment(salt, s.Type, s.ID)
		clear(salt)
		return err
	})
	if err != nil {
		return record.Subject{}, err
	}
	return record.Subject{Type: s.Type, C: c}, nil
}

// salt returns the subject's salt of a month.
func (v *Vault) salt(ctx context.Context, o opened, month string) ([]byte, error) {
	id, place := o.subject+"."+month, "salt "+month
	var doc saltDoc
	err := v.Store.Get(ctx, salts, id, &doc)
	switch {
	case err != nil && !fault.Is(err, fault.NotFound):
		return nil, err
	case err == nil && doc.Generation == o.generation:
		return o.open(place, doc.Sealed)
	}
	salt, err := v.random(saltBytes)
	if err != nil {
		return nil, err
	}
	fresh := saltDoc{V: version, Generation: o.generation}
	if fresh.Sealed, err = o.seal(v.Random, place, salt); err != nil {
		return nil, err
	}
	err = v.Store.Tx(ctx, func(tx store.Tx) error {
		if _, err := o.same(tx); err != nil {
			return err
		}
		doc = saltDoc{}
		err := tx.Get(salts, id, &doc)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case err == nil && doc.Generation == o.generation:
			return nil // a rival was first
		}
		doc = fresh
		return tx.Put(salts, id, fresh)
	})
	if err != nil {
		return nil, err
	}
	return o.open(place, doc.Sealed)
}
