package walk_test

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"
)

// shortCode is the code a page shows.
func shortCode(p *walktest.Person) string {
	p.T.Helper()
	return p.Text("#device-code .big")
}

// A laptop without the app shows a code; her phone, on another network, shows whose it is and lets it in; the laptop's page
// turns by itself.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	s := stage.Serve(t)
	phone := s.Sit(browser.Phone, "en")
	phone.SignIn(emma, walk.Mobile)
	phone.Enrol()
	laptop := s.Sit(browser.Desk, "en")
	laptop.SignIn(emma, walk.Home)
	laptop.Unfold()
	laptop.Press("form[action='/registerip/device'] button")
	code := shortCode(laptop)

	phone.Open(s.URL + "/registerip/")
	phone.Unfold()
	phone.Type("#device", strings.ToLower(strings.ReplaceAll(code, "-", "")))
	phone.Press("form[action='/registerip/look'] button")
	phone.Says("main", walk.Home)
	phone.Says("main", "Another network than this device, which is at "+walk.Mobile)
	phone.Type("#code", phone.Wrong())
	phone.Press("#approve button")
	phone.Says("#code-trouble", "This code is not right.")
	phone.Type("#code", phone.NextCode())
	phone.Press("#approve button")
	phone.Says("[role=status]", "Your other device is registered.")
	phone.Says("#others", walk.Home)
	if phone.Has("#live-here") {
		t.Error("the phone itself was let in")
	}
	laptop.Wait("[data-state=confirmed]")
	laptop.Says("#said", "Ready: you can connect now.")
	for _, p := range []*walktest.Person{phone, laptop} {
		unseenInURLs(t, p, code, strings.ReplaceAll(code, "-", ""))
		p.Quietly(s.URL)
	}
}

// unseenInURLs checks that a secret went into no address.
func unseenInURLs(t *testing.T, p *walktest.Person, secrets ...string) {
	t.Helper()
	all := strings.ToUpper(strings.Join(append(p.History(), p.URL()), " "))
	for _, secret := range secrets {
		if strings.Contains(all, secret) {
			t.Error("a code stands in a URL")
		}
	}
}

// Without scripts the laptop's page looks again by itself.
func TestAnotherDeviceWithoutScripts(t *testing.T) {
	t.Parallel()
	s := stage.Serve(t)
	phone, laptop := s.Sit(browser.Phone, "en"), s.Sit(browser.Desk, "en")
	phone.SignIn(emma, walk.Mobile)
	phone.Enrol()
	for _, p := range []*walktest.Person{phone, laptop} {
		p.Scripts(false)
	}
	laptop.SignIn(emma, walk.Home)
	laptop.Click("details summary")
	laptop.Press("form[action='/registerip/device'] button")
	phone.Open(s.URL + "/registerip/")
	phone.Click("details summary")
	phone.Type("#device", shortCode(laptop))
	phone.Press("form[action='/registerip/look'] button")
	phone.Type("#code", phone.NextCode())
	phone.Press("#approve button")
	laptop.Wait("#live-here")
}

// The pages of two devices hold in every language, in the narrowest window, with large text and in the dark.
func TestDevicePagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	s := stage.Serve(t)
	for _, lang := range []string{"en", "fr", "de"} {
		phone, laptop := s.Sit(browser.Phone, lang), s.Sit(browser.Phone, lang)
		email := map[string]string{"en": emma, "fr": simone, "de": stefan}[lang]
		phone.SignIn(email, walk.Mobile)
		phone.Enrol()
		laptop.SignIn(email, walk.Home)
		laptop.Unfold()
		laptop.Press("form[action='/registerip/device'] button")
		laptop.Inspect("a code to type elsewhere", lang, axe)
		phone.Open(s.URL + "/registerip/")
		phone.Unfold()
		phone.Type("#device", "22222222")
		phone.Press("form[action='/registerip/look'] button")
		phone.Inspect("a code nobody shows", lang, axe)
		phone.Type("#device", shortCode(laptop))
		phone.Press("form[action='/registerip/look'] button")
		phone.Inspect("another device", lang, axe)
		phone.Quietly(s.URL)
	}
}

// A carrier gives the phone another address: one code registers again, and the old address ends.
func TestMovedOn(t *testing.T) {
	t.Parallel()
	p := stage.Serve(t).Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.TypeAndGo("#code", p.NextCode())
	p.Wait("[data-state=confirmed]")
	p.SignIn(emma, walk.Mobile)
	p.Says("main", "Your address has changed: this device was at "+walk.Home)
	p.Says("#register button", "Register again")
	p.TypeAndGo("#code", p.NextCode())
	p.Wait("[data-state=confirmed]")
	p.At.Settled()
	p.Open(p.Server.URL + "/registerip/")
	if said := p.Text("#others"); said != "" {
		t.Errorf("beside the new address there is still:\n%s", said)
	}
}

