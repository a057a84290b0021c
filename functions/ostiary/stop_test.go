package main_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEndsWithHangingClients: whoever sends half a request, or never reads, does not keep the process.
func TestEndsWithHangingClients(t *testing.T) {
	t.Parallel()
	s, err := launch(options{dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []string{
		"GET / HTTP/1.1\r\nHost: localhost\r\n",
		"POST /_local/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"POST /registerip/v1/leases HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"GET /_local/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, half); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(half, "health") {
			if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil { // the server has taken them all up by now
				t.Fatal(err)
			}
		}
	}
	begun := time.Now()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("ended after %s", time.Since(begun))
}

var link = regexp.MustCompile(`href="(/[^"]*)"`)

// TestPages walks through the pages of local mode as a browser does: sign in by the form, and follow every link.
func TestPages(t *testing.T) {
	t.Parallel()
	s := serve(t, options{env: []string{"OSTIARY_CLIENT_ADDRESS=header:X-Ostiary-Client"}})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.local("POST", "clock", map[string]string{"advance": "2m"}); err != nil { // the trust page has something to show
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	open := func(path string) (status int, body string) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		a, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		data, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, string(data)
	}
	if status, body := open("/registerip/"); status != http.StatusUnauthorized || !strings.Contains(body, "<html") {
		t.Errorf("nobody is shown %d %s", status, body)
	}
	a, err := browser.PostForm(s.url+"/_local/signin", url.Values{"email": {people["emma"]}, "address": {"81.2.69.142"}})
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.Request.URL.Path != "/registerip/" || a.StatusCode != http.StatusOK {
		t.Errorf("signing in leads to %s: %d", a.Request.URL, a.StatusCode)
	}
	seen := map[string]bool{"/_local/signout": true, "/_local/door": true} // the door is shut, and says so
	waiting := []string{"/"}
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		if path, _, _ = strings.Cut(path, "#"); seen[path] {
			continue
		}
		seen[path] = true
		status, body := open(path)
		want := http.StatusOK
		if desk, _, _ := strings.Cut(path, "?"); desk == "/decideerasure/" || desk == "/acceptdrift/" {
			want = http.StatusForbidden // for those who decide, and says so
		}
		if status != want {
			t.Errorf("%s, which a page links, answers %d", path, status)
		}
		if strings.Contains(body, "<html") {
			for _, found := range link.FindAllStringSubmatch(body, -1) {
				waiting = append(waiting, found[1])
			}
		}
	}
	for _, path := range []string{"/_local/signin", "/_local/mail", "/registerip/", "/enrolotp/", "/admit/openapi.json", "/openapi.json"} {
		if !seen[path] {
			t.Errorf("no page links %s", path)
		}
	}
	if status, body := open("/_local/door"); status != http.StatusForbidden || !strings.Contains(body, "81.2.69.142") {
		t.Errorf("the door: %d %s", status, body)
	}
	if a, err = browser.PostForm(s.url+"/_local/signin", url.Values{"email": {people["emma"]}, "address": {"here"}}); err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != http.StatusBadRequest {
		t.Errorf("sitting nowhere answers %d", a.StatusCode)
	}
	if a, err = browser.PostForm(s.url+"/_local/signout", nil); err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if status, _ := open("/registerip/"); status != http.StatusUnauthorized {
		t.Errorf("signed out, the page answers %d", status)
	}
}
