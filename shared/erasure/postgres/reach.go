package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/fault"
)

// follower is a table whose rows the server deletes or changes by itself with those of another one.
type follower struct {
	place        string   // schema.table
	child, above string   // quoted
	deep         bool     // its rows are deleted, and what follows them follows too
	holds, named []string // columns: its own, and those they refer to
	equal        []string // the operators that compare named with holds
	tells        bool     // it has the column that tells the tenant
	visible      bool     // the account may look
}

// following asks the catalogue for what follows rows of $1.$2: when they are deleted, however far, or when the columns $4 of
// theirs change. $3 is the column that tells the tenant. A table in parts is one table.
const following = `
WITH RECURSIVE f AS (
  SELECT coalesce(pg_partition_root(conrelid)::oid, conrelid) AS child, coalesce(pg_partition_root(confrelid)::oid, confrelid) AS above,
    CASE WHEN $4::text[] IS NULL THEN confdeltype ELSE confupdtype END::text AS does,
    (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(conkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num) AS holds,
    (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(confkey) WITH ORDINALITY k(num, n) JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.num) AS named,
    (SELECT array_agg(format('OPERATOR(%I.%s)', s.nspname, o.oprname) ORDER BY k.n) FROM unnest(conpfeqop) WITH ORDINALITY k(op, n) JOIN pg_operator o ON o.oid = k.op JOIN pg_namespace s ON s.oid = o.oprnamespace) AS equal
  FROM pg_constraint WHERE contype = 'f'
), r AS (
  SELECT f.* FROM f WHERE does IN ('c', 'n', 'd') AND ($4::text[] IS NULL OR named && $4) AND above =
    (SELECT coalesce(pg_partition_root(c.oid)::oid, c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2)
  UNION
  SELECT f.* FROM f JOIN r ON f.above = r.child AND r.does = 'c' WHERE $4::text[] IS NULL AND f.does IN ('c', 'n', 'd')
)
SELECT n.nspname::text, c.relname::text, m.nspname::text, a.relname::text, r.does = 'c' AND $4::text[] IS NULL, holds, named, equal,
  EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = child AND t.attname = $3 AND NOT t.attisdropped), has_table_privilege(child, 'SELECT')
FROM r JOIN pg_class c ON c.oid = child JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class a ON a.oid = above JOIN pg_namespace m ON m.oid = a.relnamespace
ORDER BY 1, 2, 3, 4, holds`

// follow finds what follows the rows of the query's place when they are erased.
func (s *search) follow(ctx context.Context, from asked) error {
	var changed []string // nil: rows are deleted
	if s.query.TakesOut() {
		changed = []string{s.match.name}
	}
	for _, f := range s.changed {
		changed = append(changed, f.name)
	}
	rows, err := from.Query(ctx, following, s.table.segments[0], s.table.segments[1], s.bound.name, changed)
	if err != nil {
		return err
	}
	s.followers, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f follower, err error) {
		var schema, name, aboveSchema, aboveName string
		err = row.Scan(&schema, &name, &aboveSchema, &aboveName, &f.deep, &f.holds, &f.named, &f.equal, &f.tells, &f.visible)
		f.place, f.child, f.above = schema+"."+name, pgx.Identifier{schema, name}.Sanitize(), pgx.Identifier{aboveSchema, aboveName}.Sanitize()
		return f, err
	})
	if err != nil {
		return err
	}
	for _, f := range s.followers {
		if !f.visible {
			return fault.New(fault.Denied, "erasing would delete or change rows of %s, and the account may not see which", f.place)
		}
	}
	return nil
}

// declared reports whether the map says that rows of a place go with those they refer to.
func (s search) declared(place string) bool { return slices.Contains(s.query.Below, place) }

// verdict is what keeps a row from being erased by what would go with it.
type verdict struct {
	outcome erasure.Outcome
	place   string
}

func (v verdict) why() string {
	return fmt.Sprintf("rows of %s refer to it, and the server would delete or change them by itself", v.place)
}

func (v verdict) result(item erasure.Item) erasure.Result {
	r := erasure.Result{Ref: item.Ref, Outcome: v.outcome}
	if v.outcome == erasure.OutcomeHeld {
		r.Why = v.why()
	}
	return r
}

