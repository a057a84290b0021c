package otp

import (
	"context"
	"slices"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// edit is one change of one account inside a transaction: read, decide, write at the end.
type edit struct {
	s      *Service
	tx     store.Tx
	batch  *outbox.Batch
	meta   Meta
	now    time.Time
	action Action

	acc     Account
	subject string // as it was stored
	ended   []Ended
}

// change opens a person's account in a transaction and runs fn on it; fn ends by saving or concluding. With salt,
// an account that does not exist is begun with it. fn may run more than once.
func (s *Service) change(ctx context.Context, person string, salt []byte, meta Meta, now time.Time, action Action, fn func(e *edit) error) error {
	return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		e := &edit{s: s, tx: tx, batch: batch, meta: meta, now: now, action: action}
		if err := e.open(person, salt); err != nil {
			return err
		}
		return fn(e)
	})
}

// attempt opens the account of a person who tries a code and concludes what fn makes of it. A person without an
// account is a result too, and recorded.
func (e *edit) attempt(person string, fn func(e *edit) (Result, error)) (Result, error) {
	err := e.open(person, nil)
	if fault.Is(err, fault.NotFound) {
		result := Result{Outcome: Unknown}
		return result, e.record(result)
	}
	if err != nil {
		return Result{}, err
	}
	result, err := fn(e)
	if err != nil {
		return Result{}, err
	}
	return result, e.conclude(result)
}

// attempt is edit.attempt in a transaction of its own.
func (s *Service) attempt(ctx context.Context, person string, meta Meta, now time.Time, action Action, fn func(e *edit) (Result, error)) (Result, error) {
	var result Result
	err := s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) (err error) {
		e := &edit{s: s, tx: tx, batch: batch, meta: meta, now: now, action: action}
		result, err = e.attempt(person, fn)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// open reads the account, binds it to the person's sign-in account and drops what its time ended.
func (e *edit) open(person string, salt []byte) error {
	err := e.tx.Get(Accounts, person, &e.acc)
	if fault.Is(err, fault.NotFound) && salt != nil {
		e.acc, err = NewAccount(person, salt), nil
	}
	if err != nil {
		return err
	}
	e.subject = e.acc.Subject
	if e.acc, err = e.acc.BoundTo(e.meta.Subject); err != nil {
		return err
	}
	e.ended = e.acc.tidy(e.now)
	return nil
}

func (e *edit) save() error {
	if err := e.tx.Put(Accounts, e.acc.Person, e.acc); err != nil {
		return err
	}
	for _, ended := range e.ended {
		if err := e.tx.Put(Former, ended.Authenticator.ID, ended); err != nil {
			return err
		}
	}
	return nil
}

// end moves an authenticator into the history and tells the person.
func (e *edit) end(i int, why Reason) error {
	ended := e.acc.end(i, why, e.now)
	e.ended = append(e.ended, ended)
	return e.notify(AuthenticatorRemoved, ended.Authenticator.ID, map[string]string{
		"name": ended.Authenticator.Name, "why": string(why),
	})
}

// saved stores the account with the record of an event that is no attempt.
func (e *edit) saved(authenticator string) error {
	if err := e.save(); err != nil {
		return err
	}
	return e.record(Result{Authenticator: authenticator})
}

// conclude stores the outcome of an attempt with its record and its notices. An attempt that was not evaluated
// leaves the account alone: a flood of them contends for nothing.
func (e *edit) conclude(r Result) error {
	idle := []Outcome{Waiting, Locked, Unknown}
	if !slices.Contains(idle, r.Outcome) || e.subject != e.acc.Subject || len(e.ended) > 0 {
		if err := e.save(); err != nil {
			return err
		}
	}
	if err := e.announce(r); err != nil {
		return err
	}
	return e.record(r)
}
