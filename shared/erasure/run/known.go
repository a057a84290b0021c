package run

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// known is what is known of a person: the records that tell it may be gone later.
type known struct {
	IDs   []datamap.Identifier `json:"ids"`
	Asked []string             `json:"asked,omitempty"` // kinds of identifiers that stores were asked for
	// Missed are look-ups that failed: until they were made once, what they read stays.
	Missed []missed         `json:"missed,omitempty"`
	Beside map[string]party `json:"beside,omitempty"` // those of whom other requests hold something
	Mark   []byte           `json:"mark,omitempty"`   // key of Count.Set, the same for all searches of the request
	// Of one phase of a round alone.
	Lost  []request.Open `json:"lost,omitempty"` // entries whose identifiers could not be read
	Owner bool           `json:"owner,omitempty"`
	Last  bool           `json:"last,omitempty"`
	Salt  []byte         `json:"salt,omitempty"` // of commitments
	Holds []Hold         `json:"holds,omitempty"`
	Plan  *Plan          `json:"plan,omitempty"`
}

// identify returns what is known of the person in a phase. The first call of a phase looks up what records tell, but for
// one that erases: it goes by its round's plan, or in a round without one by what the search before it knew. Not done, it is
// called again.
func (e *Engine) identify(ctx context.Context, j Job, phase string, until time.Time) (k known, done bool, err error) {
	k, of, found, err := e.recall(ctx, j, snapshotID(j, phase))
	if err == nil && !found && phase == erasing {
		k, of, found, err = e.recall(ctx, j, snapshotID(j, planning))
	}
	if err != nil || found && of.Round == j.Round {
		return k, err == nil, err
	}
	if j.Still != nil {
		if err := j.Still(ctx); err != nil {
			return known{}, false, err
		}
	}
	var her whose
	if phase != erasing && len(j.Hashed) > 0 {
		if her, done, err = e.unhash(ctx, j, phase, until); err != nil || !done {
			return known{}, false, err
		}
	}
	her.ids = union(union(j.IDs, literal(j.Hashed)), her.ids)
	k, err = e.lookUp(ctx, j, phase, her)
	return k, err == nil, err
}

// lookUp adds to what was known of the person, and is given, what records tell, and keeps it.
func (e *Engine) lookUp(ctx context.Context, j Job, phase string, of whose) (known, error) {
	w := &walk{Engine: e, job: j, phase: "ask." + phase}
	s := &step{Step: datamap.Step{ID: "identifiers", Entry: &datamap.Entry{ID: "identifiers"}}}
	t, err := w.take(ctx, s)
	if errors.Is(err, errBusy) || errors.Is(err, errWaits) {
		return known{}, ErrLater
	} else if err != nil {
		return known{}, err
	}
	k, before, _, err := e.recall(ctx, j, j.Request)
	if err != nil {
		return known{}, err
	}
	k = known{IDs: union(k.IDs, of.ids), Lost: of.lost, Asked: k.Asked, Missed: of.read.open(k.Missed), Beside: k.Beside, Mark: k.Mark, Holds: j.Holds, Salt: make([]byte, sha256.Size)}
	if _, err := io.ReadFull(e.Random, k.Salt); err != nil {
		return known{}, fault.New(fault.Transient, "keeping identifiers: %w", err)
	}
	if len(k.Mark) == 0 {
		k.Mark = make([]byte, sha256.Size)
		if _, err := io.ReadFull(e.Random, k.Mark); err != nil {
			return known{}, fault.New(fault.Transient, "keeping identifiers: %w", err)
		}
	}
	if phase != erasing {
		again := e.ask(ctx, j, phase, &k, t.Tries)
		if again == nil {
			again = e.askBeside(ctx, j, &k, t.Tries)
		}
		if again != nil {
			if fault.KindOf(again) == fault.Invalid {
				return known{}, again
			}
			if t.Tries++; t.Tries > 1 {
				again = ErrLater
			}
			t.Not = w.Clock.Now().Add(growing(t.Tries)).UnixMicro()
			return known{}, errors.Join(again, w.save(context.WithoutCancel(ctx), &t, position{}, true))
		}
	}
	return k, e.keep(ctx, j, phase, k, before, taskID(j, w.phase, s.ID))
}

