package postgres

import (
	"context"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
)

// TestLongLookUp: a look-up over many rows waits its turn between pages, and that is nothing a server has kept it waiting for.
func TestLongLookUp(t *testing.T) {
	t.Parallel()
	s := started(t)
	place := s.table(t, s.schema(t)+".rows", "id bigint PRIMARY KEY, tenant text, uid text, city text")
	s.do(t, "INSERT INTO "+place+" SELECT n, 'alpha', 'zq-u1', 'Ulm' FROM generate_series(1, 1500) n")
	d := s.as(t, "reader", limits{readOnly: true, patience: time.Second})
	q := erasure.Query{Entry: "rows", Place: place, Tenant: erasure.Tenant{Binding: erasure.BindField, Field: "tenant", ID: "alpha"}, Match: erasure.Match{Kind: erasure.MatchEquals, Field: "uid", Values: []string{"zq-u1"}}}
	pages := 0
	ctx := erasure.WithMeter(t.Context(), func(context.Context, int) error {
		pages++
		time.Sleep(300 * time.Millisecond)
		return nil
	})
	if values, err := d.Values(ctx, q, "city", 10); err != nil || len(values) != 1 {
		t.Errorf("values %v, %v", values, err)
	}
	if n, err := d.Group(ctx, q, []string{"city"}); err != nil || n != 1500 {
		t.Errorf("a group of %d, %v", n, err)
	}
	if pages < 10 {
		t.Errorf("%d pages were told", pages)
	}
}
