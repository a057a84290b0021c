package erasure

import (
	"encoding/json"
	"math"
	"testing"
)

// TestAmounts: what is no number a total can be told in counts as an item, and decimals add up to the last digit.
func TestAmounts(t *testing.T) {
	t.Parallel()
	q := Query{Entry: "usage", Tenant: Tenant{Binding: BindField, Field: "tenant", ID: "acme"}, Changes: []Change{{Field: "fee", Kind: ChangeAggregate, Into: "totals"}}}
	sum := func(values ...any) Total {
		t.Helper()
		var all []Total
		for _, v := range values {
			all = append(all, q.Totals(func(string) (any, bool) { return v, true })...)
		}
		sums := AddUp(all)
		if len(sums) != 1 || sums[0].Items != int64(len(values)) {
			t.Fatalf("%v add up to %+v", values, sums)
		}
		return sums[0]
	}
	if got := sum(1.5, math.NaN(), math.Inf(1), math.Inf(-1), "NaN", json.Number("1e999")); got.Amount != 1.5 || got.Decimal() != "1.5" {
		t.Errorf("what is no number adds up to %v, %s", got.Amount, got.Decimal())
	}
	var cents []any
	for range 1000 {
		cents = append(cents, json.Number("0.10"))
	}
	for want, values := range map[string][]any{
		"100": cents, "9007199254740993.01": {json.Number("9007199254740992.99"), json.Number("0.02")}, "-3.75": {int64(-4), 0.25},
		"7": {json.Number("1e1000000000"), int64(7)},
	} {
		if got := sum(values...).Decimal(); got != want {
			t.Errorf("it adds up to %s, want %s", got, want)
		}
	}
}
