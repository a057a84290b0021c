package lease_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/store"
)

// stored puts a lease into the store as version 1 wrote it.
func (r *rig) stored(id, date string, ends time.Time, more map[string]any) {
	r.t.Helper()
	mark := "hmac:" + strings.Repeat("az27", 13)
	doc := map[string]any{"v": 1, "marks": lease.Marks{Lease: mark, Person: mark, Prefix: mark}, "id": id, "person": "emma", "prefix": netip.MustParsePrefix("81.2.69.142/32"), "family": "ipv4", "date": date, "generation": 1,
		"started": ends.Add(-time.Hour), "ends": ends, "until": ends.UnixMicro(), "zone": "Europe/Paris", "state": "working", "open": true, "expires": ends.Add(lease.Retention)}
	for name, value := range more {
		doc[name] = value
	}
	must(r.t, r.store.Tx(r.t.Context(), func(tx store.Tx) error { return tx.Put("leases", id, doc) }))
}

// TestLeaseOfBefore: a lease that was stored before it said what was so once says it by its present spell, also after a door has
// lost it.
func TestLeaseOfBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	r.stored("old", "2026-03-03", at(60), map[string]any{"written_at": at(1), "confirmed_at": at(2), "working_at": at(3), "tested": true})
	check := func() {
		t.Helper()
		found, err := r.leases.OfDate(t.Context(), "2026-03-03")
		must(t, err)
		if l := found[0]; !l.FirstConfirmed.Equal(at(2)) || !l.FirstWorking.Equal(at(3)) || !l.FirstTested {
			t.Errorf("%+v", l)
		}
	}
	check()
	if _, err := r.leases.Advance(t.Context(), []lease.Step{{ID: "old", To: []lease.State{lease.Received}}}, at(5)); err != nil {
		t.Fatal(err)
	}
	check()
}

// TestDaysOfBefore: leases of before went when each had ended for 30 days, so while there are any no date is called whole of which
// some may have gone; afterwards every date that is kept is.
func TestDaysOfBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ends := start.Add(4 * time.Hour) // at noon
	r.stored("early", "2026-03-03", start.Add(time.Hour), nil)
	r.stored("late", "2026-03-05", ends.Add(48*time.Hour), nil)
	r.enrol("emma")
	must(t, r.clock.Set(start.Add(3*24*time.Hour)))
	r.register("emma", home) // 2026-03-06, as today
	third, err := calendar.ParseDay("2026-03-03")
	must(t, err)
	whole := func(first calendar.Day, want string) {
		t.Helper()
		if got, err := r.leases.Whole(t.Context(), first); err != nil || got.String() != want {
			t.Errorf("at %s: whole from %s on, %v; want %s", r.clock.Now(), got, err, want)
		}
	}
	must(t, r.clock.Set(start.Add(lease.Retention+2*time.Hour))) // the early one has gone
	if found, err := r.leases.OfDate(t.Context(), "2026-03-03"); err != nil || len(found) != 0 {
		t.Fatalf("%d kept, %v", len(found), err)
	}
	whole(third, "2026-03-04")
	whole(calendar.AddDays(third, 3), "2026-03-02")               // nobody asks for the days in doubt
	must(t, r.clock.Set(start.Add(lease.Retention+53*time.Hour))) // both have
	whole(calendar.AddDays(third, 2), "2026-03-05")
}
