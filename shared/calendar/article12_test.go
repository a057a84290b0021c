package calendar

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

func date(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func spans(t testing.TB, s string) (all []Span) {
	t.Helper()
	for one := range strings.FieldsSeq(s) {
		from, to, _ := strings.Cut(one, "/")
		all = append(all, Span{date(t, from), date(t, to)})
	}
	return all
}

// The table everybody who counts otherwise is held against. A received time without a zone of its own is noon in Berlin.
func TestArticle12(t *testing.T) {
	t.Parallel()
	for n, c := range []struct {
		received, zone, country string
		extend                  bool
		mode                    Mode
		pause, raw, due, why    string
	}{
		{"2022-03-05", "", "DE", false, "", "", "2022-04-05", "2022-04-05", "example of the EDPB"},
		{"2026-03-05", "", "DE", false, "", "", "2026-04-05", "2026-04-07", "Sunday and Easter Monday"},
		{"2025-03-05", "", None, false, "", "", "2025-04-05", "2025-04-07", "Saturday"},
		{"2026-08-31", "", "DE", false, "", "", "2026-09-30", "2026-09-30", "month end, example of the EDPB"},
		{"2024-01-31", "", "DE", false, "", "", "2024-02-29", "2024-02-29", "leap year"},
		{"2026-01-31", "", "DE", false, "", "", "2026-02-28", "2026-03-02", "shorter month, then a Saturday"},
		{"2027-01-29", "", "DE", false, "", "", "2027-02-28", "2027-03-01", "29th in a common year"},
		{"2028-01-30", "", "DE", false, "", "", "2028-02-29", "2028-02-29", "30th in a leap year"},
		{"2028-02-29", "", "DE", false, "", "", "2028-03-29", "2028-03-29", "not month end to month end"},
		{"2026-02-28", "", "DE", false, "", "", "2026-03-28", "2026-03-30", "28 February to 28 March, not 31"},
		{"2027-02-28", "", "DE", false, "", "", "2027-03-28", "2027-03-30", "Easter Sunday and Monday"},
		{"2026-03-03", "", "DE", false, "", "", "2026-04-03", "2026-04-07", "four days in a row"},
		{"2026-03-03", "", None, false, "", "", "2026-04-03", "2026-04-03", "the same day, no calendar"},
		{"2026-04-01", "", "DE", false, "", "", "2026-05-01", "2026-05-04", "Labour Day and a weekend"},
		{"2026-03-31T22:30:00Z", "Europe/Berlin", "DE", false, "", "", "2026-05-01", "2026-05-04", "the local day is 1 April"},
		{"2026-03-31T22:30:00Z", "UTC", "DE", false, "", "", "2026-04-30", "2026-04-30", "the zone decides"},
		{"2026-04-14", "", "DE", false, "", "", "2026-05-14", "2026-05-15", "a holiday on Thursday"},
		{"2026-04-25", "", "DE", false, "", "", "2026-05-25", "2026-05-26", "Whit Monday"},
		{"2026-04-08", "", "FR", false, "", "", "2026-05-08", "2026-05-11", "a French holiday"},
		{"2026-04-08", "", "DE", false, "", "", "2026-05-08", "2026-05-08", "the same, another country"},
		{"2025-11-25", "", "DE", false, "", "", "2025-12-25", "2025-12-29", "25, 26, weekend"},
		{"2026-11-24", "", "DE", false, "", "", "2026-12-24", "2026-12-24", "24 December is no public holiday"},
		{"2026-12-01", "", "DE", false, "", "", "2027-01-01", "2027-01-04", "another year"},
		{"2025-12-31", "", "DE", false, "", "", "2026-01-31", "2026-02-02", "31 to 31"},
		{"2026-09-03", "", "DE", false, "", "", "2026-10-03", "2026-10-05", "a holiday on Saturday"},
		{"2026-09-03", "", "DE", true, "", "", "2026-12-03", "2026-12-03", "extended"},
		{"2026-01-31", "", "DE", true, "", "", "2026-04-30", "2026-04-30", "from receipt, not 28 February and two months"},
		{"2025-11-30", "", "DE", true, "", "", "2026-02-28", "2026-03-02", "extended, shorter month, Saturday"},
		{"2028-03-14", "", "DE", false, "", "", "2028-04-14", "2028-04-18", "Easter of a leap year"},
		{"2100-01-31", "", "DE", false, "", "", "2100-02-28", "2100-03-01", "2100 is no leap year"},
		{"2026-03-02", "", "DE", false, ModePause, "2026-03-04/2026-03-12", "2026-04-10", "2026-04-10", "eight days waited"},
		{"2026-03-02", "", "DE", false, "", "", "2026-04-02", "2026-04-02", "the day the controller had it counts, not that of arrival here"},
		{"2026-03-02", "", "DE", false, ModeNone, "2026-03-04/2026-03-12", "2026-04-02", "2026-04-02", "waiting does not count"},
		{"2026-03-02", "", "DE", false, ModeRestart, "2026-03-04/2026-03-12", "2026-04-12", "2026-04-13", "from the answer"},
	} {
		got, err := Art12(terms(t, c.received, c.zone, c.country, c.extend, c.mode, c.pause))
		if err != nil {
			t.Errorf("row %d (%s): %v", n+1, c.why, err)
			continue
		}
		if got.Raw.String() != c.raw || got.Due.String() != c.due {
			t.Errorf("row %d (%s): received %s: due %s, the period ends %s; want %s, %s", n+1, c.why, c.received, got.Due, got.Raw, c.due, c.raw)
		}
	}
}

func terms(t testing.TB, received, zoneName, country string, extend bool, mode Mode, pause string) Terms {
	t.Helper()
	if zoneName == "" {
		zoneName = "Europe/Berlin"
	}
	if len(received) == len(time.DateOnly) {
		received += "T11:00:00Z"
	}
	return Terms{instant(t, received), zone(t, zoneName), country, extend, spans(t, pause), mode}
}

func TestWhatComesWithATimeLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why           string
		terms         Terms
		due, careful  string
		notice, early string
		alarms        string
		warning       string
	}{
		{
			"an extension is told in the first month", terms(t, "2026-09-03", "", "DE", true, "", ""),
			"2026-12-03", "2026-10-03", "2026-10-05", "2026-10-03", "[2026-09-23 2026-09-28 2026-10-01]", "",
		},
		{
			"waiting in the first month moves the notice", terms(t, "2026-03-02", "", "DE", true, ModePause, "2026-03-04/2026-03-12 2026-05-04/2026-05-06"),
			"2026-06-12", "2026-04-02", "2026-04-10", "2026-04-02", "[2026-03-23 2026-03-28 2026-03-31]", "",
		},
		{
			"no calendar", terms(t, "2025-03-05", "", "PL", false, "", ""),
			"2025-04-05", "2025-04-05", "2025-04-05", "2025-04-05", "[2025-03-26 2025-03-31 2025-04-03]", "no calendar of the country",
		},
		{
			"beyond the data: a Saturday, then what would be a holiday", terms(t, "2100-04-01", "", "DE", false, "", ""),
			"2100-05-03", "2100-05-01", "2100-05-03", "2100-05-01", "[2100-04-21 2100-04-26 2100-04-29]", "known from 2018 to 2028",
		},
		{
			"a holiday beyond the data", terms(t, "2099-12-01", "", "DE", false, "", ""),
			"2100-01-01", "2100-01-01", "2100-01-01", "2100-01-01", "[2099-12-22 2099-12-27 2099-12-30]", "known from",
		},
		{
			"before the data", terms(t, "2017-12-31", "", "DE", false, "", ""),
			"2018-01-31", "2018-01-31", "2018-01-31", "2018-01-31", "[2018-01-21 2018-01-26 2018-01-29]", "",
		},
		{
			"United Kingdom, by both its names", terms(t, "2027-11-28", "Europe/London", "UK", false, "", ""),
			"2027-12-29", "2027-12-28", "2027-12-29", "2027-12-28", "[2027-12-18 2027-12-23 2027-12-26]", "",
		},
	} {
		got, err := Art12(c.terms)
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		want := fmt.Sprint(c.due, c.careful, c.notice, c.early, c.alarms)
		if has := fmt.Sprint(got.Due.String(), got.Conservative.String(), got.NoticeBy.String(), got.NoticeConservative.String(), got.Alarms); has != want {
			t.Errorf("%s: got %s, want %s", c.why, has, want)
		}
		if (c.warning == "") != (got.Warning == "") || !strings.Contains(got.Warning, c.warning) {
			t.Errorf("%s: warns %q, want %q", c.why, got.Warning, c.warning)
		}
	}
}

func TestTimeLimitsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := terms(t, "2026-03-02", "", "DE", false, ModePause, "")
	for why, change := range map[string]func(*Terms){
		"no zone":                func(t *Terms) { t.Zone = nil },
		"no time":                func(t *Terms) { t.Received = time.Time{} },
		"unknown mode":           func(t *Terms) { t.Mode = "hold" },
		"waiting before receipt": func(u *Terms) { u.Pause = spans(t, "2026-03-01/2026-03-03") },
		"answer before question": func(u *Terms) { u.Pause = spans(t, "2026-03-05/2026-03-04") },
		"no answer yet":          func(u *Terms) { u.Pause = []Span{{From: date(t, "2026-03-05")}} },
		"overlapping":            func(u *Terms) { u.Pause = spans(t, "2026-03-05/2026-03-09 2026-03-08/2026-03-10") },
		"when it was over":       func(u *Terms) { u.Pause = spans(t, "2026-04-03/2026-04-04") },
	} {
		bad := good
		change(&bad)
		if due, err := Art12(bad); err == nil {
			t.Errorf("%s: due %s", why, due.Due)
		}
	}
}

// seeds is how many random cases a property is held against.
func seeds() int {
	if os.Getenv("OSTIARY_SOAK") == "1" {
		return 40 * 25
	}
	return 25
}