// judge looks at everything that follows the rows named: by reference, why one has to stay. A row that is missing may go.
func (s search) judge(ctx context.Context, from asked, refs []string) (map[string]verdict, error) {
	verdicts := map[string]verdict{}
	if len(refs) == 0 || !slices.ContainsFunc(s.followers, func(f follower) bool { return f.tells || !s.declared(f.place) }) {
		return verdicts, nil
	}
	st := &statement{}
	among, err := s.among(st, refs)
	if err != nil {
		return nil, err
	}
	var keys, branches []string
	for _, c := range s.table.key {
		keys = append(keys, c.quoted()+"::text")
	}
	for i, f := range s.followers {
		branches = append(branches, s.branch(st, i, f))
	}
	rows, err := from.Query(ctx, fmt.Sprintf(`
WITH RECURSIVE reach(root, part, id, fate, place) AS (
  SELECT ARRAY[%s], t.tableoid, t.ctid::text, '', -1 FROM %s AS t WHERE %s
  UNION
  SELECT r.root, n.* FROM reach r CROSS JOIN LATERAL (%s) n WHERE r.fate = ''
)
SELECT DISTINCT ON (root) root, fate, place FROM reach WHERE fate NOT IN ('', 'end') ORDER BY root, fate, place`,
		strings.Join(keys, ", "), s.table.name, among, strings.Join(branches, " UNION ALL ")), st.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key []string
		var fate string
		var at int
		if err := rows.Scan(&key, &fate, &at); err != nil {
			return nil, err
		}
		verdicts[s.ref(row{key: key})] = verdict{erasure.Outcome(fate), s.followers[at].place}
	}
	return verdicts, rows.Err()
}

// branch selects the rows of one follower that refer to a row r reached before, and says what is to become of those: ” for
// one that goes too, 'end' for one that stays and is changed.
func (s search) branch(st *statement, i int, f follower) string {
	var on []string
	for k := range f.holds {
		on = append(on, fmt.Sprintf("p.%s %s t.%s", pgx.Identifier{f.named[k]}.Sanitize(), f.equal[k], pgx.Identifier{f.holds[k]}.Sanitize()))
	}
	fate := "held"
	switch {
	case s.declared(f.place) && f.deep:
		fate = ""
	case s.declared(f.place):
		fate = "end"
	}
	other := "false"
	if f.tells { // a row that tells none is part of what it hangs on
		other = fmt.Sprintf("coalesce(%s <> %s, false)", s.bound.text(st), st.add(s.query.Tenant.ID))
	}
	return fmt.Sprintf("SELECT t.tableoid, t.ctid::text, CASE WHEN %s THEN 'foreign' ELSE '%s' END, %d FROM %s AS t JOIN %s AS p ON %s WHERE p.tableoid = r.part AND p.ctid = r.id::tid",
		other, fate, i, f.child, f.above, strings.Join(on, " AND "))
}

// written counts the rows written in the present transaction, by place.
func written(ctx context.Context, from asked) (map[string]int64, error) {
	rows, err := from.Query(ctx, `SELECT n.nspname || '.' || c.relname, sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint
FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = coalesce(pg_partition_root(s.relid)::oid, s.relid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[string]int64{}
	for rows.Next() {
		var place string
		var count int64
		if err := rows.Scan(&place, &count); err != nil {
			return nil, err
		}
		counts[place] = count
	}
	return counts, rows.Err()
}

// guard does what is to be done, and refuses when anything but the place and what is declared was written by it: by a
// trigger, which could keep what is to be erased, or erase what is to be kept. It leaves the undoing to the transaction.
func (s search) guard(ctx context.Context, tx asked, do func() error) error {
	before, err := written(ctx, tx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := written(ctx, tx)
	if err != nil {
		return err
	}
	for place, count := range after {
		if count > before[place] && place != s.table.root && !s.declared(place) && !s.sums(place) {
			return fault.New(fault.Invalid, "the server would write into %s by itself: name it below the entry, or take the trigger away", place)
		}
	}
	return nil
}

// reaches tells what the server does by itself when rows go, of all tables.
const reaches = `
SELECT format('deleting rows of %s %s rows of %s that refer to them', above, CASE does WHEN 'c' THEN 'deletes' ELSE 'changes' END, child) FROM (
  SELECT DISTINCT coalesce(pg_partition_root(confrelid)::oid, confrelid)::regclass AS above, coalesce(pg_partition_root(conrelid)::oid, conrelid)::regclass AS child, confdeltype::text AS does
  FROM pg_constraint WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd')) f
UNION SELECT DISTINCT format('writing rows of %s runs the trigger %I', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'
ORDER BY 1 LIMIT $1`

// mostReaches are told, at most.
const mostReaches = 200
