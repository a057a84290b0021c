package engine

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// ExpiresLayout is how the field "expires" is kept: of fixed width, so that it orders as text.
const ExpiresLayout = "2006-01-02T15:04:05.000000Z"

// Body is a document in the forms drivers need. A Body is never changed once made.
type Body struct {
	JSON    []byte         // canonical: keys sorted, no white space
	Fields  map[string]any // string, bool, int64, float64, nil, []any, map[string]any; may be nil in a Body read back
	Expires time.Time      // zero: never
}

// Encode turns a document into a Body and checks the limits every store has. Errors are Invalid.
func Encode(doc any) (Body, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return Body{}, fault.New(fault.Invalid, "encoding: %w", err)
	}
	if replacesText(raw) {
		return Body{}, fault.New(fault.Invalid, "text is not UTF-8")
	}
	fields, err := decode(raw)
	if err != nil {
		return Body{}, err
	}
	expires, err := canonicalExpires(fields)
	if err != nil {
		return Body{}, err
	}
	c := census{}
	if err := c.fields(fields, 0); err != nil {
		return Body{}, err
	}
	canonical, err := Canonical(fields)
	if err != nil {
		return Body{}, err
	}
	b := Body{JSON: canonical, Fields: fields, Expires: expires}
	if len(b.JSON) > store.MaxDocumentBytes || c.bytes > firestoreMax {
		return Body{}, fault.New(fault.Invalid, "a document of %d bytes is too large", len(b.JSON))
	}
	return b, nil
}

// Canonical returns the fields as JSON, keys sorted. Errors are Invalid.
func Canonical(fields map[string]any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return nil, fault.New(fault.Invalid, "encoding: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Live reports whether the document is still to be seen at the given time.
func (b Body) Live(now time.Time) bool { return b.Expires.IsZero() || b.Expires.After(now) }

// Decode fills a pointer, replacing what it points to as a whole; on an error it is left alone.
func (b Body) Decode(into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fault.New(fault.Invalid, "decoding a document into %T, which is not a pointer", into)
	}
	fresh := reflect.New(target.Type().Elem())
	if err := json.Unmarshal(b.JSON, fresh.Interface()); err != nil {
		// The decoder's own text may quote the document.
		return fault.New(fault.Misconfigured, "decoding a stored document into %T: it has another shape", into)
	}
	target.Elem().Set(fresh.Elem())
	return nil
}

// Parse returns the fields of a document read back.
func Parse(canonical []byte) (map[string]any, error) { return decode(canonical) }

// replacesText reports whether the JSON encoder met bytes that are not UTF-8: it writes the replacement character
// as an escape then, and as itself where it was in the text.
func replacesText(raw []byte) bool {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(raw[i+1:], []byte("ufffd")) {
			return true
		}
		i++
	}
	return false
}

func decode(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fault.New(fault.Invalid, "decoding: %w", err)
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "a document is a JSON object, not a %T", value)
	}
	for name, value := range fields {
		number, err := numbers(value)
		if err != nil {
			return nil, err
		}
		fields[name] = number
	}
	return fields, nil
}

// numbers replaces JSON numbers by int64 where they are written as integers, else by float64.
func numbers(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case json.Number:
		return number(v.String())
	case map[string]any:
		for name, inner := range v {
			if v[name], err = numbers(inner); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, inner := range v {
			if v[i], err = numbers(inner); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

func number(text string) (any, error) {
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fault.New(fault.Invalid, "a number is not finite")
		}
		// JSON writes whole numbers below 1e21 as integers; read back, they would be.
		if f != math.Trunc(f) || math.Abs(f) >= 1e21 {
			return f, nil
		}
		text = strconv.FormatFloat(f, 'f', 0, 64)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "an integer does not fit 64 bits with a sign")
	}
	return n, nil
}

// canonicalExpires rewrites the field in ExpiresLayout, and removes it where it is null.
func canonicalExpires(fields map[string]any) (time.Time, error) {
	value, ok := fields[store.ExpiresField]
	if !ok {
		return time.Time{}, nil
	}
	if value == nil {
		delete(fields, store.ExpiresField)
		return time.Time{}, nil
	}
	text, ok := value.(string)
	if !ok {
		return time.Time{}, fault.New(fault.Invalid, "field %q is not a text", store.ExpiresField)
	}
	expires, err := ParseExpires(text)
	if err != nil {
		return time.Time{}, err
	}
	fields[store.ExpiresField] = expires.Format(ExpiresLayout)
	return expires, nil
}

// ParseExpires reads the field "expires": RFC 3339, in UTC, cut to microseconds. The zero time, which is a time
// somebody forgot to set, is Invalid, and so is a year a database's timestamp cannot hold.
func ParseExpires(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "field %q is not an RFC 3339 time", store.ExpiresField)
	}
	if t = t.UTC().Truncate(time.Microsecond); t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, fault.New(fault.Invalid, "field %q is not set to a time between the years 1 and 9999", store.ExpiresField)
	}
	return t, nil
}
