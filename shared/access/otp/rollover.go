package otp

import (
	"context"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// MaxRolloverAhead bounds how far in the future the date of a forced rollover may lie.
const MaxRolloverAhead = 366 * 24 * time.Hour

// RolloverLife is how long a rollover of everybody stays open when nobody goes on with it.
const RolloverLife = 30 * 24 * time.Hour

// Rollover says by when authenticators must be replaced, and why.
type Rollover struct {
	By     time.Time // not in the future: at once
	Why    Reason    // RolledOver or Compromised
	Reason string    // in words, 1 to 500 bytes; the person reads it nowhere, the security desk does

	started time.Time // of everybody; the zero time otherwise
}

func (r Rollover) check(now time.Time) error {
	switch {
	case r.Why != RolledOver && r.Why != Compromised:
		return fault.New(fault.Invalid, "forcing a rollover: reason %q", r.Why)
	case strings.TrimSpace(r.Reason) == "" || len(r.Reason) > maxReason:
		return reasonMissing()
	case r.By.After(now.Add(MaxRolloverAhead)):
		return fault.Refuse(fault.Invalid, "date_invalid", "This date is more than a year away.", "Choose a date within a year.")
	}
	return nil
}

// wanted reports whether the rollover changes an authenticator: an earlier date stays, but one whose secret may be
// known ends on its date whatever was said before. What the person got after it started is what she replaced hers with.
func (r Rollover) wanted(a Authenticator) bool {
	got := a.Confirmed
	if a.Serial != "" && r.Why == Compromised { // a token she had by then may be known, though its first codes came later
		got = a.Created
	}
	bound := a.State == Active || a.State == Assigned && r.Why == Compromised
	return bound && (r.started.IsZero() || !got.After(r.started)) && (a.Until.IsZero() || r.By.Before(a.Until) || r.Why == Compromised && a.Why != Compromised)
}

// ForceRollover sets the date by which a person's active authenticators must be replaced, tells the person, and reports
// whether anything changed; said again, nothing does. From the date on they register no address, though their codes
// still vouch for what takes their place (Authenticator.Overdue); those that are Compromised end on it. A person without
// an account is no error. Codes: reason_missing, date_invalid.
func (s *Service) ForceRollover(ctx context.Context, person string, r Rollover, meta Meta, now time.Time) (changed bool, err error) {
	if err := r.check(now); err != nil {
		return false, err
	}
	if r.By.Before(now) {
		r.By = now
	}
	return s.force(ctx, person, r, meta, now)
}

// force is ForceRollover by a date that may have passed a moment ago.
func (s *Service) force(ctx context.Context, person string, r Rollover, meta Meta, now time.Time) (changed bool, err error) {
	err = s.change(ctx, person, nil, meta, now, RolloverForced, func(e *edit) error {
		changed = false
		for i := len(e.acc.Authenticators) - 1; i >= 0; i-- {
			if !r.wanted(e.acc.Authenticators[i]) {
				continue
			}
			changed = true
			if err := e.roll(i, r); err != nil {
				return err
			}
		}
		if !changed {
			return nil
		}
		return e.saved("")
	})
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return changed, err
}

// roll gives one authenticator its date, or its end where that is now and its secret may be known.
func (e *edit) roll(i int, r Rollover) error {
	a := &e.acc.Authenticators[i]
	if a.Until.IsZero() || r.By.Before(a.Until) {
		a.Until = r.By
	}
	if a.Why != Temporary || r.Why == Compromised {
		a.Why = r.Why
	}
	a.Note = strings.TrimSpace(r.Reason)
	by := a.Until.UTC()
	err := e.notify(RolloverDue, strings.Join([]string{a.ID, string(a.Why), by.Format(time.RFC3339Nano)}, "/"), map[string]string{
		"name": a.Name, "by": by.Format(time.RFC3339),
	})
	if err == nil && a.Why == Compromised && !a.Until.After(e.now) {
		err = e.end(i, Compromised)
	}
	return err
}

// RolloverState is how far a rollover of everybody is. It is stored.
type RolloverState string

// A rollover goes on until everybody has the date.
const (
	RolloverOpen RolloverState = "open"
	RolloverDone RolloverState = "done"
)

// Everyone is a rollover of everybody, which takes several steps.
type Everyone struct {
	V       int           `json:"v"`
	ID      string        `json:"id"`
	State   RolloverState `json:"state"`
	By      time.Time     `json:"by"`
	Why     Reason        `json:"why"`
	Reason  string        `json:"reason"`
	Started time.Time     `json:"started"`
	Stepped time.Time     `json:"stepped,omitzero"` // the last time somebody went on with it
	Ended   time.Time     `json:"ended,omitzero"`
}

// over reports whether nobody went on with a rollover for RolloverLife.
func (all Everyone) over(now time.Time) bool {
	last := all.Started
	if all.Stepped.After(last) {
		last = all.Stepped
	}
	return all.State == RolloverOpen && now.Sub(last) >= RolloverLife
}

// end closes a rollover. Its reason may name somebody, and nobody reads it any more.
func (all *Everyone) end(now time.Time) { all.State, all.Ended, all.Reason = RolloverDone, now, "" }

// StepPeople is how many people one step of a rollover changes at most: a step fits a request.
const StepPeople = 50

// ForceEveryone begins a rollover of everybody; StepEveryone carries it out. Codes: those of ForceRollover.
func (s *Service) ForceEveryone(ctx context.Context, r Rollover, now time.Time) (Everyone, error) {
	if err := r.check(now); err != nil {
		return Everyone{}, err
	}
	if r.By.Before(now) {
		r.By = now
	}
	id, err := s.id()
	if err != nil {
		return Everyone{}, err
	}
	all := Everyone{V: Version, ID: id, State: RolloverOpen, By: r.By, Why: r.Why, Reason: strings.TrimSpace(r.Reason), Started: now}
	return all, s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Create(Rollovers, id, all) })
}