// Of any receipt in any country: never before 28 days, never on a day off, never earlier than the careful day, and a later
// day of receipt is never due earlier.
func TestTimeLimitsInGeneral(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	for seed := range seeds() {
		random := rand.New(rand.NewPCG(uint64(seed), 12))
		for _, code := range append(Countries(), None) {
			h, _ := HolidaysOf(code)
			extend := random.IntN(2) == 0
			last := Day{}
			for d := AddDays(Day{2018, 1, 1}, random.IntN(4000)); d.Year < 2029; d = AddDays(d, 1+random.IntN(25)) {
				due, err := Art12(Terms{Received: d.End(berlin).Add(-1), Zone: berlin, Country: code, Extend: extend})
				switch {
				case err != nil:
					t.Fatal(err)
				case due.Due.Before(AddDays(d, 28)) || due.Due.Before(due.Raw) || due.Raw.Before(due.Conservative):
					t.Errorf("%s, seed %d: received %s: due %s, period ends %s, careful %s", code, seed, d, due.Due, due.Raw, due.Conservative)
				case !h.Works(due.Due) || !h.Works(due.NoticeBy):
					t.Errorf("%s, seed %d: received %s: due %s, notice by %s: a day off", code, seed, d, due.Due, due.NoticeBy)
				case AddDays(due.Raw, 6).Before(due.Due):
					t.Errorf("%s, seed %d: received %s: due %s, long after %s", code, seed, d, due.Due, due.Raw)
				case due.Due.Before(last):
					t.Errorf("%s, seed %d: received %s: due %s, before that of an earlier day, %s", code, seed, d, due.Due, last)
				}
				last = due.Due
			}
		}
	}
}

// Waiting never makes a limit earlier, and what is added is what was waited.
func FuzzPause(f *testing.F) {
	f.Add(0, 2, 8, 3, 4, true)
	f.Add(500, 0, 0, 0, 0, false)
	f.Add(1000, 27, 400, 20, 1, false)
	f.Fuzz(func(t *testing.T, start, after, long, after2, long2 int, extend bool) {
		const most = 10_000
		for _, n := range []int{start, after, long, after2, long2} {
			if n < 0 || n > most {
				return
			}
		}
		received := AddDays(Day{2020, 1, 1}, start)
		one := Span{AddDays(received, after), AddDays(received, after+long)}
		two := Span{AddDays(one.To, after2), AddDays(one.To, after2+long2)}
		plain := Terms{Received: received.End(time.UTC).Add(-1), Zone: time.UTC, Country: "FR", Extend: extend}
		paused := plain
		paused.Mode, paused.Pause = ModePause, []Span{one, two}
		before, err := Art12(plain)
		if err != nil {
			t.Fatal(err)
		}
		with, err := Art12(paused)
		if err != nil {
			return // it began when the time was over
		}
		if with.Raw != AddDays(before.Raw, long+long2) || with.Conservative != before.Conservative || with.Due.Before(before.Due) || with.NoticeBy.Before(before.NoticeBy) {
			t.Errorf("received %s, waited %v: %+v; without waiting %+v", received, paused.Pause, with, before)
		}
	})
}
