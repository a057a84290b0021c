package otp

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// Overview is a person's second factor as it may be shown to the person and the help desk: no secret, no hash.
type Overview struct {
	Authenticators []Authenticator // pending, assigned and active, in the order they were bound; Overdue ones too
	Ended          []Authenticator // every one there ever was, the latest end first
	Recovery       int             // recovery codes left
	Failures       int             // consecutive
	Locked         bool
	Until          time.Time // while waiting: when a code is evaluated again
	NeedsToken     bool      // enrolling needs a recovery code, a link or a reset
}

// List returns a person's authenticators; a person without an account has none.
func (s *Service) List(ctx context.Context, person string, now time.Time) (Overview, error) {
	acc, err := s.read(ctx, person)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Overview{}, err
	}
	past, err := s.Store.Query(ctx, store.Query{
		Collection: Former, Equal: []store.Field{{Name: "person", Value: person}}, Limit: store.MaxQueryResults,
	})
	if err != nil {
		return Overview{}, err
	}
	ended := acc.tidy(now)
	o := Overview{
		Recovery: acc.Recovery.remaining(), Failures: acc.Throttle.Failures,
		Locked: acc.Throttle.Failures >= s.Rules.HardStop, NeedsToken: acc.Bound && len(acc.Active(now)) == 0,
	}
	for _, a := range acc.Authenticators {
		o.NeedsToken = o.NeedsToken && !a.Overdue(now)
	}
	if now.Before(acc.Throttle.Until) && !o.Locked {
		o.Until = acc.Throttle.Until
	}
	for _, a := range acc.Authenticators {
		a.Envelope, a.Grant = nil, nil
		o.Authenticators = append(o.Authenticators, a)
	}
	for _, document := range past {
		var e Ended
		if err := document.Decode(&e); err != nil {
			return Overview{}, err
		}
		ended = append(ended, e)
	}
	for _, e := range ended {
		o.Ended = append(o.Ended, e.Authenticator)
	}
	slices.SortFunc(o.Ended, func(a, b Authenticator) int { return b.Ended.Compare(a.Ended) })
	return o, nil
}

// Revoke ends an authenticator at once (NIST SP 800-63B-4 section 3.2.1); why is Removed, ReportLost or Compromised.
// No code is asked for: whoever lost it has none. Codes: authenticator_unknown.
func (s *Service) Revoke(ctx context.Context, person, id string, why Reason, meta Meta, now time.Time) error {
	if why != Removed && why != ReportLost && why != Compromised {
		return fault.New(fault.Invalid, "ending authenticator %s: reason %q", id, why)
	}
	if _, err := s.known(ctx, person); err != nil {
		return err
	}
	return s.change(ctx, person, nil, meta, now, Unbound, func(e *edit) error {
		i := e.acc.at(id)
		switch {
		case i < 0:
			return unknownAuthenticator()
		case e.acc.Authenticators[i].State == Pending: // never bound: nothing to tell or to remember
			e.acc.Authenticators = slices.Delete(e.acc.Authenticators, i, i+1)
			return e.save()
		}
		if err := e.end(i, why); err != nil {
			return err
		}
		return e.saved(id)
	})
}

// ImportRequest binds an authenticator whose secret exists already. Name, Kind, Algorithm, Digits and Profile default
// as in EnrolRequest.
type ImportRequest struct {
	Name      string
	Kind      Kind
	Algorithm Algorithm
	Digits    int
	Profile   Profile
	Secret    string // base32 without padding, MinSecret to MaxSecret bytes; spaces are ignored
	Counter   uint64 // the next counter of a HOTP authenticator, below 2^62; 0 for TOTP
}

// Import binds an authenticator at once, without a code. The caller has checked that meta.Actor may. A secret that
// was bound before starts anew: that decision is the importer's. Codes: name_invalid, kind_invalid,
// secret_invalid, counter_invalid, authenticator_limit.
func (s *Service) Import(ctx context.Context, person string, req ImportRequest, meta Meta, now time.Time) (id string, err error) {
	a, err := s.draft(req.Name, req.Kind, req.Algorithm, req.Digits, meta, now)
	if err != nil {
		return "", err
	}
	secret, err := base32NoPad.DecodeString(strings.ToUpper(strings.ReplaceAll(req.Secret, " ", "")))
	defer seal.Wipe(secret)
	if err != nil || len(secret) < MinSecret || len(secret) > MaxSecret { // the decoder's error quotes the secret
		return "", fault.Refuse(fault.Invalid, "secret_invalid", "The secret is not base32 without padding, or is shorter than 128 bits.",
			"Give the secret as the token's maker delivered it, in base32.")
	}
	if req.Counter >= 1<<62 || req.Counter > 0 && a.Kind != HOTP {
		return "", fault.Refuse(fault.Invalid, "counter_invalid", "This counter is not possible.", "Give a counter for hotp only, below 2^62.")
	}
	a.State, a.Imported, a.Confirmed, a.Floor = Active, true, now, int64(req.Counter)-1
	if req.Profile == Hardware {
		a.Profile = Hardware
	}
	salt, err := s.bytes(saltBytes)
	if err != nil {
		return "", err
	}
	if err := s.sealInto(ctx, &a, person, secret); err != nil {
		return "", err
	}
	err = s.change(ctx, person, salt, meta, now, Imported, func(e *edit) error {
		if err := e.add(a); err != nil {
			return err
		}
		e.acc.Bound = true
		if err := e.notify(AuthenticatorAdded, a.ID, map[string]string{"name": a.Name}); err != nil {
			return err
		}
		return e.saved(a.ID)
	})
	return a.ID, err
}

// Regenerate replaces all recovery codes, used or not, after a code of an authenticator. They are shown once.
func (s *Service) Regenerate(ctx context.Context, person, code string, meta Meta, now time.Time) (fresh []string, result Result, err error) {
	err = again(func() error {
		acc, err := s.known(ctx, person)
		if err != nil {
			return err
		}
		ring, err := s.Unlock(ctx, person)
		if err != nil {
			return err
		}
		defer ring.Wipe()
		var made *codes
		if _, trial, err := Check(acc, ring, code, now, s.Rules); err == nil && trial.Granted() {
			if made, err = s.prepare(ctx, nil, RecoveryCodes, now); err != nil {
				return err
			}
		}
		result, err = s.attempt(ctx, person, meta, now, RecoveryRenewal, func(e *edit) (result Result, err error) {
			fresh = nil
			if e.acc, result, err = Check(e.acc, ring, code, now, s.Rules); err != nil || !result.Granted() {
				return result, err
			}
			if fresh, err = e.acc.handOut(made); err != nil {
				return result, err
			}
			result.Remaining = e.acc.Recovery.remaining()
			return result, e.notify(RecoveryRenewed, e.acc.Recovery.ID, nil)
		})
		return err
	})
	if err != nil {
		return nil, Result{}, err
	}
	return fresh, result, nil
}
