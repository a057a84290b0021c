package policy

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"ostiary.internal/shared/calendar"
)

// Company is company.yaml.
type Company struct {
	Name    string   `yaml:"name"`
	Extends string   `yaml:"extends"` // a sibling folder; "" for none
	Domains []string `yaml:"domains"` // every person's address is in one of them; lower case
	Zone    string   `yaml:"zone"`    // IANA name
	Country string   `yaml:"country"` // ISO 3166 alpha-2
	// Languages of the published policy (en, fr, de), the company's own first.
	Languages    []string      `yaml:"languages"`
	DayEnd       string        `yaml:"day_end"` // end of the working day, "HH:MM" up to "24:00", which is the default
	Environments []Environment `yaml:"environments"`
	Issuer       Issuer        `yaml:"issuer"`

	location *time.Location
}

// Location returns the company's time zone.
func (c Company) Location() *time.Location { return orUTC(c.location) }

// EnvironmentKind says whether customer data lives in a project.
type EnvironmentKind string

const (
	Live    EnvironmentKind = "live"
	Staging EnvironmentKind = "staging"
)

// Environment is one Google Cloud project.
type Environment struct {
	ID      string          `yaml:"id"`
	Project string          `yaml:"project"`
	Kind    EnvironmentKind `yaml:"kind"`
}

// Issuer is the product's own OpenID issuer, which signs in customers. Both fields are empty when there is none.
type Issuer struct {
	URL      string `yaml:"url"` // https, exactly as in the claim iss
	Audience string `yaml:"audience"`
}

// maxDomains of one company.
const maxDomains = 100

func (l *loading) company() {
	const file = "company.yaml"
	var doc struct {
		Company *Company `yaml:"company"`
	}
	if !l.decode(file, true, &doc) {
		return
	}
	if doc.Company == nil {
		l.wrong(file, "company", "is missing", "company: {name, domains, zone, country, languages, ...}")
		return
	}
	c := doc.Company
	if c.DayEnd == "" {
		c.DayEnd = "24:00"
	}
	wrong := func(key, what, allowed string) { l.wrong(file, "company."+key, what, allowed) }
	if !isName(c.Name) {
		wrong("name", "is not a name", "one line of text, at most 200 characters")
	}
	if n := len(c.Domains); n == 0 || n > maxDomains {
		wrong("domains", "holds "+strconv.Itoa(n)+" domains", "one to a hundred domains: [company.example]")
	}
	domains := unique{l: l, file: file}
	for i, domain := range c.Domains {
		if at := index("company.domains", i); !isDomain(domain) {
			l.wrong(file, at, quote(domain)+" is not a domain", allowedDomain)
		} else {
			domains.once(at, domain, quote(domain)+" is here already")
		}
	}
	c.location = l.zone(file, "company.zone", c.Zone)
	if !isCountry(c.Country) {
		wrong("country", quote(c.Country)+" is not a country", allowedCountry)
	}
	if len(c.Languages) == 0 {
		wrong("languages", "names no language", allowedLang)
	}
	for i, language := range c.Languages {
		if !isLanguage(language) {
			wrong(index("languages", i), quote(language)+" is not a language of the pages", allowedLang)
		} else if slices.Index(c.Languages, language) < i {
			wrong(index("languages", i), quote(language)+" is here twice", "each language once")
		}
	}
	if _, err := calendar.Minutes(c.DayEnd); err != nil {
		wrong("day_end", quote(c.DayEnd)+" is not a time of day", "HH:MM from 00:01 to 24:00")
	}
	l.environments(file, c.Environments)
	l.issuer(file, c.Issuer)
	l.policy.Company = *c
}

func (l *loading) environments(file string, all []Environment) {
	ids := unique{l: l, file: file, what: "environment"}
	for i, e := range all {
		key := index("company.environments", i)
		ids.id(key+".id", e.ID)
		if !projectForm.MatchString(e.Project) {
			l.wrong(file, key+".project", quote(e.Project)+" is not a project id", "6 to 30 lower-case letters, digits and hyphens")
		}
		if e.Kind != Live && e.Kind != Staging {
			l.wrong(file, key+".kind", quote(string(e.Kind))+" is not a kind of environment", "live, staging")
		}
	}
}

func (l *loading) issuer(file string, issuer Issuer) {
	if issuer == (Issuer{}) {
		return
	}
	// An issuer is compared as text, so what a URL may add only invites a mismatch (OpenID Connect Core, section 2).
	u, err := url.Parse(issuer.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		l.wrong(file, "company.issuer.url", "is not the address of an issuer", "https://host/path without query or fragment")
	}
	if !isName(issuer.Audience) {
		l.wrong(file, "company.issuer.audience", "is not an audience", "the client id that tokens are made for")
	}
}

// zone loads a time zone; nil, with a problem, when there is none of that name.
func (l *loading) zone(file, key, name string) *time.Location {
	loc, known := l.zones[name]
	if !known {
		// Most people share a zone, and each load reads a file.
		loc, _ = calendar.Zone(name)
		l.zones[name] = loc
	}
	if loc == nil {
		l.wrong(file, key, quote(name)+" is not a time zone", allowedZone)
	}
	return loc
}

func orUTC(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}

// unique finds identifiers and addresses that are not well formed or occur twice in a file.
type unique struct {
	l    *loading
	file string
	what string
	seen map[string]int
}

// id checks an identifier of lower-case letters, digits and hyphens.
func (u *unique) id(key, id string) {
	if !isID(id) {
		u.l.wrong(u.file, key, quote(id)+" is not an id", allowedID)
		return
	}
	u.once(key, id, quote(id)+" is the id of another "+u.what)
}

// email checks an address and returns its domain, "" when it has none.
func (u *unique) email(key, email string) (domain string) {
	domain, ok := splitEmail(email)
	if !ok {
		u.l.wrong(u.file, key, "is not an e-mail address", allowedEmail)
		return ""
	}
	u.once(key, email, "is the address of another "+u.what)
	return domain
}

func (u *unique) once(key, value, what string) {
	if u.seen == nil {
		u.seen = map[string]int{}
	}
	line, _, _ := u.l.docs[u.file].place(key)
	if first, twice := u.seen[value]; twice {
		u.l.wrong(u.file, key, what+", in line "+strconv.Itoa(first), "each once")
		return
	}
	u.seen[value] = line
}
