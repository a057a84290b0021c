package scan

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// counts is what the last look at everything found, by assertion.
type counts struct {
	V      int             `json:"v"`
	At     time.Time       `json:"at"`
	Scan   int64           `json:"scan"`
	Began  time.Time       `json:"began"` // that scan
	Counts []finding.Count `json:"counts"`
	Ours   []string        `json:"ours,omitempty"`  // what of the controls themselves nobody could tell
	Waits  []string        `json:"waits,omitempty"` // what changed and was not read since
	Untold []Untold        `json:"untold,omitempty"`
}

const countsID = "counts"

// Run is one run of the schedule: it judges what is new, goes on with the list, and judges what that made new.
func (s *Service) Run(ctx context.Context) error {
	before := s.Judge(ctx)
	whole, err := s.List(ctx)
	before = errors.Join(before, s.reread(ctx))
	if !whole || err != nil {
		return errors.Join(before, err)
	}
	s.mu.Lock()
	s.judge = judged{}
	s.mu.Unlock()
	return errors.Join(before, s.Judge(ctx), s.reread(ctx)) // of what the list does not tell of any more
}

// Seek reads again what a finding is about, at the pace of a list. Of the company all is judged, by the next Run.
func (s *Service) Seek(ctx context.Context, f finding.Finding) error {
	if f.Asset == "" {
		s.mu.Lock()
		s.judge = judged{}
		s.mu.Unlock()
		return nil
	}
	if err := wait(ctx, s.Pause); err != nil {
		return err
	}
	return s.look(ctx, "", f.Asset, false)
}

func (s *Service) tally(ctx context.Context, v *verdicts) error {
	c := counts{V: version, At: v.began, Scan: v.of.Whole, Began: v.of.WholeBegan, Ours: v.unsaid(), Waits: v.waits, Untold: v.told}
	for _, name := range slices.Sorted(maps.Keys(v.counts)) {
		c.Counts = append(c.Counts, *v.counts[name])
	}
	return s.Store.Tx(ctx, func(tx store.Tx) error { return tx.Put(scans, countsID, c) })
}

// Counts returns what the last look at everything found, by assertion; false before there was one. Of a list that is too old,
// or a look that was too long ago, nothing can be told.
func (s *Service) Counts(ctx context.Context) ([]finding.Count, bool, error) {
	var c counts
	if err := s.Store.Get(ctx, scans, countsID, &c); fault.Is(err, fault.NotFound) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	now := s.Clock.Now()
	for i := range c.Counts {
		if one := &c.Counts[i]; now.Sub(c.Began) > Stale || now.Sub(c.At) > 3*time.Hour {
			one.Seen, one.Out, one.Undetermined = 0, 0, one.Expected
		}
	}
	return c.Counts, true, nil
}

// Place is what is known of one part of the newest whole list.
type Place struct {
	Place  string // such as projects/P; or Controls or Changes, of which only Unread says something
	Facts  string // resource or iam
	Assets int
	Read   time.Time // when its first page was true; zero: nobody knows
	Failed string    // why nothing can be said of it; "" for nothing
	Lost   []string  // types of which there was something and suddenly is nothing
	Unread []string  // why some could not be read
}

// Status is how much is known, and how old it is.
type Status struct {
	Began, Ended time.Time // the newest whole list; zero for none
	Running      bool      // another is under way
	Places       []Place
	Wanted       Wanted          // of what Terraform wants; zero before the first look
	Counts       []finding.Count // of the last look, by assertion
	Untold       []Untold        // what of those could not be told, the first of each
}

// Status says how much is known, and how old it is.
func (s *Service) Status(ctx context.Context) (Status, error) {
	var h head
	if err := s.Store.Get(ctx, scans, headID, &h); fault.Is(err, fault.NotFound) {
		return Status{}, nil
	} else if err != nil {
		return Status{}, err
	}
	out := Status{Began: h.WholeBegan, Ended: h.WholeEnded, Running: !h.Done}
	for i := range h.WholeLanes {
		var l lane
		if err := s.Store.Get(ctx, scans, laneID(h.Whole, i), &l); fault.Is(err, fault.NotFound) {
			continue // it is kept no longer
		} else if err != nil {
			return out, err
		}
		p := Place{Place: l.Place, Facts: l.What, Assets: l.Assets, Read: l.Read, Failed: string(l.Failed), Unread: l.Unread}
		p.Lost = slices.Sorted(maps.Keys(l.Lost))
		out.Places = append(out.Places, p)
	}
	var c counts
	if err := s.Store.Get(ctx, scans, countsID, &c); err != nil && !fault.Is(err, fault.NotFound) {
		return out, err
	}
	for place, lines := range map[string][]string{Controls: c.Ours, Changes: c.Waits} {
		if len(lines) > 0 {
			out.Places = append(out.Places, Place{Place: place, Facts: "configuration", Read: c.At, Unread: lines})
		}
	}
	out.Counts, out.Untold = c.Counts, c.Untold
	var err error
	if out.Wanted, err = s.wantedStatus(ctx); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Places, func(a, b Place) int { return cmp.Compare(a.Place, b.Place) })
	return out, nil
}
