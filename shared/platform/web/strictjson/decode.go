package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Field is a struct field as encoding/json sees it.
type Field struct {
	Name      string
	Type      reflect.Type
	Omitempty bool // or omitzero: it may be missing from what we write
	Tag       reflect.StructTag
}

// Fields lists the fields of a struct type by their JSON names, embedded structs spread. Fields without a name of
// their own in the tag go by the Go name.
func Fields(t reflect.Type) []Field {
	var fields []Field
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" { // but "-," names a field so
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			fields = append(fields, Fields(f.Type)...)
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, Field{name, f.Type, strings.Contains(options, "omit"), f.Tag})
	}
	return fields
}

// Decode reads one object into a pointer, as strictly as Parse, and more: every name must be spelled exactly as a
// field of the struct, at every depth; null is for pointers only; a field tagged required:"true" must be there. The
// names in ignored may also occur at the top: they are left out and returned. Every error is an *Error; then into
// is left in an unknown state.
func Decode(data []byte, maxDepth int, into any, ignored ...string) ([]string, error) {
	v, err := Parse(data, maxDepth)
	if err != nil {
		return nil, err
	}
	if v.Kind != Object {
		return nil, &Error{What: "the text is not an object"}
	}
	var seen []string
	v.Members = slices.DeleteFunc(v.Members, func(m Member) bool {
		if slices.Contains(ignored, m.Name) {
			seen = append(seen, m.Name)
			return true
		}
		return false
	})
	if err := check(v, reflect.TypeOf(into).Elem()); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // what lands in an "any" keeps all its digits
	if err := decoder.Decode(into); err != nil {
		return nil, &Error{What: "does not have the expected shape"}
	}
	return seen, nil
}

// check compares a value with the type it is to fill.
func check(v Value, t reflect.Type) error {
	if t.Kind() == reflect.Pointer {
		if v.Kind == Null {
			return nil
		}
		return check(v, t.Elem())
	}
	if own, ok := reflect.New(t).Interface().(json.Unmarshaler); ok {
		if v.Kind == Null && t != reflect.TypeFor[json.RawMessage]() || own.UnmarshalJSON(v.raw) != nil {
			return &Error{What: "is not a " + noun(t)}
		}
		return nil
	}
	if own, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		if v.Kind != String || own.UnmarshalText([]byte(v.Text)) != nil {
			return &Error{What: "is not a " + noun(t)}
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Interface:
		return nil
	case reflect.Struct:
		return checkStruct(v, t)
	case reflect.Map:
		if v.Kind != Object {
			return wrong(v, Object)
		}
		for _, m := range v.Members {
			if err := check(m.Value, t.Elem()); err != nil {
				return inside(m.Name, err)
			}
		}
		return nil
	case reflect.Slice, reflect.Array:
		return checkList(v, t)
	}
	return checkScalar(v, t)
}

func checkStruct(v Value, t reflect.Type) error {
	if v.Kind != Object {
		return wrong(v, Object)
	}
	fields := Fields(t)
	for _, m := range v.Members {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == m.Name })
		if i < 0 {
			return inside(m.Name, &Error{What: "is not known here"})
		}
		if err := check(m.Value, fields[i].Type); err != nil {
			return inside(m.Name, err)
		}
	}
	for _, f := range fields {
		present := func(m Member) bool { return m.Name == f.Name }
		if f.Tag.Get("required") == "true" && !slices.ContainsFunc(v.Members, present) {
			return &Error{f.Name, "is missing"}
		}
	}
	return nil
}

func checkList(v Value, t reflect.Type) error {
	if t.Elem().Kind() == reflect.Uint8 { // bytes travel as base64
		if v.Kind != String {
			return wrong(v, String)
		}
		if json.Unmarshal(v.raw, reflect.New(t).Interface()) != nil {
			return &Error{What: "is not base64"}
		}
		return nil
	}
	if v.Kind != Array {
		return wrong(v, Array)
	}
	if t.Kind() == reflect.Array && t.Len() != len(v.Items) {
		return &Error{What: fmt.Sprintf("does not hold %d items", t.Len())}
	}
	for i, item := range v.Items {
		if err := check(item, t.Elem()); err != nil {
			return inside("["+strconv.Itoa(i)+"]", err)
		}
	}
	return nil
}

func checkScalar(v Value, t reflect.Type) error {
	want, parse := Number, func() error { return nil }
	switch t.Kind() {
	case reflect.String:
		want = String
	case reflect.Bool:
		want = Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		parse = func() error { _, err := strconv.ParseInt(v.Text, 10, t.Bits()); return err }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		parse = func() error { _, err := strconv.ParseUint(v.Text, 10, t.Bits()); return err }
	case reflect.Float32, reflect.Float64:
		parse = func() error { _, err := strconv.ParseFloat(v.Text, t.Bits()); return err }
	}
	if v.Kind != want {
		return wrong(v, want)
	}
	if parse() != nil {
		return &Error{What: "is not a number of the expected range"}
	}
	return nil
}

func wrong(v Value, want Kind) error {
	return &Error{What: fmt.Sprintf("is of type %s instead of %s", v.Kind, want)}
}

// noun names a type that reads itself, for the caller.
func noun(t reflect.Type) string {
	switch t.String() {
	case "time.Time":
		return "time in RFC 3339 form"
	case "netip.Addr":
		return "network address"
	case "netip.Prefix":
		return "network prefix"
	}
	return "value of the expected form"
}
