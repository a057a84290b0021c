package finding

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/policy"
)

// Seen is one difference as somebody found it who looked.
type Seen struct {
	Finding // Asset, What, Class, Promises, Severity, Loosened, Want and Got; the rest is not looked at
	// Same tells it apart from whatever else is said of the asset, where What may be called otherwise tomorrow; "": What does.
	Same             string
	Urgent, Applying bool
	Again            bool      // all was looked at anew
	Read             time.Time // when what it rests on was true
}

// Name is the ID of what was seen.
func (s Seen) Name() string { return ID(s.Asset, cmp.Or(s.Same, s.What)) }

// How much is kept of a value and of a name, in bytes.
const (
	maxValue = 4000
	maxName  = 1000
)

// clipped bounds a text. Of one that is longer, or no text at all, the end is a digest, so that another one stays another one.
func clipped(text string, most int) string {
	if len(text) <= most && utf8.ValidString(text) {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return strings.ToValidUTF8(text[:min(most, len(text))], "") + "… sha256:" + hex.EncodeToString(sum[:])
}

// Out takes what was found out of order. One that cannot be taken does not stop the others; its error is returned.
func (s *Service) Out(ctx context.Context, all []Seen, now time.Time) error {
	known, err := s.knows(ctx, len(all))
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range all {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		f := Finding{ID: one.Name(), Class: clipped(one.Class, maxName), Severity: one.Severity, Loosened: one.Loosened, Data: one.Data}
		f.Asset, f.What = clipped(one.Asset, maxName), clipped(one.What, maxName)
		f.Want, f.Got = clipped(one.Want, maxValue), clipped(one.Got, maxValue)
		f.Promises = slices.Compact(slices.Sorted(slices.Values(one.Promises)))
		e := Event{What: Out, Read: one.Read, Subject: f, Urgent: one.Urgent, Applying: one.Applying, Again: one.Again}
		if was, is := known[f.ID]; is && settled(was, e, now) {
			continue
		}
		if _, _, err := s.happen(ctx, f.ID, e, "", now); err != nil {
			errs = append(errs, fmt.Errorf("a finding: %w", err))
		}
	}
	return errors.Join(errs...)
}

// few is how many findings are looked up one by one: of more, all there are is read at once first.
const few = 20

// knows returns what is not over, by id, where so much is to be told that it is worth it.
func (s *Service) knows(ctx context.Context, told int) (map[string]Finding, error) {
	if told <= few {
		return nil, nil
	}
	all, err := s.live(ctx)
	known := make(map[string]Finding, len(all))
	for _, f := range all {
		known[f.ID] = f
	}
	return known, err
}

// settled reports whether an event changes nothing of a finding, so that it needs no transaction to find that out.
func settled(f Finding, e Event, now time.Time) bool {
	now, e.Read = now.UTC().Truncate(time.Microsecond), e.Read.UTC().Truncate(time.Microsecond)
	after, effects, err := Decide(f, e, now)
	return err == nil && len(effects) == 0 && same(f, after)
}

// In says that an asset was looked at: what fate says of each of its findings happens to it: In, Drop, Lost, or "" for what is
// out of order as before. fate may be nil: all of it is in order.
func (s *Service) In(ctx context.Context, asset string, fate func(Finding) What, read, now time.Time) error {
	return s.ofAsset(ctx, asset, now, func(f Finding) Event { return Event{What: said(fate, f), Read: read} })
}

func said(fate func(Finding) What, f Finding) What {
	if fate == nil {
		return In
	}
	return fate(f)
}

// Lost says that nobody could look at an asset: its findings stay what they are.
func (s *Service) Lost(ctx context.Context, asset string, read, now time.Time) error {
	return s.ofAsset(ctx, asset, now, func(Finding) Event { return Event{What: Lost, Read: read} })
}

// Blame says who may have made the changes of an asset, likeliest first.
func (s *Service) Blame(ctx context.Context, asset string, actors []Actor, now time.Time) error {
	return s.BlameEach(ctx, asset, func(Finding) []Actor { return actors }, now)
}

// BlameEach says of each finding of an asset who may have made it: its value may be younger than that of another.
func (s *Service) BlameEach(ctx context.Context, asset string, who func(Finding) []Actor, now time.Time) error {
	return s.ofAsset(ctx, asset, now, func(f Finding) Event {
		if f.State.Over() {
			return Event{}
		}
		return Event{What: Blame, Actors: who(f), Same: s.same}
	})
}

// ofAsset lets something happen to what is not healed of an asset; an Event without What is none.
func (s *Service) ofAsset(ctx context.Context, asset string, now time.Time, event func(Finding) Event) error {
	all, err := s.all(ctx, []store.Field{{Name: "asset", Value: clipped(asset, maxName)}})
	if err != nil {
		return err
	}
	return s.each(ctx, all, now, event)
}

func (s *Service) each(ctx context.Context, all []Finding, now time.Time, event func(Finding) Event) error {
	var errs []error
	for _, f := range all {
		e := event(f)
		if f.State.Over() || e.What == "" {
			continue
		}
		if _, _, err := s.happen(ctx, f.ID, e, "", now); err != nil {
			errs = append(errs, fmt.Errorf("a finding: %w", err))
		}
	}
	return errors.Join(errs...)
}

// all reads every finding with some fields, however many there are.
func (s *Service) all(ctx context.Context, equal []store.Field) (all []Finding, err error) {
	for q := (store.Query{Collection: Findings, Equal: equal, Limit: store.MaxQueryResults}); ; {
		page, err := store.Find[Finding](s.Store.Query(ctx, q))
		if err != nil {
			return nil, fmt.Errorf("reading findings: %w", err)
		}
		if all = append(all, page...); len(page) < q.Limit {
			return all, nil
		}
		q.After = &store.Cursor{ID: page[len(page)-1].ID}
	}
}

// live reads everything that is not healed, gravest first in each state.
func (s *Service) live(ctx context.Context) (all []Finding, err error) {
	for _, state := range []State{Settling, Open, Accepted} {
		for after := (*store.Cursor)(nil); ; {
			page, next, err := s.List(ctx, state, after, store.MaxQueryResults)
			if err != nil {
				return nil, err
			}
			if all = append(all, page...); next == nil {
				break
			}
			after = next
		}
	}
	return all, nil
}

// Sweep ends a look at everything that began at a time: what fate says of each finding happens to it, as of In. What was seen
// after it began, it leaves alone.
func (s *Service) Sweep(ctx context.Context, began time.Time, fate func(Finding) What, now time.Time) error {
	all, err := s.live(ctx)
	if err != nil {
		return err
	}
	return s.each(ctx, all, now, func(f Finding) Event { return Event{What: said(fate, f), Read: began} })
}

// Count is what a look found about one assertion, in things it looks at.
type Count struct {
	Assertion    string
	Expected     int64 // that there are
	Seen         int64 // that were read
	Undetermined int64 // of those, that could not be judged
	Out          int64 // of those, out of order
}

// Beats says for heartbeat.Heart.Beat which assertions ran: one beat for each that keeps a promise. One runs while
// everything it looks at was read and judged; otherwise what it keeps is unknown. What is out of order stands in findings.
func (s *Service) Beats(_ context.Context, counts []Count) (all []heartbeat.Beat) {
	for _, c := range counts {
		b := heartbeat.Beat{
			Check: c.Assertion, Mechanism: string(policy.Assertion), Result: record.Result{State: record.Kept},
			Population: record.Population{Expected: c.Expected, Seen: c.Seen, Errors: c.Undetermined},
			Facts:      map[string]string{"out_of_order": strconv.FormatInt(c.Out, 10)},
		}
		for _, p := range s.Policy.Promises {
			if slices.ContainsFunc(p.KeptBy, func(k policy.Keeper) bool {
				return k.Mechanism == policy.Assertion && slices.Contains(k.Refs, c.Assertion)
			}) {
				b.Promises = append(b.Promises, p.ID)
			}
		}
		if len(b.Promises) > 0 {
			all = append(all, b)
		}
	}
	return all
}
