package otp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
)

// TokenState is where a hardware token is. It is stored.
type TokenState string

// A token is in stock until it is assigned to a person, once.
const (
	TokenInStock  TokenState = "stock"
	TokenGivenOut TokenState = "assigned"
)

// HardwareToken is one token token of a seed file. In stock it holds its secret, sealed; assigned, the secret is with the
// person's account alone, and only the id of the authenticator is kept.
type HardwareToken struct {
	V             int            `json:"v"`
	Serial        string         `json:"serial"`
	File          string         `json:"file"` // SeedFile.round
	State         TokenState     `json:"state"`
	Seed          string         `json:"seed"` // id in Seeds
	Kind          Kind           `json:"kind"`
	Algorithm     Algorithm      `json:"algorithm"`
	Digits        int            `json:"digits"`
	Counter       int64          `json:"counter,omitempty"`
	Until         time.Time      `json:"until,omitzero"`
	Envelope      *seal.Envelope `json:"envelope,omitempty"`
	Authenticator string         `json:"authenticator,omitempty"`
}

// seedOwner says whose a secret is.
type seedOwner struct {
	V     int    `json:"v"`
	Token string `json:"token"`
}

// SeedProblem says which of the seeds of one call cannot be taken. It quotes no secret.
type SeedProblem struct {
	At  int // index in the call
	Why string
}

// tokenID names a token's document: a serial number may hold what an id may not.
func tokenID(serial string) string {
	sum := sha256.Sum256([]byte("hardware token\x00" + serial))
	return strings.ToLower(base32NoPad.EncodeToString(sum[:20]))
}

// stockBound binds the envelopes of one import. Which token one is of stands inside it, before the secret.
func stockBound(round string) []byte { return []byte("ostiary otp stock\x00" + round) }

func inStock(token string, secret []byte) []byte { return append([]byte(token+"\x00"), secret...) }

// staged is a seed as it is to be stored.
type staged struct {
	id    string
	token HardwareToken
}

// AddSeeds adds keys to an import that was begun: all of one call, or none and what is the matter with which. A key that
// arrived before, in a call whose answer was lost, is there already. Codes: seedfile_unknown, seedfile_over,
// seedfile_invalid (more than SeedsPerCall, or more than were announced).
func (s *Service) AddSeeds(ctx context.Context, id string, seeds []Seed, now time.Time) (SeedFile, []SeedProblem, error) {
	var f SeedFile
	if len(seeds) == 0 || len(seeds) > SeedsPerCall {
		return f, nil, fault.Refuse(fault.Invalid, "seedfile_invalid", fmt.Sprintf("One call takes 1 to %d keys.", SeedsPerCall), "Send the rest in further calls.")
	}
	if err := s.Store.Tx(ctx, func(tx store.Tx) error { return getSeedFile(tx, id, &f) }); err != nil {
		return f, nil, err
	}
	batch, problems, err := s.stage(ctx, f.round(), seeds)
	if err != nil || len(problems) > 0 {
		return f, problems, err
	}
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		before := f.round()
		if err := getSeedFile(tx, id, &f); err != nil {
			return err
		}
		if !f.open(now) || f.round() != before {
			return seedFileOver()
		}
		stock := shelf{tx: tx, round: before, now: now, files: map[string]bool{}}
		var fresh []staged
		problems = nil
		for i, one := range batch {
			there, why, err := stock.look(one)
			switch {
			case err != nil:
				return err
			case why != "":
				problems = append(problems, SeedProblem{i, why})
			case !there:
				fresh = append(fresh, one)
			}
		}
		if len(problems) > 0 || len(fresh) == 0 {
			return nil
		}
		if f.Added += len(fresh); f.Added > f.Keys {
			return fault.Refuse(fault.Invalid, "seedfile_invalid", "More keys came than were announced.", "Drop this import, and begin it again.")
		}
		return stock.put(f, fresh)
	})
	return f, problems, err
}

