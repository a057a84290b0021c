package recipient_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/erasureworld"
	"ostiary.internal/shared/erasure/recipient"
	"ostiary.internal/shared/evidence/record"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const mapped = `identifiers:
  - {id: email, reusable: true, normalise: email}
  - {id: uid}
  - {id: customer_id, opendsr: controller_customer_id}
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

const people = `people:
  - {id: dan, email: dan@firm.example, name: Dan, roles: [dpo], zone: Europe/Berlin, language: de}
  - {id: ada, email: ada@firm.example, name: Ada, roles: [employee], zone: Europe/Berlin, language: en}
`

// world is a Service on a store and recipients that can be made to fail.
type world struct {
	*recipient.Service
	*erasureworld.World
	mu sync.Mutex

	answer recipient.Answer
	sent   map[string][]recipient.Message // by recipient
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: erasureworld.New(t, now, recipient.Collection()), answer: recipient.Answer{Result: recipient.Heard}, sent: map[string][]recipient.Message{}}
	p, m := erasureworld.Policy(t, people, mapped, "dsr-desk", "de", "en")
	var err error
	w.Service, err = recipient.New(recipient.Config{
		Store: w.World.Store, Policy: p, Digest: record.Digest([]byte("policy")), Map: m, Keys: w.World.Keys, Messages: w.World.Messages, Mark: bytes.Repeat([]byte("k"), 32),
		Box:  w.World.Box,
		Send: w.tell, Desk: "https://ostiary.example/decideerasure/",
		Commit: erasureworld.Commit,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) tell(_ context.Context, to datamap.Recipient, m recipient.Message) (recipient.Answer, error) {
	if err := w.Step(); err != nil {
		return recipient.Answer{}, err
	}
	w.mu.Lock()
	w.sent[to.ID] = append(w.sent[to.ID], m)
	a := w.answer
	w.mu.Unlock()
	return a, w.Step() // he has it, and nobody was told
}

func (w *world) work() error {
	at := w.Clock.Now()
	return w.Work(w.T.Context(), at, at.Add(time.Hour), w.Clock.Now)
}

// about is a request of a person of whom something was erased in these entries.
func about(entries ...string) recipient.Case {
	return recipient.Case{
		Request: "r1", Tenant: "north", Entries: entries, Received: now.Add(-time.Hour), Executed: now,
		Identifiers: []datamap.Identifier{{Kind: "email", Value: "jo@customer.example", Verified: true}, {Kind: "uid", Value: "user-77", Verified: true},
			{Kind: "customer_id", Value: "cust-9", Verified: true}, {Kind: "email", Value: "other@customer.example"}},
	}
}
