package oauth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
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

const people = `people:
  - {id: dan, email: dan@firm.example, name: Dan, roles: [dpo], zone: Europe/Berlin, language: de}
  - {id: fay, email: fay@firm.example, name: Fay, roles: [dpo], zone: Europe/Paris, language: fr}
  - {id: ada, email: ada@firm.example, name: Ada, roles: [employee], zone: Europe/Berlin, language: en}
`

const mapped = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
entries:
  - &own
    id: connections
    store: firestore://{project}/main
    place: tenants/{tenant}/connections
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {equals: uid, of: uid}
    action: delete
    access: true
    grants: {provider_in: provider, token: token, hint: refresh_token, account: account}
    backup_class: none
  - <<: *own
    id: keys
    place: tenants/{tenant}/keys
    grants: {provider: slack, token: secret, vault: "projects/{project}/secrets/grant-"}
  - id: users
    store: firestore://{project}/main
    place: tenants/{tenant}/users
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {document: "{uid}", or: {equals: email, of: email}}
    action: delete
    directory: true
    address: email
    backup_class: none
providers:
  - {id: google, name: Google, by: google, client: firm, secret: google-oauth, page: "https://myaccount.google.com/connections"}
  - {id: slack, name: Slack, by: slack}
  - {id: zoom, name: Zoom, by: rfc7009, endpoint: "https://zoom.example/revoke"}
  - {id: microsoft, name: Microsoft, by: hand, page: "https://account.live.com/consent/Manage"}
