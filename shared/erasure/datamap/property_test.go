package datamap_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
)

// kinds of the generated maps: each may be derived from one before it.
var kinds = []string{"email", "uid", "customer_id", "device_id"}

// generated is a map in which nothing is wrong.
type generated struct {
	ids     []string
	entries []string
	after   map[string][]string // each names what may come before
}

func generate(r *rand.Rand) generated {
	g := generated{after: map[string][]string{}}
	n := 2 + r.IntN(12)
	directory := r.IntN(n)
	var plain []string
	for i := range n {
		id := fmt.Sprintf("e%d", i)
		access := i != directory && r.IntN(5) == 0
		g.ids = append(g.ids, id)
		g.entries = append(g.entries, fmt.Sprintf("region: europe-west1, backup_class: none, access: %v, directory: %v, %s", access, i == directory, anEntry(r, i, i == directory)))
		if access || i == directory {
			continue
		}
		for _, before := range plain {
			if r.IntN(4) == 0 {
				g.after[id] = append(g.after[id], before)
			}
		}
		plain = append(plain, id)
	}
	return g
}

func (g generated) text() string {
	var b strings.Builder
	b.WriteString("identifiers: [{id: email, reusable: true, normalise: email}, {id: uid}, {id: customer_id}, {id: device_id, reusable: true}]\nentries:\n")
	for i, id := range g.ids {
		fmt.Fprintf(&b, "- {id: %s, after: [%s], %s}\n", id, strings.Join(g.after[id], ", "), g.entries[i])
	}
	return b.String()
}

// anEntry is what an entry says beside its id and its order.
func anEntry(r *rand.Rand, i int, directory bool) string {
	of := kinds[r.IntN(len(kinds))]
	role := []string{"controller", "controller", "processor"}[r.IntN(3)]
	if directory {
		role = "controller"
	}
	tail := fmt.Sprintf("role: %s, created: at", role)
	if from := slices.Index(kinds, of); from < len(kinds)-1 && r.IntN(2) == 0 {
		tail += fmt.Sprintf(", derives: [{identifier: %s, from: the.%s}]", kinds[from+1], kinds[from+1])
	}
	or := "" // by what the first is not derived from, for identifiers lead one way
	if at := slices.Index(kinds, of); at > 0 && r.IntN(2) == 0 {
		or = fmt.Sprintf(", or: {way: second.id, of: %s}", kinds[r.IntN(at)])
	}
	switch r.IntN(3) {
	case 0:
		tail += ", action: delete"
	case 1:
		tail += ", action: review"
	default:
		tail += `, action: retain, retain: {ground: art17-3-e, citation: "Code civil, art. 2224", from: created, period: P5Y, fields: [a]}`
	}
	bound := []string{"tenant: {field: tenant_id}", "tenant: {path: true}", `tenant: {global: "no tenant here; reviewed by the DPO, 2026-03-02"}`}[r.IntN(3)]
	place := fmt.Sprintf("things%d", i)
	if strings.Contains(bound, "path") {
		place = fmt.Sprintf([]string{"tenants/{tenant}/things%d", "{tenant}/all/things%d", "tenants/{tenant}/**/things%d"}[r.IntN(3)], i)
	}
	switch r.IntN(5) {
	case 0:
		if !strings.Contains(place, "**") {
			return fmt.Sprintf(`store: "firestore://p-live/main", place: "%s", select: {document: "{%s}"%s}, %s, %s`, place, of, strings.Replace(or, "way", "equals", 1), bound, tail)
		}
		fallthrough
	case 1:
		way := []string{"equals", "contains", "map_key"}[r.IntN(3)]
		return fmt.Sprintf(`store: "firestore://p-live/main", place: "%s", select: {%s: owner.id, of: %s%s}, %s, %s`, place, way, of, strings.Replace(or, "way", "equals", 1), bound, tail)
	case 2:
		bound = strings.Replace(bound, "{path: true}", "{field: tenant_id}", 1)
		return fmt.Sprintf(`store: "postgres://{account}@sql-{region}/app?secret=s", place: app.things%d, select: {column: owner, of: %s%s}, %s, %s`, i, of, strings.Replace(or, "way: second.id", "column: second", 1), bound, tail)
	case 3:
		place = fmt.Sprintf("things%d/", i)
		if strings.Contains(bound, "path") {
			place += "{tenant}/"
		}
		return fmt.Sprintf(`store: "gcs://files%d", place: "%s", select: {prefix: "{%s}/"}, %s, %s`, i, place, of, bound, strings.Replace(tail, "the.", "", 1))
	}
	bound = strings.Replace(bound, "{path: true}", "{field: tenant_id}", 1)
	return fmt.Sprintf(`store: "https://hook%d/x?secret=s", place: things%d, select: {hook: true, of: %s}, %s, %s`, i, i, of, bound, tail)
}

