package run_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/pace"
	"ostiary.internal/shared/erasure/run"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	sealing "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/policy"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const mapText = `
identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
  - {id: customer}
entries:
  - {id: sessions, store: "firestore://p/d", place: sessions, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, access: true, backup_class: none}
  - {id: notes, store: "firestore://p/d", place: notes, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: email, of: email, case: lower}, action: delete, created: created, backup_class: pitr}
  - {id: usage, store: "firestore://p/d", place: usage, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: anonymise, fields: [{field: uid, do: delete}, {field: name, do: delete}], backup_class: pitr}
  - {id: profiles, store: "firestore://p/d", place: profiles, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, derives: [{identifier: customer, from: customer}], backup_class: pitr}
  - {id: orders, store: "firestore://p/d", place: orders, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: customer, of: customer}, action: delete, backup_class: pitr}
  - {id: folders, store: "firestore://p/d", place: folders, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, descend: true, below: [files, thumbs], backup_class: pitr}
  - {id: files, store: "firestore://p/d", place: "**/files", region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid}, action: delete, backup_class: pitr}
  - id: invoices
    store: "firestore://p/d"
    place: invoices
    region: europe-west1
    role: controller
    tenant: {field: tenant}
    select: {equals: uid, of: uid}
    action: retain
    retain: {ground: statute, citation: "HGB 257", from: created, period: P10Y, fields: [uid, total]}
    created: created
    backup_class: pitr
  - {id: users, store: "firestore://p/d", place: users, region: europe-west1, role: controller, tenant: {field: tenant}, select: {equals: uid, of: uid, or: {equals: email, of: email, case: lower}}, action: delete, created: created, directory: true, address: email, derives: [{identifier: uid, from: uid}], backup_class: pitr}
backups:
  - {class: pitr, days: 7}
limits: {auto_approve_items: 500, growth_percent: 10, tenant_percent: 20, account_grace_days: 14, rate_per_second: 10000}
strict: true
`

// ofRequests are the collections that hold what is known of requests: not how fast stores may be asked.
func ofRequests() []store.Collection {
	return slices.DeleteFunc(run.Collection(), func(c store.Collection) bool { return c.Name == pace.Collection().Name })
}

// people is a store of personal data in memory: as strict as a real one, and it dies on demand. What lies below a document
// goes by the name of its group.
type people struct {
	mu     sync.Mutex
	docs   map[string]map[string]string // "place/name"
	reads  map[string]int               // how often an item was returned by Find
	fail   func(call string) error
	query  func(q erasure.Query) error // refuses what Find is asked
	calls  int
	erased int64 // items, those below others not counted
	puts   int
	skip   int // the first items of an Erase are left for another call, once
	traces erasure.Traces
	weighs bool // Find counts what lies below items
}

func (p *people) touch(call string) error {
	p.calls++
	if p.fail != nil {
		return p.fail(call)
	}
	return nil
}

func (p *people) matching(q erasure.Query) []string {
	var refs []string
	for ref, doc := range p.docs {
		if placeOf(ref) == q.Place && recognises(q, ref, doc) && !leftOut(q, doc) && q.Before(erasure.Moment(doc[q.CreatedField])) {
			refs = append(refs, ref)
		}
	}
	for _, ref := range q.Match.Values {
		if q.Match.Kind == erasure.MatchRef && q.Descend && p.docs[ref] == nil && p.below(ref) {
			refs = append(refs, ref)
		}
	}
	return slices.Sorted(slices.Values(refs))
}

func placeOf(ref string) string {
	place, name, _ := strings.Cut(ref, "/")
	if !strings.Contains(name, "/") {
		return place
	}
	parts := strings.Split(ref, "/")
	return "**/" + parts[len(parts)-2]
}

func recognises(q erasure.Query, ref string, doc map[string]string) bool {
	switch q.Match.Kind {
	case erasure.MatchTenant:
		return doc["tenant"] == q.Tenant.ID
	case erasure.MatchRef:
		return slices.Contains(q.Match.Values, ref)
	}
	return q.Match.Is(doc[q.Match.Field])
}

func leftOut(q erasure.Query, doc map[string]string) bool {
	return slices.ContainsFunc(q.Not, func(m erasure.Match) bool { return m.Is(doc[m.Field]) })
}

func (p *people) below(ref string) bool {
	for other := range p.docs {
		if strings.HasPrefix(other, ref+"/") {
			return true
		}
	}
	return false
}

