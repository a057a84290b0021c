package local

import (
	"maps"

	"go.etcd.io/bbolt"

	"ostiary.internal/shared/erasure"
)

// addUp adds to totals, each a document of its place: tenant, entry, field, by, total, items, people and marks.
func addUp(tree *bbolt.Bucket, totals []erasure.Total) error {
	for _, t := range erasure.AddUp(totals) {
		b, err := tree.CreateBucketIfNotExists(bucketOf(t.Place))
		if err != nil {
			return err
		}
		var d document
		if data := b.Get([]byte(t.Name)); data != nil {
			if d, err = decode(data); err != nil {
				return err
			}
		}
		by := map[string]any{}
		for field, value := range t.By {
			by[field] = value
		}
		fields := map[string]any{
			"tenant": t.Tenant, "entry": t.Entry, "field": t.Field, "by": by,
			"total": number(d.Fields["total"]) + t.Amount, "items": int64(number(d.Fields["items"])) + t.Items,
		}
		if d.Fields == nil {
			d.Fields = map[string]any{}
		}
		var marks []string
		list, _ := d.Fields[erasure.TotalMarks].([]any)
		for _, m := range list {
			mark, _ := text(m)
			marks = append(marks, mark)
		}
		if marks = t.Join(marks); len(marks) > 0 {
			fields[erasure.TotalMarks], fields[erasure.TotalPeople] = marks, len(marks)
		}
		maps.Copy(d.Fields, fields)
		if err := write(tree, b, t.Name, d); err != nil {
			return err
		}
	}
	return nil
}

func number(value any) float64 {
	switch v := value.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}
