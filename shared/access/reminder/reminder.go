// Package reminder reminds people, once a working day, who have not registered their address yet.
//
// It promises one message a day and person, at the hour of her own zone, to those alone who registered in the last week: whoever
// is away hears nothing. The message carries no authority: what it leads to is the page that everybody opens by hand. It says
// nothing an hour after its time, so that nobody is reminded at night because a process was down.
package reminder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

const (
	reminders = "reminders"

	late  = time.Hour // after the time of a reminder nobody is reminded any more
	usual = 7         // days in which somebody must have registered to be reminded
	kept  = 3 * 24 * time.Hour
)

// Collection declares who was reminded of which day.
func Collection() []store.Collection { return []store.Collection{{Name: reminders, Expires: true}} }

// day is who was reminded on one date of people's zones.
type day struct {
	V       int       `json:"v"`
	People  []string  `json:"people"`
	Expires time.Time `json:"expires"`
}

// Config is what a Service needs.
type Config struct {
	Store  store.Store
	Box    *outbox.Box
	People []policy.Person
	At     string // HH:MM in the person's zone; "" for never
	// Leases returns the leases that began on a date of people's zones (YYYY-MM-DD).
	Leases func(ctx context.Context, date string) ([]lease.Lease, error)
	// Tell has a person reminded. It does no I/O; Ready is called before, outside of any transaction.
	Tell  func(b *outbox.Batch, p policy.Person, date string) error
	Ready func(ctx context.Context) error
}

// Service reminds.
type Service struct{ Config }

// New returns a Service. Misconfigured: a part is missing, or At is no time of day.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Box == nil || c.Leases == nil || c.Tell == nil || c.Ready == nil {
		return nil, fault.New(fault.Misconfigured, "reminders: store, outbox, leases and a way to tell are all needed")
	}
	if c.At != "" {
		if _, err := calendar.Minutes(c.At); err != nil {
			return nil, fault.New(fault.Misconfigured, "reminders: %w", err)
		}
	}
	return &Service{c}, nil
}

// due are the people whose hour it is, by their date.
func (s *Service) due(now time.Time) map[string][]policy.Person {
	found := map[string][]policy.Person{}
	for _, p := range s.People {
		today := calendar.Date(now, p.Location())
		if weekday := today.Weekday(); weekday == time.Saturday || weekday == time.Sunday || !p.Active(now) {
			continue
		}
		at, err := calendar.DayEnd(now, p.Location(), s.At)
		if err == nil && !now.Before(at) && now.Sub(at) < late {
			found[today.String()] = append(found[today.String()], p)
		}
	}
	return found
}

// Run reminds whoever has to be at now, and returns how many. It writes nothing when nobody has. Killed anywhere, the next run goes
// on.
func (s *Service) Run(ctx context.Context, now time.Time) (int, error) {
	if s.At == "" {
		return 0, nil
	}
	reminded := 0
	for date, people := range s.due(now) {
		n, err := s.remind(ctx, date, people, now)
		reminded += n
		if err != nil {
			return reminded, fmt.Errorf("reminding of %s: %w", date, err)
		}
	}
	return reminded, nil
}

func (s *Service) remind(ctx context.Context, date string, people []policy.Person, now time.Time) (int, error) {
	var told day
	if err := s.Store.Get(ctx, reminders, date, &told); err != nil && !fault.Is(err, fault.NotFound) {
		return 0, fmt.Errorf("reading who was reminded: %w", err)
	}
	people = slices.DeleteFunc(people, func(p policy.Person) bool { return slices.Contains(told.People, p.ID) })
	if len(people) == 0 {
		return 0, nil
	}
	today, err := calendar.ParseDay(date)
	if err != nil {
		return 0, err
	}
	registered, err := s.registered(ctx, today, 0)
	if err != nil {
		return 0, err
	}
	people = slices.DeleteFunc(people, func(p policy.Person) bool { return registered[p.ID] })
	if len(people) == 0 {
		return 0, nil
	}
	before := map[string]bool{}
	for n := 1; n <= usual; n++ {
		on, err := s.registered(ctx, today, -n)
		if err != nil {
			return 0, err
		}
		for id := range on {
			before[id] = true
		}
	}
	people = slices.DeleteFunc(people, func(p policy.Person) bool { return !before[p.ID] })
	if len(people) == 0 {
		return 0, nil
	}
	if err := s.Ready(ctx); err != nil {
		return 0, err
	}
	return len(people), s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		told := day{}
		if err := tx.Get(reminders, date, &told); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading who was reminded: %w", err)
		}
		for _, p := range people {
			if slices.Contains(told.People, p.ID) {
				continue
			}
			if err := s.Tell(b, p, date); err != nil {
				return err
			}
			told.People = append(told.People, p.ID)
		}
		told.V, told.Expires = 1, now.Add(kept)
		return tx.Put(reminders, date, told)
	})
}

// registered are the people who registered on the nth day from a date.
func (s *Service) registered(ctx context.Context, today calendar.Day, n int) (map[string]bool, error) {
	leases, err := s.Leases(ctx, calendar.AddDays(today, n).String())
	if err != nil {
		return nil, err
	}
	people := map[string]bool{}
	for _, l := range leases {
		people[l.Person] = true
	}
	return people, nil
}
