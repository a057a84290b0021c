package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// smallTable is what may be read through without an index, in bytes.
const smallTable = 8 << 20

// table is what the catalogue says of a place.
type table struct {
	name     string // quoted
	columns  []column
	key      []column // of the primary key, in its order
	root     string   // the place, or that of which it is a part
	reaches  bool     // rows of other tables may be deleted or changed with its own
	bytes    int64    // of its rows
	isTable  bool
	segments []string // of the place
}

type column struct {
	name     string
	typ      string // as a cast spells it
	category string // typcategory: "A" is an array
	equal    string // its operator, quoted: that of an extension's type is not on the search path
	position int32  // in the primary key from 0; -1 for none
	indexed  bool   // an index of the whole table begins with it
	folded   bool   // an index of the whole table begins with lower(it COLLATE "C")
}

func (c column) quoted() string { return "t." + pgx.Identifier{c.name}.Sanitize() }
func (c column) isJSON() bool   { return c.typ == "json" || c.typ == "jsonb" }
func (c column) isTime() bool   { return strings.HasPrefix(c.typ, "timestamp") }

// field is a column, or a path into one of JSON.
type field struct {
	column
	path []string
}

const describing = `
SELECT c.relkind IN ('r', 'p'),
  coalesce((SELECT m.nspname || '.' || r.relname FROM pg_class r JOIN pg_namespace m ON m.oid = r.relnamespace WHERE r.oid = pg_partition_root(c.oid)), n.nspname || '.' || c.relname),
  EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND (f.confdeltype::text || f.confupdtype::text) ~ '[cnd]'
    AND coalesce(pg_partition_root(f.confrelid)::oid, f.confrelid) = coalesce(pg_partition_root(c.oid)::oid, c.oid)),
  pg_relation_size(c.oid) + coalesce((SELECT sum(pg_relation_size(p.relid)) FROM pg_partition_tree(c.oid) p), 0)::bigint,
  a.attname::text, format_type(a.atttypid, -1), y.typcategory::text,
  coalesce((SELECT format('OPERATOR(%I.=)', s.nspname) FROM pg_operator o JOIN pg_namespace s ON s.oid = o.oprnamespace
    WHERE o.oprname = '=' AND o.oprleft = a.atttypid AND o.oprright = a.atttypid ORDER BY s.nspname <> 'pg_catalog' LIMIT 1), '='),
  coalesce((SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), -1),
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum),
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = 0
    AND translate(pg_get_indexdef(i.indexrelid, 1, false), '()', '') IN ('lower' || quote_ident(a.attname) || ' COLLATE "C"', 'lower' || quote_ident(a.attname) || '::text COLLATE "C"'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type y ON y.oid = a.atttypid
WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum`

// describe asks the catalogue, which knows more than the account may read.
func describe(ctx context.Context, from asked, place string) (table, error) {
	schema, name, ok := strings.Cut(place, ".")
	if !ok || schema == "" || name == "" {
		return table{}, fault.New(fault.Invalid, "a place is schema.table")
	}
	t := table{name: pgx.Identifier{schema, name}.Sanitize(), segments: []string{schema, name}}
	rows, err := from.Query(ctx, describing, schema, name)
	if err != nil {
		return table{}, err
	}
	t.columns, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		return c, row.Scan(&t.isTable, &t.root, &t.reaches, &t.bytes, &c.name, &c.typ, &c.category, &c.equal, &c.position, &c.indexed, &c.folded)
	})
	if err != nil {
		return table{}, err
	}
	if len(t.columns) == 0 {
		return table{}, fault.New(fault.NotFound, "the place does not exist")
	}
	for _, c := range t.columns {
		if c.position >= 0 {
			t.key = append(t.key, c)
		}
	}
	slices.SortFunc(t.key, func(a, b column) int { return int(a.position - b.position) })
	if !t.isTable || len(t.key) == 0 {
		return table{}, fault.New(fault.Invalid, "the place is no table with a primary key")
	}
	return t, nil
}

// field finds what a dotted path names.
func (t table) field(path string) (field, error) {
	for _, c := range t.columns {
		if c.name == path {
			return field{column: c}, nil
		}
	}
	first, rest, deeper := strings.Cut(path, ".")
	for _, c := range t.columns {
		if deeper && c.name == first && c.isJSON() {
			return field{column: c, path: strings.Split(rest, ".")}, nil
		}
	}
	return field{}, fault.New(fault.Invalid, "the place has no column for field %q", path)
}

// bound checks that the place is one of the tenant, where the place tells it.
func (t table) bound(q erasure.Query) error {
	if q.Tenant.Binding == erasure.BindPath && !slices.Contains(t.segments, q.Tenant.ID) {
		return fault.New(fault.Invalid, "the tenant is no part of the place")
	}
	return nil
}

// quick refuses what could only be found by going through a large table.
func (t table) quick(f column) error {
	if !f.indexed && t.bytes > smallTable {
		return fault.New(fault.Invalid, "no index begins with column %q, and the table is large", f.name)
	}
	return nil
}

// quickly is quick for what is found whatever its case: members of lists and keys of maps are in no such index.
func (t table) quickly(f field) error {
	if t.bytes > smallTable && (!f.folded || f.category == "A" || f.isJSON()) {
		return fault.New(fault.Invalid, `no index begins with lower(%q COLLATE "C"), and the table is large`, f.name)
	}
	return nil
}
