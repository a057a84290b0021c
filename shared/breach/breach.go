// Package breach reads what a company decides about its breaches: breach.yaml of the policy.
//
// It promises that a file that says something wrong is refused with file and line, and what would be allowed; and that
// without the file the control is off. It decides nothing: packages cases and notice do.
package breach

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/oncall"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// File is the file of the policy.
const File = "breach.yaml"

// Authority is a supervisory authority the company reports to. Reports are made on its portal, by a person.
type Authority struct {
	ID     string `yaml:"id"`
	Name   string `yaml:"name"`
	Portal string `yaml:"portal"` // https
	Lead   bool   `yaml:"lead"`   // for processing across borders (GDPR, article 56)
}

// Policy is what the file says.
type Policy struct {
	On          bool
	Rules       cases.Rules
	Authorities []Authority
	Drill       []string // ids of people: they get what would go to tenants, in an exercise
	DrillEvery  calendar.Period
	Contact     string  // whom tenants and persons reach at any hour; one line
	OutOfBand   []Other // where people are reached when the usual ways cannot be trusted
	DrillLimits Limits
	Reviewed    calendar.Day    // when somebody last went through this file and what is made of it; zero: never
	ReviewEvery calendar.Period // how often that is due
	Restored    time.Time       // when the database of this control was put back from a backup; zero: never
	OnCall      oncall.Table    // who is on call when; without one everybody with the role is

	onCall oncall.File
}

// Limits are how long people may take in an exercise, each from its beginning.
type Limits struct {
	Ack     time.Duration // until somebody who is called answers
	Approve time.Duration // until a second person approves the notice
	Deliver time.Duration // until a notice has arrived
}

// ReviewDue returns the last day of the review of the file; the zero day where nobody reviewed it yet.
func (p Policy) ReviewDue() calendar.Day {
	if p.Reviewed.IsZero() {
		return p.Reviewed
	}
	noon := time.Date(p.Reviewed.Year, p.Reviewed.Month, p.Reviewed.Day, 12, 0, 0, 0, time.UTC)
	return calendar.Date(p.ReviewEvery.Add(noon, time.UTC), time.UTC)
}

// file is breach.yaml as written. A pointer tells a value left out from one that says 0.
type file struct {
	Authorities []Authority      `yaml:"authorities"`
	Regimes     []string         `yaml:"regimes"`
	Contact     string           `yaml:"contact"`
	Ladder      []step           `yaml:"ladder"`
	AckLife     *calendar.Period `yaml:"ack_life"`
	Aim         *calendar.Period `yaml:"aim"`
	ReviewDays  *int             `yaml:"review_days"`
	AgainDays   *int             `yaml:"again_days"`
	Keep        *calendar.Period `yaml:"keep"`
	Exempt      bool             `yaml:"dora_exempt"`
	OutOfBand   []Other          `yaml:"out_of_band"`
	Reviewed    calendar.Day     `yaml:"reviewed"`
	ReviewEvery *calendar.Period `yaml:"review_every"`
	OnCall      oncall.File      `yaml:"oncall"`
	Restored    string           `yaml:"restored"`
	Contracts   []contract       `yaml:"contracts"`
	Business    []business       `yaml:"business_hours"`
	Drill       struct {
		People  []string         `yaml:"people"`
		Every   calendar.Period  `yaml:"every"`
		Ack     *calendar.Period `yaml:"ack"`
		Approve *calendar.Period `yaml:"approve"`
		Deliver *calendar.Period `yaml:"deliver"`
	} `yaml:"drill"`
}

type step struct {
	ID    string          `yaml:"id"`
	Roles []policy.Role   `yaml:"roles"`
	Wait  calendar.Period `yaml:"wait"`
	// Channels of the ladder's calls; mail alone where it says none.
	Channels []string `yaml:"channels"`
}

