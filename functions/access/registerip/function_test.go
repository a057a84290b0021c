package registerip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/directory/people"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	leases = "/registerip/v1/leases"
	emma   = "emma.dubois@sharedcontacts.example"
	asha   = "asha.iyer@sharedcontacts.example"
	mobile = "92.40.1.7"
)

// register asks for a lease under a key of its own.
func register(w *functiontest.World, email, code, key string) functiontest.Request {
	r := functiontest.Request{Method: "POST", Path: leases, Token: w.Staff(email), Body: map[string]string{"code": code}}
	r.Header = http.Header{"Idempotency-Key": {key}}
	return r
}

func list(t *testing.T, w *functiontest.World, email string) []Lease {
	t.Helper()
	var found Leases
	w.Call(t, functiontest.Request{Method: "GET", Path: leases, Token: w.Staff(email)}).Want(t, 200, "").Decode(t, &found)
	return found.Leases
}

func TestMorning(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	r := register(w, emma, phone.Code(w.Clock.Now()), "k1")
	r.Body = map[string]string{"code": phone.Code(w.Clock.Now()), "ip": "1.2.3.4", "address": "1.2.3.4", "prefix": "0.0.0.0/0"}
	var made Lease
	w.Call(t, r).Want(t, 201, "").Decode(t, &made)
	slices.Sort(made.Ignored)
	midnight := time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC) // in Paris
	if made.Prefix != functiontest.Home+"/32" || !made.Ends.Equal(midnight) || made.State != "received" || fmt.Sprint(made.Ignored) != "[address ip prefix]" {
		t.Errorf("%+v", made)
	}
	if found := list(t, w, emma); len(found) != 1 || found[0].ID != made.ID || len(list(t, w, asha)) != 0 {
		t.Errorf("listed %+v", found)
	}
	if told := w.Published(lease.Topic); len(told) != 1 || !strings.HasPrefix(string(told[0].Message.Data), `{"lease":"`+made.ID+`","prefix":"81.2.69.142/32","from":"`) {
		t.Errorf("published %v", told)
	}
	// Somebody else's lease is none; an own one ends, and ends once.
	end := functiontest.Request{Method: "DELETE", Path: leases + "/" + made.ID, Token: w.Staff(asha)}
	w.Call(t, end).Want(t, 404, "lease_unknown")
	end.Token = w.Staff(emma)
	for range 2 {
		w.Call(t, end).Want(t, 200, "").Decode(t, &made)
		if made.State != "ended" {
			t.Errorf("after the end: %+v", made)
		}
	}
	if len(w.Published(lease.Topic)) != 2 || len(w.Records(t)) != 3 { // the attempt, the registration, the end
		t.Errorf("%d messages, %d records", len(w.Published(lease.Topic)), len(w.Records(t)))
	}
}

