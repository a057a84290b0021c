package parts

import (
	"testing"
	"time"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/policy"
)

// TestExpected: what is left is expected when its store lets go of it, and not when a law does of what is beside it; a day that has
// passed is moved as long as anything is to be done.
func TestExpected(t *testing.T) {
	t.Parallel()
	due, now := calendar.Day{Year: 2026, Month: 4, Day: 2}, time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	end := func(at time.Time) time.Time { return calendar.EndOfDay(at, time.UTC) }
	freed, kept := now.AddDate(0, 3, 0), now.AddDate(10, 0, 0)
	left := func(c run.EntryCount) []run.EntryCount { c.Left = 1; return []run.EntryCount{c} }
	for name, c := range map[string]struct {
		status opendsr.Status
		now    time.Time
		counts []run.EntryCount
		want   time.Time
	}{
		"kept beside what is left": {opendsr.InProgress, now, left(run.EntryCount{Kept: 1, Until: kept}), due.End(time.UTC)},
		"held by its store":        {opendsr.InProgress, now, left(run.EntryCount{Until: kept, Freed: freed}), end(freed)},
		"held, and settled":        {opendsr.InProgress, now, []run.EntryCount{{Until: kept, Freed: freed}}, due.End(time.UTC)},
		"held for good":            {opendsr.InProgress, now, left(run.EntryCount{Freed: kept.AddDate(8000, 0, 0)}), due.End(time.UTC)},
		"late":                     {opendsr.InProgress, freed, nil, end(freed)},
		"late, and pending":        {opendsr.Pending, freed, nil, end(freed)},
		"done":                     {opendsr.Completed, freed, nil, due.End(time.UTC)},
	} {
		p := &Parts{Deps: &wiring.Deps{Policy: &policy.Policy{}, Clock: clock.NewManual(c.now)}}
		if got := p.expected(request.Request{Deadline: request.Deadline{Due: due, Conservative: due}}, c.status, c.counts); !got.Equal(c.want) {
			t.Errorf("%s: expected at %s, want %s", name, got, c.want)
		}
	}
}