// Read returns what a policy says about breaches. With problems the result is fit for nothing but further checking.
// Without the file the control is off and there is no problem.
func Read(p *policy.Policy) (Policy, []policy.Problem) {
	var f file
	r := reader{policy: p, read: Policy{Rules: cases.Defaults(p.Company.Location(), p.Company.Country)}}
	r.read.On, r.problems = p.Decode(File, &f)
	if !r.read.On {
		return r.read, nil
	}
	r.authorities(f)
	r.regimes(f)
	r.ladder(f)
	r.times(f)
	r.drill(f)
	r.outOfBand(f)
	r.onCall(f)
	r.restored(f)
	r.business(f)
	r.contracts(f)
	if r.read.Contact = strings.TrimSpace(f.Contact); r.read.Contact == "" || len(r.read.Contact) > 300 || strings.ContainsAny(r.read.Contact, "\r\n") {
		r.wrong("contact", "names nobody to be reached", "one line that tenants and persons are given, at most 300 bytes")
	}
	r.read.Rules.Hours = map[string]int{}
	for i, t := range p.Tenants {
		r.read.Rules.Hours[t.ID] = t.ContractHours
		if cases.Reserved(t.ID) {
			r.problems = append(r.problems, p.Problem("tenants.yaml", fmt.Sprintf("tenants[%d].id", i), fmt.Sprintf("%q is what a case of a breach calls something else", t.ID), "another id, such as customer-"+t.ID))
		}
	}
	return r.read, policy.Sort(r.problems)
}

type reader struct {
	policy   *policy.Policy
	read     Policy
	problems []policy.Problem
}

// wrong reports a problem of a key, unless its shape is wrong already.
func (r *reader) wrong(key, what, allowed string) {
	if !slices.ContainsFunc(r.problems, func(p policy.Problem) bool { return p.Key == key }) {
		r.problems = append(r.problems, r.policy.Problem(File, key, what, allowed))
	}
}

func (r *reader) authorities(f file) {
	leads := 0
	for i, a := range f.Authorities {
		key := fmt.Sprintf("authorities[%d]", i)
		twice := slices.ContainsFunc(f.Authorities[:i], func(o Authority) bool { return o.ID == a.ID })
		if a.ID == "" || twice {
			r.wrong(key+".id", "is missing, or another authority's", "a short name of its own")
		}
		if strings.TrimSpace(a.Name) == "" {
			r.wrong(key+".name", "is missing", "the name of the authority")
		}
		if !strings.HasPrefix(a.Portal, "https://") {
			r.wrong(key+".portal", "is not where a person reports", "an address that begins with https://")
		}
		if a.Lead {
			leads++
		}
	}
	if len(f.Authorities) == 0 {
		r.wrong("authorities", "names none", "at least the authority of the company's own country")
	}
	if leads > 1 {
		r.wrong("authorities", "has more than one that leads", "at most one with lead: true")
	}
	r.read.Authorities = f.Authorities
}

func (r *reader) regimes(f file) {
	var laws []string
	for _, row := range clock.Rows() {
		if row.Binding == clock.Law {
			laws = append(laws, row.ID)
		}
	}
	for i, id := range f.Regimes {
		switch {
		case !slices.Contains(laws, id):
			r.wrong(fmt.Sprintf("regimes[%d]", i), fmt.Sprintf("%.40q is no clock of a law", id), strings.Join(laws, ", "))
		case slices.Contains(f.Regimes[:i], id):
			r.wrong(fmt.Sprintf("regimes[%d]", i), "is there twice", "each once")
		}
	}
	r.read.Rules.Regimes, r.read.Rules.Exempt = f.Regimes, f.Exempt
}

const maxSteps = 10

func (r *reader) ladder(f file) {
	if len(f.Ladder) == 0 {
		return // the usual one
	}
	if len(f.Ladder) > maxSteps {
		r.wrong("ladder", "has too many steps", "at most 10")
		return
	}
	r.read.Rules.Ladder = nil
	for i, s := range f.Ladder {
		key := fmt.Sprintf("ladder[%d]", i)
		twice := slices.ContainsFunc(f.Ladder[:i], func(o step) bool { return o.ID == s.ID })
		if s.ID == "" || twice {
			r.wrong(key+".id", "is missing, or another step's", "a short name of its own")
		}
		for j, role := range s.Roles {
			if !slices.ContainsFunc(r.policy.People, func(p policy.Person) bool { return p.Has(role) }) {
				r.wrong(fmt.Sprintf("%s.roles[%d]", key, j), "is nobody's role", "a role somebody has in people.yaml")
			}
		}
		if len(s.Roles) == 0 {
			r.wrong(key+".roles", "calls nobody", "at least one role")
		}
		wait, exact := s.Wait.Exact()
		if !exact || wait < time.Minute || wait > 24*time.Hour {
			r.wrong(key+".wait", "is out of bounds", "PT1M to PT24H")
		}
		r.channels(key+".channels", s.Channels)
		if len(s.Channels) == 0 {
			s.Channels = []string{"mail"}
		}
		r.read.Rules.Ladder = append(r.read.Rules.Ladder, cases.Step{ID: s.ID, Roles: s.Roles, Wait: wait, Channels: s.Channels})
	}
}

