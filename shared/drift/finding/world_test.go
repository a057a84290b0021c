package finding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

// people: sara and sam are of security, dora is the dpo, olga owns, oli is on call, ben works.
const people = `people:
  - {id: sara, email: sara@firm.example, name: Sara, roles: [security], zone: Europe/Paris, language: en}
  - {id: sam, email: sam@firm.example, name: Sam, roles: [security], zone: Europe/Paris, language: de}
  - {id: dora, email: dora@firm.example, name: Dora, roles: [dpo], zone: Europe/Paris, language: fr}
  - {id: olga, email: olga@firm.example, name: Olga, roles: [owner], zone: Europe/Paris, language: en}
  - {id: oli, email: oli@firm.example, name: Oli, roles: [oncall], zone: Europe/Paris, language: en}
  - {id: ben, email: ben@firm.example, name: Ben, roles: [employee], zone: Europe/Paris, language: en}
`

func loaded(t testing.TB) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml": {Data: []byte("company: {name: Firm, domains: [firm.example], zone: Europe/Paris, country: FR, languages: [en]}\n")},
		"p/people.yaml":  {Data: []byte(people)},
		"p/promises/all.yaml": {Data: []byte("promises:\n" +
			"  - {id: P1, text: {en: No database is open.}, check: exposure, severity: high, kept_by: [{assertion: [database-exposure]}]}\n" +
			"  - {id: P2, text: {en: Logs are kept.}, check: logs, severity: high, kept_by: [{assertion: [log-retention]}]}\n" +
			"  - {id: P3, text: {en: Databases are open to nobody.}, check: exposure, severity: high, kept_by: [{assertion: [database-exposure]}]}\n")},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	return p
}

// world is a Service on a store and sinks that can be made to fail, with everything it sends.
type world struct {
	*Service
	t     testing.TB
	clock *clock.Manual
	left  int // calls of the store, the vault and the sinks that pass; negative: all

	mu      sync.Mutex
	records map[string]record.Record
	order   []record.Record
	told    map[string]notice.Notice
	writes  int // to the store
	begun   int // transactions
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, func(o store.Options) store.Store {
		s, err := memory.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Twice(s)
	})
}

