package otp

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

// Limits of a seed file.
const (
	MaxSeeds      = 10_000 // keys of one file
	SeedsPerCall  = 100    // keys AddSeeds takes at once
	SeedFileHours = 1      // from its beginning to its end; one that takes longer is void
)

// SeedFileState is where the import of a seed file is. It is stored.
type SeedFileState string

// The keys of a file count from the moment it is finished, all of them or none.
const (
	SeedFileOpen     SeedFileState = "open"
	SeedFileFinished SeedFileState = "finished"
	SeedFileDropped  SeedFileState = "dropped"
)

// SeedFile is one import of many hardware tokens. It holds nothing of anybody.
type SeedFile struct {
	V      int           `json:"v"`
	ID     string        `json:"id"`
	Round  int           `json:"round"` // how often it was begun anew
	State  SeedFileState `json:"state"`
	Keys   int           `json:"keys"` // as announced
	Added  int           `json:"added"`
	Opened time.Time     `json:"opened"`
	Closed time.Time     `json:"closed,omitzero"`
}

func (f SeedFile) round() string { return f.ID + "/" + strconv.Itoa(f.Round) }

func (f SeedFile) open(now time.Time) bool {
	return f.State == SeedFileOpen && now.Before(f.Opened.Add(SeedFileHours*time.Hour))
}

var seedFileID = regexp.MustCompile(`^[a-z2-7]{16,64}$`)

// BeginSeedFile begins the import of a file of so many keys, under an id of the caller's that is the same for the same
// file: begun again, an import that was cut off goes on. The caller has checked that meta.Actor may. Codes:
// seedfile_invalid, seedfile_known (it was imported), seedfile_busy (under the same id with another number of keys).
func (s *Service) BeginSeedFile(ctx context.Context, id string, keys int, now time.Time) (SeedFile, error) {
	if !seedFileID.MatchString(id) || keys < 1 || keys > MaxSeeds {
		return SeedFile{}, fault.Refuse(fault.Invalid, "seedfile_invalid", "An import has an id of 16 to 64 letters a to z and digits 2 to 7, and 1 to 10,000 keys.", "Import larger files in parts.")
	}
	key, err := s.digestKey(ctx)
	if err != nil {
		return SeedFile{}, err
	}
	var f SeedFile
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		f = SeedFile{}
		err := tx.Get(SeedFiles, id, &f)
		switch {
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case f.State == SeedFileFinished:
			return fault.Refuse(fault.Conflict, "seedfile_known", "This file was imported already.", "Assign its tokens to people.")
		case f.open(now) && f.Keys != keys:
			return fault.Refuse(fault.Conflict, "seedfile_busy", "This file is being imported with another number of keys.", "Drop that import first, or wait an hour.")
		case f.open(now):
			return nil
		}
		f = SeedFile{V: Version, ID: id, Round: f.Round + 1, State: SeedFileOpen, Keys: keys, Opened: now}
		if err := keepKey(tx, key); err != nil {
			return err
		}
		return tx.Put(SeedFiles, id, f)
	})
	return f, err
}

// FinishSeedFile makes all keys of a file assignable at once. Said again, it is the same. Codes: seedfile_unknown,
// seedfile_over (dropped, or it took too long), seedfile_incomplete.
func (s *Service) FinishSeedFile(ctx context.Context, id string, meta Meta, now time.Time) (SeedFile, error) {
	var f SeedFile
	err := s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		if err := getSeedFile(tx, id, &f); err != nil || f.State == SeedFileFinished {
			return err
		}
		var actor Account
		if err := tx.Get(Accounts, meta.Actor, &actor); err != nil && !fault.Is(err, fault.NotFound) {
			return err // no account: no mark to name her by
		}
		switch {
		case !f.open(now):
			return seedFileOver()
		case f.Added != f.Keys:
			return fault.Refuse(fault.Conflict, "seedfile_incomplete", "Not all keys of the file have arrived.", "Send the rest, then finish.")
		}
		f.State, f.Closed = SeedFileFinished, now
		if err := tx.Put(SeedFiles, id, f); err != nil {
			return err
		}
		return s.recordSeeds(b, f, actor, meta, now)
	})
	return f, err
}

// recordSeeds is the evidence of an import: how many keys, and who, as far as she has an account to make a mark with.
func (s *Service) recordSeeds(b *outbox.Batch, f SeedFile, actor Account, meta Meta, now time.Time) error {
	e := Result{Authenticator: f.round()}.Record(Account{}, SeedsImported, meta, now, s.Policy, s.Promises...)
	delete(e.Facts, "authenticator")
	e.Facts["keys"] = strconv.Itoa(f.Keys)
	if len(actor.Salt) > 0 {
		e.Subjects = append(e.Subjects, record.Subject{Type: "actor", C: actor.subject(now)})
	}
	return e.Put(b)
}

// DropSeedFile ends an import that is not finished and removes what it brought. Whoever dies meanwhile calls again; the
// keys count for nothing from the first moment. Codes: seedfile_unknown, seedfile_known (it is finished).
func (s *Service) DropSeedFile(ctx context.Context, id string, now time.Time) error {
	var f SeedFile
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		if err := getSeedFile(tx, id, &f); err != nil {
			return err
		}
		if f.State == SeedFileFinished {
			return fault.Refuse(fault.Conflict, "seedfile_known", "This file was imported already.", "Its tokens that nobody has can stay in stock.")
		}
		f.State, f.Closed = SeedFileDropped, now
		return tx.Put(SeedFiles, id, f)
	})
	for err == nil {
		var left int
		if left, err = s.sweepTokens(ctx, f.round()); left == 0 {
			break
		}
	}
	return err
}

// sweepTokens removes some of the tokens of a void import and returns how many it looked at.
func (s *Service) sweepTokens(ctx context.Context, round string) (int, error) {
	found, err := s.Store.Query(ctx, store.Query{Collection: Tokens, Equal: []store.Field{{Name: "file", Value: round}}, Limit: SeedsPerCall})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return len(found), s.Store.Tx(ctx, func(tx store.Tx) error {
		var gone, seeds []string
		for _, document := range found {
			var t HardwareToken
			var owner seedOwner
			if err := tx.Get(Tokens, document.ID, &t); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			} else if err != nil || t.File != round {
				continue
			}
			gone = append(gone, document.ID)
			if err := tx.Get(Seeds, t.Seed, &owner); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			} else if err == nil && owner.Token == document.ID {
				seeds = append(seeds, t.Seed)
			}
		}
		for _, id := range gone {
			if err := tx.Delete(Tokens, id); err != nil {
				return err
			}
		}
		for _, id := range seeds {
			if err := tx.Delete(Seeds, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func getSeedFile(tx store.Tx, id string, f *SeedFile) error {
	*f = SeedFile{}
	if seedFileID.MatchString(id) {
		err := tx.Get(SeedFiles, id, f)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return fault.Refuse(fault.NotFound, "seedfile_unknown", "There is no such import.", "Begin it first.")
}

func seedFileOver() error {
	return fault.Refuse(fault.Conflict, "seedfile_over", "This import was dropped, or took longer than an hour.", "Begin it again.")
}
