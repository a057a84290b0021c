package rule

import (
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// World is what rules know of the company: who and what belongs to it.
type World struct {
	Domains  []string // approved mail domains, small letters; a subdomain is another domain
	People   []policy.Person
	Projects map[string]policy.EnvironmentKind // by project id
	Accounts []string                          // service accounts of the policy, small letters
	// Deployers are those of Accounts that deploy, see services.yaml.
	Deployers []string
	Regions   []string // where resources may be made, see watch.yaml; none: anywhere
	Zone      *time.Location
	Tickets   bool // a log of the company says which tickets are open: a reference to another one covers nothing

	// Home takes the domain of whoever acts for an approved one, and the project it happened in for the company's.
	Home bool
}

// WorldOf returns the world of a policy.
func WorldOf(p *policy.Policy) World {
	w := World{Domains: p.Company.Domains, People: p.People, Zone: p.Company.Location(), Projects: map[string]policy.EnvironmentKind{}}
	for _, e := range p.Company.Environments {
		w.Projects[e.Project] = e.Kind
	}
	var file watching
	_, _ = p.Decode(watchFile, &file) // Mappings tells what is wrong with it
	w.Regions = file.Regions
	w.Tickets = slices.ContainsFunc(file.Logs, func(l applicationLog) bool { return len(l.Opened) > 0 })
	for _, s := range p.Services {
		w.Accounts = append(w.Accounts, auditlog.Small(s.Email))
		if s.Deploys {
			w.Deployers = append(w.Deployers, auditlog.Small(s.Email))
		}
	}
	for _, s := range p.Sources {
		w.Accounts = append(w.Accounts, auditlog.Small(s.Email))
	}
	return w
}

// address returns the kind of an IAM member and what it names, in small letters: "deleted:user:A@b.example?uid=1"
// gives "user" and "a@b.example". A plain address is a user.
func address(member string) (kind, name string) {
	member = auditlog.Small(strings.TrimSpace(member))
	member, _, _ = strings.Cut(strings.TrimPrefix(member, "deleted:"), "?uid=")
	if strings.HasPrefix(member, "principal:") || strings.HasPrefix(member, "principalset:") {
		kind, name, _ = strings.Cut(member, ":")
		return kind, name
	}
	if kind, name, found := strings.Cut(member, ":"); found {
		return kind, name
	}
	if strings.HasSuffix(member, ".gserviceaccount.com") {
		return "serviceaccount", member
	}
	if strings.Contains(member, "@") {
		return "user", member
	}
	return member, ""
}

// Ext reports whether a member of a binding, or an address, is from outside: not of an approved domain, not a service
// account of one of the policy's projects or listed in it, not a Google service agent. A group counts by its domain;
// who is in it, nobody can see here. A federated identity and what is not understood are from outside.
func (w World) Ext(member string) bool { return w.outside(member, nil) }

// outside is Ext with domains and projects that count as the company's beside those of the policy.
func (w World) outside(member string, home []string) bool {
	kind, name := address(member)
	_, domain, _ := strings.Cut(name, "@")
	approved := func(domain string) bool { return slices.Contains(w.Domains, domain) || slices.Contains(home, domain) }
	switch kind {
	case "user", "group":
		if strings.HasSuffix(domain, ".gserviceaccount.com") {
			return w.outsideAccount(name, home)
		}
		return !approved(domain)
	case "domain":
		return !approved(name)
	case "serviceaccount":
		return w.outsideAccount(name, home)
	case "projectowner", "projecteditor", "projectviewer":
		_, known := w.Projects[name]
		return !known && !slices.Contains(home, name)
	}
	return true
}

func (w World) outsideAccount(name string, home []string) bool {
	if slices.Contains(w.Accounts, name) || GoogleAgent(name) {
		return false
	}
	project, known := accountProject(name)
	if !known { // a default account tells a number only
		return len(home) == 0 || !strings.HasSuffix(name, "@developer.gserviceaccount.com")
	}
	_, ours := w.Projects[project]
	return !ours && !slices.Contains(home, project)
}

// accountProject returns the project id that the name of a service account tells.
func accountProject(name string) (project string, known bool) {
	if pool, _, found := strings.Cut(name, ".svc.id.goog["); found {
		return pool, true // a Kubernetes service account
	}
	local, domain, _ := strings.Cut(name, "@")
	if project, found := strings.CutSuffix(domain, ".iam.gserviceaccount.com"); found {
		return project, true
	}
	return local, domain == "appspot.gserviceaccount.com"
}

// InRegion reports whether a resource may be in a location: a zone, a region, a multi-region, or several joined by
// commas. What is global, or says no location, may.
func (w World) InRegion(location string) bool {
	if len(w.Regions) == 0 {
		return true
	}
	for one := range strings.SplitSeq(strings.ToLower(location), ",") {
		if one = strings.TrimSpace(one); one != "" && one != "global" && !slices.ContainsFunc(w.Regions, func(r string) bool { return within(one, r) }) {
			return false
		}
	}
	return true
}

// within reports whether a location is a region, a zone of it, or begins as its pattern does.
func within(location, region string) bool {
	region = strings.ToLower(region)
	if begin, pattern := strings.CutSuffix(region, "*"); pattern {
		return strings.HasPrefix(location, begin)
	}
	zone, found := strings.CutPrefix(location, region+"-")
	return location == region || found && len(zone) == 1
}

// Public reports whether a member is everyone, or everyone with a Google account, however it is written.
func Public(member string) bool {
	member = member[strings.LastIndexByte(member, ':')+1:]
	return strings.EqualFold(member, "allUsers") || strings.EqualFold(member, "allAuthenticatedUsers")
}

// GoogleAgent reports whether an account or a member is a service agent: owned and run by Google. A default account of
// Compute or App Engine is none: it acts for whoever runs code as it.
func GoogleAgent(member string) bool {
	_, name := address(member)
	return auditlog.GoogleAgent(name)
}

// Own reports whether an address is a service account of the policy.
func (w World) Own(member string) bool {
	_, name := address(member)
	return slices.Contains(w.Accounts, name)
}

// Live reports whether a project may hold customer data: whatever the policy does not call staging.
func (w World) Live(project string) bool { return w.Projects[project] != policy.Staging }

// person returns the person with an address.
func (w World) person(member string) (policy.Person, bool) {
	_, name := address(member)
	i := slices.IndexFunc(w.People, func(p policy.Person) bool { return auditlog.Small(p.Email) == name })
	if i < 0 {
		return policy.Person{}, false
	}
	return w.People[i], true
}

// HasRole reports whether an address was that of a person of the policy with a role at a time.
func (w World) HasRole(member, role string, at time.Time) bool {
	p, ok := w.person(member)
	return ok && p.Active(at) && p.Has(policy.Role(role))
}

// Approved reports whether a member was a person of the policy at a time, or is an account of it.
func (w World) Approved(member string, at time.Time) bool {
	p, ok := w.person(member)
	return ok && p.Active(at) || w.Own(member)
}

// WorkHours reports whether a time is from Monday to Friday, from 07:00 to before 20:00, in the company's zone.
func (w World) WorkHours(at time.Time) bool {
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := at.In(zone)
	return local.Weekday() != time.Saturday && local.Weekday() != time.Sunday && local.Hour() >= 7 && local.Hour() < 20
}
