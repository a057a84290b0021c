package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/erasureworld"
	"ostiary.internal/shared/erasure/request/letter"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/store"
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

// world is a Service, and a directory, in a world that can be made to fail.
type world struct {
	*Service
	*erasureworld.World
	hook func() // runs once, when the key service is asked
	skip int    // calls of the key service before that

	onFile map[string]string // tenant and address as it is given: address on file
	asked  []outbox.Entry    // messages to the engine, in order
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
	return served(t, erasureworld.New(t, noon, collections()...))
}

func newWorldOn(t testing.TB, open func(store.Options) store.Store) *world {
	t.Helper()
	return served(t, erasureworld.On(t, noon, open, collections()...))
}

func collections() store.Schema { return append(store.Schema{heartbeat.Collection()}, Collection()...) }

func served(t testing.TB, around *erasureworld.World) *world {
	t.Helper()
	w := &world{World: around, onFile: map[string]string{}}
	seen := map[string]bool{} // a message that comes again is the same
	w.Other = func(e outbox.Entry) bool {
		if e.Target == message.TopicRequested {
			return false
		}
		if !seen[e.Key] {
			w.asked = append(w.asked, e)
		}
		seen[e.Key] = true
		return true
	}
	w.build(func(*Config) {})
	return w
}

func (w *world) build(change func(*Config)) {
	w.T.Helper()
	letters, err := letter.Read(nil)
	if err != nil {
		w.T.Fatal(err)
	}
	keys := &failing{w.World.Keys, w}
	c := Config{
		Store: w.World.Store, Box: w.World.Box, Policy: loaded(w.T), Digest: record.Digest([]byte("policy")), Rules: rulesOf(w.T), Keys: keys, Messages: seal.NewCache(keys, rand.Reader, w.Clock),
		Mark: bytes.Repeat([]byte("k"), LeastKey), Letters: letters, Directory: w, Page: "https://ostiary.example/requesterasure/", Desk: "https://ostiary.example/decideerasure/",
		Shared: func(address string) bool { return strings.HasPrefix(address, "info@") },
		Commit: func(_ context.Context, s vault.Subject, now time.Time) (record.Subject, error) {
			if err := w.Step(); err != nil {
				return record.Subject{}, err
			}
			return record.Subject{Type: s.Type, C: record.Commitment(fmt.Appendf(nil, "salt of %-12s %s", s.ID, now.Format("2006-01")), s.Type, s.ID)}, nil
		},
	}
	change(&c)
	if w.Service, err = New(c); err != nil {
		w.T.Fatal(err)
	}
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
	if err := f.w.Step(); err != nil {
		return nil, "", err
	}
	return f.Keys.Wrap(ctx, key, bound)
}

// OnFile implements directory.
func (w *world) OnFile(_ context.Context, tenant, email string) (bool, string, error) {
	if err := w.Step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" "+strings.ToLower(email)]
	return address != "", address, nil
}

// AddressOf implements directory.
func (w *world) AddressOf(_ context.Context, tenant string, id Identifier) (bool, string, error) {
	if err := w.Step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" "+id.Kind+" "+id.Value]
	return address != "", address, nil
}

// HeldFor implements directory.
func (w *world) HeldFor(_ context.Context, tenant, email string) (bool, string, error) {
	if err := w.Step(); err != nil {
		return false, "", err
	}
	address := w.onFile[tenant+" held "+strings.ToLower(email)]
	return address != "", address, nil
}

func (w *world) now() time.Time { return w.Clock.Now() }

// to moves the clock to so long after noon.
func (w *world) to(after time.Duration) {
	w.T.Helper()
	if err := w.Clock.Set(noon.Add(after)); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) person(id string) policy.Person {
	p, known := w.Policy.PersonByID(id)
	if !known {
		w.T.Fatalf("no person %s", id)
	}
	return p
}

func (w *world) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// read reads a request past all failures.
func (w *world) read(id string) (r Request) {
	w.T.Helper()
	w.must(w.Raw.Get(context.Background(), Requests, id, &r))
	return r
}

// kept reads a request that may be gone by now.
func (w *world) kept(id string) (r Request, kept bool) {
	w.T.Helper()
	err := w.Raw.Get(context.Background(), Requests, id, &r)
	if !fault.Is(err, fault.NotFound) {
		w.must(err)
	}
	return r, err == nil
}

// letters returns those of a kind that went out about a request, oldest first.
func (w *world) letters(id string, kind letter.Kind) (all []erasureworld.Letter) {
	w.Lock()
	defer w.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.Mail)) {
		if strings.HasPrefix(key, "dsr/"+id+"/"+string(kind)+"/") {
			all = append(all, w.Mail[key])
		}
	}
	return all
}

// staffed counts the letters to Dan, who reads German, whose subject holds words.
func (w *world) staffed(words string) (n int) {
	w.Lock()
	defer w.Unlock()
	for _, m := range w.Mail {
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
	w.T.Helper()
	private, err := w.open(context.Background(), w.read(id))
	w.must(err)
	w.Lock()
	defer w.Unlock()
	newest := erasureworld.Letter{Nth: -1}
	for _, one := range w.Mail {
		if parts := strings.Split(one.Key, "/"); (parts[1] == id || one.To == private.OnFile) && slices.Contains([]string{"link", "close", "elsewhere"}, parts[2]) && one.Nth > newest.Nth {
			newest = one
		}
	}
	found := codeForm.FindStringSubmatch(newest.Text)
	if found == nil {
		w.T.Fatalf("no link in:\n%s", newest.Text)
	}
	return found
}

// published counts the messages on a topic about a request.
func (w *world) published(topic, id string) (n int) {
	w.Lock()
	defer w.Unlock()
	for _, e := range w.asked {
		if e.Target == topic && strings.Contains(string(e.Data), `"`+id+`"`) {
			n++
		}
	}
	return n
}

// of counts the records whose event is this.
func (w *world) of(event string) (n int) {
	w.Lock()
	defer w.Unlock()
	for _, r := range w.Order {
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
	w.T.Helper()
	r := w.read(id)
	if r.State != s || r.Why != why {
		w.T.Fatalf("the request is %s %s; want %s %s", r.State, r.Why, s, why)
	}
	return r
}
