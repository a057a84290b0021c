package request

import (
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
	before, records := w.read(r.ID), len(w.order)
	for _, tenant := range []string{"zeta", "", "Acme"} {
		if _, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: tenant}, w.now()); code(err) != "other_tenant" || !fault.Is(err, fault.Denied) {
			t.Errorf("under %q: %v", tenant, err)
		}
	}
	if after := w.read(r.ID); after.Rev != before.Rev || len(w.order) != records+1 || w.staffed("anderen Kunden") != 1 {
		t.Errorf("%d changes, %d records, %d letters", after.Rev-before.Rev, len(w.order)-records, w.staffed("anderen Kunden"))
	}
	if got := w.order[records]; got.Kind != record.DSR || got.Result.State != record.Violation || got.Facts["event"] != "foreign_message" {
		t.Errorf("%+v", got)
	}
	w.to(24 * time.Hour)
	if _, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: "zeta"}, w.now()); code(err) != "other_tenant" || len(w.order) != records+2 {
		t.Errorf("the next day: %v", err)
	}
	if id, err := w.Meant(ctx, Notice{V: 1, Request: strings.Repeat("a", 40), Tenant: "acme"}, w.now()); err != nil || id == "" {
		t.Errorf("a request there is none of: %v", err)
	}
	// A request that lies under another tenant's id is nobody's.
	moved := w.read(r.ID)
	moved.Tenant = "zeta"
	w.must(w.raw.Tx(ctx, func(tx store.Tx) error { return tx.Put(Requests, moved.ID, moved) }))
	if _, err := w.Work(ctx, r.ID, w.now()); code(err) != "request_unknown" {
		t.Errorf("work is given out: %v", err)
	}
	if _, err := w.engine(ctx, r.ID, Event{What: Withdraw}, w.now()); code(err) != "request_unknown" {
		t.Errorf("it changes: %v", err)
	}
	if _, err := w.Meant(ctx, Notice{V: 1, Request: r.ID, Tenant: "zeta"}, w.now()); code(err) != "other_tenant" {
		t.Errorf("meant: %v", err)
	}
}