// ask adds what stores tell. An error is worth another try, unless it is Invalid; what cannot be asked after so many of
// them is listed.
func (e *Engine) ask(ctx context.Context, j Job, phase string, k *known, tries int) error {
	skip := !j.Executed.IsZero() && e.returned(ctx, j, k.IDs).known(e.Map)
	var wait error
	var made asking
	ids, err := e.Map.Resolve(j.Tenant, k.IDs, func(l datamap.Lookup) ([]string, error) {
		if l.Reusable && !j.Executed.IsZero() {
			if skip {
				made.not = append(made.not, missedOf(l, ""))
				return nil, nil // it may be hers who has the identifier now
			}
			l.Query.CreatedBefore = j.Executed
		}
		values, told, err := e.values(ctx, l)
		switch {
		case err == nil && told:
			made.take(k, l, values)
		case err == nil:
			made.not = append(made.not, missedOf(l, ""))
		case worthwhile(err, tries):
			wait = err
			return nil, err
		default:
			made.not = append(made.not, missedOf(l, missing(err)))
			return nil, nil
		}
		return values, nil
	})
	if wait != nil {
		return fault.New(fault.Transient, "looking up identifiers: %w", wait)
	}
	switch {
	case err == nil:
		k.IDs = ids
	case phase == planning:
		return fault.New(fault.Invalid, "looking up identifiers: %w", err)
	case len(made.told) == 0:
		k.Lost = append(k.Lost, request.Open{Entry: e.Map.Entries[0].ID, Why: refused})
	default: // what was known when it was planned is searched for
		made.refuse()
	}
	k.Missed = made.open(k.Missed)
	k.Lost = distinct(append(k.Lost, k.lost()...))
	if phase != planning || j.Scope == Instructed {
		return nil
	}
	return e.ownership(ctx, j, k, tries)
}

// values asks a store for identifiers. Of items of which nobody knows when they were made it takes none once that counts,
// and told is false.
func (e *Engine) values(ctx context.Context, l datamap.Lookup) (values []string, told bool, err error) {
	reader, err := e.asking(ctx, l.Reader)
	if err != nil {
		return nil, false, err
	}
	for cursor := ""; !l.Query.CreatedBefore.IsZero(); {
		page, err := reader.Find(ctx, l.Query, cursor, erasure.MaxPage)
		if err != nil {
			return nil, false, err
		}
		if slices.ContainsFunc(page.Items, func(i erasure.Item) bool { return i.Created.IsZero() }) {
			return nil, false, nil
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	values, err = reader.Values(ctx, l.Query, l.Field, erasure.MaxValues)
	if fault.Is(err, fault.NotFound) {
		return nil, true, nil // the search lists the place as missing
	}
	return values, err == nil, err
}

// worthwhile reports whether a look-up is made again. One that finds too much finds too much the next time.
func worthwhile(err error, tries int) bool {
	if fault.Is(err, fault.Exhausted) {
		return tries+1 < fewTries
	}
	return passing(err) && tries+1 < mostTries
}

// ownership tells whether the person is an owner of the tenant. Where nobody can tell, the plan is blind for it and a person
// looks; that she is the last is said of nobody on a guess, as it freezes the account.
func (e *Engine) ownership(ctx context.Context, j Job, k *known, tries int) error {
	l, err := e.Map.Owners(j.Tenant)
	if fault.Is(err, fault.NotFound) {
		return nil // the map does not say who owns
	}
	var owners []string
	if err == nil {
		owners, _, err = e.values(ctx, l)
	}
	switch {
	case err == nil:
		k.Owner, k.Last = e.Map.Owns(k.IDs, owners)
	case worthwhile(err, tries):
		return err
	default:
		k.Lost = append(k.Lost, request.Open{Entry: e.Map.Owner.Entry, Why: "owners_" + word(err)})
	}
	return nil
}

// commitment stands for the identifiers: the same for the same, and nothing to whoever lacks the salt.
func (k known) commitment() (string, error) {
	text, err := json.Marshal(k.IDs)
	if err != nil {
		return "", fault.New(fault.Invalid, "committing to identifiers: %w", err)
	}
	defer seal.Wipe(text)
	mac := hmac.New(sha256.New, k.Salt)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

func union(a, b []datamap.Identifier) []datamap.Identifier {
	seen, all := map[datamap.Identifier]bool{}, []datamap.Identifier{}
	for _, list := range [][]datamap.Identifier{a, b} {
		for _, id := range list {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	return all
}
