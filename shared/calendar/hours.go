package calendar

import "time"

// HoursAfter returns the instant exactly so many hours of elapsed time after t, in UTC, whatever clocks did meanwhile.
// Whether something is late is told by this instant.
func HoursAfter(t time.Time, hours int) time.Time {
	return t.Add(time.Duration(hours) * time.Hour).UTC()
}

// Hours returns when a period of n hours ends that an event at from starts, in UTC: the hour of the event, on the clocks
// of loc, is not counted, and the period ends with its last hour (Regulation (EEC, Euratom) 1182/71, article 3(1) and
// (2)(a)). Weekends and holidays count, and the end is not moved to a working day: article 3(4) leaves out periods in
// hours. Article 3(5), two working days in each period of two days or more, is disputed for hours and not applied. It is
// later than HoursAfter by up to an hour: for information, not to rely on.
func Hours(from time.Time, n int, loc *time.Location) time.Time {
	local := from.In(loc)
	begun := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	return HoursAfter(from.Add(time.Hour-begun), n)
}
