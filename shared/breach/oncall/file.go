package oncall

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// File is the table as it is written in breach.yaml.
type File struct {
	Rotations []Rotation `yaml:"rotations"`
	Overrides []Override `yaml:"overrides"`
}

// Rotation is one line of people who take turns.
type Rotation struct {
	ID       string          `yaml:"id"`
	People   []string        `yaml:"people"` // ids, in the order of their turns; everybody has the role oncall
	Every    calendar.Period `yaml:"every"`  // P1D to P4W, PT12H, PT8H or PT6H; left out: a week
	HandOver struct {
		Day  string `yaml:"day"`  // of the week; left out: that of From
		At   string `yaml:"at"`   // HH:MM, 00:00 to 23:59, by the clocks of the zone
		Zone string `yaml:"zone"` // left out: the company's
	} `yaml:"hand_over"`
	From     calendar.Day `yaml:"from"` // the first turn begins at the first hand-over on that day or after it
	Holidays struct {
		Country string   `yaml:"country"` // left out: the company's
		People  []string `yaml:"people"`  // who is on call, all of them, instead of whose turn it is
	} `yaml:"holidays"`
}

// Override puts one person in the place of whoever would be on call.
type Override struct {
	Rotation string `yaml:"rotation"` // left out: of all of them
	From     string `yaml:"from"`     // RFC 3339, with its offset
	To       string `yaml:"to"`       // the first instant after it, at most 92 days later
	Person   string `yaml:"person"`
}

// Limits of a table.
const (
	maxRotations = 10
	maxPeople    = 50
	maxOverrides = 500
	maxOverride  = 92 * 24 * time.Hour
)

// Read returns the table of a file, for the people of a policy. What is wrong is told by key, below the file's own; the table
// is then fit for nothing.
func Read(f File, p *policy.Policy, wrong func(key, what, allowed string)) Table {
	r := reader{policy: p, wrong: wrong}
	for _, person := range p.People {
		if person.Has(policy.OnCall) {
			r.table.people = append(r.table.people, person)
		}
	}
	if len(f.Rotations) > maxRotations || len(f.Overrides) > maxOverrides {
		wrong("rotations", "has too many entries, or there are too many overrides", fmt.Sprintf("at most %d and %d", maxRotations, maxOverrides))
		return Table{}
	}
	for i, one := range f.Rotations {
		r.rotation(fmt.Sprintf("rotations[%d]", i), one)
	}
	if len(f.Overrides) > 0 && len(f.Rotations) == 0 {
		wrong("overrides", "are exceptions from nothing", "rotations beside them")
		return Table{}
	}
	for i, one := range f.Overrides {
		r.override(fmt.Sprintf("overrides[%d]", i), one)
	}
	return r.table
}

type reader struct {
	policy *policy.Policy
	wrong  func(key, what, allowed string)
	table  Table
}

func (r *reader) rotation(key string, one Rotation) {
	made := rotation{id: one.ID, people: one.People, from: one.From, zone: r.policy.Company.Location()}
	if one.ID == "" || slices.ContainsFunc(r.table.rotations, func(o rotation) bool { return o.id == one.ID }) {
		r.wrong(key+".id", "is missing, or another rotation's", "a short name of its own")
	}
	r.people(key+".people", one.People)
	made.every = r.every(key+".every", one.Every)
	if one.From.IsZero() {
		r.wrong(key+".from", "is missing", "the day from which turns are counted, such as 2026-01-05")
	}
	if one.HandOver.Zone != "" {
		zone, err := calendar.Zone(one.HandOver.Zone)
		if err != nil {
			r.wrong(key+".hand_over.zone", "is not known", "the name of a zone, such as Europe/Paris")
			zone = made.zone
		}
		made.zone = zone
	}
	made.minute = r.minute(key+".hand_over.at", one.HandOver.At)
	if one.HandOver.Day != "" && !one.From.IsZero() {
		made.from = r.weekday(key+".hand_over.day", one.HandOver.Day, made.every, one.From)
	}
	if len(one.Holidays.People) > 0 || one.Holidays.Country != "" {
		r.people(key+".holidays.people", one.Holidays.People)
		country, known := one.Holidays.Country, false
		if country == "" {
			country = r.policy.Company.Country
		}
		if made.public, known = calendar.HolidaysOf(country); !known {
			r.wrong(key+".holidays.country", "is one whose holidays are not known", strings.Join(calendar.Countries(), ", "))
		}
		made.cover = one.Holidays.People
	}
	r.table.rotations = append(r.table.rotations, made)
}