// TestRefusals reaches every problem that the interface lists.
func TestRefusals(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	now := w.Clock.Now
	seen.Saw(w.Call(t, register(w, emma, phone.Code(now()), "first"))).Want(t, 201, "")
	next := phone.Code(now().Add(30 * time.Second))
	for _, test := range []struct {
		name   string
		change func(r *functiontest.Request)
		status int
		code   string
	}{
		{"spent", func(r *functiontest.Request) { r.Body = map[string]string{"code": phone.Code(now())} }, 403, "otp_replay"},
		{"wrong", func(r *functiontest.Request) { r.Body = map[string]string{"code": phone.Wrong(now())} }, 403, "otp_wrong"},
		{"malformed", func(r *functiontest.Request) { r.Body = map[string]string{"code": "12-34-56"} }, 422, "otp_malformed"},
		{"no authenticator", func(r *functiontest.Request) { r.Token = w.Staff("marc.petit@sharedcontacts.example") }, 409, "no_authenticator"},
		{"private address", func(r *functiontest.Request) { r.From = "192.168.1.7" }, 422, "address_refused"},
		{"Google's proxy", func(r *functiontest.Request) { r.From = "35.191.0.1" }, 422, "address_refused"},
		{"unknown address", func(r *functiontest.Request) { r.From = functiontest.Nowhere }, 503, "address_unknown"},
		{"no address", func(r *functiontest.Request) { r.From = "81.2.69.142:443" }, 503, "address_unknown"},
		{"another request's key", func(r *functiontest.Request) { r.Header.Set("Idempotency-Key", "first") }, 409, "idempotency_mismatch"},
		{"no key", func(r *functiontest.Request) { r.Header = nil }, 400, "body_invalid"},
		{"key too long", func(r *functiontest.Request) { r.Header.Set("Idempotency-Key", strings.Repeat("k", 129)) }, 400, "body_invalid"},
		{"key not printable", func(r *functiontest.Request) { r.Header.Set("Idempotency-Key", "k\u00e9") }, 400, "body_invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := register(w, emma, next, test.name)
			test.change(&r)
			before := w.State(t, functiontest.Counters...)
			seen.Saw(w.Call(t, r)).Want(t, test.status, test.code)
			after := w.State(t, functiontest.Counters...)
			for id := range after {
				if strings.HasPrefix(id, "access/registrations/") { // an evaluated code's refusal is kept for a retry
					delete(after, id)
					delete(before, id)
				}
			}
			if fmt.Sprint(before) != fmt.Sprint(after) {
				t.Errorf("the state changed")
			}
		})
	}
	bodies := register(w, emma, "", "bodies")
	bodies.Body = `{"code":"` + next + `"}`
	w.Bodies(t, &seen, bodies)
	w.Call(t, register(w, emma, phone.Wrong(now()), "last free failure"))
	waits(t, &seen, w, phone)
	for _, id := range []string{"nothing", "__x__", "..", "%2F", "a%00b", "%ff", strings.Repeat("x", 2000)} {
		if got := seen.Saw(w.Call(t, functiontest.Request{Method: "DELETE", Path: leases + "/" + id, Token: w.Staff(emma)})); got.Status != 404 && got.Status != 307 {
			t.Errorf("ending lease %q: %d %q", id, got.Status, got.Code)
		}
	}
	t.Run("limits", func(t *testing.T) { limits(t, &seen) })
	t.Run("proofs", func(t *testing.T) { proofRefusals(t, &seen) })
	t.Run("register", func(t *testing.T) { registerRefusals(t, &seen) })
	t.Run("networks", func(t *testing.T) { networkRefusals(t, &seen) })
	t.Run("unproven", func(t *testing.T) {
		w := deployed(t, "header:"+functiontest.ClientHeader)
		seen.Saw(w.Call(t, register(w, emma, "123456", "k"))).Want(t, 503, "address_unproven")
	})
	t.Run("devices", func(t *testing.T) { deviceRefusals(t, &seen) })
	t.Run("callers", func(t *testing.T) {
		functiontest.StaffGate(t, setup, &seen, emma,
			functiontest.Request{Method: "POST", Path: leases, Body: map[string]string{"code": "123456"}, Header: http.Header{"Idempotency-Key": {"k"}}},
			functiontest.Request{Method: "GET", Path: leases}, functiontest.Request{Method: "DELETE", Path: leases + "/nothing"},
			functiontest.Request{Method: "POST", Path: devices}, functiontest.Request{Method: "POST", Path: devices + "/look", Body: map[string]string{"code": "2222-2222"}},
			functiontest.Request{Method: "POST", Path: leases + "/nothing/tested"},
			functiontest.Request{Method: "GET", Path: "/registerip/"}, functiontest.Request{Method: "POST", Path: "/registerip/", Body: "code=1"})
	})
	seen.Complete(t, "registerip", w.Routes("registerip"))
}

// waits: while nothing is evaluated a right code is neither looked at nor used up, and after the hard stop nothing is.
func waits(t *testing.T, seen *functiontest.Coverage, w *functiontest.World, phone functiontest.Phone) {
	t.Helper()
	for n := 0; w.Call(t, register(w, emma, "000001", fmt.Sprint("guess", n))).Status != http.StatusTooManyRequests; n++ {
	}
	r := register(w, emma, phone.Code(w.Clock.Now().Add(30*time.Second)), "waiting")
	before := w.State(t)
	if got := seen.Saw(w.Call(t, r)).Want(t, 429, "otp_waiting"); got.Header.Get("Retry-After") == "" {
		t.Error("the answer does not say when to come back")
	}
	w.Unchanged(t, before)
	for n := 0; w.Call(t, register(w, emma, "000001", fmt.Sprint("stop", n))).Status != http.StatusLocked; n++ {
		w.Advance(t, time.Hour)
	}
	before = w.State(t)
	seen.Saw(w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "locked"))).Want(t, 423, "otp_locked")
	w.Unchanged(t, before)
}

