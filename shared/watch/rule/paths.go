package rule

import (
	"strconv"
	"strings"
)

// at follows a path of names and positions through decoded JSON, such as "policy.bindings.0.role". The last name may hold
// dots itself, as those of annotations do.
func at(value any, path string) any {
	for path != "" {
		step, rest, _ := strings.Cut(path, ".")
		switch v := value.(type) {
		case map[string]any:
			if whole, is := v[path]; is {
				return whole
			}
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
		path = rest
	}
	return value
}

// Text returns what stands at a path as text: numbers without an exponent, true and false as such, "" for what is not
// there or is no plain value.
func Text(value any, path string) string {
	switch v := at(value, path).(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// Sub returns the items of a list at a path; none for what is no list.
func Sub(value any, path string) []any {
	items, _ := at(value, path).([]any)
	if items == nil {
		return []any{}
	}
	return items
}

// Strings returns the items of a list at a path that are text.
func Strings(value any, path string) []string {
	var all []string
	for _, item := range Sub(value, path) {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// Parameter returns the value of a parameter of an event of the Workspace logs, which stand in
// metadata.event[].parameter[] as name and value.
func Parameter(metadata any, name string) string {
	for _, event := range Sub(metadata, "event") {
		for _, p := range Sub(event, "parameter") {
			if Text(p, "name") != name {
				continue
			}
			for _, field := range []string{"value", "intValue", "boolValue", "multiStrValue.0", "multiIntValue.0"} {
				if s := Text(p, field); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

// segment returns what follows a name in a path: of "projects/p/secrets/s/versions/1" and "secrets" it is "s".
func segment(path any, name string) string {
	s, _ := path.(string)
	parts := strings.Split(s, "/")
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] == name {
			return parts[i+1]
		}
	}
	return ""
}
