package vault

import (
	"bytes"
	"context"
	"errors"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// payloadDoc is one sealed payload with its salt before it; or, without a generation, what an erasure left of it.
type payloadDoc struct {
	V          int        `json:"v"`
	Generation string     `json:"generation,omitempty"`
	Leaf       string     `json:"leaf,omitempty"`
	C          string     `json:"c,omitempty"`
	Bytes      int64      `json:"bytes,omitempty"`
	Sealed     []byte     `json:"sealed,omitempty"`
	Expires    *time.Time `json:"expires"`
}

var (
	// ErrErased says that this very payload was erased: it is not taken again while its erasure is pending, so that an
	// event that is delivered late does not bring back what somebody had a right to see gone. Its kind is Denied.
	ErrErased = fault.New(fault.Denied, "keeping a payload: it was erased")

	errOther = errors.New("other bytes are kept under this id")
)

// Put seals a payload for a subject and returns what the record says about it. id is the id of that record
// (record.Record.ID, which does not depend on the payload). The same bytes again give the same answer; other bytes are
// Conflict. The payload is kept for Config.Retention, or to the end of a legal hold if that is later.
func (v *Vault) Put(ctx context.Context, s Subject, id string, payload []byte, now time.Time) (record.Payload, error) {
	if !leafForm.MatchString(id) || len(payload) == 0 || len(payload) > MaxPayload {
		return record.Payload{}, fault.New(fault.Invalid, "keeping a payload of %d bytes: at most %d, under the id of a record", len(payload), MaxPayload)
	}
	var kept payloadDoc
	err := v.with(ctx, s, true, func(o opened) (err error) {
		kept, err = v.put(ctx, o, id, payload, now)
		return err
	})
	if errors.Is(err, errOther) {
		err = fault.New(fault.Conflict, "keeping a payload: %w", errOther)
	}
	if err != nil {
		return record.Payload{}, err
	}
	return record.Payload{C: kept.C, Bytes: kept.Bytes}, nil
}

func (v *Vault) put(ctx context.Context, o opened, id string, payload []byte, now time.Time) (payloadDoc, error) {
	fresh, err := v.sealed(o, id, payload)
	if err != nil {
		return payloadDoc{}, err
	}
	doc, name := payloadDoc{}, o.subject+"."+id
	err = v.Store.Tx(ctx, func(tx store.Tx) error {
		subject, err := o.same(tx)
		if err != nil {
			return err
		}
		doc = payloadDoc{}
		err = tx.Get(payloads, name, &doc)
		switch {
		case err == nil && doc.Generation == "":
			return ErrErased
		case err == nil && doc.Generation == o.generation:
			return nil // compared below
		case err == nil:
			return ErrErased // its erasure has not come to it yet
		case !fault.Is(err, fault.NotFound):
			return err
		}
		doc = fresh
		ends := latest(now.Add(v.Retention), subject.heldUntil(now))
		doc.Expires = &ends
		return tx.Create(payloads, name, doc)
	})
	if err != nil {
		return payloadDoc{}, err
	}
	_, there, err := o.payload(id, doc)
	if err == nil && !bytes.Equal(there, payload) {
		err = errOther
	}
	return doc, err
}

// sealed makes the document of a payload.
func (v *Vault) sealed(o opened, id string, payload []byte) (payloadDoc, error) {
	salt, err := v.random(saltBytes)
	if err != nil {
		return payloadDoc{}, err
	}
	doc := payloadDoc{V: version, Generation: o.generation, Leaf: id, C: record.Commitment(salt, "payload", string(payload)), Bytes: int64(len(payload))}
	doc.Sealed, err = o.seal(v.Random, "payload "+id, append(salt, payload...))
	return doc, err
}

// payload opens a document.
func (o opened) payload(id string, doc payloadDoc) (salt, payload []byte, err error) {
	plain, err := o.open("payload "+id, doc.Sealed)
	if err != nil {
		return nil, nil, err
	}
	if len(plain) < saltBytes {
		return nil, nil, fault.New(fault.Invalid, "opening a payload: it holds %d bytes", len(plain))
	}
	return plain[:saltBytes], plain[saltBytes:], nil
}

// Open returns a payload. NotFound when there is none, or none any more.
func (v *Vault) Open(ctx context.Context, s Subject, id string) ([]byte, error) {
	_, payload, err := v.Disclose(ctx, s, id)
	return payload, err
}

// Disclose returns a payload with its salt: whoever has both can check the commitment in the record, which is
// record.Commitment(salt, "payload", string(payload)). Errors are those of Open.
func (v *Vault) Disclose(ctx context.Context, s Subject, id string) (salt, payload []byte, err error) {
	if !leafForm.MatchString(id) {
		return nil, nil, fault.New(fault.Invalid, "opening a payload: not the id of a record")
	}
	err = v.with(ctx, s, false, func(o opened) error {
		var doc payloadDoc
		err := v.Store.Get(ctx, payloads, o.subject+"."+id, &doc)
		if err == nil && doc.Generation != o.generation {
			err = fault.New(fault.NotFound, "opening a payload: it was erased")
		}
		if err == nil {
			salt, payload, err = o.payload(id, doc)
		}
		return err
	})
	return salt, payload, err
}