// limits are those of the policy: changes of address a day, and entries of the smallest target.
func limits(t *testing.T, seen *functiontest.Coverage) {
	s := setup
	s.Policy = map[string]string{"access.yaml": "lease: {changes_per_day: 1}\ntargets: [{name: edge, capacity: 1}]"}
	w := functiontest.New(t, s)
	phone, other := w.Phone(t, emma), w.Phone(t, asha)
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "first")).Want(t, 201, "")
	before := w.State(t)
	r := register(w, emma, phone.Code(w.Clock.Now().Add(30*time.Second)), "second")
	r.From = mobile
	seen.Saw(w.Call(t, r)).Want(t, 409, "person_limit")
	r = register(w, asha, other.Code(w.Clock.Now()), "full")
	r.From = mobile
	seen.Saw(w.Call(t, r)).Want(t, 503, "capacity_full")
	w.Unchanged(t, before)
	// The same address needs no entry of its own.
	w.Call(t, register(w, asha, other.Code(w.Clock.Now()), "shared")).Want(t, 201, "")
}

// TestOutages: whatever does not answer, nothing changes and the code is still good.
func TestOutages(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Outages(t, &seen, register(w, emma, phone.Code(w.Clock.Now()), "k"), 201, &w.Issuer, &w.MessageKey, &w.OTPKey, &w.Directory)
	w.Panics(t, register(w, emma, phone.Code(w.Clock.Now().Add(30*time.Second)), "panic"), &w.Store, &w.Directory)
	for _, r := range []functiontest.Request{{Method: "GET", Path: leases}, {Method: "DELETE", Path: leases + "/" + list(t, w, emma)[0].ID}} {
		r.Token = w.Staff(emma)
		w.Outages(t, &seen, r, 200, &w.Directory)
	}
}

// TestBusDown: neither the bus nor the evidence inbox holds up a registration; the outbox keeps what is for them.
func TestBusDown(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Bus.Down()
	w.Inbox.Down()
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "k")).Want(t, 201, "")
	if n := w.Pending(t, "registerip"); n != 3 { // the change, the attempt, the registration
		t.Errorf("%d entries wait in the outbox", n)
	}
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, time.Minute)
	if _, err := w.Deps("registerip").Box.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.Pending(t, "registerip"); n != 0 || len(w.Records(t)) != 2 || len(w.Published(lease.Topic)) != 1 {
		t.Errorf("%d entries wait, %d records, %d messages", n, len(w.Records(t)), len(w.Published(lease.Topic)))
	}
}

// TestRetry: a phone that lost the answer gets it again, whether the instance died before or after it answered, and
// another code under the same key gets nothing.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	r := register(w, emma, phone.Code(w.Clock.Now()), "k")
	w.Applied.Down()
	w.Call(t, r).Want(t, 503, "unavailable")
	w.Applied.Up()
	w.Restart()
	before := w.State(t)
	first := w.Call(t, r).Want(t, 201, "")
	again := w.Call(t, r).Want(t, 201, "")
	if string(first.Body) != string(again.Body) {
		t.Errorf("two answers to one request:\n%s%s", first.Body, again.Body)
	}
	w.Unchanged(t, before)
	w.Call(t, register(w, emma, phone.Wrong(w.Clock.Now()), "k")).Want(t, 409, "idempotency_mismatch")
	for id, document := range before {
		if text, _ := json.Marshal(document); strings.Contains(string(text), phone.Code(w.Clock.Now())) {
			t.Errorf("%s holds the code", id)
		}
	}
	// A refused code is refused again under its key, and counts once.
	wrong := register(w, emma, phone.Wrong(w.Clock.Now()), "wrong")
	w.Call(t, wrong).Want(t, 403, "otp_wrong")
	before = w.State(t)
	w.Call(t, wrong).Want(t, 403, "otp_wrong")
	w.Unchanged(t, before)
}

