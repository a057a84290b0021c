package policy

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
)

// Role is what a person may decide. Roles are stored and logged, hence strings.
type Role string

const (
	Employee Role = "employee"
	Manager  Role = "manager"
	Security Role = "security"
	DPO      Role = "dpo" // data protection officer (GDPR, article 37)
	OnCall   Role = "oncall"
	Auditor  Role = "auditor"
	Owner    Role = "owner"
)

const allowedRoles = "employee, manager, security, dpo, oncall, auditor, owner"

// IsRole reports whether r is one of the roles above.
func IsRole(r Role) bool { return slices.Contains(strings.Split(allowedRoles, ", "), string(r)) }

// Person is one entry of people.yaml: someone approved. The directory can only take away from that.
type Person struct {
	ID       string       `yaml:"id"` // never given to another person
	Email    string       `yaml:"email"`
	Name     string       `yaml:"name"`
	Roles    []Role       `yaml:"roles"`
	Zone     string       `yaml:"zone"` // where her day ends
	Language string       `yaml:"language"`
	Manager  string       `yaml:"manager"` // id of a person; "" for none
	Until    calendar.Day `yaml:"until"`   // her last day, in her zone; zero for no end
	// Also are further addresses of hers, lower case. She does not sign in by them; whoever has one of them as her own is the
	// same human: see Policy.Twins.
	Also []string `yaml:"also"`

	location *time.Location
}

// Location returns the person's time zone.
func (p Person) Location() *time.Location { return orUTC(p.location) }

// Has reports whether the person has a role.
func (p Person) Has(role Role) bool { return slices.Contains(p.Roles, role) }

// Active reports whether the person is approved at now: her last day is not over in her zone.
func (p Person) Active(now time.Time) bool {
	return p.Until.IsZero() || now.Before(p.Until.End(p.Location()))
}

func (l *loading) people() {
	const file = "people.yaml"
	var doc struct {
		People []Person `yaml:"people"`
	}
	if !l.decode(file, true, &doc) {
		return
	}
	if len(doc.People) == 0 {
		l.wrong(file, "people", "names nobody", "at least one person")
	}
	ids := unique{l: l, file: file, what: "person"}
	emails := unique{l: l, file: file, what: "person"}
	for i := range doc.People {
		p, key := &doc.People[i], index("people", i)
		p.Email = strings.ToLower(p.Email)
		ids.id(key+".id", p.ID)
		domain := emails.email(key+".email", p.Email)
		if domains := l.policy.Company.Domains; domain != "" && len(domains) > 0 && !slices.Contains(domains, domain) {
			l.wrong(file, key+".email", "is not in a domain of the company", strings.Join(domains, ", "))
		}
		if !isName(p.Name) {
			l.wrong(file, key+".name", "is not a name", "one line of text, at most 200 characters")
		}
		for j := range p.Also {
			if p.Also[j] = strings.ToLower(p.Also[j]); !IsEmail(p.Also[j]) || p.Also[j] == p.Email || slices.Contains(p.Also[:j], p.Also[j]) {
				l.wrong(file, index(key+".also", j), "is no further e-mail address of hers", allowedEmail+", each once")
			}
		}
		l.roles(file, key+".roles", p.Roles)
		p.location = l.zone(file, key+".zone", p.Zone)
		if !isLanguage(p.Language) {
			l.wrong(file, key+".language", quote(p.Language)+" is not a language of the pages", allowedLang)
		}
	}
	l.policy.People = doc.People
	l.policy.people = indexed(doc.People, func(p Person) string { return p.ID })
	l.policy.emails = indexed(doc.People, func(p Person) string { return p.Email })
	l.managers(file)
	l.twins(file)
}

func (l *loading) roles(file, key string, roles []Role) {
	if len(roles) == 0 {
		l.wrong(file, key, "names no role", allowedRoles)
	}
	for i, role := range roles {
		if !IsRole(role) {
			l.wrong(file, index(key, i), quote(string(role))+" is not a role"+Meant(string(role), strings.Split(allowedRoles, ", ")), allowedRoles)
		} else if slices.Index(roles, role) < i {
			l.wrong(file, index(key, i), quote(string(role))+" is here twice", "each role once")
		}
	}
}

// managers finds managers who do not exist, and circles: whoever is in one would have nobody to answer to.
func (l *loading) managers(file string) {
	people, byID := l.policy.People, l.policy.people
	above := make([]int, len(people)) // position of each one's manager, -1 for none
	for i, p := range people {
		key := index("people", i) + ".manager"
		up, exists := byID[p.Manager]
		above[i] = -1
		switch {
		case p.Manager == "":
		case !exists:
			l.wrong(file, key, "is the id of nobody", "the id of a person")
		case p.Manager == p.ID:
			l.wrong(file, key, "is the person herself", "the id of another person")
		default:
			above[i] = up
		}
	}
	for _, i := range circles(above) {
		l.wrong(file, index("people", i)+".manager", "managers go in a circle", "a line of managers that ends")
	}
}

// circles returns one position of each circle, where next holds each position's successor or -1.
func circles(next []int) []int {
	var found []int
	walk := make([]int, len(next)) // which walk came by first, counted from 1
	for i := range next {
		at := i
		for at >= 0 && walk[at] == 0 {
			walk[at] = i + 1
			at = next[at]
		}
		if at >= 0 && walk[at] == i+1 {
			found = append(found, at)
		}
	}
	return found
}

// indexed returns the position of each item by key; of several with one key, the first.
func indexed[T any](items []T, key func(T) string) map[string]int {
	positions := make(map[string]int, len(items))
	for i, item := range items {
		if _, taken := positions[key(item)]; !taken && key(item) != "" {
			positions[key(item)] = i
		}
	}
	return positions
}
