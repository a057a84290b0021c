package promise

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// canonical returns JSON whose names are sorted, with no white space, and escapes only where JSON demands them (RFC
// 8785; what is written here has ASCII names and whole numbers only).
func canonical(v any) []byte {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // the shapes of this package always encode
	}
	decoder := json.NewDecoder(&plain)
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		panic(err) // it has just been written
	}
	return appendCanonical(nil, tree)
}

func appendCanonical(out []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		out = append(out, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendText(out, name), ':')
			out = appendCanonical(out, v[name])
		}
		return append(out, '}')
	case []any:
		out = append(out, '[')
		for i, item := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCanonical(out, item)
		}
		return append(out, ']')
	case string:
		return appendText(out, v)
	case json.Number:
		return append(out, v...)
	case bool:
		if v {
			return append(out, "true"...)
		}
		return append(out, "false"...)
	}
	return append(out, "null"...)
}

// appendText writes a text as RFC 8785, section 3.2.2.2 has it.
func appendText(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r < 0x20:
			if i := strings.IndexRune("\b\t\n\f\r", r); i >= 0 {
				out = append(out, '\\', "btnfr"[i])
			} else {
				out = append(out, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
			}
		default:
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}

func compareText(a, b string) int { return strings.Compare(a, b) }
