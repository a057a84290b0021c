package policy

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decode fills into, a pointer, from the document and returns everything that does not fit at once: unknown keys
// with the list of known ones, values of another shape, empty values. What fits is filled in all the same.
//
// Into may hold structs with yaml tags (",inline" included), slices, maps with string keys, pointers, text, whole
// numbers, booleans, any, yaml.Node, and types with UnmarshalText or UnmarshalYAML(*yaml.Node).
func (d document) decode(into any) []Problem {
	if d.root == nil {
		return nil
	}
	c := decoding{file: d.file}
	c.value(d.root, reflect.ValueOf(into).Elem(), "")
	return c.problems
}

type decoding struct {
	file     string
	problems []Problem
}

func (c *decoding) wrong(n *yaml.Node, key, what, allowed string) {
	c.problems = append(c.problems, Problem{File: c.file, Line: n.Line, Column: n.Column, Key: keyOrFile(key), What: what, Allowed: allowed})
}

func (c *decoding) value(n *yaml.Node, out reflect.Value, key string) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		c.wrong(n, key, "has no value", "a value, or leave the key out")
		return
	}
	if out.Kind() == reflect.Pointer {
		out.Set(reflect.New(out.Type().Elem()))
		out = out.Elem()
	}
	switch u := out.Addr().Interface().(type) {
	case *yaml.Node:
		*u = *n
		return
	case yaml.Unmarshaler:
		c.custom(n, key, u.UnmarshalYAML(n))
		return
	case encoding.TextUnmarshaler:
		if n.Kind != yaml.ScalarNode {
			c.wrong(n, key, "is not a plain value", "text")
			return
		}
		c.custom(n, key, u.UnmarshalText([]byte(n.Value)))
		return
	}
	switch out.Kind() {
	case reflect.Struct:
		c.fields(n, out, key)
	case reflect.Slice:
		c.items(n, out, key)
	case reflect.Map:
		c.entries(n, out, key)
	case reflect.Interface:
		c.custom(n, key, n.Load(out.Addr().Interface()))
	default:
		c.scalar(n, out, key)
	}
}

// custom reports the error of a type's own unmarshaler.
func (c *decoding) custom(n *yaml.Node, key string, err error) {
	if err == nil {
		return
	}
	if m, ok := errors.AsType[mistake](err); ok {
		c.wrong(n, key, m.what, m.allowed)
		return
	}
	c.wrong(n, key, err.Error(), "")
}

func (c *decoding) scalar(n *yaml.Node, out reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		c.wrong(n, key, "is not a plain value", map[reflect.Kind]string{
			reflect.String: "text", reflect.Bool: "true, false", reflect.Int: "a whole number", reflect.Int64: "a whole number",
		}[out.Kind()])
		return
	}
	switch out.Kind() {
	case reflect.String:
		out.SetString(n.Value)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			c.wrong(n, key, "is neither true nor false", "true, false")
		}
		out.SetBool(n.Value == "true")
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, 64)
		// A leading zero would mean octal to one reader and decimal to the next.
		if err != nil || strconv.FormatInt(i, 10) != n.Value || n.Tag != "!!int" {
			c.wrong(n, key, "is not a whole number", "digits without a leading zero")
			return
		}
		out.SetInt(i)
	default:
		panic(fmt.Sprintf("policy: a field of type %s cannot be read from YAML", out.Type()))
	}
}

func (c *decoding) items(n *yaml.Node, out reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		c.wrong(n, key, "is not a list", "a list: [a, b]")
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		c.value(item, out.Index(i), index(key, i))
	}
}

func (c *decoding) entries(n *yaml.Node, out reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		c.wrong(n, key, "is not a mapping", "key: value")
		return
	}
	out.Set(reflect.MakeMap(out.Type()))
	for _, p := range pairs(n) {
		value := reflect.New(out.Type().Elem()).Elem()
		c.value(p.value, value, join(key, p.name.Value))
		out.SetMapIndex(reflect.ValueOf(p.name.Value).Convert(out.Type().Key()), value)
	}
}

func (c *decoding) fields(n *yaml.Node, out reflect.Value, key string) {
	known := map[string]reflect.Value{}
	collect(out, known)
	if n.Kind != yaml.MappingNode {
		c.wrong(n, key, "is not a mapping", "the keys "+names(known))
		return
	}
	for _, p := range pairs(n) {
		field, ok := known[p.name.Value]
		if !ok {
			c.unknown(p.name, key, n, known)
			continue
		}
		c.value(p.value, field, join(key, p.name.Value))
	}
}

// unknown reports a key that a mapping does not have, and which one was meant: one that is not there as well.
func (c *decoding) unknown(name *yaml.Node, key string, mapping *yaml.Node, known map[string]reflect.Value) {
	left := maps.Clone(known)
	for _, p := range pairs(mapping) {
		delete(left, p.name.Value)
	}
	free := slices.Sorted(maps.Keys(left))
	c.wrong(name, join(key, name.Value), "unknown key"+Meant(name.Value, free), names(known))
	if meant := nearest(name.Value, free); meant != "" {
		c.problems[len(c.problems)-1].meant = join(key, meant)
	}
}

// collect adds the fields of a struct that have a yaml tag, by name, those of inlined structs included.
func collect(s reflect.Value, known map[string]reflect.Value) {
	for i := range s.NumField() {
		name, option, _ := strings.Cut(s.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			collect(s.Field(i), known)
		case name != "" && name != "-":
			known[name] = s.Field(i)
		}
	}
}

func names(known map[string]reflect.Value) string {
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
