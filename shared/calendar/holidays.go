package calendar

import (
	"bytes"
	_ "embed" // the data
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Holidays are the public holidays of one country, as far as they are the same everywhere in it: a day that is one in a
// part of the country alone is left out, so that a deadline is never later than the law allows anywhere. The zero
// Holidays are of no country: weekends and nothing else.
type Holidays struct{ of *country }

// None is the name HolidaysOf knows the calendar by that has weekends and no holidays.
const None = "none"

// HolidaysOf returns the calendar of a country by its two letters (ISO 3166-1; UK is GB, whose calendar is that of
// England and Wales), or of None. Not ok: there is no data on the country.
func HolidaysOf(code string) (h Holidays, ok bool) {
	switch code {
	case None:
		return Holidays{}, true
	case "UK":
		code = "GB"
	}
	at := slices.IndexFunc(countries, func(c country) bool { return c.Code == code })
	if at < 0 {
		return Holidays{}, false
	}
	return Holidays{&countries[at]}, true
}

// Countries are the two letters of every country there is a calendar of, sorted.
func Countries() []string {
	codes := make([]string, len(countries))
	for i, c := range countries {
		codes[i] = c.Code
	}
	return codes
}

// Country is the English name of the country; "" of none.
func (h Holidays) Country() string {
	if h.of == nil {
		return ""
	}
	return h.of.Name
}

// Basis says by what law the days are holidays and what is left out; "" where there is no country.
func (h Holidays) Basis() (source, scope string) {
	if h.of == nil {
		return "", ""
	}
	return h.of.Source, h.of.Scope
}

// Checked is the day on which the data was last compared with the law; zero where there is no country.
func (h Holidays) Checked() Day {
	if h.of == nil {
		return Day{}
	}
	return h.of.Checked
}

// Vouched returns the first and the last year whose holidays are known; zeros where there is no country and nothing to
// know.
func (h Holidays) Vouched() (since, until int) {
	if h.of == nil {
		return 0, 0
	}
	return h.of.Since, h.of.Until
}

// knows reports whether the holidays of a year are known.
func (h Holidays) knows(year int) bool {
	return h.of == nil || h.of.Since <= year && year <= h.of.Until
}

// Is reports whether d is a public holiday, and its name in a language of the country. In a year nobody vouches for there
// is none.
func (h Holidays) Is(d Day) (name string, ok bool) {
	if h.of == nil || !h.knows(d.Year) {
		return "", false
	}
	if name, ok = h.of.day(d); !ok {
		name, ok = h.of.substitutes(d.Year)[d]
	}
	return name, ok
}

// country is one entry of the data.
type country struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Since   int    `json:"since"` // first year; the GDPR applies from 2018
	Until   int    `json:"until"` // last year
	Checked Day    `json:"checked"`
	Source  string `json:"source"`
	Scope   string `json:"scope"`
	Days    []rule `json:"days"`
}

// rule says when one holiday is, in one of four ways: Month and Day; Month, Weekday and Nth; On; otherwise Easter.
type rule struct {
	Name       string     `json:"name"`
	Month      time.Month `json:"month"`
	Day        int        `json:"day"`
	Weekday    weekday    `json:"weekday"`
	Nth        int        `json:"nth"`        // from 1; -1 is the last of the month
	On         Day        `json:"on"`         // a single time
	Easter     int        `json:"easter"`     // days after Easter Sunday
	From       int        `json:"from"`       // first year, 0 for no limit
	Until      int        `json:"until"`      // last year, 0 for no limit
	Except     []int      `json:"except"`     // years in which it was moved or left out
	Sunday     int        `json:"sunday"`     // a day that falls on a Sunday is moved by so many
	Substitute bool       `json:"substitute"` // a day that falls on a weekend is given on the next free one
}

type weekday struct{ time.Weekday }

// UnmarshalText reads an English name.
func (w *weekday) UnmarshalText(text []byte) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if day.String() == string(text) {
			w.Weekday = day
			return nil
		}
	}
	return fmt.Errorf("reading %.20q as a day of the week", text)
}

// in returns when the holiday is in a year, before substitution; zero, or a day of another year, for not at all.
func (r rule) in(year int) Day {
	if year < r.From || r.Until != 0 && year > r.Until || slices.Contains(r.Except, year) {
		return Day{}
	}
	d := Day{year, r.Month, r.Day}
	switch {
	case !r.On.IsZero():
		return r.On
	case r.Nth > 0:
		d.Day = 1
		d = AddDays(d, (int(r.Weekday.Weekday-d.Weekday())+7)%7+7*(r.Nth-1))
	case r.Nth < 0:
		d = AddDays(AddMonths(Day{year, r.Month, 1}, 1), -1)
		d = AddDays(d, -((int(d.Weekday()-r.Weekday.Weekday)+7)%7)+7*(r.Nth+1))
	case r.Month == 0:
		d = AddDays(Easter(year), r.Easter)
	}
	if r.Sunday != 0 && d.Weekday() == time.Sunday {
		d = AddDays(d, r.Sunday)
	}
	return d
}

// day returns the name of the holiday that is on d, leaving out substitutes. Of two the first that the data names gives
// the name.
func (c *country) day(d Day) (name string, ok bool) {
	at := slices.IndexFunc(c.Days, func(r rule) bool { return r.in(d.Year) == d })
	if at < 0 {
		return "", false
	}
	return c.Days[at].Name, true
}

// substitutes are the days given in a year in place of holidays on a weekend: for each the next that is free.
func (c *country) substitutes(year int) map[Day]string {
	var all map[Day]string
	for _, r := range c.Days {
		d := r.in(year)
		if !r.Substitute || d.IsZero() || !weekend(d) {
			continue
		}
		for taken := true; taken; {
			d = AddDays(d, 1)
			if _, taken = all[d]; !taken {
				_, taken = c.day(d)
			}
			taken = taken || weekend(d)
		}
		if all == nil {
			all = map[Day]string{}
		}
		all[d] = r.Name + " (substitute day)"
	}
	return all
}

//go:embed holidays.json
var holidayData []byte

// countries is the data as it was read, in the order of the codes. Nobody changes it.
var countries = mustReadHolidays(holidayData)

func mustReadHolidays(data []byte) []country {
	all, err := readHolidays(data)
	if err != nil {
		panic(err) // the data is built in: a test reads it too
	}
	return all
}

func readHolidays(data []byte) ([]country, error) {
	var file struct {
		V         int       `json:"v"`
		Compared  string    `json:"compared"` // with what, and when
		Countries []country `json:"countries"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("reading the holidays: %w", err)
	}
	if file.V != 1 {
		return nil, fmt.Errorf("reading the holidays: of version %d, only 1 is known", file.V)
	}
	slices.SortFunc(file.Countries, func(a, b country) int { return strings.Compare(a.Code, b.Code) })
	return file.Countries, nil
}
