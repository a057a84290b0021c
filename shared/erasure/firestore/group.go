package firestore

import (
	"context"
	"slices"

	vkit "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// walk calls fn with each document of the query's own tenant, read as far as the query and fields look.
func (r *Reader) walk(ctx context.Context, q erasure.Query, p place, fields []string, fn func(*pb.Document) error) error {
	for cursor := ""; ; {
		m, err := parseMark(cursor)
		if err != nil {
			return err
		}
		documents, next, err := r.page(ctx, q, p, m, erasure.MaxPage, reads(q, fields...))
		if err != nil {
			return err
		}
		for _, d := range documents {
			if item := r.item(q, d); item.Tenant == q.Tenant.ID && q.Before(item.Created) && !r.leftOut(q, p, d) {
				if err := fn(d); err != nil {
					return err
				}
			}
		}
		if err := erasure.Metered(ctx, len(documents)); err != nil {
			return err
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// Values implements erasure.Reader. It reads text, whole numbers, and lists of them.
func (r *Reader) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	p, err := check(q)
	if err == nil && (field == "" || limit < 1) {
		err = fault.New(fault.Invalid, "reading of entry %q: no field, or no limit", q.Entry)
	}
	if err != nil {
		return nil, err
	}
	var values []string
	err = r.walk(ctx, q, p, []string{field}, func(d *pb.Document) error {
		found := at(d.Fields, field)
		for _, v := range append(found.GetArrayValue().GetValues(), found) {
			if id, is := text(v); is {
				values = append(values, id)
			}
		}
		slices.Sort(values)
		values = slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
		if len(values) > limit {
			return fault.New(fault.Exhausted, "reading of entry %q: more than %d identifiers follow from it", q.Entry, limit)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// Group implements erasure.Reader. The server counts; an item without one of the fields counts as alone, since what is
// absent is in no index.
func (r *Reader) Group(ctx context.Context, q erasure.Query, fields []string) (int, error) {
	p, err := check(q)
	if err == nil && (len(fields) == 0 || slices.Contains(fields, "")) {
		err = fault.New(fault.Invalid, "counting of entry %q: no field is named", q.Entry)
	}
	if err != nil {
		return 0, err
	}
	smallest, counted := 0, map[string]bool{}
	err = r.walk(ctx, q, p, fields, func(d *pb.Document) error {
		filter := &pb.StructuredQuery_CompositeFilter{Op: pb.StructuredQuery_CompositeFilter_AND}
		if q.Tenant.Binding == erasure.BindField {
			filter.Filters = append(filter.Filters, compare(path(q.Tenant.Field), pb.StructuredQuery_FieldFilter_IN, list([]string{q.Tenant.ID})))
		}
		for _, f := range fields {
			value := at(d.Fields, f)
			if value == nil {
				smallest = 1
				return nil
			}
			filter.Filters = append(filter.Filters, compare(path(f), pb.StructuredQuery_FieldFilter_EQUAL, value))
		}
		if smallest == 1 || counted[filter.String()] {
			return nil
		}
		counted[filter.String()] = true
		n, err := r.count(ctx, p, filter)
		if err == nil && (smallest == 0 || n < smallest) {
			smallest = max(n, 1)
		}
		return err
	})
	return smallest, err
}

func (r *Reader) count(ctx context.Context, p place, filter *pb.StructuredQuery_CompositeFilter) (int, error) {
	client, ctx, cancel, err := r.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	s := r.within(p)
	s.Where = &pb.StructuredQuery_Filter{FilterType: &pb.StructuredQuery_Filter_CompositeFilter{CompositeFilter: filter}}
	s.OrderBy = []*pb.StructuredQuery_Order{ascending("__name__")}
	return counting(ctx, client, r.name(p.above()), s)
}

// counting counts what a query below a document finds.
func counting(ctx context.Context, client *vkit.Client, parent string, s *pb.StructuredQuery) (int, error) {
	stream, err := client.RunAggregationQuery(ctx, &pb.RunAggregationQueryRequest{Parent: parent,
		QueryType: &pb.RunAggregationQueryRequest_StructuredAggregationQuery{StructuredAggregationQuery: &pb.StructuredAggregationQuery{
			QueryType: &pb.StructuredAggregationQuery_StructuredQuery{StructuredQuery: s},
			Aggregations: []*pb.StructuredAggregationQuery_Aggregation{{Alias: "n",
				Operator: &pb.StructuredAggregationQuery_Aggregation_Count_{Count: &pb.StructuredAggregationQuery_Aggregation_Count{}}}}}}})
	if err != nil {
		return 0, classify("counting in", err)
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return 0, classify("counting in", err)
		}
		if n := answer.GetResult().GetAggregateFields()["n"]; n != nil {
			return int(n.GetIntegerValue()), nil
		}
	}
}