// values are identifiers as people and attackers give them.
var values = []string{
	"u1", "u10", "U1", "ada@acme.example", "", "*", ".", "..", "../x", "a/b", `a\b`, "north", "{tenant}", "{uid}", "tenants/south", "%", "null", "undefined", "\x00", "u1\n", " u1", "u1 ",
	"\u202eu1", "аda@acme.example", "ada@асme.example", "ＡＤＡ@acme.example", strings.Repeat("x", 1500), strings.Repeat("x", 1501), strings.Repeat("é", 1000), "\xff", "__name__", "'; DROP TABLE users; --", "$ne", "a.b", "7",
}

// TestNoQueryIsUnbound: whatever the map and whoever asks, each query that comes out is bound to the tenant asked for
// and recognises by values that somebody verified.
func TestNoQueryIsUnbound(t *testing.T) {
	t.Parallel()
	compiled, refused := 0, 0
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		g := generate(r)
		m := read(t, g.text())
		for range 40 {
			tenant := []string{"north", "south", "u1", "tenants"}[r.IntN(4)]
			var ids []datamap.Identifier
			for range 1 + r.IntN(4) {
				ids = append(ids, datamap.Identifier{Kind: kinds[r.IntN(len(kinds))], Value: values[r.IntN(len(values))], Verified: r.IntN(5) > 0})
			}
			for what, compile := range map[string]func() ([]datamap.Step, error){
				"compile":  func() ([]datamap.Step, error) { return m.Compile(tenant, ids) },
				"instruct": func() ([]datamap.Step, error) { return m.Instruct(tenant, ids) },
				"close":    func() ([]datamap.Step, error) { return m.Close(tenant) },
				"look up":  func() ([]datamap.Step, error) { return lookups(m, tenant, ids) },
				"sweep":    func() ([]datamap.Step, error) { return swept(m, tenant) },
			} {
				steps, err := compile()
				if err != nil {
					if steps != nil || !fault.Is(err, fault.Invalid) || leaks(err.Error(), ids) {
						t.Fatalf("seed %d, %s: %d steps beside %v", seed, what, len(steps), err)
					}
					refused++
					continue
				}
				for _, s := range steps {
					compiled++
					bound(t, what, s, tenant, ids)
				}
				switch what {
				case "compile":
					whole(t, m, datamap.Controller, steps, ids)
				case "instruct":
					whole(t, m, datamap.Processor, steps, ids)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, g.text())
		}
	}
	if compiled < 100 || refused < 100 {
		t.Errorf("%d queries and %d refusals are too few to tell", compiled, refused)
	}
}

