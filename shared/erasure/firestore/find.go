package firestore

import (
	"context"
	"slices"
	"strings"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/proto"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// check is what every method asks of a query.
func check(q erasure.Query) (place, error) {
	if err := q.Check(); err != nil {
		return place{}, err
	}
	wrong := ""
	switch {
	case q.Match.Kind == erasure.MatchPrefix || q.Match.Kind == erasure.MatchMetadata:
		wrong = "Firestore recognises nothing by " + string(q.Match.Kind)
	case q.Match.Kind == erasure.MatchRef && slices.ContainsFunc(q.Match.Values, func(v string) bool { return !strings.Contains(v, "/") }):
		wrong = "a value is no document's path"
	case slices.ContainsFunc(slices.Concat(q.Not, []erasure.Match{q.Match}), func(m erasure.Match) bool { return m.Fold }):
		wrong = "the indexes of Firestore tell small letters from capitals"
	case q.Descend && q.Action == erasure.ActionAnonymise:
		wrong = "what lies below a document is deleted with it, not changed"
	}
	p, err := placeOf(q)
	if err == nil && wrong == "" && p.group && p.parent != "" && q.Match.Kind == erasure.MatchMapKey {
		wrong = "the keys of maps are in no index of the groups below a document"
	}
	if wrong != "" {
		return place{}, fault.New(fault.Invalid, "searching for entry %q: %s", q.Entry, wrong)
	}
	return p, err
}

// Find implements erasure.Reader. Each call is one request, so that a page of what was made too late is empty.
func (r *Reader) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	p, err := check(q)
	if err == nil {
		err = erasure.CheckLimit(limit)
	}
	if err != nil {
		return erasure.Page{}, err
	}
	m, err := parseMark(cursor)
	if err != nil {
		return erasure.Page{}, err
	}
	documents, next, err := r.page(ctx, q, p, m, limit, reads(q))
	if err != nil {
		return erasure.Page{}, err
	}
	page := erasure.Page{Next: next}
	for _, d := range documents {
		if item := r.item(q, d); q.Before(item.Created) && !excepted(q, p, r.path(d.Name)) && !r.leftOut(q, p, d) {
			page.Items = append(page.Items, item)
		}
	}
	return page, r.weigh(ctx, q, p, page.Items)
}

// page reads fields of the documents of one page, and where the next begins.
func (r *Reader) page(ctx context.Context, q erasure.Query, p place, m mark, limit int, fields []string) ([]*pb.Document, string, error) {
	if named(q.Match) {
		return r.named(ctx, q, p, m, limit, fields)
	}
	if m.Part >= parts(q.Match) {
		return nil, "", nil
	}
	found, err := r.run(ctx, r.search(q, p, m, fields), limit)
	if err != nil {
		return nil, "", err
	}
	next := mark{Part: m.Part + 1}
	if len(found) == limit {
		last := found[limit-1]
		next = mark{Part: m.Part, After: r.path(last.Name)}
		if q.Match.Kind == erasure.MatchMapKey {
			key := at(last.Fields, q.Match.Field).GetMapValue().GetFields()[q.Match.Values[m.Part]]
			if next.Value, err = proto.Marshal(key); err != nil {
				return nil, "", fault.New(fault.Invalid, "searching for entry %q: the value of a key: %w", q.Entry, err)
			}
		}
	}
	found = slices.DeleteFunc(found, func(d *pb.Document) bool { return seenBefore(q.Match, m.Part, d) })
	if next.Part >= parts(q.Match) {
		return found, "", nil
	}
	return found, next.cursor(), nil
}

// seenBefore reports that an earlier part of the search has returned the document already.
func seenBefore(m erasure.Match, part int, d *pb.Document) bool {
	size := map[erasure.MatchKind]int{erasure.MatchContains: inOne, erasure.MatchMapKey: 1}[m.Kind]
	if size == 0 || part == 0 {
		return false
	}
	m.Values = m.Values[:part*size]
	return matches(m, d.Fields)
}

// named reports whether documents are recognised by their names.
func named(m erasure.Match) bool {
	return m.Kind == erasure.MatchDocument || m.Kind == erasure.MatchRef
}

