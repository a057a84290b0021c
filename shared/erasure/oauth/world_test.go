package oauth_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/erasureworld"
	"ostiary.internal/shared/erasure/local"
	"ostiary.internal/shared/erasure/oauth"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
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

// world is a Service on a store, a product, providers and a Secret Manager that can be made to fail.
type world struct {
	*oauth.Service
	*erasureworld.World
	m       *datamap.Map
	product *local.Store
	mu      sync.Mutex

	live    map[string]bool   // tokens that providers take
	whole   map[string]string // token: account, of providers that end an account as a whole
	answer  func(p datamap.Provider, t oauth.Token) (oauth.Answer, bool)
	asked   []string          // tokens the providers were asked about
	secrets map[string]string // of Secret Manager
	stuck   bool              // Secret Manager destroys nothing
	woken   int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: erasureworld.New(t, now, heartbeat.Collection(), oauth.Collection()), live: map[string]bool{}, whole: map[string]string{}, secrets: map[string]string{}}
	w.Other = func(e outbox.Entry) bool {
		revokes := e.Target == request.TopicRevoke
		if revokes {
			w.woken++
		}
		return revokes
	}
	var err error
	if w.product, err = local.Open(filepath.Join(t.TempDir(), "product.db"), "main"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.product.Close() })
	p, m := erasureworld.Policy(t, people, mapped, "token-revoke", "en")
	w.m = m
	w.Service, err = oauth.New(oauth.Config{
		Store: w.World.Store, Policy: p, Digest: record.Digest([]byte("policy")), Map: m, Keys: w.World.Keys, Messages: w.World.Messages, Mark: bytes.Repeat([]byte("k"), 32),
		Box:    w.World.Box,
		Eraser: func(context.Context, string) (erasure.Store, error) { return mortal{w.product, w}, nil },
		Revoke: w.revoke, Secrets: manager{w}, Desk: "https://ostiary.example/decideerasure/",
		Commit: erasureworld.Commit,
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
	if err := m.w.Step(); err != nil {
		return erasure.Page{}, err
	}
	return m.Store.Find(ctx, q, cursor, limit)
}

func (m mortal) Erase(ctx context.Context, q erasure.Query, items []erasure.Item) ([]erasure.Result, error) {
	if err := m.w.Step(); err != nil {
		return nil, err
	}
	results, err := m.Store.Erase(ctx, q, items)
	if err == nil {
		err = m.w.Step() // done, and nobody was told
	}
	return results, err
}

func (m mortal) Close() error { return nil }

// revoke is every provider.
func (w *world) revoke(_ context.Context, p datamap.Provider, t oauth.Token) (oauth.Answer, error) {
	if err := w.Step(); err != nil {
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
	return a, w.Step() // done, and nobody was told
}

// manager is Secret Manager.
type manager struct{ w *world }

func (m manager) Read(_ context.Context, name string) ([]byte, error) {
	if err := m.w.Step(); err != nil {
		return nil, err
	}
	value, there := m.w.secrets[name]
	if !there {
		return nil, fault.New(fault.NotFound, "reading a secret: there is none")
	}
	return []byte(value), nil
}

func (m manager) Destroy(_ context.Context, name string) error {
	if err := m.w.Step(); err != nil {
		return err
	}
	if m.w.stuck {
		return fault.New(fault.Transient, "destroying a secret: not now")
	}
	delete(m.w.secrets, name)
	return m.w.Step()
}

// connect puts a connection into the product, and makes its token live at the provider.
func (w *world) connect(tenant, name, uid, provider, token, account string) {
	w.T.Helper()
	fields := map[string]any{"uid": uid, "provider": provider, "token": token, "account": account}
	if err := w.product.Put("tenants/"+tenant+"/connections", name, fields, now); err != nil {
		w.T.Fatal(err)
	}
	w.live[token] = true
	if provider == "google" {
		w.whole[token] = account
	}
}

// vaulted puts a connection into the product whose token is in Secret Manager.
func (w *world) vaulted(tenant, name, uid, secret, token string) {
	w.T.Helper()
	if err := w.product.Put("tenants/"+tenant+"/keys", name, map[string]any{"uid": uid, "secret": secret}, now); err != nil {
		w.T.Fatal(err)
	}
	w.secrets[secret], w.live[token] = token, true
}

// cut is of one person, or of a tenant as a whole.
func (w *world) cut(request, tenant, uid string) oauth.Cut {
	w.T.Helper()
	steps, err := w.m.Close(tenant)
	if uid != "" {
		steps, err = w.m.Compile(tenant, []datamap.Identifier{{Kind: "uid", Value: uid, Verified: true}})
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return oauth.Cut{Request: request, Tenant: tenant, Cause: oauth.Erased, Steps: steps}
}

func (w *world) work() error {
	at := w.Clock.Now()
	return w.Work(w.T.Context(), at, at.Add(time.Hour), w.Clock.Now)
}

// grants are all that is stored, by state.
func (w *world) grants() map[oauth.State][]oauth.Grant {
	w.T.Helper()
	found := map[oauth.State][]oauth.Grant{}
	docs, err := w.Raw.Query(w.T.Context(), store.Query{Collection: oauth.Grants, Limit: store.MaxQueryResults})
	all, err := store.Find[oauth.Grant](docs, err)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, g := range all {
		found[g.State] = append(found[g.State], g)
	}
	return found
}

// held are the names of what the product still has.
func (w *world) held() (names []string) {
	w.T.Helper()
	if err := w.product.Each(func(place, name string, _ map[string]any) error {
		names = append(names, place+"/"+name)
		return nil
	}); err != nil {
		w.T.Fatal(err)
	}
	return names
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
