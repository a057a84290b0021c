package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/letters"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Tick begins what is due, and looks at every drill that is under way. It may run at any time, any number of times, in
// several places at once. One drill that cannot be handled does not stop the others; its error is returned.
func (s *Service) Tick(ctx context.Context, now time.Time) error {
	errs := []error{s.begin(ctx, now.UTC())}
	q := store.Query{Collection: Drills, Range: &store.Range{Name: "next", From: int64(1), To: now.UnixMicro() + 1}, Limit: page}
	for {
		due, err := store.Find[Drill](s.Store.Query(ctx, q))
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, d := range due {
			if err := s.look(ctx, d, now.UTC()); err != nil {
				errs = append(errs, fmt.Errorf("a drill that is under way: %w", err))
			}
		}
		if len(due) < page {
			return errors.Join(errs...)
		}
		last := due[len(due)-1]
		q.After = &store.Cursor{Value: last.Next, ID: last.ID}
	}
}

// begin writes down what begins, with the messages of a test, in one transaction with the schedule.
func (s *Service) begin(ctx context.Context, now time.Time) error {
	rules := s.Breach.Rules
	c := Calendar{Every: s.Breach.DrillEvery, Zone: rules.Zone, Country: rules.Country, Review: s.Breach.ReviewDue()}
	var before Schedule
	if err := s.Store.Get(ctx, Drills, schedule, &before); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	after, b := Plan(before, c, now)
	if after == before {
		return nil
	}
	key, err := s.Messages.Key(ctx, message.Bound())
	if err != nil {
		return err
	}
	nonce, err := s.name(16)
	if err != nil {
		return err
	}
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var stored Schedule
		if err := tx.Get(Drills, schedule, &stored); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if stored != before {
			return nil // somebody else was here
		}
		t := telling{s, batch, key, now}
		if b.Exercise {
			d := s.exercise(after.Exercises, nonce, now)
			if err := tx.Create(Drills, d.ID, d); err != nil {
				return err
			}
		}
		if b.Channels {
			d := s.test(after.Month, nonce, now)
			if err := t.channels(&d); err != nil {
				return err
			}
			if err := tx.Create(Drills, d.ID, d); err != nil {
				return err
			}
		}
		if b.Reminder {
			if err := t.deciders(sayReview, "review/"+after.Reminded, message.Mail, func(string) letters.Vars { return letters.Vars{"by": after.Reminded} }); err != nil {
				return err
			}
		}
		return tx.Put(Drills, schedule, after)
	})
	return err
}

// exercise is the n-th, before its case is there.
func (s *Service) exercise(n int, nonce string, now time.Time) Drill {
	d := Drill{V: version, ID: "exercise-" + strconv.Itoa(n), Kind: Exercise, State: Running, Nonce: nonce, Begun: now, Since: now.UnixMicro(), Next: now.UnixMicro(), Scenario: (n - 1) % len(scenarios)}
	unknown := cases.Count{How: cases.Unknown}
	d.Tracks = []cases.Track{{ID: cases.Own, Role: cases.Controller, People: unknown, Records: unknown}}
	for i, t := range s.Policy.Tenants {
		if i < concerned {
			d.Tracks = append(d.Tracks, cases.Track{ID: t.ID, Role: cases.Processor, People: unknown, Records: unknown})
		}
	}
	d.Steps = stepsOf(s.Breach.DrillLimits, len(s.Policy.Tenants) > 0)
	return d
}

// concerned is how many customers an exercise concerns at most: enough for notices that differ.
const concerned = 2

func (s *Service) test(month, nonce string, now time.Time) Drill {
	return Drill{V: version, ID: "channels-" + month, Kind: Channels, State: Running, Nonce: nonce, Begun: now, Since: now.UnixMicro(), Next: now.Add(silence).UnixMicro()}
}

