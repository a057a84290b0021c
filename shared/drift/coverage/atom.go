package coverage

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// atom is one thing a filter asks of an entry. Of one without a field nobody can tell what it is true of.
type atom struct{ field, op, value string }

// logID is the field of a log's id, as the function log_id has it: without what the log belongs to.
const logID = "log_id"

// compare makes what one comparison asks. A text compares without regard to case; a regular expression does not.
func compare(path, op, value string, quoted bool) *expr {
	if path == "logName" || path == "log_name" {
		if e := ofLog(op, value); e != nil {
			return e
		}
	}
	if path == logID {
		value = decoded(value)
	}
	switch op {
	case "!=":
		// Whether an entry without the field passes is not for us to say.
		return &expr{op: all, args: []*expr{negated(compare(path, "=", value, quoted)), said(atom{path, "there", ""})}}
	case "!~":
		return &expr{op: all, args: []*expr{negated(compare(path, "=~", value, quoted)), said(atom{path, "there", ""})}}
	case ":":
		if value == "*" && !quoted {
			return said(atom{path, "any", ""})
		}
		return said(atom{path, ":", strings.ToLower(value)})
	case "=":
		return said(atom{path, "=", strings.ToLower(value)})
	}
	return said(atom{path, op, value})
}

// ofLog reads a comparison with the whole name of a log as one with its id, and one with what it belongs to.
func ofLog(op, value string) *expr {
	parent, id, whole := strings.Cut(value, "/logs/")
	switch {
	case op == "=" && whole:
		return &expr{op: all, args: []*expr{compare(logID, "=", id, true), said(atom{"parent", "=", strings.ToLower(parent)})}}
	case op == "!=" && whole:
		return negated(ofLog("=", value))
	case op == ":" && (!whole || parent == "") && strings.Contains(value, ".googleapis.com"):
		if parent == "" {
			value = id
		}
		return said(atom{logID, ":", decoded(strings.ToLower(value))})
	}
	return nil
}

func decoded(id string) string {
	if plain, err := url.PathUnescape(id); err == nil {
		return plain
	}
	return id
}

// literal is an atom that has to hold, or not to.
type literal struct {
	atom
	not bool
}

// possible says whether some entry can be so.
type possible int

const (
	no possible = iota
	maybe
	yes
)

// can reports whether an entry can be as all literals say. Fields know nothing of each other.
func can(all []literal) possible {
	fields := map[string][]literal{}
	for _, l := range all {
		fields[l.field] = append(fields[l.field], l)
	}
	out := yes
	for field, these := range fields {
		switch {
		case contradicts(these):
			return no
		case field == "":
			out = min(out, maybe)
		case field == "severity":
			out = min(out, severity(these))
		default:
			out = min(out, text(field, these))
		}
	}
	return out
}

// contradicts reports whether an atom has to hold and not to.
func contradicts(these []literal) bool {
	return slices.ContainsFunc(these, func(l literal) bool { return slices.Contains(these, literal{l.atom, !l.not}) })
}

// severities are all there are, the lowest first (LogSeverity).
var severities = []string{"default", "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

func severity(these []literal) possible {
	out := no
	for rank, name := range severities {
		here := yes
		for _, l := range these {
			holds, known := graded(l.atom, rank, name)
			if !known {
				here = min(here, maybe)
			} else if holds == l.not {
				here = no
			}
		}
		out = max(out, here)
	}
	return out
}

func graded(a atom, rank int, name string) (holds, known bool) {
	than := slices.Index(severities, strings.ToLower(a.value))
	switch {
	case a.op == "any" || a.op == "there":
		return true, true
	case a.op == ":":
		return strings.Contains(name, a.value), true
	case than < 0:
		return false, false
	}
	switch a.op {
	case "=":
		return rank == than, true
	case "<":
		return rank < than, true
	case "<=":
		return rank <= than, true
	case ">":
		return rank > than, true
	case ">=":
		return rank >= than, true
	}
	return false, false
}

// single are fields that hold one value at most; of another that is asked for two values, one may be among several.
var single = regexp.MustCompile(`^(log_id|parent|sample|resource\.(type|labels\..+)|labels\..+|protoPayload\.(serviceName|methodName|resourceName|"?@type"?|authenticationInfo\.principalEmail))$`)

// everywhere are fields every entry has.
var everywhere = []string{logID, "parent", "resource.type", "timestamp", "insertId"}

// text reports whether a field can be as the literals about it say.
func text(field string, these []literal) possible {
	var wanted []literal
	exact := -1
	for _, l := range these {
		if l.not && (l.op == "any" || l.op == "there") && slices.Contains(everywhere, field) {
			return no
		}
		if l.not {
			continue
		}
		if wanted = append(wanted, l); l.op == "=" {
			if exact >= 0 && wanted[exact].value != l.value && single.MatchString(field) {
				return no
			}
			exact = len(wanted) - 1
		}
	}
	switch {
	case len(wanted) == 0:
		return absent(these)
	case exact >= 0 && single.MatchString(field):
		return valued(wanted[exact].value, these)
	case slices.ContainsFunc(these, func(l literal) bool { return l.not && l.op == "any" }):
		return no
	case slices.ContainsFunc(these, func(l literal) bool { return l.not && l.op == "there" }):
		return maybe
	case len(these) == 1 && these[0].op != "there" && !strings.ContainsAny(these[0].op, "<>~"):
		return yes
	}
	return maybe
}

// absent reports whether an entry can lack the field, or have another value, where nothing is wanted of it. Whether one that
// lacks it passes !=, nobody knows.
func absent(these []literal) possible {
	if slices.ContainsFunc(these, func(l literal) bool { return l.op == "there" || strings.ContainsAny(l.op, "<>") }) {
		return maybe
	}
	return yes
}

// valued reports whether a value is as the literals say.
func valued(value string, these []literal) possible {
	out := yes
	for _, l := range these {
		holds := false
		switch l.op {
		case "any", "there":
			holds = true
		case "=":
			holds = l.value == value
		case ":":
			holds = strings.Contains(value, l.value)
		case "=~":
			r, err := regexp.Compile(l.value)
			if err != nil {
				out = maybe
				continue
			}
			// Values stand here in small letters; the entry's have the case that the expression is written for.
			holds = r.MatchString(value)
			if loose, err := regexp.Compile("(?i)" + l.value); err != nil || loose.MatchString(value) != holds {
				out = maybe
				continue
			}
		default:
			out = maybe
			continue
		}
		if holds == l.not {
			return no
		}
	}
	return out
}
