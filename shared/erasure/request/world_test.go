package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	keyfile "ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/store/storetest"
	"ostiary.internal/shared/policy"
)

// noon of a Monday: the answer to what comes now is due on Thursday, 2 April 2026.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// people: dan and dora protect data, sam is of security, ada is nobody in particular.
const people = `people:
  - {id: dan, email: dan@firm.example, name: Dan, roles: [dpo], zone: Europe/Berlin, language: de}
  - {id: dora, email: dora@firm.example, name: Dora, roles: [dpo], zone: Europe/Berlin, language: fr}
  - {id: sam, email: sam@firm.example, name: Sam, roles: [security], zone: Europe/Berlin, language: en}
  - {id: ada, email: ada@firm.example, name: Ada, roles: [employee], zone: Europe/Berlin, language: en}
`

const tenants = `tenants:
  - {id: acme, name: Acme, country: DE, language: de, domains: [acme.example], contacts: [{role: privacy, email: privacy@acme.example, language: de}]}
  - {id: zeta, name: Zeta, country: FR, language: fr, domains: [zeta.example]}
`

func loaded(t testing.TB) *policy.Policy {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml":      {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [en]\n")},
		"p/people.yaml":       {Data: []byte(people)},
		"p/tenants.yaml":      {Data: []byte(tenants)},
		"p/promises/all.yaml": {Data: []byte("promises:\n  - {id: P1, text: {en: You are forgotten.}, check: dsr-desk, severity: critical, kept_by: [{records: dsr-desk}]}\n")},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	return p
}

// letters that went out, opened.
type sent struct {
	message.Request
	message.Content
	nth int // that went out
}

// world is a Service on a store, keys and sinks that can be made to fail, with everything it sends, and a directory.
type world struct {
	*Service
	t     testing.TB
	clock *clock.Manual
	raw   store.Store
	hook  func() // runs once, when the key service is asked
	skip  int    // calls of the key service before that
	left  int    // calls of the store, the keys, the directory and the sinks that pass; negative: all
	calls int

	mu      sync.Mutex
	onFile  map[string]string // tenant and address as it is given: address on file
	records map[string]record.Record
	order   []record.Record
	mail    map[string]sent // by key
	asked   []outbox.Entry  // messages to the engine, in order
	seen    map[string]bool // their keys
	leaked  bytes.Buffer    // whatever left in clear, and the log
}

func rulesOf(t testing.TB) Rules {
	t.Helper()
	zone, err := calendar.Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return Rules{Zone: zone, Country: "DE", AutoApprove: 500, TenantPercent: 20, GraceDays: 14, Strict: true}
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
	w := &world{
		t: t, clock: clock.NewManual(noon), left: -1, onFile: map[string]string{}, records: map[string]record.Record{}, mail: map[string]sent{}, seen: map[string]bool{},
	}
	schema := append(store.Schema{outbox.Collection(), heartbeat.Collection()}, Collection()...)
	w.raw = open(store.Options{Schema: schema, Clock: w.clock})
	w.build(w.raw, func(*Config) {})
	return w
}

func (w *world) build(s store.Store, change func(*Config)) {
	w.t.Helper()
	letters, err := letter.Read(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	keys := &failing{keyfile.New(filepath.Join(w.t.TempDir(), "key"), nil), w}
	faulty := storetest.Faulty(s, func(storetest.Point, int) error { return w.step() })
	box := outbox.New(faulty, w.clock, slog.New(slog.NewJSONHandler(&w.leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send})
	c := Config{
		Store: faulty, Box: box, Policy: loaded(w.t), Digest: record.Digest([]byte("policy")), Rules: rulesOf(w.t), Keys: keys, Messages: seal.NewCache(keys, rand.Reader, w.clock),
		Mark: bytes.Repeat([]byte("k"), LeastKey), Letters: letters, Directory: w, Page: "https://ostiary.example/requesterasure/", Desk: "https://ostiary.example/decideerasure/",
		Shared: func(address string) bool { return strings.HasPrefix(address, "info@") },
		Commit: func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
			if err := w.step(); err != nil {
				return record.Subject{}, err
			}
			return record.Subject{Type: s.Type, C: record.Commitment(fmt.Appendf(nil, "salt of %-12s %s", s.ID, now.Format("2006-01")), s.Type, s.ID)}, nil
		},
	}
	change(&c)
	if w.Service, err = New(c); err != nil {
		w.t.Fatal(err)
	}
}

var errDown = fault.New(fault.Transient, "an injected failure")

func (w *world) step() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.left == 0 {
		return errDown
	}
	w.left--
	return nil
}

// failing is a key service that dies when the world does.
type failing struct {
	seal.Keys
	w *world
}

