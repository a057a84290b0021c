package firestore

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// inOne is how many identifiers one query compares with: Firestore takes 30 values, and a number has two spellings.
const inOne = 15

// nul sorts before every other id: between "users/"+nul and "users"+nul+"/"+nul lie the documents of the collection users
// and all that is below them, whether or not they exist.
const nul = "\x00"

// mark is where a walk goes on.
type mark struct {
	Part  int    `json:"p,omitempty"` // of the parts a search has to be asked in
	After string `json:"a,omitempty"` // path of the last document of the part
	Value []byte `json:"v,omitempty"` // what it is ordered by before its name
}

func (m mark) cursor() string { return erasure.Cursor(m) }

func parseMark(cursor string) (m mark, err error) {
	if err = erasure.ReadCursor(cursor, &m); err != nil || m.Part < 0 || m.After != "" && !proper(strings.Split(m.After, "/")) {
		return mark{}, fault.New(fault.Invalid, "searching: the cursor is none of ours")
	}
	return m, nil
}

// parts is in how many parts a search is asked.
func parts(m erasure.Match) int {
	switch m.Kind {
	case erasure.MatchEquals, erasure.MatchContains:
		return (len(m.Values) + inOne - 1) / inOne
	case erasure.MatchMapKey:
		return len(m.Values)
	}
	return 1
}

// of returns the values of one part.
func (m mark) of(values []string, size int) []string {
	from := min(m.Part*size, len(values))
	return values[from:min(from+size, len(values))]
}

// reads are the fields of a document that a query, and who asks for more, look at: a document may have a megabyte.
func reads(q erasure.Query, more ...string) (paths []string) {
	more = append(append(more, q.Match.Field, q.CreatedField), q.Show...)
	if q.Tenant.Binding == erasure.BindField {
		more = append(more, q.Tenant.Field)
	}
	for _, c := range q.Changes {
		more = append(append(more, c.Field, q.Whose), c.By...)
	}
	for _, m := range q.Not {
		more = append(more, m.Field)
	}
	slices.Sort(more)
	for _, f := range slices.Compact(more) {
		if f != "" {
			paths = append(paths, path(f))
		}
	}
	return paths
}

func selected(paths []string) *pb.StructuredQuery_Projection {
	s := &pb.StructuredQuery_Projection{}
	for _, p := range paths {
		s.Fields = append(s.Fields, &pb.StructuredQuery_FieldReference{FieldPath: p})
	}
	if len(paths) == 0 { // to the server no field is every field
		s.Fields = []*pb.StructuredQuery_FieldReference{{FieldPath: "__name__"}}
	}
	return s
}

// search writes one part of a search in the server's terms, ordered by name.
func (r *Reader) search(q erasure.Query, p place, m mark, fields []string) *pb.RunQueryRequest {
	s := r.within(p)
	s.Select = selected(fields)
	field := q.Match.Field
	switch q.Match.Kind {
	case erasure.MatchEquals:
		s.Where = compare(path(field), pb.StructuredQuery_FieldFilter_IN, list(m.of(q.Match.Values, inOne)))
	case erasure.MatchContains:
		s.Where = compare(path(field), pb.StructuredQuery_FieldFilter_ARRAY_CONTAINS_ANY, list(m.of(q.Match.Values, inOne)))
	case erasure.MatchMapKey:
		// Who has the key is in the index of that key, in the order of what it holds.
		s.OrderBy = []*pb.StructuredQuery_Order{ascending(fieldPath(append(strings.Split(field, "."), q.Match.Values[m.Part])...))}
	case erasure.MatchTenant:
		if q.Tenant.Binding == erasure.BindField {
			s.Where = compare(path(q.Tenant.Field), pb.StructuredQuery_FieldFilter_IN, list([]string{q.Tenant.ID}))
		} else if whole(q, p) {
			s.From = []*pb.StructuredQuery_CollectionSelector{{AllDescendants: true}}
			above := strings.TrimPrefix(p.parent+"/"+p.collection, "/")
			r.between(s, above+"/"+nul, above+nul+"/"+nul)
		}
	}
	s.OrderBy = append(s.OrderBy, ascending("__name__"))
	if m.After != "" {
		s.StartAt = &pb.Cursor{Values: []*pb.Value{r.reference(m.After)}}
		if q.Match.Kind == erasure.MatchMapKey {
			value := &pb.Value{}
			_ = proto.Unmarshal(m.Value, value) // the server refuses what is none
			s.StartAt.Values = append([]*pb.Value{value}, s.StartAt.Values...)
		}
	}
	return r.request(p.above(), s)
}

