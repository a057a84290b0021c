package clock_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := calendar.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func row(t *testing.T, id string) clock.Row {
	t.Helper()
	r, known := clock.RowOf(id)
	if !known {
		t.Fatalf("there is no clock %q", id)
	}
	return r
}

// TestRows are instants worked out by hand: what is given, and when the clock ends there.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id, zone          string
		start                   clock.Start
		when, classified, after string // after: the report the row waits for
		hours                   int
		country                 string
		target, outer           string // "" for none
		status                  clock.Status
	}{
		{name: "Christmas Day does not move it", id: "gdpr_33_1", zone: "Europe/Berlin", start: clock.Aware, when: "2020-12-22T12:17:00+01:00", target: "2020-12-25T12:17:00+01:00", outer: "2020-12-25T13:00:00+01:00"},
		{name: "nor Whit Monday", id: "gdpr_33_1", zone: "Europe/Berlin", start: clock.Aware, when: "2026-05-22T16:30:00+02:00", target: "2026-05-25T16:30:00+02:00", outer: "2026-05-25T17:00:00+02:00"},
		{name: "clocks go forward", id: "gdpr_33_1", zone: "Europe/Paris", start: clock.Aware, when: "2026-03-27T10:30:00+01:00", target: "2026-03-30T11:30:00+02:00", outer: "2026-03-30T12:00:00+02:00"},
		{name: "clocks go back", id: "gdpr_33_1", zone: "Europe/Paris", start: clock.Aware, when: "2026-10-23T10:30:00+02:00", target: "2026-10-26T09:30:00+01:00", outer: "2026-10-26T10:00:00+01:00"},
		{name: "the first half past two", id: "gdpr_33_1", zone: "Europe/Paris", start: clock.Aware, when: "2026-10-25T02:30:00+02:00", target: "2026-10-28T01:30:00+01:00", outer: "2026-10-28T02:00:00+01:00"},
		{name: "the second half past two", id: "gdpr_33_1", zone: "Europe/Paris", start: clock.Aware, when: "2026-10-25T02:30:00+01:00", target: "2026-10-28T02:30:00+01:00", outer: "2026-10-28T03:00:00+01:00"},
		{name: "leap year", id: "gdpr_33_1", start: clock.Aware, when: "2028-02-28T23:59:59Z", target: "2028-03-02T23:59:59Z", outer: "2028-03-03T00:00:00Z"},
		{name: "year change", id: "gdpr_33_1", start: clock.Aware, when: "2026-12-31T22:00:00Z", target: "2027-01-03T22:00:00Z", outer: "2027-01-03T23:00:00Z"},
		{name: "contract of 24 hours", id: "contract", zone: "Europe/Paris", start: clock.ProcessorAware, hours: 24, when: "2026-06-12T17:45:00+02:00", target: "2026-06-13T17:45:00+02:00", outer: "2026-06-13T18:00:00+02:00"},
		{name: "contract of 48 hours", id: "contract", zone: "Europe/Paris", start: clock.ProcessorAware, hours: 48, when: "2026-06-12T17:45:00+02:00", target: "2026-06-14T17:45:00+02:00", outer: "2026-06-14T18:00:00+02:00"},
		{name: "a contract without hours", id: "contract", start: clock.ProcessorAware, when: "2026-06-12T17:45:00+02:00", status: clock.Open},
		{name: "the law gives a processor no hours", id: "gdpr_33_2", start: clock.ProcessorAware, hours: 24, when: "2026-06-12T17:45:00+02:00", status: clock.Open},
		{name: "the controller's own, seen from us", id: "gdpr_33_1_downstream", start: clock.Told, when: "2026-06-13T08:00:00Z", target: "2026-06-16T08:00:00Z", outer: "2026-06-16T09:00:00Z"},
		{name: "early warning", id: "nis2_ew", start: clock.Aware, when: "2026-01-29T09:00:00Z", target: "2026-01-30T09:00:00Z", outer: "2026-01-30T10:00:00Z"},
		{name: "notification", id: "nis2_notif", start: clock.Aware, when: "2026-01-29T09:00:00Z", target: "2026-02-01T09:00:00Z", outer: "2026-02-01T10:00:00Z"},
		{name: "a month from the notification, to its end", id: "nis2_final", start: clock.Aware, when: "2026-01-29T09:00:00Z", after: "2026-01-31T10:00:00Z", target: "2026-02-28T10:00:00Z"},
		{name: "no notification yet", id: "nis2_final", start: clock.Aware, when: "2026-01-29T09:00:00Z", status: clock.Waiting},
		{name: "classified the same day", id: "dora_init", start: clock.Aware, when: "2026-03-03T08:00:00Z", classified: "2026-03-03T20:00:00Z", target: "2026-03-04T00:00:00Z", outer: "2026-03-04T01:00:00Z"},
		{name: "24 hours at most", id: "dora_init", start: clock.Aware, when: "2026-03-03T08:00:00Z", classified: "2026-03-04T06:00:00Z", target: "2026-03-04T08:00:00Z", outer: "2026-03-04T09:00:00Z"},
		{name: "classified after that", id: "dora_init", start: clock.Aware, when: "2026-03-03T08:00:00Z", classified: "2026-03-04T14:00:00Z", target: "2026-03-04T18:00:00Z", outer: "2026-03-04T19:00:00Z"},
		{name: "not classified yet", id: "dora_init", start: clock.Aware, when: "2026-03-03T08:00:00Z", status: clock.Waiting},
		{name: "a Saturday moves to Monday noon", id: "dora_inter", zone: "Europe/Berlin", country: "DE", start: clock.Aware, when: "2026-03-03T08:00:00Z", after: "2026-03-04T08:00:00Z", target: "2026-03-09T12:00:00+01:00", outer: "2026-03-09T12:00:00+01:00"},
		{name: "and over Easter to Tuesday", id: "dora_inter", zone: "Europe/Berlin", country: "DE", start: clock.Aware, when: "2026-03-30T08:00:00Z", after: "2026-03-31T08:00:00Z", target: "2026-04-07T12:00:00+02:00", outer: "2026-04-07T12:00:00+02:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := clock.Facts{At: map[clock.Start]time.Time{c.start: at(t, c.when)}, Hours: c.hours, Country: c.country}
			if c.zone != "" {
				f.Zone = zone(t, c.zone)
			}
			if c.classified != "" {
				f.At[clock.Classified] = at(t, c.classified)
			}
			r := row(t, c.id)
			if c.after != "" {
				f.Submitted = map[string]time.Time{r.After: at(t, c.after)}
			}
			got, err := clock.Of(r, f, at(t, c.when))
			if err != nil {
				t.Fatal(err)
			}
			if want := c.status; want != "" && got.Status != want || want == "" && got.Status != clock.Running {
				t.Errorf("status %s", got.Status)
			}
			same(t, "target", got.Target, c.target)
			same(t, "outer", got.Outer, c.outer)
		})
	}
}