func (p *people) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmp.Or(q.Check(), ctx.Err(), p.touch("find "+q.Place)); err != nil {
		return erasure.Page{}, err
	}
	if p.query != nil && p.query(q) != nil {
		return erasure.Page{}, p.query(q)
	}
	var page erasure.Page
	for _, ref := range p.matching(q) {
		if ref <= cursor {
			continue
		}
		if len(page.Items) == limit {
			page.Next = page.Items[limit-1].Ref
			break
		}
		p.reads[ref]++
		page.Items = append(page.Items, p.item(q, ref))
	}
	return page, nil
}

func (p *people) item(q erasure.Query, ref string) erasure.Item {
	doc := p.docs[ref]
	clean := q.Action == erasure.ActionAnonymise
	for _, c := range q.Changes {
		clean = clean && doc[c.Field] == ""
	}
	i := erasure.Item{Ref: ref, Version: doc["version"], Tenant: doc["tenant"], Created: erasure.Moment(doc[q.CreatedField]), Clean: clean && doc != nil}
	for other := range p.docs {
		if p.weighs && q.Descend && strings.HasPrefix(other, ref+"/") {
			i.Below++
		}
	}
	return q.Shows(i, func(field string) string { return doc[field] })
}

func (p *people) Values(_ context.Context, q erasure.Query, field string, _ int) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.touch("values " + q.Place); err != nil {
		return nil, err
	}
	values := map[string]bool{}
	for _, ref := range p.matching(q) {
		if doc := p.docs[ref]; q.Tenant.Binding == erasure.BindGlobal || doc["tenant"] == q.Tenant.ID {
			values[doc[field]] = true
		}
	}
	delete(values, "")
	return slices.Sorted(maps.Keys(values)), nil
}

func (p *people) Places(context.Context, int) ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	places := map[string]bool{}
	for ref := range p.docs {
		places[placeOf(ref)] = true
	}
	return slices.Sorted(maps.Keys(places)), p.touch("places")
}

func (p *people) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmp.Or(ctx.Err(), p.touch("erase "+q.Place)); err != nil {
		return nil, err
	}
	var results []erasure.Result
	if p.skip > 0 {
		items, p.skip = items[min(p.skip, len(items)):], 0
	}
	for _, i := range items {
		doc, there := p.docs[i.Ref]
		outcome := erasure.OutcomeErased
		switch {
		case !there && q.Descend && i.Version == "" && p.below(i.Ref):
			p.erased++
			p.drop(i.Ref)
		case !there || !recognises(q, i.Ref, doc):
			outcome = erasure.OutcomeGone
		case q.Tenant.Binding != erasure.BindGlobal && doc["tenant"] != q.Tenant.ID:
			outcome = erasure.OutcomeForeign
		case doc["version"] != i.Version:
			outcome = erasure.OutcomeChanged
		case q.Action == erasure.ActionDelete:
			p.erased++
			if delete(p.docs, i.Ref); q.Descend {
				p.drop(i.Ref)
			}
		default:
			for _, c := range q.Changes {
				delete(doc, c.Field)
			}
		}
		results = append(results, erasure.Result{Ref: i.Ref, Outcome: outcome})
		if err := p.touch("erased " + i.Ref); err != nil {
			return results, err // what was told, as a connection that broke half-way
		}
	}
	return results, nil
}

// drop deletes what lies below a document.
func (p *people) drop(ref string) {
	maps.DeleteFunc(p.docs, func(other string, _ map[string]string) bool { return strings.HasPrefix(other, ref+"/") })
}

func (p *people) Group(_ context.Context, q erasure.Query, fields []string) (least int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.query != nil && p.query(q) != nil {
		return 0, p.query(q)
	}
	for _, ref := range p.matching(q) {
		n := 0
		for other, doc := range p.docs {
			if placeOf(other) == q.Place && doc["tenant"] == q.Tenant.ID && !slices.ContainsFunc(fields, func(f string) bool { return doc[f] != p.docs[ref][f] }) {
				n++
			}
		}
		if least == 0 || n < least {
			least = n
		}
	}
	return least, p.touch("group " + q.Place)
}

func (p *people) Traces(context.Context) (erasure.Traces, error) { return p.traces, nil }
func (p *people) Close() error                                   { return nil }

func (p *people) put(place, name string, fields ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.puts++
	doc := map[string]string{"tenant": "acme", "version": strconv.Itoa(p.puts)}
	for i := 0; i < len(fields); i += 2 {
		doc[fields[i]] = fields[i+1]
	}
	p.docs[place+"/"+name] = doc
}

