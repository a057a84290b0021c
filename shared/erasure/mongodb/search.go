package mongodb

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// smallCollection is how many documents may be read through without an index.
const smallCollection = 10_000

// search is a query fitted to the collection it is about.
type search struct {
	query      erasure.Query
	collection *mongo.Collection
	extra      []string // further fields to read
}

// fit looks the place up and refuses what the store could not carry out as it stands.
func (d *database) fit(ctx context.Context, q erasure.Query, extra ...string) (search, error) {
	s := search{query: q, extra: extra}
	db, name, ok := strings.Cut(q.Place, ".")
	if !ok || db == "" || name == "" || strings.ContainsAny(q.Place, "$\x00") {
		return s, fault.New(fault.Invalid, "a place is database.collection")
	}
	if q.Tenant.Binding == erasure.BindPath && !strings.Contains("."+q.Place+".", "."+q.Tenant.ID+".") {
		return s, fault.New(fault.Invalid, "the tenant is no part of the place")
	}
	if err := s.recognisable(); err != nil {
		return s, err
	}
	client, err := d.client.Get(ctx)
	if err != nil {
		return s, err
	}
	s.collection = client.Database(db).Collection(name)
	found, err := client.Database(db).ListCollectionSpecifications(ctx, bson.D{{Key: "name", Value: name}})
	switch {
	case err != nil:
		return s, err
	case len(found) == 0:
		return s, fault.New(fault.NotFound, "the place does not exist")
	case found[0].Type != "" && found[0].Type != "collection":
		return s, fault.New(fault.Invalid, "the place is no collection of documents")
	}
	return s, s.quick(ctx)
}

func (s search) recognisable() error {
	m := s.query.Match
	asked := append(slices.Clone(s.extra), m.Field, s.query.CreatedField, s.query.Tenant.Field)
	for _, other := range s.query.Not {
		asked = append(asked, other.Field)
	}
	for _, field := range asked {
		if improper(field) {
			return fault.New(fault.Invalid, "a field's name cannot be one")
		}
	}
	for _, c := range s.query.Changes {
		if improper(c.Field) || c.Field == "_id" || strings.HasPrefix(c.Field, "_id.") || c.Field == s.query.Tenant.Field {
			return fault.New(fault.Invalid, "field %q cannot be changed", c.Field)
		}
	}
	switch m.Kind {
	case erasure.MatchRef:
		for _, name := range m.Values {
			if _, err := id(s.query.Place, name); err != nil {
				return err
			}
		}
	case erasure.MatchPrefix, erasure.MatchMetadata:
		return fault.New(fault.Invalid, "documents have no %s", m.Kind)
	case erasure.MatchMapKey:
		if m.Fold {
			return fault.New(fault.Invalid, "the keys of maps cannot be searched for whatever their case")
		}
		if slices.ContainsFunc(m.Values, func(key string) bool { return strings.Contains(key, ".") || strings.HasPrefix(key, "$") }) {
			return fault.New(fault.Invalid, "a key with a dot, or with a dollar sign in front, cannot be searched for")
		}
	}
	return nil
}

func improper(field string) bool {
	return field != "" && slices.ContainsFunc(strings.Split(field, "."), func(part string) bool { return part == "" || strings.HasPrefix(part, "$") })
}

// quick refuses to go through the whole of a large collection.
func (s search) quick(ctx context.Context) error {
	field, m := s.query.Match.Field, s.query.Match
	switch {
	case named(m), m.Kind == erasure.MatchTenant && s.query.Tenant.Binding == erasure.BindPath:
		return nil
	case m.Kind == erasure.MatchTenant:
		field = s.query.Tenant.Field
	}
	indexes, err := s.collection.Indexes().List(ctx)
	if err != nil {
		return err
	}
	var all []struct {
		Key     bson.Raw `bson:"key"`
		Partial bson.Raw `bson:"partialFilterExpression"`
	}
	if err := indexes.All(ctx, &all); err != nil {
		return err
	}
	serves := []string{field}
	if m.Kind == erasure.MatchMapKey {
		serves = []string{field + ".$**", "$**"}
	}
	for _, index := range all {
		// An index tells letters from capitals: whoever does not goes through all of it.
		if first, err := index.Key.IndexErr(0); err == nil && !m.Fold && len(index.Partial) == 0 && slices.Contains(serves, first.Key()) {
			return nil
		}
	}
	count, err := s.collection.EstimatedDocumentCount(ctx)
	if err == nil && count > smallCollection {
		return fault.New(fault.Invalid, "no index begins with field %q, and the collection is large", serves[0])
	}
	return err
}

