package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// search is a query fitted to the table it is about.
type search struct {
	query   erasure.Query
	table   table
	match   field
	not     []field // that the query's Not look at, in their order
	bound   field   // tells the tenant, of BindField
	created *field
	changed []field // in the order of the query's changes
	extra   []field
	// followers are the tables whose rows go with, or change with, those that are erased.
	followers []follower
}

// asked is a pool or a transaction.
type asked interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// fit looks the place up and refuses what the store could not carry out as it stands. extra are further fields to read.
func fit(ctx context.Context, from asked, q erasure.Query, extra ...string) (s search, err error) {
	s.query = q
	if s.table, err = describe(ctx, from, q.Place); err != nil {
		return s, err
	}
	if err = s.table.bound(q); err != nil {
		return s, err
	}
	if q.Tenant.Binding == erasure.BindField {
		if s.bound, err = s.table.field(q.Tenant.Field); err != nil {
			return s, err
		}
	}
	if q.CreatedField != "" {
		f, err := s.table.field(q.CreatedField)
		if err != nil {
			return s, err
		}
		s.created = &f
	}
	for _, c := range q.Changes {
		f, err := s.table.field(c.Field)
		if err != nil {
			return s, err
		}
		if f.position >= 0 || c.Field == q.Tenant.Field {
			return s, fault.New(fault.Invalid, "column %q cannot be changed: it tells the row, or its tenant", f.name)
		}
		s.changed = append(s.changed, f)
		extra = append(extra, c.By...)
	}
	if q.Sums() && q.Whose != "" {
		extra = append(extra, q.Whose)
	}
	for _, name := range extra {
		f, err := s.table.field(name)
		if err != nil {
			return s, err
		}
		s.extra = append(s.extra, f)
	}
	if err := s.recognise(); err != nil || q.Action == "" || !s.table.reaches {
		return s, err
	}
	return s, s.follow(ctx, from)
}

// recognise finds the columns that items are told by, and refuses to go through a large table.
func (s *search) recognise() (err error) {
	q := s.query
	for _, m := range q.Not {
		f, err := s.column(m)
		if err != nil {
			return err
		}
		s.not = append(s.not, f)
	}
	if s.match, err = s.column(q.Match); err != nil {
		return err
	}
	switch {
	case q.Match.Kind == erasure.MatchDocument || q.Match.Kind == erasure.MatchRef:
		return nil
	case q.Match.Kind == erasure.MatchTenant && q.Tenant.Binding == erasure.BindPath:
		return nil
	case q.Match.Fold:
		return s.table.quickly(s.match)
	}
	return s.table.quick(s.match.column)
}

// column is the column that a match tells items by; of MatchRef it is none.
func (s *search) column(m erasure.Match) (field, error) {
	switch m.Kind {
	case erasure.MatchRef:
		_, err := s.among(&statement{}, m.Values)
		return field{}, err
	case erasure.MatchDocument:
		named := slices.DeleteFunc(slices.Clone(s.table.key), func(c column) bool { return s.inKey() && c.name == s.bound.name })
		if len(named) != 1 {
			return field{}, fault.New(fault.Invalid, "a key of several columns is no name")
		}
		return field{column: named[0]}, nil
	case erasure.MatchTenant:
		return s.bound, nil
	case erasure.MatchPrefix, erasure.MatchMetadata:
		return field{}, fault.New(fault.Invalid, "rows have no %s", m.Kind)
	}
	f, err := s.table.field(m.Field)
	if err != nil {
		return field{}, err
	}
	list, keyed := f.isJSON() || f.category == "A", f.isJSON()
	if m.Kind == erasure.MatchContains && !list || m.Kind == erasure.MatchMapKey && !keyed {
		return field{}, fault.New(fault.Invalid, "column %q holds no list, or no map", f.name)
	}
	return f, nil
}

// inKey reports whether the tenant is part of the primary key: then a key names one tenant's row and no other's.
func (s *search) inKey() bool {
	return s.query.Tenant.Binding == erasure.BindField && len(s.bound.path) == 0 && s.bound.position >= 0
}

// statement gathers a statement's arguments.
type statement struct{ args []any }

func (st *statement) add(arg any) string {
	st.args = append(st.args, arg)
	return fmt.Sprintf("$%d", len(st.args))
}

