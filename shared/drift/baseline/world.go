package baseline

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/policy"
)

// World is the company assertions are judged in.
type World struct {
	Projects map[string]policy.EnvironmentKind
	Domains  []string
	People   []policy.Person
	Accounts []string // of its own services

	stores []*regexp.Regexp // keys of what personal data lies in
}

// WorldOf is the company of a policy.
func WorldOf(p *policy.Policy) World {
	w := World{Projects: map[string]policy.EnvironmentKind{}, Domains: p.Company.Domains, People: p.People, stores: stores(p)}
	for _, e := range p.Company.Environments {
		w.Projects[e.Project] = e.Kind
	}
	for _, s := range p.Services {
		w.Accounts = append(w.Accounts, s.Email)
	}
	return w
}

// Staging reports whether only tests run in a project: what is found there weighs one step less. One nobody knows is a live one.
func (s *Set) Staging(project string) bool { return s.world.Projects[project] == policy.Staging }

// Fixture is the company of tests, whatever the policy: projects company-live and company-staging, the domain
// company.example, anna@ a manager, ben@ an employee, dora@ of security.
func Fixture() World {
	person := func(id string, roles ...policy.Role) policy.Person {
		return policy.Person{ID: id, Email: id + "@company.example", Roles: roles}
	}
	return World{
		Projects: map[string]policy.EnvironmentKind{"company-live": policy.Live, "company-staging": policy.Staging},
		Domains:  []string{"company.example"},
		People:   []policy.Person{person("anna", policy.Employee, policy.Manager), person("ben", policy.Employee), person("dora", policy.Employee, policy.Security)},
		Accounts: []string{"deploy@company-live.iam.gserviceaccount.com"},
	}
}

// role reports whether a member is somebody of the policy who has a role now.
func (w World) role(member, role string, now time.Time) bool {
	_, address, _ := strings.Cut(member, ":")
	return slices.ContainsFunc(w.People, func(p policy.Person) bool {
		return strings.EqualFold(p.Email, address) && p.Active(now) && p.Has(policy.Role(role))
	})
}

// within reports whether a location lies in one of some areas: EU, or the beginnings of regions such as us or europe-west1.
func within(location string, areas []string) bool {
	region := asset.Region(location)
	return slices.ContainsFunc(areas, func(area string) bool {
		area = strings.ToLower(area)
		switch area {
		case "eu":
			return asset.InEU(region)
		case region:
			return true
		}
		return strings.HasPrefix(region, area+"-") || area == "us" && (region == "us" || strings.HasPrefix(region, "nam"))
	})
}

// internet reports whether a range of addresses holds one of the internet.
func internet(prefix string) (bool, bool) {
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		a, err := netip.ParseAddr(prefix)
		if err != nil {
			return false, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	for _, own := range private {
		if own.Bits() <= p.Bits() && own.Contains(p.Addr()) {
			return false, true
		}
	}
	return true, true
}

// private are the ranges no address of the internet is in (RFC 1918, 6598, 3927, 1122, 4193, 4291).
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// length reads a duration as services write it, such as 3600s, or as policies do, such as P30D; in seconds.
func length(s string) (float64, bool) {
	if d, err := time.ParseDuration(s); err == nil {
		return d.Seconds(), true
	}
	p, err := calendar.ParsePeriod(s)
	if err != nil || p.Years != 0 || p.Months != 0 {
		return 0, false
	}
	return float64(p.Days)*86400 + p.Clock.Seconds(), true
}
