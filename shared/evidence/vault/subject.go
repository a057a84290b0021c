package vault

import (
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

const version = 1

// subjectDoc is what is kept of one subject. After an erasure it stays for a while without a key, so that a second
// request finds the first.
type subjectDoc struct {
	V          int        `json:"v"`
	Generation string     `json:"generation,omitempty"` // random, of the data key; empty: erased
	Wrapped    []byte     `json:"wrapped,omitempty"`    // the data key
	Key        string     `json:"key,omitempty"`        // version of the key that wrapped it
	Holds      []holdDoc  `json:"holds,omitempty"`
	Erasure    string     `json:"erasure,omitempty"` // the one that waits for a hold to end, or has taken the key
	Expires    *time.Time `json:"expires,omitempty"`
}

// errMoved says that the subject's data key is not the one that was unwrapped: an erasure came between.
var errMoved = errors.New("the subject's data key has changed")

// attempts is how often one call begins again because of an erasure or of a rival that made the same thing.
const attempts = 5

// with runs fn with the subject's data key until it does not meet an erasure. It makes a key where create is set;
// otherwise NotFound without one.
func (v *Vault) with(ctx context.Context, s Subject, create bool, fn func(opened) error) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	for range attempts {
		var o opened
		if o, err = v.unwrap(ctx, key, create); err == nil {
			err = fn(o)
			o.wipe()
		}
		if !errors.Is(err, errMoved) && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Transient, "using a subject's data key: it changed %d times meanwhile", attempts)
}

// unwrap returns the data key of a subject.
func (v *Vault) unwrap(ctx context.Context, subject string, create bool) (opened, error) {
	var doc subjectDoc
	err := v.Store.Get(ctx, subjects, subject, &doc)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return opened{}, err
	}
	if doc.Generation == "" {
		if !create {
			return opened{}, fault.New(fault.NotFound, "opening a subject: nothing is kept of it")
		}
		if doc, err = v.begin(ctx, subject); err != nil {
			return opened{}, err
		}
	}
	plain, err := v.Keys.Unwrap(ctx, doc.Wrapped, bound(subject, doc.Generation))
	if err != nil {
		return opened{}, err
	}
	if len(plain) != seal.KeyBytes {
		seal.Wipe(plain)
		return opened{}, fault.New(fault.Invalid, "unwrapping a subject's data key: %d bytes", len(plain))
	}
	return opened{subject, doc.Generation, plain}, nil
}

// begin makes a data key for a subject without one, and returns the key that is kept: a rival's, if it was first.
func (v *Vault) begin(ctx context.Context, subject string) (subjectDoc, error) {
	generation, err := v.name()
	if err != nil {
		return subjectDoc{}, err
	}
	plain, err := v.random(seal.KeyBytes)
	if err != nil {
		return subjectDoc{}, err
	}
	defer seal.Wipe(plain)
	fresh := subjectDoc{V: version, Generation: generation}
	if fresh.Wrapped, fresh.Key, err = v.Keys.Wrap(ctx, plain, bound(subject, generation)); err != nil {
		return subjectDoc{}, err
	}
	var kept subjectDoc
	err = v.Store.Tx(ctx, func(tx store.Tx) error {
		kept = subjectDoc{}
		if err := tx.Get(subjects, subject, &kept); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if kept.Generation != "" {
			return nil
		}
		kept = fresh
		return tx.Put(subjects, subject, kept)
	})
	return kept, err
}

// same reads the subject in a transaction and holds it to the data key that was unwrapped before; errMoved otherwise.
func (o opened) same(tx store.Tx) (subjectDoc, error) {
	var doc subjectDoc
	err := tx.Get(subjects, o.subject, &doc)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return doc, err
	}
	if err != nil || doc.Generation != o.generation {
		return doc, errMoved
	}
	return doc, nil
}
