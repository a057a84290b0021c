package registerip

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/lease"
)

// person is somebody in front of the page without a script.
type person struct {
	t      *testing.T
	w      *functiontest.World
	email  string
	cookie string
	from   string
}

func (p *person) open() string {
	p.t.Helper()
	r := functiontest.Request{Method: "GET", Path: "/registerip/", Token: p.w.Staff(p.email), From: p.from, Header: http.Header{"Accept-Language": {"en"}, "Cookie": {p.cookie}}}
	return string(p.w.Call(p.t, r).Want(p.t, 200, "").Body)
}

var hidden = regexp.MustCompile(`name="(csrf|key|replaces|token)" value="([^"]*)"`)

// send fills in a form of a page.
func (p *person) send(page, path string, fields url.Values) functiontest.Answer {
	p.t.Helper()
	for _, found := range hidden.FindAllStringSubmatch(page, -1) {
		fields.Set(found[1], found[2])
	}
	got := p.w.Call(p.t, functiontest.Request{Method: "POST", Path: path, Token: p.w.Staff(p.email), From: p.from, Body: fields.Encode(),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {p.cookie}}})
	if set := got.Header.Get("Set-Cookie"); set != "" {
		p.cookie, _, _ = strings.Cut(set, ";")
		for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/registerip/"} {
			if !strings.Contains(set, want) {
				p.t.Errorf("the cookie lacks %s: %s", want, set)
			}
		}
	}
	return got
}

// TestPageOfTwoDevices: laptop and phone, without a script.
func TestPageOfTwoDevices(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	key := w.Phone(t, emma)
	laptop, phone := &person{t: t, w: w, email: emma}, &person{t: t, w: w, email: emma, from: mobile}
	if got := laptop.send(laptop.open(), "/registerip/device", url.Values{}); got.Status != 303 {
		t.Fatalf("asking for a code: %d %s", got.Status, got.Body)
	}
	shown := laptop.open()
	code := regexp.MustCompile(`<p class="big">([2-9A-Z]{4}-[2-9A-Z]{4})</p>`).FindStringSubmatch(shown)
	if code == nil || !strings.Contains(shown, `content="5"`) || strings.Contains(phone.open(), code[1]) {
		t.Fatalf("the laptop shows no code, or the phone does:\n%s", shown)
	}
	if got := phone.send(phone.open(), "/registerip/look", url.Values{"device": {"2222-2222"}}); got.Status != 404 || !strings.Contains(string(got.Body), `id="device-trouble"`) {
		t.Errorf("a wrong code: %d\n%s", got.Status, got.Body)
	}
	before := w.State(t)
	seen := phone.send(phone.open(), "/registerip/look", url.Values{"device": {code[1]}})
	body := string(seen.Body)
	if seen.Status != 200 || !strings.Contains(body, functiontest.Home) || !strings.Contains(body, mobile) || !strings.Contains(body, `id="approve"`) {
		t.Fatalf("the phone sees: %d\n%s", seen.Status, body)
	}
	w.Unchanged(t, before)
	wrong := phone.send(body, "/registerip/approve", url.Values{"device": {code[1]}, "code": {key.Wrong(w.Clock.Now())}})
	if wrong.Status != 403 || !strings.Contains(string(wrong.Body), `id="code-trouble"`) || !strings.Contains(string(wrong.Body), functiontest.Home) {
		t.Errorf("a wrong password: %d\n%s", wrong.Status, wrong.Body)
	}
	done := phone.send(string(wrong.Body), "/registerip/approve", url.Values{"device": {code[1]}, "code": {key.Code(w.Clock.Now())}})
	if done.Status != 303 || done.Header.Get("Location") != "/registerip/?done=done.device" || phone.cookie != "" {
		t.Errorf("approved: %d %v, cookie %q", done.Status, done.Header, phone.cookie)
	}
	if after := laptop.open(); !strings.Contains(after, `id="live-here"`) || strings.Contains(after, code[1]) {
		t.Errorf("the laptop shows:\n%s", after)
	}
	if got := phone.send(phone.open(), "/registerip/approve", url.Values{"device": {code[1]}, "code": {"123456"}}); got.Status != 404 {
		t.Errorf("a used code: %d", got.Status)
	}
}

