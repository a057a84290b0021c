package otp

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// AssignToken gives a hardware token out of stock to a person, by its serial number, and returns the authenticator's id.
// It works once she has typed two codes of it that follow each other (Resync), which also finds how far its clock or
// counter is off. Her secret leaves the stock. Said again, it is the same authenticator. The caller has checked that
// meta.Actor may. Codes: token_unknown, token_assigned, token_over (its own end has passed), authenticator_limit.
func (s *Service) AssignToken(ctx context.Context, person, serial string, meta Meta, now time.Time) (id string, err error) {
	serial, ok := Serial(serial)
	if !ok {
		return "", tokenUnknown()
	}
	token, err := s.stocked(ctx, serial, now)
	if err != nil {
		return "", err
	}
	if token.State != TokenInStock {
		return s.assignedTo(ctx, person, token)
	}
	if !token.Until.IsZero() && !now.Before(token.Until) {
		return "", fault.Refuse(fault.Conflict, "token_over", "This token may not be used any more: its maker gave it an end, which has passed.", "Assign another one.")
	}
	a, err := s.drawn(ctx, person, token, meta, now)
	if err != nil {
		return "", err
	}
	salt, err := s.bytes(saltBytes)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, person, salt, meta, now, TokenGiven, func(e *edit) error {
		var current HardwareToken
		if err := e.tx.Get(Tokens, tokenID(serial), &current); err != nil {
			return err
		}
		if current.State != TokenInStock || current.Seed != token.Seed {
			return tokenAssigned()
		}
		if err := e.add(a); err != nil {
			return err
		}
		if err := e.notify(TokenAssigned, a.ID, map[string]string{"name": a.Name}); err != nil {
			return err
		}
		current.State, current.Envelope, current.Authenticator = TokenGivenOut, nil, a.ID
		if err := e.tx.Put(Tokens, tokenID(serial), current); err != nil {
			return err
		}
		return e.saved(a.ID)
	})
	if err != nil {
		return "", err
	}
	return a.ID, nil
}

// stocked reads a token of a finished import.
func (s *Service) stocked(ctx context.Context, serial string, now time.Time) (token HardwareToken, err error) {
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		stock := shelf{tx: tx, now: now, files: map[string]bool{}}
		found, err := stock.token(tokenID(serial), &token)
		if err != nil {
			return err
		}
		var f SeedFile
		if found {
			id, _, _ := strings.Cut(token.File, "/")
			err = tx.Get(SeedFiles, id, &f)
		}
		if err == nil && f.State != SeedFileFinished {
			err = tokenUnknown()
		}
		return err
	})
	return token, err
}

// assignedTo returns the authenticator a token became, if it is this person's.
func (s *Service) assignedTo(ctx context.Context, person string, token HardwareToken) (string, error) {
	acc, err := s.read(ctx, person)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	if acc.at(token.Authenticator) < 0 {
		return "", tokenAssigned()
	}
	return token.Authenticator, nil
}

// drawn is the authenticator a token in stock becomes, its secret sealed for the person.
func (s *Service) drawn(ctx context.Context, person string, token HardwareToken, meta Meta, now time.Time) (Authenticator, error) {
	a, err := s.draft(token.Serial, token.Kind, token.Algorithm, token.Digits, meta, now)
	if err != nil {
		return a, err
	}
	a.State, a.Imported, a.Profile, a.Serial, a.Floor, a.Until = Assigned, true, Hardware, token.Serial, token.Counter-1, token.Until
	a.Source = "" // of the desk, not of the person
	plain, err := seal.Open(ctx, s.Keys, *token.Envelope, stockBound(token.File))
	defer seal.Wipe(plain)
	if fault.Is(err, fault.Invalid) { // no fault of the caller's input: somebody must look at the key
		return a, fault.New(fault.Misconfigured, "opening a token in stock: %w", err)
	}
	if err != nil {
		return a, fmt.Errorf("opening a token in stock: %w", err)
	}
	secret, own := bytes.CutPrefix(plain, inStock(tokenID(token.Serial), nil))
	if !own {
		return a, fault.New(fault.Misconfigured, "opening a token in stock: the envelope is another token's")
	}
	err = s.sealInto(ctx, &a, person, secret)
	return a, err
}

func tokenUnknown() error {
	return fault.Refuse(fault.NotFound, "token_unknown", "No token with this serial number is in stock.", "Look at the number on the token again, or import its seed file.")
}

func tokenAssigned() error {
	return fault.Refuse(fault.Conflict, "token_assigned", "This token was given to somebody already.", "Assign another one.")
}
