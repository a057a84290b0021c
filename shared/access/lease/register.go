package lease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// MaxKey is the longest idempotency key, in bytes.
const MaxKey = 128

// Request asks for a lease. Whoever calls has proved the person's identity and standing before.
type Request struct {
	Person   string         // id in the policy
	Zone     *time.Location // the person's own, from the policy
	Subject  string         // of the person's sign-in account
	TwoStep  string         // what may be said of 2-step verification at the sign-in: "used" or "enforced"
	Address  netip.Addr     // as observed, never as claimed
	Code     string         // as typed
	Key      string         // chosen by the client: 1 to MaxKey printable ASCII characters
	BodyHash string         // of the request's body: the same key with another body is refused
	ID       string         // the server's own id of the request
	// Replaces is the id of the person's lease that the device at hand had a moment ago: it ends once the new one is
	// confirmed, and no other device does. One that is over, or of another person, is ignored.
	Replaces string
	// Elsewhere reads, within the transaction, from which address another device of the person asked to be let in; that
	// one is registered in place of Address. nil: the device at hand. An error refuses and uses no code up.
	Elsewhere func(tx store.Tx) (netip.Addr, error)
	// Granted writes, within the transaction, what goes with the lease once the code was right; nil: nothing.
	Granted func(tx store.Tx, l Lease) error
}

// registration is the outcome of a request whose code was evaluated, by person and idempotency key.
type registration struct {
	V        int       `json:"v"`
	Body     string    `json:"body"`
	Lease    *Lease    `json:"lease,omitempty"` // as it was answered
	Refused  *refusal  `json:"refused,omitempty"`
	Finished time.Time `json:"finished"`
	Expires  time.Time `json:"expires"`
}

