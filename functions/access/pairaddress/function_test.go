package pairaddress

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/access/registerip"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/access/lease"
)

var setup = functiontest.Setup{
	Functions: []wiring.Function{Function, registerip.Function},
	Env:       map[string]string{"OSTIARY_PAIR_HOSTS": "ipv4=https://v4.ostiary.test,ipv6=https://v6.ostiary.test"},
}

const (
	addresses = "/pairaddress/v1/addresses"
	page      = "https://ostiary.test"
	emma      = "emma.dubois@sharedcontacts.example"
	home6     = "2a02:6b8:0:1::7"
)

// registered is what registerip answers.
type registered struct {
	ID, Prefix, State string
	Ends              time.Time
	Pair              *struct {
		URL, Token string
		Expires    time.Time
	}
}

// register registers emma's address from somewhere, by the code of now.
func register(t *testing.T, w *functiontest.World, phone functiontest.Phone, from, key string) registered {
	t.Helper()
	var made registered
	w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip/v1/leases", Token: w.Staff(emma), From: from,
		Body: map[string]string{"code": phone.Code(w.Clock.Now())}, Header: http.Header{"Idempotency-Key": {key}}}).Want(t, 201, "").Decode(t, &made)
	return made
}

func listed(t *testing.T, w *functiontest.World) (live []registered) {
	t.Helper()
	var found struct{ Leases []registered }
	w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/v1/leases", Token: w.Staff(emma)}).Want(t, 200, "").Decode(t, &found)
	for _, l := range found.Leases {
		if l.State != "ended" {
			live = append(live, l)
		}
	}
	return live
}

// show sends a token from an address, as a script of the morning page does.
func show(token, from string) functiontest.Request {
	return functiontest.Request{Method: "POST", Path: addresses, From: from, Body: map[string]string{"token": token},
		Header: http.Header{"Origin": {page}, "Sec-Fetch-Site": {"same-site"}}}
}

// TestPair: the device brings its other address within the minute, and both end together.
func TestPair(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	first := register(t, w, phone, functiontest.Home, "k1")
	if first.Pair == nil || first.Pair.URL != "https://v6.ostiary.test"+addresses || len(first.Pair.Token) != 43 || !first.Pair.Expires.Equal(w.Clock.Now().Add(time.Minute)) {
		t.Fatalf("registered %+v", first)
	}
	w.Private(first.Pair.Token)
	w.Advance(t, 59*time.Second)
	answer := w.Call(t, show(first.Pair.Token, home6)).Want(t, 201, "")
	var second Lease
	answer.Decode(t, &second)
	if second.Prefix != "2a02:6b8:0:1::/64" || !second.Ends.Equal(first.Ends) || second.State != "received" || answer.Header.Get("Access-Control-Allow-Origin") != page || answer.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("paired %+v, %v", second, answer.Header)
	}
	if told := w.Published(lease.Topic); len(told) != 2 {
		t.Errorf("%d messages", len(told))
	}
	// On its own page the device shows both; elsewhere they are one device, with one button to end it.
	at := func(from string) string {
		return string(w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/", Token: w.Staff(emma), From: from, Header: http.Header{"Accept-Language": {"en"}}}).Want(t, 200, "").Body)
	}
	if here := at(functiontest.Home); !strings.Contains(here, "Also this device: 2a02:6b8:0:1::/64") || strings.Contains(here, "Also registered") {
		t.Errorf("the device's own page shows:\n%s", here)
	}
	if there := at("92.40.1.7"); strings.Count(there, `action="/registerip/done"`) != 1 || !strings.Contains(there, "2a02:6b8:0:1::/64") || !strings.Contains(there, functiontest.Home) || !strings.Contains(there, "Last time it was "+functiontest.Home) {
		t.Errorf("another device's page shows:\n%s", there)
	}
	w.Call(t, functiontest.Request{Method: "DELETE", Path: "/registerip/v1/leases/" + first.ID, Token: w.Staff(emma)}).Want(t, 200, "")
	if left := listed(t, w); len(left) != 0 {
		t.Errorf("after the end: %+v", left)
	}
	w.Advance(t, time.Minute)
	other := register(t, w, phone, home6, "k2")
	if other.Pair == nil || other.Pair.URL != "https://v4.ostiary.test"+addresses {
		t.Errorf("over IPv6: %+v", other.Pair)
	}
}