// people checks that everybody of a list can be on call: a call that its answer is refused for would help nobody.
func (r *reader) people(key string, ids []string) {
	if len(ids) == 0 || len(ids) > maxPeople {
		r.wrong(key, "names nobody, or too many", fmt.Sprintf("1 to %d ids of people with the role oncall", maxPeople))
	}
	for i, id := range ids {
		r.person(fmt.Sprintf("%s[%d]", key, i), id)
	}
}

func (r *reader) person(key, id string) {
	if !slices.ContainsFunc(r.table.people, func(p policy.Person) bool { return p.ID == id }) {
		r.wrong(key, fmt.Sprintf("%.40q is nobody who can be on call", id), "the id of somebody in people.yaml with the role oncall")
	}
}

func (r *reader) every(key string, says calendar.Period) time.Duration {
	const day = 24 * time.Hour
	length := says.Clock + time.Duration(says.Days)*day
	switch {
	case says.IsZero():
		return 7 * day
	case says.Years == 0 && says.Months == 0 && says.Clock == 0 && says.Days >= 1 && says.Days <= 28:
		return length
	case says.Years == 0 && says.Months == 0 && says.Days == 0 && slices.Contains([]time.Duration{6 * time.Hour, 8 * time.Hour, 12 * time.Hour}, length):
		return length
	}
	r.wrong(key, "is not a length of turns", "P1D to P4W in whole days, or PT12H, PT8H, PT6H")
	return day
}

// minute reads a time of day; midnight is 00:00.
func (r *reader) minute(key, says string) int {
	hours, minutes, _ := strings.Cut(says, ":")
	h, noHour := strconv.ParseUint(hours, 10, 8)
	m, noMinute := strconv.ParseUint(minutes, 10, 8)
	if len(hours) != 2 || len(minutes) != 2 || noHour != nil || noMinute != nil || h > 23 || m > 59 {
		r.wrong(key, "is not a time of day", "HH:MM between 00:00 and 23:59, in quotes")
		return 0
	}
	return int(h)*60 + int(m)
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// weekday returns the first such day on a day or after it.
func (r *reader) weekday(key, says string, every time.Duration, from calendar.Day) calendar.Day {
	at := slices.Index(weekdays, says)
	switch {
	case at < 0:
		r.wrong(key, fmt.Sprintf("%.20q is no day of the week", says), strings.Join(weekdays, ", "))
		return from
	case every%(7*24*time.Hour) != 0:
		r.wrong(key, "is a day of the week, and turns are no whole weeks", "none, or every: P1W to P4W")
		return from
	}
	for from.Weekday() != time.Weekday(at) {
		from = calendar.AddDays(from, 1)
	}
	return from
}

func (r *reader) override(key string, one Override) {
	made := override{rotation: one.Rotation, person: one.Person}
	if one.Rotation != "" && !slices.ContainsFunc(r.table.rotations, func(o rotation) bool { return o.id == one.Rotation }) {
		r.wrong(key+".rotation", fmt.Sprintf("%.40q is no rotation", one.Rotation), "the id of one, or none for all")
	}
	r.person(key+".person", one.Person)
	var noFrom, noTo error
	made.from, noFrom = time.Parse(time.RFC3339, one.From)
	made.to, noTo = time.Parse(time.RFC3339, one.To)
	switch {
	case noFrom != nil:
		r.wrong(key+".from", "is not an instant", "RFC 3339 with its offset, such as 2026-12-24T18:00:00+01:00")
		return
	case noTo != nil, !made.to.After(made.from), made.to.Sub(made.from) > maxOverride:
		r.wrong(key+".to", "is not an instant after the first, or one that is too far", "RFC 3339 with its offset, at most 92 days later")
		return
	}
	for _, o := range r.table.overrides {
		if (o.rotation == "" || made.rotation == "" || o.rotation == made.rotation) && made.from.Before(o.to) && o.from.Before(made.to) {
			r.wrong(key, "is at the time of another", "one at a time in each rotation")
			break
		}
	}
	r.table.overrides = append(r.table.overrides, made)
}
