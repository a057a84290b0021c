package promise

import (
	"bytes"
	"encoding/json"
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
	out, _ := appendCanonical(make([]byte, 0, plain.Len()), bytes.TrimSuffix(plain.Bytes(), []byte("\n")))
	return out
}

// appendCanonical writes the value that in begins with, and returns what follows it. It relies on in being what
// encoding/json writes: valid, and without white space.
func appendCanonical(out, in []byte) (written, rest []byte) {
	switch in[0] {
	case '{':
		return appendObject(out, in[1:])
	case '[':
		out, in = append(out, '['), in[1:]
		for in[0] != ']' {
			if in[0] == ',' {
				out, in = append(out, ','), in[1:]
			}
			out, in = appendCanonical(out, in)
		}
		return append(out, ']'), in[1:]
	case '"':
		end := endOfText(in)
		return appendText(out, in[:end]), in[end:]
	}
	end := bytes.IndexAny(in, ",]}")
	if end < 0 {
		end = len(in)
	}
	return append(out, in[:end]...), in[end:]
}

// appendObject writes an object whose opening brace has been read.
func appendObject(out, in []byte) (written, rest []byte) {
	type member struct{ name, value []byte }
	var members []member
	for in[0] != '}' {
		if in[0] == ',' {
			in = in[1:]
		}
		end := endOfText(in)
		m := member{name: in[:end]}
		begun := len(out) // out serves as the place where values are written first
		out, in = appendCanonical(out, in[end+1:])
		m.value = bytes.Clone(out[begun:])
		out, members = out[:begun], append(members, m)
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.name[1:len(a.name)-1], b.name[1:len(b.name)-1]) })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(appendText(out, m.name), ':'), m.value...)
	}
	return append(out, '}'), in[1:]
}

// endOfText returns how long the quoted text is that in begins with.
func endOfText(in []byte) int {
	for i := 1; ; i++ {
		switch in[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// appendText writes a quoted text as RFC 8785, section 3.2.2.2 has it.
func appendText(out, quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return append(out, quoted...) // nothing in it needs an escape
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		panic(err) // it has just been written
	}
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, r := range text {
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
