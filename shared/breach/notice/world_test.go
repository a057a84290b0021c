package notice_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/bus"
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

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// databases are what notices are tested on.
var databases = map[string]func(testing.TB, store.Options) store.Store{
	"memory": inMemory,
	"bolt": func(t testing.TB, o store.Options) store.Store {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "ostiary.db"), "breach", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"firestore": func(t testing.TB, o store.Options) store.Store { return firestoretest.New(t, o) },
}

func inMemory(t testing.TB, o store.Options) store.Store {
	t.Helper()
	s, err := memory.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// firm is a company with its cases, its notices and the function that sends, on one store that can be made to fail under
// the first two. Nothing fails outside of them: what the sender does then is tested with it.
type firm struct {
	t       testing.TB
	cases   *cases.Service
	notices *notice.Service
	courier *message.Courier
	clock   *clock.Manual
	keys    seal.Keys
	raw     store.Store
	files   fstest.MapFS
	config  notice.Config

	mu      sync.Mutex
	left    int // calls that pass; negative: all
	bus     []outbox.Entry
	records map[string]record.Record
	mail    map[string]string // to staff, by key: who, the way, what
	sent    []message.Message // to tenants, as the peers took them
	reply   func(m message.Message) message.Outcome
	clear   buffer // whatever left in clear, and the log
}

// buffer is written to from everywhere.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const company = `company: {name: Firm, zone: Europe/Paris, country: FR, languages: [fr, en], domains: [firm.example]}
`

const people = `people:
- {id: vera, email: vera@firm.example, name: Vera, roles: [employee, security], language: fr, zone: Europe/Paris}
- {id: dana, email: dana@firm.example, name: Dana, roles: [employee, dpo], language: de, zone: Europe/Paris, manager: mona}
- {id: otto, email: otto@firm.example, name: Otto, roles: [employee, owner, oncall], language: en, zone: Europe/Paris}
- {id: emma, email: emma@firm.example, name: Emma, roles: [employee], language: en, zone: Europe/Paris}
- {id: mona, email: mona@firm.example, name: Mona, roles: [employee, manager], language: en, zone: Europe/Paris}
`

const customers = `tenants:
- id: nord
  name: Cabinet Nord
  country: FR
  language: fr
  domains: [nord.example]
  contract_hours: 24
  contacts:
  - {role: privacy, email: privacy@nord.example, language: fr}
  - {role: 24/7, email: nuit@nord.example, language: fr, channels: [sms, mail], phone: "+33123456789"}
- id: sud
  name: Werke Süd
  country: DE
  language: de
  domains: [sued.example]
  contacts:
  - {role: security, email: sicherheit@sued.example, language: de}
- id: ost
  name: Eastern Ltd
  country: IE
  language: en
  domains: [east.example]
  contract_hours: 48
  contacts:
  - {role: privacy, email: dpo@east.example, language: en, channels: [webhook, mail], webhook: "https://hooks.east.example/b"}
`

const promised = `promises:
- id: X94
  text: {en: Customers are told of a breach.}
  source: {file: policy.html, section: one}
  check: breach-clock
  severity: high
  kept_by: [{records: breach-clock}]
`

func newFirm(t testing.TB) *firm { return firmOn(t, inMemory) }

func firmOn(t testing.TB, open func(testing.TB, store.Options) store.Store) *firm {
	t.Helper()
	f := &firm{
		t: t, clock: clock.NewManual(time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)), left: -1, records: map[string]record.Record{}, mail: map[string]string{},
		reply: func(message.Message) message.Outcome { return message.Accepted },
		files: fstest.MapFS{"p/company.yaml": {Data: []byte(company)}, "p/people.yaml": {Data: []byte(people)}, "p/tenants.yaml": {Data: []byte(customers)}, "p/promises/one.yaml": {Data: []byte(promised)}},
	}
	schema := append(store.Schema{outbox.Collection(), message.Collection()}, append(cases.Collection(), notice.Collection()...)...)
	f.raw = open(t, store.Options{Schema: schema, Clock: f.clock})
	f.keys = keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	log := slog.New(slog.NewJSONHandler(&f.clear, nil))
	sinks := map[outbox.Kind]outbox.Sink{outbox.Record: f.keep, outbox.Message: f.publish}
	f.courier = &message.Courier{
		Store: f.raw, Clock: f.clock, Keys: f.keys, Log: log, Random: rand.Reader, Box: outbox.New(f.raw, f.clock, log, sinks),
		Channels: map[string]message.Channel{message.Mail: peer{f}, notice.SMS: peer{f}, notice.Webhook: peer{f}},
		Resolve: func(_ context.Context, r message.Request) (string, error) {
			return f.person(r.Person).Email, nil
		},
	}
	f.start(log, sinks)
	return f
}

// start begins with the policy as its files are now: a new process.
func (f *firm) start(log *slog.Logger, sinks map[outbox.Kind]outbox.Sink) {
	f.t.Helper()
	p, problems, err := policy.Load(f.files, "p")
	if err != nil || len(problems) > 0 {
		f.t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	faulty := storetest.Faulty(storetest.Twice(f.raw), func(storetest.Point, int) error { return f.step() })
	box := outbox.New(faulty, f.clock, log, sinks)
	staff, err := cases.Letters(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	rules := cases.Defaults(p.Company.Location(), "FR")
	rules.Hours = map[string]int{}
	for _, t := range p.Tenants {
		rules.Hours[t.ID] = t.ContractHours
	}
	commit := func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
		return record.Subject{Type: s.Type, C: record.Commitment(fmt.Appendf(nil, "salt of %-12s %s", s.ID, now.Format("2006-01")), s.Type, s.ID)}, f.step()
	}
	cache := seal.NewCache(f.keys, rand.Reader, f.clock)
	if f.cases, err = cases.New(cases.Config{
		Store: faulty, Box: box, Policy: p, Digest: record.Digest([]byte("policy")), Rules: rules, Keys: f.keys, Messages: cache, Letters: staff, Commit: commit, Desk: "https://desk.example/",
	}); err != nil {
		f.t.Fatal(err)
	}
	own, err := notice.LettersStaff(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.config = notice.Config{
		Store: faulty, Box: box, Policy: p, Digest: record.Digest([]byte("policy")), Letters: texts(f.t), Staff: own, Keys: f.keys, Messages: cache, Commit: commit,
		Drill: []string{"emma", "otto"}, Desk: "https://desk.example/", Crier: f.cases.Crier,
		Case: func(ctx context.Context, id string) (notice.About, error) {
			read, err := f.cases.Get(ctx, id)
			return notice.AboutCase(read.Case, rules, p.Company.Name, f.clock.Now()), err
		},
		Tell: f.tell, Untell: f.untell, Keep: f.promised,
	}
	if f.notices, err = notice.New(f.config); err != nil {
		f.t.Fatal(err)
	}
}

// restart is a new process, with one file of the policy changed.
func (f *firm) restart(file, old, new string) {
	f.t.Helper()
	data := string(f.files["p/"+file].Data)
	if !strings.Contains(data, old) {
		f.t.Fatalf("%s holds no %q", file, old)
	}
	f.files["p/"+file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(data, old, new))}
	f.start(slog.New(slog.NewJSONHandler(&f.clear, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: f.keep, outbox.Message: f.publish})
}

func (f *firm) tell(ctx context.Context, id string, told []notice.Told, now time.Time) error {
	e := cases.Event{What: cases.Told, Arrivals: map[string]time.Time{}}
	for _, one := range told {
		e.Arrivals[one.Tenant] = one.At
	}
	_, err := f.cases.Do(ctx, id, policy.Person{}, e, cases.Words{}, now)
	return err
}

var errDown = fault.New(fault.Transient, "an injected failure")

func (f *firm) step() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return errDown
	}
	f.left--
	return nil
}

func (f *firm) keep(_ context.Context, e outbox.Entry) error {
	if err := f.step(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.clear.Write(e.Data)
	recordtest.Keep(f.t, f.records, e.Key, e.Data)
	return nil
}

// publish is the bus. What is for staff is read at once: nobody has to send it here.
func (f *firm) publish(ctx context.Context, e outbox.Entry) error {
	if err := f.step(); err != nil {
		return err
	}
	var r message.Request
	if e.Target == message.TopicRequested && json.Unmarshal(e.Data, &r) == nil && r.Kind == message.Staff {
		c, err := r.Open(ctx, f.keys)
		if err != nil {
			f.t.Errorf("message: %v", err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		_, _ = f.clear.Write(e.Data)
		f.mail[r.Key] = strings.Join([]string{r.Person + c.To, r.Channel, c.Subject, c.Text}, "|")
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.clear.Write(e.Data)
	f.bus = append(f.bus, e)
	return nil
}

// peer is whatever is on the other side of a channel.
type peer struct{ *firm }

func (p peer) Send(_ context.Context, m message.Message) (message.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := m.Check(); err != nil {
		p.t.Errorf("to %s: %v", m.To, err)
	}
	outcome := p.reply(m)
	if outcome == message.Accepted || outcome == message.Unknown {
		p.sent = append(p.sent, m)
	}
	if outcome == message.Accepted {
		return outcome, nil
	}
	return outcome, errors.New("550 5.1.1")
}

func (peer) Close() error { return nil }

// settle lets the bus deliver everything, again and again until it is acknowledged.
func (f *firm) settle() error {
	for {
		f.mu.Lock()
		if len(f.bus) == 0 {
			f.mu.Unlock()
			return nil
		}
		e := f.bus[0]
		f.mu.Unlock()
		if err := f.deliver(e); err != nil {
			return err
		}
		f.mu.Lock()
		f.bus = slices.Delete(f.bus, 0, 1)
		f.mu.Unlock()
	}
}

func (f *firm) deliver(e outbox.Entry) error {
	ctx := context.Background()
	if e.Target == message.TopicRequested {
		var r message.Request
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return err
		}
		r.Asked, _ = time.Parse(time.RFC3339Nano, e.Attributes[bus.AttributeTime])
		return f.courier.Deliver(ctx, r)
	}
	var a message.Answer
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return err
	}
	told, err := f.notices.Answered(ctx, a, f.clock.Now())
	if err != nil || len(told) == 0 {
		return err
	}
	return f.tell(ctx, told[0].Case, told, f.clock.Now())
}

func (f *firm) person(id string) policy.Person {
	p, _ := f.policy().PersonByID(id)
	return p
}

func (f *firm) policy() *policy.Policy { return f.config.Policy }

// pass lets time go by and the schedules run.
func (f *firm) pass(d time.Duration) {
	f.t.Helper()
	if err := f.clock.Set(f.clock.Now().Add(d)); err != nil {
		f.t.Fatal(err)
	}
	f.tick()
}

func (f *firm) tick() {
	f.t.Helper()
	for range 2 {
		_, swept := f.courier.Sweep(context.Background())
		_, boxed := f.courier.Box.Sweep(context.Background())
		if err := errors.Join(swept, boxed, f.settle(), f.notices.Tick(context.Background(), f.clock.Now()), f.cases.Tick(context.Background(), f.clock.Now()), f.settle()); err != nil {
			f.t.Fatal(err)
		}
	}
}
