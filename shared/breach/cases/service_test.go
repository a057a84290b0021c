package cases_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

// desk is a Service whose store, keys and sinks can be made to fail, with everything it sends.
type desk struct {
	*cases.Service
	t     *testing.T
	clock *clock.Manual
	keys  seal.Keys

	mu      sync.Mutex
	number  string // of the case in story
	left    int    // calls that pass; negative: all
	records map[string]record.Record
	mail    map[string]string // by key: what it says, to whom
	ways    map[string]string // by key: how, where to, and the whole text
	clear   bytes.Buffer      // whatever left in clear, and the log
}

const company = `company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr, en], domains: [firm.example]}
`

const people = `people:
- {id: vera, email: vera@firm.example, name: Vera, roles: [employee, security], language: fr, zone: Europe/Paris}
- {id: dana, email: dana@firm.example, name: Dana, roles: [employee, dpo], language: de, zone: Europe/Paris}
- {id: otto, email: otto@firm.example, name: Otto, roles: [employee, owner, oncall], language: en, zone: Europe/Paris}
- {id: emma, email: emma@firm.example, name: Emma, roles: [employee], language: en, zone: Europe/Paris}
`

const promised = `promises:
- id: X94
  text: {en: Customers are told of a breach.}
  source: {file: policy.html, section: one}
  check: breach-clock
  severity: high
  kept_by: [{records: breach-clock}]
`

// databases are what a desk is tested on.
var databases = map[string]func(*testing.T, store.Options) store.Store{
	"memory": inMemory,
	"bolt": func(t *testing.T, o store.Options) store.Store {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "ostiary.db"), "breach", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"firestore": func(t *testing.T, o store.Options) store.Store { return firestoretest.New(t, o) },
}