// look sees how far a drill is.
func (s *Service) look(ctx context.Context, d Drill, now time.Time) error {
	if d.Kind == Channels {
		_, err := s.do(ctx, d.ID, Event{}, now)
		return err
	}
	if d.Case == "" {
		var err error
		if d, err = s.declare(ctx, d); err != nil {
			return err
		}
	}
	seen, err := s.seen(ctx, d.Case)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, d.ID, Event{Seen: &seen}, now)
	return err
}

// declare begins the case of an exercise; the same again is the same case.
func (s *Service) declare(ctx context.Context, d Drill) (Drill, error) {
	c, _, err := s.Cases.Declare(ctx, policy.Person{}, cases.Declaration{
		Client: "drill/" + d.Nonce, Breach: true, Exercise: true, Source: "drill/" + d.ID, Summary: scenarioOf(d.Scenario, s.language()), Times: cases.Times{Detected: d.Begun}, Tracks: d.Tracks,
	}, d.Begun)
	if err != nil {
		return d, err
	}
	err = s.Box.Commit(ctx, func(tx store.Tx, _ *outbox.Batch) error {
		if err := tx.Get(Drills, d.ID, &d); err != nil {
			return err
		}
		if d.Case != "" {
			return nil
		}
		d.Case, d.Number, d.Rev = c.ID, c.Number, d.Rev+1
		return tx.Put(Drills, d.ID, d)
	})
	return d, err
}

func (s *Service) language() string {
	if all := s.Policy.Company.Languages; len(all) > 0 {
		return all[0]
	}
	return "en"
}

// seen reads from case and notices how far people are. Whoever did anything in the case has answered.
func (s *Service) seen(ctx context.Context, id string) (Seen, error) {
	c, err := s.Cases.Get(ctx, id)
	if err != nil {
		return Seen{}, err
	}
	all, err := s.Notices(ctx, id)
	if err != nil {
		return Seen{}, err
	}
	see := Seen{Acked: c.Ladder.Acked, Closed: c.State == cases.Closed}
	for _, d := range c.Decisions {
		see.Acked = earliest(see.Acked, d.At)
	}
	if c.Score != nil {
		see.Acked = earliest(see.Acked, c.Score.At)
	}
	for _, n := range all {
		see.Acked = earliest(see.Acked, n.Written)
		if n.Kind != notice.Persons && !n.Glass { // alone is not by a second person
			see.Approved = earliest(see.Approved, n.Agreed)
		}
	}
	for _, t := range c.Tracks {
		see.Delivered = earliest(see.Delivered, t.Told)
	}
	return see, nil
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// try makes one attempt on the drill as it was read. The case of an exercise that is over ends first: to end it twice is to
// end it once.
func (s *Service) try(ctx context.Context, before Drill, e Event, now time.Time) (Drill, error) {
	after, effects := Decide(before, e, now)
	if same(before, after) {
		return before, nil
	}
	if slices.Contains(effects, End) {
		if _, err := s.Cases.Do(ctx, after.Case, policy.Person{}, cases.Event{What: cases.Over}, cases.Words{}, now); err != nil {
			return before, err
		}
	}
	key, err := s.Messages.Key(ctx, message.Bound())
	if err != nil {
		return before, err
	}
	after.Rev++
	err = s.Box.Commit(ctx, func(tx store.Tx, batch *outbox.Batch) error {
		var stored Drill
		if err := tx.Get(Drills, before.ID, &stored); err != nil {
			return err
		}
		if stored.Rev != before.Rev {
			return errMoved
		}
		if err := (telling{s, batch, key, now}).all(after, effects); err != nil {
			return err
		}
		return tx.Put(Drills, after.ID, after)
	})
	return after, err
}

func same(a, b Drill) bool {
	return a.State == b.State && a.Told == b.Told && a.Next == b.Next && a.Ended.Equal(b.Ended) && slices.Equal(a.Steps, b.Steps) && slices.Equal(a.Tries, b.Tries)
}
