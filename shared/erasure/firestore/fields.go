package firestore

import (
	"slices"
	"strconv"
	"strings"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.internal/shared/erasure"
)

// at returns what stands at a dotted path, or nil.
func at(fields map[string]*pb.Value, path string) *pb.Value {
	first, rest, deeper := strings.Cut(path, ".")
	value := fields[first]
	if !deeper || value == nil {
		return value
	}
	return at(value.GetMapValue().GetFields(), rest)
}

// text returns an identifier as text: text as it is, a whole number in decimal; false for anything else.
func text(v *pb.Value) (string, bool) {
	switch t := v.GetValueType().(type) {
	case *pb.Value_StringValue:
		return t.StringValue, true
	case *pb.Value_IntegerValue:
		return strconv.FormatInt(t.IntegerValue, 10), true
	}
	return "", false
}

// spellings are the values that text returns an identifier for.
func spellings(id string) []*pb.Value {
	all := []*pb.Value{ofText(id)}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil && strconv.FormatInt(n, 10) == id {
		all = append(all, &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: n}})
	}
	return all
}

func ofText(s string) *pb.Value { return &pb.Value{ValueType: &pb.Value_StringValue{StringValue: s}} }

// native is a value as package erasure reads it: text, time, whole number, nil; anything else is itself.
func native(v *pb.Value) any {
	switch t := v.GetValueType().(type) {
	case *pb.Value_StringValue:
		return t.StringValue
	case *pb.Value_TimestampValue:
		return t.TimestampValue.AsTime()
	case *pb.Value_IntegerValue:
		return t.IntegerValue
	case *pb.Value_NullValue, nil:
		return nil
	}
	return v
}

// fieldPath spells a path as the server reads it, each segment quoted where it has to be.
func fieldPath(segments ...string) string {
	quoted := make([]string, len(segments))
	for i, s := range segments {
		quoted[i] = s
		if !simple(s) {
			quoted[i] = "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
		}
	}
	return strings.Join(quoted, ".")
}

func simple(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// path is the server's spelling of a dotted path.
func path(dotted string) string { return fieldPath(strings.Split(dotted, ".")...) }

// edit collects changes of one document: fields that are masked and absent from it are removed.
type edit struct {
	fields map[string]*pb.Value
	mask   []string
}

// set puts a value at a path; nil removes what stands there.
func (e *edit) set(value *pb.Value, segments ...string) {
	e.mask = append(e.mask, fieldPath(segments...))
	if value == nil {
		return
	}
	if e.fields == nil {
		e.fields = map[string]*pb.Value{}
	}
	fields := e.fields
	for _, s := range segments[:len(segments)-1] {
		inner := fields[s].GetMapValue()
		if inner == nil {
			inner = &pb.MapValue{Fields: map[string]*pb.Value{}}
			fields[s] = &pb.Value{ValueType: &pb.Value_MapValue{MapValue: inner}}
		}
		fields = inner.Fields
	}
	fields[segments[len(segments)-1]] = value
}

// takeOut removes the subject from the list or the map the query names.
func takeOut(q erasure.Query, fields map[string]*pb.Value) (e edit) {
	segments := strings.Split(q.Match.Field, ".")
	found := at(fields, q.Match.Field)
	if q.Match.Kind == erasure.MatchMapKey {
		for _, key := range q.Match.Values {
			if found.GetMapValue().GetFields()[key] != nil {
				e.set(nil, append(slices.Clone(segments), key)...)
			}
		}
		return e
	}
	left := &pb.ArrayValue{}
	for _, v := range found.GetArrayValue().GetValues() {
		if s, isText := text(v); !isText || !slices.Contains(q.Match.Values, s) {
			left.Values = append(left.Values, v)
		}
	}
	e.set(&pb.Value{ValueType: &pb.Value_ArrayValue{ArrayValue: left}}, segments...)
	return e
}

// anonymise is what is left to change in a document; an empty edit where it is clean.
func anonymise(q erasure.Query, fields map[string]*pb.Value) (e edit) {
	for _, c := range q.Changes {
		old := at(fields, c.Field)
		if old == nil {
			continue
		}
		segments := strings.Split(c.Field, ".")
		value, gone := c.Of(native(old))
		switch {
		case gone:
			e.set(nil, segments...)
		case !same(native(old), value):
			e.set(ofNative(value), segments...)
		}
	}
	return e
}

func same(old, value any) bool {
	a, isTime := old.(interface{ Equal(time.Time) bool })
	if b, both := value.(time.Time); isTime && both {
		return a.Equal(b)
	}
	return old == value
}

// ofNative is the reverse of native for what a change leaves: text, a time or nothing.
func ofNative(value any) *pb.Value {
	switch v := value.(type) {
	case string:
		return ofText(v)
	case time.Time:
		return &pb.Value{ValueType: &pb.Value_TimestampValue{TimestampValue: timestamppb.New(v)}}
	}
	return &pb.Value{ValueType: &pb.Value_NullValue{}}
}