// stage checks the seeds of one call for themselves and seals them.
func (s *Service) stage(ctx context.Context, round string, seeds []Seed) ([]staged, []SeedProblem, error) {
	var problems []SeedProblem
	serials, secrets := map[string]bool{}, map[string]bool{}
	for i, one := range seeds {
		why := one.Problem()
		serial, _ := Serial(one.Serial)
		if why == "" && (serials[serial] || secrets[string(one.Secret)]) {
			why = "another key has the same serial number or secret"
		}
		if serials[serial], secrets[string(one.Secret)] = true, true; why != "" {
			problems = append(problems, SeedProblem{i, why})
		}
	}
	if len(problems) > 0 {
		return nil, problems, nil
	}
	digest, err := s.digests(ctx)
	if err != nil {
		return nil, nil, err
	}
	key, err := seal.NewDataKey(ctx, s.Keys, s.Random, stockBound(round))
	if err != nil {
		return nil, nil, fmt.Errorf("sealing seeds: %w", err)
	}
	batch := make([]staged, len(seeds))
	for i, one := range seeds {
		serial, _ := Serial(one.Serial)
		id := tokenID(serial)
		plain := inStock(id, one.Secret)
		envelope, err := key.Seal(s.Random, plain)
		seal.Wipe(plain)
		if err != nil {
			return nil, nil, fmt.Errorf("sealing seeds: %w", err)
		}
		batch[i] = staged{id, HardwareToken{
			V: Version, Serial: serial, File: round, State: TokenInStock, Seed: digest(one.Secret), Kind: one.Kind, Algorithm: one.Algorithm,
			Digits: one.Digits, Counter: int64(one.Counter), Until: one.Until, Envelope: &envelope,
		}}
	}
	return batch, nil, nil
}

// shelf is the stock inside a transaction.
type shelf struct {
	tx    store.Tx
	round string // of the import that asks
	now   time.Time
	files map[string]bool // whether an import counts, by round
}

// look reports whether a token is there by this import already, and why it cannot be added otherwise.
func (s *shelf) look(one staged) (there bool, why string, err error) {
	var same HardwareToken
	found, err := s.token(one.id, &same)
	if err != nil {
		return false, "", err
	}
	if found && same.File == s.round {
		if same.Seed == one.token.Seed {
			return true, "", nil
		}
		return false, "another key has the same serial number", nil
	}
	if found {
		return false, "a token with this serial number is known already", nil
	}
	var owner seedOwner
	if err := s.tx.Get(Seeds, one.token.Seed, &owner); fault.Is(err, fault.NotFound) {
		return false, "", nil
	} else if err != nil {
		return false, "", err
	}
	found, err = s.token(owner.Token, &same)
	if err == nil && found && same.Seed == one.token.Seed {
		why = "another token has the same secret: they are copies of one another"
	}
	return false, why, err
}

// token reads a token that counts: one of the import that asks, or of one that is finished or under way.
func (s *shelf) token(id string, t *HardwareToken) (bool, error) {
	*t = HardwareToken{}
	if err := s.tx.Get(Tokens, id, t); fault.Is(err, fault.NotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if t.File == s.round {
		return true, nil
	}
	counts, known := s.files[t.File]
	if !known {
		id, _, _ := strings.Cut(t.File, "/")
		var f SeedFile
		if err := s.tx.Get(SeedFiles, id, &f); err != nil && !fault.Is(err, fault.NotFound) {
			return false, err
		}
		counts = f.round() == t.File && (f.State == SeedFileFinished || f.open(s.now))
		s.files[t.File] = counts
	}
	return counts, nil
}

func (s *shelf) put(f SeedFile, fresh []staged) error {
	for _, one := range fresh {
		if err := s.tx.Put(Tokens, one.id, one.token); err != nil {
			return err
		}
		if err := s.tx.Put(Seeds, one.token.Seed, seedOwner{Version, one.id}); err != nil {
			return err
		}
	}
	return s.tx.Put(SeedFiles, f.ID, f)
}
