package engine

import (
	"slices"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// schema is a checked store.Schema by collection.
type schema map[string]store.Collection

// newSchema checks a schema; every fault in it is Misconfigured.
func newSchema(declared store.Schema) (schema, error) {
	s := schema{}
	for _, c := range declared {
		if err := CheckID(c.Name); err != nil {
			return nil, fault.New(fault.Misconfigured, "collection %q: %w", c.Name, err)
		}
		if _, twice := s[c.Name]; twice {
			return nil, fault.New(fault.Misconfigured, "collection %q is declared twice", c.Name)
		}
		for i, index := range c.Indexes {
			if err := checkIndex(c, index); err != nil {
				return nil, err
			}
			if slices.ContainsFunc(c.Indexes[:i], func(other store.Index) bool { return slices.Equal(index, other) }) {
				return nil, fault.New(fault.Misconfigured, "collection %q: index %q is declared twice", c.Name, index)
			}
		}
		s[c.Name] = c
	}
	return s, nil
}

func checkIndex(c store.Collection, index store.Index) error {
	if len(index) == 0 {
		return fault.New(fault.Misconfigured, "collection %q: an index has no field", c.Name)
	}
	for i, name := range index {
		if err := checkName(name); err != nil {
			return fault.New(fault.Misconfigured, "collection %q: index %q: %w", c.Name, index, err)
		}
		if slices.Contains(index[:i], name) {
			return fault.New(fault.Misconfigured, "collection %q: index %q names a field twice", c.Name, index)
		}
	}
	return nil
}

func (s schema) collection(name string) (store.Collection, error) {
	c, ok := s[name]
	if !ok {
		return store.Collection{}, fault.New(fault.Misconfigured, "the collection is not declared")
	}
	return c, nil
}

// check checks the place of a document.
func (s schema) check(collection, id string) error {
	if _, err := s.collection(collection); err != nil {
		return err
	}
	return CheckID(id)
}

// encode encodes a document for its collection and checks what the collection declares about it.
func (s schema) encode(collection, id string, doc any) (Body, error) {
	if err := s.check(collection, id); err != nil {
		return Body{}, err
	}
	body, err := Encode(doc)
	if err != nil {
		return Body{}, err
	}
	c := s[collection]
	if !body.Expires.IsZero() && !c.Expires {
		return Body{}, fault.New(fault.Misconfigured, "a document expires, and the collection does not declare it")
	}
	for _, index := range c.Indexes {
		for _, name := range index {
			if err := checkIndexed(name, body.Fields); err != nil {
				return Body{}, err
			}
		}
	}
	return body, nil
}

func checkIndexed(name string, fields map[string]any) error {
	value, present := fields[name]
	if !present {
		return nil
	}
	switch v := value.(type) {
	case bool, int64:
		return nil
	case string:
		if len(v) <= store.MaxIndexedBytes {
			return nil
		}
		return fault.New(fault.Invalid, "indexed field %q is longer than %d bytes", name, store.MaxIndexedBytes)
	}
	return fault.New(fault.Invalid, "indexed field %q holds neither a string, nor a bool, nor an integer", name)
}