func (f *failing) Wrap(ctx context.Context, key, bound []byte) ([]byte, string, error) {
	if hook := f.w.hook; hook != nil && f.w.skip > 0 {
		f.w.skip--
	} else if hook != nil {
		f.w.hook = nil
		hook()
	}
	if err := f.w.step(); err != nil {
		return nil, "", err
	}
	return f.Keys.Wrap(ctx, key, bound)
}

// OnFile implements directory.
func (w *world) OnFile(_ context.Context, tenant, email string) (bool, string, error) {
	if err := w.step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" "+strings.ToLower(email)]
	return address != "", address, nil
}

// AddressOf implements directory.
func (w *world) AddressOf(_ context.Context, tenant string, id Identifier) (bool, string, error) {
	if err := w.step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" "+id.Kind+" "+id.Value]
	return address != "", address, nil
}

// HeldFor implements directory.
func (w *world) HeldFor(_ context.Context, tenant, email string) (bool, string, error) {
	if err := w.step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" held "+strings.ToLower(email)]
	return address != "", address, nil
}

// keep is the evidence inbox: the same id with other bytes is a fault of ours. It may die after it accepted.
func (w *world) keep(_ context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	w.leaked.Write(e.Data)
	if r, first := recordtest.Keep(w.t, w.records, e.Key, e.Data); first {
		w.order = append(w.order, r)
	}
	w.mu.Unlock()
	return w.step()
}

func (w *world) send(ctx context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	fmt.Fprintln(&w.leaked, e.Target, e.Key, e.Attributes)
	w.leaked.Write(e.Data)
	if e.Target == message.TopicRequested {
		var r message.Request
		if err := json.Unmarshal(e.Data, &r); err != nil {
			w.t.Error(err)
		}
		c, err := r.Open(ctx, w.Keys.(*failing).Keys)
		if err != nil {
			w.t.Errorf("opening a letter: %v", err)
		}
		if _, again := w.mail[e.Key]; !again {
			w.mail[e.Key] = sent{r, c, len(w.mail)}
		}
	} else if !w.seen[e.Key] {
		w.seen[e.Key] = true
		w.asked = append(w.asked, e)
	}
	w.mu.Unlock()
	return w.step()
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

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// read reads a request past all failures.
func (w *world) read(id string) (r Request) {
	w.t.Helper()
	w.must(w.raw.Get(context.Background(), Requests, id, &r))
	return r
}

// kept reads a request that may be gone by now.
func (w *world) kept(id string) (r Request, kept bool) {
	w.t.Helper()
	err := w.raw.Get(context.Background(), Requests, id, &r)
	if !fault.Is(err, fault.NotFound) {
		w.must(err)
	}
	return r, err == nil
}

// letters returns those of a kind that went out about a request, oldest first.
func (w *world) letters(id string, kind letter.Kind) (all []sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.mail)) {
		if strings.HasPrefix(key, "dsr/"+id+"/"+string(kind)+"/") {
			all = append(all, w.mail[key])
		}
	}
	return all
}

// staffed counts the letters to Dan, who reads German, whose subject holds words.
func (w *world) staffed(words string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.mail {
		if m.Person == "dan" && strings.Contains(m.Subject, words) {
			n++
		}
	}
	return n
}

var codeForm = regexp.MustCompile(`#([a-z2-9]+)\.([a-z2-9]+)`)

// code returns the code of the newest link that went to the address a request waits for.
func (w *world) code(id string) string { return w.link(id)[2] }

// link returns number and code of that link, behind the whole of it.
func (w *world) link(id string) []string {
	w.t.Helper()
	private, err := w.open(context.Background(), w.read(id))
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	newest := sent{nth: -1}
	for _, one := range w.mail {
		if parts := strings.Split(one.Key, "/"); (parts[1] == id || one.To == private.OnFile) && slices.Contains([]string{"link", "close", "elsewhere"}, parts[2]) && one.nth > newest.nth {
			newest = one
		}
	}
	found := codeForm.FindStringSubmatch(newest.Text)
	if found == nil {
		w.t.Fatalf("no link in:\n%s", newest.Text)
	}
	return found
}

// published counts the messages on a topic about a request.
func (w *world) published(topic, id string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.asked {
		if e.Target == topic && strings.Contains(string(e.Data), `"`+id+`"`) {
			n++
		}
	}
	return n
}

// of counts the records whose event is this.
func (w *world) of(event string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.order {
		if r.Facts["event"] == event {
			n++
		}
	}
	return n
}

// known puts a person on file.
func (w *world) known(tenant, address string) {
	w.onFile[tenant+" "+strings.ToLower(address)] = address
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

func (w *world) wantState(id string, s State, why Why) Request {
	w.t.Helper()
	r := w.read(id)
	if r.State != s || r.Why != why {
		w.t.Fatalf("the request is %s %s; want %s %s", r.State, r.Why, s, why)
	}
	return r
}
