package rule

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ostiary.internal/shared/watch/auditlog"
)

// MaxFilter is how long a filter of a log sink may be, in characters (Google Cloud, Cloud Logging, "Quotas and limits").
const MaxFilter = 20_000

// Filter is what a log sink has to let through for the rules of a policy, in the query language of Cloud Logging: each
// part is an expression of its own, and they are joined by OR. It follows from what the rules match, never from their
// conditions: what a rule looks at and drops passes too.
type Filter struct {
	// Audit is of the streams that no setting of a project switches on.
	Audit string `json:"audit"`
	// DataAccess is of the Data Access logs, by the service by whose setting they are written (Need.Switch): only those
	// that are switched on belong into a sink, or the watch would read of each entry that it takes.
	DataAccess map[string]string `json:"data_access"`
	// Logs are the ids of the application logs that watch.yaml maps.
	Logs []string `json:"logs"`
}

// Filter returns what a sink has to let through for the rules, for the mappings of the policy, and for what else is
// looked for.
func (s *Set) Filter(mappings []auditlog.Mapping, more ...Match) Filter {
	all := ready(more)
	for _, r := range s.rules {
		all = append(append(all, r.own.matches...), r.other.matches...)
	}
	f := Filter{DataAccess: map[string]string{}}
	var audit []string
	for _, stream := range []auditlog.Stream{auditlog.Activity, auditlog.SystemEvent, auditlog.PolicyDenied, auditlog.AccessTransparency} {
		passed := passing(all, stream, "")
		if len(passed) > longest {
			passed = everything
		}
		if passed != none {
			audit = append(audit, both(logID(stream), passed))
		}
	}
	services := map[string][]string{}
	for _, n := range s.Needs() {
		if n.Service != "" && n.Configured() {
			services[n.Switch()] = append(services[n.Switch()], n.Service)
		}
	}
	for _, service := range workspaceServices {
		if passed := passing(all, auditlog.DataAccess, service); passed != none {
			audit = append(audit, both(logID(auditlog.DataAccess), both(equals("serviceName", service), passed)))
		}
	}
	// Of an entry that does not say what was called nothing is known: it may be any.
	if !slices.Contains(audit, logID(auditlog.Activity)) {
		audit = append(audit, both(logID(auditlog.Activity), "(NOT protoPayload.serviceName:* OR NOT protoPayload.methodName:*)"))
	}
	f.Audit = strings.Join(audit, " OR ")
	for by, of := range services {
		var parts []string
		for _, service := range of {
			parts = append(parts, both(equals("serviceName", service), passing(all, auditlog.DataAccess, service)))
		}
		f.DataAccess[by] = both(logID(auditlog.DataAccess), either(parts))
	}
	for _, m := range mappings {
		if id := strings.TrimPrefix(m.Log, "/logs/"); id != "" && !slices.Contains(f.Logs, id) {
			f.Logs = append(f.Logs, id)
		}
	}
	return f
}

// longest is how long an expression for one of the streams that are always written may be, in characters: beyond it the
// stream passes whole. They hold little beside Data Access logs, and a filter is bounded.
const longest = 6000

// Expressions that pass everything, and nothing.
const (
	everything = ""
	none       = "none"
)

// passing is what of a stream the matches want: everything, none, or an expression. With a service, what of it alone.
func passing(all []match, stream auditlog.Stream, service string) string {
	methods := map[string][]string{} // by service; "" for any
	for _, m := range all {
		if len(m.Stream) > 0 && !slices.Contains(m.Stream, string(stream)) {
			continue
		}
		of := m.Service
		if len(of) == 0 || service != "" && slices.Contains(of, service) {
			of = []string{""}
		} else if service != "" {
			continue
		}
		for _, one := range of {
			if len(m.methods) == 0 {
				methods[one] = append(methods[one], "")
			}
			for _, e := range m.methods {
				methods[one] = append(methods[one], e.pattern())
			}
		}
	}
	if len(methods) == 0 {
		return none
	}
	if slices.Contains(methods[""], "") {
		return everything
	}
	var parts []string
	for _, one := range slices.Sorted(maps.Keys(methods)) {
		part := called(methods[one])
		if one != "" {
			part = both(equals("serviceName", one), part)
		}
		parts = append(parts, part)
	}
	return either(parts)
}

// pattern is a regular expression of the methods that the ending accepts, and maybe of a few more: what a service
// writes before the last two segments is left open, and so is a version between them.
func (e ending) pattern() string {
	last := strings.ReplaceAll(regexp.QuoteMeta(e.last), `\*`, `[^./]*`)
	before := strings.TrimSuffix(e.whole[:len(e.whole)-len(e.last)], ".")
	if before == "" {
		return last
	}
	return regexp.QuoteMeta(before[strings.LastIndexByte(before, '.')+1:]) + `[./]([^./]+[./])?` + last
}

// called is an expression for calls of one of the methods; "" among them stands for all.
func called(methods []string) string {
	slices.Sort(methods)
	methods = slices.Compact(methods)
	if methods[0] == "" {
		return everything
	}
	return fmt.Sprintf("protoPayload.methodName=~%q", "(?i)(^|[./])("+strings.Join(methods, "|")+")$")
}

func logID(stream auditlog.Stream) string {
	return fmt.Sprintf("log_id(%q)", "cloudaudit.googleapis.com/"+string(stream))
}

func equals(field, value string) string { return fmt.Sprintf("protoPayload.%s=%q", field, value) }

// both joins two expressions. It is bracketed: OR binds closer than AND there, other than anywhere else.
func both(a, b string) string {
	if b == everything {
		return a
	}
	return "(" + a + " AND " + b + ")"
}

func either(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}
