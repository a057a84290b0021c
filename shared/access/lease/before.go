package lease

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"ostiary.internal/shared/calendar"
)

// version is that of the leases stored today. Those of version 1 do not say what was so once, and were stored to go Retention after
// their own end rather than with all others of their date.
const version = 2

// UnmarshalJSON reads a stored lease; one of version 1 says of once what it says of its present spell, and goes with the others of
// its date once it is stored again.
func (l *Lease) UnmarshalJSON(text []byte) error {
	type stored Lease // without this method
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*l = Lease(s)
	if l.V >= version {
		return nil
	}
	if l.FirstWorking.IsZero() {
		l.FirstWorking, l.FirstTested = l.WorkingAt, l.Tested && !l.WorkingAt.IsZero()
	}
	l.FirstConfirmed = cmp.Or(l.FirstConfirmed, l.ConfirmedAt)
	l.Expires = expiry(l.Date, l.Ends)
	return nil
}

// ahead is how much sooner than in UTC a day begins where it begins first.
const ahead = 14 * time.Hour

// sure is the first date of which no lease of version 1 can have gone at now, however soon it ended.
func sure(now time.Time) calendar.Day {
	return calendar.AddDays(calendar.Date(now.Add(ahead-Retention), time.UTC), 1)
}

// Whole is the first date, not before Earliest, of which all leases are kept: as long as leases of version 1 last, that is later
// for first, the date somebody asks for, where some of them may have gone already.
func (s *Service) Whole(ctx context.Context, first calendar.Day) (calendar.Day, error) {
	now := s.Clock.Now()
	earliest, sure := Earliest(now), sure(now)
	if !first.Before(sure) {
		return earliest, nil
	}
	for day, today := earliest, calendar.AddDays(calendar.Date(now, time.UTC), 1); !today.Before(day); day = calendar.AddDays(day, 1) {
		found, err := s.OfDate(ctx, day.String())
		if err != nil {
			return earliest, err
		}
		for _, l := range found {
			if l.V < version {
				return sure, nil
			}
		}
		if len(found) > 0 && !day.Before(sure) {
			break // what is younger is of today's version, too
		}
	}
	return earliest, nil
}