func inMemory(t *testing.T, o store.Options) store.Store {
	t.Helper()
	s, err := memory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

func newDesk(t *testing.T) *desk {
	t.Helper()
	return deskOn(t, inMemory)
}

func deskOn(t *testing.T, open func(*testing.T, store.Options) store.Store) *desk {
	t.Helper()
	files := fstest.MapFS{"p/company.yaml": {Data: []byte(company)}, "p/people.yaml": {Data: []byte(people)}, "p/promises/one.yaml": {Data: []byte(promised)}}
	p, problems, err := policy.Load(files, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	d := &desk{t: t, clock: clock.NewManual(time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)), left: -1, records: map[string]record.Record{}, mail: map[string]string{}, ways: map[string]string{}}
	raw := open(t, store.Options{Schema: append(store.Schema{outbox.Collection()}, cases.Collection()...), Clock: d.clock})
	faulty := storetest.Faulty(storetest.Twice(raw), func(storetest.Point, int) error { return d.step() })
	d.keys = keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	letters, err := cases.Letters(nil)
	if err != nil {
		t.Fatal(err)
	}
	rules := cases.Defaults(p.Company.Location(), "FR")
	rules.Hours = map[string]int{"nord": 24}
	if d.Service, err = cases.New(cases.Config{
		Store: faulty, Policy: p, Digest: record.Digest([]byte("policy")), Rules: rules, Keys: d.keys, Messages: seal.NewCache(d.keys, rand.Reader, d.clock), Letters: letters,
		Box:  outbox.New(faulty, d.clock, slog.New(slog.NewJSONHandler(&d.clear, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: d.keep, outbox.Message: d.send}),
		Desk: "https://ostiary.example/declarebreach/cases",
		Commit: func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment(fmt.Appendf(nil, "salt of %-12s %s", s.ID, now.Format("2006-01")), s.Type, s.ID)}, d.step()
		},
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

var errDown = fault.New(fault.Transient, "an injected failure")

func (d *desk) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left == 0 {
		return errDown
	}
	d.left--
	return nil
}

func (d *desk) keep(_ context.Context, e outbox.Entry) error {
	if err := d.step(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear.Write(e.Data)
	recordtest.Keep(d.t, d.records, e.Key, e.Data)
	return nil
}

func (d *desk) send(ctx context.Context, e outbox.Entry) error {
	if err := d.step(); err != nil {
		return err
	}
	var r message.Request
	err := json.Unmarshal(e.Data, &r)
	if err != nil {
		d.t.Errorf("message: %v", err)
		return nil
	}
	c, err := r.Open(ctx, d.keys)
	if err != nil {
		d.t.Errorf("message: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear.Write(e.Data)
	d.mail[r.Key] = r.Person + ": " + c.Subject
	d.ways[r.Key] = r.Channel + " " + r.Person + c.To + ": " + c.Text
	return nil
}

func (d *desk) person(id string) policy.Person {
	p, _ := d.Policy.PersonByID(id)
	return p
}

const canary = "Somebody read the salaries of mia@customer.example"

func declaration() cases.Declaration {
	return cases.Declaration{Client: "form-1", Breach: true, Summary: canary, Tracks: []cases.Track{track("nord"), track(cases.Own)}}
}

// story is what happens, in order; each may be called again until it passes.
func (d *desk) story() []func() error {
	ctx := context.Background()
	var id string
	do := func(who string, e cases.Event, text string) func() error {
		return func() error {
			_, err := d.Do(ctx, id, d.person(who), e, cases.Words{Text: text}, d.clock.Now())
			return err
		}
	}
	later := func(by time.Duration) func() error {
		return func() error { return d.clock.Set(d.clock.Now().Add(by)) }
	}
	tick := func() error { return d.Tick(ctx, d.clock.Now()) }
	return []func() error{
		func() error {
			c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
			id, d.number = c.ID, c.Number
			return err
		},
		do("otto", cases.Event{What: cases.Ack, Step: "oncall"}, ""), later(7 * time.Hour), tick,
		do("vera", cases.Event{What: cases.Rate, Input: score(d.t, "14")}, ""),
		do("vera", cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true}, ""), do("dana", cases.Event{What: cases.Answer, Subject: cases.SA, Yes: true}, ""),
		do("vera", cases.Event{What: cases.Answer, Subject: cases.Persons}, canary), do("dana", cases.Event{What: cases.Answer, Subject: cases.Persons}, canary),
		do("otto", cases.Event{What: cases.Answer, Subject: "nord", Yes: true}, ""), do("vera", cases.Event{What: cases.Answer, Subject: "nord", Yes: true}, ""),
		later(20 * time.Hour), tick,
		func() error { return do("", cases.Event{What: cases.Told, Tenant: "nord", At: d.clock.Now()}, "")() },
		func() error {
			return do("dana", cases.Event{What: cases.File, Clock: "gdpr_33_1", At: d.clock.Now()}, "ref")()
		},
		do("dana", cases.Event{What: cases.Close}, ""), later(16 * 24 * time.Hour), tick,
		do("vera", cases.Event{What: cases.Review}, "we learned much"),
	}
}

// told are records and messages as words, sorted: what left, whatever ids it had.
func (d *desk) told() string {
	var all []string
	for _, r := range d.records {
		all = append(all, string(r.Kind)+" "+r.Facts["event"]+" "+r.Facts["subject"]+fmt.Sprint(len(r.Refs)))
	}
	for _, text := range d.mail {
		all = append(all, strings.ReplaceAll(text, d.number, "NUMBER"))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestDeaths kills the process at any call of any step and begins again: what left is the same as without, nothing twice
// and nothing lost.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			many := seeds()
			if name != "memory" {
				many = 1
			}
			dieOn(t, open, many)
		})
	}
}

func dieOn(t *testing.T, open func(*testing.T, store.Options) store.Store, seeds uint64) {
	t.Helper()
	calm := deskOn(t, open)
	for _, step := range calm.story() {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	want := calm.told()
	for _, must := range []string{"breach declared", "breach aware", "breach scored", "breach decided sa", "breach decided tenant", "finding clock", "remediation clock 1", "finding review", "remediation review 1", "breach closed", "otto: Security incident", "vera: Incident de"} {
		if !strings.Contains(want, must) {
			t.Errorf("nothing says %q:\n%s", must, want)
		}
	}
	for seed := range seeds {
		random := mathrand.New(mathrand.NewPCG(seed, 3))
		d := deskOn(t, open)
		for _, step := range d.story() {
			for attempt := 0; ; attempt++ {
				d.left = random.IntN(12)
				if attempt > 3 {
					d.left = -1
				}
				if err := step(); err == nil {
					break
				} else if !fault.Is(err, fault.Transient) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			d.left = -1
		}
		if err := d.clock.Set(d.clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Box.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := d.told(); got != want {
			t.Fatalf("seed %d:\n%s\nwithout deaths:\n%s", seed, got, want)
		}
	}
}

// TestDeclare: the same again is the same case, another under its id is refused, and twenty at once are one.
func TestDeclare(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	ids := map[string]bool{}
	var group sync.WaitGroup
	var mu sync.Mutex
	for range 20 {
		group.Go(func() {
			c, _, err := d.Declare(ctx, d.person("emma"), declaration(), d.clock.Now())
			mu.Lock()
			defer mu.Unlock()
			if ids[c.ID] = true; err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(ids) != 1 {
		t.Errorf("%d cases", len(ids))
	}
	other := declaration()
	other.Exercise = true
	if _, _, err := d.Declare(ctx, d.person("emma"), other, d.clock.Now()); fault.CodeOf(err) != "id_conflict" {
		t.Errorf("%v", err)
	}
	other.Client = ""
	if _, _, err := d.Declare(ctx, d.person("emma"), other, d.clock.Now()); fault.CodeOf(err) != "body_invalid" {
		t.Errorf("%v", err)
	}
	read, err := d.Get(ctx, slices.Collect(maps.Keys(ids))[0])
	if err != nil || read.Text(read.Summary) != canary || read.Text(99) != "" {
		t.Errorf("%q, %v", read.Text(read.Summary), err)
	}
	if listed, err := d.List(ctx, nil, 10); err != nil || len(listed) != 1 {
		t.Errorf("%d, %v", len(listed), err)
	}
	if _, err := d.Get(ctx, "nothing"); fault.CodeOf(err) != "case_unknown" {
		t.Errorf("%v", err)
	}
}

// TestExercise: its records are of another kind and prove nothing, its messages say what it is.
func TestExercise(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	exercise := declaration()
	exercise.Exercise = true
	if _, _, err := d.Declare(ctx, d.person("emma"), exercise, d.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.records {
		if r.Kind != record.Drill || len(r.Promises) != 0 {
			t.Errorf("%s of %v", r.Kind, r.Promises)
		}
	}
	for _, text := range d.mail {
		if !strings.Contains(text, "EXERCISE") && !strings.Contains(text, "EXERCICE") && !strings.Contains(text, "ÜBUNG") {
			t.Errorf("%q does not say that it is an exercise", text)
		}
	}
	if len(d.records) == 0 || len(d.mail) == 0 {
		t.Error("nothing left")
	}
}

// TestPrivate: what people write leaves nowhere in clear, neither in records nor in messages of the bus nor in the log,
// nor in what is stored.
func TestPrivate(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	for _, step := range d.story() {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, collection := range cases.Collection() {
		docs, err := d.Store.Query(ctx, store.Query{Collection: collection.Name, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs {
			var whole map[string]any
			if err := doc.Decode(&whole); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&d.clear, whole)
		}
	}
	for _, secret := range []string{"salaries", "mia@customer.example", "learned much", "seeks work"} {
		if strings.Contains(d.clear.String(), secret) {
			at := strings.Index(d.clear.String(), secret)
			t.Errorf("%q stands somewhere in clear: %q", secret, d.clear.String()[max(at-200, 0):at])
		}
	}
}
