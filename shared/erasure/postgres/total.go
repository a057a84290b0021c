package postgres

import (
	"context"
	"encoding/json"
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
	return s.query.Totals(func(name string) (any, bool) {
		f, err := s.table.field(name)
		if err != nil {
			return nil, false
		}
		value, found := r.at(f)
		return f.simple(value), found
	})
}

// addUp adds to totals in the transaction that takes the fields away. A table of totals has the columns name (text, its primary
// key), tenant, entry and field (text), by (jsonb), total (numeric) and items (bigint). Rows are locked in one order by everybody.
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
		if _, err := tx.Exec(ctx, `INSERT INTO `+into.name+` AS t ("name", "tenant", "entry", "field", "by", "total", "items")
			VALUES ($1, $2, $3, $4, $5::jsonb, $6::numeric, $7) ON CONFLICT ("name") DO UPDATE SET "total" = t."total" + EXCLUDED."total", "items" = t."items" + EXCLUDED."items"`,
			t.Name, t.Tenant, t.Entry, t.Field, string(by), t.Decimal(), t.Items); err != nil {
			return err
		}
	}
	return nil
}

// sums reports whether the query adds to totals in a place.
func (s search) sums(place string) bool {
	return slices.ContainsFunc(s.query.Changes, func(c erasure.Change) bool { return c.Kind == erasure.ChangeAggregate && c.Into == place })
}
