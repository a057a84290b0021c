package rule

import (
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/watch/auditlog"
)

// match is a Match made ready.
type match struct {
	Match
	methods []ending
}

// ending is the end of a method name, in small letters. With more before a dot than the verb it is compared with whole
// segments; last may begin or end with a star.
type ending struct{ whole, last string }

var version = regexp.MustCompile(`^(v[0-9]+((alpha|beta)[0-9]*)?|alpha|beta)$`)

// plainMethod returns a method in small letters without segments that are a version: services write "v1.compute...",
// "beta.compute..." and "google.iam.v1..." for the same call.
func plainMethod(method string) string {
	method = strings.ToLower(strings.ReplaceAll(method, "/", "."))
	segments := strings.Split(method, ".")
	if kept := slices.DeleteFunc(segments, version.MatchString); len(kept) > 0 {
		return strings.Join(kept, ".")
	}
	return method
}

func ready(all []Match) []match {
	made := make([]match, len(all))
	for i, m := range all {
		made[i] = match{Match: m}
		for _, pattern := range m.Method {
			whole := plainMethod(pattern)
			made[i].methods = append(made[i].methods, ending{whole: whole, last: whole[strings.LastIndexByte(whole, '.')+1:]})
		}
	}
	return made
}

func (e ending) starred() bool { return strings.Contains(e.last, "*") }

func (e ending) accepts(method, verb string) bool {
	if prefix, found := strings.CutSuffix(e.last, "*"); found {
		if !strings.HasPrefix(verb, prefix) {
			return false
		}
	} else if suffix, found := strings.CutPrefix(e.last, "*"); found {
		if !strings.HasSuffix(verb, suffix) {
			return false
		}
	} else if e.last != verb {
		return false
	}
	if len(e.whole) == len(e.last) {
		return true
	}
	before := e.whole[:len(e.whole)-len(e.last)] // ends with a dot
	have, found := strings.CutSuffix(plainMethod(method), verb)
	return found && (have == before || strings.HasSuffix(have, "."+before))
}

func (m match) accepts(e *auditlog.Entry) bool {
	return (len(m.Service) == 0 || slices.Contains(m.Service, e.Service)) &&
		(len(m.Stream) == 0 || slices.Contains(m.Stream, string(e.Stream))) &&
		(len(m.Outcome) == 0 || slices.Contains(m.Outcome, string(e.Outcome.Result))) &&
		(len(m.methods) == 0 || slices.ContainsFunc(m.methods, func(p ending) bool { return p.accepts(e.Method, e.Verb) }))
}

func (s selection) accepts(e *auditlog.Entry) bool {
	for i := range s.matches {
		if s.matches[i].accepts(e) {
			return true
		}
	}
	return false
}

// branch is one selection of one rule.
type branch struct {
	rule  int
	other bool
}

// call is what most rules choose entries by.
type call struct{ service, verb string }

// index finds the branches that may want an entry without asking every rule. A field of call that is "" stands for
// any.
type index map[call][]branch

func (x index) add(b branch, s selection) {
	for _, m := range s.matches {
		services, verbs := m.Service, []string{}
		if len(services) == 0 {
			services = []string{""}
		}
		for _, p := range m.methods {
			if p.starred() {
				verbs = []string{""}
				break
			}
			verbs = append(verbs, p.last)
		}
		if len(verbs) == 0 {
			verbs = []string{""}
		}
		for _, service := range services {
			for _, verb := range verbs {
				if k := (call{service, verb}); !slices.Contains(x[k], b) {
					x[k] = append(x[k], b)
				}
			}
		}
	}
}

// candidates appends to into the branches that may want an entry, each once.
func (x index) candidates(e *auditlog.Entry, into []branch) []branch {
	for _, k := range [...]call{{e.Service, e.Verb}, {e.Service, ""}, {"", e.Verb}, {"", ""}} {
		for _, b := range x[k] {
			if !slices.Contains(into, b) {
				into = append(into, b)
			}
		}
	}
	return into
}
