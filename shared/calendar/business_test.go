package calendar

import (
	"testing"
	"time"
)

// TestBusiness: hours outside business count for nothing: not nights, weekends, nor public holidays; a day on which the clocks
// change has as many as its clocks show between open and close.
func TestBusiness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone, country, from, want string
		open, close                     int
		hours                           float64
	}{
		{"within the day", "Europe/Paris", "FR", "2026-03-03T10:00:00+01:00", "2026-03-03T14:00:00+01:00", 9 * 60, 17 * 60, 4},
		{"over night", "Europe/Paris", "FR", "2026-03-03T15:00:00+01:00", "2026-03-04T11:00:00+01:00", 9 * 60, 17 * 60, 4},
		{"at night it begins in the morning", "Europe/Paris", "FR", "2026-03-03T02:00:00+01:00", "2026-03-03T13:00:00+01:00", 9 * 60, 17 * 60, 4},
		{"over a weekend", "Europe/Paris", "FR", "2026-03-06T16:00:00+01:00", "2026-03-09T12:00:00+01:00", 9 * 60, 17 * 60, 4},
		{"over Easter Monday", "Europe/Paris", "FR", "2026-04-03T16:00:00+02:00", "2026-04-07T10:00:00+02:00", 9 * 60, 17 * 60, 2},
		{"nobody knows holidays", "Europe/Paris", "", "2026-04-03T16:00:00+02:00", "2026-04-06T10:00:00+02:00", 9 * 60, 17 * 60, 2},
		{"to the end of the day", "Europe/Paris", "FR", "2026-03-03T09:00:00+01:00", "2026-03-03T17:00:00+01:00", 9 * 60, 17 * 60, 8},
		{"three days", "Europe/Berlin", "DE", "2026-03-05T12:00:00+01:00", "2026-03-10T12:00:00+01:00", 9 * 60, 17 * 60, 24},
		{"whole days over a change of the clocks", "Europe/Paris", "FR", "2026-03-27T12:00:00+01:00", "2026-03-30T12:00:00+02:00", 0, 24 * 60, 24},
		{"midnight that is not there", "America/Santiago", "", "2026-09-04T23:00:00-04:00", "2026-09-07T01:00:00-03:00", 0, 24 * 60, 2},
		{"nothing at night", "Europe/Paris", "FR", "2026-03-06T20:00:00+01:00", "2026-03-09T09:00:00+01:00", 9 * 60, 17 * 60, 0},
	} {
		zone, err := Zone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := HolidaysOf(c.country)
		from, _ := time.Parse(time.RFC3339, c.from)
		want, err := time.Parse(time.RFC3339, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Business{c.open, c.close, zone, h}).Add(from, time.Duration(c.hours*float64(time.Hour))); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", c.name, got.In(zone).Format(time.RFC3339), c.want)
		}
	}
}
