package otp

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"io"
	"net/netip"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Config is what a Service needs. Store and Box must be of the same database.
type Config struct {
	Store    store.Store
	Box      *outbox.Box
	Keys     seal.Keys
	Random   io.Reader // secrets, salts, tokens and ids; nil means crypto/rand
	Rules    Rules
	Notify   func(b *outbox.Batch, n Notice) error // puts a message into the batch; called inside transactions
	Promises []string                              // ids of the promises the evidence counts for
	Policy   string                                // digest of the policy in force, named in the evidence
}

// Service binds and checks authenticators. It is safe for concurrent use. Its methods return refusals meant for
// the caller as *fault.Error with a code; every other error is internal. On an error nothing was changed.
type Service struct {
	Config
	hashing chan struct{} // bounds the memory that slow hashing takes
	cost    argonCost     // of new recovery codes
}

// New returns a Service, or Misconfigured when a part is missing or a rule is outside its bounds.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Keys == nil || c.Notify == nil {
		return nil, fault.New(fault.Misconfigured, "one-time passwords: store, outbox, keys and notices are all needed")
	}
	if err := c.Rules.Validate(); err != nil {
		return nil, err
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Service{Config: c, hashing: make(chan struct{}, 2), cost: defaultCost}, nil
}

// Meta is what is known of a request beside its content.
type Meta struct {
	Request string       // id the server gave the request; never used for another
	Source  netip.Prefix // where it came from; the zero value when unknown
	Subject string       // the person's own sign-in account; "" when somebody else acts
	Actor   string       // id of the person or service that acts, when it is not the person
	Via     string       // what woke the function: "http", which "" means, or "scheduler"
}

func (m Meta) source() string {
	if m.Source.IsValid() {
		return m.Source.String()
	}
	return ""
}

// read returns a person's account outside a transaction.
func (s *Service) read(ctx context.Context, person string) (Account, error) {
	var acc Account
	err := s.Store.Get(ctx, Accounts, person, &acc)
	return acc, err
}

// CheckOnce checks a code for a caller that grants nothing in the same transaction: it unlocks, decides, and
// stores the failure or the consumed step before it returns. A refusal is a Result, not an error; on an error
// nothing was consumed or counted, and nothing may be granted.
func (s *Service) CheckOnce(ctx context.Context, person, code string, meta Meta, now time.Time) (Result, error) {
	var result Result
	err := again(func() error {
		ring, err := s.Unlock(ctx, person)
		if fault.Is(err, fault.NotFound) {
			s.Decoy(ctx, code, now)
		} else if err != nil {
			return err
		}
		defer ring.Wipe()
		return s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) (err error) {
			result, err = s.Attempt(tx, batch, ring, person, code, meta, now)
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// Attempt is Check with everything that belongs to it, inside the caller's transaction: it reads the account,
// decides, stores, records the attempt and gives notice. The caller must have done its own reads before, and its
// writes must depend on Result.Granted. ErrStale: end the transaction with it, unlock and start again, once.
func (s *Service) Attempt(tx store.Tx, b *outbox.Batch, ring *Ring, person, code string, meta Meta, now time.Time) (Result, error) {
	e := &edit{s: s, tx: tx, batch: b, meta: meta, now: now, action: Checked}
	return e.attempt(person, func(e *edit) (result Result, err error) {
		e.acc, result, err = Check(e.acc, ring, code, now, s.Rules)
		return result, err
	})
}

// again repeats what failed because the account's secrets changed in between, once.
func again(fn func() error) error {
	err := fn()
	if errors.Is(err, ErrStale) {
		err = fn()
	}
	return err
}

// Decoy does the work of a check for a person without an account: it asks the key service for something that
// does not open, and searches a window. A stranger's stopwatch sees about the same as for a known person.
func (s *Service) Decoy(ctx context.Context, code string, now time.Time) {
	junk := make([]byte, 2*seal.KeyBytes)
	_, _ = io.ReadFull(s.Random, junk)
	_, _ = s.Keys.Unwrap(ctx, junk, binding("", "", 0)) // never opens; only the time it takes is wanted
	a := Authenticator{Kind: TOTP, Profile: Phone, Floor: -1, State: Active}
	digits, _ := Parse(code, MinDigits, MinDigits+1, MaxDigits)
	a.look(NewKey(SHA1, junk, MinDigits), digits, now)
}

// known is read for a caller that names an authenticator: without an account there is none.
func (s *Service) known(ctx context.Context, person string) (Account, error) {
	acc, err := s.read(ctx, person)
	if fault.Is(err, fault.NotFound) {
		return acc, unknownAuthenticator()
	}
	return acc, err
}

// bytes returns n random bytes.
func (s *Service) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return nil, fault.New(fault.Transient, "reading random bytes: %w", err)
	}
	return b, nil
}

// id returns a random name of 80 bits.
func (s *Service) id() (string, error) {
	b, err := s.bytes(10)
	return strings.ToLower(base32NoPad.EncodeToString(b)), err
}

var base32NoPad = base32.StdEncoding.WithPadding(base32.NoPadding)
