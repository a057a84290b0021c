package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// Find implements erasure.Reader.
func (d *database) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (page erasure.Page, err error) {
	if err := q.Check(); err != nil {
		return page, err
	}
	if err := erasure.CheckLimit(limit); err != nil {
		return page, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	s, err := fit(ctx, d.pool, q, q.Show...)
	if err == nil {
		var found []row
		if found, page.Next, err = s.step(ctx, d.pool, cursor, limit); err == nil {
			if page.Items, err = s.items(ctx, d.pool, found); err == nil {
				return page, nil
			}
		}
	}
	return erasure.Page{}, about("finding", q, err)
}

// about says what was being done for which entry.
func about(doing string, q erasure.Query, err error) error {
	if err == nil {
		return nil
	}
	doing = fmt.Sprintf("%s rows of entry %q", doing, q.Entry)
	if ours, ok := errors.AsType[*fault.Error](err); ok {
		return fault.New(ours.Kind, "%s: %w", doing, err)
	}
	return explain(doing, err)
}

// step reads the rows behind cursor that match, of limit candidates, and says where the next step begins.
func (s search) step(ctx context.Context, from asked, cursor string, limit int) (found []row, next string, err error) {
	st := &statement{}
	where := []string{s.candidates(st)}
	if cursor != "" {
		behind, err := s.behind(st, cursor)
		if err != nil {
			return nil, "", err
		}
		where = append(where, behind)
	}
	sql := fmt.Sprintf("%s WHERE %s ORDER BY %s LIMIT %d", s.read(), strings.Join(where, " AND "), s.order(), limit+1)
	found, err = s.rows(ctx, from, sql, st.args)
	if err != nil {
		return nil, "", err
	}
	if len(found) > limit {
		found = found[:limit]
		next = s.ref(found[limit-1])
	}
	return slices.DeleteFunc(found, func(r row) bool { return !s.matches(r) || !s.query.Before(r.created(s.created)) || s.leftOut(r) }), next, nil
}

// behind is the condition that a row's key follows that of the cursor.
func (s search) behind(st *statement, cursor string) (string, error) {
	key, err := s.key(cursor)
	if err != nil {
		return "", err
	}
	var values []string
	for i, c := range s.table.key {
		values = append(values, st.add(key[i])+"::text::"+c.typ)
	}
	return fmt.Sprintf("(%s) > (%s)", s.order(), strings.Join(values, ", ")), nil
}

// ref names a row of the database, and how far a walk has come: the table's name and the row's key.
func (s search) ref(r row) string {
	text, _ := json.Marshal(append([]string{s.query.Place}, r.key...)) // text alone
	return string(text)
}

func (s search) key(ref string) ([]string, error) {
	var named []string
	if err := json.Unmarshal([]byte(ref), &named); err != nil || len(named) != 1+len(s.table.key) || named[0] != s.query.Place {
		return nil, fault.New(fault.Invalid, "a reference or a cursor is not of this place")
	}
	return named[1:], nil
}

// items are what is said of rows, with what keeps them.
func (s search) items(ctx context.Context, from asked, found []row) (items []erasure.Item, err error) {
	var own []string
	for _, r := range found {
		items = append(items, s.item(r))
		if last := items[len(items)-1]; last.Tenant == s.query.Tenant.ID && !last.Clean {
			own = append(own, last.Ref)
		}
	}
	verdicts, err := s.judge(ctx, from, own)
	for i := range items {
		// That something of another tenant is in the way is for Erase to tell, which raises the alarm.
		if v := verdicts[items[i].Ref]; v.outcome == erasure.OutcomeHeld {
			items[i].Held, items[i].Why = erasure.Endless, v.why()
		}
	}
	return items, err
}

func (s search) item(r row) erasure.Item {
	item := erasure.Item{Ref: s.ref(r), Version: r.version, Created: r.created(s.created), Tenant: s.tenant(r)}
	item = s.query.Shows(item, func(field string) string { return r.word(s.extra[slices.Index(s.query.Show, field)]) })
	item.Totals = s.query.Adding(s.adds(r)) // before the row is changed
	item.Clean = s.query.Action == erasure.ActionAnonymise && len(s.change(r)) == 0
	return item
}

// each visits the tenant's own rows that q finds. Each page has the patience of a call, and what waits between two of them none
// of it.
func (d *database) each(ctx context.Context, q erasure.Query, fields []string, visit func(context.Context, search, row) error) error {
	var s search
	if err := d.patiently(ctx, func(ctx context.Context) (err error) {
		s, err = fit(ctx, d.pool, q, fields...)
		return err
	}); err != nil {
		return err
	}
	for cursor := ""; ; {
		read := 0
		if err := d.patiently(ctx, func(ctx context.Context) error {
			found, next, err := s.step(ctx, d.pool, cursor, erasure.MaxPage)
			if err != nil {
				return err
			}
			for _, r := range found {
				if s.tenant(r) != q.Tenant.ID {
					continue // what is learnt from others' rows is theirs
				}
				if err := visit(ctx, s, r); err != nil {
					return err
				}
			}
			cursor, read = next, len(found)
			return nil
		}); err != nil {
			return err
		}
		if err := erasure.Metered(ctx, read); err != nil || cursor == "" {
			return err
		}
	}
}

func (d *database) patiently(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	return do(ctx)
}

// Values implements erasure.Reader. Rows of other tenants give none; a list gives its members.
func (d *database) Values(ctx context.Context, q erasure.Query, field string, limit int) ([]string, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	values := map[string]bool{}
	err := d.each(ctx, q, []string{field}, func(_ context.Context, s search, r row) error {
		for _, w := range r.words(s.extra[0]) {
			values[w] = true
		}
		if len(values) > limit {
			return fault.New(fault.Exhausted, "more than %d identifiers", limit)
		}
		return nil
	})
	if err != nil {
		return nil, about("reading", q, err)
	}
	return slices.Sorted(maps.Keys(values)), nil
}

// Group implements erasure.Reader.
func (d *database) Group(ctx context.Context, q erasure.Query, fields []string) (int, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	counted, smallest := map[string]bool{}, 0
	err := d.each(ctx, q, fields, func(ctx context.Context, s search, r row) error {
		st := &statement{}
		where, shared := s.sharing(st, r)
		if counted[shared] {
			return nil
		}
		counted[shared] = true
		rows, err := d.pool.Query(ctx, fmt.Sprintf("SELECT count(*) FROM %s AS t WHERE %s", s.table.name, where), st.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var count int
		for rows.Next() {
			if err := rows.Scan(&count); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if smallest == 0 || count < smallest {
			smallest = count
		}
		return nil
	})
	if err != nil {
		return 0, about("counting", q, err)
	}
	return smallest, nil
}

// sharing is the condition that a row is of the tenant and says what r says in the extra fields; shared is the same for
// rows of one group.
func (s search) sharing(st *statement, r row) (where, shared string) {
	conditions, values := []string{"true"}, []any{}
	if s.query.Tenant.Binding == erasure.BindField {
		conditions = append(conditions, s.bound.text(st)+" = "+st.add(s.query.Tenant.ID))
	}
	for _, f := range s.extra {
		value, found := r.at(f)
		values = append(values, value, found)
		document, _ := json.Marshal(value)
		if value == nil {
			conditions = append(conditions, f.text(st)+" IS NULL")
		} else {
			conditions = append(conditions, fmt.Sprintf("%s = %s::text::jsonb", f.document(st), st.add(string(document))))
		}
	}
	text, _ := json.Marshal(values)
	return strings.Join(conditions, " AND "), string(text)
}

// document is what stands in a field, as JSON.
func (f field) document(st *statement) string {
	return fmt.Sprintf("(to_jsonb(%s) #> %s::text[])", f.quoted(), st.add(append([]string{}, f.path...)))
}

// text is what stands in a field, as text; NULL for null and for what is absent.
func (f field) text(st *statement) string {
	return fmt.Sprintf("(to_jsonb(%s) #>> %s::text[])", f.quoted(), st.add(append([]string{}, f.path...)))
}

// Places implements erasure.Reader: tables and stored views, the server's own left out.
func (d *database) Places(ctx context.Context, limit int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	places, err := texts(ctx, d.pool, `SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' LIMIT $1`, limit+1)
	if err != nil {
		return nil, explain("listing tables", err)
	}
	if len(places) > limit {
		return nil, fault.New(fault.Exhausted, "listing tables: there are more than %d", limit)
	}
	slices.Sort(places)
	return places, nil
}

// Traces implements erasure.Reader: the server does not tell what was copied out of it.
func (d *database) Traces(ctx context.Context) (erasure.Traces, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	archiving, err := texts(ctx, d.pool, "SELECT setting FROM pg_settings WHERE name = 'archive_mode' AND setting <> 'off'")
	if err != nil {
		return erasure.Traces{}, explain("asking what is kept", err)
	}
	t := erasure.Traces{Unknown: []string{"how long backups and replicas of the database are kept"}}
	if len(archiving) > 0 {
		t.Unknown = append(t.Unknown, "how long the write-ahead log that the database archives is kept")
	}
	if t.Reaches, err = texts(ctx, d.pool, reaches, mostReaches); err != nil {
		return erasure.Traces{}, explain("asking what the server does by itself", err)
	}
	return t, nil
}

func texts(ctx context.Context, from asked, sql string, args ...any) ([]string, error) {
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	var all []string
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
