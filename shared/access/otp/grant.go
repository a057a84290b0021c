package otp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// GrantSource says what an enrolment token was given for. It is stored.
type GrantSource string

// A recovery code, or a link made by the security lead.
const (
	FromRecovery GrantSource = "recovery"
	FromLink     GrantSource = "link"
)

// Grant is an account's one live enrolment token, hashed. A new one replaces it; binding an authenticator burns it.
type Grant struct {
	Source  GrantSource `json:"source"`
	Hash    []byte      `json:"hash"`
	Expires time.Time   `json:"until"`
	By      string      `json:"by,omitempty"`  // who made the link
	Ends    time.Time   `json:"ends,omitzero"` // of a temporary pass: when what it binds stops working
}

// Token is an enrolment token in clear, shown once: it proves who may bind an authenticator, and nothing else.
type Token struct {
	Text    string
	Expires time.Time
}

const tokenBytes = 16 // 128 bits; NIST SP 800-63B-4 section 4.1.2 wants 112 where no identifier goes with it

// token makes an enrolment token of a given life.
func (s *Service) token(now time.Time, life time.Duration) (Token, error) {
	b, err := s.bytes(tokenBytes)
	return Token{Text: strings.ToLower(base32NoPad.EncodeToString(b)), Expires: now.Add(life)}, err
}

// grant makes t the account's live token.
func (acc *Account) grant(t Token, source GrantSource, by string) {
	acc.Grant = &Grant{Source: source, Hash: acc.tokenHash(t.Text), Expires: t.Expires, By: by}
}

// tokenHash needs no slow function: a token has 128 random bits.
func (acc Account) tokenHash(token string) []byte {
	mac := hmac.New(sha256.New, acc.Salt)
	mac.Write([]byte("enrolment token\x00" + strings.ToLower(strings.TrimSpace(token))))
	return mac.Sum(nil)
}

// redeemable reports whether token is the account's live enrolment token. No token is no error; a wrong or dead
// one is.
func (acc Account) redeemable(token string, now time.Time) (bool, error) {
	if token == "" {
		return false, nil
	}
	if acc.Grant != nil && now.Before(acc.Grant.Expires) && hmac.Equal(acc.Grant.Hash, acc.tokenHash(token)) {
		return true, nil
	}
	return false, fault.Refuse(fault.Denied, "enrol_token_invalid", "This enrolment link or token was used, has expired, or is not yours.",
		"Use another recovery code, or ask the security lead for a new link.")
}

// EnrolLink makes the token of an enrolment link for a person who may have no account yet. It lets the person, once
// signed in, bind one authenticator without a code of an old one. The caller has checked that meta.Actor may.
func (s *Service) EnrolLink(ctx context.Context, person string, meta Meta, now time.Time) (Token, error) {
	return s.link(ctx, person, time.Time{}, meta, now)
}

// TemporaryPass is EnrolLink for a person whose phone is at home: the authenticator it binds works until ends, the
// end of her day, and hands out no recovery codes. The others she has stay as they are.
func (s *Service) TemporaryPass(ctx context.Context, person string, ends time.Time, meta Meta, now time.Time) (Token, error) {
	if !now.Before(ends) {
		return Token{}, fault.New(fault.Invalid, "making a temporary pass: it would have ended already")
	}
	return s.link(ctx, person, ends, meta, now)
}

func (s *Service) link(ctx context.Context, person string, ends time.Time, meta Meta, now time.Time) (Token, error) {
	t, err := s.token(now, s.Rules.LinkLife)
	if err != nil {
		return Token{}, err
	}
	salt, err := s.bytes(saltBytes)
	if err != nil {
		return Token{}, err
	}
	err = s.change(ctx, person, salt, meta, now, LinkMade, func(e *edit) error {
		e.acc.grant(t, FromLink, meta.Actor)
		e.acc.Grant.Ends = ends
		if err := e.notify(LinkIssued, hex.EncodeToString(e.acc.Grant.Hash[:8]), map[string]string{"until": t.Expires.UTC().Format(time.RFC3339)}); err != nil {
			return err
		}
		return e.saved("")
	})
	if err != nil {
		return Token{}, err
	}
	return t, nil
}

// Recover trades a recovery code for an enrolment token that is good once, for GrantLife, and only to enrol: it
// never counts as a login. It is throttled by the same counter as codes (NIST SP 800-63B-4 section 4.2); after the
// hard stop it still works, up to RecoveryStop failures, and its success lifts the stop. The token is empty unless
// Result.Outcome is Recovered. Errors are those of CheckOnce.
func (s *Service) Recover(ctx context.Context, person, code string, meta Meta, now time.Time) (Token, Result, error) {
	t, err := s.token(now, s.Rules.GrantLife)
	if err != nil {
		return Token{}, Result{}, err
	}
	var result Result
	err = again(func() error {
		acc, err := s.read(ctx, person)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		try, err := s.tryRecovery(ctx, acc, code, now)
		if err != nil {
			return err
		}
		result, err = s.attempt(ctx, person, meta, now, RecoveryTried, func(e *edit) (Result, error) { return e.recover(try, t) })
		return err
	})
	if err != nil || result.Outcome != Recovered {
		return Token{}, result, err
	}
	return t, result, nil
}

// recoveryTry is a typed recovery code hashed for one set, before the transaction.
type recoveryTry struct {
	parsed bool
	set    string
	hash   []byte // nil when there was no reason to spend the time
}

// tryRecovery hashes a code, unless the account would not look at it.
func (s *Service) tryRecovery(ctx context.Context, acc Account, code string, now time.Time) (recoveryTry, error) {
	letters, ok := parseRecovery(code)
	_, open := acc.Throttle.gate(now, RecoveryStop)
	if !ok || !open || acc.Recovery == nil {
		return recoveryTry{parsed: ok}, nil
	}
	hash, err := s.slowHash(ctx, acc.Recovery, letters)
	return recoveryTry{true, acc.Recovery.ID, hash}, err
}

// recover decides an attempt with a recovery code.
func (e *edit) recover(try recoveryTry, t Token) (Result, error) {
	if err := e.acc.clockHolds(e.now); err != nil {
		return Result{}, err
	}
	if result, open := e.acc.Throttle.gate(e.now, RecoveryStop); !open {
		return result, nil
	}
	if !try.parsed {
		return e.acc.Throttle.malformed(e.now, e.s.Rules), nil
	}
	if set := e.acc.Recovery; set != nil {
		if set.ID != try.set {
			return Result{}, ErrStale
		}
		if set.take(try.hash) {
			result := Result{Outcome: Recovered, Previous: e.acc.Throttle.Failures, Remaining: set.remaining()}
			e.acc.Throttle.succeed()
			e.acc.grant(t, FromRecovery, "")
			return result, nil
		}
	}
	result := Result{Outcome: Wrong, Remaining: e.acc.Recovery.remaining()}
	e.acc.fail(&result, e.now, e.s.Rules)
	return result, nil
}
