package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Erase implements erasure.Store: all or nothing of a page.
func (d *database) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) (results []erasure.Result, err error) {
	if err := q.CheckErase(items); err != nil || len(items) == 0 {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		s, err := fit(ctx, tx, q)
		if err != nil {
			return err
		}
		held, err := s.lock(ctx, tx, items)
		if err != nil {
			return err
		}
		// Rows that refer to those that are locked can be made by nobody until the transaction ends.
		verdicts, err := s.judge(ctx, tx, slices.Collect(maps.Keys(held)))
		if err != nil {
			return err
		}
		return s.guard(ctx, tx, func() (err error) {
			results, err = s.erase(ctx, tx, items, held, verdicts)
			return err
		})
	})
	if err != nil {
		return nil, about("erasing", q, err)
	}
	return results, nil
}

// lock reads rows by their references, so that nobody writes them until the transaction ends. Rows are locked in one
// order by everybody: two pages that share rows wait for each other and do not deadlock.
func (s search) lock(ctx context.Context, tx pgx.Tx, items []erasure.Item) (map[string]row, error) {
	var refs []string
	for _, i := range items {
		refs = append(refs, i.Ref)
	}
	st := &statement{}
	where, err := s.among(st, refs)
	if err != nil {
		return nil, err
	}
	found, err := s.rows(ctx, tx, fmt.Sprintf("%s WHERE %s ORDER BY %s FOR UPDATE OF t", s.read(), where, s.order()), st.args)
	held := map[string]row{}
	for _, r := range found {
		held[s.ref(r)] = r
	}
	return held, err
}

// among is the condition that a row is one of those named.
func (s search) among(st *statement, refs []string) (string, error) {
	parts := make([][]string, len(s.table.key))
	for _, name := range refs {
		key, err := s.key(name)
		if err != nil {
			return "", err
		}
		for i := range parts {
			parts[i] = append(parts[i], key[i])
		}
	}
	var names, lists, casts []string
	for i, c := range s.table.key {
		names = append(names, fmt.Sprintf("k%d", i))
		lists = append(lists, st.add(parts[i])+"::text[]")
		casts = append(casts, fmt.Sprintf("k%d::%s", i, c.typ))
	}
	return fmt.Sprintf("(%s) IN (SELECT %s FROM unnest(%s) AS u(%s))", s.order(), strings.Join(casts, ", "), strings.Join(lists, ", "), strings.Join(names, ", ")), nil
}

// erase decides about each row that is held, and acts.
func (s search) erase(ctx context.Context, tx pgx.Tx, items []erasure.Item, held map[string]row, verdicts map[string]verdict) ([]erasure.Result, error) {
	results := make([]erasure.Result, len(items))
	var doomed []string
	changes := map[string]map[string]any{}
	var totals []erasure.Total
	for i, item := range items {
		r, there := held[item.Ref]
		v, stays := verdicts[item.Ref]
		results[i] = erasure.Result{Ref: item.Ref, Outcome: erasure.OutcomeErased}
		outcome := &results[i].Outcome
		switch {
		case !there:
			*outcome = erasure.OutcomeGone
		case s.tenant(r) != s.query.Tenant.ID:
			*outcome = erasure.OutcomeForeign
		case !s.matches(r), !s.query.Before(r.created(s.created)):
			*outcome = erasure.OutcomeGone
		case s.query.Action == erasure.ActionDelete && !s.query.TakesOut():
			switch {
			case stays:
				results[i] = v.result(item)
			case r.version != item.Version:
				*outcome = erasure.OutcomeChanged
			default:
				doomed = append(doomed, item.Ref)
			}
		default:
			adds := s.totals(r) // before the row is changed
			if different := s.change(r); len(different) == 0 {
				*outcome = erasure.OutcomeGone
			} else if stays {
				results[i] = v.result(item)
			} else if r.version != item.Version {
				*outcome = erasure.OutcomeChanged
			} else {
				changes[item.Ref] = different
				totals = append(totals, adds...)
			}
		}
		delete(held, item.Ref) // named twice is gone the second time
	}
	if err := s.delete(ctx, tx, doomed); err != nil {
		return nil, err
	}
	if err := s.update(ctx, tx, changes); err != nil {
		return nil, err
	}
	return results, addUp(ctx, tx, totals)
}

var errKept = fault.New(fault.Invalid, "the server keeps rows that it was told to erase: a trigger, or a rule of the table")

func (s search) delete(ctx context.Context, tx pgx.Tx, refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	st := &statement{}
	where, err := s.among(st, refs)
	if err != nil {
		return err
	}
	done, err := tx.Exec(ctx, fmt.Sprintf("DELETE FROM %s AS t WHERE %s", s.table.name, where), st.args...)
	if err == nil && int(done.RowsAffected()) != len(refs) {
		return errKept
	}
	return err
}

// update writes the columns that are different, in one exchange with the server.
func (s search) update(ctx context.Context, tx pgx.Tx, changes map[string]map[string]any) error {
	if len(changes) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		var columns []string
		for _, c := range slices.Sorted(maps.Keys(changes[name])) {
			columns = append(columns, pgx.Identifier{c}.Sanitize())
		}
		document, err := json.Marshal(changes[name])
		if err != nil {
			return fault.New(fault.Invalid, "a row cannot be written")
		}
		st := &statement{}
		where, err := s.among(st, []string{name})
		if err != nil {
			return err
		}
		// The row's own type turns the values back into what the columns hold.
		batch.Queue(fmt.Sprintf("UPDATE %s AS t SET (%s) = (SELECT r.%s FROM jsonb_populate_record(NULL::%s, %s::text::jsonb) AS r) WHERE %s",
			s.table.name, strings.Join(columns, ", "), strings.Join(columns, ", r."), s.table.name, st.add(string(document)), where), st.args...).Exec(wrote)
	}
	return tx.SendBatch(ctx, batch).Close()
}

func wrote(done pgconn.CommandTag) error {
	if done.RowsAffected() != 1 {
		return errKept
	}
	return nil
}
