package bus

import (
	"regexp"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// MaxFilterBytes is the longest filter Pub/Sub accepts.
const MaxFilterBytes = 256

// Filter decides by a message's attributes whether a subscription carries it. The zero Filter lets everything pass.
type Filter struct{ terms []term }

// term is one comparison of one attribute.
type term struct {
	not      bool
	operator string // one of has, =, !=, hasPrefix
	key      string
	value    string
}

// ParseFilter reads the part of Pub/Sub's filter language that our manifests use: comparisons joined by AND, each of
// them after NOT if need be.
//
//	attributes:key    attributes.key = "v"    attributes.key != "v"    hasPrefix(attributes.key, "v")
//
// Keys are letters, digits, - and _. The empty filter lets everything pass. A filter that Pub/Sub would understand
// and this parser does not (OR, parentheses) is refused like a wrong one. Errors: Misconfigured.
func ParseFilter(text string) (Filter, error) {
	if len(text) > MaxFilterBytes {
		return Filter{}, fault.New(fault.Misconfigured, "reading a filter: %d bytes, at most %d", len(text), MaxFilterBytes)
	}
	var f Filter
	rest := strings.TrimSpace(text)
	for more := rest != ""; more; {
		t, behind, err := parseTerm(rest)
		if err != nil {
			return Filter{}, fault.New(fault.Misconfigured, "reading the filter %q at %q: %w", text, rest, err)
		}
		f.terms = append(f.terms, t)
		if rest, more = strings.CutPrefix(behind, "AND "); !more && rest != "" {
			return Filter{}, fault.New(fault.Misconfigured, "reading the filter %q at %q: AND or the end expected", text, rest)
		}
		rest = strings.TrimSpace(rest)
	}
	return f, nil
}

// Match reports whether a message with these attributes passes.
func (f Filter) Match(attributes map[string]string) bool {
	for _, t := range f.terms {
		if t.holds(attributes) == t.not {
			return false
		}
	}
	return true
}

// Both kinds of comparison, and the key alone. A string's escapes are read afterwards.
var (
	comparison = regexp.MustCompile(`^attributes\.([A-Za-z0-9_-]+)\s*(=|!=)\s*("(?:[^"\\]|\\.)*")\s*`)
	prefix     = regexp.MustCompile(`^hasPrefix\(\s*attributes\.([A-Za-z0-9_-]+)\s*,\s*("(?:[^"\\]|\\.)*")\s*\)\s*`)
	presence   = regexp.MustCompile(`^attributes:([A-Za-z0-9_-]+)\s*`)
)

// parseTerm reads one comparison and returns what stands behind it.
func parseTerm(text string) (t term, rest string, err error) {
	if rest, t.not = strings.CutPrefix(text, "NOT "); t.not {
		text = strings.TrimSpace(rest)
	}
	literal := `""`
	var found []string
	switch {
	case comparison.MatchString(text):
		found = comparison.FindStringSubmatch(text)
		t.key, t.operator, literal = found[1], found[2], found[3]
	case prefix.MatchString(text):
		found = prefix.FindStringSubmatch(text)
		t.key, t.operator, literal = found[1], "hasPrefix", found[2]
	case presence.MatchString(text):
		found = presence.FindStringSubmatch(text)
		t.key, t.operator = found[1], "has"
	default:
		return term{}, "", fault.New(fault.Misconfigured, "no comparison of an attribute")
	}
	t.value, err = strconv.Unquote(literal)
	return t, text[len(found[0]):], err
}

func (t term) holds(attributes map[string]string) bool {
	value, has := attributes[t.key]
	switch t.operator {
	case "has":
		return has
	case "=":
		return has && value == t.value
	case "!=":
		return !has || value != t.value // as Pub/Sub has it: an absent key differs from every value
	default:
		return has && strings.HasPrefix(value, t.value)
	}
}
