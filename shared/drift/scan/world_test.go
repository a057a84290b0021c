package scan

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/drift/asset"
	"ostiary.internal/shared/drift/baseline"
	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/drift/self"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

var start = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

const (
	firewall = "compute.googleapis.com/Firewall"
	bucket   = "storage.googleapis.com/Bucket"
	sink     = "logging.googleapis.com/LogSink"
)

const company = `company: {name: Firm, domains: [firm.example], zone: Europe/Paris, country: FR, languages: [en], environments: [{id: live, project: live-firm, kind: live}]}
`

const staff = `people:
  - {id: sara, email: sara@firm.example, name: Sara, roles: [security], zone: Europe/Paris, language: en}
  - {id: dora, email: dora@firm.example, name: Dora, roles: [dpo], zone: Europe/Paris, language: en}
`

func assertion(kinds, assert, severity string) string {
	return fmt.Sprintf("what: {en: a, fr: b, de: c}\n%sassert: ['%s']\nseverity: %s\n", kinds, assert, severity)
}

// loaded is a policy, with an assertion more where one is named.
func loaded(t testing.TB, name, text string) *policy.Policy {
	t.Helper()
	files := map[string]string{
		"p/company.yaml": company, "p/people.yaml": staff,
		"p/promises/all.yaml": "promises:\n" +
			"  - {id: P1, text: {en: No door is open.}, check: doors, severity: high, kept_by: [{assertion: [doors]}]}\n" +
			"  - {id: P2, text: {en: Files are ours.}, check: files, severity: high, kept_by: [{assertion: [files]}]}\n" +
			"  - {id: P3, text: {en: There is a log.}, check: log, severity: high, kept_by: [{assertion: [log]}]}\n",
		"p/baseline/doors.yaml": assertion("asset: ["+firewall+"]\n", `!data.sourceRanges.exists(r, internet(r))`, "high"),
		"p/baseline/files.yaml": assertion("asset: ["+bucket+"]\n", `!iam.exists(b, b.members.exists(m, public(m)))`, "critical"),
		"p/baseline/log.yaml":   assertion("", `assets("`+sink+`").exists(s, !has(s.data.disabled))`, "high"),
	}
	if name != "" {
		files["p/promises/all.yaml"] += "  - {id: P4, text: {en: It is so.}, check: more, severity: high, kept_by: [{assertion: [" + name + "]}]}\n"
		files["p/baseline/"+name+".yaml"] = text
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(fsys, "p")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return p
}

// cloud is Google Cloud, as a source tells of it.
type inventory struct {
	mu     sync.Mutex
	scopes []string
	things map[string]asset.Asset // by key
	page   int                    // assets a page
	fails  map[string]error       // by scope, by scope and content, or by key
	hides  map[string]bool        // types no list tells of
	unread map[string][]string    // what could not be read, by scope and content
	behind map[string]asset.Asset // by key: what lists tell though it is otherwise by now
	calls  int
	asked  func(key string) // is told what is read by itself
	cut    int              // calls after which the context ends; 0: never
	stop   context.CancelFunc
	clock  clock.Clock
	skips  map[string]bool // keys no list tells of
	stands time.Time       // when lists stopped to tell anything newer; zero: never
}

// date is when what a list tells was true.
func (g *inventory) date() time.Time {
	if !g.stands.IsZero() {
		return g.stands
	}
	return g.clock.Now()
}

func (g *inventory) Scopes() []string { return g.scopes }
func (g *inventory) Close() error     { return nil }

func (g *inventory) call() {
	g.calls++
	if g.cut > 0 && g.calls >= g.cut && g.stop != nil {
		g.stop()
	}
}

func (g *inventory) List(_ context.Context, scope string, what asset.Content, kinds []string, page string) (asset.Page, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.call()
	for _, name := range []string{scope, scope + " " + string(what), scope + " " + string(what) + " " + page} {
		if err := g.fails[name]; err != nil {
			return asset.Page{}, err
		}
	}
	from, _ := strconv.Atoi(page)
	var all []asset.Asset
	for _, key := range slices.Sorted(maps.Keys(g.things)) {
		a := g.things[key]
		if was, is := g.behind[key]; is {
			a = was
		}
		if raised(a) && what == asset.Resources && slices.Contains(kinds, a.Type) && !g.skips[key] { // read by itself, with who has rights there
			one := *a.IAM
			one.Read, a.Read, a.IAM = g.date(), g.date(), &one
			all = append(all, a)
			continue
		}
		if "projects/"+a.Project != scope || !slices.Contains(kinds, a.Type) || g.hides[a.Type] || g.skips[key] {
			continue
		}
		if a.Read = g.date(); what == asset.Policies {
			a.Data = nil
		} else {
			a.IAM = nil
		}
		if a.IAM != nil {
			one := *a.IAM
			one.Read, a.IAM = a.Read, &one
		}
		if a.Data != nil || a.IAM != nil {
			all = append(all, a)
		}
	}
	to := min(from+g.page, len(all))
	p := asset.Page{Assets: all[from:to], Read: g.date(), Unread: g.unread[scope+" "+string(what)]}
	if to < len(all) {
		p.Next = strconv.Itoa(to)
	}
	return p, nil
}

// raised reports whether an asset lies above projects.
func raised(a asset.Asset) bool {
	return a.Type == "cloudresourcemanager.googleapis.com/Folder" || a.Type == "cloudresourcemanager.googleapis.com/Organization"
}

func (g *inventory) Get(_ context.Context, kind, key string) (asset.Asset, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.call()
	if g.asked != nil {
		g.asked(key)
	}
	if err := g.fails[key]; err != nil {
		return asset.Asset{}, err
	}
	a, there := g.things[key]
	if !there {
		return asset.Asset{Key: key, Type: kind, Deleted: true, Read: g.clock.Now()}, nil
	}
	if a.Read = g.clock.Now(); a.IAM != nil {
		one := *a.IAM
		one.Read, a.IAM = a.Read, &one
	}
	return a, nil
}

func (g *inventory) set(a asset.Asset) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.things[a.Key] = a
}

