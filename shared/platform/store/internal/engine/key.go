package engine

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"slices"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Tags order values of different types as Firestore does: bools, numbers, text.
const (
	tagBool byte = 1 + iota
	tagInt
	tagString
)

// Within a text, a zero byte is followed by 0xff and the end is a zero byte followed by 0x01: "a" comes before
// "a\x00", and "a\x00" before "ab".
const (
	escaped  = 0xff
	textEnds = 0x01
)

// Key returns a document's place in an index as bytes that order like the values: those of the indexed fields,
// then the id. ok is false when the document lacks an indexed field, and so is not in the index.
func Key(index store.Index, fields map[string]any, id string) (key []byte, ok bool) {
	for _, name := range index {
		value, present := fields[name]
		if !present {
			return nil, false
		}
		if key, ok = appendValue(key, value); !ok {
			return nil, false
		}
	}
	return append(key, id...), true
}

// appendValue appends a string, bool or int64; ok is false for anything else.
func appendValue(key []byte, value any) (appended []byte, ok bool) {
	switch v := value.(type) {
	case bool:
		if v {
			return append(key, tagBool, 1), true
		}
		return append(key, tagBool, 0), true
	case int64:
		return binary.BigEndian.AppendUint64(append(key, tagInt), uint64(v)^(1<<63)), true
	case string:
		key = append(key, tagString)
		for _, b := range []byte(v) {
			if key = append(key, b); b == 0 {
				key = append(key, escaped)
			}
		}
		return append(key, 0, textEnds), true
	}
	return key, false
}

// behind returns the first key that lies behind every key that begins with prefix; nil when there is none.
func behind(prefix []byte) []byte {
	next := slices.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

// comparable turns a query's value, of any named type, into the string, bool or int64 that documents hold.
func comparable(field string, value any) (any, error) {
	v := reflect.ValueOf(value)
	switch {
	case !v.IsValid():
	case v.Kind() == reflect.Bool:
		return v.Bool(), nil
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), nil
	case v.Kind() == reflect.String && field == store.ExpiresField:
		expires, err := ParseExpires(v.String())
		return expires.Format(ExpiresLayout), err
	case v.Kind() == reflect.String:
		return v.String(), nil
	}
	return nil, fault.New(fault.Invalid, "field %q is compared with a %T, not with a string, bool or integer", field, value)
}

// Within reports whether key lies in the plan's bounds.
func (p Plan) Within(key []byte) bool {
	return bytes.Compare(key, p.Low) >= 0 && (p.High == nil || bytes.Compare(key, p.High) < 0)
}
