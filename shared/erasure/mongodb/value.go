package mongodb

import (
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ostiary.internal/shared/platform/fault"
)

var errMixed = fault.New(fault.Invalid, "a field lies in a list, or holds a list where a value is mapped, or a value where a list is")

// at returns what stands at a dotted path. Invalid where the path leads through a list, for the server would look into
// each of its members.
func at(document bson.Raw, path string) (value bson.RawValue, found bool, err error) {
	first, rest, deeper := strings.Cut(path, ".")
	value, err = document.LookupErr(first)
	if err != nil {
		return bson.RawValue{}, false, nil
	}
	if !deeper {
		return value, true, nil
	}
	switch value.Type {
	case bson.TypeArray:
		return bson.RawValue{}, false, errMixed
	case bson.TypeEmbeddedDocument:
		return at(value.Document(), rest)
	}
	return bson.RawValue{}, false, nil
}

const uuidSubtype = 4

// word is a value as an identifier spells it; "" for what is none.
func word(value bson.RawValue) string {
	switch value.Type {
	case bson.TypeString:
		return value.StringValue()
	case bson.TypeObjectID:
		return value.ObjectID().Hex()
	case bson.TypeInt32, bson.TypeInt64:
		return strconv.FormatInt(value.AsInt64(), 10)
	case bson.TypeDouble: // what scripts write for whole numbers
		if d := value.Double(); d == math.Trunc(d) && math.Abs(d) < 1<<53 {
			return strconv.FormatInt(int64(d), 10)
		}
	case bson.TypeDecimal128:
		return value.Decimal128().String()
	case bson.TypeBinary:
		if subtype, b := value.Binary(); subtype == uuidSubtype && len(b) == 16 {
			s := hex.EncodeToString(b)
			return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
		}
	}
	return ""
}

var (
	objectID = regexp.MustCompile(`^[0-9a-f]{24}$`)
	uuid     = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	whole    = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
)

// spelt are the values whose word is one of words.
func spelt(words []string) bson.A {
	var all bson.A
	for _, w := range words {
		all = append(all, w)
		switch {
		case objectID.MatchString(w):
			id, _ := bson.ObjectIDFromHex(w) // it is of the form
			all = append(all, id)
		case uuid.MatchString(w):
			b, _ := hex.DecodeString(strings.ReplaceAll(w, "-", ""))
			all = append(all, bson.Binary{Subtype: uuidSubtype, Data: b})
		}
		if whole.MatchString(w) { // equal to numbers of every type
			n, _ := strconv.ParseInt(w, 10, 64)
			all = append(all, n)
		}
	}
	return all
}

// members are the values of a list.
func members(value bson.RawValue) []bson.RawValue {
	list, isList := value.ArrayOK()
	if !isList {
		return nil
	}
	values, err := list.Values()
	if err != nil {
		return nil
	}
	return values
}

// keyed are the elements of a map.
func keyed(value bson.RawValue) []bson.RawElement {
	document, isMap := value.DocumentOK()
	if !isMap {
		return nil
	}
	elements, err := document.Elements()
	if err != nil {
		return nil
	}
	return elements
}

// simple is a value as package erasure reads it: text, a time, nil, a whole number, or the value itself.
func simple(value bson.RawValue) any {
	switch value.Type {
	case bson.TypeString:
		return value.StringValue()
	case bson.TypeNull:
		return nil
	case bson.TypeDateTime:
		return value.Time().UTC()
	case bson.TypeTimestamp:
		seconds, _ := value.Timestamp()
		return time.Unix(int64(seconds), 0).UTC()
	case bson.TypeInt32, bson.TypeInt64:
		return value.AsInt64()
	case bson.TypeDouble:
		if whole, err := strconv.ParseInt(word(value), 10, 64); err == nil {
			return whole
		}
	}
	return value
}

// order are the types of an _id as the server sorts them (MongoDB, comparison and sort order); a comparison with $gt
// keeps to its own.
var order = [][]bson.Type{
	{bson.TypeNull}, {bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128}, {bson.TypeString}, {bson.TypeEmbeddedDocument}, {bson.TypeBinary},
	{bson.TypeObjectID}, {bson.TypeBoolean}, {bson.TypeDateTime}, {bson.TypeTimestamp},
}

var aliases = map[bson.Type]string{
	bson.TypeInt32: "number", bson.TypeString: "string", bson.TypeEmbeddedDocument: "object", bson.TypeBinary: "binData",
	bson.TypeObjectID: "objectId", bson.TypeBoolean: "bool", bson.TypeDateTime: "date", bson.TypeTimestamp: "timestamp",
}

// behind is the condition that an _id follows one, whatever their types.
func behind(id bson.RawValue) (bson.D, error) {
	class := slices.IndexFunc(order, func(types []bson.Type) bool { return slices.Contains(types, id.Type) })
	if class < 0 {
		return nil, fault.New(fault.Invalid, "an _id is of a type that is not walked")
	}
	either := bson.A{bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: id}}}}}
	for _, types := range order[class+1:] {
		either = append(either, bson.D{{Key: "_id", Value: bson.D{{Key: "$type", Value: aliases[types[0]]}}}})
	}
	return bson.D{{Key: "$or", Value: either}}, nil
}

// ref names a document in its collection.
func ref(place string, id bson.RawValue) (string, error) {
	text, err := bson.MarshalExtJSON(bson.D{{Key: "in", Value: place}, {Key: "_id", Value: id}}, true, false)
	if err != nil {
		return "", fault.New(fault.Invalid, "an _id cannot be written down")
	}
	return string(text), nil
}

// id reads what ref wrote.
func id(place, ref string) (bson.RawValue, error) {
	var document bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(ref), true, &document); err == nil {
		in, _ := document.Lookup("in").StringValueOK()
		if id, err := document.LookupErr("_id"); err == nil && in == place {
			return id, nil
		}
	}
	return bson.RawValue{}, fault.New(fault.Invalid, "a reference or a cursor is not of this place")
}
