package oncall_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach/oncall"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

const people = `people:
- {id: ana, email: ana@firm.example, name: Ana, roles: [employee, oncall], language: fr, zone: Europe/Paris}
- {id: ben, email: ben@firm.example, name: Ben, roles: [employee, oncall, security], language: en, zone: Europe/Paris}
- {id: cem, email: cem@firm.example, name: Cem, roles: [employee, oncall], language: en, zone: America/New_York, until: 2026-06-30}
- {id: dora, email: dora@firm.example, name: Dora, roles: [employee, dpo], language: en, zone: Europe/Paris}
`

func load(t testing.TB) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml":      {Data: []byte("company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr], domains: [firm.example]}\n")},
		"p/people.yaml":       {Data: []byte(people)},
		"p/promises/one.yaml": {Data: []byte("promises:\n- {id: X1, text: {fr: Oui.}, source: {file: policy.html, section: one}, check: breach-clock, severity: high, kept_by: [{records: breach-clock}]}\n")},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", problems, err)
	}
	return p
}

// read reads a table that is in order.
func read(t testing.TB, f oncall.File) oncall.Table {
	t.Helper()
	return oncall.Read(f, load(t), func(key, what, allowed string) { t.Errorf("%s: %s; %s", key, what, allowed) })
}

// rotation is people who change on Mondays at nine, from 2026-01-05, before a change of the test's.
func rotation(people []string, change func(*oncall.Rotation)) oncall.Rotation {
	r := oncall.Rotation{ID: "first", People: people, From: calendar.Day{Year: 2026, Month: 1, Day: 5}}
	r.HandOver.Day, r.HandOver.At = "monday", "09:00"
	if change != nil {
		change(&r)
	}
	return r
}

