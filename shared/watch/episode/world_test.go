package episode

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// people: ada acts, mia manages her, sam and sue are of security, oli is on call, dan is the dpo.
const people = `people:
  - {id: ada, email: ada@firm.example, name: Ada, roles: [employee], zone: Europe/Paris, language: fr, manager: mia}
  - {id: bob, email: bob@firm.example, name: Bob, roles: [employee], zone: Europe/Paris, language: en, manager: mia}
  - {id: mia, email: mia@firm.example, name: Mia, roles: [employee, manager], zone: Europe/Paris, language: en}
  - {id: sam, email: sam@firm.example, name: Sam, roles: [security], zone: Europe/Paris, language: de}
  - {id: sue, email: sue@firm.example, name: Sue, roles: [security], zone: Europe/Paris, language: en}
  - {id: oli, email: oli@firm.example, name: Oli, roles: [oncall], zone: Europe/Paris, language: en}
  - {id: dan, email: dan@firm.example, name: Dan, roles: [dpo], zone: Europe/Paris, language: en}
`

// ruled is a rule about one verb of an application.
func ruled(verb, rest, alarm string) string {
	return fmt.Sprintf("match: [{service: [app], method: [%s], stream: [application]}]\n%s\nalarm: {severity: high, text: {en: \"%s was seen.\"}, %s}\npromises: [P1, GONE]\n", verb, rest, verb, alarm)
}

func loaded(t testing.TB, rules map[string]string) *policy.Policy {
	t.Helper()
	fsys := fstest.MapFS{
		"p/company.yaml": {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Paris\n  country: FR\n  languages: [en]\n")},
		"p/people.yaml":  {Data: []byte(people)},
		"p/promises/all.yaml": {Data: []byte("promises:\n" +
			"  - {id: P1, text: {en: Nobody does it.}, check: anomaly-detect, severity: high, kept_by: [{rule: [one, none]}]}\n" +
			"  - {id: P2, text: {en: Nobody opens it.}, check: anomaly-detect, severity: high, kept_by: [{rule: other}]}\n" +
			"  - {id: P3, text: {en: It is watched.}, check: watch, severity: high, kept_by: [{records: watch}]}\n")},
	}
	tenants := "tenants:\n"
	for i := range 8 {
		tenants += fmt.Sprintf("  - {id: t%d, name: Customer %[1]d, country: FR, language: fr, domains: [t%[1]d.example], contacts: [{role: privacy, email: dpo@t%[1]d.example, language: fr}]}\n", i+1)
	}
	fsys["p/tenants.yaml"] = &fstest.MapFile{Data: []byte(tenants)}
	for name, text := range rules {
		fsys["p/rules/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	p, problems, err := policy.Load(fsys, "p")
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
	left  int // calls of the store and the sinks that pass; negative: all

	mu        sync.Mutex
	records   map[string]record.Record
	order     []record.Record
	told      map[string]notice.Notice // by key
	published map[string]string        // by key: topic and payload
}

func newWorld(t testing.TB, rules map[string]string) *world {
	t.Helper()
	return newWorldOn(t, rules, func(o store.Options) store.Store {
		s, err := memory.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Twice(s)
	})
}

func newWorldOn(t testing.TB, rules map[string]string, open func(store.Options) store.Store) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(noon), left: -1, records: map[string]record.Record{}, told: map[string]notice.Notice{}, published: map[string]string{}}
	schema := append(store.Schema{outbox.Collection(), heartbeat.Collection()}, Collection()...)
	w.build(loaded(t, rules), open(store.Options{Schema: schema, Clock: w.clock}))
	return w
}

func (w *world) build(p *policy.Policy, raw store.Store) {
	w.t.Helper()
	set, problems := rule.Load(p)
	if len(problems) > 0 {
		w.t.Fatal(problems)
	}
	faulty := storetest.Faulty(raw, func(storetest.Point, int) error { return w.step() })
	box := outbox.New(faulty, w.clock, slog.New(slog.DiscardHandler), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send})
	var err error
	w.Service, err = New(Config{Store: faulty, Box: box, Policy: p, Rules: set, Digest: "sha256:" + p.Digest, Link: "https://ostiary.example", Notify: w.notify,
		Bus: w, Assets: []string{"compute.googleapis.com"},
		Commit: func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
			if err := w.step(); err != nil {
				return record.Subject{}, err
			}
			salt := fmt.Sprintf("salt of %-12s %s", s.ID, now.Format("2006-01"))
			return record.Subject{Type: s.Type, C: record.Commitment([]byte(salt), s.Type, s.ID)}, nil
		}})
	if err != nil {
		w.t.Fatal(err)
	}
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
	w.mu.Lock()
	if r, first := recordtest.Keep(w.t, w.records, e.Key, e.Data); first {
		w.order = append(w.order, r)
	}
	w.mu.Unlock()
	return w.step()
}