// StepEveryone gives the date to at most StepPeople people who do not have it yet. Whoever dies between two steps, or in
// one, goes on where it ended by calling again: each person is changed in a transaction of her own, once. What a person
// bound after the rollover started stays. The rollover is done when nobody was left, which its state says; one that
// nobody went on with for RolloverLife is over as it is. Code: rollover_unknown.
func (s *Service) StepEveryone(ctx context.Context, id string, meta Meta, now time.Time) (all Everyone, changed int, err error) {
	if all, err = s.goOn(ctx, id, now); err != nil || all.State == RolloverDone {
		return all, 0, err
	}
	r := Rollover{By: all.By, Why: all.Why, Reason: all.Reason, started: all.Started}
	for acc, err := range s.accounts(ctx) {
		if err != nil {
			return all, changed, err
		}
		if !acc.anyWanted(r) {
			continue
		}
		if changed == StepPeople {
			return all, changed, nil
		}
		did, err := s.force(ctx, acc.Person, r, meta, now)
		if err != nil {
			return all, changed, err
		}
		if did {
			changed++
		}
	}
	ended := all
	ended.end(now)
	if err := s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(Rollovers, id, ended) }); err != nil {
		return all, changed, err
	}
	return ended, changed, nil
}

// goOn opens a rollover for a step, and notes that somebody goes on with it; one that is over it closes.
func (s *Service) goOn(ctx context.Context, id string, now time.Time) (Everyone, error) {
	unknown := fault.Refuse(fault.NotFound, "rollover_unknown", "There is no such rollover, or nobody went on with it for 30 days.", "Look at the list again, or force a new one.")
	var all Everyone
	late := false
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		all = Everyone{}
		if err := tx.Get(Rollovers, id, &all); fault.Is(err, fault.NotFound) {
			return unknown
		} else if err != nil || all.State == RolloverDone {
			return err
		}
		if late = all.over(now); late {
			all.end(now)
		} else {
			all.Stepped = now
		}
		return tx.Put(Rollovers, id, all)
	})
	if err == nil && late {
		err = unknown
	}
	return all, err
}

func (acc Account) anyWanted(r Rollover) bool {
	for _, a := range acc.Authenticators {
		if r.wanted(a) {
			return true
		}
	}
	return false
}

// OpenRollovers returns the rollovers of everybody that are neither done nor over.
func (s *Service) OpenRollovers(ctx context.Context, now time.Time) ([]Everyone, error) {
	open, err := store.Find[Everyone](s.Store.Query(ctx, store.Query{
		Collection: Rollovers, Equal: []store.Field{{Name: "state", Value: string(RolloverOpen)}}, Limit: resetsToShow,
	}))
	return slices.DeleteFunc(open, func(all Everyone) bool { return all.over(now) }), err
}
