package intake

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/web/strictjson"
)

// Types returns the names of the event types, sorted.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// Schema returns the JSON Schema (2020-12) of the data of one event type, nil for an unknown type. It says what Receive
// checks, but for what one member demands of another.
func Schema(name string) []byte {
	k, known := kinds[name]
	if !known {
		return nil
	}
	s := object(reflect.TypeOf(k.data()).Elem())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = name
	s["description"] = k.doc
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // maps, lists and texts
	}
	return append(text, '\n')
}

func object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range strictjson.Fields(t) {
		properties[f.Name] = property(f.Type, f.Tag)
		if f.Tag.Get("required") == "true" {
			required = append(required, f.Name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func property(t reflect.Type, tag reflect.StructTag) map[string]any {
	p := map[string]any{}
	if doc := tag.Get("doc"); doc != "" {
		p["description"] = doc
	}
	optional := t.Kind() == reflect.Pointer
	if optional {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		p["type"], p["format"] = "string", "date-time"
	case t.Kind() == reflect.Bool:
		p["type"] = "boolean"
	case t.Kind() == reflect.Int64:
		p["type"] = "integer"
		p["minimum"], p["maximum"] = bounds(tag)
	case t.Kind() == reflect.String:
		text(p, tag)
	case t.Kind() == reflect.Slice:
		p["type"] = "array"
		p["minItems"], p["maxItems"] = items(tag)
		if t.Elem().Kind() == reflect.Struct {
			p["items"] = object(t.Elem())
		} else {
			p["items"] = property(t.Elem(), reflect.StructTag(`form:"`+tag.Get("form")+`"`))
		}
	}
	if optional { // null says the same as leaving it out
		p["type"] = []any{p["type"], "null"}
		if list, closed := p["enum"].([]any); closed {
			p["enum"] = append(list, nil)
		}
	}
	return p
}

func text(p map[string]any, tag reflect.StructTag) {
	p["type"] = "string"
	if allowed := tag.Get("enum"); allowed != "" {
		list := []any{}
		for value := range strings.SplitSeq(allowed, ",") {
			list = append(list, value)
		}
		p["enum"] = list
		return
	}
	p["pattern"] = forms[tag.Get("form")].String()
}