// TestEachItsOwn: an answer holds the token of its own registration, and of two of one place the newer.
func TestEachItsOwn(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	first := register(t, w, phone, functiontest.Home, "k1")
	code := phone.Code(w.Clock.Now())
	w.Advance(t, 30*time.Second)
	other := register(t, w, phone, "92.40.1.7", "k2")
	var again registered
	w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip/v1/leases", Token: w.Staff(emma), Body: map[string]string{"code": code}, Header: http.Header{"Idempotency-Key": {"k1"}}}).
		Want(t, 201, "").Decode(t, &again)
	if first.Pair.Token == other.Pair.Token || again.Pair == nil || again.Pair.Token != first.Pair.Token {
		t.Errorf("the tokens are %+v, %+v and %+v", first.Pair, other.Pair, again.Pair)
	}
	w.Advance(t, 30*time.Second)
	if newer := register(t, w, phone, "92.40.1.7", "k3"); newer.ID != other.ID || !newer.Pair.Expires.Equal(w.Clock.Now().Add(time.Minute)) {
		t.Errorf("registered again: %+v", newer.Pair)
	}
}

// TestRefusals reaches every problem of the interface; none of them changes anything.
func TestRefusals(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	token := register(t, w, phone, functiontest.Home, "k1").Pair.Token
	for _, test := range []struct {
		name   string
		change func(r *functiontest.Request)
		status int
		code   string
	}{
		{"a stranger", func(r *functiontest.Request) { r.Body = map[string]string{"token": strings.Repeat("A", 43)} }, 404, "pair_unknown"},
		{"a long token", func(r *functiontest.Request) { r.Body = map[string]string{"token": strings.Repeat("A", 40000)} }, 404, "pair_unknown"},
		{"the same family", func(r *functiontest.Request) { r.From = "92.40.1.7" }, 404, "pair_unknown"},
		{"a private address", func(r *functiontest.Request) { r.From = "fd00::1" }, 422, "address_refused"},
		{"no address", func(r *functiontest.Request) { r.From = functiontest.Nowhere }, 503, "address_unknown"},
		{"a foreign page", func(r *functiontest.Request) { r.Header.Set("Origin", "https://evil.example") }, 403, "cross_origin"},
		{"a page without an origin", func(r *functiontest.Request) { r.Header.Set("Origin", "null") }, 403, "cross_origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := show(token, home6)
			test.change(&r)
			before := w.State(t)
			got := seen.Saw(w.Call(t, r)).Want(t, test.status, test.code)
			if got.Header.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Origin") != page {
				t.Error("a foreign page may read the answer")
			}
			w.Unchanged(t, before)
		})
	}
	bodies := show("", home6)
	bodies.Body = `{"token":"` + token + `"}`
	w.Bodies(t, &seen, bodies)
	w.Outages(t, &seen, show(token, home6), 201)
	w.Call(t, show(token, home6)).Want(t, 201, "") // the same again is the same
	w.Call(t, show(token, "2a02:6b8:0:2::7")).Want(t, 404, "pair_unknown")
	full := setup
	full.Policy = map[string]string{"access.yaml": "targets: [{name: edge, capacity: 1}]"}
	w2 := functiontest.New(t, full)
	seen.Saw(w2.Call(t, show(register(t, w2, w2.Phone(t, emma), functiontest.Home, "k").Pair.Token, home6))).Want(t, 503, "capacity_full")
	networks(t, &seen)
	form := functiontest.Request{Method: "POST", Path: "/pairaddress/", From: home6, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	for body, code := range map[string]string{"token=%zz": "body_invalid", "token=" + strings.Repeat("A", 70000): "too_large"} {
		form.Body = body
		seen.Saw(w.Call(t, form)).Want(t, map[string]int{"body_invalid": 400, "too_large": 413}[code], code)
	}
	form.Body = "token=" + token
	w.Store.Down()
	seen.Saw(w.Call(t, form)).Want(t, 503, "unavailable")
	w.Store.Up()
	deployed := setup // and nobody proved there that the address is told right
	deployed.Env = map[string]string{"K_SERVICE": "pairaddress", "OSTIARY_PAIR_HOSTS": setup.Env["OSTIARY_PAIR_HOSTS"]}
	w3 := functiontest.New(t, deployed)
	seen.Saw(w3.Call(t, show(token, home6))).Want(t, 503, "address_unproven")
	proofRefusals(t, w, &seen)
	seen.Complete(t, "pairaddress", w.Routes("pairaddress"))
}