// named reads the documents whose names the query gives. One that does not exist is there all the same if something
// lies below it.
func (r *Reader) named(ctx context.Context, q erasure.Query, p place, m mark, limit int, fields []string) ([]*pb.Document, string, error) {
	var paths []string
	for _, v := range q.Match.Values {
		path, err := p.document(q, v)
		if err != nil {
			return nil, "", err
		}
		if path > m.After {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	next := ""
	if len(paths) > limit {
		paths = paths[:limit]
		next = mark{After: paths[limit-1]}.cursor()
	}
	if len(paths) == 0 {
		return nil, "", nil
	}
	found, err := r.get(ctx, paths, fields)
	if err != nil {
		return nil, "", err
	}
	var documents []*pb.Document
	for _, path := range paths {
		d := found[path]
		if d == nil && q.Descend {
			if d, err = r.missing(ctx, q, path); err != nil {
				return nil, "", err
			}
		}
		if d != nil {
			documents = append(documents, d)
		}
	}
	return documents, next, nil
}

// looked is how many documents below one that does not exist are asked for their tenant when it is found. Erasing asks all.
const looked = 20

// missing stands for a document that does not exist and has something below it, nil for one that has not. It tells the tenant
// that is told below: another than the query's, if there is one.
func (r *Reader) missing(ctx context.Context, q erasure.Query, path string) (*pb.Document, error) {
	field := ""
	if q.Tenant.Binding == erasure.BindField {
		field = q.Tenant.Field
	}
	below, err := r.below(ctx, path, field, looked)
	if err != nil || len(below) == 0 {
		return nil, err
	}
	d := &pb.Document{Name: r.name(path)}
	for _, b := range below {
		if at(b.Fields, field) == nil {
			continue
		}
		if d.Fields = b.Fields; tenant(q, b.Fields) != q.Tenant.ID {
			break
		}
	}
	return d, nil
}

// item is what is said of a document.
func (r *Reader) item(q erasure.Query, d *pb.Document) erasure.Item {
	i := erasure.Item{Ref: r.path(d.Name), Version: version(d), Tenant: tenant(q, d.Fields)}
	switch value := at(d.Fields, q.CreatedField); {
	case q.CreatedField != "":
		i.Created = erasure.Moment(native(value))
	case d.CreateTime != nil:
		i.Created = d.CreateTime.AsTime()
	}
	if q.Action == erasure.ActionAnonymise {
		i.Clean = len(anonymise(q, d.Fields).mask) == 0
		i.Totals = q.Adding(adds(d))
	}
	return q.Shows(i, func(field string) string {
		shown, _ := text(at(d.Fields, field))
		return shown
	})
}

// version is the time of a document's last write; "" of one that does not exist.
func version(d *pb.Document) string {
	if d.UpdateTime == nil {
		return ""
	}
	return d.UpdateTime.AsTime().Format(time.RFC3339Nano)
}

// tenant is what a document tells: where its path binds it, the place has told already.
func tenant(q erasure.Query, fields map[string]*pb.Value) string {
	if q.Tenant.Binding != erasure.BindField {
		return q.Tenant.ID
	}
	id, _ := text(at(fields, q.Tenant.Field))
	return id
}

// recognises reports whether a document is such as a match recognises.
func (r *Reader) recognises(q erasure.Query, p place, m erasure.Match, d *pb.Document) bool {
	if !named(m) {
		return matches(m, d.Fields)
	}
	return slices.ContainsFunc(m.Values, func(v string) bool {
		path, err := p.document(q, v)
		return err == nil && path == r.path(d.Name)
	})
}

// leftOut reports whether another search finds the document.
func (r *Reader) leftOut(q erasure.Query, p place, d *pb.Document) bool {
	return slices.ContainsFunc(q.Not, func(m erasure.Match) bool { return r.recognises(q, p, m, d) })
}

// matches reports whether fields are such as the query's match recognises.
func matches(m erasure.Match, fields map[string]*pb.Value) bool {
	value := at(fields, m.Field)
	in := func(v *pb.Value) bool {
		s, isText := text(v)
		return isText && slices.Contains(m.Values, s)
	}
	switch m.Kind {
	case erasure.MatchEquals:
		return in(value)
	case erasure.MatchContains:
		return slices.ContainsFunc(value.GetArrayValue().GetValues(), in)
	case erasure.MatchMapKey:
		return slices.ContainsFunc(m.Values, func(key string) bool { return value.GetMapValue().GetFields()[key] != nil })
	}
	return true
}
