package firestore

import (
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

// adding are the writes that add to totals, in the commit that takes the fields away: one document for each, with tenant, entry,
// field, by, total and items. An increment neither reads nor waits.
func (s *Store) adding(totals []erasure.Total) (writes []*pb.Write) {
	for _, t := range erasure.AddUp(totals) {
		by := map[string]*pb.Value{}
		for field, value := range t.By {
			by[field] = ofText(value)
		}
		writes = append(writes, &pb.Write{
			Operation: &pb.Write_Update{Update: &pb.Document{Name: s.database + "/documents/" + t.Place + "/" + t.Name, Fields: map[string]*pb.Value{
				"tenant": ofText(t.Tenant), "entry": ofText(t.Entry), "field": ofText(t.Field),
				"by": {ValueType: &pb.Value_MapValue{MapValue: &pb.MapValue{Fields: by}}},
			}}},
			UpdateMask: &pb.DocumentMask{FieldPaths: []string{"tenant", "entry", "field", "by"}},
			UpdateTransforms: []*pb.DocumentTransform_FieldTransform{
				increment("total", ofAmount(t.Amount)), increment("items", ofAmount(float64(t.Items))),
			},
		})
	}
	return writes
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