// TestPreflight: the morning page may send JSON here, without cookies; no other page may.
func TestPreflight(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for origin, want := range map[string]string{page: page, "https://evil.example": "", "null": "", page + ".evil.example": ""} {
		got := w.Call(t, functiontest.Request{Method: "OPTIONS", Path: addresses, Header: http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"}}}).Want(t, 204, "")
		allowed := got.Header.Get("Access-Control-Allow-Methods") + " " + got.Header.Get("Access-Control-Allow-Headers")
		if got.Header.Get("Access-Control-Allow-Origin") != want || (allowed == "POST Content-Type") != (want != "") || got.Header.Get("Vary") != "Origin" || got.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", origin, got.Header)
		}
	}
}

// TestForm: without a script the person comes back to her page, which says what became of it.
func TestForm(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	token := register(t, w, w.Phone(t, emma), functiontest.Home, "k").Pair.Token
	form := functiontest.Request{Method: "POST", Path: "/pairaddress/", From: home6, Body: url.Values{"token": {token}}.Encode(),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}, "Origin": {"null"}}}
	before := w.State(t)
	w.Call(t, form).Want(t, 403, "cross_origin")
	form.Header.Set("Sec-Fetch-Site", "same-site")
	form.From = "92.40.1.7"
	if got := w.Call(t, form); got.Status != 303 || got.Header.Get("Location") != page+"/registerip/?done=done.unpaired" {
		t.Errorf("over the same family: %d %v", got.Status, got.Header)
	}
	form.From = home6
	w.Unchanged(t, before)
	if got := w.Call(t, form); got.Status != 303 || got.Header.Get("Location") != page+"/registerip/?done=done.paired" || len(listed(t, w)) != 2 {
		t.Errorf("over the other: %d %v, %d live", got.Status, got.Header, len(listed(t, w)))
	}
	for _, done := range []string{"done.paired", "done.unpaired"} {
		back := w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/?done=" + done, Token: w.Staff(emma)}).Want(t, 200, "")
		if !strings.Contains(string(back.Body), `role="status"`) {
			t.Errorf("%s: the page says nothing", done)
		}
	}
}

// TestDeaths: killed at any call of the store, what was left over is sent, and the token gave one lease.
func TestDeaths(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		w := functiontest.New(t, setup)
		token := register(t, w, w.Phone(t, emma), functiontest.Home, "k").Pair.Token
		w.Store.DownAfter(n)
		w.Call(t, show(token, home6))
		died := w.Store.Failed() > 0
		w.Store.Up()
		w.Restart()
		w.Call(t, show(token, home6)).Want(t, 201, "")
		if live := listed(t, w); len(live) != 2 {
			t.Fatalf("killed after %d calls: %d live", n, len(live))
		}
		if !died {
			return
		}
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, functiontest.Setup{Functions: setup.Functions, Env: map[string]string{"OSTIARY_PAIR_HOSTS": setup.Env["OSTIARY_PAIR_HOSTS"]}},
		func(*functiontest.World) functiontest.Request { return show(strings.Repeat("A", 43), "") })
}

func FuzzToken(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(*functiontest.World) functiontest.Request { return show("", home6) }, `{"token":"AAAA"}`, `{"token":"`+strings.Repeat("A", 43)+`"}`)
}

// TestRegistersWithoutAPairing: whatever dies after the registration, its answer says no less than that it stands.
func TestRegistersWithoutAPairing(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		w := functiontest.New(t, setup)
		phone := w.Phone(t, emma)
		w.Store.DownAfter(n)
		got := w.Call(t, functiontest.Request{Method: "POST", Path: "/registerip/v1/leases", Token: w.Staff(emma),
			Body: map[string]string{"code": phone.Code(w.Clock.Now())}, Header: http.Header{"Idempotency-Key": {"k"}}})
		died := w.Store.Failed() > 0
		w.Store.Up()
		if live := listed(t, w); (got.Status == 201) != (len(live) == 1) {
			t.Fatalf("killed after %d calls: answered %d, %d live", n, got.Status, len(live))
		}
		if !died {
			return
		}
	}
}

// TestHosts: pairing takes two sites, one of each family, and is off without any.
func TestHosts(t *testing.T) {
	t.Parallel()
	off := setup
	off.Env = nil
	w := functiontest.New(t, off)
	if made := register(t, w, w.Phone(t, emma), functiontest.Home, "k"); made.Pair != nil {
		t.Errorf("without hosts: %+v", made.Pair)
	}
	if state := fmt.Sprint(w.State(t)); strings.Contains(state, "access/pairings/") {
		t.Error("without hosts a registration waits")
	}
}

// networks: a second address is held to the rules of networks, and one that is refused leaves the token as it is.
func networks(t *testing.T, seen *functiontest.Coverage) {
	t.Helper()
	s := setup
	s.Policy = map[string]string{"access.yaml": "lease: {hosting: refuse}\ntargets: [{name: edge}]"}
	w := functiontest.New(t, s)
	token := register(t, w, w.Phone(t, emma), functiontest.Home, "k").Pair.Token
	before := w.State(t)
	for from, code := range map[string]string{"2a02:26f7::1": "relay_refused", "2a01:4f8::1": "hosting_refused"} {
		seen.Saw(w.Call(t, show(token, from))).Want(t, 422, code)
	}
	w.Unchanged(t, before)
	w.Call(t, show(token, home6)).Want(t, 201, "")
}
