// Package calendar computes deadlines: where a local day ends, when a period is over, which date it is
// somewhere, what a working day is, by when a person's request has to be answered. Every deadline of the house is
// computed here.
//
// It promises that a result is found by looking at the zone's transitions, never by trusting the normalisation
// of time.Date, which answers 23:00 of the old day where midnight does not exist (America/Santiago,
// 2026-09-06). It knows days of 23, 24, 24½ and 25 hours, midnights that are skipped or happen twice, and dates
// that a zone left out altogether (Pacific/Apia, 2011-12-30). Of public holidays it knows the national ones of the
// countries in holidays.json, for the years that file vouches for, and says so where it does not know. It never asks
// what time it is now, and it gives no legal advice.
package calendar

import (
	"fmt"
	"time"
)

// EndOfDay returns the first instant after t whose local date in loc is later than t's: the end, exclusive, of
// the calendar day that holds t. The result is in UTC and a whole second. Where midnight does not exist the day
// ends at the transition; where a zone goes back over midnight, the day ends at its first midnight for an instant
// before that and at the second for an instant after the clocks went back.
func EndOfDay(t time.Time, loc *time.Location) time.Time {
	return firstAt(t, loc, Date(t, loc).wall()+daySeconds).UTC()
}

// DayEnd returns the end of the working day that holds t: the instant of t's local date in loc at which the
// clocks show hhmm, from "00:01" to "24:00". "24:00" is EndOfDay. An earlier end may lie at or before t: that
// working day is over. A time that happens twice means its first occurrence; a time that is skipped means the
// transition that skips it. The result is in UTC. Errors: hhmm is not such a time.
func DayEnd(t time.Time, loc *time.Location, hhmm string) (time.Time, error) {
	minutes, err := Minutes(hhmm)
	if err != nil {
		return time.Time{}, err
	}
	if minutes == 24*60 {
		return EndOfDay(t, loc), nil
	}
	return wallTime(Date(t, loc).wall()+int64(minutes)*60, loc), nil
}

// Minutes reads a time of day "HH:MM" between "00:01" and "24:00" as minutes since midnight.
func Minutes(hhmm string) (int, error) {
	bad := fmt.Errorf("reading %.10q as a time of day: not HH:MM between 00:01 and 24:00", hhmm)
	if len(hhmm) != 5 || hhmm[2] != ':' {
		return 0, bad
	}
	for _, i := range []int{0, 1, 3, 4} {
		if hhmm[i] < '0' || hhmm[i] > '9' {
			return 0, bad
		}
	}
	hours := int(hhmm[0]-'0')*10 + int(hhmm[1]-'0')
	minutes := int(hhmm[3]-'0')*10 + int(hhmm[4]-'0')
	total := hours*60 + minutes
	if minutes > 59 || total < 1 || total > 24*60 {
		return 0, bad
	}
	return total, nil
}

const daySeconds = 24 * 60 * 60

// wallTime returns the first instant at which clocks in loc show wall (seconds since 1970 on the local clock) or
// a later time, in UTC.
func wallTime(wall int64, loc *time.Location) time.Time {
	// No zone was ever 16 hours from UTC, so 26 hours earlier the clocks cannot have shown it yet.
	return firstAt(time.Unix(wall-26*60*60, 0), loc, wall).UTC()
}

// firstAt returns the first instant not before from at which clocks in loc show wall or a later time. It walks
// from transition to transition: between two of them the offset stands still, so the instant is plain
// subtraction.
//
// The walk looks at offsets hour by hour. Time.ZoneBounds would name the transitions at once, but on the last day
// of a leap year it answers with an end that lies in the past.
func firstAt(from time.Time, loc *time.Location, wall int64) time.Time {
	for start := from; ; {
		offset, end := offsetAt(start.Unix(), loc), start.Add(time.Hour)
		if offsetAt(end.Unix(), loc) != offset {
			end = time.Unix(changeBetween(start.Unix(), end.Unix(), loc), 0)
		}
		instant := time.Unix(wall-offset, 0)
		switch {
		case instant.Before(start):
			return start
		case instant.Before(end):
			return instant
		}
		start = end
	}
}

// changeBetween returns the first second, after from and not after to, with the offset that holds at to.
func changeBetween(from, to int64, loc *time.Location) int64 {
	offset := offsetAt(to, loc)
	for to-from > 1 {
		if middle := from + (to-from)/2; offsetAt(middle, loc) == offset {
			to = middle
		} else {
			from = middle
		}
	}
	return to
}

func offsetAt(second int64, loc *time.Location) int64 {
	_, offset := time.Unix(second, 0).In(loc).Zone()
	return int64(offset)
}
