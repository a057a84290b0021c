// Package probe looks at what the company shows to the world, from outside: encryption, redirects, headers, what an
// interface refuses, how old the status page is, and whether a published sentence still stands there.
//
// It promises that what was not seen is never called kept: a host that cannot be reached, an answer that cannot be
// read and a probe that lacks what it needs are undetermined. A refusal counts only beside something that the same host
// does not refuse, seen before and after it: a cut line, a closed port and a door that is shut for everything defend
// nothing. Whoever answers has to show a trusted certificate for the host's name. It asks little: at most a few dozen small requests an
// hour to a host the policy names, none of which changes anything there. It does not follow anybody to another host.
package probe

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/policy"
)

// Name is what a promise refers to: kept_by: [{probe: tls-version}]. Params are those of the promise.
type Name string

const (
	TLSVersion       Name = "tls-version"                // no older version than param tls, 1.2 by default, is accepted
	CertificateValid Name = "certificate-valid"          // the chain, the name and the days left; param sig names the signature
	HTTPSRedirect    Name = "https-redirect"             // port 80 answers with https on the same host, or is closed while the host is up
	SecurityHeaders  Name = "security-headers"           // on a page: HSTS for half a year, nosniff, and a content or frame policy
	RefusesAnonymous Name = "api-refuses-anonymous"      // without a token: 401, or 403 where not all is forbidden
	RefusesForeign   Name = "api-refuses-foreign-tenant" // the canary's token, good at its own tenant, gets 401, 403 or 404 at another
	MalformedRefused Name = "malformed-refused"          // broken requests, and one that carries SQL, get a 4xx that a whole one does not get
	StatusPageAge    Name = "status-page-age"            // the public status page is no older than param age, P1D by default
	PolicyPageText   Name = "policy-page-text"           // the promise's sentence stands on the published page
)

// Names returns every probe.
func Names() []Name {
	return []Name{TLSVersion, CertificateValid, HTTPSRedirect, SecurityHeaders, RefusesAnonymous, RefusesForeign, MalformedRefused, StatusPageAge, PolicyPageText}
}

// pages are the probes that look at one address; the others look at a host.
var pages = []Name{RefusesAnonymous, RefusesForeign, StatusPageAge, PolicyPageText}

// Bounds of what a policy may ask for.
const (
	usual      = time.Hour // how often a probe looks unless param probe says otherwise
	shortest   = 15 * time.Minute
	longest    = 31 * 24 * time.Hour
	maxTargets = 20 // of one promise
)

// order is one promise that one probe helps to keep.
type order struct {
	promise policy.Promise
	targets []string // hosts, or URLs for pages
	every   time.Duration
}

// orders returns what a probe has to look at, by promise. A promise without targets stays in: nothing can be seen then.
func orders(p *policy.Policy, name Name) []order {
	var found []order
	for _, promise := range p.Promises {
		if promise.Inherits() { // what is seen for the promise that says the same counts here
			continue
		}
		for _, k := range promise.KeptBy {
			if k.Mechanism == policy.Probe && slices.Contains(k.Refs, string(name)) {
				o := order{promise, promise.Params["targets"].Values, every(promise)}
				o.targets = slices.Clone(o.targets[:min(len(o.targets), maxTargets)])
				found = append(found, o)
				break
			}
		}
	}
	return found
}

// every is how often a promise wants to be looked after.
func every(p policy.Promise) time.Duration {
	return min(max(period(p, "probe", usual), shortest), longest)
}

// Check returns the problems of the policy's probes: references to no probe, targets that are missing or none.
func Check(p *policy.Policy) []policy.Problem {
	problems := p.References(map[policy.Mechanism][]string{policy.Probe: names()})
	for _, name := range Names() {
		for _, o := range orders(p, name) {
			if len(o.targets) == 0 {
				problems = append(problems, p.ProblemOf(o.promise, "params.targets", "are missing: the probe "+string(name)+" has nothing to look at", allowed(name)))
			}
			for _, target := range o.targets {
				if !fits(name, target) {
					problems = append(problems, p.ProblemOf(o.promise, "params.targets", "hold what the probe "+string(name)+" cannot look at", allowed(name)))
					break
				}
			}
		}
	}
	return problems
}

// tenants splits an address with {OWN|OTHER} in its path into the canary's own address and the other tenant's.
func tenants(target string) (own, other string, ok bool) {
	before, rest, opened := strings.Cut(target, "{")
	pair, after, closed := strings.Cut(rest, "}")
	mine, theirs, both := strings.Cut(pair, "|")
	if !opened || !closed || !both || !isTenant(mine) || !isTenant(theirs) || mine == theirs {
		return "", "", false
	}
	// The host is whole before the tenant begins, or the token would go to a host that a tenant's name makes.
	first, ok := address(before)
	if !ok || first.Path == "" {
		return "", "", false
	}
	own, other = before+mine+after, before+theirs+after
	_, ok = address(own)
	return own, other, ok && !strings.ContainsAny(after, "{}|")
}

func isTenant(text string) bool {
	return text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func names() []string {
	var all []string
	for _, n := range Names() {
		all = append(all, string(n))
	}
	return all
}

// allowed says what a probe can look at.
func allowed(name Name) string {
	switch {
	case name == RefusesForeign:
		return "https addresses that name two tenants, the canary's own first: https://api.company.example/v1/tenants/{canary|another}/accounts"
	case slices.Contains(pages, name):
		return "https addresses such as https://www.company.example/page"
	}
	return "hosts such as www.company.example"
}

// fits reports whether a probe can look at a target.
func fits(name Name, target string) bool {
	switch {
	case name == RefusesForeign:
		_, _, ok := tenants(target)
		return ok
	case slices.Contains(pages, name):
		_, ok := address(target)
		return ok
	}
	return isTarget(target)
}

// period reads a param as a length of time.
func period(p policy.Promise, param string, otherwise time.Duration) time.Duration {
	read, err := p.Params[param].Period()
	if err != nil || read.IsZero() {
		return otherwise
	}
	return read.Add(time.Unix(0, 0), time.UTC).Sub(time.Unix(0, 0))
}

// byTarget are the targets of all orders, each once.
func byTarget(all []order) []string {
	var targets []string
	for _, o := range all {
		targets = append(targets, o.targets...)
	}
	slices.SortFunc(targets, cmp.Compare[string])
	return slices.Compact(targets)
}
