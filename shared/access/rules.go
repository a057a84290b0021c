package access

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/policy"
)

// file is access.yaml as written. A pointer tells a value left out from one that says 0.
type file struct {
	Lease struct {
		DayEnd        *string `yaml:"day_end"`
		Weekend       *Answer `yaml:"weekend"`
		MaxHours      *int    `yaml:"max_hours"`
		Devices       *int    `yaml:"devices"`
		ChangesPerDay *int    `yaml:"changes_per_day"`
		Relays        *Answer `yaml:"relays"`
		Hosting       *Answer `yaml:"hosting"`
		MobileHours   *int    `yaml:"mobile_hours"`
		Remind        *string `yaml:"remind"`
	} `yaml:"lease"`
	OTP struct {
		Issuer             *string          `yaml:"issuer"`
		MaxAuthenticators  *int             `yaml:"max_authenticators"`
		FreeFailures       *int             `yaml:"free_failures"`
		FirstWait          *calendar.Period `yaml:"first_wait"`
		MaxWait            *calendar.Period `yaml:"max_wait"`
		HardStop           *int             `yaml:"hard_stop"`
		MalformedPerMinute *int             `yaml:"malformed_per_minute"`
		GrantLife          *calendar.Period `yaml:"grant_life"`
		LinkLife           *calendar.Period `yaml:"link_life"`
		ResetWait          *calendar.Period `yaml:"reset_wait"`
	} `yaml:"otp"`
	Fixed []struct {
		Name   string       `yaml:"name"`
		Prefix string       `yaml:"prefix"`
		Reason string       `yaml:"reason"`
		Until  calendar.Day `yaml:"until"`
	} `yaml:"fixed"`
	Targets []struct {
		Name     string `yaml:"name"`
		Capacity *int   `yaml:"capacity"`
		Beacon   string `yaml:"beacon"`
	} `yaml:"targets"`
}

// ReadRules returns the rules of a policy. With problems the rules hold defaults where access.yaml is wrong, fit for
// nothing but further checking. Without access.yaml the rules are off and there is no problem.
func ReadRules(p *policy.Policy) (Rules, []policy.Problem) {
	var f file
	r := reader{policy: p, rules: defaults()}
	r.rules.Lease.DayEnd = cmp.Or(p.Company.DayEnd, r.rules.Lease.DayEnd)
	r.rules.OTP.Issuer = p.Company.Name
	r.rules.On, r.problems = p.Decode(File, &f)
	if !r.rules.On {
		return r.rules, nil
	}
	r.lease(f)
	r.otp(f)
	r.fixed(f)
	r.targets(f)
	return r.rules, policy.Sort(r.problems)
}

type reader struct {
	policy   *policy.Policy
	rules    Rules
	problems []policy.Problem
}

// wrong reports a problem of a key, unless its shape is wrong already.
func (r *reader) wrong(key, what, allowed string) {
	if !slices.ContainsFunc(r.problems, func(p policy.Problem) bool { return p.Key == key }) {
		r.problems = append(r.problems, r.policy.Problem(File, key, what, allowed))
	}
}

// number sets *to when the file says something within bounds.
func (r *reader) number(key string, says *int, to *int, low, high int) {
	switch {
	case says == nil:
	case *says < low || *says > high:
		r.wrong(key, "is out of bounds", fmt.Sprintf("%d to %d", low, high))
	default:
		*to = *says
	}
}

// length sets *to when the file says an exact time within bounds.
func (r *reader) length(key string, says *calendar.Period, to *time.Duration, low, high time.Duration) {
	if says == nil {
		return
	}
	length, exact := says.Exact()
	if !exact || length < low || length > high {
		r.wrong(key, "is out of bounds", calendar.Period{Clock: low}.String()+" to "+calendar.Period{Clock: high}.String())
		return
	}
	*to = length
}

// answer sets *to when the file gives one.
func (r *reader) answer(key string, says, to *Answer) {
	switch {
	case says == nil:
	case *says != Allow && *says != Refuse:
		r.wrong(key, "is no answer", "allow, refuse")
	default:
		*to = *says
	}
}

func (r *reader) lease(f file) {
	lease := &r.rules.Lease
	if says := f.Lease.DayEnd; says != nil {
		if _, err := calendar.Minutes(*says); err != nil {
			r.wrong("lease.day_end", "is not a time of day", "HH:MM from 00:01 to 24:00")
		} else {
			lease.DayEnd = *says
		}
	}
	if says := f.Lease.Remind; says != nil && *says != "" {
		if at, err := calendar.Minutes(*says); err != nil || at >= 24*60 {
			r.wrong("lease.remind", "is not a time of day", "HH:MM from 00:01 to 23:59")
		} else if end, err := calendar.Minutes(lease.DayEnd); err == nil && at >= end {
			r.wrong("lease.remind", "is not before day_end ("+lease.DayEnd+"): whoever is reminded could register nothing", "an earlier time")
		} else {
			lease.Remind = *says
		}
	}
	r.answer("lease.weekend", f.Lease.Weekend, &lease.Weekend)
	r.answer("lease.relays", f.Lease.Relays, &lease.Relays)
	r.answer("lease.hosting", f.Lease.Hosting, &lease.Hosting)
	r.number("lease.mobile_hours", f.Lease.MobileHours, &lease.MobileHours, 1, 24)
	r.number("lease.max_hours", f.Lease.MaxHours, &lease.MaxHours, 1, 24)
	r.number("lease.devices", f.Lease.Devices, &lease.Devices, 1, 4)
	r.number("lease.changes_per_day", f.Lease.ChangesPerDay, &lease.ChangesPerDay, 1, 50)
}

