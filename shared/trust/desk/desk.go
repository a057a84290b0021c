// Package desk is what duties, statements and exceptions stand on: where somebody's word is kept, and how it becomes
// evidence that names nobody.
//
// It promises that a record leaves with the policy's digest, and that ids made from a nonce cannot be guessed. It decides
// nothing, and knows nothing of what is decided on it.
package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"slices"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/notice"
)

// Desk is what a service that takes people's word needs. Store and Box must be of the same database.
type Desk struct {
	Store  store.Store
	Box    *outbox.Box
	Policy *policy.Policy
	Digest string // of the policy, named in records
	// Commit makes the commitment that stands for a person in records of this month. It is called outside transactions.
	Commit func(ctx context.Context, person string, now time.Time) (record.Subject, error)
	Notify func(b *outbox.Batch, n notice.Notice) error // puts a message into the batch; called inside transactions
	Random io.Reader                                    // nil means crypto/rand
}

// Complete returns the desk with what may be left out filled in, or Misconfigured when a part is missing.
func (d Desk) Complete() (Desk, error) {
	if d.Store == nil || d.Box == nil || d.Policy == nil || d.Commit == nil || d.Notify == nil {
		return d, fault.New(fault.Misconfigured, "taking people's word: store, outbox, policy, commitments and notices are all needed")
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	return d, nil
}

// Nonce returns a word that keeps the ids of records from being guessed: they are made from it, and it stays in the
// store. Transient: no random bytes.
func (d Desk) Nonce() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(d.Random, b[:]); err != nil {
		return "", fault.New(fault.Transient, "taking somebody's word: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Put puts records into the batch. Invalid: one cannot be written.
func (d Desk) Put(b *outbox.Batch, records ...record.Record) error {
	for _, r := range records {
		r.Config = d.Digest
		if err := r.Put(b); err != nil {
			return err
		}
	}
	return nil
}

// Holders returns the ids of the people who may do something now, but for some.
func (d Desk) Holders(may func(policy.Person) bool, now time.Time, but ...string) []string {
	var ids []string
	for _, p := range d.Policy.People {
		if may(p) && p.Active(now) && !slices.Contains(but, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
