// Package strictjson reads JSON that can be read in one way only.
//
// It promises that two careful readers of an accepted text agree on its meaning: valid UTF-8 (RFC 8259, section
// 8.1), no name twice in an object (RFC 7493, section 2.3), no half of a surrogate pair and no NUL in a text, no
// data behind the value, a bounded depth. It does no I/O and does not limit the size: the caller does, before.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is the type of a JSON value.
type Kind string

const (
	Object Kind = "object"
	Array  Kind = "array"
	String Kind = "string"
	Number Kind = "number"
	Bool   Kind = "boolean"
	Null   Kind = "null"
)

// Value is one JSON value with what it contains.
type Value struct {
	Kind    Kind
	Text    string   // of a String: decoded; of a Number or Bool: as written
	Members []Member // of an Object, in the order written
	Items   []Value  // of an Array
	raw     []byte   // as written
}

// Member is a name of an object with its value.
type Member struct {
	Name  string
	Value Value
}

// Error says what is wrong and where. Its text holds names of the input where they are words such as programs give to
// members, never values and never another name, which may be a person's: it may be shown to whoever sent the input, but
// the names are theirs too: they are nothing for a log.
type Error struct {
	At   string // such as "codes[1]" or "person.email"; empty for the whole text
	What string // such as "occurs twice"
}

// Error returns the place and what is wrong with it.
func (e *Error) Error() string {
	if e.At == "" {
		return e.What
	}
	return e.At + " " + e.What
}

// shown is what a name looks like that an Error repeats; another is a member and no more.
var shown = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,63}|\[[0-9]+\])$`)

// inside puts the name of the containing member before err's place.
func inside(name string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	if !shown.MatchString(name) {
		name = "(a member)"
	}
	separator := "."
	if e.At == "" || e.At[0] == '[' {
		separator = ""
	}
	return &Error{name + separator + e.At, e.What}
}

// Parse reads one value. maxDepth counts nested objects and arrays. Every error is an *Error.
func Parse(data []byte, maxDepth int) (Value, error) {
	if !utf8.Valid(data) {
		return Value{}, &Error{What: "the text is not UTF-8"}
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return Value{}, &Error{What: "the text holds a NUL"}
	}
	// The standard library settles the syntax, so that the reader below may walk without looking.
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return Value{}, &Error{What: fmt.Sprintf("the text is not JSON, at byte %d", syntax.Offset)}
		}
		return Value{}, &Error{What: "the text is not JSON"}
	}
	r := reader{data: data, maxDepth: maxDepth}
	return r.value(0)
}

// reader walks over text that is known to be JSON.
type reader struct {
	data     []byte
	pos      int
	maxDepth int
}

// next skips white space and returns the byte there.
func (r *reader) next() byte {
	for strings.IndexByte(" \t\r\n", r.data[r.pos]) >= 0 {
		r.pos++
	}
	return r.data[r.pos]
}

func (r *reader) value(depth int) (Value, error) {
	first := r.next()
	start := r.pos
	v, err := Value{}, error(nil)
	switch first {
	case '{', '[':
		if depth == r.maxDepth {
			return v, &Error{What: fmt.Sprintf("is nested deeper than %d", r.maxDepth)}
		}
		if first == '{' {
			v, err = r.object(depth + 1)
		} else {
			v, err = r.array(depth + 1)
		}
	case '"':
		v.Kind = String
		v.Text, err = r.text()
	default:
		for r.pos < len(r.data) && strings.IndexByte(" \t\r\n,]}", r.data[r.pos]) < 0 {
			r.pos++
		}
		v.Text, v.Kind = string(r.data[start:r.pos]), Number
		switch first {
		case 't', 'f':
			v.Kind = Bool
		case 'n':
			v.Kind = Null
		}
	}
	v.raw = r.data[start:r.pos]
	return v, err
}

func (r *reader) object(depth int) (Value, error) {
	v := Value{Kind: Object}
	seen := map[string]bool{}
	for r.pos++; r.next() != '}'; {
		name, err := r.text()
		if err != nil {
			return v, &Error{What: "has a name that " + err.Error()}
		}
		if seen[name] {
			return v, inside(name, &Error{What: "occurs twice"})
		}
		seen[name] = true
		r.next()
		r.pos++ // the colon
		member, err := r.value(depth)
		if err != nil {
			return v, inside(name, err)
		}
		v.Members = append(v.Members, Member{name, member})
		if r.next() == ',' {
			r.pos++
			r.next()
		}
	}
	r.pos++
	return v, nil
}

func (r *reader) array(depth int) (Value, error) {
	v := Value{Kind: Array}
	for r.pos++; r.next() != ']'; {
		item, err := r.value(depth)
		if err != nil {
			return v, inside("["+strconv.Itoa(len(v.Items))+"]", err)
		}
		v.Items = append(v.Items, item)
		if r.next() == ',' {
			r.pos++
		}
	}
	r.pos++
	return v, nil
}

// text reads a string literal.
func (r *reader) text() (string, error) {
	start := r.pos
	for r.pos++; r.data[r.pos] != '"'; r.pos++ {
		if r.data[r.pos] == '\\' {
			r.pos++
		}
	}
	r.pos++
	raw := r.data[start:r.pos]
	if err := escapes(raw); err != nil {
		return "", err
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", &Error{What: "is not a text"}
	}
	return s, nil
}

// escapes looks at the \u escapes of a string literal: the standard library replaces half a surrogate pair
// silently, and two texts that differ would read the same.
func escapes(raw []byte) error {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		c := unit(raw[i+1:])
		i += 4
		switch {
		case c == 0:
			return &Error{What: "holds a NUL"}
		case utf16.IsSurrogate(c):
			rest := raw[i+1:]
			if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' || utf16.DecodeRune(c, unit(rest[2:])) == utf8.RuneError {
				return &Error{What: "holds half a surrogate pair"}
			}
			i += 6
		}
	}
	return nil
}

// unit reads four hexadecimal digits, one UTF-16 code unit.
func unit(digits []byte) rune {
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
