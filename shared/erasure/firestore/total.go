package firestore

import (
	"context"
	"math"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"

	"ostiary.internal/shared/erasure"
)

// counted is native with fractions, which are told as numbers.
func counted(v *pb.Value) any {
	if f, is := v.GetValueType().(*pb.Value_DoubleValue); is {
		return f.DoubleValue
	}
	return native(v)
}

// adds tells what stands in a document, of what is added to totals.
func adds(d *pb.Document) func(field string) (any, bool) {
	return func(field string) (any, bool) {
		v := at(d.Fields, field)
		return counted(v), v != nil
	}
}

// adding are the writes that add to totals, in the commit that takes the fields away: one document for each, with tenant, entry,
// field, by, total, items, people and marks. An increment waits for nobody: only who is the first of a request to add to a total
// that is of few writes it as it was read.
func (s *Store) adding(ctx context.Context, totals []erasure.Total) (writes []*pb.Write, err error) {
	totals = erasure.AddUp(totals)
	known, err := s.marked(ctx, totals)
	if err != nil {
		return nil, err
	}
	for _, t := range totals {
		by := map[string]*pb.Value{}
		for field, value := range t.By {
			by[field] = ofText(value)
		}
		add := &pb.Write{
			Operation: &pb.Write_Update{Update: &pb.Document{Name: s.database + "/documents/" + t.Place + "/" + t.Name, Fields: map[string]*pb.Value{
				"tenant": ofText(t.Tenant), "entry": ofText(t.Entry), "field": ofText(t.Field),
				"by": {ValueType: &pb.Value_MapValue{MapValue: &pb.MapValue{Fields: by}}},
			}}},
			UpdateMask: &pb.DocumentMask{FieldPaths: []string{"tenant", "entry", "field", "by"}},
			UpdateTransforms: []*pb.DocumentTransform_FieldTransform{
				increment("total", ofAmount(t.Amount)), increment("items", ofAmount(float64(t.Items))),
			},
		}
		old := known[t.Place+"/"+t.Name]
		var marks []string
		for _, m := range at(old.GetFields(), erasure.TotalMarks).GetArrayValue().GetValues() {
			marks = append(marks, m.GetStringValue())
		}
		if all := t.Join(marks); len(all) > len(marks) {
			count(add, all)
			add.CurrentDocument = &pb.Precondition{ConditionType: &pb.Precondition_Exists{}}
			if old != nil {
				add.CurrentDocument = unchanged(old)
			}
		}
		writes = append(writes, add)
	}
	return writes, nil
}

// marked reads the marks of totals to which some are added.
func (s *Store) marked(ctx context.Context, totals []erasure.Total) (map[string]*pb.Document, error) {
	var paths []string
	for _, t := range totals {
		if len(t.Marks) > 0 {
			paths = append(paths, t.Place+"/"+t.Name)
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	return s.get(ctx, paths, []string{erasure.TotalMarks})
}

// count has a write put down marks, and how many there are.
func count(add *pb.Write, marks []string) {
	list := &pb.ArrayValue{}
	for _, m := range marks {
		list.Values = append(list.Values, ofText(m))
	}
	fields := add.GetUpdate().Fields
	fields[erasure.TotalMarks] = &pb.Value{ValueType: &pb.Value_ArrayValue{ArrayValue: list}}
	fields[erasure.TotalPeople] = ofAmount(float64(len(marks)))
	add.UpdateMask.FieldPaths = append(add.UpdateMask.FieldPaths, erasure.TotalMarks, erasure.TotalPeople)
}

func increment(field string, by *pb.Value) *pb.DocumentTransform_FieldTransform {
	return &pb.DocumentTransform_FieldTransform{FieldPath: field, TransformType: &pb.DocumentTransform_FieldTransform_Increment{Increment: by}}
}

// ofAmount keeps whole numbers whole.
func ofAmount(n float64) *pb.Value {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		return &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: int64(n)}}
	}
	return &pb.Value{ValueType: &pb.Value_DoubleValue{DoubleValue: n}}
}
