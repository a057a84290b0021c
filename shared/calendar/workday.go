package calendar

import "time"

// Weekday returns the day of the week.
func (d Day) Weekday() time.Weekday { return time.Unix(d.wall(), 0).UTC().Weekday() }

// AddDays returns the date n days later; earlier for a negative n.
func AddDays(d Day, n int) Day {
	return Date(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// AddMonths returns the same-numbered day n months later, or the last day of that month where it has no such day: the
// last day of a period in months that an event of d starts (Regulation (EEC, Euratom) 1182/71, article 3(2)(c)).
func AddMonths(d Day, n int) Day {
	month := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	day := min(d.Day, month.AddDate(0, 1, -1).Day())
	return Day{month.Year(), month.Month(), day}
}

// Easter returns Easter Sunday of a year by the Gregorian calendar, 1583 and later (the rule of Meeus, Jones and Butcher).
func Easter(year int) Day {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month, day := (h+l-7*m+114)/31, (h+l-7*m+114)%31+1
	return Day{year, time.Month(month), day}
}

// weekend reports whether d is a Saturday or a Sunday, on which no country of the data works.
func weekend(d Day) bool {
	w := d.Weekday()
	return w == time.Saturday || w == time.Sunday
}

// Works reports whether d is a working day: neither Saturday nor Sunday nor a public holiday (Regulation (EEC, Euratom)
// 1182/71, article 2(2)).
func (h Holidays) Works(d Day) bool {
	_, holiday := h.Is(d)
	return !holiday && !weekend(d)
}

// NextWorkingDay returns d if it is a working day, otherwise the next one: where a period ends whose last day is d
// (Regulation (EEC, Euratom) 1182/71, article 3(4), which is for all periods but those in hours).
func NextWorkingDay(d Day, h Holidays) Day {
	for !h.Works(d) {
		d = AddDays(d, 1)
	}
	return d
}

// AddWorkingDays returns the n-th working day after d, which is not counted; n is at least 1.
func AddWorkingDays(d Day, n int, h Holidays) Day {
	for range n {
		d = NextWorkingDay(AddDays(d, 1), h)
	}
	return d
}
