package diff

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// canon writes a value one way: two values are equal when that is the same. "" stands for all ways to say nothing: null, an
// empty text, list or object, a block that is not there. An error: the value is of a shape the rule does not know, so
// nobody can say whether it is equal.
type canon func(v any) (string, error)

var errShape = errors.New("the value is of a shape nobody expected")

// none reports whether a value says nothing.
func none(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

// text is a value that is the same only when it is written the same.
func text(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case float64, bool:
		return fmt.Sprint(x), nil
	}
	if none(v) {
		return "", nil
	}
	return "", errShape
}

// fold is a text without case.
func fold(v any) (string, error) {
	s, err := text(v)
	return strings.ToUpper(s), err
}

// spaced is a text in which one space is as good as many, such as a filter.
func spaced(v any) (string, error) {
	s, err := text(v)
	return strings.Join(strings.Fields(s), " "), err
}

// number is a number, or one written as a text.
func number(v any) (string, error) {
	if none(v) {
		return "", nil
	}
	switch x := v.(type) {
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), nil
	case string:
		if f, err := strconv.ParseFloat(x, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return strconv.FormatFloat(f, 'f', -1, 64), nil
		}
	}
	return "", errShape
}

// flag is true or not; left out is false.
func flag(v any) (string, error) {
	if none(v) {
		return "false", nil
	}
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x), nil
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(x)); err == nil {
			return strconv.FormatBool(b), nil
		}
	}
	return "", errShape
}

// yes is flag inside an object, where false is as good as nothing; count is number, where 0 is.
func yes(v any) (string, error) {
	s, err := flag(v)
	return strings.TrimSuffix(s, "false"), err
}

func count(v any) (string, error) {
	s, err := number(v)
	if s == "0" {
		s = ""
	}
	return s, err
}

// seconds is a length of time: 3600, "3600", "3600s", "1h", "3600.0s".
func seconds(v any) (string, error) {
	if s, is := v.(string); is && s != "" {
		if d, err := time.ParseDuration(s); err == nil {
			return strconv.FormatFloat(d.Seconds(), 'f', -1, 64), nil
		}
	}
	return number(v)
}

// link is the name of another resource: a self link, a full or a relative name.
func link(v any) (string, error) {
	s, err := text(v)
	if err != nil || s == "" {
		return s, err
	}
	for _, root := range []string{"projects/", "folders/", "organizations/"} {
		if at := strings.LastIndex("/"+s, "/"+root); at >= 0 {
			return s[at:], nil
		}
	}
	return strings.TrimPrefix(s, "//"), nil
}

// mail is an address, or a member such as user:ADDRESS: without case.
func mail(v any) (string, error) {
	s, err := text(v)
	return strings.ToLower(s), err
}

// set is a list whose order means nothing; each member is written by a rule.
func set(of canon) canon {
	return func(v any) (string, error) {
		list, err := listed(v, of)
		slices.Sort(list)
		return strings.Join(slices.Compact(list), "\n"), err
	}
}

// sequence is a list whose order counts.
func sequence(of canon) canon {
	return func(v any) (string, error) {
		list, err := listed(v, of)
		return strings.Join(list, "\n"), err
	}
}

func listed(v any, of canon) ([]string, error) {
	if none(v) {
		return nil, nil
	}
	items, is := v.([]any)
	if !is {
		items = []any{v}
	}
	var out []string
	for _, item := range items {
		s, err := of(item)
		if err != nil {
			return nil, err
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

// object is one with the fields given, each under its names and by its rule. Names are written as Terraform's and as the API's,
// divided by "|"; a dot goes inside. Whatever else says something is written by the loose rule, so that nothing is taken for
// equal because nobody has heard of it; harmless are what says nothing of what was wanted.
func object(fields map[string]canon, harmless ...string) canon {
	names := slices.Sorted(maps.Keys(fields))
	known := slices.Clone(harmless)
	for _, name := range names {
		for _, path := range strings.Split(name, "|") {
			known = append(known, snake(path))
		}
	}
	return func(v any) (string, error) {
		if none(v) {
			return "", nil
		}
		var parts []string
		for _, name := range names {
			inner, err := at(v, name)
			if err != nil {
				return "", err
			}
			s, err := fields[name](inner)
			if err != nil {
				return "", err
			}
			first, _, _ := strings.Cut(name, "|")
			if s != "" {
				parts = append(parts, first+"="+strings.ReplaceAll(s, "\n", ","))
			}
		}
		return strings.Join(append(parts, rest(v, "", known)...), " "), nil
	}
}

// labels are a map of texts. What a label is worth does not depend on who laid it.
func labels(v any) (string, error) {
	if none(v) {
		return "", nil
	}
	m, is := v.(map[string]any)
	if !is {
		return "", errShape
	}
	var parts []string
	for name, value := range m {
		s, err := text(value)
		if err != nil {
			return "", err
		}
		parts = append(parts, name+"="+strings.ReplaceAll(s, "\n", `\n`)) // an entry is a line
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n"), nil
}

// at returns what lies at a path: names with dots between, or several such paths with "|" between, of which the first
// counts that leads to something. A list of one is looked into, as Terraform writes blocks.
func at(v any, paths string) (any, error) {
	for _, path := range strings.Split(paths, "|") {
		if inner, err := down(v, path); err != nil || inner != nil {
			return inner, err
		}
	}
	return nil, nil
}

func down(v any, path string) (any, error) {
	for _, name := range strings.Split(path, ".") {
		if list, is := v.([]any); is {
			switch len(list) {
			case 0:
				return nil, nil
			case 1:
				v = list[0]
			default:
				return nil, errShape
			}
		}
		if v == nil {
			return nil, nil
		}
		m, is := v.(map[string]any)
		if !is {
			return nil, errShape
		}
		v = m[name]
	}
	return v, nil
}
