package calendar

import "time"

// Business is when somebody works: on working days of a country, from one time of day to another in a zone.
type Business struct {
	Open, Close int // minutes since midnight; Open lies before Close, which is at most 24*60
	Zone        *time.Location
	Holidays    Holidays // none: weekends alone are free
}

// Add returns the instant so much working time after t, in UTC: time outside business hours does not count. d is not negative;
// one of nothing ends at the next instant somebody works. Open must lie before Close, or there is no such instant.
func (b Business) Add(t time.Time, d time.Duration) time.Time {
	for day := Date(t, b.Zone); ; day = AddDays(day, 1) {
		if !b.Holidays.Works(day) {
			continue
		}
		from, to := wallTime(day.wall()+int64(b.Open)*60, b.Zone), wallTime(day.wall()+int64(b.Close)*60, b.Zone)
		if from.Before(t) {
			from = t
		}
		switch left := to.Sub(from); {
		case left <= 0:
		case d <= left:
			return from.Add(d).UTC()
		default:
			d -= left
		}
	}
}
