package engine

import (
	"strings"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// What Firestore counts, in bytes. The name of a document, two ids at most, counts too.
const (
	mapBytes     = 32
	numberBytes  = 8
	nameBytes    = 16 + 2*(store.MaxIDBytes+1)
	firestoreMax = 1<<20 - nameBytes
)

// census counts a document as Firestore does
// (https://firebase.google.com/docs/firestore/storage-size) and checks names, depth and number of values.
type census struct {
	bytes  int
	values int
}

func (c *census) fields(fields map[string]any, depth int) error {
	c.bytes += mapBytes
	for name, value := range fields {
		if err := checkName(name); err != nil {
			return err
		}
		c.bytes += len(name) + 1
		if err := c.value(value, depth); err != nil {
			return err
		}
	}
	return nil
}

// value counts a value that lies in depth maps and lists below the document.
func (c *census) value(value any, depth int) error {
	if c.values++; c.values > store.MaxValues {
		return fault.New(fault.Invalid, "more than %d values", store.MaxValues)
	}
	switch v := value.(type) {
	case string:
		c.bytes += len(v) + 1
	case int64, float64:
		c.bytes += numberBytes
	case map[string]any:
		if depth++; depth > store.MaxDepth {
			return tooDeep()
		}
		return c.fields(v, depth)
	case []any:
		if depth++; depth > store.MaxDepth {
			return tooDeep()
		}
		for _, inner := range v {
			if _, nested := inner.([]any); nested {
				return fault.New(fault.Invalid, "a list in a list")
			}
			if err := c.value(inner, depth); err != nil {
				return err
			}
		}
	default: // bool and null
		c.bytes++
	}
	return nil
}

func tooDeep() error {
	return fault.New(fault.Invalid, "maps and lists nested deeper than %d", store.MaxDepth)
}

func checkName(name string) error {
	switch {
	case name == "":
		return fault.New(fault.Invalid, "a field has no name")
	case len(name) > store.MaxNameBytes:
		return fault.New(fault.Invalid, "a field's name is longer than %d bytes", store.MaxNameBytes)
	case reserved(name):
		return fault.New(fault.Invalid, "a field's name begins and ends with two underscores")
	}
	return nil
}

// CheckID checks a document's id or a collection's name; errors are Invalid.
func CheckID(id string) error {
	switch {
	case id == "":
		return fault.New(fault.Invalid, "an id is empty")
	case len(id) > store.MaxIDBytes:
		return fault.New(fault.Invalid, "an id is longer than %d bytes", store.MaxIDBytes)
	case !utf8.ValidString(id):
		return fault.New(fault.Invalid, "an id is not UTF-8")
	case id == "." || id == "..":
		return fault.New(fault.Invalid, "an id is one or two dots")
	case strings.Contains(id, "/"):
		return fault.New(fault.Invalid, "an id contains a slash")
	case reserved(id):
		return fault.New(fault.Invalid, "an id begins and ends with two underscores")
	}
	return nil
}

func reserved(name string) bool {
	return len(name) >= 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}
