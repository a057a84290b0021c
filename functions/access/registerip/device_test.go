package registerip

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/store"
)

const devices = "/registerip/v1/devices"

// ask opens a code for a device of emma's.
func ask(t *testing.T, w *functiontest.World, from string) Device {
	t.Helper()
	var d Device
	w.Call(t, functiontest.Request{Method: "POST", Path: devices, Token: w.Staff(emma), From: from}).Want(t, 201, "").Decode(t, &d)
	w.Private(d.Code)
	return d
}

// look asks from her phone which device shows a code.
func look(w *functiontest.World, email, code string) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: devices + "/look", Token: w.Staff(email), From: mobile, Body: map[string]string{"code": code}}
}

// approve lets, from her phone, the device in that shows a code.
func approve(w *functiontest.World, phone functiontest.Phone, code, key string) functiontest.Request {
	r := register(w, phone.Person.Email, "", key)
	r.From, r.Body = mobile, map[string]string{"code": phone.Code(w.Clock.Now()), "device": code}
	return r
}

// TestAnotherDevice: the laptop shows a code, the phone sees which device that is and lets it in, and is not let in itself.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	hosts := setup
	hosts.Env = map[string]string{"OSTIARY_PAIR_HOSTS": "ipv4=https://v4.ostiary.test,ipv6=https://v6.ostiary.test"}
	w := functiontest.New(t, hosts)
	phone := w.Phone(t, emma)
	laptop := ask(t, w, functiontest.Home)
	if !regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$`).MatchString(laptop.Code) || laptop.Prefix != functiontest.Home+"/32" || !laptop.Expires.Equal(w.Clock.Now().Add(5*time.Minute)) {
		t.Errorf("asked: %+v", laptop)
	}
	var seen Device
	w.Call(t, look(w, emma, strings.ToLower(laptop.Code))).Want(t, 200, "").Decode(t, &seen)
	if seen != laptop {
		t.Errorf("the phone sees %+v, want %+v", seen, laptop)
	}
	var made Lease
	first := approve(w, phone, laptop.Code, "k1")
	w.Call(t, first).Want(t, 201, "").Decode(t, &made)
	if found := list(t, w, emma); len(found) != 1 || made.Prefix != functiontest.Home+"/32" {
		t.Errorf("registered %+v, listed %+v", made, found)
	}
	// The laptop brings its other address itself: the phone has none to bring for it.
	at := &person{t: t, w: w, email: emma}
	if !strings.Contains(at.open(), `id="pair"`) || made.Pair != nil {
		t.Errorf("the laptop's page does not bring its other address, or the phone does: %+v", made.Pair)
	}
	// A lost answer comes again; the code is used up for everything else.
	var again Lease
	w.Call(t, first).Want(t, 201, "").Decode(t, &again)
	if again.ID != made.ID {
		t.Errorf("the same request again: %+v", again)
	}
	// The same key for another device, or in another lease's place, is another request.
	code := phone.Code(w.Clock.Now())
	other := ask(t, w, "81.2.69.200")
	for _, body := range []map[string]string{{"code": code, "device": other.Code}, {"code": code, "device": laptop.Code, "replaces": made.ID}} {
		first.Body = body
		w.Call(t, first).Want(t, 409, "idempotency_mismatch")
	}
	w.Advance(t, 30*time.Second)
	w.Call(t, approve(w, phone, laptop.Code, "k2")).Want(t, 404, "device_unknown")
}

// deviceRefusals reaches the problems of other devices; none of them changes anything or uses a code up.
func deviceRefusals(t *testing.T, seen *functiontest.Coverage) {
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	laptop := ask(t, w, functiontest.Home)
	at := func(from string) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: devices, Token: w.Staff(emma), From: from}
	}
	test := func(id, from string) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: leases + "/" + id + "/tested", Token: w.Staff(emma), From: from}
	}
	for _, from := range []string{"81.2.69.2", "81.2.69.3"} {
		ask(t, w, from)
	}
	for name, c := range map[string]struct {
		request functiontest.Request
		status  int
		code    string
	}{
		"a private address":       {at("10.0.0.1"), 422, "address_refused"},
		"an unknown address":      {at(functiontest.Nowhere), 503, "address_unknown"},
		"too many devices":        {at("81.2.69.4"), 409, "device_limit"},
		"a wrong code":            {look(w, emma, "2222-2222"), 404, "device_unknown"},
		"no code":                 {look(w, emma, ""), 404, "device_unknown"},
		"no such thing as a code": {look(w, emma, "../"+strings.Repeat("é", 200)), 404, "device_unknown"},
		"another person's code":   {look(w, asha, laptop.Code), 404, "device_unknown"},
		"approving another's":     {approve(w, w.Phone(t, asha), laptop.Code, "k"), 404, "device_unknown"},
		"approving nothing":       {approve(w, phone, "2222-2222", "k"), 404, "device_unknown"},
		"testing nothing":         {test("nothing", ""), 404, "lease_unknown"},
		"testing no id":           {test("__x__", ""), 404, "lease_unknown"},
		"testing from nowhere":    {test("nothing", functiontest.Nowhere), 503, "address_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.State(t)
			seen.Saw(w.Call(t, c.request)).Want(t, c.status, c.code)
			w.Unchanged(t, before)
		})
	}
	bodies := look(w, emma, "")
	bodies.Body = `{"code":"` + laptop.Code + `"}`
	w.Bodies(t, seen, bodies)
	w.Call(t, approve(w, phone, laptop.Code, "k")).Want(t, 201, "")
	w.Outages(t, seen, look(w, emma, ask(t, w, functiontest.Home).Code), 200, &w.Directory)
	fresh := at("81.2.69.9")
	w.Advance(t, 6*time.Minute)
	fresh.Token = w.Staff(emma)
	w.Outages(t, seen, fresh, 201, &w.Directory)
	made := list(t, w, emma)[0]
	confirm(t, w, made.ID)
	w.Outages(t, seen, test(made.ID, ""), 200, &w.Directory)
}

// TestGuessingIsCapped: codes of devices are tried no faster than the source cap lets any request through.
func TestGuessingIsCapped(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		r := look(w, emma, "2222-2222")
		r.From = ""
		return r
	})
}

// confirm makes a lease one that every door was seen to hold.
func confirm(t *testing.T, w *functiontest.World, id string) {
	t.Helper()
	if err := w.Raw("access").Tx(t.Context(), func(tx store.Tx) error {
		var l lease.Lease
		if err := tx.Get("leases", id, &l); err != nil {
			return err
		}
		l.State, l.ConfirmedAt = lease.Confirmed, w.Clock.Now()
		return tx.Put("leases", id, l)
	}); err != nil {
		t.Fatal(err)
	}
}

// TestTested: a device's own word counts once its lease is confirmed, from its own address, for its own person.
func TestTested(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	var made Lease
	w.Call(t, register(w, emma, w.Phone(t, emma).Code(w.Clock.Now()), "k")).Want(t, 201, "").Decode(t, &made)
	test := functiontest.Request{Method: "POST", Path: leases + "/" + made.ID + "/tested", Token: w.Staff(emma)}
	state := func(want string) {
		t.Helper()
		var l Lease
		if w.Call(t, test).Want(t, 200, "").Decode(t, &l); l.State != want {
			t.Errorf("tested, it is %s, want %s", l.State, want)
		}
	}
	state("received")
	confirm(t, w, made.ID)
	test.From = mobile
	w.Call(t, test).Want(t, 404, "lease_unknown")
	test.From, test.Token = "", w.Staff(asha)
	w.Call(t, test).Want(t, 404, "lease_unknown")
	test.Token = w.Staff(emma)
	state("working")
	page := w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(emma)}).Want(t, 200, "")
	if !strings.Contains(string(page.Body), "tested from this device") {
		t.Error("the page does not say whose word it is")
	}
	test.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	w.Call(t, test).Want(t, 403, "cross_origin")
}
