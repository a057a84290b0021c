package calendar

import (
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestEndOfDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, zone, at, want string }{
		{"a plain day", "Europe/Paris", "2026-03-03T07:00:00Z", "2026-03-03T23:00:00Z"},
		{"its last second", "Europe/Paris", "2026-03-03T22:59:59Z", "2026-03-03T23:00:00Z"},
		{"midnight belongs to the new day", "Europe/Paris", "2026-03-03T23:00:00Z", "2026-03-04T23:00:00Z"},
		{"23 hours", "Europe/Paris", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"25 hours", "Europe/Paris", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"half an hour from the others", "Asia/Kolkata", "2026-03-03T07:00:00Z", "2026-03-03T18:30:00Z"},
		{"23.5 hours", "Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"},
		{"24.5 hours", "Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"},
		{"no midnight in Chile", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
		{"no midnight in Egypt", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z"},
		{"no midnight in Lebanon", "Asia/Beirut", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z"},
		{"no midnight in Paraguay", "America/Asuncion", "2023-09-30T12:00:00Z", "2023-10-01T04:00:00Z"},
		{"25 hours in Paraguay, to 23:00 again", "America/Asuncion", "2024-03-23T12:00:00Z", "2024-03-24T04:00:00Z"},
		{"no midnight in the Azores", "Atlantic/Azores", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"two midnights in the Azores, before both", "Atlantic/Azores", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"},
		{"two midnights in the Azores, between them", "Atlantic/Azores", "2026-10-25T00:30:00Z", "2026-10-26T01:00:00Z"},
		{"a date left out", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z"},
		{"back over midnight by a minute, before", "America/St_Johns", "2008-11-01T12:00:00Z", "2008-11-02T02:30:00Z"},
		{"back over midnight, the old day again", "America/St_Johns", "2008-11-02T02:31:30Z", "2008-11-02T03:30:00Z"},
		{"back over midnight, the minute of the new day", "America/St_Johns", "2008-11-02T02:30:30Z", "2008-11-03T03:30:00Z"},
		{"past 2038", "Europe/Paris", "2041-07-01T12:00:00Z", "2041-07-01T22:00:00Z"},
	} {
		if got := EndOfDay(instant(t, c.at), zone(t, c.zone)); !got.Equal(instant(t, c.want)) || got.Location() != time.UTC {
			t.Errorf("%s: %s in %s ends %s, want %s", c.why, c.at, c.zone, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestDayEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, zone, at, hhmm, want string }{
		{"the calendar day", "Asia/Kolkata", "2026-03-03T07:00:00Z", "24:00", "2026-03-03T18:30:00Z"},
		{"an evening", "Europe/Paris", "2026-03-03T07:00:00Z", "20:00", "2026-03-03T19:00:00Z"},
		{"over already", "Europe/Paris", "2026-03-03T21:00:00Z", "20:00", "2026-03-03T19:00:00Z"},
		{"skipped: the transition", "Europe/Paris", "2026-03-29T09:00:00Z", "02:30", "2026-03-29T01:00:00Z"},
		{"twice: the first", "Europe/Paris", "2026-10-25T09:00:00Z", "02:30", "2026-10-25T00:30:00Z"},
		{"skipped with midnight", "America/Santiago", "2026-09-06T12:00:00Z", "00:30", "2026-09-06T04:00:00Z"},
		{"23:30 twice: the first", "America/Asuncion", "2024-03-23T12:00:00Z", "23:30", "2024-03-24T02:30:00Z"},
		{"half past", "Australia/Lord_Howe", "2026-10-03T20:00:00Z", "02:15", "2026-10-03T15:30:00Z"},
	} {
		got, err := DayEnd(instant(t, c.at), zone(t, c.zone), c.hhmm)
		if err != nil || !got.Equal(instant(t, c.want)) || got.Location() != time.UTC {
			t.Errorf("%s: %s in %s until %s is %s (%v), want %s", c.why, c.at, c.zone, c.hhmm, got.Format(time.RFC3339), err, c.want)
		}
	}
	for _, bad := range []string{"", "24:01", "00:00", "7:00", "12:60", "12.00", "25:00", "12:0x", "-1:00", "12:000"} {
		if at, err := DayEnd(time.Unix(0, 0), time.UTC, bad); err == nil {
			t.Errorf("%q is a time of day: %s", bad, at)
		}
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	day, err := ParseDay("2026-09-05")
	if err != nil || day.String() != "2026-09-05" || day != Date(instant(t, "2026-09-06T03:59:59Z"), zone(t, "America/Santiago")) {
		t.Errorf("got %v, %v", day, err)
	}
	if got := day.End(zone(t, "America/Santiago")); !got.Equal(instant(t, "2026-09-06T04:00:00Z")) {
		t.Errorf("the day ends %s", got)
	}
	left := Day{2011, time.December, 30}
	if got := left.End(zone(t, "Pacific/Apia")); !got.Equal(instant(t, "2011-12-30T10:00:00Z")) {
		t.Errorf("the day that was left out ends %s", got)
	}
	if !day.Before(Day{2026, time.September, 6}) || day.Before(day) || !(Day{}).IsZero() || (Day{}).String() != "" {
		t.Error("days are out of order")
	}
	for _, bad := range []string{"", "2026-02-29", "2026-2-1", "01.02.2026", "2026-02-01T00:00:00Z", "2026-13-01"} {
		if err := new(Day).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is a date", bad)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ period, zone, from, want string }{
		{"P1M", "Europe/Paris", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"},
		{"P1Y", "Europe/Paris", "2028-02-29T10:00:00Z", "2029-02-28T10:00:00Z"},
		{"P1D", "Europe/Paris", "2026-03-28T10:00:00Z", "2026-03-29T09:00:00Z"},
		{"PT24H", "Europe/Paris", "2026-03-28T10:00:00Z", "2026-03-29T10:00:00Z"},
		{"P1D", "Europe/Paris", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z"},
		{"P2W", "Asia/Kolkata", "2026-03-01T00:00:00.5Z", "2026-03-15T00:00:00.5Z"},
		{"P13M", "UTC", "2026-12-31T00:00:00Z", "2028-01-31T00:00:00Z"},
		{"P1DT1H30M5S", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T01:30:05Z"},
	} {
		p, err := ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Add(instant(t, c.from), zone(t, c.zone)); !got.Equal(instant(t, c.want)) {
			t.Errorf("%s from %s in %s is over %s, want %s", c.period, c.from, c.zone, got.Format(time.RFC3339Nano), c.want)
		}
	}
	for _, bad := range []string{"", "P", "PT", "P1", "1D", "P-1D", "P1.5D", "P1D2M", "PT1D", "P1H", "P123456D", "P1DT", "p1d", "PP1D", "P1Y1Y", "P99999999999999999999D"} {
		if p, err := ParsePeriod(bad); err == nil {
			t.Errorf("%q is a period: %v", bad, p)
		}
	}
}

func FuzzPeriod(f *testing.F) {
	for _, s := range []string{"P1Y", "P90D", "PT24H", "P1Y2M3W4DT5H6M7S", "PT0S", "P", "PT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil {
			return
		}
		again, err := ParsePeriod(p.String())
		if err != nil || again != p {
			t.Errorf("%q becomes %q becomes %v, %v", s, p, again, err)
		}
		if p.Add(time.Unix(1_700_000_000, 0), time.UTC).Before(time.Unix(1_700_000_000, 0)) {
			t.Errorf("%q goes back", s)
		}
	})
}

func TestZone(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "Local", "Mars/Phobos", "../etc/passwd", "Europe/", strings.Repeat("A", 1000)} {
		if loc, err := Zone(bad); err == nil {
			t.Errorf("%q is a zone: %s", bad, loc)
		}
	}
	if !strings.HasPrefix(TZData(), "go") && !strings.HasPrefix(TZData(), "devel") {
		t.Errorf("the zone data is of %q", TZData())
	}
}
