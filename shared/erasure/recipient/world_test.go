package recipient_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/recipient"
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

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const mapped = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
  - {id: customer_id}
entries:
  - &own
    id: users
    store: firestore://{project}/main
    place: tenants/{tenant}/users
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {document: "{uid}", or: {equals: email, of: email}}
    action: delete
    directory: true
    address: email
    derives: [{identifier: customer_id, from: billing}]
    recipients: [mailer, payments]
    backup_class: none
  - id: orders
    store: firestore://{project}/main
    place: tenants/{tenant}/orders
    region: europe-west1
    role: controller
    tenant: {path: true}
    select: {equals: customer, of: customer_id}
    action: delete
    recipients: [parcels]
    backup_class: none
recipients:
  - {id: mailer, name: Postkutsche, by: webhook, to: "https://mailer.example/erasures", gives: [email]}
  - {id: payments, name: Schranke, by: mail, to: privacy@schranke.example, gives: [email, customer_id]}
  - {id: parcels, name: Paketdienst, by: opendsr, to: "https://parcels.example/v2", gives: [customer_id]}
`

func loaded(t testing.TB) (*policy.Policy, *datamap.Map) {
	t.Helper()
	p, problems, err := policy.Load(fstest.MapFS{
		"p/company.yaml": {Data: []byte("company:\n  name: Firm\n  domains: [firm.example]\n  zone: Europe/Berlin\n  country: DE\n  languages: [de, en]\n  environments: [{id: live, project: firm-live, kind: live}]\n")},
		"p/people.yaml": {Data: []byte("people:\n  - {id: dan, email: dan@firm.example, name: Dan, roles: [dpo], zone: Europe/Berlin, language: de}\n" +
			"  - {id: ada, email: ada@firm.example, name: Ada, roles: [employee], zone: Europe/Berlin, language: en}\n")},
		"p/datamap.yaml":      {Data: []byte(mapped)},
		"p/promises/all.yaml": {Data: []byte("promises:\n  - {id: P1, text: {en: You are forgotten.}, check: dsr-desk, severity: critical, kept_by: [{records: dsr-desk}]}\n")},
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

// world is a Service on a store and recipients that can be made to fail.
type world struct {
	*recipient.Service
	t     testing.TB
	clock *clock.Manual
	raw   store.Store
	keys  seal.Keys

	mu      sync.Mutex
	left    int // calls that pass; negative: all
	calls   int
	answer  recipient.Answer
	sent    map[string][]recipient.Message // by recipient
	order   []record.Record
	records map[string]bool
	mail    map[string]message.Content
	leaked  bytes.Buffer
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
		t: t, clock: clock.NewManual(now), left: -1, answer: recipient.Answer{Result: recipient.Heard},
		sent: map[string][]recipient.Message{}, records: map[string]bool{}, mail: map[string]message.Content{},
	}
	s, err := memory.New(store.Options{Schema: store.Schema{outbox.Collection(), recipient.Collection()}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	w.raw, w.keys = s, keyfile.New(filepath.Join(t.TempDir(), "key"), nil)
	faulty := storetest.Faulty(storetest.Twice(s), func(storetest.Point, int) error { return w.step() })
	p, m := loaded(t)
	w.Service, err = recipient.New(recipient.Config{
		Store: faulty, Policy: p, Digest: record.Digest([]byte("policy")), Map: m, Keys: w.keys, Messages: seal.NewCache(w.keys, rand.Reader, w.clock), Mark: bytes.Repeat([]byte("k"), 32),
		Box:  outbox.New(faulty, w.clock, slog.New(slog.NewJSONHandler(&w.leaked, nil)), map[outbox.Kind]outbox.Sink{outbox.Record: w.keep, outbox.Message: w.post}),
		Send: w.tell, Desk: "https://ostiary.example/decideerasure/",
		Commit: func(_ context.Context, s vault.Subject, _ time.Time) (record.Subject, error) {
			return record.Subject{Type: s.Type, C: record.Commitment([]byte("a salt of 16 bytes"), s.Type, s.ID)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) tell(_ context.Context, to datamap.Recipient, m recipient.Message) (recipient.Answer, error) {
	if err := w.step(); err != nil {
		return recipient.Answer{}, err
	}
	w.mu.Lock()
	w.sent[to.ID] = append(w.sent[to.ID], m)
	a := w.answer
	w.mu.Unlock()
	return a, w.step() // he has it, and nobody was told
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
	if !w.records[e.Key] {
		w.order = append(w.order, r)
	}
	w.records[e.Key] = true
	return nil
}

func (w *world) post(ctx context.Context, e outbox.Entry) error {
	if err := w.step(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaked.Write(e.Data)
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

func (w *world) work() error {
	at := w.clock.Now()
	return w.Work(w.t.Context(), at, at.Add(time.Hour), w.clock.Now)
}

func (w *world) pass(d time.Duration) {
	if err := w.clock.Set(w.clock.Now().Add(d)); err != nil {
		w.t.Fatal(err)
	}
}

// about is a request of a person of whom something was erased in these entries.
func about(entries ...string) recipient.Case {
	return recipient.Case{
		Request: "r1", Tenant: "north", Entries: entries, Received: now.Add(-time.Hour), Executed: now,
		Identifiers: []datamap.Identifier{{Kind: "email", Value: "jo@customer.example", Verified: true}, {Kind: "uid", Value: "user-77", Verified: true},
			{Kind: "customer_id", Value: "cust-9", Verified: true}, {Kind: "email", Value: "other@customer.example"}},
	}
}