func newWorldOn(t testing.TB, open func(store.Options) store.Store) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(noon), left: -1, records: map[string]record.Record{}, told: map[string]notice.Notice{}}
	schema := append(store.Schema{outbox.Collection(), heartbeat.Collection()}, Collection()...)
	faulty := storetest.Faulty(open(store.Options{Schema: schema, Clock: w.clock}), func(p storetest.Point, _ int) error {
		w.mu.Lock()
		switch p {
		case storetest.TxPut:
			w.writes++
		case storetest.Begin:
			w.begun++
		}
		w.mu.Unlock()
		return w.step()
	})
	box := outbox.New(faulty, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send})
	p := loaded(t)
	var err error
	w.Service, err = New(Config{Store: faulty, Box: box, Policy: p, Digest: "sha256:" + p.Digest, Link: "https://ostiary.example", Notify: w.notify,
		Words: func(f Finding, language string) string { return f.What + " in " + language + "." },
		Commit: func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
			if err := w.step(); err != nil {
				return record.Subject{}, err
			}
			salt := fmt.Sprintf("salt of %-12s %s", s.ID, now.Format("2006-01"))
			return record.Subject{Type: s.Type, C: record.Commitment([]byte(salt), s.Type, s.ID)}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var errDown = fault.New(fault.Transient, "an injected failure")

func (w *world) step() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == 0 {
		return errDown
	}
	w.left--
	return nil
}

// keep is the evidence inbox: the same id with other bytes is a fault of ours. It may die after it accepted.
func (w *world) keep(_ context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	for _, never := range []string{`"sara"`, "@firm", "//x/", "Because", "T-1", `"yes"`} {
		if strings.Contains(string(e.Data), never) {
			w.t.Errorf("a record holds %q: %s", never, e.Data)
		}
	}
	w.mu.Lock()
	if r, first := recordtest.Keep(w.t, w.records, e.Key, e.Data); first {
		w.order = append(w.order, r)
	}
	w.mu.Unlock()
	return w.step()
}

// send takes messages.
func (w *world) send(_ context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	var n notice.Notice
	if err := json.Unmarshal(e.Data, &n); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	w.told[e.Key] = n
	w.mu.Unlock()
	return w.step()
}

// notify is what a Sender is, without a seal: what was committed alone is sent.
func (w *world) notify(b *outbox.Batch, n notice.Notice) error {
	for _, language := range []string{"en", "fr", "de"} {
		if _, err := notice.Write(n, language, time.UTC); err != nil {
			w.t.Errorf("writing: %v", err)
		}
	}
	n.What, n.Promises = nil, nil
	return b.Message("notice", string(n.Kind)+"/"+n.Key, struct {
		Kind  notice.Kind
		Why   notice.Why
		To    []string
		Link  string
		Due   time.Time
		Lines []notice.Line
	}{n.Kind, n.Why, n.To, n.Link, n.Due, n.Lines})
}

func (w *world) now() time.Time { return w.clock.Now() }

// to moves the clock to so long after noon.
func (w *world) to(after time.Duration) {
	w.t.Helper()
	if err := w.clock.Set(noon.Add(after)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(id string) policy.Person {
	p, known := w.Policy.PersonByID(id)
	if !known {
		w.t.Fatalf("no person %s", id)
	}
	return p
}

const database = "//x/db"

// exposed is a database that is open, as it is seen now.
func (w *world) exposed(got string, urgent bool) Seen {
	return Seen{Urgent: urgent, Read: w.now(), Finding: Finding{
		Asset: database, What: "database-exposure", Class: Forbidden, Promises: []string{"P3", "P1"}, Severity: policy.High, Loosened: true, Want: "false", Got: got,
	}}
}

var exposedID = ID(database, "database-exposure")

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) out(got string, urgent bool) {
	w.t.Helper()
	w.must(w.Out(w.t.Context(), []Seen{w.exposed(got, urgent)}, w.now()))
}

func (w *world) in() {
	w.t.Helper()
	w.must(w.In(w.t.Context(), database, nil, w.now(), w.now()))
}

func (w *world) accept(who, got string, until time.Duration) error {
	_, err := w.Accept(w.t.Context(), exposedID, Wish{Reason: "Because of " + who, Ticket: "T-1", Got: got, Until: noon.Add(until)}, w.person(who), w.now())
	return err
}

func (w *world) get() Finding {
	w.t.Helper()
	f, err := w.Get(w.t.Context(), exposedID)
	w.must(err)
	return f
}

// events are the records, sorted: they leave in any order.
func (w *world) events() (all []string) {
	for _, r := range w.order {
		all = append(all, string(r.Kind)+" "+r.Facts["event"])
	}
	slices.Sort(all)
	return all
}

// outcome counts what went out.
func (w *world) outcome() []string {
	counts := map[string]int{string(w.get().State): 1}
	for _, r := range w.order {
		counts[string(r.Kind)+" "+r.Facts["event"]]++
	}
	for _, n := range w.told {
		counts["told "+string(n.Kind)+" "+string(n.Why)+" "+strings.Join(n.To, " ")]++
	}
	steps, err := w.History(w.t.Context(), exposedID)
	w.must(err)
	for _, s := range steps {
		counts["step "+string(s.What)]++
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return all
}

// again does something until it is done, as who delivers an event again.
func (w *world) again(fn func() error) (died bool) {
	w.t.Helper()
	for range 3 {
		err := fn()
		if err == nil {
			return died
		}
		if !errors.Is(err, errDown) {
			w.t.Fatal(err)
		}
		died, w.left = true, -1
	}
	w.t.Fatal("it never gets through")
	return died
}

// look is what one assertion found, for a heart.
func (w *world) look(c Count) func(context.Context) ([]heartbeat.Beat, error) {
	return func(ctx context.Context) ([]heartbeat.Beat, error) { return w.Beats(ctx, []Count{c}), nil }
}
