package policy_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// TestContactsAge: a contact ends with its last day, and is to be asked after when nobody did for half a year.
func TestContactsAge(t *testing.T) {
	t.Parallel()
	day := func(text string) (d calendar.Day) {
		if err := d.UnmarshalText([]byte(text)); text != "" && err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		verified, until, now string
		active, stale        bool
	}{
		{"", "", "2026-03-01T09:00:00Z", true, true},
		{"2026-02-02", "", "2026-03-01T09:00:00Z", true, false},
		{"2026-02-02", "", "2026-08-01T23:59:59Z", true, false}, // 180 days on
		{"2026-02-02", "", "2026-08-02T00:00:00Z", true, true},
		{"2026-02-02", "2026-03-01", "2026-03-02T11:59:59Z", true, false}, // west of everybody it is the first of March
		{"2026-02-02", "2026-03-01", "2026-03-02T12:00:00Z", false, false},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		contact := policy.Contact{Verified: day(c.verified), Until: day(c.until)}
		if contact.Active(now) != c.active || contact.Stale(now) != c.stale {
			t.Errorf("%+v: active %t, stale %t", c, contact.Active(now), contact.Stale(now))
		}
	}
}
