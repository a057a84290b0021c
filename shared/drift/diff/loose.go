package diff

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// rest writes what lies in an object beside the paths known, a part each, sorted.
func rest(v any, path string, known []string) []string {
	switch {
	case path != "" && slices.ContainsFunc(known, func(p string) bool { return path == p || strings.HasPrefix(path, p+".") }):
		return nil
	case path == "" || slices.ContainsFunc(known, func(p string) bool { return strings.HasPrefix(p, path+".") }):
		if list, is := v.([]any); is && len(list) == 1 {
			v = list[0]
		}
		if m, is := v.(map[string]any); is {
			var parts []string
			for name, inner := range m {
				parts = append(parts, rest(inner, strings.TrimPrefix(path+"."+snake(name), "."), known)...)
			}
			slices.Sort(parts)
			return parts
		}
	}
	if s := loose(v); s != "" {
		return []string{path + "=" + s}
	}
	return nil
}

// loose writes any value in a way in which Terraform's words and the API's are mostly the same: numbers in quotes or not, a
// list of one as what is in it, zero and false as nothing, names in either spelling. What it writes in two ways may mean
// the same, never the reverse.
func loose(v any) string {
	switch x := v.(type) {
	case bool:
		return strings.TrimSuffix(strconv.FormatBool(x), "false")
	case float64:
		return loose(strconv.FormatFloat(x, 'f', -1, 64))
	case string:
		if x == "0" {
			return ""
		}
		return x
	case []any:
		if len(x) == 1 {
			return loose(x[0])
		}
		var parts []string
		for _, inner := range x {
			parts = append(parts, loose(inner))
		}
		return strings.TrimPrefix("["+strings.Join(parts, ";")+"]", "[]")
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(x)) {
			if s := loose(x[name]); s != "" {
				parts = append(parts, snake(name)+":"+s)
			}
		}
		slices.Sort(parts)
		return strings.TrimPrefix("{"+strings.Join(parts, ";")+"}", "{}")
	}
	return ""
}

// snake is a name of the API's as Terraform spells it: srcIpRanges is src_ip_ranges.
func snake(name string) string {
	var out strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
