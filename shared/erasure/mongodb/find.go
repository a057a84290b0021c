package mongodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// about says what was being done for which entry.
func about(doing string, q erasure.Query, err error) error {
	if err == nil {
		return nil
	}
	doing = fmt.Sprintf("%s documents of entry %q", doing, q.Entry)
	if ours, ok := errors.AsType[*fault.Error](err); ok {
		return fault.New(ours.Kind, "%s: %w", doing, err)
	}
	return explain(doing, err)
}

// Find implements erasure.Reader.
func (d *database) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := errors.Join(q.Check(), erasure.CheckLimit(limit)); err != nil {
		return erasure.Page{}, err
	}
	s, err := d.fit(ctx, q, q.Show...)
	if err != nil {
		return erasure.Page{}, about("finding", q, err)
	}
	found, next, err := s.step(ctx, cursor, limit)
	page := erasure.Page{Next: next}
	for _, document := range found {
		item, wrong := s.item(document)
		err = errors.Join(err, wrong)
		page.Items = append(page.Items, item)
	}
	if err != nil {
		return erasure.Page{}, about("finding", q, err)
	}
	return page, nil
}

// step reads the documents behind cursor that match, of limit candidates, and says where the next step begins.
func (s search) step(ctx context.Context, cursor string, limit int) (found []bson.Raw, next string, err error) {
	filter := s.candidates()
	if cursor != "" {
		last, err := id(s.query.Place, cursor)
		if err != nil {
			return nil, "", err
		}
		further, err := behind(last)
		if err != nil {
			return nil, "", err
		}
		filter = bson.D{{Key: "$and", Value: bson.A{further, filter}}}
	}
	documents, err := s.read(ctx, filter, int64(limit)+1)
	if err != nil {
		return nil, "", err
	}
	if len(documents) > limit {
		documents = documents[:limit]
		if next, err = ref(s.query.Place, documents[limit-1].Lookup("_id")); err != nil {
			return nil, "", err
		}
	}
	for _, document := range documents {
		matches, err := s.matches(document)
		if err != nil && s.tenant(document) == s.query.Tenant.ID { // how others write theirs stops nobody
			return nil, "", err
		}
		if matches && s.query.Before(s.created(document)) && !s.leftOut(document) {
			found = append(found, document)
		}
	}
	return found, next, nil
}

func (s search) item(document bson.Raw) (item erasure.Item, err error) {
	if item.Ref, err = ref(s.query.Place, document.Lookup("_id")); err != nil {
		return item, err
	}
	item.Tenant, item.Created = s.tenant(document), s.created(document)
	item = s.query.Shows(item, func(field string) string {
		value, _, wrong := at(document, field)
		err = errors.Join(err, wrong)
		return word(value)
	})
	if err != nil {
		return item, err
	}
	if s.query.Action == erasure.ActionAnonymise && item.Tenant == s.query.Tenant.ID {
		changes, err := s.changes(document)
		item.Clean = err == nil && changes.none()
		return item, err
	}
	return item, nil
}

// each visits the tenant's own documents that q finds.
func (d *database) each(ctx context.Context, q erasure.Query, fields []string, visit func(search, bson.Raw) error) error {
	s, err := d.fit(ctx, q, fields...)
	if err != nil {
		return err
	}
	for cursor := ""; ; {
		found, next, err := s.step(ctx, cursor, erasure.MaxPage)
		if err != nil {
			return err
		}
		for _, document := range found {
			// What is learnt from others' documents is theirs.
			if s.tenant(document) != q.Tenant.ID {
				continue
			}
			if err := visit(s, document); err != nil {
				return err
			}
		}
		if err := erasure.Metered(ctx, len(found)); err != nil {
			return err
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// Values implements erasure.Reader. Documents of other tenants give none; a list gives its members.
func (d *database) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	values := map[string]bool{}
	err := d.each(ctx, q, []string{field}, func(_ search, document bson.Raw) error {
		value, found, err := at(document, field)
		if err != nil || !found {
			return err
		}
		for _, v := range append(members(value), value) {
			if w := word(v); w != "" {
				values[w] = true
			}
		}
		if len(values) > limit {
			return fault.New(fault.Exhausted, "more than %d identifiers", limit)
		}
		return nil
	})
	if err != nil {
		return nil, about("reading", q, err)
	}
	return slices.Sorted(maps.Keys(values)), nil
}

// Group implements erasure.Reader. Fields that hold lists are Invalid.
func (d *database) Group(ctx context.Context, q erasure.Query, fields []string) (int, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	counted, smallest := map[string]bool{}, 0
	err := d.each(ctx, q, fields, func(s search, document bson.Raw) error {
		filter := bson.D{}
		if q.Tenant.Binding == erasure.BindField {
			filter = in(q.Tenant.Field, spelt([]string{q.Tenant.ID}))
		}
		for _, field := range fields {
			value, found, err := at(document, field)
			if err == nil && value.Type == bson.TypeArray {
				err = errMixed
			}
			if err != nil {
				return err
			}
			condition := bson.E{Key: field, Value: bson.D{{Key: "$eq", Value: value}}}
			if !found || value.Type == bson.TypeNull { // an absent field counts as a null one
				condition.Value = nil
			}
			filter = append(filter, condition)
		}
		group, err := bson.Marshal(filter)
		if err != nil || counted[string(group)] {
			return err
		}
		counted[string(group)] = true
		count, err := s.collection.CountDocuments(ctx, filter)
		if smallest == 0 || int(count) < smallest {
			smallest = int(count)
		}
		return err
	})
	if err != nil {
		return 0, about("counting", q, err)
	}
	return smallest, nil
}

// Places implements erasure.Reader: collections of every database of the server, its own and views left out; "NAME.*" for a
// database whose collections the user may not list.
func (d *database) Places(ctx context.Context, limit int) (places []string, err error) {
	client, err := d.client.Get(ctx)
	if err != nil {
		return nil, err
	}
	names, err := client.ListDatabaseNames(ctx, bson.D{}) // of a user who may not list them, those he may use
	if err != nil {
		return nil, explain("listing databases", err)
	}
	for _, name := range names {
		if slices.Contains([]string{"admin", "config", "local"}, name) {
			continue
		}
		collections, err := client.Database(name).ListCollectionSpecifications(ctx, bson.D{})
		if err = explain("listing collections", err); fault.Is(err, fault.Denied) {
			places = append(places, name+".*") // it is there, and nobody has said what is in it
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, c := range collections {
			if c.Type != "view" && !strings.HasPrefix(c.Name, "system.") {
				places = append(places, name+"."+c.Name)
			}
		}
		if len(places) > limit {
			return nil, fault.New(fault.Exhausted, "listing collections: there are more than %d", limit)
		}
	}
	slices.Sort(places)
	return places, nil
}

// Traces implements erasure.Reader: the server does not tell what was copied out of it.
func (d *database) Traces(ctx context.Context) (erasure.Traces, error) {
	client, err := d.client.Get(ctx)
	if err != nil {
		return erasure.Traces{}, err
	}
	if err := client.Ping(ctx, nil); err != nil {
		return erasure.Traces{}, explain("asking what is kept", err)
	}
	return erasure.Traces{Unknown: []string{"how long backups, the log of operations and delayed members of the database are kept"}}, nil
}