func (p *people) export(tenant string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for ref, doc := range p.docs {
		if doc["tenant"] == tenant {
			all = append(all, fmt.Sprint(ref, doc))
		}
	}
	return strings.Join(slices.Sorted(slices.Values(all)), "\n")
}

type world struct {
	t      *testing.T
	people *people
	clock  *clock.Manual
	store  store.Store
	config run.Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clk := clock.NewManual(start)
	s, err := memory.New(store.Options{Schema: run.Collection(), Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := &people{docs: map[string]map[string]string{}, reads: map[string]int{}}
	w := &world{t: t, people: p, clock: clk, store: s}
	w.config = run.Config{
		Store: s, Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader), Random: rand.Reader, Clock: clk, Map: readMap(t, mapText), Zone: time.UTC,
		Reader: func(context.Context, string) (erasure.Reader, error) { return p, nil },
		Eraser: func(context.Context, string) (erasure.Store, error) { return p, nil },
	}
	return w
}

func files(text string) fstest.MapFS {
	return fstest.MapFS{
		"x/company.yaml":    {Data: []byte("company: {name: X, domains: [x.example], zone: Europe/Berlin, country: DE, languages: [en], day_end: \"24:00\", environments: [{id: live, project: p, kind: live}]}")},
		"x/people.yaml":     {Data: []byte("people: [{id: a, email: a@x.example, name: A, roles: [owner], zone: Europe/Berlin, language: en}]")},
		"x/promises/x.yaml": {Data: []byte("promises: []")},
		"x/tenants.yaml":    {Data: []byte("tenants: [{id: acme, name: Acme, country: DE, language: en, domains: [acme.example], contract_hours: 24, contacts: [], region: europe-west1}, {id: twin, name: Twin, country: DE, language: en, domains: [twin.example], contract_hours: 24, contacts: [], region: europe-west1}]")},
		"x/" + datamap.File: {Data: []byte(text)},
	}
}

func readMap(t *testing.T, text string) *datamap.Map {
	t.Helper()
	p, problems, err := policy.Load(files(text), "x")
	if err != nil {
		t.Fatal(err, problems)
	}
	m, problems := datamap.Read(p)
	if m == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}

func (w *world) engine() *run.Engine {
	w.t.Helper()
	e, err := run.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// fill gives jo n sessions, and a neighbour and a twin tenant the like.
func (w *world) fill(n int) {
	for i := range n {
		for _, who := range []struct{ tenant, uid string }{{"acme", "u1"}, {"acme", "u10"}, {"twin", "u1"}} {
			w.people.put("sessions", fmt.Sprintf("%s-%s-%05d", who.tenant, who.uid, i), "tenant", who.tenant, "uid", who.uid)
		}
	}
	for _, tenant := range []string{"acme", "twin"} {
		w.people.put("notes", tenant+"-1", "tenant", tenant, "email", "jo@acme.example", "created", "2026-02-01T00:00:00Z")
		w.people.put("usage", tenant+"-1", "tenant", tenant, "uid", "u1", "name", "Jo")
		w.people.put("invoices", tenant+"-1", "tenant", tenant, "uid", "u1", "total", "7", "created", "2020-05-05T00:00:00Z")
		w.people.put("invoices", tenant+"-old", "tenant", tenant, "uid", "u1", "total", "7", "created", "2010-05-05T00:00:00Z")
		w.people.put("users", tenant+"-1", "tenant", tenant, "uid", "u1", "email", "jo@acme.example", "created", "2026-01-01T00:00:00Z")
	}
}

func job(round int) run.Job {
	return run.Job{Request: "r1", Round: round, Tenant: "acme", Scope: run.Person, IDs: []datamap.Identifier{{Kind: "email", Value: "jo@acme.example", Verified: true}}}
}

// forever is a time no test waits for.
var forever = start.Add(1000 * 24 * time.Hour)

// again calls until it is done, as a sweep does; an error that passes is a death, after which leases run out.
func (w *world) again(call func() (bool, error)) {
	w.t.Helper()
	for range 10_000 {
		done, err := call()
		if err != nil && !fault.Is(err, fault.Transient) {
			w.t.Fatal(err)
		}
		if done {
			return
		}
		wait := 3 * time.Minute // what died leaves a lease behind
		if errors.Is(err, run.ErrLater) {
			wait = 11 * time.Minute
		}
		if err := w.clock.Set(w.clock.Now().Add(wait)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("never done")
}
