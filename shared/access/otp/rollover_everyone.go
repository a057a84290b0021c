package otp

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// RolloverState is how far a rollover of everybody is. It is stored.
type RolloverState string

// A rollover goes on until everybody has the date.
const (
	RolloverOpen RolloverState = "open"
	RolloverDone RolloverState = "done"
)

// RolloverLife is how long a rollover of everybody stays open when nobody goes on with it. Then it is forgotten, with the words
// of its reason, which may name somebody.
const RolloverLife = 30 * 24 * time.Hour

// Everyone is a rollover of everybody, which takes several steps.
type Everyone struct {
	V       int           `json:"v"`
	ID      string        `json:"id"`              // Rollover.ID
	Asked   string        `json:"asked,omitempty"` // Rollover.asked
	State   RolloverState `json:"state"`
	By      time.Time     `json:"by"`
	Why     Reason        `json:"why"`
	Reason  string        `json:"reason"`
	Started time.Time     `json:"started"`
	Stepped time.Time     `json:"stepped,omitzero"` // the last step, in documents of before there was Expires
	Ended   time.Time     `json:"ended,omitzero"`
	Expires time.Time     `json:"expires,omitzero"` // RolloverLife after the last step
}

// StepPeople is how many people one step of a rollover changes at most: a step fits a request.
const StepPeople = 50

// ForceEveryone begins a rollover of everybody; StepEveryone carries it out. The same one asked for again, by its id, goes on
// with the time it Started at: what people replaced theirs with meanwhile is not taken from them. One that is done is returned as
// it is. That holds for RolloverLife after its last step; then its id is forgotten. Codes: those of ForceRollover.
func (s *Service) ForceEveryone(ctx context.Context, r Rollover, now time.Time) (all Everyone, err error) {
	if err := r.check(); err != nil {
		return Everyone{}, err
	}
	if err := s.dateRollovers(ctx); err != nil {
		return Everyone{}, err
	}
	err = s.Store.Tx(ctx, func(tx store.Tx) error {
		all = Everyone{}
		switch err := tx.Get(Rollovers, r.ID, &all); {
		case err == nil && all.Asked != r.asked():
			return differs()
		case !fault.Is(err, fault.NotFound):
			return err
		}
		by, err := r.due(now)
		if err != nil {
			return err
		}
		all = Everyone{V: Version, ID: r.ID, Asked: r.asked(), State: RolloverOpen, By: by, Why: r.Why, Reason: strings.TrimSpace(r.Reason), Started: now, Expires: now.Add(RolloverLife)}
		return tx.Put(Rollovers, r.ID, all)
	})
	return all, err
}

// StepEveryone gives the date to at most StepPeople people who do not have it yet. Whoever dies between two steps, or in
// one, goes on where it ended by calling again: each person is changed in a transaction of her own, once. What a person
// bound after the rollover started stays. The rollover is done when nobody was left, which its state says; one that
// nobody went on with for RolloverLife is forgotten. Code: rollover_unknown.
func (s *Service) StepEveryone(ctx context.Context, id string, meta Meta, now time.Time) (all Everyone, changed int, err error) {
	if err := s.dateRollovers(ctx); err != nil {
		return all, 0, err
	}
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
	ended.State, ended.Ended, ended.Reason = RolloverDone, now, "" // nobody reads the reason any more
	if err := s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(Rollovers, id, ended) }); err != nil {
		return all, changed, err
	}
	return ended, changed, nil
}

// goOn opens a rollover for a step, and notes that somebody goes on with it.
func (s *Service) goOn(ctx context.Context, id string, now time.Time) (Everyone, error) {
	var all Everyone
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		all = Everyone{}
		err := tx.Get(Rollovers, id, &all)
		switch {
		case fault.Is(err, fault.NotFound):
			return fault.Refuse(fault.NotFound, "rollover_unknown", "There is no such rollover, or nobody went on with it for 30 days.", "Look at the list again, or force a new one.")
		case err != nil || all.State == RolloverDone:
			return err
		}
		all.Expires = now.Add(RolloverLife)
		return tx.Put(Rollovers, id, all)
	})
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

// OpenRollovers returns the rollovers of everybody that are not done.
func (s *Service) OpenRollovers(ctx context.Context) ([]Everyone, error) {
	if err := s.dateRollovers(ctx); err != nil {
		return nil, err
	}
	return s.rollovers(ctx, RolloverOpen)
}

func (s *Service) rollovers(ctx context.Context, state RolloverState) ([]Everyone, error) {
	return store.Find[Everyone](s.Store.Query(ctx, store.Query{
		Collection: Rollovers, Equal: []store.Field{{Name: "state", Value: string(state)}}, Limit: resetsToShow,
	}))
}

// dateRollovers gives rollovers that were stored without Expires theirs: without it they would stay for ever.
func (s *Service) dateRollovers(ctx context.Context) error {
	for _, state := range []RolloverState{RolloverOpen, RolloverDone} {
		found, err := s.rollovers(ctx, state)
		if err != nil {
			return err
		}
		for _, old := range found {
			if !old.Expires.IsZero() {
				continue
			}
			if err := s.Store.Tx(ctx, func(tx store.Tx) error { return dateRollover(tx, old.ID) }); err != nil {
				return fmt.Errorf("dating a rollover: %w", err)
			}
		}
	}
	return nil
}

func dateRollover(tx store.Tx, id string) error {
	var all Everyone
	err := tx.Get(Rollovers, id, &all)
	if fault.Is(err, fault.NotFound) || err == nil && !all.Expires.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	last := all.Started
	for _, at := range []time.Time{all.Stepped, all.Ended} {
		if at.After(last) {
			last = at
		}
	}
	if all.Expires = last.Add(RolloverLife); all.State == RolloverDone {
		all.Reason = "" // nobody reads it any more
	}
	return tx.Put(Rollovers, id, all)
}

// accounts yields all accounts, by id; an error ends it.
func (s *Service) accounts(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		query := store.Query{Collection: Accounts, Limit: store.MaxQueryResults}
		for {
			page, err := s.Store.Query(ctx, query)
			if err != nil {
				yield(Account{}, err)
				return
			}
			for _, document := range page {
				var acc Account
				err := document.Decode(&acc)
				if !yield(acc, err) || err != nil {
					return
				}
			}
			if len(page) < store.MaxQueryResults {
				return
			}
			query.After = &store.Cursor{ID: page[len(page)-1].ID}
		}
	}
}
