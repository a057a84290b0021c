package lease

import (
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

var states = []State{Received, Written, Confirmed, Working, Ended, Failed}

// TestLife walks every pair of states and expects exactly the steps a lease may take.
func TestLife(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	allowed := map[[2]State]bool{
		{Received, Written}: true, {Received, Ended}: true, {Received, Failed}: true,
		{Written, Confirmed}: true, {Written, Received}: true, {Written, Ended}: true, {Written, Failed}: true,
		{Confirmed, Working}: true, {Confirmed, Received}: true, {Confirmed, Ended}: true,
		{Working, Received}: true, {Working, Ended}: true,
	}
	for _, from := range states {
		for _, to := range states {
			why := Why("")
			if to.Final() {
				why = Done
			}
			l := Lease{ID: "x", State: from}
			after, err := l.To(to, why, at)
			if ok := allowed[[2]State{from, to}]; ok != (err == nil) {
				t.Errorf("%s -> %s: %v, want allowed=%t", from, to, err, ok)
			} else if ok && after.State != to {
				t.Errorf("%s -> %s: became %s", from, to, after.State)
			} else if !ok && (after != l || !fault.Is(err, fault.Conflict)) {
				t.Errorf("%s -> %s: refused with %v and changed to %+v", from, to, err, after)
			}
		}
	}
	if _, err := (Lease{State: Received}).To(Ended, "", at); err == nil {
		t.Error("an end without a reason is taken")
	}
	if _, err := (Lease{State: Received}).To(Written, Done, at); err == nil {
		t.Error("a step with a reason is taken")
	}
	if _, err := (Lease{State: Working, Open: true}).Close(at); err == nil {
		t.Error("a working lease can be closed")
	}
}

// TestOnceAppliedStaysSo: a target that loses a lease takes away what is so now, and not what was so once.
func TestOnceAppliedStaysSo(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	l := Lease{ID: "x", State: Received}
	for n, to := range []State{Written, Confirmed, Working, Received, Written, Confirmed, Working, Received, Ended} {
		why := Why("")
		if to.Final() {
			why = Done
		}
		var err error
		if l, err = l.To(to, why, at.Add(time.Duration(n)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n >= 1 && !l.FirstConfirmed.Equal(at.Add(time.Minute)) || n >= 2 && !l.FirstWorking.Equal(at.Add(2*time.Minute)) {
			t.Errorf("%s: first confirmed %s, first working %s", to, l.FirstConfirmed, l.FirstWorking)
		}
	}
	if !l.ConfirmedAt.IsZero() || !l.WorkingAt.IsZero() {
		t.Errorf("lost, and still said to be confirmed: %+v", l)
	}
}

func TestExpiryIsEvaluatedAtRead(t *testing.T) {
	t.Parallel()
	ends := time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC)
	for _, s := range states {
		l := Lease{State: s, Ends: ends}
		before, at := ends.Add(-time.Microsecond), ends
		if live := l.Live(before); live == s.Final() {
			t.Errorf("%s before its end: live=%t", s, live)
		}
		if l.Live(at) || l.Left(at) != 0 {
			t.Errorf("%s at its end: live, %s left", s, l.Left(at))
		}
		if read := l.At(at); !s.Final() && (read.State != Ended || read.Why != Expired || !read.EndedAt.Equal(ends)) {
			t.Errorf("%s reads as %s (%s) at its end", s, read.State, read.Why)
		}
	}
	if left := (Lease{State: Received, Ends: ends}).Left(ends.Add(-7 * time.Minute)); left != 7*time.Minute {
		t.Errorf("%s left, want 7m", left)
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := calendar.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTerm(t *testing.T) {
	t.Parallel()
	whole := access.Lease{DayEnd: "24:00", Weekend: access.Allow, MaxHours: 24, Devices: 2, ChangesPerDay: 10}
	with := func(change func(*access.Lease)) access.Lease {
		rules := whole
		change(&rules)
		return rules
	}
	evening := with(func(r *access.Lease) { r.DayEnd = "20:00" })
	short := with(func(r *access.Lease) { r.MaxHours = 4 })
	workdays := with(func(r *access.Lease) { r.Weekend = access.Refuse })
	for _, c := range []struct {
		name, now, zone string
		rules           access.Lease
		ends            string // "" for refused
	}{
		{"winter in Paris", "2026-03-03T07:55:00Z", "Europe/Paris", whole, "2026-03-03T23:00:00Z"},
		{"Kolkata", "2026-03-03T03:00:00Z", "Asia/Kolkata", whole, "2026-03-03T18:30:00Z"},
		{"minutes before midnight", "2026-03-03T22:53:00Z", "Europe/Paris", whole, "2026-03-03T23:00:00Z"},
		{"first instant of the day", "2026-03-03T23:00:00Z", "Europe/Paris", whole, "2026-03-04T23:00:00Z"},
		{"a day of 23 hours", "2026-03-28T23:00:00Z", "Europe/Paris", whole, "2026-03-29T22:00:00Z"},
		{"a day of 25 hours", "2026-10-24T22:00:00Z", "Europe/Paris", whole, "2026-10-25T23:00:00Z"},
		{"no midnight in Santiago", "2026-09-05T12:00:00Z", "America/Santiago", whole, "2026-09-06T04:00:00Z"},
		{"Cairo", "2026-04-23T12:00:00Z", "Africa/Cairo", whole, "2026-04-23T22:00:00Z"},
		{"end of the working day", "2026-03-03T07:55:00Z", "Europe/Paris", evening, "2026-03-03T19:00:00Z"},
		{"after the working day", "2026-03-03T19:00:00Z", "Europe/Paris", evening, ""},
		{"four hours at most", "2026-03-03T07:55:00Z", "Europe/Paris", short, "2026-03-03T11:55:00Z"},
		{"fewer than four left", "2026-03-03T21:00:00Z", "Europe/Paris", short, "2026-03-03T23:00:00Z"},
		{"Saturday at home, Friday in UTC", "2026-03-06T23:30:00Z", "Europe/Paris", workdays, ""},
		{"Sunday", "2026-03-08T10:00:00Z", "Europe/Paris", workdays, ""},
		{"Monday at home, Sunday in UTC", "2026-03-08T23:30:00Z", "Europe/Paris", workdays, "2026-03-09T23:00:00Z"},
		{"a zone that left a day out", "2011-12-30T09:00:00Z", "Pacific/Apia", whole, "2011-12-30T10:00:00Z"},
	} {
		ends, err := Term(instant(t, c.now), zone(t, c.zone), c.rules)
		if c.ends == "" {
			if fault.CodeOf(err) != "person_limit" {
				t.Errorf("%s: ends %s, %v; want person_limit", c.name, ends, err)
			}
			continue
		}
		if err != nil || !ends.Equal(instant(t, c.ends)) {
			t.Errorf("%s: ends %s, %v; want %s", c.name, ends.Format(time.RFC3339), err, c.ends)
		}
	}
}

// TestTermNeverExceedsTheCap tries every zone of the tests at every half hour of two years with a clock change.
func TestTermNeverExceedsTheCap(t *testing.T) {
	t.Parallel()
	rules := access.Lease{DayEnd: "24:00", MaxHours: 24}
	for _, name := range []string{"UTC", "Europe/Paris", "America/Santiago", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia",
		"Australia/Lord_Howe", "America/St_Johns", "Pacific/Kiritimati", "Asia/Gaza", "Antarctica/Troll"} {
		loc := zone(t, name)
		for now := instant(t, "2025-12-31T00:15:00Z"); now.Year() < 2027; now = now.Add(30 * time.Minute) {
			ends, err := Term(now, loc, rules)
			if err != nil || !ends.After(now) || ends.Sub(now) > maxLongLife {
				t.Fatalf("%s at %s: ends %s, %v", name, now, ends, err)
			}
			// Troll has a day of 26 hours: there the cap ends the lease first.
			if calendar.Date(ends, loc) == calendar.Date(now, loc) && ends.Sub(now) != maxLife {
				t.Fatalf("%s at %s: ends %s, on the same date", name, now, ends)
			}
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	rules := access.Lease{DayEnd: "24:00", MaxHours: 24, Devices: 2, ChangesPerDay: 3}
	paris := zone(t, "Europe/Paris")
	now := instant(t, "2026-03-03T08:00:00Z")
	home, cafe := netip.MustParsePrefix("81.2.69.142/32"), netip.MustParsePrefix("92.40.1.7/32")
	lease := func(p netip.Prefix, date string, generation int, s State, ends string) Lease {
		return Lease{ID: date, Prefix: p, Date: date, Generation: generation, State: s, Ends: instant(t, ends)}
	}
	const today, tonight = "2026-03-03", "2026-03-03T23:00:00Z"
	for _, c := range []struct {
		name       string
		mine       []Lease
		kept       bool
		generation int
		code       string
	}{
		{"nothing yet", nil, false, 1, ""},
		{"the same, live", []Lease{lease(home, today, 1, Working, tonight)}, true, 0, ""},
		{"the same of an earlier date, still live", []Lease{lease(home, "2026-03-02", 1, Working, tonight)}, true, 0, ""},
		{"the same, ended today", []Lease{lease(home, today, 1, Ended, tonight)}, false, 2, ""},
		{"the same, ended twice", []Lease{lease(home, today, 2, Ended, tonight), lease(home, today, 1, Ended, tonight)}, false, 3, ""},
		{"the same, failed today", []Lease{lease(home, today, 1, Failed, tonight)}, false, 2, ""},
		{"the same, hours over", []Lease{lease(home, today, 1, Working, "2026-03-03T07:00:00Z")}, false, 2, ""},
		{"the same, yesterday", []Lease{lease(home, "2026-03-02", 4, Working, "2026-03-02T23:00:00Z")}, false, 1, ""},
		{"another", []Lease{lease(cafe, today, 1, Working, tonight)}, false, 1, ""},
		{"too many today", []Lease{lease(cafe, today, 1, Ended, tonight), lease(cafe, today, 2, Ended, tonight),
			lease(cafe, today, 3, Working, tonight)}, false, 0, "person_limit"},
		{"many, but the same lives", []Lease{lease(cafe, today, 1, Ended, tonight), lease(cafe, today, 2, Ended, tonight),
			lease(home, today, 1, Working, tonight)}, true, 0, ""},
	} {
		p, err := decide(c.mine, home, paris, rules, now)
		if fault.CodeOf(err) != c.code || (p.kept != nil) != c.kept {
			t.Errorf("%s: kept %v, %v; want kept=%t code %q", c.name, p.kept, err, c.kept, c.code)
		}
		if err == nil && !c.kept && (p.generation != c.generation || p.date != today || !p.ends.Equal(instant(t, tonight))) {
			t.Errorf("%s: %+v; want generation %d of today", c.name, p, c.generation)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	home := netip.MustParsePrefix("81.2.69.142/32")
	id := identify([]byte("salt"), "ana", home, "2026-03-03", 1)
	if again := identify([]byte("salt"), "ana", home, "2026-03-03", 1); again != id {
		t.Errorf("ids %q and %q of the same lease", id, again)
	}
	if later := identify([]byte("salt"), "ana", home, "2026-03-03", 2); later != id+"-2" {
		t.Errorf("second generation is %q, want %q", later, id+"-2")
	}
	for name, other := range map[string]string{
		"salt":   identify([]byte("tlas"), "ana", home, "2026-03-03", 1),
		"person": identify([]byte("salt"), "ben", home, "2026-03-03", 1),
		"prefix": identify([]byte("salt"), "ana", netip.MustParsePrefix("81.2.69.143/32"), "2026-03-03", 1),
		"date":   identify([]byte("salt"), "ana", home, "2026-03-04", 1),
	} {
		if other == id {
			t.Errorf("another %s gives the same id", name)
		}
	}
}

func TestValidKey(t *testing.T) {
	t.Parallel()
	long := make([]byte, MaxKey)
	for i := range long {
		long[i] = 'k'
	}
	for key, want := range map[string]bool{
		"a": true, " ~": true, string(long): true, "": false, string(long) + "k": false, "a\n": false, "é": false, "\x7f": false,
	} {
		if validKey(key) != want {
			t.Errorf("validKey(%q) = %t", key, !want)
		}
	}
}
