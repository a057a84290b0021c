package web

import (
	"encoding"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/web/strictjson"
)

// use says what a schema is for: an answer always holds what is not marked omitempty, a body must hold what is
// tagged required.
type use string

const (
	forBody   use = "body"
	forAnswer use = "answer"
)

// schemas collects the named structs, each described once per use.
type schemas struct {
	named object
	names map[schemaKey]string
}

type schemaKey struct {
	t   reflect.Type
	use use
}

// of describes a type as JSON Schema 2020-12, the dialect of OpenAPI 3.1.
func (s *schemas) of(t reflect.Type, use use) object {
	if t.Kind() == reflect.Pointer {
		return object{"anyOf": []any{s.of(t.Elem(), use), object{"type": "null"}}}
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case speaks[json.Marshaler](t) || speaks[json.Unmarshaler](t):
		return object{} // it writes itself: anything
	case speaks[encoding.TextMarshaler](t) || speaks[encoding.TextUnmarshaler](t):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Interface:
		return object{}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.of(t.Elem(), use)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), use)}
	case reflect.Struct:
		return s.structure(t, use)
	}
	panic(fmt.Sprintf("describing %s: JSON cannot carry it", t))
}

// speaks reports whether values of t, or pointers to them, implement an interface.
func speaks[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}

// structure describes a struct: in place without a name, by reference with one, so that it may contain itself.
func (s *schemas) structure(t reflect.Type, use use) object {
	if t.Name() == "" {
		return s.members(t, use)
	}
	key := schemaKey{t, use}
	name, known := s.names[key]
	if !known {
		name = s.free(t, use)
		s.names[key], s.named[name] = name, nil // taken, before its members refer to it
		s.named[name] = s.members(t, use)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// free returns a name of the form package.Type that no other type has.
func (s *schemas) free(t reflect.Type, use use) string {
	base := notInNames.ReplaceAllString(path.Base(t.PkgPath())+"."+t.Name(), "_")
	if use == forBody {
		base += ".body"
	}
	name := base
	for n := 2; ; n++ {
		if _, taken := s.named[name]; !taken {
			return name
		}
		name = base + "." + strconv.Itoa(n)
	}
}

func (s *schemas) members(t reflect.Type, use use) object {
	properties, required := object{}, []string{}
	for _, f := range strictjson.Fields(t) {
		property := s.of(f.Type, use)
		if doc := f.Tag.Get("doc"); doc != "" {
			property["description"] = doc
		}
		if values := f.Tag.Get("enum"); values != "" {
			of := property
			if items, isList := property["items"].(object); isList {
				of = items
			} else if either, isPointer := property["anyOf"].([]any); isPointer {
				of = either[0].(object)
			}
			of["enum"] = strings.Split(values, ",")
		}
		properties[f.Name] = property
		if use == forAnswer && !f.Omitempty || use == forBody && f.Tag.Get("required") == "true" {
			required = append(required, f.Name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}