type refusal struct {
	Kind       fault.Kind    `json:"kind"`
	Status     int           `json:"status"`
	Code       string        `json:"code"`
	Detail     string        `json:"detail"`
	Next       string        `json:"next"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
}

// keyLife is how long an outcome is remembered: longer than any lease.
const keyLife = maxLongLife + time.Hour

func (r registration) answer() (Lease, error) {
	if r.Refused == nil {
		return *r.Lease, nil
	}
	e := refuse(r.Refused.Kind, r.Refused.Status, r.Refused.Code, r.Refused.Detail, r.Refused.Next)
	e.RetryAfter = r.Refused.RetryAfter
	return Lease{}, e
}

// Register gives the person a lease for the observed address until her day is over. What needs no code is looked at
// first, so that a refusal burns none; then the code is checked and consumed in the one transaction that writes the
// lease. The same prefix on the same day is the same lease: the code is consumed, nothing is extended.
//
// The same key and body give the first outcome again, refusals of an evaluated code included, and evaluate nothing.
// Errors for the caller: codes address_refused, address_unknown, relay_refused, hosting_refused, person_limit,
// capacity_full, idempotency_mismatch, body_invalid, and those of otp.Result. Every other error is internal; then nothing was consumed or written.
func (s *Service) Register(ctx context.Context, r Request, now time.Time) (Lease, error) {
	if s.OTP == nil || r.Zone == nil {
		return Lease{}, fault.New(fault.Misconfigured, "registering: one-time passwords and the person's zone are both needed")
	}
	if !validKey(r.Key) {
		return Lease{}, refuse(fault.Invalid, 400, "body_invalid", "The Idempotency-Key is missing or not 1 to 128 printable ASCII characters.",
			"Send a new random key with each new request.")
	}
	lease, err := s.register(ctx, r, now)
	if errors.Is(err, otp.ErrStale) {
		lease, err = s.register(ctx, r, now)
	}
	return lease, err
}

func validKey(key string) bool {
	if len(key) < 1 || len(key) > MaxKey {
		return false
	}
	return !slices.ContainsFunc([]byte(key), func(c byte) bool { return c < ' ' || c > '~' })
}

func (s *Service) register(ctx context.Context, r Request, now time.Time) (Lease, error) {
	sites, err := s.Fixed(ctx)
	if err != nil {
		return Lease{}, fmt.Errorf("reading the fixed sites: %w", err)
	}
	room, err := s.space(ctx, sites, now)
	if err != nil {
		return Lease{}, err
	}
	ring, locked := s.OTP.Unlock(ctx, r.Person)
	defer ring.Wipe()
	if fault.Is(locked, fault.NotFound) {
		locked = nil // the check itself says that there is no authenticator
	}
	var outcome registration
	fresh := false
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		outcome, fresh = registration{}, false
		known, err := r.earlier(tx, &outcome)
		if known || err != nil {
			return err
		}
		a := attempt{sites: sites, s: s, tx: tx, batch: batch, r: r, now: now}
		if err := a.plan(room); err != nil {
			return err
		}
		// What went wrong with the key service matters only now: all that needs no code has been said.
		if locked != nil {
			return locked
		}
		outcome, fresh, err = a.conclude(ring)
		return err
	})
	if err != nil {
		return Lease{}, err
	}
	if fresh {
		s.room.taken()
	}
	return outcome.answer()
}

// earlier finds the outcome of the same request.
func (r Request) earlier(tx store.Tx, outcome *registration) (known bool, err error) {
	err = tx.Get(registrations, r.document(), outcome)
	switch {
	case fault.Is(err, fault.NotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for an earlier outcome: %w", err)
	case outcome.Body != r.BodyHash:
		return false, refuse(fault.Conflict, 409, "idempotency_mismatch", "This Idempotency-Key was used for another request.",
			"Send a new random key with each new request.")
	}
	return true, nil
}

// document is the id of the request's outcome. Hashed: a key may hold any character.
func (r Request) document() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(r.Person), r.Person, r.Key))
	return hex.EncodeToString(sum[:])
}

// attempt is one run of a registration's transaction.
type attempt struct {
	sites []access.Fixed
	s     *Service
	tx    store.Tx
	batch *outbox.Batch
	r     Request
	now   time.Time

	prefix  netip.Prefix
	where   network.Network
	account otp.Account
	terms   plan
}

// plan does all reads but the check's own, and every refusal that needs no code.
func (a *attempt) plan(room space) error {
	var err error
	registered := a.r.Address
	if a.r.Elsewhere != nil {
		if registered, err = a.r.Elsewhere(a.tx); err != nil {
			return err
		}
	}
	if a.prefix, a.where, err = a.s.place(registered); err != nil {
		return err
	}
	// Dates differ from UTC by a day at most, and leases last one more.
	mine, err := ofPerson(a.tx.Query, a.r.Person, a.now.Add(-recent))
	if err != nil {
		return err
	}
	if a.terms, err = decide(mine, a.prefix, a.r.Zone, a.s.Rules, a.now); err != nil {
		return err
	}
	a.terms.ends = Shorten(a.terms.ends, a.now, a.s.Rules, a.where)
	for _, l := range mine {
		if l.ID == a.r.Replaces && l.Live(a.now) {
			a.terms.replaces = l.Device()
		}
	}
	if a.terms.kept == nil {
		if err := a.s.fits(a.tx, room, a.sites, a.prefix, a.now); err != nil {
			return err
		}
	}
	if err := a.tx.Get(otp.Accounts, a.r.Person, &a.account); err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("reading the account: %w", err)
	}
	return nil
}

// conclude checks the code and writes what follows: the lease, its register entry and the outcome.
func (a *attempt) conclude(ring *otp.Ring) (outcome registration, fresh bool, err error) {
	source, _ := address.Of(a.r.Address) // of the device the code was typed on
	meta := otp.Meta{Request: a.r.ID, Source: source, Subject: a.r.Subject}
	result, err := a.s.OTP.Attempt(a.tx, a.batch, ring, a.r.Person, a.r.Code, meta, a.now)
	if err != nil {
		return registration{}, false, err
	}
	outcome = registration{V: 1, Body: a.r.BodyHash, Finished: a.now, Expires: a.now.Add(keyLife)}
	if e := result.Fault(); e != nil || !result.Granted() {
		outcome.Refused = &refusal{Kind: e.Kind, Status: e.Status, Code: e.Code, Detail: e.Detail, Next: e.Next, RetryAfter: e.RetryAfter}
		if !evaluated(result.Outcome) {
			return outcome, false, nil
		}
		return outcome, false, a.tx.Create(registrations, a.r.document(), outcome)
	}
	lease, fresh := a.lease()
	outcome.Lease = &lease
	if fresh {
		if err := a.tx.Create(leases, lease.ID, lease); err != nil {
			return registration{}, false, err
		}
		if err := announce(a.batch, lease); err != nil {
			return registration{}, false, err
		}
	}
	if a.r.Granted != nil {
		if err := a.r.Granted(a.tx, lease); err != nil {
			return registration{}, false, err
		}
	}
	if err := a.s.enter(a.batch, lease, a.r, fresh, result, a.now); err != nil {
		return registration{}, false, err
	}
	return outcome, fresh, a.tx.Create(registrations, a.r.document(), outcome)
}

// evaluated reports whether the code was compared with anything. If not, the same request may be tried again: nothing
// was burned, and during a wait nothing may be learned.
func evaluated(o otp.Outcome) bool {
	return !slices.Contains([]otp.Outcome{otp.Waiting, otp.Locked, otp.Malformed, otp.Unknown}, o)
}

func (a *attempt) lease() (lease Lease, fresh bool) {
	if a.terms.kept != nil {
		return *a.terms.kept, false
	}
	lease = a.fresh(a.r.Zone.String(), calendar.TZData())
	lease.Replaces, lease.Elsewhere = a.terms.replaces, a.r.Elsewhere != nil
	return lease, true
}

// fresh is a new lease on the planned terms.
func (a *attempt) fresh(zone, tzdata string) Lease {
	l := Lease{
		V: version, ID: identify(a.account.Salt, a.r.Person, a.prefix, a.terms.date, a.terms.generation), Person: a.r.Person,
		Prefix: a.prefix, Family: FamilyOf(a.prefix), Date: a.terms.date, Generation: a.terms.generation,
		Started: a.now, Ends: a.terms.ends, Until: a.terms.ends.UnixMicro(), Zone: zone, TZData: tzdata,
		State: Received, Open: true, Expires: expiry(a.terms.date, a.terms.ends), Network: a.where.Kind, TwoStep: a.r.TwoStep,
	}
	l.Marks = newMarks(a.account, l)
	return l
}