func same(t *testing.T, what string, got time.Time, want string) {
	t.Helper()
	if want == "" && got.IsZero() || want != "" && got.Equal(at(t, want)) && got.Location() == time.UTC {
		return
	}
	t.Errorf("%s is %s, want %q in UTC", what, got.Format(time.RFC3339), want)
}

// TestExempt: a bank's own clock runs through the weekend.
func TestExempt(t *testing.T) {
	t.Parallel()
	f := clock.Facts{Submitted: map[string]time.Time{"dora_init": at(t, "2026-03-04T08:00:00Z")}, Zone: zone(t, "Europe/Berlin"), Country: "DE", Exempt: true}
	got, err := clock.Of(row(t, "dora_inter"), f, at(t, "2026-03-04T09:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "target", got.Target, "2026-03-07T08:00:00Z")
}

// TestLate: the last instant of 72 hours is in time, a second more is not.
func TestLate(t *testing.T) {
	t.Parallel()
	aware := at(t, "2026-03-03T10:00:00Z")
	for after, want := range map[time.Duration]clock.Status{
		72 * time.Hour: clock.Met, 72*time.Hour + time.Second: clock.Late, time.Minute: clock.Met,
	} {
		f := clock.Facts{At: map[clock.Start]time.Time{clock.Aware: aware}, Submitted: map[string]time.Time{"gdpr_33_1": aware.Add(after)}}
		if got, err := clock.Of(row(t, "gdpr_33_1"), f, aware.Add(1000*time.Hour)); err != nil || got.Status != want {
			t.Errorf("after %s: %s, %v; want %s", after, got.Status, err, want)
		}
	}
}

// TestEnded: no breach after all, and no clock says anything more.
func TestEnded(t *testing.T) {
	t.Parallel()
	aware := at(t, "2026-03-03T10:00:00Z")
	f := clock.Facts{At: map[clock.Start]time.Time{clock.Aware: aware}, Ended: aware.Add(29 * time.Hour)}
	for _, r := range clock.Rows() {
		c, err := clock.Of(r, f, aware.Add(100*time.Hour))
		if err != nil || c.Status != clock.Stopped {
			t.Errorf("%s: %s, %v", r.ID, c.Status, err)
		}
		if a, _ := clock.Due(c, clock.Said{}, aware.Add(100*time.Hour)); a != nil {
			t.Errorf("%s tells %+v", r.ID, a)
		}
	}
}

// TestPromised: what was promised by a day is a clock of its own.
func TestPromised(t *testing.T) {
	t.Parallel()
	since, by := at(t, "2026-06-20T10:00:00Z"), at(t, "2026-07-01T22:00:00Z")
	if c := clock.Promised("follow-up", since, by, time.Time{}, time.Time{}, by.Add(time.Second)); c.Status != clock.Overdue || c.Binding != clock.Internal {
		t.Errorf("%+v", c)
	}
	if c := clock.Promised("follow-up", since, by, by, time.Time{}, by); c.Status != clock.Met {
		t.Errorf("%+v", c)
	}
}

// TestCheckAware refuses what cannot be.
func TestCheckAware(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-03-03T10:00:00Z")
	for _, c := range []struct {
		aware, occurred time.Time
		good            bool
	}{
		{now, time.Time{}, true}, {now.Add(clock.Ahead), time.Time{}, true}, {now.Add(clock.Ahead + time.Second), time.Time{}, false},
		{now, now, true}, {now.Add(-time.Second), now, false}, {time.Time{}, time.Time{}, false},
	} {
		err := clock.CheckAware(c.aware, c.occurred, now)
		if (err == nil) != c.good || err != nil && fault.CodeOf(err) != "aware_invalid" {
			t.Errorf("aware %s of what began %s: %v", c.aware, c.occurred, err)
		}
	}
}

// TestHoursOfContract refuses a contract nobody signs.
func TestHoursOfContract(t *testing.T) {
	t.Parallel()
	f := clock.Facts{At: map[clock.Start]time.Time{clock.ProcessorAware: at(t, "2026-03-03T10:00:00Z")}}
	for _, hours := range []int{-1, clock.MaxHours + 1} {
		f.Hours = hours
		if _, err := clock.Of(row(t, "contract"), f, at(t, "2026-03-03T10:00:00Z")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d hours: %v", hours, err)
		}
	}
}

// TestData: each row is in force today or says until when it was, and the GDPR's came with the GDPR.
func TestData(t *testing.T) {
	t.Parallel()
	today := calendar.Day{Year: 2026, Month: time.November, Day: 22}
	for _, r := range clock.Rows() {
		if !r.InForce(today) && r.Until.IsZero() || r.Note == "" || !strings.HasSuffix(r.Note, ".") {
			t.Errorf("%+v", r)
		}
	}
	r := row(t, "gdpr_33_1")
	if r.InForce(calendar.Day{Year: 2018, Month: time.May, Day: 24}) || !r.InForce(calendar.Day{Year: 2018, Month: time.May, Day: 25}) {
		t.Errorf("in force from %s", r.From)
	}
	if e := row(t, "eidas"); e.InForce(today) || e.Certain {
		t.Errorf("%+v", e)
	}
}

// TestMarks draws when somebody looks: whatever was missed, each look tells at most one alarm, marks never go back, and at
// the end everything that passed was told or listed as missed.
func TestMarks(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		random := rand.New(rand.NewPCG(seed, 1))
		aware := at(t, "2026-03-27T10:30:00+01:00")
		f := clock.Facts{At: map[clock.Start]time.Time{clock.Aware: aware}}
		var said clock.Said
		told, last, hours := map[int]int{}, 0, 0
		for now := aware; now.Before(aware.Add(90 * time.Hour)); now = now.Add(time.Duration(random.Int64N(int64(10 * time.Hour)))) {
			c, err := clock.Of(row(t, "gdpr_33_1"), f, now)
			if err != nil {
				t.Fatal(err)
			}
			a, then := clock.Due(c, said, now)
			if again, same := clock.Due(c, then, now); again != nil || same != then {
				t.Fatalf("seed %d: told twice at %s", seed, now)
			}
			said = then
			if a == nil {
				continue
			}
			if a.Mark < last || a.Mark == last && a.Hours <= hours {
				t.Fatalf("seed %d: %+v after %d %d", seed, a, last, hours)
			}
			last, hours = a.Mark, a.Hours
			if told[a.Mark]++; a.Mark < 100 && told[a.Mark] > 1 {
				t.Fatalf("seed %d: %d twice", seed, a.Mark)
			}
			for _, m := range a.Missed {
				told[m]++
			}
		}
		for _, m := range clock.Marks() {
			if told[m] == 0 {
				t.Errorf("seed %d: %d was never told nor listed", seed, m)
			}
		}
	}
}

// TestCatchingUp: nobody looked from 45 to 80 percent, and one message says so.
func TestCatchingUp(t *testing.T) {
	t.Parallel()
	aware := at(t, "2026-03-03T00:00:00Z")
	f := clock.Facts{At: map[clock.Start]time.Time{clock.Aware: aware}}
	look := func(f clock.Facts, said clock.Said, hours float64) (*clock.Alarm, clock.Said) {
		now := aware.Add(time.Duration(hours * float64(time.Hour)))
		c, err := clock.Of(row(t, "gdpr_33_1"), f, now)
		if err != nil {
			t.Fatal(err)
		}
		if next := clock.Next(c, said, now); !next.IsZero() && next.Before(now) {
			t.Errorf("next look %s, before %s", next, now)
		}
		return clock.Due(c, said, now)
	}
	a, said := look(f, clock.Said{}, 72*.45)
	if a == nil || a.Mark != 25 || len(a.Missed) != 0 {
		t.Fatalf("%+v", a)
	}
	a, said = look(f, said, 72*.8)
	if a == nil || a.Mark != 75 || !slices.Equal(a.Missed, []int{50}) {
		t.Fatalf("%+v", a)
	}
	// Corrected to five hours earlier: 90 percent of the new clock has passed, and is told once.
	f.At[clock.Aware] = aware.Add(-10 * time.Hour)
	a, said = look(f, said, 72*.8)
	if a == nil || a.Mark != 90 {
		t.Fatalf("%+v", a)
	}
	// To much later: silence, and the marks of the new clock when they come.
	f.At[clock.Aware] = aware.Add(50 * time.Hour)
	if a, said = look(f, said, 72*.8); a != nil {
		t.Fatalf("%+v", a)
	}
	if a, _ = look(f, said, 50+72*.6); a == nil || a.Mark != 50 {
		t.Fatalf("%+v", a)
	}
}

// TestCenturies: marks of what lies years ahead come when their part of it is over, and not before.
func TestCenturies(t *testing.T) {
	t.Parallel()
	since := at(t, "2026-03-03T10:00:00Z")
	by := since.AddDate(10, 0, 0)
	whole := by.Sub(since)
	for _, c := range []struct {
		now  time.Time
		mark int
	}{{since, 0}, {since.Add(whole/4 - time.Hour), 0}, {since.Add(whole/4 + time.Hour), 25}, {since.Add(whole - time.Hour), 90}, {by.Add(time.Minute), 100}} {
		promised := clock.Promised("promise:x", since, by, time.Time{}, time.Time{}, c.now)
		if _, said := clock.Due(promised, clock.Said{}, c.now); said.Mark != c.mark {
			t.Errorf("%s: told of %d, want %d", c.now, said.Mark, c.mark)
		}
		if next := clock.Next(promised, clock.Said{For: by}, since); !next.After(since) || next.After(by) {
			t.Errorf("looked at again %s", next)
		}
	}
}