// candidates is the condition by which an index finds what may match; matches has the last word.
func (s search) candidates(st *statement) string {
	f, m := s.match, s.query.Match
	document := f.quoted()
	if f.typ == "json" {
		document += "::jsonb"
	}
	switch {
	case m.Kind == erasure.MatchTenant && s.query.Tenant.Binding == erasure.BindPath:
		return "true"
	case m.Kind == erasure.MatchTenant:
		m.Values = []string{s.query.Tenant.ID}
	case m.Kind == erasure.MatchRef:
		where, _ := s.among(st, m.Values) // column has looked
		return where
	case m.Fold:
		return s.folding(st)
	case m.Kind == erasure.MatchMapKey:
		return fmt.Sprintf("(%s #> %s::text[]) ?| %s::text[]", document, st.add(append([]string{}, f.path...)), st.add(m.Values))
	case m.Kind == erasure.MatchContains && !f.isJSON():
		return fmt.Sprintf("%s && %s::text[]::%s", document, st.add(m.Values), f.typ)
	}
	if f.isJSON() {
		return fmt.Sprintf("%s @> ANY (%s::text[]::jsonb[])", document, st.add(containing(f.path, m)))
	}
	where := fmt.Sprintf("%s %s ANY (%s::text[]::%s[])", f.quoted(), f.equal, st.add(m.Values), f.typ)
	if m.Kind == erasure.MatchDocument && s.inKey() {
		where += fmt.Sprintf(" AND %s %s %s::text::%s", s.bound.quoted(), s.bound.equal, st.add(s.query.Tenant.ID), s.bound.typ)
	}
	return where
}

// folding is the condition that a row has one of the values, whatever its case. The collation "C" makes A to Z small and nothing
// else, whatever the database's own does.
func (s search) folding(st *statement) string {
	f, m := s.match, s.query.Match
	document, small := f.quoted()+"::text", func(value string) string {
		return fmt.Sprintf(`lower(%s COLLATE "C") = ANY (%s::text[])`, value, st.add(m.Folded()))
	}
	if f.isJSON() {
		document = f.document(st)
	}
	switch {
	case m.Kind == erasure.MatchMapKey:
		return fmt.Sprintf("EXISTS (SELECT FROM jsonb_object_keys(CASE jsonb_typeof(%[1]s) WHEN 'object' THEN %[1]s ELSE '{}' END) AS m(v) WHERE %s)", document, small("m.v"))
	case m.Kind == erasure.MatchContains && f.isJSON():
		return fmt.Sprintf("EXISTS (SELECT FROM jsonb_array_elements_text(CASE jsonb_typeof(%[1]s) WHEN 'array' THEN %[1]s ELSE '[]' END) AS m(v) WHERE %s)", document, small("m.v"))
	case m.Kind == erasure.MatchContains:
		return fmt.Sprintf("EXISTS (SELECT FROM unnest(%s) AS m(v) WHERE %s)", f.quoted(), small("m.v::text"))
	case f.isJSON():
		document = f.text(st)
	}
	return small(document)
}

var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)

// containing are the smallest documents that hold one of the values at path, as text and as a number.
func containing(path []string, m erasure.Match) []string {
	var documents []string
	for _, value := range m.Values {
		forms := []any{value}
		if wholeNumber.MatchString(value) {
			forms = append(forms, json.Number(value))
		}
		for _, form := range forms {
			if m.Kind == erasure.MatchContains {
				form = []any{form}
			}
			for _, key := range slices.Backward(path) {
				form = map[string]any{key: form}
			}
			text, _ := json.Marshal(form) // text, numbers, lists and maps of them
			documents = append(documents, string(text))
		}
	}
	return documents
}

// read is the beginning of a statement: keys, version and the columns that decide.
func (s search) read() string {
	var keys, columns []string
	for _, c := range s.table.key {
		keys = append(keys, c.quoted()+"::text")
	}
	fields := append(slices.Concat(s.changed, s.extra, s.not), s.match, s.bound)
	if s.created != nil {
		fields = append(fields, *s.created)
	}
	for _, f := range fields {
		if f.name != "" && !slices.Contains(columns, f.quoted()) {
			columns = append(columns, f.quoted())
		}
	}
	return fmt.Sprintf("SELECT ARRAY[%s], t.xmin::text, (SELECT to_jsonb(r) FROM (SELECT %s) r)::text FROM %s AS t", strings.Join(keys, ", "), strings.Join(columns, ", "), s.table.name)
}

func (s search) order() string {
	var keys []string
	for _, c := range s.table.key {
		keys = append(keys, c.quoted())
	}
	return strings.Join(keys, ", ")
}

// rows runs a statement that read began.
func (s search) rows(ctx context.Context, from asked, sql string, args []any) ([]row, error) {
	found, err := from.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, func(r pgx.CollectableRow) (row, error) {
		var key []string
		var version, document string
		if err := r.Scan(&key, &version, &document); err != nil {
			return row{}, err
		}
		return decode(key, version, document)
	})
}
