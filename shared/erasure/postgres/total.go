package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// totals is what a row adds as it stands.
func (s search) totals(r row) []erasure.Total {
	if !s.query.Sums() {
		return nil
	}
	return s.query.Totals(s.adds(r))
}

// adds tells what stands in a row, of what is added to totals.
func (s search) adds(r row) func(name string) (any, bool) {
	return func(name string) (any, bool) {
		f, err := s.table.field(name)
		if err != nil {
			return nil, false
		}
		value, found := r.at(f)
		return f.simple(value), found
	}
}

// adding writes one total. Marks are joined as erasure.Total.Join does, where the row is locked.
const adding = `INSERT INTO %s AS t ("name", "tenant", "entry", "field", "by", "total", "items", "people", "marks")
	VALUES ($1, $2, $3, $4, $5::jsonb, $6::numeric, $7, cardinality($8::text[]), $8::text[])
	ON CONFLICT ("name") DO UPDATE SET "total" = t."total" + EXCLUDED."total", "items" = t."items" + EXCLUDED."items", ("people", "marks") = (
		SELECT count(*), coalesce(array_agg(m.v ORDER BY m.n), '{}') FROM (
			SELECT u.v, min(u.n) AS n FROM unnest(t."marks" || EXCLUDED."marks") WITH ORDINALITY AS u(v, n)
			GROUP BY u.v ORDER BY n LIMIT greatest(cardinality(t."marks"), $9)) AS m)`

// addUp adds to totals in the transaction that takes the fields away. A table of totals has the columns name (text, its primary
// key), tenant, entry and field (text), by (jsonb), total (numeric), items and people (bigint), and marks (text[]).
// Rows are locked in one order by everybody.
func addUp(ctx context.Context, tx pgx.Tx, totals []erasure.Total) error {
	for _, t := range erasure.AddUp(totals) {
		into, err := describe(ctx, tx, t.Place)
		if err != nil {
			return err
		}
		by, err := json.Marshal(t.By)
		if err != nil {
			return fault.New(fault.Invalid, "a total cannot be written")
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(adding, into.name),
			t.Name, t.Tenant, t.Entry, t.Field, string(by), t.Decimal(), t.Items, t.Join([]string{}), t.Least); err != nil {
			return err
		}
	}
	return nil
}

// sums reports whether the query adds to totals in a place.
func (s search) sums(place string) bool {
	return slices.ContainsFunc(s.query.Changes, func(c erasure.Change) bool { return c.Kind == erasure.ChangeAggregate && c.Into == place })
}