// whole reports that a query asks for each document of a place at any depth: for a whole tenant's whose account ends. What
// is erased by its age is what the place itself holds, since what lies below has an age of its own.
func whole(q erasure.Query, p place) bool {
	return q.Match.Kind == erasure.MatchTenant && q.Tenant.Binding == erasure.BindPath && !p.group && q.CreatedBefore.IsZero()
}

// within is everything in a place, to be ordered by name. A group is searched from the root alone, so one below a document
// is what lies between its names.
func (r *Reader) within(p place) *pb.StructuredQuery {
	s := &pb.StructuredQuery{From: []*pb.StructuredQuery_CollectionSelector{{CollectionId: p.collection, AllDescendants: p.group}}}
	if p.group && p.parent != "" {
		r.between(s, p.parent, p.parent+nul)
	}
	return s
}

func (r *Reader) between(s *pb.StructuredQuery, from, to string) {
	s.StartAt = &pb.Cursor{Values: []*pb.Value{r.reference(from)}, Before: true}
	s.EndAt = &pb.Cursor{Values: []*pb.Value{r.reference(to)}, Before: true}
}

func (r *Reader) request(parent string, s *pb.StructuredQuery) *pb.RunQueryRequest {
	return &pb.RunQueryRequest{Parent: r.name(parent), QueryType: &pb.RunQueryRequest_StructuredQuery{StructuredQuery: s}}
}

func (r *Reader) reference(path string) *pb.Value {
	return &pb.Value{ValueType: &pb.Value_ReferenceValue{ReferenceValue: r.name(path)}}
}

func compare(path string, op pb.StructuredQuery_FieldFilter_Operator, value *pb.Value) *pb.StructuredQuery_Filter {
	return &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_FieldFilter{FieldFilter: &pb.StructuredQuery_FieldFilter{
		Field: &pb.StructuredQuery_FieldReference{FieldPath: path}, Op: op, Value: value}}}
}

func list(values []string) *pb.Value {
	a := &pb.ArrayValue{}
	for _, v := range values {
		a.Values = append(a.Values, spellings(v)...)
	}
	return &pb.Value{ValueType: &pb.Value_ArrayValue{ArrayValue: a}}
}

func ascending(path string) *pb.StructuredQuery_Order {
	return &pb.StructuredQuery_Order{Field: &pb.StructuredQuery_FieldReference{FieldPath: path}, Direction: pb.StructuredQuery_ASCENDING}
}

// run asks a query for at most limit documents.
func (r *Reader) run(ctx context.Context, request *pb.RunQueryRequest, limit int) ([]*pb.Document, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	request.GetStructuredQuery().Limit = wrapperspb.Int32(int32(limit))
	stream, err := client.RunQuery(ctx, request)
	if err != nil {
		return nil, classify("searching", err)
	}
	var found []*pb.Document
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, classify("searching", err)
		}
		if answer.Document != nil {
			found = append(found, answer.Document)
		}
	}
}

// get reads some fields of documents by path; what is missing is not in the answer.
func (r *Reader) get(ctx context.Context, paths, fields []string) (map[string]*pb.Document, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	request := &pb.BatchGetDocumentsRequest{Database: r.database, Mask: &pb.DocumentMask{FieldPaths: fields}}
	for _, p := range paths {
		request.Documents = append(request.Documents, r.name(p))
	}
	stream, err := client.BatchGetDocuments(ctx, request)
	if err != nil {
		return nil, classify("reading", err)
	}
	found := map[string]*pb.Document{}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, classify("reading", err)
		}
		if d := answer.GetFound(); d != nil {
			found[r.path(d.Name)] = d
		}
	}
}

// below returns at most limit documents below one, at any depth, with the one field that tells their tenant.
func (r *Reader) below(ctx context.Context, document, field string, limit int) ([]*pb.Document, error) {
	return r.belowAfter(ctx, document, field, "", limit)
}

// belowAfter returns those of below that come after one, by its name; "" for all.
func (r *Reader) belowAfter(ctx context.Context, document, field, after string, limit int) ([]*pb.Document, error) {
	s := &pb.StructuredQuery{
		From:    []*pb.StructuredQuery_CollectionSelector{{AllDescendants: true}},
		OrderBy: []*pb.StructuredQuery_Order{ascending("__name__")},
		Select:  selected(nil),
	}
	if field != "" {
		s.Select = selected([]string{path(field)})
	}
	if after != "" {
		s.StartAt = &pb.Cursor{Values: []*pb.Value{{ValueType: &pb.Value_ReferenceValue{ReferenceValue: after}}}}
	}
	return r.run(ctx, r.request(document, s), limit)
}
