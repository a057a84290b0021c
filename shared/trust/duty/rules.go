package duty

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// File is the policy file of the duties. Without it there are none, and promises kept by a duty are unknown.
const File = "duties.yaml"

// Joining is the occasion of whoever is new in people.yaml.
const Joining = "joining"

// Rules are duties.yaml with its defaults filled in.
type Rules struct {
	On     bool   // the policy has duties.yaml
	Duties []Duty // in the order of the file
}

// Duty is one entry: what is owed, by whom, by when, and what proves it.
type Duty struct {
	ID    string
	What  What
	Owner policy.Role
	// Every is how often a duty recurs; zero for one with an occasion.
	Every calendar.Period
	// On is the occasion: Joining, or a word for what people ask for on the page; "" for a duty that recurs.
	On string
	// Within is how long there is from the opening to the end: of the first time for a duty that recurs, of each time
	// for one with an occasion.
	Within   calendar.Period
	Evidence []Needed        // what has to be there
	Second   policy.Role     // role of the person who reviews; "" for none
	Remind   calendar.Period // before the end; zero: a quarter of the time, at most a fortnight
	Promises []string        // ids of the promises it keeps, sorted
	// Certificates are those of the promises that call the duty's id a certificate: done, it is on file for them.
	Certificates []string
}

// Personal reports whether each person owes the duty, or has it owed: it is about a person joining, or needs evidence
// about one.
func (d Duty) Personal() bool {
	return d.On == Joining || slices.ContainsFunc(d.Evidence, func(n Needed) bool { return slices.Contains(personal, n.Type) })
}

// Requested reports whether the duty begins when somebody asks.
func (d Duty) Requested() bool { return d.On != "" && d.On != Joining }

// Duty returns the duty with an id.
func (r Rules) Duty(id string) (Duty, bool) {
	i := slices.IndexFunc(r.Duties, func(d Duty) bool { return d.ID == id })
	if i < 0 {
		return Duty{}, false
	}
	return r.Duties[i], true
}

// Register is what the register of promises tells of the duties.
func (r Rules) Register() promise.Duties {
	var duties promise.Duties
	for _, d := range r.Duties {
		told := promise.Duty{ID: d.ID, On: d.On, Personal: d.Personal()}
		if !d.Every.IsZero() {
			told.Every = d.Every.String()
		}
		duties = append(duties, told)
	}
	return duties
}

// file is duties.yaml as written.
type file struct {
	Duties []struct {
		ID       string          `yaml:"id"`
		What     What            `yaml:"what"`
		Owner    policy.Role     `yaml:"owner_role"`
		Every    calendar.Period `yaml:"every"`
		On       string          `yaml:"on"`
		Within   calendar.Period `yaml:"within"`
		Evidence []Needed        `yaml:"evidence"`
		Second   policy.Role     `yaml:"second"`
		Remind   calendar.Period `yaml:"remind"`
		Promises []string        `yaml:"promises"`
	} `yaml:"duties"`
}

// ReadRules returns the duties of a policy. With problems the rules are fit for nothing but further checking.
// References to promises that do not exist are dangling problems; without duties.yaml there is no problem.
func ReadRules(p *policy.Policy) (Rules, []policy.Problem) {
	var f file
	r := reader{policy: p, ids: map[string]bool{}}
	r.rules.On, r.problems = p.Decode(File, &f)
	if !r.rules.On {
		return r.rules, nil
	}
	if n := len(f.Duties); n == 0 || n > maxDuties {
		r.wrong("duties", fmt.Sprintf("holds %d duties", n), fmt.Sprintf("1 to %d", maxDuties))
	}
	for i, from := range f.Duties {
		r.duty(fmt.Sprintf("duties[%d]", i), Duty{ID: from.ID, What: from.What, Owner: from.Owner, Every: from.Every, On: from.On, Within: from.Within,
			Evidence: slices.Clone(from.Evidence), Second: from.Second, Remind: from.Remind, Promises: slices.Clone(from.Promises)})
	}
	return r.rules, policy.Sort(r.problems)
}