`

func loaded(t testing.TB) (*policy.Policy, *datamap.Map) {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml":      {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [en]\n  environments: [{id: live, project: firm-live, kind: live}]\n")},
		"p/people.yaml":       {Data: []byte(people)},
		"p/datamap.yaml":      {Data: []byte(mapped)},
		"p/promises/all.yaml": {Data: []byte("promises:\n  - {id: P1, text: {en: Connections are cut.}, check: token-revoke, severity: critical, kept_by: [{records: token-revoke}]}\n")},
	}, "p")
	if err != nil || len(problems) > 0 {
		t.Fatalf("loading the test policy: %v %v", err, problems)
	}
	m, problems := datamap.Read(p)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p, m
}

// world is a Service on a store, a product, providers and a Secret Manager that can be made to fail.
type world struct {
	*oauth.Service
	t       testing.TB
	clock   *clock.Manual
	m       *datamap.Map
	raw     store.Store
	product *local.Store
	keys    seal.Keys

	mu      sync.Mutex
	left    int               // calls that pass; negative: all
	calls   int               //
	live    map[string]bool   // tokens that providers take
	whole   map[string]string // token: account, of providers that end an account as a whole
	answer  func(p datamap.Provider, t oauth.Token) (oauth.Answer, bool)
	asked   []string          // tokens the providers were asked about
	secrets map[string]string // of Secret Manager
	stuck   bool              // Secret Manager destroys nothing
	records map[string]record.Record
	order   []record.Record
	mail    map[string]message.Content
	woken   int
	leaked  bytes.Buffer // whatever left in clear
}

var errDead = fault.New(fault.Transient, "an injected death")

func (w *world) step() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.left == 0 {
		return errDead
	}
	if w.left > 0 {
		w.left--
	}
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, clock: clock.NewManual(now), left: -1, live: map[string]bool{}, whole: map[string]string{}, secrets: map[string]string{},
		records: map[string]record.Record{}, mail: map[string]message.Content{},
	}
	var err error
	if w.product, err = local.Open(filepath.Join(t.TempDir(), "product.db"), "main"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.product.Close() })
	s, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), heartbeat.Collection(), oauth.Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	w.raw, w.keys = s, keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	faulty := storetest.Faulty(storetest.Twice(s), func(storetest.Point, int) error { return w.step() })
	p, m := loaded(t)
	w.m = m
	w.Service, err = oauth.New(oauth.Config{
		Store: faulty, Policy: p, Digest: record.Digest([]byte("policy")), Map: m, Keys: w.keys, Messages: seal.NewCache(w.keys, rand.Reader, w.clock), Mark: bytes.Repeat([]byte("k"), 32),
		Box:    outbox.New(faulty, w.clock, slog.New(slog.NewJSONHandler(&w.leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.send}),
		Eraser: func(context.Context, string) (erasure.Store, error) { return mortal{w.product, w}, nil },
		Revoke: w.revoke, Secrets: manager{w}, Desk: "https://ostiary.example/decideerasure/",
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of 16 bytes"), s.Type, s.ID)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// mortal is the product's store, whose calls may be the last.
type mortal struct {
	*local.Store
	w *world
}

func (m mortal) Find(ctx context.Context, q erasure.Query, cursor string, limit int) (erasure.Page, error) {
	if err := m.w.step(); err != nil {
		return erasure.Page{}, err
	}
	return m.Store.Find(ctx, q, cursor, limit)
}

func (m mortal) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := m.w.step(); err != nil {
		return nil, err
	}
	results, err := m.Store.Erase(ctx, q, items)
	if err == nil {
		err = m.w.step() // done, and nobody was told
	}
	return results, err
}

func (m mortal) Close() error { return nil }

// revoke is every provider.
func (w *world) revoke(_ context.Context, p datamap.Provider, t oauth.Token) (oauth.Answer, error) {
	if err := w.step(); err != nil {
		return oauth.Answer{}, err
	}
	w.mu.Lock()
	w.asked = append(w.asked, t.Value)
	if w.answer != nil {
		if a, told := w.answer(p, t); told {
			w.mu.Unlock()
			return a, nil
		}
	}
	a := oauth.Answer{Result: oauth.Unknown}
	if w.live[t.Value] {
		a.Result = oauth.Confirmed
		delete(w.live, t.Value)
		for other, account := range w.whole {
			if account != "" && account == w.whole[t.Value] {
				delete(w.live, other)
			}
		}
	}
	w.mu.Unlock()
	return a, w.step() // done, and nobody was told
}

// manager is Secret Manager.
type manager struct{ w *world }

func (m manager) Read(_ context.Context, name string) ([]byte, error) {
	if err := m.w.step(); err != nil {
		return nil, err
	}
	value, there := m.w.secrets[name]
	if !there {
		return nil, fault.New(fault.NotFound, "reading a secret: there is none")
	}
	return []byte(value), nil
}

func (m manager) Destroy(_ context.Context, name string) error {
	if err := m.w.step(); err != nil {
		return err
	}
	if m.w.stuck {
		return fault.New(fault.Transient, "destroying a secret: not now")
	}
	delete(m.w.secrets, name)
	return m.w.step()
}

func (w *world) keep(_ context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	r, err := record.Parse(e.Data)
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaked.Write(e.Data)
	if _, known := w.records[e.Key]; !known {
		w.order = append(w.order, r)
	}
	w.records[e.Key] = r
	return nil
}

func (w *world) send(ctx context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaked.Write(e.Data)
	if e.Target == request.TopicRevoke {
		w.woken++
		return nil
	}
	var r message.Request
	if err := json.Unmarshal(e.Data, &r); err != nil {
		w.t.Error(err)
	}
	c, err := r.Open(ctx, w.keys)
	if err != nil {
		w.t.Error(err)
	}
	w.mail[r.Key] = c
	return nil
}

// connect puts a connection into the product, and makes its token live at the provider.
func (w *world) connect(tenant, name, uid, provider, token, account string) {
	w.t.Helper()
	fields := map[string]any{"uid": uid, "provider": provider, "token": token, "account": account}
	if err := w.product.Put("tenants/"+tenant+"/connections", name, fields, now); err != nil {
		w.t.Fatal(err)
	}
	w.live[token] = true
	if provider == "google" {
		w.whole[token] = account
	}
}

// vaulted puts a connection into the product whose token is in Secret Manager.
func (w *world) vaulted(tenant, name, uid, secret, token string) {
	w.t.Helper()
	if err := w.product.Put("tenants/"+tenant+"/keys", name, map[string]any{"uid": uid, "secret": secret}, now); err != nil {
		w.t.Fatal(err)
	}
	w.secrets[secret], w.live[token] = token, true
}

// cut is of one person, or of a tenant as a whole.
func (w *world) cut(request, tenant, uid string) oauth.Cut {
	w.t.Helper()
	steps, err := w.m.Close(tenant)
	if uid != "" {
		steps, err = w.m.Compile(tenant, []datamap.Identifier{{Kind: "uid", Value: uid, Verified: true}})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return oauth.Cut{Request: request, Tenant: tenant, Cause: oauth.Erased, Steps: steps}
}

func (w *world) work() error {
	at := w.clock.Now()
	return w.Work(w.t.Context(), at, at.Add(time.Hour), w.clock.Now)
}

// grants are all that is stored, by state.
func (w *world) grants() map[oauth.State][]oauth.Grant {
	w.t.Helper()
	found := map[oauth.State][]oauth.Grant{}
	docs, err := w.raw.Query(w.t.Context(), store.Query{Collection: oauth.Grants, Limit: store.MaxQueryResults})
	all, err := store.Find[oauth.Grant](docs, err)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range all {
		found[g.State] = append(found[g.State], g)
	}
	return found
}

// held are the names of what the product still has.
func (w *world) held() (names []string) {
	w.t.Helper()
	if err := w.product.Each(func(place, name string, _ map[string]any) error {
		names = append(names, place+"/"+name)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return names
}

func (w *world) pass(d time.Duration) {
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) counts() string {
	var parts []string
	for _, s := range []oauth.State{oauth.Pending, oauth.Disabled, oauth.Revoked, oauth.Gone, oauth.Shared, oauth.Manual, oauth.Failed} {
		if n := len(w.grants()[s]); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}
