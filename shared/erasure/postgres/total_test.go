package postgres

import (
	"encoding/json"
	"testing"

	"ostiary.internal/shared/erasure"
)

func (w *world) Into(t testing.TB) string {
	t.Helper()
	w.table(t, w.schema+`."totals"`, `"name" text PRIMARY KEY, "tenant" text, "entry" text, "field" text, "by" jsonb, "total" numeric, "items" bigint, "people" bigint, "marks" text[]`)
	w.do(t, "GRANT "+join(Grants[Totals])+" ON "+w.schema+".totals TO eraser")
	return w.schema + ".totals"
}

func (w *world) Totals(t testing.TB, place string) []erasure.Total {
	t.Helper()
	var rows []struct {
		Tenant, Entry, Field string
		By                   map[string]string
		Total                float64
		Items, People        int64
		Marks                []string
	}
	must(t, json.Unmarshal([]byte(one[string](t, w.server, "SELECT coalesce(jsonb_agg(to_jsonb(d))::text, '[]') FROM "+place+" d")), &rows))
	var all []erasure.Total
	for _, r := range rows {
		all = append(all, erasure.Total{Tenant: r.Tenant, Entry: r.Entry, Field: r.Field, By: r.By, Amount: r.Total, Items: r.Items, Marks: r.Marks})
		if r.People != int64(len(r.Marks)) {
			t.Errorf("%d marks of %d people", len(r.Marks), r.People)
		}
	}
	return all
}
