package mongodb

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ostiary.internal/shared/erasure"
)

// Erase implements erasure.Store. Items are erased one by one: with an error come the results of those before it.
func (d *database) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := errors.Join(q.CheckErase(items), q.CheckTotals()); err != nil || len(items) == 0 {
		return nil, err
	}
	s, err := d.fit(ctx, q)
	if err != nil {
		return nil, about("erasing", q, err)
	}
	held, err := s.look(ctx, items)
	if err != nil {
		return nil, about("erasing", q, err)
	}
	var results []erasure.Result
	for _, item := range items {
		outcome := erasure.OutcomeGone
		if document, there := held[item.Ref]; there {
			if outcome, err = s.erase(ctx, document, item); err != nil {
				return results, about("erasing", q, err)
			}
			delete(held, item.Ref) // named twice is gone the second time
		}
		results = append(results, erasure.Result{Ref: item.Ref, Outcome: outcome})
	}
	return results, nil
}

// look reads the documents by their references.
func (s search) look(ctx context.Context, items []erasure.Item) (map[string]bson.Raw, error) {
	var ids bson.A
	for _, item := range items {
		id, err := id(s.query.Place, item.Ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	documents, err := s.read(ctx, in("_id", ids), 0)
	held := map[string]bson.Raw{}
	for _, document := range documents {
		name, wrong := ref(s.query.Place, document.Lookup("_id"))
		if wrong != nil {
			return nil, wrong
		}
		held[name] = document
	}
	return held, err
}

// erase decides about a document as it was read, and acts under the condition that it still is so. One that tells another time
// than when it was found is another than was judged.
func (s search) erase(ctx context.Context, document bson.Raw, item erasure.Item) (erasure.Outcome, error) {
	if s.tenant(document) != s.query.Tenant.ID {
		return erasure.OutcomeForeign, nil
	}
	ours, err := s.matches(document)
	if err != nil {
		return "", err
	}
	made := s.created(document)
	if !ours || !s.query.Before(made) {
		return erasure.OutcomeGone, nil
	}
	var c changes // none: the document goes
	if s.query.Action != erasure.ActionDelete || s.query.TakesOut() {
		if c, err = s.changes(document); err != nil {
			return "", err
		}
		if c.none() {
			return erasure.OutcomeGone, nil
		}
	}
	if s.query.CreatedField != "" && !made.Equal(item.Created) {
		return erasure.OutcomeChanged, nil
	}
	filter, err := s.unchanged(document, c.fields)
	if err != nil {
		return "", err
	}
	touched, err := s.act(ctx, filter, c)
	switch {
	case err != nil:
		return "", err
	case touched == 0:
		return erasure.OutcomeChanged, nil
	}
	return erasure.OutcomeErased, nil
}

func (s search) act(ctx context.Context, filter bson.D, c changes) (touched int64, err error) {
	if c.none() {
		done, err := s.collection.DeleteOne(ctx, filter)
		if err != nil {
			return 0, err
		}
		return done.DeletedCount, nil
	}
	done, err := s.collection.UpdateOne(ctx, filter, c.update())
	if err != nil {
		return 0, err
	}
	return done.MatchedCount, nil
}

// unchanged is the condition that a document's tenant, the field it is recognised by, the one that tells its time, and further
// fields are as read.
func (s search) unchanged(document bson.Raw, fields []string) (bson.D, error) {
	filter := bson.D{{Key: "_id", Value: document.Lookup("_id")}}
	fields = append([]string{s.query.Tenant.Field, s.query.Match.Field, s.query.CreatedField}, fields...)
	slices.Sort(fields)
	for _, field := range slices.Compact(fields) {
		if field == "" || field == "_id" {
			continue
		}
		value, found, err := at(document, field)
		if err != nil {
			return nil, err
		}
		condition := bson.D{{Key: "$exists", Value: false}}
		if found {
			condition = bson.D{{Key: "$eq", Value: value}}
		}
		filter = append(filter, bson.E{Key: field, Value: condition})
	}
	return filter, nil
}

// changes are what is to be different in a document that stays.
type changes struct {
	fields     []string
	set, unset bson.D
}

func (c changes) none() bool { return len(c.fields) == 0 }

func (c *changes) put(field string, value any, gone bool) {
	c.fields = append(c.fields, field)
	if gone {
		c.unset = append(c.unset, bson.E{Key: field, Value: ""})
	} else {
		c.set = append(c.set, bson.E{Key: field, Value: value})
	}
}

func (c changes) update() bson.D {
	var update bson.D
	if len(c.set) > 0 {
		update = append(update, bson.E{Key: "$set", Value: c.set})
	}
	if len(c.unset) > 0 {
		update = append(update, bson.E{Key: "$unset", Value: c.unset})
	}
	return update
}

// changes says what the query changes in a document it matches.
func (s search) changes(document bson.Raw) (c changes, err error) {
	if s.query.TakesOut() {
		value, _, err := at(document, s.query.Match.Field)
		c.put(s.query.Match.Field, without(value, s.query.Match), false)
		return c, err
	}
	for _, change := range s.query.Changes {
		value, found, err := at(document, change.Field)
		if err != nil {
			return c, err
		}
		if !found {
			continue
		}
		old := simple(value)
		now, gone := change.Of(old)
		if gone || !same(old, now) {
			c.put(change.Field, now, gone)
		}
	}
	return c, nil
}

func same(old, now any) bool {
	switch v := now.(type) {
	case nil:
		return old == nil
	case string:
		text, isText := old.(string)
		return isText && text == v
	case time.Time:
		t, isTime := old.(time.Time)
		return isTime && t.Equal(v)
	}
	return false
}

// without is a list or a map that has lost the members or keys, everything else as it was.
func without(value bson.RawValue, m erasure.Match) any {
	if value.Type == bson.TypeArray {
		left := bson.A{}
		for _, member := range members(value) {
			if !m.Is(word(member)) {
				left = append(left, member)
			}
		}
		return left
	}
	left := bson.D{}
	for _, e := range keyed(value) {
		if !m.Is(e.Key()) {
			left = append(left, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return left
}