// TestMoved: where the address of this very browser changed, one tap registers anew, and the new address takes the place
// of the old one and of no other device's; changes count, and a human looks after the last one.
func TestMoved(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"access.yaml": "lease: {changes_per_day: 4}"}
	w := functiontest.New(t, s)
	key := w.Phone(t, emma)
	laptop, phone := &person{t: t, w: w, email: emma}, &person{t: t, w: w, email: emma, from: mobile}
	in := func(p *person) functiontest.Answer {
		p.t.Helper()
		w.Advance(t, 30*time.Second)
		return p.send(p.open(), "/registerip/", url.Values{"code": {key.Code(w.Clock.Now())}})
	}
	if in(laptop).Status != 303 || in(phone).Status != 303 {
		t.Fatal("registering")
	}
	was := list(t, w, emma)[0].ID // the phone's
	if strings.Contains(phone.open(), "Addresses registered today") {
		t.Error("two addresses are counted as many")
	}
	for n, address := range []string{"92.40.1.8", "92.40.1.9"} {
		phone.from = address
		page := phone.open()
		if !strings.Contains(page, "Your address has changed") || !strings.Contains(page, "Register again") || !strings.Contains(page, `name="replaces" value="`+was+`"`) {
			t.Fatalf("at %s the page shows:\n%s", address, page)
		}
		if in(phone).Status != 303 {
			t.Fatal("registering again")
		}
		var made lease.Lease
		if err := w.Raw("access").Get(t.Context(), "leases", list(t, w, emma)[0].ID, &made); err != nil || made.Replaces != was {
			t.Errorf("it takes the place of %q, %v", made.Replaces, err)
		}
		confirm(t, w, made.ID)
		was = made.ID
		if page := phone.open(); !strings.Contains(page, fmt.Sprintf("Addresses registered today: %d of 4.", n+3)) {
			t.Errorf("the page does not count to %d", n+3)
		}
	}
	phone.from = "92.40.1.10"
	if got := in(phone); got.Status != 409 || !strings.Contains(string(got.Body), "as many addresses as one person may") {
		t.Errorf("after the last change: %d", got.Status)
	}
	// Without the cookie, with another's, or over the other family nothing is said.
	for _, p := range []*person{{t: t, w: w, email: emma, from: "92.40.1.10"}, {t: t, w: w, email: asha, from: "92.40.1.10", cookie: phone.cookie},
		{t: t, w: w, email: emma, from: "2a02:6b8:0:1::7", cookie: phone.cookie}, {t: t, w: w, email: emma, from: "92.40.1.10", cookie: "ostiary_device=../x"}} {
		if strings.Contains(p.open(), "Your address has changed") {
			t.Errorf("from %s with %q the page speaks of a change", p.from, p.cookie)
		}
	}
	w.Advance(t, 24*time.Hour)
	if in(phone).Status != 303 || strings.Contains(phone.open(), "Addresses registered today") {
		t.Error("the next day does not begin anew")
	}
}

