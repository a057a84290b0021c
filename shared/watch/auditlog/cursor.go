package auditlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting. Google's own limit for a structure inside a log entry is 100.
const maxDepth = 128

// cursor reads one JSON document in a single pass (RFC 8259). encoding/json would fold the case of names, let the
// last of two equal names win, and scan each sub-tree again; an entry is read tens of thousands of times a second.
// The first error sticks; after it every call returns zero values.
type cursor struct {
	data  []byte
	pos   int
	depth int
	twice bool     // equal names in one object are no error: every one of them is visited
	cut   []string // what held a string where an object or a list belongs
	err   error
}

var errSyntax = errors.New("not JSON")

// Names of what cannot be left out.
const (
	theEntry   = "the entry"
	thePayload = "protoPayload"
)

func newCursor(data []byte) *cursor {
	c := &cursor{data: data}
	if !utf8.Valid(data) {
		c.err = errors.New("not UTF-8")
	}
	return c
}

// lenient reads a sub-tree that a cursor has been over before.
func lenient(raw json.RawMessage) *cursor { return &cursor{data: raw, twice: true} }

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *cursor) wrongType(name string) {
	c.fail(fmt.Errorf("%s is of the wrong type", name))
}

// peek returns the next byte that is not white space, or 0 at the end or after an error.
func (c *cursor) peek() byte {
	if c.err != nil {
		return 0
	}
	for c.pos < len(c.data) {
		switch b := c.data[c.pos]; b {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return b
		}
	}
	return 0
}

// end fails unless nothing but white space is left.
func (c *cursor) end() {
	if c.peek(); c.err == nil && c.pos != len(c.data) {
		c.fail(errSyntax)
	}
}

func (c *cursor) expect(b byte) {
	if c.peek() != b || c.err != nil {
		c.fail(errSyntax)
		return
	}
	c.pos++
}

func (c *cursor) enter() {
	if c.depth++; c.depth > maxDepth {
		c.fail(errors.New("nested too deep"))
	}
}

// null consumes a null, if one is next: proto-JSON takes it for an absent value.
func (c *cursor) null() bool {
	if c.peek() != 'n' {
		return false
	}
	c.literal("null")
	return true
}

func (c *cursor) literal(word string) {
	if len(c.data)-c.pos < len(word) || string(c.data[c.pos:c.pos+len(word)]) != word {
		c.fail(errSyntax)
		return
	}
	c.pos += len(word)
}

// open goes into the object or list that is next. It is false for null, and for what is none.
func (c *cursor) open(with byte, name string) bool {
	if c.null() {
		return false
	}
	if b := c.peek(); b != with {
		if c.isCut(b, name) {
			return false
		}
		if b == 0 {
			c.fail(errSyntax)
		}
		c.wrongType(name)
		return false
	}
	c.pos++
	c.enter()
	return true
}

// object calls visit for each member of the object that is next; visit consumes the value. name stands in errors.
func (c *cursor) object(name string, visit func(key string)) {
	if !c.open('{', name) {
		return
	}
	var seen names
	for first := true; c.err == nil; first = false {
		if c.peek() == '}' && first {
			break
		}
		key := c.key()
		if c.err == nil && !c.twice && seen.add(key) {
			c.fail(fmt.Errorf("%s holds the same name twice", name))
		}
		if c.expect(':'); c.err != nil {
			return
		}
		visit(key)
		if c.peek() != ',' {
			break
		}
		c.pos++
	}
	c.expect('}')
	c.depth--
}

// isCut goes over a string where an object or a list belongs: people who share logs put "..." or "REDACTED" there.
// The entry itself and its payload must be what they are.
func (c *cursor) isCut(next byte, name string) bool {
	if next != '"' || name == theEntry || name == thePayload {
		return false
	}
	c.quoted()
	c.cut = append(c.cut, name)
	return true
}

// array calls visit for each item of the array that is next; visit consumes it.
func (c *cursor) array(name string, visit func()) {
	if !c.open('[', name) {
		return
	}
	for first := true; c.err == nil; first = false {
		if c.peek() == ']' && first {
			break
		}
		visit()
		if c.peek() != ',' {
			break
		}
		c.pos++
	}
	c.expect(']')
	c.depth--
}

// text returns the string that is next, "" for null.
func (c *cursor) text(name string) string {
	if c.null() {
		return ""
	}
	if c.peek() != '"' {
		c.wrongType(name)
		return ""
	}
	return c.unquote(c.quoted())
}

// key is text without the null; the names most entries hold cost no memory.
func (c *cursor) key() string {
	if c.peek() != '"' {
		c.fail(errSyntax)
		return ""
	}
	quoted, escaped := c.quoted()
	if c.err == nil && !escaped {
		if name, ok := common[string(quoted)]; ok {
			return name
		}
	}
	return c.unquote(quoted, escaped)
}

func (c *cursor) unquote(quoted []byte, escaped bool) string {
	if c.err != nil {
		return ""
	}
	if !escaped {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		c.fail(errSyntax)
	}
	return s
}

// scalar returns a string, a number or a boolean as text, "" for null.
func (c *cursor) scalar(name string) string {
	switch b := c.peek(); {
	case b == '"':
		return c.text(name)
	case b == '{' || b == '[':
		c.wrongType(name)
		return ""
	default:
		if raw := c.skip(); string(raw) != "null" {
			return string(raw)
		}
		return ""
	}
}

// number returns a whole number; proto-JSON writes those of 64 bits as strings. 0 for null.
func (c *cursor) number(name string) int {
	s := c.scalar(name)
	if s == "" || c.err != nil {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		f, bad := strconv.ParseFloat(s, 64)
		if bad != nil || f != float64(int32(f)) {
			c.wrongType(name)
			return 0
		}
		n = int(f)
	}
	return n
}

// truth returns a boolean, false for null. Some exports write it as a string; one that is not "true" grants nothing.
func (c *cursor) truth(name string) bool {
	switch c.peek() {
	case 't':
		c.literal("true")
		return true
	case 'f':
		c.literal("false")
		return false
	case 'n':
		c.literal("null")
		return false
	case '"':
		return strings.EqualFold(c.text(name), "true")
	}
	c.wrongType(name)
	return false
}

// raw returns the value that is next, nil for null.
func (c *cursor) raw() json.RawMessage {
	if value := c.skip(); c.err == nil && string(value) != "null" {
		return value
	}
	return nil
}
