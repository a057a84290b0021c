package otp

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// What one step of wrapping again looks at: each secret under an older version takes two calls of the key service, of some tens
// of milliseconds each, and a step fits a request.
const (
	RewrapPeople = 25
	RewrapTokens = 100
)

// Where a step is: among people's accounts, then in the stock of hardware tokens.
const (
	rewrapPeople = "people/"
	rewrapStock  = "stock/"
)

// Rewrap is what one step came to.
type Rewrap struct {
	Moved  int    // secrets that the present version of the master key wraps now, and did not before
	Closed int    // secrets that do not open: altered, or wrapped by a version that is disabled or destroyed
	Next   string // where the next step goes on; "" when all were looked at
}

// RewrapStep has data keys that an older version of the master key wraps wrapped by its present one: of people's secrets, of those
// in stock, and of the key of the digests. It begins at after, "" for the beginning, and looks at RewrapPeople people or
// RewrapTokens tokens. Said again it moves nothing twice, and it may run beside checks: what is sealed does not change. One that
// does not open stops no other. Code body_invalid: after is no Next.
func (s *Service) RewrapStep(ctx context.Context, after string, meta Meta, now time.Time) (Rewrap, error) {
	_, present, err := s.Keys.Wrap(ctx, make([]byte, seal.KeyBytes), stockBound("present")) // only to learn which version wraps
	if err != nil {
		return Rewrap{}, fmt.Errorf("asking for the present version of the key: %w", err)
	}
	w := &rewrapper{s: s, present: present, meta: meta, now: now}
	if after == "" {
		after = rewrapPeople
	}
	if id, ok := strings.CutPrefix(after, rewrapPeople); ok && placed(id) {
		page, err := w.page(ctx, Accounts, id, RewrapPeople)
		for i := 0; i < len(page) && err == nil; i++ {
			err = w.person(ctx, page[i])
		}
		if w.done.Next = rewrapStock; len(page) == RewrapPeople {
			w.done.Next = rewrapPeople + page[RewrapPeople-1].ID
		}
		return w.done, err
	}
	id, ok := strings.CutPrefix(after, rewrapStock)
	if !ok || !placed(id) {
		return Rewrap{}, fault.Refuse(fault.Invalid, "body_invalid", "after: is no place where a step ended.", "Give the next of the step before, or nothing to begin.")
	}
	if id == "" {
		if err := w.digestKey(ctx); err != nil {
			return w.done, err
		}
	}
	page, err := w.page(ctx, Tokens, id, RewrapTokens)
	if err == nil {
		err = w.tokens(ctx, page)
	}
	if len(page) == RewrapTokens {
		w.done.Next = rewrapStock + page[RewrapTokens-1].ID
	}
	return w.done, err
}

// placed reports whether what a caller gave can be the id of a document, or none.
func placed(id string) bool { return len(id) <= 128 && !strings.ContainsAny(id, "/\x00") }

// rewrapper is one step.
type rewrapper struct {
	s       *Service
	present string // version of the master key that wraps now
	meta    Meta
	now     time.Time
	done    Rewrap
}

// wrap returns an envelope as the present version wraps it, nil where it need not or cannot be wrapped again.
func (w *rewrapper) wrap(ctx context.Context, old *seal.Envelope, bound []byte) (*seal.Envelope, error) {
	if old == nil || old.Key == w.present {
		return nil, nil
	}
	fresh, err := seal.Rewrap(ctx, w.s.Keys, *old, bound)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Misconfigured) {
		w.done.Closed++
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wrapping a secret again: %w", err)
	}
	return &fresh, nil
}

// held reports whether an envelope still holds what a fresh one does: what was replaced meanwhile stays as it is.
func held(old, fresh *seal.Envelope) bool {
	return old != nil && fresh != nil && bytes.Equal(old.Sealed, fresh.Sealed)
}

// page reads what comes behind an id.
func (w *rewrapper) page(ctx context.Context, collection, id string, limit int) ([]store.Document, error) {
	query := store.Query{Collection: collection, Limit: limit}
	if id != "" {
		query.After = &store.Cursor{ID: id}
	}
	page, err := w.s.Store.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("reading what is sealed: %w", err)
	}
	return page, nil
}