func table(t testing.TB, people []string, change func(*oncall.Rotation)) oncall.Table {
	t.Helper()
	return read(t, oncall.File{Rotations: []oncall.Rotation{rotation(people, change)}})
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// at is who is on call at each of some instants.
func at(t *testing.T, table oncall.Table, want map[string]string) {
	t.Helper()
	for when, who := range want {
		if got := strings.Join(table.At(instant(t, when)), " "); got != who {
			t.Errorf("%s: %q, want %q", when, got, who)
		}
	}
}

func TestTurns(t *testing.T) {
	t.Parallel()
	both := []string{"ana", "ben"}
	at(t, table(t, both, nil), map[string]string{
		"2026-01-05T08:59:59+01:00": "ana ben cem", // before the first turn: everybody
		"2026-01-05T09:00:00+01:00": "ana", "2026-01-12T08:59:59+01:00": "ana", "2026-01-12T09:00:00+01:00": "ben",
		"2026-03-30T08:59:59+02:00": "ben", "2026-03-30T09:00:00+02:00": "ana", // the clocks went forward on the 29th
		"2026-10-26T08:59:59+01:00": "ben", "2026-10-26T09:00:00+01:00": "ana", // and back on the 25th
		"2036-01-07T12:00:00+01:00": "ana",
	})
	at(t, table(t, both, func(r *oncall.Rotation) { r.From.Day = 3 }), map[string]string{ // a Saturday: from the Monday after it
		"2026-01-05T08:59:59+01:00": "ana ben cem", "2026-01-05T09:00:00+01:00": "ana",
	})
	at(t, table(t, both, func(r *oncall.Rotation) {
		r.HandOver.Day, r.HandOver.At, r.Every = "", "02:30", calendar.Period{Days: 1}
	}), map[string]string{
		"2026-03-29T01:59:59+01:00": "ana", "2026-03-29T03:00:00+02:00": "ben", // 02:30 is skipped
		"2026-10-25T02:29:59+02:00": "ana", "2026-10-25T02:30:00+02:00": "ben", "2026-10-25T02:10:00+01:00": "ben", "2026-10-25T02:30:00+01:00": "ben", // 02:30 comes twice
		"2026-10-26T02:30:00+01:00": "ana",
	})
	at(t, table(t, both, func(r *oncall.Rotation) {
		r.HandOver.Day, r.HandOver.At, r.HandOver.Zone, r.Every = "", "20:00", "America/New_York", calendar.Period{Clock: 12 * time.Hour}
	}), map[string]string{
		"2026-01-05T19:59:59-05:00": "ana ben cem", "2026-01-05T20:00:00-05:00": "ana", "2026-01-06T08:00:00-05:00": "ben", "2026-01-06T20:00:00-05:00": "ana",
		"2026-03-08T07:59:59-04:00": "ana", "2026-03-08T08:00:00-04:00": "ben", // a night of eleven hours
	})
	at(t, table(t, both, func(r *oncall.Rotation) {
		r.HandOver.Day, r.HandOver.At, r.HandOver.Zone = "sunday", "00:00", "America/Santiago"
	}), map[string]string{
		"2026-09-06T03:59:59Z": "ben", "2026-09-06T04:00:00Z": "ana", // a day without a midnight
	})
}

func TestLeft(t *testing.T) {
	t.Parallel()
	at(t, table(t, []string{"ana", "cem"}, nil), map[string]string{
		"2026-06-24T12:00:00+02:00": "ana", "2026-06-30T12:00:00+02:00": "cem",
		"2026-07-01T05:59:59+02:00": "cem", "2026-07-01T06:00:00+02:00": "ana", // over in New York
	})
	at(t, table(t, []string{"cem"}, nil), map[string]string{"2026-06-24T12:00:00+02:00": "cem", "2026-07-02T12:00:00+02:00": "ana ben"})
	if got := (oncall.Table{}).At(instant(t, "2026-06-24T12:00:00Z")); got != nil {
		t.Errorf("of nobody: %v", got)
	}
	at(t, read(t, oncall.File{}), map[string]string{"2026-06-24T12:00:00+02:00": "ana ben cem", "2026-07-02T12:00:00+02:00": "ana ben"})
}

func TestCoverAndExceptions(t *testing.T) {
	t.Parallel()
	second := rotation([]string{"cem"}, func(r *oncall.Rotation) { r.ID = "second" })
	f := oncall.File{
		Rotations: []oncall.Rotation{rotation([]string{"ana"}, func(r *oncall.Rotation) { r.Holidays.People = []string{"ben", "cem"} }), second},
		Overrides: []oncall.Override{
			{Rotation: "second", From: "2026-05-01T10:00:00+02:00", To: "2026-05-01T12:00:00+02:00", Person: "ben"},
			{From: "2026-05-01T12:00:00+02:00", To: "2026-05-01T14:00:00+02:00", Person: "ana"},
			{From: "2026-07-01T12:00:00+02:00", To: "2026-07-14T00:00:00+02:00", Person: "cem"}, // who left the night before
		},
	}
	at(t, read(t, f), map[string]string{
		"2026-04-30T23:59:59+02:00": "ana cem", "2026-05-01T00:00:00+02:00": "ben cem", "2026-05-02T00:00:00+02:00": "ana cem",
		"2026-05-01T10:00:00+02:00": "ben cem", "2026-05-01T12:00:00+02:00": "ana", "2026-05-01T13:59:59+02:00": "ana", "2026-05-01T14:00:00+02:00": "ben cem",
		"2026-07-02T12:00:00+02:00": "ana", "2026-07-14T12:00:00+02:00": "ben", // the fourteenth is a holiday, and cem has left
	})
}

// TestCalls: the role is answered by who is on call, every other one by all who have it.
func TestCalls(t *testing.T) {
	t.Parallel()
	p := load(t)
	on := table(t, []string{"ana"}, nil)
	noon := instant(t, "2026-02-02T12:00:00+01:00")
	for _, c := range []struct {
		table oncall.Table
		id    string
		roles []policy.Role
		want  bool
	}{
		{on, "ana", []policy.Role{policy.OnCall}, true}, {on, "ben", []policy.Role{policy.OnCall}, false}, {on, "dora", []policy.Role{policy.OnCall}, false},
		{on, "ben", []policy.Role{policy.OnCall, policy.Security}, true}, {on, "dora", []policy.Role{policy.OnCall, policy.DPO}, true}, {on, "ben", nil, false},
		{oncall.Table{}, "ben", []policy.Role{policy.OnCall}, true}, {oncall.Table{}, "dora", []policy.Role{policy.OnCall}, false},
	} {
		person, _ := p.PersonByID(c.id)
		if got := c.table.Calls(person, c.roles, noon); got != c.want {
			t.Errorf("%s as %v: %t", c.id, c.roles, got)
		}
	}
}

// TestRefused: what a file may not say, and where it says it.
func TestRefused(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*oncall.File){
		"rotations[0].id":        func(f *oncall.File) { f.Rotations[0].ID, f.Overrides = "", nil },
		"rotations[1].id":        func(f *oncall.File) { f.Rotations = append(f.Rotations, f.Rotations[0]) },
		"rotations[0].people":    func(f *oncall.File) { f.Rotations[0].People = nil },
		"rotations[0].people[1]": func(f *oncall.File) { f.Rotations[0].People = []string{"ana", "dora"} },
		"rotations[0].every": func(f *oncall.File) {
			f.Rotations[0].HandOver.Day, f.Rotations[0].Every = "", calendar.Period{Clock: 5 * time.Hour}
		},
		"rotations[0].hand_over.day":      func(f *oncall.File) { f.Rotations[0].HandOver.Day = "Montag" },
		"rotations[0].hand_over.at":       func(f *oncall.File) { f.Rotations[0].HandOver.At = "24:00" },
		"rotations[0].hand_over.zone":     func(f *oncall.File) { f.Rotations[0].HandOver.Zone = "Paris" },
		"rotations[0].from":               func(f *oncall.File) { f.Rotations[0].From = calendar.Day{} },
		"rotations[0].holidays.people":    func(f *oncall.File) { f.Rotations[0].Holidays.Country = "DE" },
		"rotations[0].holidays.people[0]": func(f *oncall.File) { f.Rotations[0].Holidays.People = []string{"dora"} },
		"rotations[0].holidays.country": func(f *oncall.File) {
			f.Rotations[0].Holidays.Country, f.Rotations[0].Holidays.People = "XX", []string{"ana"}
		},
		"overrides[0].rotation": func(f *oncall.File) { f.Overrides[0].Rotation = "third" },
		"overrides[0].person":   func(f *oncall.File) { f.Overrides[0].Person = "dora" },
		"overrides[0].from":     func(f *oncall.File) { f.Overrides[0].From = "2026-05-01T10:00" },
		"overrides[0].to":       func(f *oncall.File) { f.Overrides[0].To = "2026-05-01T10:00:00+02:00" },
		"overrides[1]": func(f *oncall.File) {
			f.Overrides = append(f.Overrides, oncall.Override{From: "2026-05-01T11:00:00+02:00", To: "2026-05-01T13:00:00+02:00", Person: "cem"})
		},
		"overrides": func(f *oncall.File) { f.Rotations = nil },
		"rotations": func(f *oncall.File) { f.Rotations = make([]oncall.Rotation, 11) },
	} {
		f := oncall.File{Rotations: []oncall.Rotation{rotation([]string{"ana"}, nil)}, Overrides: []oncall.Override{{Rotation: "first", From: "2026-05-01T10:00:00+02:00", To: "2026-05-01T12:00:00+02:00", Person: "ben"}}}
		change(&f)
		var got []string
		oncall.Read(f, load(t), func(key, _, _ string) { got = append(got, key) })
		if !slices.Equal(got, []string{key}) {
			t.Errorf("%s: refused %v", key, got)
		}
	}
	daily := oncall.File{Rotations: []oncall.Rotation{rotation([]string{"ana"}, func(r *oncall.Rotation) { r.Every = calendar.Period{Days: 1} })}}
	var got []string
	oncall.Read(daily, load(t), func(key, what, _ string) { got = append(got, fmt.Sprint(key, " ", what)) })
	if len(got) != 1 || !strings.HasPrefix(got[0], "rotations[0].hand_over.day is a day of the week") {
		t.Errorf("a day of the week for turns of a day: %v", got)
	}
}

