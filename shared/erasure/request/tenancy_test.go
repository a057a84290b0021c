package request

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Whose a request is stands in its id and in the key of everything about it; ids of one tenant begin alike, and no two tenants'.
func TestUnder(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	ids := map[string]string{}
	for _, tenant := range []string{"acme", "zeta", "acme", "Acme", strings.Repeat("x", 128)} {
		r, err := w.Ask(ctx, Ask{Tenant: tenant, Email: "mia@customer.example"}, w.now())
		w.must(err)
		begins := r.ID[:16]
		for other, begun := range ids {
			if (begun == begins) != (other == tenant) {
				t.Errorf("ids of %q and %q begin %s and %s", tenant, other, begins, begun)
			}
		}
		ids[tenant] = begins
		if !isID(r.ID) || strings.Contains(r.ID, "acme") {
			t.Errorf("the id is %s", r.ID)
		}
	}
	for _, e := range w.asked {
		var n Notice
		w.must(json.Unmarshal(e.Data, &n))
		if ids[n.Tenant] == "" || !strings.Contains(e.Key, "/"+ids[n.Tenant]) {
			t.Errorf("a message of %q has the key %s", n.Tenant, e.Key)
		}
	}
}

// A message that names a request of one tenant under another's name has nothing done for it, and is told of once a day.
func TestMeant(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	r := w.proved("mia@customer.example")
	if id, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: "acme"}, w.now()); err != nil || id != r.ID {
		t.Fatalf("its own tenant: %q, %v", id, err)
	}
	before, records := w.read(r.ID), len(w.Order)
	for _, tenant := range []string{"zeta", "", "Acme"} {
		if _, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: tenant}, w.now()); code(err) != "other_tenant" || !fault.Is(err, fault.Denied) {
			t.Errorf("under %q: %v", tenant, err)
		}
	}
	if after := w.read(r.ID); after.Rev != before.Rev || len(w.Order) != records+1 || w.staffed("anderen Kunden") != 1 {
		t.Errorf("%d changes, %d records, %d letters", after.Rev-before.Rev, len(w.Order)-records, w.staffed("anderen Kunden"))
	}
	if got := w.Order[records]; got.Kind != record.DSR || got.Result.State != record.Violation || got.Facts["event"] != "foreign_message" {
		t.Errorf("%+v", got)
	}
	w.to(24 * time.Hour)
	if _, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: "zeta"}, w.now()); code(err) != "other_tenant" || len(w.Order) != records+2 {
		t.Errorf("the next day: %v", err)
	}
	if id, err := w.Meant(ctx, Notice{V: 1, Request: strings.Repeat("a", 40), Tenant: "acme"}, w.now()); err != nil || id == "" {
		t.Errorf("a request there is none of: %v", err)
	}
	// Nothing is done for a request that lies under another tenant's id, and it is not said to have ended.
	moved := w.read(r.ID)
	moved.Tenant = "zeta"
	w.must(w.Raw.Tx(ctx, func(tx store.Tx) error { return tx.Put(Requests, moved.ID, moved) }))
	w.astray(r.ID, "zeta")
}

// astray fails unless of a request that no key puts where it is nothing is done, and nobody is told that it is another's or unknown.
func (w *world) astray(id, tenant string) {
	w.T.Helper()
	ctx, before, records := w.T.Context(), w.read(id), len(w.Order)
	_, work := w.Work(ctx, id, w.now())
	_, changed := w.engine(ctx, id, Event{What: Withdraw}, w.now())
	_, meant := w.Meant(ctx, Notice{V: 1, Request: id, Tenant: tenant}, w.now())
	for name, err := range map[string]error{"work is given out": work, "it changes": changed, "it is meant": meant} {
		if !fault.Is(err, fault.Misconfigured) || code(err) == "request_unknown" {
			w.T.Errorf("%s: %v", name, err)
		}
	}
	if w.read(id).Rev != before.Rev || len(w.Order) != records {
		w.T.Error("something is done")
	}
}

// The key of marks changes: what the one before has made is recognised as long as it is kept, and afterwards nothing is taken for
// over, foreign or new in silence.
func TestKeyChanged(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	old, next := bytes.Repeat([]byte("k"), LeastKey), bytes.Repeat([]byte("n"), LeastKey)
	running := w.proved("mia@customer.example")
	told, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: "i1", Digest: "d", Submitted: w.now(), Identifiers: []Identifier{{Kind: "uid", Value: "u7"}}}, w.now())
	w.must(err)
	waiting := w.ask("leo@customer.example")
	w.known("acme", "leo@customer.example")
	w.must(w.Identify(ctx, waiting.ID, w.now()))
	w.to(time.Hour)
	keys, messages := w.Service.Keys, w.Service.Messages
	w.build(func(c *Config) {
		c.Keys, c.Messages, c.Mark, c.Former = keys, messages, next, [][]byte{old}
	})
	if id, err := w.Meant(ctx, Notice{V: 1, Request: running.ID, Tenant: "acme"}, w.now()); err != nil || id != running.ID {
		t.Errorf("a message of a request from before: %v", err)
	}
	w.planned(running.ID, plan())
	w.confirmed(waiting)
	w.wantState(waiting.ID, Planning, "")
	again := w.proved("mia@customer.example")
	if got := w.wantState(again.ID, Cancelled, Duplicate); got.Of != running.ID {
		t.Errorf("counts as %s", got.Of)
	}
	same, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: "i1", Digest: "d", Submitted: w.now(), Identifiers: []Identifier{{Kind: "uid", Value: "u7"}}}, w.now())
	if err != nil || same.ID != told.ID {
		t.Errorf("the same instruction: %s, %v", same.ID, err)
	}
	if _, err := w.Instruct(ctx, Instruction{Tenant: "acme", ID: "i1", Digest: "other", Submitted: w.now(), Identifiers: []Identifier{{Kind: "uid", Value: "u7"}}}, w.now()); code(err) != "id_conflict" {
		t.Errorf("another one under its id: %v", err)
	}
	if got, err := w.Instructed(ctx, "acme", "i1"); err != nil || got.ID != told.ID {
		t.Errorf("looked up: %v", err)
	}
	w.build(func(c *Config) { c.Keys, c.Messages, c.Mark = keys, messages, next })
	w.astray(running.ID, "acme")
	if _, err := w.Meant(ctx, Notice{V: 1, Request: running.ID, Tenant: "zeta"}, w.now()); code(err) != "other_tenant" {
		t.Errorf("a message of another tenant: %v", err)
	}
}