// TestRace: many phones of one person with one code get one lease and one answer that grants it.
func TestRace(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	const n = 6
	var requests []functiontest.Request
	for i := range n {
		requests = append(requests, register(w, emma, phone.Code(w.Clock.Now()), fmt.Sprint("k", i)))
	}
	answers := make(chan int, n)
	for _, r := range requests {
		go func() { answers <- w.Call(t, r).Status }()
	}
	made := 0
	for range n {
		if <-answers == http.StatusCreated {
			made++
		}
	}
	if made != 1 || len(list(t, w, emma)) != 1 {
		t.Errorf("%d registrations, %d leases with one code", made, len(list(t, w, emma)))
	}
}

// TestSubject: whoever holds an address later does not find what its owner before left, until a reset.
func TestSubject(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "k")).Want(t, 201, "")
	w.Advance(t, 30*time.Second)
	r := register(w, emma, phone.Code(w.Clock.Now()), "later")
	r.Token = w.Staff(emma, map[string]any{"sub": "accounts.google.com:999999999999999999999"})
	before := w.State(t)
	w.Call(t, r).Want(t, 403, "subject_changed")
	w.Call(t, functiontest.Request{Method: "GET", Path: leases, Token: r.Token}).Want(t, 403, "subject_changed")
	w.Unchanged(t, before)
	r.Token = w.Staff(emma)
	w.Call(t, r).Want(t, 201, "")
}

// TestUnsignedHeaders: the proxy's unsigned headers change nothing beside an assertion either.
func TestUnsignedHeaders(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	r := register(w, emma, phone.Code(w.Clock.Now()), "k")
	r.Header.Set("X-Goog-Authenticated-User-Email", "accounts.google.com:"+asha)
	r.Header.Set("Authorization", "Bearer "+w.Staff(asha))
	w.Call(t, r).Want(t, 201, "")
	if len(list(t, w, emma)) != 1 || len(list(t, w, asha)) != 0 {
		t.Error("an unsigned header chose the person")
	}
}

// TestPage: the page is served to the person, and a form of another site or another person does nothing.
func TestPage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Phone(t, emma)
	page := w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(emma)}).Want(t, 200, "")
	if !strings.Contains(string(page.Body), functiontest.Home) {
		t.Error("the page does not show the address")
	}
	form := functiontest.Request{Method: "POST", Path: "/registerip/done", Token: w.Staff(emma), Body: "lease=x",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}}}
	before := w.State(t)
	if got := w.Call(t, form); got.Status != 403 {
		t.Errorf("a foreign form: %d", got.Status)
	}
	form.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if got := w.Call(t, form); got.Status != 403 {
		t.Errorf("a form without its token: %d", got.Status)
	}
	if err := w.People.Change(t.Context(), emma, people.Suspend); err != nil {
		t.Fatal(err)
	}
	if got := w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(emma)}); got.Status != 403 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the page of a suspended person: %d", got.Status)
	}
	w.Unchanged(t, before)
}

// TestUsualAfterAWeekend: on Monday, Friday's address is not a new one.
func TestUsualAfterAWeekend(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	page := functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(emma), Header: http.Header{"Accept-Language": {"en"}}}
	shown := func(chip string) bool {
		return strings.Contains(string(w.Call(t, page).Want(t, 200, "").Body), ">"+chip+"</span>")
	}
	if !shown("new") {
		t.Error("an address nobody registered is not new")
	}
	w.Call(t, register(w, emma, phone.Code(w.Clock.Now()), "friday")).Want(t, 201, "")
	w.Advance(t, 72*time.Hour)
	page.Token = w.Staff(emma)
	if !shown("usual") {
		t.Error("the address of three days ago is not the usual one")
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		return register(w, emma, w.Phone(t, emma).Code(w.Clock.Now()), "k")
	})
}

func FuzzRegister(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		return register(w, emma, "", "k") // without an authenticator: whatever is asked is refused
	}, `{"code":"123456"}`, `{"code":"123456","ip":"1.2.3.4","address":[],"prefix":{"a":1}}`, `{"code":""}`)
}