// otherFamily is a host that is reached over IPv6 alone, in front of the server: whoever comes by it is seen at an IPv6
// address. It sets the address as a load balancer does. (A content policy names hosts, and no IPv6 literals.)
func otherFamily(t *testing.T, host, address string) (site string, to func(server string)) {
	t.Helper()
	var listening net.ListenConfig
	listener, err := listening.Listen(t.Context(), "tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	var target *url.URL
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target) // and the host of the server, which answers to no other
		r.Out.Header.Del("Cookie")
		r.Out.Header.Set("X-Ostiary-Client", address)
	}}
	server := &http.Server{Handler: proxy}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + strings.Replace(listener.Addr().String(), "[::1]", "localhost", 1), func(server string) { target, _ = url.Parse(server) }
}

// One code registers both addresses of a device: the page, opened over IPv4, calls the other host over IPv6.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	site, to := otherFamily(t, "[::1]", "2a02:6b8:0:1::7")
	s := stage.ServeFrom(t, walktest.Root, "OSTIARY_PAIR_HOSTS=ipv4=http://v4.localhost:1,ipv6="+site)
	to(s.URL)
	p := s.Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.Requests()
	p.TypeAndGo("#code", p.NextCode())
	p.Wait("#also [data-state]")
	p.Says("#also", "Also this device: 2a02:6b8:0:1::/64")
	if p.Has("#pair:not([hidden])") || p.Text("#others") != "" {
		t.Errorf("afterwards the page shows:\n%s", p.Text("main"))
	}
	called := 0
	for _, request := range p.Requests() {
		if strings.Contains(request, site) {
			called++
			if request != "OPTIONS "+site+"/pairaddress/v1/addresses" && request != "POST "+site+"/pairaddress/v1/addresses" {
				t.Errorf("the page asked for %s", request)
			}
		}
	}
	if noise := p.Noise(); called == 0 || len(noise) > 0 {
		t.Errorf("%d calls of the other host; the console says %v", called, noise)
	}
	s.Settled()
	p.Wait("#also [data-state=confirmed]")
	for _, address := range []string{walk.Home, "2a02:6b8:0:1::9"} {
		if err := p.Server.ComeIn(address); err != nil {
			t.Errorf("from %s: %v", address, err)
		}
	}
	p.Open(s.URL + "/registerip/")
	p.Press("form[action='/registerip/done'] button")
	s.Settled()
	for _, address := range []string{walk.Home, "2a02:6b8:0:1::9"} {
		if err := p.Server.ComeIn(address); err == nil {
			t.Errorf("after the end the door lets %s in", address)
		}
	}
}

// Without scripts there is a button, which goes to the other host and comes back.
func TestBothFamiliesWithoutScripts(t *testing.T) {
	t.Parallel()
	site, to := otherFamily(t, "127.0.0.1", "2a02:6b8:0:1::7") // of one site with the page, as both are deployed
	s := stage.ServeFrom(t, walktest.Root, "OSTIARY_PAIR_HOSTS=ipv4=http://v4.localhost:1,ipv6="+site)
	to(s.URL)
	p := s.Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Scripts(false)
	p.Open(s.URL + "/registerip/")
	p.Type("#code", p.NextCode())
	p.Press("#register button")
	p.Press("#pair button")
	p.Says("[role=status]", "Both addresses of this device are registered.")
	p.Says("#also", "Also this device: 2a02:6b8:0:1::/64")
}

// Where the other family does not answer, the page goes on as if there were one address.
func TestOneFamily(t *testing.T) {
	t.Parallel()
	s := stage.ServeFrom(t, walktest.Root, "OSTIARY_PAIR_HOSTS=ipv4=http://v4.localhost:1,ipv6=http://localhost:1")
	p := s.Sit(browser.Phone, "en")
	p.SignIn(emma, walk.Home)
	p.Enrol()
	p.Press("a[href='/registerip/']")
	p.TypeAndGo("#code", p.NextCode())
	p.Wait("[data-state=confirmed]")
	p.Says("#said", "Ready: you can connect now.")
	if p.Has("#pair:not([hidden])") {
		t.Errorf("the page shows:\n%s", p.Text("main"))
	}
}