// candidates is the condition by which an index finds what may match; matches has the last word.
func (s search) candidates() bson.D {
	m, t := s.query.Match, s.query.Tenant
	switch {
	case m.Kind == erasure.MatchTenant && t.Binding == erasure.BindPath:
		return bson.D{}
	case m.Kind == erasure.MatchTenant:
		return in(t.Field, spelt([]string{t.ID}))
	case m.Kind == erasure.MatchDocument:
		return in("_id", spelt(m.Values))
	case m.Kind == erasure.MatchRef:
		var ids bson.A
		for _, name := range m.Values {
			id, _ := id(s.query.Place, name) // recognisable has looked
			ids = append(ids, id)
		}
		return in("_id", ids)
	case m.Fold:
		either := bson.A{}
		for _, value := range m.Folded() {
			either = append(either, bson.D{{Key: m.Field, Value: bson.Regex{Pattern: "^" + regexp.QuoteMeta(value) + "$", Options: "i"}}})
		}
		return bson.D{{Key: "$or", Value: either}}
	case m.Kind == erasure.MatchMapKey:
		either := bson.A{}
		for _, key := range m.Values {
			either = append(either, bson.D{{Key: m.Field + "." + key, Value: bson.D{{Key: "$exists", Value: true}}}})
		}
		return bson.D{{Key: "$or", Value: either}}
	}
	return in(m.Field, spelt(m.Values))
}

func in(field string, values bson.A) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: "$in", Value: values}}}}
}

// named reports whether documents are recognised by their names.
func named(m erasure.Match) bool {
	return m.Kind == erasure.MatchDocument || m.Kind == erasure.MatchRef
}

// matches is the last word on what the server found: text is compared byte by byte, or letter by letter, and a value is not a
// list.
func (s search) matches(document bson.Raw) (bool, error) {
	return s.recognises(s.query.Match, document)
}

// leftOut reports whether another search finds the document. One that it would stop at it does not find.
func (s search) leftOut(document bson.Raw) bool {
	return slices.ContainsFunc(s.query.Not, func(m erasure.Match) bool {
		is, err := s.recognises(m, document)
		return is && err == nil
	})
}

func (s search) recognises(m erasure.Match, document bson.Raw) (bool, error) {
	field := m.Field
	switch m.Kind {
	case erasure.MatchRef:
		name, err := ref(s.query.Place, document.Lookup("_id"))
		return slices.Contains(m.Values, name), err
	case erasure.MatchDocument:
		field = "_id"
	case erasure.MatchTenant:
		return s.tenant(document) == s.query.Tenant.ID, nil
	}
	value, found, err := at(document, field)
	if err != nil || !found {
		return false, err
	}
	named := func(v bson.RawValue) bool { return m.Is(word(v)) }
	list := value.Type == bson.TypeArray
	switch {
	case m.Kind == erasure.MatchMapKey:
		return slices.ContainsFunc(keyed(value), func(e bson.RawElement) bool { return m.Is(e.Key()) }), nil
	case m.Kind == erasure.MatchContains && list:
		return slices.ContainsFunc(members(value), named), nil
	case m.Kind == erasure.MatchContains && named(value), m.Kind == erasure.MatchEquals && slices.ContainsFunc(members(value), named):
		return false, errMixed
	}
	return m.Kind != erasure.MatchContains && named(value), nil
}

// tenant is the tenant a document tells; "" for one that tells it in a list, or tells none.
func (s search) tenant(document bson.Raw) string {
	if s.query.Tenant.Binding != erasure.BindField {
		return s.query.Tenant.ID // the place's
	}
	value, _, err := at(document, s.query.Tenant.Field)
	if err != nil {
		return ""
	}
	return word(value)
}

func (s search) created(document bson.Raw) time.Time {
	if s.query.CreatedField == "" {
		if id, ok := document.Lookup("_id").ObjectIDOK(); ok {
			return id.Timestamp().UTC()
		}
		return time.Time{}
	}
	value, found, err := at(document, s.query.CreatedField)
	if err != nil || !found {
		return time.Time{}
	}
	return erasure.Moment(simple(value))
}

// read asks for documents in the order of their _id, with the fields that decide.
func (s search) read(ctx context.Context, filter bson.D, limit int64) ([]bson.Raw, error) {
	fields := append([]string{s.query.Match.Field, s.query.Tenant.Field, s.query.CreatedField}, s.extra...)
	for _, c := range s.query.Changes {
		fields = append(fields, c.Field)
	}
	for _, m := range s.query.Not {
		fields = append(fields, m.Field)
	}
	projection := bson.D{{Key: "_id", Value: 1}}
	var seen []string
	for _, field := range fields {
		// Whole fields of the top, for paths one of which begins with another are refused.
		if top, _, _ := strings.Cut(field, "."); top != "" && top != "_id" && !slices.Contains(seen, top) {
			seen = append(seen, top)
			projection = append(projection, bson.E{Key: top, Value: 1})
		}
	}
	found, err := s.collection.Find(ctx, filter, options.Find().SetProjection(projection).SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(limit).SetBatchSize(erasure.MaxPage+1))
	if err != nil {
		return nil, err
	}
	var documents []bson.Raw
	err = found.All(ctx, &documents)
	return documents, err
}