// TestBeacons: the page may call the beacons and hosts of the configuration, and nobody else.
func TestBeacons(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"access.yaml": "targets: [{name: edge, beacon: 'https://beacon.example/ok'}, {name: vpn}]"}
	s.Env = map[string]string{"OSTIARY_PAIR_HOSTS": "ipv4=https://v4.ostiary.test,ipv6=https://v6.ostiary.test"}
	w := functiontest.New(t, s)
	her := &person{t: t, w: w, email: emma}
	key := w.Phone(t, emma)
	got := her.send(her.open(), "/registerip/", url.Values{"code": {key.Code(w.Clock.Now())}})
	policy := got.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"connect-src 'self' https://beacon.example/ok https://v4.ostiary.test/pairaddress/v1/addresses https://v6.ostiary.test/pairaddress/v1/addresses;",
		"form-action 'self' https://v4.ostiary.test/pairaddress/ https://v6.ostiary.test/pairaddress/;",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the content policy lacks %q: %s", want, policy)
		}
	}
	page := her.open()
	token := regexp.MustCompile(`name="token" value="([A-Za-z0-9_-]{43})"`).FindStringSubmatch(page)
	if token == nil || !strings.Contains(page, `action="https://v6.ostiary.test/pairaddress/"`) || strings.Contains(page, `<noscript><p>`) {
		t.Fatalf("received, the page shows:\n%s", page)
	}
	w.Private(token[1])
	confirm(t, w, list(t, w, emma)[0].ID)
	if page = her.open(); !strings.Contains(page, `data-beacons="https://beacon.example/ok"`) || !strings.Contains(page, `<noscript><p>Test it`) {
		t.Errorf("confirmed, the page shows:\n%s", page)
	}
	w.Advance(t, time.Minute)
	if strings.Contains(her.open(), `id="pair"`) {
		t.Error("after a minute the page still offers the other address")
	}
}

// TestInstallable: the web app manifest names icons that are served here, in the sizes phones ask for.
func TestInstallable(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	her := &person{t: t, w: w, email: emma}
	link := regexp.MustCompile(`<link rel="manifest" href="([^"]+)"`).FindStringSubmatch(her.open())
	if link == nil {
		t.Fatal("the page names no manifest")
	}
	var m struct {
		Name, Display, Scope string
		StartURL             string `json:"start_url"`
		Icons                []struct{ Src, Sizes, Type, Purpose string }
	}
	w.Call(t, functiontest.Request{Method: "GET", Path: link[1]}).Want(t, 200, "").Decode(t, &m)
	if m.StartURL != "/registerip/" || m.Display == "browser" || m.Name == "" || len(m.Icons) != 3 {
		t.Errorf("the manifest says %+v", m)
	}
	for _, icon := range m.Icons {
		got := w.Call(t, functiontest.Request{Method: "GET", Path: icon.Src}).Want(t, 200, "")
		width := int(got.Body[18])<<8 | int(got.Body[19]) // of a PNG's header
		if got.Header.Get("Content-Type") != icon.Type || fmt.Sprintf("%dx%d", width, width) != icon.Sizes || len(got.Body) > 10_000 {
			t.Errorf("%s: %s, %d wide, %d bytes", icon.Src, got.Header.Get("Content-Type"), width, len(got.Body))
		}
	}
	for _, path := range []string{"nothing.png", "..", "%2e%2e%2ficons.go"} {
		if got := w.Call(t, functiontest.Request{Method: "GET", Path: "/registerip/icons/" + path}); got.Status == 200 {
			t.Errorf("%s is served", path)
		}
	}
}

// TestOtherDeviceInWords: the phone says whether the other device is in its own network, and whether it was ever before.
func TestOtherDeviceInWords(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	key := w.Phone(t, emma)
	phone := &person{t: t, w: w, email: emma}
	words := func(from string, want ...string) {
		t.Helper()
		phone.from = from
		got := phone.send(phone.open(), "/registerip/look", url.Values{"device": {ask(t, w, functiontest.Home).Code}})
		for _, text := range want {
			if !strings.Contains(string(got.Body), text) {
				t.Errorf("from %s the page lacks %q:\n%s", from, text, got.Body)
			}
		}
	}
	words(functiontest.Home, "The same network address as this device.", ">new</span>")
	words(mobile, "Another network than this device", ">new</span>")
	w.Call(t, register(w, emma, key.Code(w.Clock.Now()), "k")).Want(t, 201, "")
	w.Advance(t, 6*time.Minute)
	words(mobile, ">usual</span>")
	phone.from = "81.2.69.9"
	if strings.Contains(phone.open(), `id="device-code"`) {
		t.Error("a device shows the code of another place")
	}
}