// maxDuties of one policy.
const maxDuties = 200

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

const (
	allowedID    = "lower-case letters, digits and hyphens, at most 63"
	allowedRoles = "employee, manager, security, dpo, oncall, auditor, owner"
)

type reader struct {
	policy   *policy.Policy
	rules    Rules
	ids      map[string]bool
	problems []policy.Problem
}

// wrong reports a problem of a key, unless something is wrong with it already.
func (r *reader) wrong(key, what, allowed string) {
	r.report(r.policy.Problem(File, key, what, allowed))
}

// dangling reports that what a key needs is nowhere in the policy, unless something is wrong with it already.
func (r *reader) dangling(key, what, allowed string) {
	p := r.policy.Problem(File, key, what, allowed)
	p.Dangling = true
	r.report(p)
}

func (r *reader) report(p policy.Problem) {
	if !r.isWrong(p.Key) {
		r.problems = append(r.problems, p)
	}
}

func (r *reader) isWrong(key string) bool {
	return slices.ContainsFunc(r.problems, func(p policy.Problem) bool { return p.Key == key })
}

func (r *reader) duty(key string, d Duty) {
	switch {
	case !idForm.MatchString(d.ID):
		r.wrong(key+".id", "is not an id", allowedID)
	case r.ids[d.ID]:
		r.wrong(key+".id", "is the id of another duty", "each once")
	}
	r.ids[d.ID] = true
	if d.What == (What{}) {
		r.wrong(key+".what", "is missing", "what is owed, in one line")
	}
	if d.Owner == "" {
		r.wrong(key+".owner_role", "is missing", allowedRoles)
	}
	r.role(key+".owner_role", d.Owner)
	r.role(key+".second", d.Second)
	r.when(key, &d)
	r.evidence(key, &d)
	r.bind(key, &d)
	r.doable(key, d)
	r.rules.Duties = append(r.rules.Duties, d)
}

func (r *reader) role(key string, role policy.Role) {
	if role != "" && !policy.IsRole(role) {
		r.wrong(key, fmt.Sprintf("%.40q is not a role", role)+policy.Meant(string(role), strings.Split(allowedRoles, ", ")), allowedRoles)
	}
}

// when checks the due rule and fills in what is left out of it.
func (r *reader) when(key string, d *Duty) {
	recurs := !d.Every.IsZero()
	switch {
	case recurs && d.On != "":
		r.wrong(key+".on", "is an occasion of what recurs already", "every: a period, or on: an occasion, not both")
	case !recurs && d.On == "":
		r.wrong(key+".every", "is missing, and so is on", "every: a period such as P90D, or on: "+Joining+" or a word for what is asked for")
	case recurs && !between(d.Every, time.Hour, 10*year):
		r.wrong(key+".every", "is out of bounds", "PT1H to P10Y")
	case !recurs && !idForm.MatchString(d.On):
		r.wrong(key+".on", "is not an occasion", Joining+", or a word for what is asked for: "+allowedID)
	}
	if d.Within.IsZero() {
		d.Within = calendar.Period{Days: 14}
		if month := (calendar.Period{Days: 30}); recurs {
			if d.Within = d.Every; between(d.Every, length(month), 100*year) {
				d.Within = month
			}
		}
	} else if !between(d.Within, time.Hour, year) {
		r.wrong(key+".within", "is out of bounds", "PT1H to P1Y")
	}
	if !d.Remind.IsZero() && (d.Remind.Years != 0 || d.Remind.Months != 0 || !between(d.Remind, time.Minute, 90*24*time.Hour)) {
		r.wrong(key+".remind", "is out of bounds", "weeks, days and hours up to P90D")
	}
}

const year = 366 * 24 * time.Hour

// length is about how long a period is.
func length(p calendar.Period) time.Duration {
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return p.Add(from, time.UTC).Sub(from)
}

func between(p calendar.Period, low, high time.Duration) bool {
	n := length(p)
	return n >= low && n <= high
}