func (r *reader) otp(f file) {
	otp := &r.rules.OTP
	if f.OTP.Issuer != nil {
		otp.Issuer = *f.OTP.Issuer
	}
	named := f.OTP.Issuer != nil || r.policy.Company.Name != "" // a company without a name is told elsewhere
	// The label of an otpauth URI is issuer:account, so the issuer holds no colon.
	if named && (otp.Issuer == "" || len(otp.Issuer) > 64 || strings.Contains(otp.Issuer, ":") || strings.TrimSpace(otp.Issuer) != otp.Issuer) {
		r.wrong("otp.issuer", "is not a name for a phone's application", "1 to 64 bytes without a colon; by default the company's name")
	}
	r.number("otp.max_authenticators", f.OTP.MaxAuthenticators, &otp.MaxAuthenticators, 1, 5)
	r.number("otp.free_failures", f.OTP.FreeFailures, &otp.FreeFailures, 0, 5)
	r.number("otp.hard_stop", f.OTP.HardStop, &otp.HardStop, 5, 50)
	r.number("otp.malformed_per_minute", f.OTP.MalformedPerMinute, &otp.MalformedPerMinute, 10, 1000)
	r.length("otp.first_wait", f.OTP.FirstWait, &otp.FirstWait, 10*time.Second, 5*time.Minute)
	r.length("otp.max_wait", f.OTP.MaxWait, &otp.MaxWait, otp.FirstWait, 24*time.Hour)
	r.length("otp.grant_life", f.OTP.GrantLife, &otp.GrantLife, time.Minute, 10*time.Minute)
	r.length("otp.link_life", f.OTP.LinkLife, &otp.LinkLife, time.Minute, 24*time.Hour)
	r.length("otp.reset_wait", f.OTP.ResetWait, &otp.ResetWait, 0, 72*time.Hour)
}

// beaconForm leaves out whatever has a meaning in a content policy.
var beaconForm = regexp.MustCompile(`^https://[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$`)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

const (
	allowedName = "lower-case letters, digits and hyphens, at most 63"
	maxReason   = 500 // bytes
	maxFixed    = 200
	maxTargets  = 16
	maxBeacon   = 200 // bytes
)

func (r *reader) fixed(f file) {
	if len(f.Fixed) > maxFixed {
		r.wrong("fixed", fmt.Sprintf("holds %d sites", len(f.Fixed)), fmt.Sprintf("at most %d", maxFixed))
		return
	}
	names, prefixes := map[string]bool{}, map[string]bool{}
	for i, site := range f.Fixed {
		key := fmt.Sprintf("fixed[%d]", i)
		prefix, err := address.Screen{}.Site(site.Prefix)
		switch {
		case err != nil:
			r.wrong(key+".prefix", "is not the prefix of a site: "+err.Error(), "a public prefix without host bits, at most a /24 of IPv4 or a /48 of IPv6")
		case prefixes[site.Prefix]:
			r.wrong(key+".prefix", "is the prefix of another site", "each once")
		}
		r.name(key, site.Name, names)
		prefixes[site.Prefix] = true
		if strings.TrimSpace(site.Reason) == "" || len(site.Reason) > maxReason {
			r.wrong(key+".reason", "gives no reason", "why this site is always let in, at most 500 bytes")
		}
		if site.Until.IsZero() {
			r.wrong(key+".until", "names no last day", "a date, YYYY-MM-DD")
		}
		r.rules.Fixed = append(r.rules.Fixed, Fixed{
			Name: site.Name, Prefix: prefix, Reason: site.Reason, Until: site.Until.End(r.policy.Company.Location()),
		})
	}
	slices.SortFunc(r.rules.Fixed, func(a, b Fixed) int { return cmp.Compare(a.Name, b.Name) })
}

func (r *reader) targets(f file) {
	if len(f.Targets) > maxTargets {
		r.wrong("targets", fmt.Sprintf("holds %d targets", len(f.Targets)), fmt.Sprintf("at most %d", maxTargets))
		return
	}
	names := map[string]bool{}
	for i, target := range f.Targets {
		key := fmt.Sprintf("targets[%d]", i)
		r.name(key, target.Name, names)
		read := Target{Name: target.Name, Capacity: 5000}
		r.number(key+".capacity", target.Capacity, &read.Capacity, 1, 5000)
		if target.Beacon != "" && (!beaconForm.MatchString(target.Beacon) || len(target.Beacon) > maxBeacon) {
			r.wrong(key+".beacon", "is not the URL of a beacon", "https://, a host name, and a path in plain letters, at most 200 bytes; no user, query or fragment")
		} else {
			read.Beacon = target.Beacon
		}
		r.rules.Targets = append(r.rules.Targets, read)
	}
	slices.SortFunc(r.rules.Targets, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
}

func (r *reader) name(key, name string, taken map[string]bool) {
	switch {
	case !nameForm.MatchString(name):
		r.wrong(key+".name", "is not a name", allowedName)
	case taken[name]:
		r.wrong(key+".name", "is the name of another", "each once")
	}
	taken[name] = true
}
