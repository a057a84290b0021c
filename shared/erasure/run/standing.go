package run

import (
	"context"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Standing returns what is known of the work for a request by now, entry by entry: what the newest plan found, what has been
// erased since, and what the last search counted. It is empty before there is a plan, and once the request is forgotten. It needs
// no key, and no right but to read; it holds nothing of a person but numbers.
func Standing(ctx context.Context, s store.Store, id string) ([]EntryCount, error) {
	parts, err := Parts(ctx, s, id)
	if err != nil {
		return nil, err
	}
	last, searched, err := lastPass(ctx, s, id)
	if err != nil {
		return nil, err
	}
	done, planned, round := map[string]*Count{}, map[string]*Count{}, 0
	for _, p := range parts {
		if p.Phase == Planning {
			round = max(round, p.Round)
		}
	}
	for _, p := range parts {
		switch {
		case p.Phase == Erasing:
			tallied(done, p)
		case p.Phase == Planning && p.Round == round:
			tallied(planned, p)
		}
	}
	if !searched {
		return expected(planned, done), nil
	}
	var all []EntryCount
	for _, e := range last.Entries {
		all = append(all, counted(e, done[e.ID], last))
	}
	return all, nil
}

func tallied(sum map[string]*Count, p Part) {
	if sum[p.Entry] == nil {
		sum[p.Entry] = &Count{}
	}
	sum[p.Entry].add(p.Count)
}

// expected is what a plan says of each entry that has something, less what has been done since.
func expected(planned, done map[string]*Count) (all []EntryCount) {
	for id, p := range planned {
		c := EntryCount{Entry: id, Found: p.Found, Kept: p.Kept, Foreign: p.Foreign, Until: p.Until, Freed: p.Freed}
		if d := done[id]; d != nil {
			c.Erased, c.Anonymised, c.Gone = d.Erased, d.Anonymised, d.Gone
		}
		c.Left = max(0, p.Left-c.Erased-c.Anonymised-c.Gone) + p.Review + p.Held
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b EntryCount) int { return strings.Compare(a.Entry, b.Entry) })
	return all
}

// lastPass is the last search since the last run.
func lastPass(ctx context.Context, s store.Store, id string) (last Pass, found bool, err error) {
	for n := 1; n <= len(request.Passes()); n++ {
		var kept record
		if err := s.Get(ctx, jobs, passID(id, n), &kept); fault.Is(err, fault.NotFound) {
			break
		} else if err != nil {
			return last, found, err
		}
		last, found = kept.Pass, true
	}
	return last, found, nil
}
