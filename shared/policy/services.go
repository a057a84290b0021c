package policy

import (
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
)

// Service is a program with an account of its own that may call functions, or deploys.
type Service struct {
	ID    string   `yaml:"id"`
	Email string   `yaml:"email"` // of its service account; lower case
	May   []string `yaml:"may"`   // names of functions, such as checkotp
	// Deploys says that it changes what runs: the watch does not ask it for reasons. No other account is so trusted.
	Deploys bool `yaml:"deploys"`
	// Tenant is the customer it speaks for, id of tenants.yaml: whoever instructs us to erase has one, and reaches no other's
	// data. Callbacks are the hosts at which it may be told how that goes; lower case.
	Tenant    string   `yaml:"tenant"`
	Callbacks []string `yaml:"callbacks"`
}

// MayCall reports whether the service may call a function.
func (s Service) MayCall(function string) bool { return slices.Contains(s.May, function) }

// Gateway is a proxy that asks the function admit about each request. It proves itself by a service token or a key,
// and tells the client's address in the one header it declares.
type Gateway struct {
	ID     string `yaml:"id"`
	Header string `yaml:"header"`  // in canonical form, such as X-Real-Ip
	KeyRef string `yaml:"key_ref"` // name of the secret that holds its key
}

// Source is a program that may send machine evidence of some types about some promises.
type Source struct {
	ID       string   `yaml:"id"`
	Email    string   `yaml:"email"` // of its service account; lower case
	Types    []string `yaml:"types"`
	Promises []string `yaml:"promises"`
}

// evidenceTypes are the CloudEvent types that the function collectevidence knows.
var evidenceTypes = strings.Split(allowedEvidence, ", ")

const allowedEvidence = "build.tested, build.scanned, release.deployed, backup.completed, backup.restored, " +
	"training.completed, person.screened, person.nda, scan.finished, pentest.report, review.done, endpoint.report, " +
	"uptime.report"

// notForAddresses are headers that carry something else, or that a client's own request may carry.
var notForAddresses = []string{"Authorization", "Cookie", "Gateway-Key", "Host", "X-Goog-Iap-Jwt-Assertion"}

func (l *loading) services() {
	const file = "services.yaml"
	var doc struct {
		Services []Service `yaml:"services"`
		Gateways []Gateway `yaml:"gateways"`
		Sources  []Source  `yaml:"sources"`
	}
	if !l.decode(file, false, &doc) {
		return
	}
	p := l.policy
	p.Services, p.Gateways, p.Sources = doc.Services, doc.Gateways, doc.Sources
	l.callers(file)
	l.gateways(file)
	l.sources(file)
	p.services = indexed(p.Services, func(s Service) string { return s.ID })
	p.accounts = indexed(p.Services, func(s Service) string { return s.Email })
	p.gateways = indexed(p.Gateways, func(g Gateway) string { return g.ID })
	p.sources = indexed(p.Sources, func(s Source) string { return s.Email })
}

func (l *loading) callers(file string) {
	ids := unique{l: l, file: file, what: "service"}
	emails := unique{l: l, file: file, what: "service"}
	for i := range l.policy.Services {
		s, key := &l.policy.Services[i], index("services", i)
		s.Email = strings.ToLower(s.Email)
		ids.id(key+".id", s.ID)
		emails.email(key+".email", s.Email)
		if len(s.May) == 0 && !s.Deploys {
			l.wrong(file, key+".may", "names no function", "a list of functions: [checkotp], or deploys: true")
		}
		l.controller(file, key, *s)
		functions := unique{l: l, file: file}
		for j, function := range s.May {
			if at := index(key+".may", j); !functionForm.MatchString(function) {
				l.wrong(file, at, quote(function)+" is not the name of a function", "lower-case letters, such as checkotp")
			} else {
				functions.once(at, function, quote(function)+" is here already")
			}
		}
	}
}

// instructed is the function that takes customers' instructions.
const instructed = "opendsr"

// controller checks whom a service speaks for.
func (l *loading) controller(file, key string, s Service) {
	switch {
	case s.MayCall(instructed) != (s.Tenant != ""):
		l.wrong(file, key+".tenant", "does not fit what the service may call", "the id of a tenant, with may: ["+instructed+"] and nothing else")
	case s.Tenant != "" && (len(s.May) > 1 || s.Deploys):
		l.wrong(file, key+".may", "is more than a customer's program needs", "may: ["+instructed+"]")
	case s.Tenant != "" && !slices.ContainsFunc(l.policy.Tenants, func(t Tenant) bool { return t.ID == s.Tenant }):
		l.dangling(file, key+".tenant", "there is no tenant "+quote(s.Tenant), "the id of a tenant")
	}
	for i, host := range s.Callbacks {
		if _, address := netip.ParseAddr(host); !isDomain(host) || address == nil || s.Tenant == "" {
			l.wrong(file, index(key+".callbacks", i), "is no host of a customer", "a name in small letters such as dsr.customer.example, beside tenant")
		}
	}
}

func (l *loading) gateways(file string) {
	ids := unique{l: l, file: file, what: "gateway"}
	for i := range l.policy.Gateways {
		g, key := &l.policy.Gateways[i], index("gateways", i)
		ids.id(key+".id", g.ID)
		g.Header = textproto.CanonicalMIMEHeaderKey(g.Header)
		if !headerForm.MatchString(g.Header) || slices.Contains(notForAddresses, g.Header) {
			l.wrong(file, key+".header", "is not a header for the client's address", "a header the gateway alone sets, such as X-Real-Ip")
		}
		// A key that was written here by mistake must not be quoted.
		if !secretForm.MatchString(g.KeyRef) {
			l.wrong(file, key+".key_ref", "is not the name of a secret", "letters, digits, hyphens and underscores; never the key itself")
		}
	}
}

func (l *loading) sources(file string) {
	ids := unique{l: l, file: file, what: "source"}
	emails := unique{l: l, file: file, what: "source"}
	for i := range l.policy.Sources {
		s, key := &l.policy.Sources[i], index("sources", i)
		s.Email = strings.ToLower(s.Email)
		ids.id(key+".id", s.ID)
		emails.email(key+".email", s.Email)
		if len(s.Types) == 0 {
			l.wrong(file, key+".types", "names no type of evidence", allowedEvidence)
		}
		for j, kind := range s.Types {
			if !slices.Contains(evidenceTypes, kind) {
				l.wrong(file, index(key+".types", j), quote(kind)+" is not a type of evidence"+Meant(kind, evidenceTypes), allowedEvidence)
			}
		}
		if len(s.Promises) == 0 {
			l.wrong(file, key+".promises", "names no promise", "ids of promises")
		}
		for j, id := range s.Promises {
			if _, exists := l.policy.promises[id]; !exists {
				what, allowed := l.noPromise(id)
				l.dangling(file, index(key+".promises", j), what, allowed)
			}
		}
	}
}
