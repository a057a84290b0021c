package calendar

import (
	"testing"
	"time"
)

// What the clock of GDPR article 33 says, and the end of the period in hours as Regulation 1182/71 counts it.
func TestHours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, from, zone string
		hours           int
		exact, outer    string
	}{
		{"Christmas Day counts", "2020-12-22T12:17:00+01:00", "Europe/Berlin", 72, "2020-12-25T12:17:00+01:00", "2020-12-25T13:00:00+01:00"},
		{"Whit Monday counts", "2026-05-22T16:30:00+02:00", "Europe/Berlin", 72, "2026-05-25T16:30:00+02:00", "2026-05-25T17:00:00+02:00"},
		{"clocks go forward", "2026-03-27T10:30:00+01:00", "Europe/Paris", 72, "2026-03-30T11:30:00+02:00", "2026-03-30T12:00:00+02:00"},
		{"clocks go back", "2026-10-23T10:30:00+02:00", "Europe/Paris", 72, "2026-10-26T09:30:00+01:00", "2026-10-26T10:00:00+01:00"},
		{"the first 02:30", "2026-10-25T02:30:00+02:00", "Europe/Paris", 72, "2026-10-28T01:30:00+01:00", "2026-10-28T02:00:00+01:00"},
		{"the second 02:30", "2026-10-25T02:30:00+01:00", "Europe/Paris", 72, "2026-10-28T02:30:00+01:00", "2026-10-28T03:00:00+01:00"},
		{"leap year", "2028-02-28T23:59:59Z", "UTC", 72, "2028-03-02T23:59:59Z", "2028-03-03T00:00:00Z"},
		{"another year", "2026-12-31T22:00:00Z", "UTC", 72, "2027-01-03T22:00:00Z", "2027-01-03T23:00:00Z"},
		{"a contract of 24 hours", "2026-06-12T17:45:00+02:00", "Europe/Paris", 24, "2026-06-13T17:45:00+02:00", "2026-06-13T18:00:00+02:00"},
		{"half past is a full hour elsewhere", "2026-06-12T12:10:00Z", "Asia/Kolkata", 24, "2026-06-13T12:10:00Z", "2026-06-13T12:30:00Z"},
		{"a nanosecond before the hour", "2026-06-12T12:59:59.999999999Z", "UTC", 24, "2026-06-13T12:59:59.999999999Z", "2026-06-13T13:00:00Z"},
	} {
		from := instant(t, c.from)
		exact, outer := HoursAfter(from, c.hours), Hours(from, c.hours, zone(t, c.zone))
		if !exact.Equal(instant(t, c.exact)) || !outer.Equal(instant(t, c.outer)) || exact.Location() != time.UTC || outer.Location() != time.UTC {
			t.Errorf("%s: %s and %s, want %s and %s", c.why, exact.Format(time.RFC3339Nano), outer.Format(time.RFC3339Nano), c.exact, c.outer)
		}
	}
}

func FuzzHours(f *testing.F) {
	f.Add(int64(1_700_000_000), int64(1), 72)
	kathmandu := zone(f, "Asia/Kathmandu")
	f.Fuzz(func(t *testing.T, second, nanosecond int64, n int) {
		if second < 0 || second > 4_000_000_000 || nanosecond < 0 || nanosecond > 999_999_999 || n < 0 || n > 10_000 {
			return
		}
		from := time.Unix(second, nanosecond)
		late := Hours(from, n, kathmandu).Sub(HoursAfter(from, n))
		if late <= 0 || late > time.Hour {
			t.Errorf("%s and %d hours: %s later", from, n, late)
		}
	})
}
