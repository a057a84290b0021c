package parts

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
)

// TopicWritten is the topic on which the product, or a trigger of its database, says that something was written. It is a hint: a
// search that follows says whether it was somebody's who was erased.
//
// A message is one of two: {"refs": ["…"]}, up to 20 names as ledger.Ledger.Names has them, which name nobody; or the attributes
// of Firestore's events, project, database and document (or ce-project and so on), of which the path alone is looked at. Nothing
// else of a message is read.
const TopicWritten = "data.written"

// mostRefs of one message.
const mostRefs = 20

var refForm = regexp.MustCompile(`^[a-z2-7]{52}$`)

// Written has those searched for again of whom something may have been written since they were erased. Invalid: the message tells
// of neither names nor a document.
func (p *Parts) Written(ctx context.Context, e event.Event) error {
	names, err := p.refs(ctx, e)
	if err != nil {
		return err
	}
	var found []string
	for _, name := range names {
		ids, err := run.Written(ctx, p.Store, name)
		if err != nil {
			return Understood(err)
		}
		found = append(found, ids...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return nil
	}
	requests, err := p.Requests(ctx)
	if err != nil {
		return err
	}
	for _, id := range found {
		if err := requests.Hinted(ctx, id, p.Clock.Now()); err != nil {
			return Understood(err)
		}
	}
	return nil
}

// refs are the ledger's names for those whom a message may be about.
func (p *Parts) refs(ctx context.Context, e event.Event) (names []string, err error) {
	attribute := func(name string) string {
		if value := e.Attributes["ce-"+name]; value != "" {
			return value
		}
		return e.Attributes[name]
	}
	if document := attribute("document"); document != "" {
		store := "firestore://" + attribute("project") + "/" + attribute("database")
		for _, w := range p.Map.Written(store, document) {
			more, err := p.names(ctx, w.Tenant, w.Role, []datamap.Identifier{w.ID})
			if fault.Is(err, fault.Invalid) {
				continue // no id anybody could have been erased by
			} else if err != nil {
				return nil, err
			}
			names = append(names, more...)
		}
		return names, nil
	}
	var body struct {
		Refs []string `json:"refs"`
	}
	if err := json.Unmarshal(e.Data, &body); err != nil || len(body.Refs) == 0 || len(body.Refs) > mostRefs || slices.ContainsFunc(body.Refs, func(r string) bool { return !refForm.MatchString(r) }) {
		return nil, fault.New(fault.Invalid, "reading a message of %s: neither names of the ledger nor a document of Firestore", e.Topic)
	}
	return body.Refs, nil
}

// names are what the ledger calls whom suppress puts on record.
func (p *Parts) names(ctx context.Context, tenant string, role datamap.Role, ids []datamap.Identifier) (all []string, err error) {
	book, err := p.ledger.Get(ctx)
	if err != nil {
		return nil, err
	}
	subjects := []ledger.Subject{{Tenant: tenant, Kind: ledger.Whole, ID: tenant}}
	if len(ids) > 0 {
		subjects = nil
	}
	for _, id := range ids {
		subjects = append(subjects, ledger.Subject{Tenant: tenant, Role: role, Kind: id.Kind, ID: id.Value})
	}
	for _, s := range subjects {
		names, err := book.Names(s)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}