// channels checks by which ways people are called.
func (r *reader) channels(key string, given []string) {
	for i, c := range given {
		if !slices.Contains([]string{"mail", "sms", "chat"}, c) || slices.Contains(given[:i], c) {
			r.wrong(fmt.Sprintf("%s[%d]", key, i), fmt.Sprintf("%.40q is no channel to call people by, or is there twice", c), "mail, sms, chat")
		}
	}
}

func (r *reader) times(f file) {
	length := func(key string, says *calendar.Period, to *time.Duration, least, most time.Duration) {
		if says == nil {
			return
		}
		d, exact := says.Exact()
		if !exact || d < least || d > most {
			r.wrong(key, "is out of bounds", calendar.Period{Clock: least}.String()+" to "+calendar.Period{Clock: most}.String())
			return
		}
		*to = d
	}
	number := func(key string, says *int, to *int, most int) {
		switch {
		case says == nil:
		case *says < 1 || *says > most:
			r.wrong(key, "is out of bounds", fmt.Sprintf("1 to %d", most))
		default:
			*to = *says
		}
	}
	length("ack_life", f.AckLife, &r.read.Rules.AckLife, 10*time.Minute, 24*time.Hour)
	length("aim", f.Aim, &r.read.Rules.Aim, time.Hour, 7*24*time.Hour)
	r.read.DrillLimits = Limits{Ack: 30 * time.Minute, Approve: 4 * time.Hour, Deliver: 6 * time.Hour}
	length("drill.ack", f.Drill.Ack, &r.read.DrillLimits.Ack, 5*time.Minute, 24*time.Hour)
	length("drill.approve", f.Drill.Approve, &r.read.DrillLimits.Approve, 10*time.Minute, 72*time.Hour)
	length("drill.deliver", f.Drill.Deliver, &r.read.DrillLimits.Deliver, 10*time.Minute, 72*time.Hour)
	number("review_days", f.ReviewDays, &r.read.Rules.ReviewDays, 60)
	if f.Keep != nil {
		if r.read.Rules.Keep = *f.Keep; !cases.Kept(*f.Keep) {
			r.wrong("keep", "is out of bounds", "whole months or years a closed case is kept for, P3Y to P30Y")
		}
	}
	number("again_days", f.AgainDays, &r.read.Rules.AgainDays, 365)
}

func (r *reader) drill(f file) {
	for i, id := range f.Drill.People {
		if _, known := r.policy.PersonByID(id); !known {
			r.wrong(fmt.Sprintf("drill.people[%d]", i), fmt.Sprintf("%.40q is not known", id), "the id of somebody in people.yaml")
		}
	}
	if len(f.Drill.People) == 0 {
		r.wrong("drill.people", "names nobody", "who gets, in an exercise, what would go to customers")
	}
	if f.Drill.Every.IsZero() {
		r.wrong("drill.every", "is missing", "how often an exercise is held, such as P3M")
	}
	r.read.Drill, r.read.DrillEvery = f.Drill.People, f.Drill.Every
	if r.read.Reviewed, r.read.ReviewEvery = f.Reviewed, (calendar.Period{Days: 180}); f.ReviewEvery != nil {
		r.read.ReviewEvery = *f.ReviewEvery
	}
	if every := r.read.ReviewEvery; every.Clock != 0 || every.IsZero() || every.Years > 2 || every.Months > 24 || every.Days > 731 {
		r.wrong("review_every", "is out of bounds", "days, months or years up to P2Y")
	}
}
