package postgres

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// row is one row as the server holds it: the columns that were asked for, each as the JSON that the server makes of it.
type row struct {
	key     []string
	version string
	columns map[string]any
}

func decode(key []string, version, document string) (row, error) {
	r := row{key: key, version: version}
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber() // what is written back keeps its digits
	if err := d.Decode(&r.columns); err != nil {
		return row{}, fault.New(fault.Invalid, "a row cannot be read") // the error may quote it
	}
	return r, nil
}

// at returns what stands in a field.
func (r row) at(f field) (any, bool) {
	value, found := r.columns[f.name]
	for _, key := range f.path {
		inner, isMap := value.(map[string]any)
		if !isMap {
			return nil, false
		}
		value, found = inner[key]
	}
	return value, found
}

// put replaces what stands in a field that is there, or removes it.
func (r row) put(f field, value any, gone bool) {
	if len(f.path) == 0 {
		if gone {
			value = nil
		}
		r.columns[f.name] = value
		return
	}
	inner := r.columns[f.name]
	for _, key := range f.path[:len(f.path)-1] {
		inner = inner.(map[string]any)[key] // at found it
	}
	if last := f.path[len(f.path)-1]; gone {
		delete(inner.(map[string]any), last)
	} else {
		inner.(map[string]any)[last] = value
	}
}

// word is a value as an identifier spells it; "" for what is none.
func word(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (r row) word(f field) string {
	value, _ := r.at(f)
	return word(value)
}

// words are the values of a field, or of the list in it.
func (r row) words(f field) []string {
	value, _ := r.at(f)
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var words []string
	for _, v := range list {
		if w := word(v); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// simple is a value as package erasure reads it: the server's own times as such, whole numbers as int64.
func (f field) simple(value any) any {
	switch v := value.(type) {
	case string:
		if !f.isTime() || len(f.path) > 0 {
			return v
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
			if at, err := time.Parse(layout, v); err == nil {
				return at.UTC()
			}
		}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
	}
	return value
}

func (r row) created(f *field) time.Time {
	if f == nil {
		return time.Time{}
	}
	value, _ := r.at(*f)
	return erasure.Moment(f.simple(value))
}

// matches is the last word on what the server found: text is compared byte by byte, or letter by letter, whatever the
// column's collation and type.
func (s search) matches(r row) bool { return s.recognises(s.query.Match, s.match, r) }

// leftOut reports whether another search finds the row.
func (s search) leftOut(r row) bool {
	for i, m := range s.query.Not {
		if s.recognises(m, s.not[i], r) {
			return true
		}
	}
	return false
}

func (s search) recognises(m erasure.Match, f field, r row) bool {
	switch value, _ := r.at(f); m.Kind {
	case erasure.MatchRef:
		return slices.Contains(m.Values, s.ref(r))
	case erasure.MatchDocument, erasure.MatchEquals:
		return m.Is(word(value))
	case erasure.MatchContains:
		list, _ := value.([]any)
		return slices.ContainsFunc(list, func(member any) bool { return m.Is(word(member)) })
	case erasure.MatchMapKey:
		keyed, _ := value.(map[string]any)
		return slices.ContainsFunc(slices.Collect(maps.Keys(keyed)), m.Is)
	case erasure.MatchTenant:
		return s.tenant(r) == s.query.Tenant.ID
	}
	return false
}

// tenant is the tenant a row tells.
func (s search) tenant(r row) string {
	if s.query.Tenant.Binding == erasure.BindField {
		return r.word(s.bound)
	}
	return s.query.Tenant.ID // the place's
}

// change applies the query to a row that is to stay, and returns the columns that are different now; none means that
// nothing is left to do.
func (s search) change(r row) map[string]any {
	different := map[string]any{}
	put := func(f field, value any, gone bool) {
		r.put(f, value, gone)
		different[f.name] = r.columns[f.name]
	}
	if s.query.TakesOut() {
		switch value, _ := r.at(s.match); held := value.(type) {
		case []any:
			put(s.match, slices.DeleteFunc(held, func(member any) bool { return s.query.Match.Is(word(member)) }), false)
		case map[string]any:
			maps.DeleteFunc(held, func(key string, _ any) bool { return s.query.Match.Is(key) })
			put(s.match, held, false)
		}
		return different
	}
	for i, f := range s.changed {
		old, found := r.at(f)
		if !found || old == nil && len(f.path) == 0 {
			continue
		}
		old = f.simple(old)
		if value, gone := s.query.Changes[i].Of(old); gone || !same(old, value) {
			put(f, value, gone)
		}
	}
	return different
}

// same reports whether a column already says what a change leaves there, however the column's type writes it.
func same(old, value any) bool {
	text, isText := value.(string)
	switch v := old.(type) {
	case int64:
		is, err := strconv.ParseFloat(text, 64)
		return isText && err == nil && is == float64(v)
	case json.Number:
		was, errWas := v.Float64()
		is, errIs := json.Number(text).Float64()
		return isText && errWas == nil && errIs == nil && was == is
	case bool:
		return isText && text == strconv.FormatBool(v)
	case time.Time:
		if isText {
			return !v.IsZero() && erasure.Moment(text).Equal(v)
		}
	}
	return reflect.DeepEqual(old, value)
}
