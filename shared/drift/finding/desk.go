package finding

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Get returns a finding. NotFound, code finding_unknown: there is none.
func (s *Service) Get(ctx context.Context, id string) (Finding, error) {
	var f Finding
	if !idForm.MatchString(id) {
		return f, unknown()
	}
	err := s.Store.Get(ctx, Findings, id, &f)
	if fault.Is(err, fault.NotFound) {
		return f, unknown()
	}
	return f, err
}

func unknown() error {
	return fault.Refuse(fault.NotFound, "finding_unknown", "There is no such finding.", "Look at the list of findings.")
}

// List returns findings of a state, gravest first and then the newest, and where to go on; nil after the last. limit is at
// most store.MaxQueryResults.
func (s *Service) List(ctx context.Context, state State, after *store.Cursor, limit int) ([]Finding, *store.Cursor, error) {
	all, err := store.Find[Finding](s.Store.Query(ctx, store.Query{
		Collection: Findings, Equal: []store.Field{{Name: "state", Value: string(state)}}, Range: &store.Range{Name: "rank"}, After: after, Limit: limit,
	}))
	if err != nil {
		return nil, nil, fmt.Errorf("reading findings: %w", err)
	}
	if len(all) < limit {
		return all, nil, nil
	}
	last := all[len(all)-1]
	return all, &store.Cursor{Value: last.Rank, ID: last.ID}, nil
}

// Open returns the open findings by promise; those of no promise under "".
func (s *Service) Open(ctx context.Context) (map[string][]Finding, error) {
	all, err := s.live(ctx)
	if err != nil {
		return nil, err
	}
	by := map[string][]Finding{}
	for _, f := range all {
		if f.State != Open {
			continue
		}
		for _, id := range f.Promises {
			by[id] = append(by[id], f)
		}
		if len(f.Promises) == 0 {
			by[""] = append(by[""], f)
		}
	}
	return by, nil
}

// History returns what was done about a finding, oldest first: at most store.MaxQueryResults of the newest.
func (s *Service) History(ctx context.Context, id string) ([]Step, error) {
	if !idForm.MatchString(id) {
		return nil, unknown()
	}
	all, err := store.Find[Step](s.Store.Query(ctx, store.Query{
		Collection: steps, Equal: []store.Field{{Name: "finding", Value: id}}, Range: &store.Range{Name: "n"}, Descending: true, Limit: store.MaxQueryResults,
	}))
	slices.Reverse(all)
	return all, err
}

// Wish is what somebody wants accepted.
type Wish struct {
	Reason string // hers: at most MaxReason bytes; the second person may leave it out
	Ticket string // a reference; may be empty
	Got    string // the value as it was shown to her
	Until  time.Time
}

// MaxReason is the length of a reason in bytes.
const MaxReason = 1000

// ticketForm keeps what people type down to a reference.
var ticketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+:#-]{0,79}$`)

// Accept accepts a finding for a while, or proposes to where two people have to. The same again changes nothing. Codes:
// those of Decide, finding_unknown, reason_invalid, ticket_invalid.
func (s *Service) Accept(ctx context.Context, id string, w Wish, by policy.Person, now time.Time) (Finding, error) {
	w.Reason = strings.TrimSpace(strings.ReplaceAll(w.Reason, "\r\n", "\n"))
	switch {
	case !idForm.MatchString(id):
		return Finding{}, unknown()
	case len(w.Reason) > MaxReason || strings.ContainsFunc(w.Reason, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '�' }):
		return Finding{}, fault.Refuse(fault.Invalid, "reason_invalid", "The reason is longer than 1000 bytes, or not plain text.", "Write less.")
	case w.Ticket != "" && !ticketForm.MatchString(w.Ticket):
		return Finding{}, fault.Refuse(fault.Invalid, "ticket_invalid", "This is not a reference: letters, digits and . _ / + : # - only, at most 80.", "Give the number of the ticket.")
	}
	f, _, err := s.happen(ctx, id, Event{What: Accept, By: s.person(by), Ticket: w.Ticket, Until: w.Until.UTC().Truncate(time.Second), Got: w.Got}, w.Reason, now)
	return f, err
}

// person is somebody with her roles, and with whom she is not two.
func (s *Service) person(p policy.Person) Person {
	return Person{p.ID, p.Roles, s.Policy.Twins(p)}
}

// same reports whether two ids are, or may be, one human's.
func (s *Service) same(a, b string) bool {
	p, known := s.Policy.PersonByID(a)
	return known && slices.Contains(s.Policy.Twins(p), b)
}

// Revoke takes an acceptance back, or a proposal; one person is enough. The same again changes nothing. Codes: not_allowed,
// finding_unknown.
func (s *Service) Revoke(ctx context.Context, id string, by policy.Person, now time.Time) (Finding, error) {
	if !idForm.MatchString(id) {
		return Finding{}, unknown()
	}
	f, _, err := s.happen(ctx, id, Event{What: Revoke, By: s.person(by)}, "", now)
	return f, err
}

// Due returns findings a tick has to look at, the longest due first.
func (s *Service) Due(ctx context.Context, now time.Time, limit int) ([]Finding, error) {
	return s.due(ctx, now, limit, nil)
}

func (s *Service) due(ctx context.Context, now time.Time, limit int, after *store.Cursor) ([]Finding, error) {
	all, err := store.Find[Finding](s.Store.Query(ctx, store.Query{Collection: Findings, Range: &store.Range{Name: "due", From: int64(1), To: now.UnixMicro() + 1}, After: after, Limit: limit}))
	if err != nil {
		return nil, fmt.Errorf("reading findings that are due: %w", err)
	}
	return all, nil
}

// duePage is how many findings a tick reads at once, and MostLooks of how many it has what there is read again: the first look at a
// company may find thousands, and each costs a call of its service.
const (
	duePage   = 200
	MostLooks = 200
)

// Tick does what the clock has brought about: reminders, ends of acceptances, what nobody could tell for a day; and it has
// what stood for long enough looked at again, MostLooks in one go, the longest due first. look says what it saw by Out, In or Lost, and is called outside of
// transactions; one whose look fails is due again a minute later. applying tells where something is being applied. Both may
// be nil. It may run at any time, any number of times, and in several places at once. One finding that cannot be handled
// does not stop the others; its error is returned.
func (s *Service) Tick(ctx context.Context, now time.Time, look func(context.Context, Finding) error, applying func(Finding) bool) error {
	var errs []error
	looks := 0
	for after := (*store.Cursor)(nil); ; {
		all, err := s.due(ctx, now, duePage, after)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, f := range all {
			if looks >= MostLooks && f.State == Settling && now.Before(f.First.Add(MostSettle)) {
				continue // it stays due
			}
			f, effects, err := s.happen(ctx, f.ID, Event{What: Ticking, Applying: applying != nil && applying(f)}, "", now)
			if err == nil && look != nil && slices.Contains(effects, Look) {
				looks++
				err = look(ctx, f)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("a finding that is due: %w", err))
			}
		}
		if len(all) < duePage || ctx.Err() != nil {
			return errors.Join(append(errs, s.sumUp(ctx, now))...)
		}
		last := all[len(all)-1]
		after = &store.Cursor{Value: last.Due, ID: last.ID}
	}
}
