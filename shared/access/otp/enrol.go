package otp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// EnrolRequest asks for a new authenticator. The zero values of Kind, Algorithm and Digits are TOTP, SHA1 and 6:
// the one combination every phone application knows.
type EnrolRequest struct {
	Name      string // given by the person, 1 to MaxName bytes; "" means "authenticator"
	Label     string // what the application shows beside the issuer: the person's address
	Kind      Kind
	Algorithm Algorithm
	Digits    int
	Replaces  string // id of an active authenticator that dies when this one is confirmed
	Token     string // enrolment token, from a recovery code or a link; "" when there is none
}

// Enrolment is shown once, to the person, over a channel nobody else reads, and never stored or logged.
type Enrolment struct {
	ID      string
	URI     string // otpauth, for QR
	Secret  string // base32 without padding
	Manual  string // the same in groups of four, for typing
	Digits  int    // of its codes
	Expires time.Time
}

// Enrol makes an authenticator that does nothing until a code of it is confirmed; unconfirmed it dies after
// PendingLife. A person whose authenticators all ended needs a token: otherwise whoever holds the session could
// remove the old factor and bind another. Codes: name_invalid, kind_invalid, authenticator_limit,
// authenticator_unknown (of Replaces), enrol_token_required, enrol_token_invalid.
func (s *Service) Enrol(ctx context.Context, person string, req EnrolRequest, meta Meta, now time.Time) (Enrolment, error) {
	a, err := s.draft(req.Name, req.Kind, req.Algorithm, req.Digits, meta, now)
	if err != nil {
		return Enrolment{}, err
	}
	a.State, a.Replaces, a.Expires = Pending, req.Replaces, now.Add(PendingLife)
	secret, err := s.bytes(a.Algorithm.Size()) // RFC 6238 section 5.1: as long as the hash's output
	if err != nil {
		return Enrolment{}, err
	}
	defer seal.Wipe(secret)
	salt, err := s.bytes(saltBytes)
	if err != nil {
		return Enrolment{}, err
	}
	if err := s.sealInto(ctx, &a, person, secret); err != nil {
		return Enrolment{}, err
	}
	err = s.change(ctx, person, salt, meta, now, Begun, func(e *edit) error {
		if err := e.begin(a, req.Token); err != nil {
			return err
		}
		return e.save()
	})
	if err != nil {
		return Enrolment{}, err
	}
	text := base32NoPad.EncodeToString(secret)
	return Enrolment{ID: a.ID, URI: URI(s.Rules.Issuer, req.Label, a, text), Secret: text, Manual: spaced(text, " "), Digits: a.Digits, Expires: a.Expires}, nil
}

// begin adds a pending authenticator, if the person may have one more.
func (e *edit) begin(a Authenticator, token string) error {
	proven, err := e.acc.redeemable(token, e.now)
	if err != nil {
		return err
	}
	if proven {
		a.Grant = e.acc.Grant.Hash
	} else if e.acc.Bound && len(e.acc.vouchers(a, e.now)) == 0 {
		return tokenRequired()
	}
	if a.Replaces != "" {
		if old := e.acc.at(a.Replaces); old < 0 || e.acc.Authenticators[old].State != Active {
			return unknownAuthenticator()
		}
		e.acc.Authenticators = slices.DeleteFunc(e.acc.Authenticators, func(other Authenticator) bool {
			return other.State == Pending && other.Replaces == a.Replaces
		})
	}
	return e.add(a)
}

// add appends an authenticator unless that makes too many; one that replaces another takes no further place.
func (e *edit) add(a Authenticator) error {
	places := 0
	for _, other := range e.acc.Authenticators {
		if other.Replaces == "" || other.State == Active {
			places++
		}
	}
	if a.Replaces == "" && places >= e.s.Rules.MaxAuthenticators {
		return tooMany()
	}
	e.acc.Authenticators = append(e.acc.Authenticators, a)
	return nil
}

// draft checks what both enrolment and import ask for, and fills in the defaults.
func (s *Service) draft(name string, kind Kind, algorithm Algorithm, digits int, meta Meta, now time.Time) (Authenticator, error) {
	a := Authenticator{
		Name: strings.TrimSpace(name), Kind: kind, Algorithm: algorithm, Digits: digits,
		Profile: Phone, Floor: -1, Source: meta.source(), Created: now,
	}
	if a.Name == "" {
		a.Name = "authenticator"
	}
	if a.Kind == "" {
		a.Kind = TOTP
	}
	if a.Algorithm == "" {
		a.Algorithm = SHA1
	}
	if a.Digits == 0 {
		a.Digits = MinDigits
	}
	switch {
	case len(a.Name) > MaxName || !utf8.ValidString(a.Name) || strings.ContainsFunc(a.Name, unicode.IsControl):
		return a, fault.Refuse(fault.Invalid, "name_invalid", "The name is too long or holds characters that cannot be shown.", "Choose a short name.")
	case a.Kind != TOTP && a.Kind != HOTP, a.Algorithm.Size() == 0, a.Digits < MinDigits, a.Digits > MaxDigits:
		return a, fault.Refuse(fault.Invalid, "kind_invalid", "There is no such kind of authenticator.",
			"Use kind totp or hotp, algorithm SHA1, SHA256 or SHA512, and 6, 7 or 8 digits.")
	}
	var err error
	a.ID, err = s.id()
	return a, err
}

// sealInto seals a secret under a data key of its own, bound to the person, the authenticator and this sealing.
func (s *Service) sealInto(ctx context.Context, a *Authenticator, person string, secret []byte) error {
	a.Seal++
	envelope, err := seal.Seal(ctx, s.Keys, s.Random, secret, binding(person, a.ID, a.Seal))
	if err != nil {
		return fmt.Errorf("sealing authenticator %s: %w", a.ID, err)
	}
	a.Envelope = &envelope
	return nil
}

func unknownAuthenticator() error {
	return fault.Refuse(fault.NotFound, "authenticator_unknown", "There is no such authenticator, or it has ended.", "Look at the list again.")
}

func tokenRequired() error {
	return fault.Refuse(fault.Denied, "enrol_token_required", "All your authenticators ended, so there is no code to prove it is you.",
		"Use a recovery code, or ask the security lead for an enrolment link or a reset.")
}

func tooMany() error {
	refusal := fault.Refuse(fault.Exhausted, "authenticator_limit", "You have as many authenticators as you may have.",
		"Remove one, replace one, or wait ten minutes until an unconfirmed one is gone.")
	refusal.Status = 409
	return refusal
}
