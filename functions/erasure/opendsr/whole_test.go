package opendsr

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/decideerasure"
	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/planerasure"
	"ostiary.internal/functions/erasure/runerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/policy"
	"ostiary.internal/testdata/sample"
)

const contact = "Lea.Martin@mail.example"

// whole is the control with contacts of the same address with both customers.
func whole(t *testing.T) (*erasuretest.World, *world) {
	t.Helper()
	all := erasuretest.New(t, setup.Policy, Function, planerasure.Function, runerasure.Function, decideerasure.Function)
	w := &world{World: all.World}
	w.leaf = erasuretest.Certify(t, w.World)
	for _, tenant := range []string{erasuretest.Nord, erasuretest.Sud} {
		for name, address := range map[string]string{"k1": contact, "k2": "leo.martin@mail.example"} {
			all.Put("contacts-of-one", tenant, sample.Document{Name: name, Created: functiontest.Start.AddDate(-1, 0, 0), Fields: map[string]any{
				"primary_email": address, "created_at": "2025-01-01T00:00:00Z",
			}})
		}
	}
	return all, w
}

// through lets everything happen that follows from an instruction, and returns how it stands.
func through(t *testing.T, all *erasuretest.World, w *world) (state opendsr.State) {
	t.Helper()
	for range 3 {
		all.Deliver(t)
		all.Pass("planerasure", time.Minute, time.Minute)
	}
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+id, nil)).Want(t, 200, ""), &state)
	return state
}

// TestHashedToTheEnd: whom a customer names by a digest is erased with that customer and no other, and the receipt is there for
// the customer alone.
func TestHashedToTheEnd(t *testing.T) {
	t.Parallel()
	all, w := whole(t)
	twin := all.Export(erasuretest.Sud)
	sum := sha256.Sum256([]byte(strings.ToLower(contact)))
	body := strings.NewReplacer("lea.martin@mail.example", hex.EncodeToString(sum[:]), `"raw"`, `"sha256"`, `"gdpr"`, `"ccpa"`).Replace(asked)
	w.Call(t, w.as(nord, "POST", v2, body)).Want(t, 201, "")
	state := through(t, all, w)
	if told := state.Extensions[erasuretest.Domain]; state.Status != opendsr.Completed || told.Erased != 1 || told.Receipt != "https://ostiary.test/opendsr/v2/requests/"+id+"/receipt" {
		t.Fatalf("it stands as %+v", state)
	}
	if left := all.Export(erasuretest.Nord); strings.Contains(left, contact) || !strings.Contains(left, "leo.martin@") {
		t.Error("the contact is left, or another is not")
	}
	if all.Export(erasuretest.Sud) != twin {
		t.Error("another customer's contact was touched")
	}
	a := w.Call(t, w.as(nord, "GET", v2+"/"+id+"/receipt", nil)).Want(t, 200, "")
	if a.Header.Get("Content-Type") != "application/json" || strings.Contains(strings.ToLower(string(a.Body)), "martin") {
		t.Errorf("the receipt is %s", a.Body)
	}
	if got := receipt.Verify(a.Body, all.Trust); got.Outcome != verify.Good {
		t.Errorf("the receipt is %+v", got)
	}
	r, err := receipt.Parse(a.Body)
	if err != nil || r.State != receipt.Completed || len(r.Verify) != 1 {
		t.Errorf("the receipt says %+v, %v", r, err)
	}
	w.Call(t, w.as(sud, "GET", v2+"/"+id+"/receipt", nil)).Want(t, 404, "request_unknown")
}

// TestHashedNobody: a digest of nobody's here, though of somebody's with another customer, completes with nothing erased.
func TestHashedNobody(t *testing.T) {
	t.Parallel()
	all, w := whole(t)
	all.Put("contacts-of-one", erasuretest.Sud, sample.Document{Name: "k3", Created: functiontest.Start, Fields: map[string]any{"primary_email": "eva.roy@mail.example", "created_at": "2025-01-01T00:00:00Z"}})
	before := all.Export("")
	sum := sha256.Sum256([]byte("eva.roy@mail.example"))
	body := strings.NewReplacer("lea.martin@mail.example", hex.EncodeToString(sum[:]), `"raw"`, `"sha256"`).Replace(asked)
	w.Call(t, w.as(nord, "POST", v2, body)).Want(t, 201, "")
	if state := through(t, all, w); state.Status != opendsr.Completed || state.Extensions[erasuretest.Domain].Erased != 0 {
		t.Errorf("it stands as %+v", state)
	}
	if all.Export("") != before {
		t.Error("something was erased")
	}
}