// send takes messages; of notices it reads what notify wrote.
func (w *world) send(_ context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	if e.Target == "notice" {
		var n notice.Notice
		if err := json.Unmarshal(e.Data, &n); err != nil {
			w.t.Error(err)
		}
		w.told[e.Key] = n
	} else {
		w.published[e.Key] = e.Target + " " + string(e.Data)
	}
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
	what, _ := notice.Write(n, "en", time.FixedZone("CET", 3600))
	return b.Message("notice", string(n.Kind)+"/"+n.Key, struct {
		Kind  notice.Kind
		Key   string
		To    []string
		Link  string
		Why   string
		Lines []notice.Line
	}{n.Kind, n.Key, n.To, n.Link, what.Text, n.Lines})
}

// Publish implements bus.Publisher.
func (w *world) Publish(_ context.Context, topic string, m bus.Message) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published[m.Attributes[bus.AttributeID]] = topic + " " + string(m.Data)
	return nil
}

func (w *world) Close() error { return nil }

func (w *world) now() time.Time { return w.clock.Now() }

// to moves the clock to so long after noon.
func (w *world) to(after time.Duration) {
	w.t.Helper()
	if err := w.clock.Set(noon.Add(after)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tick() {
	w.t.Helper()
	if err := w.Tick(context.Background(), w.now()); err != nil {
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

func (w *world) by(id string) By { return By{Person: w.person(id)} }

// act is an entry of the application: a person does something, so long after noon.
func act(id, verb, who string, after time.Duration) auditlog.Entry {
	email := who + "@firm.example"
	return auditlog.Entry{
		ID: id, Kind: auditlog.Application, Stream: auditlog.ApplicationLog, Service: "app", Method: verb, Verb: verb, Resource: "things/" + id,
		LogName: "projects/firm/logs/app", Time: noon.Add(after), Actor: auditlog.Actor{Kind: auditlog.Human, Key: "human:" + email, Email: email},
		IP: "203.0.113.77", App: auditlog.App{User: "u1@customer.example", Tenant: "t1", Action: verb}, Outcome: auditlog.Outcome{Result: auditlog.OK},
	}
}

func (w *world) ingest(e auditlog.Entry) Outcome {
	w.t.Helper()
	out, err := w.Ingest(context.Background(), e, w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// notices are those of a kind: their number, and whom they went to.
func (w *world) notices(kind notice.Kind) (n int, to []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.told {
		if one.Kind == kind {
			n++
			to = append(to, one.To...)
		}
	}
	slices.Sort(to)
	return n, to
}

// only returns the one episode there is for security.
func (w *world) only() View {
	w.t.Helper()
	all, err := w.List(context.Background(), w.person("sue"), w.now())
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d episodes, %v", len(all), err)
	}
	return w.view(all[0].ID)
}

func (w *world) view(id string) View {
	w.t.Helper()
	v, err := w.Get(context.Background(), id, w.person("sue"), w.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// of counts the records of a kind whose event is this.
func (w *world) of(kind record.Kind, event string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.order {
		if r.Kind == kind && r.Facts["event"] == event {
			n++
		}
	}
	return n
}

func code(err error) string {
	if c := fault.CodeOf(err); c != "" {
		return c
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func titles(to []string) string { return strings.Join(to, " ") }
