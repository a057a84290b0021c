package rule

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
)

// Lint tells everything wrong with the rules of a policy: what Load tells, and of rules that load a method, a service or a
// stream that does not exist, a condition that is never true, a promise that does not exist, missing tests, tests that fail.
func Lint(ctx context.Context, p *policy.Policy) []policy.Problem {
	s, problems := Load(p)
	// Tests run in a company of their own, to which the policy's is added.
	trial, _ := LoadIn(fixture(WorldOf(p)), p)
	l := linting{p: p, catalogue: readCatalogue()}
	for i := range s.rules {
		l.r = &s.rules[i]
		l.methods("", l.r.own.matches)
		l.reachable("", l.r.own)
		if l.r.Window.Other != nil {
			l.methods("window.other.", l.r.other.matches)
			l.reachable("window.other.", l.r.other)
		}
		l.promises()
		l.tests(ctx, trial)
	}
	return policy.Sort(append(problems, l.problems...))
}

type linting struct {
	p         *policy.Policy
	catalogue catalogue
	r         *compiled
	problems  []policy.Problem
}

func (l *linting) wrong(key, what, allowed string) {
	l.problems = append(l.problems, l.p.Problem(l.r.File, key, what, allowed))
}

// methods holds the matches against the catalogue. An application's own methods nobody catalogues.
func (l *linting) methods(at string, matches []match) {
	for i, m := range matches {
		at := key(at+"match", i)
		if slices.Contains(m.Stream, string(auditlog.ApplicationLog)) {
			continue
		}
		known := 0
		for j, service := range m.Service {
			if _, listed := l.catalogue[service]; listed {
				known++
			} else if !strings.HasSuffix(service, ".googleapis.com") && service != "k8s.io" {
				l.wrong(key(at+".service", j), "is no service of Google Cloud", "a name such as iam.googleapis.com, or stream: [application]")
			}
		}
		if len(m.Service) > 0 && known < len(m.Service) {
			continue // of a service that is not in the catalogue nothing can be said
		}
		for j, pattern := range m.methods {
			methods := l.catalogue.of(pattern, m.Service)
			if len(methods) == 0 {
				l.wrong(key(at+".method", j), "unknown method "+strconv.Quote(m.Method[j])+policy.Meant(m.Method[j], l.catalogue.names(m.Service)), "one that the catalogue of methods has")
				continue
			}
			if len(m.Stream) > 0 && !slices.ContainsFunc(methods, func(g logged) bool { return slices.Contains(m.Stream, g.stream) || !isCatalogued(m.Stream) }) {
				l.wrong(key(at+".method", j), "unreachable: is not logged to "+strings.Join(m.Stream, ", "), "stream: ["+methods[0].stream+"]")
			}
		}
	}
}

// isCatalogued reports whether the catalogue knows all of the streams.
func isCatalogued(streams []string) bool {
	return !slices.ContainsFunc(streams, func(s string) bool { return s != string(auditlog.Activity) && s != string(auditlog.DataAccess) })
}

func (l *linting) reachable(at string, s selection) {
	if never(s.when) {
		l.wrong(at+"when", "unreachable: is never true", "a condition that some entry meets")
	}
}

// promises checks that the rule keeps one. A rule of the extended folder may keep promises of other companies.
func (l *linting) promises() {
	if len(l.r.Promises) == 0 {
		l.wrong("promises", "keeps no promise", "ids of promises")
	}
	for i, id := range l.r.Promises {
		problem := l.p.NoPromise(l.r.File, key("promises", i), id)
		if _, exists := l.p.Promise(id); !exists && !strings.HasPrefix(problem.File, "../") {
			l.problems = append(l.problems, problem)
		}
	}
}

// Need is a stream that is off unless somebody switched it on, and that rules look for.
type Need struct {
	Service string // "" for any
	Stream  auditlog.Stream
	Rules   []string // names
}