// person wraps the secrets of one account again.
func (w *rewrapper) person(ctx context.Context, document store.Document) error {
	var acc Account
	if err := document.Decode(&acc); err != nil {
		return err
	}
	fresh := map[string]*seal.Envelope{}
	for _, a := range acc.Authenticators {
		env, err := w.wrap(ctx, a.Envelope, binding(acc.Person, a.ID, a.Seal))
		if err != nil {
			return err
		}
		if env != nil {
			fresh[a.ID] = env
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	moved := 0
	err := w.s.change(ctx, acc.Person, nil, w.meta, w.now, Rewrapped, func(e *edit) error {
		moved = 0
		for i := range e.acc.Authenticators {
			if a := &e.acc.Authenticators[i]; held(a.Envelope, fresh[a.ID]) {
				a.Envelope = fresh[a.ID]
				moved++
			}
		}
		if moved == 0 {
			return nil
		}
		if err := e.save(); err != nil {
			return err
		}
		return w.evidence(e.acc, "", moved).Put(e.batch)
	})
	switch {
	case fault.Is(err, fault.NotFound): // the account went meanwhile, and its secrets with it
		return nil
	case err != nil:
		return fmt.Errorf("storing what was wrapped again: %w", err)
	}
	w.done.Moved += moved
	return nil
}

// tokens wraps the secrets of tokens in stock again, all of a page in one transaction. One that is given out meanwhile stays as it
// is: its secret has left the stock.
func (w *rewrapper) tokens(ctx context.Context, page []store.Document) error {
	fresh := map[string]*seal.Envelope{}
	var ids []string
	for _, document := range page {
		var kept HardwareToken
		if err := document.Decode(&kept); err != nil {
			return err
		}
		env, err := w.wrap(ctx, kept.Envelope, stockBound(kept.File))
		if err != nil {
			return err
		}
		if env != nil {
			fresh[document.ID], ids = env, append(ids, document.ID)
		}
	}
	return w.unowned(ctx, ids, func(tx store.Tx, id string) (any, error) {
		var token HardwareToken
		err := tx.Get(Tokens, id, &token)
		if err != nil || !held(token.Envelope, fresh[id]) {
			return nil, err
		}
		token.Envelope = fresh[id]
		return token, nil
	}, Tokens)
}

// digestKey wraps the key of the seed digests again, where there is one.
func (w *rewrapper) digestKey(ctx context.Context) error {
	var kept sealedKey
	err := w.s.Store.Get(ctx, Seeds, digestKeyID, &kept)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the key of the seed digests: %w", err)
	}
	env, err := w.wrap(ctx, kept.Envelope, digestBound)
	if env == nil || err != nil {
		return err
	}
	kept.Envelope = env // the key itself never changes: whoever writes last writes the same
	return w.unowned(ctx, []string{digestKeyID}, func(store.Tx, string) (any, error) { return kept, nil }, Seeds)
}

// unowned stores documents that belong to nobody as current makes them, nil for one that is not what it was, and puts on record how
// many there were.
func (w *rewrapper) unowned(ctx context.Context, ids []string, current func(tx store.Tx, id string) (any, error), collection string) error {
	if len(ids) == 0 {
		return nil
	}
	moved := 0
	err := w.s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		write := map[string]any{}
		for _, id := range ids {
			document, err := current(tx, id)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if document != nil && err == nil {
				write[id] = document
			}
		}
		var actor Account
		if err := tx.Get(Accounts, w.meta.Actor, &actor); err != nil && !fault.Is(err, fault.NotFound) {
			return err // no account: no mark to name her by
		}
		if moved = len(write); moved == 0 {
			return nil
		}
		for id, document := range write {
			if err := tx.Put(collection, id, document); err != nil {
				return err
			}
		}
		e := w.evidence(Account{}, ids[0], moved)
		if len(actor.Salt) > 0 {
			e.Subjects = append(e.Subjects, record.Subject{Type: "actor", C: actor.subject(w.now)})
		}
		return e.Put(batch)
	})
	if err != nil {
		return fmt.Errorf("storing what was wrapped again: %w", err)
	}
	w.done.Moved += moved
	return nil
}

// evidence says how many secrets were wrapped again, by which version of the key; whose, and by whom, as marks. first tells what
// was done in one request apart.
func (w *rewrapper) evidence(acc Account, first string, secrets int) record.Record {
	e := Result{Wrap: w.present, Authenticator: first}.Record(acc, Rewrapped, w.meta, w.now, w.s.Policy, w.s.Promises...)
	delete(e.Facts, "authenticator")
	e.Facts["secrets"] = strconv.Itoa(secrets)
	return e
}