// TestByEntry: a customer is told what there is and what became of it entry by entry, in numbers, also when the engine has
// forgotten the request.
func TestByEntry(t *testing.T) {
	t.Parallel()
	all, w := whole(t)
	all.Put("contacts-of-one", erasuretest.Nord, sample.Document{Name: "k8", Created: functiontest.Start.AddDate(-1, 0, 0), Fields: map[string]any{
		"primary_email": strings.ToLower(contact), "created_at": "2025-01-01T00:00:00Z",
	}})
	all.Put("contacts", erasuretest.Nord, sample.Document{Name: "k7", Created: functiontest.Start.AddDate(-1, 0, 0), Fields: map[string]any{
		"emails": []any{strings.ToLower(contact)}, "created_at": "2025-01-01T00:00:00Z",
	}})
	w.Call(t, w.as(nord, "POST", v2, asked)).Want(t, 201, "")
	entry := func(s opendsr.State, id string) opendsr.Entry {
		t.Helper()
		for _, e := range s.Extensions[erasuretest.Domain].Entries {
			if e.Entry == id {
				return e
			}
		}
		t.Errorf("nothing is said of %s: %+v", id, s.Extensions)
		return opendsr.Entry{}
	}
	state := through(t, all, w)
	if got, want := entry(state, "contacts"), (opendsr.Entry{Entry: "contacts", Found: 1, Open: 1}); state.Status != opendsr.Pending || got != want {
		t.Errorf("%s, planned: %+v", state.Status, got)
	}
	if got, want := entry(state, "contacts-of-one"), (opendsr.Entry{Entry: "contacts-of-one", Found: 1, Open: 1}); got != want {
		t.Errorf("planned: %+v", got)
	}
	requests := all.Requests("decideerasure")
	r, err := requests.Instructed(t.Context(), erasuretest.Nord, id)
	if err != nil {
		t.Fatal(err)
	}
	dpo := slices.IndexFunc(w.Policy.People, func(p policy.Person) bool { return slices.Contains(p.Roles, policy.DPO) })
	if _, err := requests.Approve(t.Context(), r.ID, w.Policy.People[dpo], r.Plan.Digest, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	state = through(t, all, w)
	if got, want := entry(state, "contacts"), (opendsr.Entry{Entry: "contacts", Found: 1, Open: 1, Why: "review"}); state.Status != opendsr.InProgress || got != want {
		t.Errorf("%s, searched: %+v", state.Status, got)
	}
	if got, want := entry(state, "contacts-of-one"), (opendsr.Entry{Entry: "contacts-of-one", Found: 1, Deleted: 1}); got != want {
		t.Errorf("searched: %+v", got)
	}
	m, _ := datamap.Read(w.Policy)
	store, place, err := m.Where("contacts", erasuretest.Nord)
	if err != nil {
		t.Fatal(err)
	}
	all.Drop(store, place)
	all.Pass("planerasure", 240*24*time.Hour, 24*time.Hour)
	if r := all.Request(r.ID); r.Closed.IsZero() {
		t.Fatalf("it stands as %s: %+v", r.State, r.Outcome)
	}
	w.signed(t, opendsr.V2, w.Call(t, w.as(nord, "GET", v2+"/"+id, nil)).Want(t, 200, ""), &state)
	if got, want := entry(state, "contacts-of-one"), (opendsr.Entry{Entry: "contacts-of-one", Found: 1, Deleted: 1}); state.Status != opendsr.Completed || got != want {
		t.Errorf("%s, closed: %+v", state.Status, got)
	}
}
