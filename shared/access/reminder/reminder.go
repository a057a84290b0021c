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

// batchSize is how many people one transaction reminds: far from what a transaction may hold (Firestore: 500 writes, 10 MiB).
const batchSize = 100

// day is who was reminded on one date of people's zones, and who came in the week before it, as far as that was asked: the week
// does not change while the hour of a reminder lasts.
type day struct {
	V       int       `json:"v"`
	People  []string  `json:"people"`
	Usual   []string  `json:"usual,omitempty"` // came in the week before
	Away    []string  `json:"away,omitempty"`  // did not
	Expires time.Time `json:"expires"`
}

func (d day) asked(id string) bool {
	return slices.Contains(d.Usual, id) || slices.Contains(d.Away, id)
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

// Run reminds whoever has to be at now, and returns how many. It reads and writes nothing when it is nobody's hour, and the leases
// of the week once for each person and day. Killed anywhere, the next run goes on.
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
	today, err := calendar.ParseDay(date)
	if err != nil {
		return 0, err
	}
	var known day
	if err := s.Store.Get(ctx, reminders, date, &known); err != nil && !fault.Is(err, fault.NotFound) {
		return 0, fmt.Errorf("reading who was reminded: %w", err)
	}
	if known, err = s.week(ctx, today, people, known, now); err != nil {
		return 0, err
	}
	people = slices.DeleteFunc(people, func(p policy.Person) bool {
		return slices.Contains(known.People, p.ID) || !slices.Contains(known.Usual, p.ID)
	})
	if len(people) == 0 {
		return 0, nil
	}
	registered := map[string]bool{}
	if err := s.registered(ctx, today, registered); err != nil {
		return 0, err
	}
	people = slices.DeleteFunc(people, func(p policy.Person) bool { return registered[p.ID] })
	if len(people) == 0 {
		return 0, nil
	}
	if err := s.Ready(ctx); err != nil {
		return 0, err
	}
	reminded := 0
	for some := range slices.Chunk(people, batchSize) {
		n, err := s.tell(ctx, date, some, now)
		if reminded += n; err != nil {
			return reminded, err
		}
	}
	return reminded, nil
}

// week returns what is known of a date once it was asked of all these people whether they came in the week before.
func (s *Service) week(ctx context.Context, today calendar.Day, people []policy.Person, known day, now time.Time) (day, error) {
	if !slices.ContainsFunc(people, func(p policy.Person) bool { return !known.asked(p.ID) }) {
		return known, nil
	}
	came := map[string]bool{}
	for n := 1; n <= usual; n++ {
		if err := s.registered(ctx, calendar.AddDays(today, -n), came); err != nil {
			return known, err
		}
	}
	return s.note(ctx, today.String(), now, func(d *day) {
		for _, p := range people {
			switch {
			case d.asked(p.ID):
			case came[p.ID]:
				d.Usual = append(d.Usual, p.ID)
			default:
				d.Away = append(d.Away, p.ID)
			}
		}
	})
}

// note changes what is kept of a date.
func (s *Service) note(ctx context.Context, date string, now time.Time, change func(d *day)) (day, error) {
	var d day
	err := s.Store.Tx(ctx, func(tx store.Tx) error {
		d = day{}
		if err := tx.Get(reminders, date, &d); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading who was reminded: %w", err)
		}
		change(&d)
		d.V, d.Expires = 1, now.Add(kept)
		return tx.Put(reminders, date, d)
	})
	return d, err
}

// tell reminds some people in one transaction, and returns how many it was that were not reminded before.
func (s *Service) tell(ctx context.Context, date string, people []policy.Person, now time.Time) (n int, err error) {
	err = s.Box.Commit(ctx, func(tx store.Tx, b *outbox.Batch) error {
		var told day
		if err := tx.Get(reminders, date, &told); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("reading who was reminded: %w", err)
		}
		n = 0
		for _, p := range people {
			if slices.Contains(told.People, p.ID) {
				continue
			}
			if err := s.Tell(b, p, date); err != nil {
				return err
			}
			told.People = append(told.People, p.ID)
			n++
		}
		told.V, told.Expires = 1, now.Add(kept)
		return tx.Put(reminders, date, told)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// registered adds the people who registered on a date.
func (s *Service) registered(ctx context.Context, date calendar.Day, people map[string]bool) error {
	leases, err := s.Leases(ctx, date.String())
	for _, l := range leases {
		people[l.Person] = true
	}
	return err
}