// skip has lists not tell of an asset any more.
func (g *inventory) skip(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.skips = map[string]bool{key: true}
}

func (g *inventory) drop(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.things, key)
}

func (g *inventory) fail(name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fails[name] = err
}

func (g *inventory) hide(kind string, is bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hides[kind] = is
}

func door(project, name, from string) asset.Asset {
	return asset.Asset{Key: "//compute.googleapis.com/projects/" + project + "/global/firewalls/" + name, Type: firewall, Project: project, Ancestors: []string{"projects/" + project, "organizations/1"},
		Data: asset.Object{"sourceRanges": []any{from}}}
}

func files(project, name string, members ...string) asset.Asset {
	a := asset.Asset{Key: "//storage.googleapis.com/" + name, Type: bucket, Project: project, Ancestors: []string{"projects/" + project, "organizations/1"}, Data: asset.Object{"name": name}}
	a.IAM = &asset.Policy{}
	a.IAM.Grant("roles/storage.objectViewer", "", members...)
	return a
}

func logs(project string) asset.Asset {
	return asset.Asset{Key: "//logging.googleapis.com/projects/" + project + "/sinks/all", Type: sink, Project: project, Data: asset.Object{"name": "all"}}
}

// terraform is a state.
type terraform struct {
	text, version string
	applying      bool
	err           error
}

func (f *terraform) Open(context.Context) (diff.State, error) {
	if f.err != nil {
		return diff.State{}, f.err
	}
	return diff.State{Data: nopCloser{strings.NewReader(f.text)}, Version: f.version, Applying: f.applying}, nil
}
func (f *terraform) Close() error { return nil }

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

