package firestore_test

import (
	"strings"
	"testing"

	"ostiary.internal/shared/erasure"
)

func (w *world) Into(testing.TB) string { return "totals" }

func (w *world) Totals(t testing.TB, place string) (all []erasure.Total) {
	t.Helper()
	for _, d := range w.everything(t) {
		if !strings.HasPrefix(d.Name, w.database+"/documents/"+place+"/") {
			continue
		}
		by := map[string]string{}
		for field, value := range d.Fields["by"].GetMapValue().GetFields() {
			by[field] = value.GetStringValue()
		}
		var marks []string
		for _, m := range d.Fields["marks"].GetArrayValue().GetValues() {
			marks = append(marks, m.GetStringValue())
		}
		all = append(all, erasure.Total{
			Tenant: d.Fields["tenant"].GetStringValue(), Entry: d.Fields["entry"].GetStringValue(), Field: d.Fields["field"].GetStringValue(), By: by,
			Amount: float64(d.Fields["total"].GetIntegerValue()), Items: d.Fields["items"].GetIntegerValue(), Marks: marks,
		})
	}
	return all
}