// TestLint: who will have left, and when nobody is named, is told before it matters, and not again once it is past.
func TestLint(t *testing.T) {
	t.Parallel()
	lint := func(f oncall.File, now string) (got []string) {
		oncall.Lint(f, read(t, f), instant(t, now), func(key, what, _ string) { got = append(got, key+": "+what) })
		return got
	}
	f := oncall.File{Rotations: []oncall.Rotation{rotation([]string{"ana", "cem"}, nil)}, Overrides: []oncall.Override{{From: "2026-07-04T10:00:00+02:00", To: "2026-07-05T12:00:00+02:00", Person: "cem"}}}
	if got := lint(f, "2026-01-06T12:00:00Z"); len(got) != 1 || !strings.HasPrefix(got[0], "overrides[0].person: ") {
		t.Errorf("half a year before: %q", got)
	}
	if got := lint(f, "2026-05-06T12:00:00Z"); len(got) != 2 || !strings.HasPrefix(got[0], "rotations[0].people[1]: \"cem\" leaves on 2026-06-30") {
		t.Errorf("before she leaves: %q", got)
	}
	if got := lint(f, "2026-07-06T12:00:00Z"); len(got) != 1 {
		t.Errorf("once the exception is over: %q", got)
	}
	f = oncall.File{Rotations: []oncall.Rotation{rotation([]string{"ana"}, nil)}}
	if got := lint(f, "2026-01-01T12:00:00Z"); len(got) != 1 || !strings.HasPrefix(got[0], "rotations: name nobody from 2026-01-01T13:00:00+01:00 on") {
		t.Errorf("before the first turn: %q", got)
	}
	if got := append(lint(f, "2026-01-06T12:00:00Z"), lint(oncall.File{}, "2026-01-06T12:00:00Z")...); len(got) != 0 {
		t.Errorf("all in order: %q", got)
	}
	f.Rotations[0].Holidays.People = []string{"ben"}
	if got := lint(f, "2300-01-06T12:00:00Z"); len(got) != 1 || !strings.Contains(got[0], "holidays are known until") {
		t.Errorf("holidays nobody knows yet: %q", got)
	}
}
