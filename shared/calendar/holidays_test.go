package calendar

import (
	"strings"
	"testing"
	"time"
)

// What each country's law says, as dates: years in which something is special.
func TestHolidays(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"AT 2026": "01-01 01-06 04-06 05-01 05-14 05-25 06-04 08-15 10-26 11-01 12-08 12-25 12-26",
		"BE 2026": "01-01 04-06 05-01 05-14 05-25 07-21 08-15 11-01 11-11 12-25",
		"DE 2025": "01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26",
		"DE 2026": "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26",
		"ES 2026": "01-01 01-06 04-03 05-01 08-15 10-12 11-01 12-06 12-08 12-25",
		"ES 2027": "01-01 03-26 05-01 08-15 10-12 11-01 12-06 12-08 12-25",
		"FR 2026": "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
		"FR 2024": "01-01 04-01 05-01 05-08 05-09 05-20 07-14 08-15 11-01 11-11 12-25",
		"IE 2022": "01-01 03-17 03-18 04-18 05-02 06-06 08-01 10-31 12-25 12-26",
		"IE 2023": "01-01 02-06 03-17 04-10 05-01 06-05 08-07 10-30 12-25 12-26",
		"IE 2026": "01-01 02-02 03-17 04-06 05-04 06-01 08-03 10-26 12-25 12-26",
		"IT 2025": "01-01 01-06 04-21 04-25 05-01 06-02 08-15 11-01 12-08 12-25 12-26",
		"IT 2027": "01-01 01-06 03-29 04-25 05-01 06-02 08-15 10-04 11-01 12-08 12-25 12-26",
		"LU 2018": "01-01 04-02 05-01 05-10 05-21 06-23 08-15 11-01 12-25 12-26",
		"LU 2024": "01-01 04-01 05-01 05-09 05-20 06-23 08-15 11-01 12-25 12-26",
		"NL 2025": "01-01 04-21 04-26 05-05 05-29 06-09 12-25 12-26",
		"NL 2026": "01-01 04-06 04-27 05-05 05-14 05-25 12-25 12-26",
		"GB 2020": "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-26 12-28",
		"GB 2021": "01-01 04-02 04-05 05-03 05-31 08-30 12-25 12-26 12-27 12-28",
		"GB 2022": "01-01 01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-25 12-26 12-27",
		"GB 2023": "01-01 01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
		"GB 2026": "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-26 12-28",
		"GB 2027": "01-01 03-26 03-29 05-03 05-31 08-30 12-25 12-26 12-27 12-28",
	} {
		country, year, _ := strings.Cut(code, " ")
		h, ok := HolidaysOf(country)
		if !ok {
			t.Fatalf("there is no calendar of %s", country)
		}
		var got []string
		for d := date(t, year+"-01-01"); d.String() <= year+"-12-31"; d = AddDays(d, 1) {
			if name, is := h.Is(d); is {
				got = append(got, d.String()[5:])
				if name == "" {
					t.Errorf("%s: %s has no name", code, d)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\ngot  %s\nwant %s", code, strings.Join(got, " "), want)
		}
	}
}

func TestCalendarsOfCountries(t *testing.T) {
	t.Parallel()
	if got := strings.Join(Countries(), " "); got != "AT BE DE ES FR GB IE IT LU NL" {
		t.Errorf("there are calendars of %s", got)
	}
	uk, _ := HolidaysOf("UK")
	gb, _ := HolidaysOf("GB")
	if uk != gb || uk.Country() != "United Kingdom" {
		t.Errorf("UK is %v", uk)
	}
	if name, is := gb.Is(date(t, "2021-12-28")); !is || name != "Boxing Day (substitute day)" {
		t.Errorf("28 December 2021 is %q", name)
	}
	for _, unknown := range []string{"", "PL", "de", "None", "D", "DEU"} {
		if _, ok := HolidaysOf(unknown); ok {
			t.Errorf("there is a calendar of %q", unknown)
		}
	}
	none, ok := HolidaysOf(None)
	since, until := none.Vouched()
	source, scope := none.Basis()
	if _, is := none.Is(date(t, "2026-12-25")); !ok || is || none != (Holidays{}) || none.Country()+source+scope != "" || since != 0 || until != 0 || !none.Checked().IsZero() {
		t.Error("the calendar of no country says something")
	}
	de, _ := HolidaysOf("DE")
	if _, is := de.Is(date(t, "2029-12-25")); is {
		t.Error("a holiday is known beyond the data")
	}
}

// The data file: each holiday is told in one way, each country says by what law and until when.
func TestHolidayData(t *testing.T) {
	t.Parallel()
	for _, c := range countries {
		h, _ := HolidaysOf(c.Code)
		since, until := h.Vouched()
		source, scope := h.Basis()
		if ahead := until - h.Checked().Year; since != 2018 || ahead < 1 || ahead > 2 || h.Checked().Before(date(t, "2026-11-22")) || source == "" || scope == "" || h.Country() == "" {
			t.Errorf("%s: %+v", c.Code, c)
		}
		for _, r := range c.Days {
			ways := 0
			for _, is := range []bool{r.Day != 0, r.Nth != 0, !r.On.IsZero(), r.Easter != 0} {
				if is {
					ways++
				}
			}
			dated := r.Day != 0 || r.Nth != 0
			if ways != 1 || r.Name == "" || dated != (r.Month != 0) || r.Nth > 4 || r.Nth < -1 || r.Substitute && r.Day == 0 {
				t.Errorf("%s: %+v is told in %d ways", c.Code, r, ways)
			}
		}
		for year := since; year <= until; year++ {
			n := 0
			for d := (Day{year, 1, 1}); d.Year == year; d = AddDays(d, 1) {
				if _, is := h.Is(d); is {
					n++
				}
			}
			if n < 8 || n > 14 {
				t.Errorf("%s has %d holidays in %d", c.Code, n, year)
			}
		}
	}
	for _, bad := range []string{
		``, `{}`, `{"v":2}`, `{"v":1,"countries":[{"codes":"DE"}]}`, `{"v":1,"countries":[{"days":[{"weekday":"Moonday"}]}]}`,
		`{"v":1,"countries":[{"days":[{"on":"2022-02-30"}]}]}`,
	} {
		if _, err := readHolidays([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// Rules of a kind that no country of the data has yet.
func TestRules(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]rule{
		"2026-11-26": {Month: time.November, Weekday: weekday{time.Thursday}, Nth: 4},
		"2026-11-01": {Month: time.November, Weekday: weekday{time.Sunday}, Nth: 1},
		"2026-11-24": {Month: time.November, Weekday: weekday{time.Tuesday}, Nth: -1},
		"2026-11-30": {Month: time.November, Weekday: weekday{time.Monday}, Nth: -1},
		"2026-11-18": {Month: time.November, Weekday: weekday{time.Wednesday}, Nth: -2},
		"2026-02-17": {Easter: -47},
	} {
		if got := r.in(2026); got.String() != want {
			t.Errorf("%+v is on %s, want %s", r, got, want)
		}
	}
}

func TestEaster(t *testing.T) {
	t.Parallel()
	for _, want := range []string{
		"1583-04-10", "1818-03-22", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23", "2018-04-01", "2019-04-21", "2020-04-12", "2021-04-04",
		"2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25", "2049-04-18", "2100-03-28", "2285-03-22",
	} {
		if got := Easter(date(t, want).Year); got.String() != want {
			t.Errorf("Easter of %d is %s, want %s", got.Year, got, want)
		}
	}
	for year := 1583; year < 4100; year++ {
		got := Easter(year)
		if want := easterByMoon(year); got != want || got.Weekday() != time.Sunday {
			t.Errorf("Easter of %d is %s, a %s; by the moon %s", year, got, got.Weekday(), want)
		}
	}
}

// easterByMoon finds the Sunday after the church's full moon by its golden number and epact, as the calendar of 1582
// explains itself (Clavius); another way than the one under test.
func easterByMoon(year int) Day {
	golden := year%19 + 1
	century := year/100 + 1
	solar, lunar := 3*century/4-12, (8*century+5)/25-5
	epact := ((11*golden+20+lunar-solar)%30 + 30) % 30
	if epact == 25 && golden > 11 || epact == 24 {
		epact++
	}
	moon := 44 - epact
	if moon < 21 {
		moon += 30
	}
	full := AddDays(Day{year, time.March, 1}, moon-1)
	return AddDays(full, 7-int(full.Weekday()))
}

func TestDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-01-31", 1, "2026-02-28"}, {"2026-01-31", 13, "2027-02-28"}, {"2028-01-31", 1, "2028-02-29"}, {"2026-03-31", -1, "2026-02-28"},
		{"2026-02-28", 1, "2026-03-28"}, {"2026-12-15", 1, "2027-01-15"}, {"2026-05-05", 0, "2026-05-05"}, {"2026-01-15", -13, "2024-12-15"},
	} {
		if got := AddMonths(date(t, c.from), c.n); got.String() != c.want {
			t.Errorf("%d months after %s is %s, want %s", c.n, c.from, got, c.want)
		}
	}
	de, _ := HolidaysOf("DE")
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-04-02", 0, "2026-04-02"}, {"2026-04-03", 0, "2026-04-07"}, {"2026-04-02", 1, "2026-04-07"}, {"2026-04-04", 1, "2026-04-07"}, {"2026-04-30", 2, "2026-05-05"},
	} {
		got := AddWorkingDays(date(t, c.from), c.n, de)
		if c.n == 0 {
			got = NextWorkingDay(got, de)
		}
		if got.String() != c.want {
			t.Errorf("%d working days after %s is %s, want %s", c.n, c.from, got, c.want)
		}
	}
	if got := AddDays(date(t, "2028-02-28"), 2); got.String() != "2028-03-01" || got.Weekday() != time.Wednesday {
		t.Errorf("got %s, a %s", got, got.Weekday())
	}
}

func FuzzAddMonths(f *testing.F) {
	f.Add(2026, 1, 31, 1)
	f.Add(1999, 12, 31, -14)
	f.Fuzz(func(t *testing.T, year, month, day, n int) {
		if year < 1 || year > 9000 || n < -5000 || n > 5000 {
			return
		}
		d := AddDays(Day{year, time.Month(month%12 + 1), 1}, day%400)
		got := AddMonths(d, n)
		first := func(d Day) Day { return Day{d.Year, d.Month, 1} }
		if first(got) != AddMonths(first(d), n) || got.Day > d.Day || got.Day < d.Day && AddDays(got, 1).Day != 1 {
			t.Errorf("%d months after %s is %s", n, d, got)
		}
	})
}
