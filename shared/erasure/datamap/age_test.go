package datamap_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/require"
)

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func item(created time.Time) erasure.Item { return erasure.Item{Ref: "r", Created: created} }

// TestRetained: what has to be kept is kept to the day, what no longer has is erased, and what nobody can date stays.
func TestRetained(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	steps, err := m.Compile("north", known("uid", "u1", "customer_id", "c1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		over, retains := s.Over(morning)
		if until, known := s.Until(item(morning)); retains != (s.Entry.ID == "invoices") || known != retains || known && until.Year() != 2036 {
			t.Errorf("%s is kept until %s, %v", s.Entry.ID, until, retains)
		}
		if !retains {
			continue
		}
		if over.Action != erasure.ActionDelete || over.Check() != nil || over.Tenant != s.Query.Tenant || over.CreatedField != "issued_at" ||
			!over.CreatedBefore.Equal(time.Date(2016, 3, 2, 9, 0, 0, 0, time.UTC)) {
			t.Errorf("what is over is asked for as %+v", over)
		}
		if _, known := s.Until(item(time.Time{})); known {
			t.Error("an item without a date has an end")
		}
	}
}

func TestSweeps(t *testing.T) {
	t.Parallel()
	m := read(t, good)
	sweeps, err := m.Sweeps("north", morning)
	if err != nil || len(sweeps) != 2 {
		t.Fatal(sweeps, err)
	}
	sessions, invoices := sweeps[0], sweeps[1]
	if q := sessions.Query; sessions.Rule.ID != "old-sessions" || q.Match.Kind != erasure.MatchTenant || q.Action != erasure.ActionDelete || q.Place != "tenants/north/sessions" ||
		!q.CreatedBefore.Equal(time.Date(2025, 12, 2, 9, 0, 0, 0, time.UTC)) || q.CreatedField != "" {
		t.Errorf("sessions are swept by %+v", q)
	}
	if q := invoices.Query; q.Action != erasure.ActionDelete || len(q.Changes) > 0 || q.CreatedField != "issued_at" || q.CreatedBefore.Year() != 2016 {
		t.Errorf("invoices are swept by %+v", q)
	}
	limit := sessions.Query.CreatedBefore
	due := sessions.Due([]erasure.Item{item(time.Time{}), item(limit), item(limit.Add(-time.Microsecond)), item(morning)})
	if len(due) != 1 || !due[0].Created.Equal(limit.Add(-time.Microsecond)) {
		t.Errorf("due are %v", due)
	}
	anonymised := read(t, strings.Replace(good, "retention: [", "retention: [{id: old-usage, entry: usage, older_than: P25M, action: anonymise}, ", 1))
	sweeps, err = anonymised.Sweeps("north", morning)
	if err != nil || len(sweeps) != 3 || sweeps[1].Query.Action != erasure.ActionAnonymise || len(sweeps[1].Query.Changes) != 4 || sweeps[1].Query.CreatedField != "at" {
		t.Errorf("usage is swept by %+v, %v", sweeps, err)
	}
}

// TestCutoffIsNeverTooLate: whatever the period and the day, what is swept is older than the period, and by no more than
// three days.
func TestCutoffIsNeverTooLate(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		period := calendar.Period{Years: r.IntN(4), Months: r.IntN(30), Days: 1 + r.IntN(100), Clock: time.Duration(r.IntN(48)) * time.Hour}
		m := read(t, strings.Replace(good, "older_than: P90D", "older_than: "+period.String(), 1))
		now := morning.AddDate(0, 0, r.IntN(3000)).Add(time.Duration(r.IntN(86400)) * time.Second)
		sweeps, err := m.Sweeps("north", now)
		if err != nil {
			t.Fatal(err)
		}
		before, zone := sweeps[0].Query.CreatedBefore, mustZone(t)
		if end := period.Add(before, zone); end.After(now) || now.Sub(end) > 72*time.Hour {
			t.Errorf("seed %d: %s before %s is %s, whose end is %s", seed, period, now, before, end)
		}
		if now.Sub(before) < 24*time.Hour {
			t.Errorf("seed %d: %s sweeps what is younger than a day", seed, period)
		}
	}
}

func mustZone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := calendar.Zone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

var _ = datamap.File