// whole fails unless there is a step, with a name of its own, for each way of recognising for which an identifier is known.
func whole(t *testing.T, m *datamap.Map, role datamap.Role, steps []datamap.Step, ids []datamap.Identifier) {
	t.Helper()
	var got, want []string
	for _, s := range steps {
		got = append(got, s.ID)
	}
	for _, e := range m.Entries {
		for w, first := &e.Select, true; w != nil && e.Role == role; w, first = w.Or, false {
			kind := w.Of + strings.Trim(w.Document+w.Prefix, "{}/")
			if id := e.ID + "." + kind; slices.ContainsFunc(ids, func(i datamap.Identifier) bool { return i.Verified && i.Kind == kind }) {
				if first {
					id = e.ID
				}
				want = append(want, id)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	equal(t, "the steps", got, want)
}

func lookups(m *datamap.Map, tenant string, ids []datamap.Identifier) (steps []datamap.Step, err error) {
	all, err := m.Lookups(tenant, ids)
	for _, l := range all {
		steps = append(steps, datamap.Step{Entry: l.Entry, Query: l.Query})
	}
	return steps, err
}

func swept(m *datamap.Map, tenant string) (steps []datamap.Step, err error) {
	all, err := m.Sweeps(tenant, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	for _, s := range all {
		steps = append(steps, s.Step)
	}
	return steps, err
}

// leaks reports whether a text holds one of the values, but for those too short to tell.
func leaks(text string, ids []datamap.Identifier) bool {
	return slices.ContainsFunc(ids, func(i datamap.Identifier) bool { return len(i.Value) > 6 && strings.Contains(text, i.Value) })
}

func bound(t *testing.T, what string, s datamap.Step, tenant string, ids []datamap.Identifier) {
	t.Helper()
	q := s.Query
	if err := q.Check(); err != nil {
		t.Errorf("%s: no store takes %+v: %v", what, q, err)
	}
	names := []string{q.Place}
	if q.Match.Kind == erasure.MatchDocument || q.Match.Kind == erasure.MatchPrefix {
		names = append(names, q.Match.Values...)
	}
	switch q.Tenant.Binding {
	case erasure.BindPath:
		if q.Tenant.ID != tenant || !s.Entry.Tenant.Path || !slices.Contains(strings.Split(q.Place, "/"), tenant) {
			t.Errorf("%s: the path does not tell the tenant %q: %+v", what, tenant, q)
		}
	case erasure.BindField:
		if q.Tenant.ID != tenant || q.Tenant.Field == "" || s.Entry.Tenant.Field != q.Tenant.Field {
			t.Errorf("%s: no field tells the tenant %q: %+v", what, tenant, q)
		}
	case erasure.BindGlobal:
		if s.Entry.Tenant.Global == "" || q.Match.Kind == erasure.MatchTenant {
			t.Errorf("%s: global, and nobody has looked at it: %+v", what, q)
		}
	default:
		t.Errorf("%s: unbound: %+v", what, q)
	}
	for _, name := range names {
		if strings.ContainsAny(name, "\\\x00") || strings.Contains(name, "/../") || strings.Contains(name, "//") {
			t.Errorf("%s: a name is no name: %q", what, name)
		}
	}
	for _, v := range q.Match.Values {
		if !slices.ContainsFunc(ids, func(i datamap.Identifier) bool {
			return i.Verified && i.Value != "" && strings.Contains(v, strings.ToLower(strings.TrimSpace(i.Value))) || i.Verified && i.Value != "" && strings.Contains(v, i.Value)
		}) {
			t.Errorf("%s: searches for %q, which nobody verified", what, v)
		}
	}
}

// TestOrder: access comes first, the directory last, each entry after those it names, what lies below before what it
// lies under; and a circle has no order.
func TestOrder(t *testing.T) {
	t.Parallel()
	for seed := range require.Seeds(25) {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		g := generate(r)
		m := read(t, g.text())
		rows := m.Table()
		at := map[string]int{}
		for i, row := range rows {
			at[row.Entry] = i
		}
		for i, row := range rows {
			e, _ := m.Entry(row.Entry)
			if e.Directory && i != len(rows)-1 {
				t.Errorf("seed %d: the directory is number %d of %d", seed, i+1, len(rows))
			}
			for _, before := range g.after[e.ID] {
				if at[before] > i {
					t.Errorf("seed %d: %s comes before %s", seed, e.ID, before)
				}
			}
			for _, later := range rows[i:] {
				o, _ := m.Entry(later.Entry)
				if o.Access && !e.Access {
					t.Errorf("seed %d: %s comes before access %s", seed, e.ID, o.ID)
				}
			}
		}
		steps, err := m.Close("north")
		for i, s := range steps {
			for _, before := range s.After {
				if slices.IndexFunc(steps, func(o datamap.Step) bool { return o.Entry.ID == before }) >= i || err != nil {
					t.Errorf("seed %d: %s waits for %s, which comes later: %v", seed, s.Entry.ID, before, err)
				}
			}
		}
		circled(t, seed, g)
	}
}

// circled has two that come one after the other come after each other, and wants to be told.
func circled(t *testing.T, seed int, g generated) {
	for id, before := range g.after {
		back := before[0]
		g.after[back] = append(slices.Clone(g.after[back]), id)
		m, problems := datamap.Read(load(t, map[string]string{"datamap.yaml": g.text()}))
		if !slices.ContainsFunc(problems, func(p policy.Problem) bool { return strings.Contains(p.What, "comes after itself") }) || m.Table() != nil {
			t.Errorf("seed %d: %s and %s come after each other, and nobody says so: %v", seed, id, back, problems)
		}
		return
	}
}

func TestBelowComesFirst(t *testing.T) {
	t.Parallel()
	m := read(t, strings.Replace(good, "no_personal_data:", `  - {id: parts, store: "firestore://{project}/main", place: "logins/x/parts", region: europe-west1,
     role: controller, tenant: {field: tenant_id}, select: {equals: uid, of: uid}, action: delete, backup_class: none}
no_personal_data:`, 1))
	var order []string
	for _, row := range m.Table() {
		order = append(order, row.Entry)
	}
	if slices.Index(order, "parts") > slices.Index(order, "logins") {
		t.Errorf("what lies below comes after what it lies under: %v", order)
	}
}