// Configured reports whether a setting of Google Cloud alone says if the stream is written: it does of Data Access logs, but
// for those of Workspace, which an administrator has to share first.
func (n Need) Configured() bool {
	return n.Stream == auditlog.DataAccess && !slices.Contains(workspaceServices, n.Service)
}

// Switch returns the service by whose setting the stream is written. Data Access logs of the Service Account Credentials
// API have none of their own: that of IAM rules (Google Cloud, IAM, "Service Account Credentials audit logging"; 2026-11-22).
func (n Need) Switch() string {
	if n.Service == "iamcredentials.googleapis.com" {
		return "iam.googleapis.com"
	}
	return n.Service
}

// Met reports whether an entry of a service and stream shows that the need is met.
func (n Need) Met(service string, stream auditlog.Stream) bool {
	return n.Stream == stream && (n.Service == "" || n.Service == service)
}

// Needs returns the streams without which rules are blind, by service. The activity stream is always on and not among
// them.
func (s *Set) Needs() []Need {
	all := readCatalogue()
	var needs []Need
	add := func(service string, stream auditlog.Stream, rule string) {
		i := slices.IndexFunc(needs, func(n Need) bool { return n.Service == service && n.Stream == stream })
		if i < 0 {
			i, needs = len(needs), append(needs, Need{Service: service, Stream: stream})
		}
		if !slices.Contains(needs[i].Rules, rule) {
			needs[i].Rules = append(needs[i].Rules, rule)
		}
	}
	for _, r := range s.rules {
		for _, m := range slices.Concat(r.own.matches, r.other.matches) {
			for _, service := range m.Service {
				for _, stream := range m.needs(all[service]) {
					add(service, stream, r.Name)
				}
			}
			if len(m.Service) == 0 {
				for _, stream := range []auditlog.Stream{auditlog.AccessTransparency, auditlog.ApplicationLog} {
					if slices.Contains(m.Stream, string(stream)) {
						add("", stream, r.Name)
					}
				}
			}
		}
	}
	slices.SortFunc(needs, func(a, b Need) int {
		return strings.Compare(a.Service+" "+string(a.Stream), b.Service+" "+string(b.Stream))
	})
	return needs
}

// needs returns the streams of a match that must be switched on: those it names, or those its methods go to only.
func (m match) needs(methods []logged) (streams []auditlog.Stream) {
	optional := []auditlog.Stream{auditlog.DataAccess, auditlog.AccessTransparency, auditlog.ApplicationLog}
	for _, stream := range optional {
		if slices.Contains(m.Stream, string(stream)) {
			streams = append(streams, stream)
		}
	}
	if len(m.Stream) > 0 {
		return streams
	}
	for _, g := range methods {
		is := func(p ending) bool { return p.accepts(g.method, g.verb) }
		if g.stream == string(auditlog.DataAccess) && slices.ContainsFunc(m.methods, is) {
			return []auditlog.Stream{auditlog.DataAccess}
		}
	}
	return nil
}

// Written returns what Blind asks, where a company says which streams are written: on are services whose Data Access logs
// are switched on, or allServices; logs are other streams: application, access_transparency, login of Workspace, or all.
func Written(on, logs []string) func(service string, stream auditlog.Stream) bool {
	return func(service string, stream auditlog.Stream) bool {
		if need := (Need{Service: service, Stream: stream}); need.Configured() {
			return slices.Contains(on, "allServices") || slices.Contains(on, need.Switch())
		}
		name := string(stream)
		if stream == auditlog.DataAccess {
			name, _, _ = strings.Cut(service, ".")
		}
		return slices.Contains(logs, "all") || slices.Contains(logs, name) || service != "" && slices.Contains(on, service)
	}
}

// Blind returns the needs that are not met. On says whether a stream of a service is written where the entries come from.
func (s *Set) Blind(on func(service string, stream auditlog.Stream) bool) []Need {
	return slices.DeleteFunc(s.Needs(), func(n Need) bool { return on(n.Service, n.Stream) })
}