// world is a company with everything around a Service.
type world struct {
	t      testing.TB
	clock  *clock.Manual
	cloud  *inventory
	states []diff.Source
	store  store.Store
	faults func(storetest.Point, int) error
	policy *policy.Policy
	self   *self.Expected

	*Service
	found *finding.Service
}

func newWorld(t testing.TB, states ...diff.Source) *world {
	t.Helper()
	return newWorldOf(t, "", "", states...)
}

// newWorldOf is one with an assertion more.
func newWorldOf(t testing.TB, name, text string, states ...diff.Source) *world {
	t.Helper()
	return newWorldOn(t, inMemory, name, text, states...)
}

func inMemory(t testing.TB, o store.Options) store.Store {
	t.Helper()
	s, err := memory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return storetest.Twice(s)
}

// newWorldOn is one on another database.
func newWorldOn(t testing.TB, open func(testing.TB, store.Options) store.Store, name, text string, states ...diff.Source) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(start), policy: loaded(t, name, text), states: states}
	w.cloud = &inventory{scopes: []string{"projects/live", "projects/other"}, things: map[string]asset.Asset{}, page: 2, fails: map[string]error{}, hides: map[string]bool{}, clock: w.clock}
	for _, a := range []asset.Asset{door("live", "a", "10.0.0.0/8"), door("live", "b", "10.0.0.0/8"), door("live", "c", "10.0.0.0/8"), door("other", "d", "10.0.0.0/8"), files("live", "f", "user:sara@firm.example"), files("other", "g"), logs("live")} {
		w.cloud.set(a)
	}
	schema := append(append(store.Schema{outbox.Collection()}, Collection()...), finding.Collection()...)
	w.store = storetest.Faulty(open(t, store.Options{Schema: schema, Clock: w.clock}), func(p storetest.Point, n int) error {
		if w.faults != nil {
			return w.faults(p, n)
		}
		return nil
	})
	w.restart()
	return w
}

// restart is another process.
func (w *world) restart() {
	w.t.Helper()
	sinks := map[outbox.Kind]outbox.Sink{
		outbox.Record: func(context.Context, outbox.Entry) error { return nil }, outbox.Message: func(context.Context, outbox.Entry) error { return nil },
	}
	var err error
	w.found, err = finding.New(finding.Config{
		Store: w.store, Box: outbox.New(w.store, w.clock, slog.New(slog.DiscardHandler), sinks), Policy: w.policy,
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt that is long enough"), s.Type, s.ID)}, nil
		},
		Notify: func(*outbox.Batch, notice.Notice) error { return nil },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	set, problems := baseline.Load(w.policy)
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	w.Service, err = New(Config{Store: w.store, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Sources: []asset.Source{w.cloud}, States: w.states, Set: set, Findings: w.found, Self: w.self, Pause: -1})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

// tick is what the schedule does.
func (w *world) tick() error {
	err := w.found.Tick(w.t.Context(), w.clock.Now(), w.Seek, func(f finding.Finding) bool { return w.Applying(w.t.Context(), f) })
	if err != nil {
		return err
	}
	return w.Run(w.t.Context())
}

func (w *world) ticks(n int) {
	w.t.Helper()
	for range n {
		if err := w.tick(); err != nil {
			w.t.Fatal(err)
		}
		w.pass(time.Minute)
	}
}

// states_ are the findings there are, each a line.
func (w *world) findings() (all []string) {
	w.t.Helper()
	for _, state := range finding.States() {
		some, _, err := w.found.List(w.t.Context(), state, nil, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range some {
			line := asset.Base(f.Asset) + " " + f.What + " " + string(f.State)
			if !f.Unknown.IsZero() {
				line += " unknown"
			}
			all = append(all, strings.TrimSpace(line))
		}
	}
	slices.Sort(all)
	return all
}

func (w *world) want(what string, want ...string) {
	w.t.Helper()
	if got := w.findings(); !slices.Equal(got, want) {
		w.t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	denied    = fault.New(fault.Denied, "not allowed")
	transient = fault.New(fault.Transient, "it does not answer")
)
