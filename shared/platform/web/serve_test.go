package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/web"
)

type lease struct {
	ID string `json:"id"`
}

// sample is a function with one route of every sort.
func sample(t *testing.T) (web.Function, *journal) {
	t.Helper()
	j := &journal{}
	layout, err := web.ParseLayout("direct")
	if err != nil {
		t.Fatal(err)
	}
	fails := func(err error) func(http.ResponseWriter, *http.Request) error {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	get := func(path string, handle func(http.ResponseWriter, *http.Request) error) web.Route {
		return web.Route{Method: "GET", Path: path, Handle: handle}
	}
	return web.Function{
		Name: "sample", Summary: "A sample.", Client: layout, Log: log.New(j, "proj", slog.LevelDebug),
		ErrorPage: func(w http.ResponseWriter, _ *http.Request, p web.Problem) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, "<p>%s", p.Code)
		},
		Routes: []web.Route{
			{Method: "GET", Path: "/", Page: true, Handle: func(w http.ResponseWriter, _ *http.Request) error {
				_, err := io.WriteString(w, "<p>hello")
				return err
			}},
			{Method: "POST", Path: "/form", Page: true, Handle: func(w http.ResponseWriter, _ *http.Request) error {
				return web.SeeOther(w, "/sample/")
			}},
			{Method: "GET", Path: "/v1/leases/{id}", Answers: map[int]any{200: lease{}}, Handle: func(w http.ResponseWriter, r *http.Request) error {
				return web.WriteJSON(w, 200, lease{r.PathValue("id")})
			}},
			{Method: "POST", Path: "/v1/leases", Browser: true, Body: lease{}, Problems: []string{"capacity_full"}, Handle: func(w http.ResponseWriter, r *http.Request) error {
				body, _, err := web.DecodeBody[lease](w, r)
				if err != nil {
					return err
				}
				return web.WriteJSON(w, 201, body)
			}},
			{Method: "POST", Path: "/events", Uncapped: true, Handle: func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(204)
				return nil
			}},
			get("/v1/panic", func(http.ResponseWriter, *http.Request) error { var m map[string]int; m["x"] = 1; return nil }),
			get("/v1/half", func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(200)
				_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
				return errors.New("the rest is lost")
			}),
			get("/v1/giveup", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) }),
			get("/v1/unencodable", func(w http.ResponseWriter, _ *http.Request) error { return web.WriteJSON(w, 200, make(chan int)) }),
			get("/v1/headers", func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Type", "text/csv")
				w.Header().Set("Cache-Control", "public")
				w.Header().Set("Etag", `"x"`)
				return fault.New(fault.Transient, "no connection to 10.0.0.7")
			}),
			get("/v1/id", func(w http.ResponseWriter, r *http.Request) error {
				return web.WriteJSON(w, 200, lease{web.RequestID(r.Context())})
			}),
			get("/v1/badextra", fails(web.Extend(fault.New(fault.Invalid, "x"), map[string]any{"f": func() {}}))),
			{Method: "GET", Path: "/page", Page: true, Handle: fails(fault.Refuse(fault.Conflict, "too_old", "", ""))},
		},
	}, j
}

// serve runs a function's handler on a real server.
func serve(t *testing.T, f web.Function) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f.Handler())
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// ask sends one request; headers are given in pairs.
func ask(t *testing.T, s *httptest.Server, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func problem(t *testing.T, r *http.Response, body string) map[string]any {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("content type %q of %s", got, body)
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRouting(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	s := serve(t, f)
	cases := []struct {
		method, path, body string
		headers            []string
		status             int
		code               string // of the problem; "" for none
		header, value      string // one header to look at
	}{
		{"GET", "/sample", "", nil, 308, "", "Location", "/sample/"},
		{"GET", "/sample/", "", nil, 200, "", "", ""},
		{"HEAD", "/sample/", "", nil, 200, "", "", ""},
		{"GET", "/sample/v1/leases/7", "", nil, 200, "", "Content-Type", "application/json"},
		{"POST", "/sample/v1/leases", `{"id":"8"}`, []string{"Content-Type", "application/json"}, 201, "", "", ""},
		{"GET", "/sample/openapi.json", "", nil, 200, "", "Content-Type", "application/json"},
		{"POST", "/sample/events", "", nil, 204, "", "", ""},
		{"GET", "/sample/other", "", nil, 404, "not_found", "", ""},
		{"GET", "/", "", nil, 404, "not_found", "", ""},
		{"GET", "/other/", "", nil, 404, "not_found", "", ""},
		{"GET", "/sample/v1/leases/7/more", "", nil, 404, "not_found", "", ""},
		{"GET", "/sample//unknown/../x", "", nil, 404, "not_found", "", ""},
		{"DELETE", "/sample/v1/leases/7", "", nil, 405, "method_not_allowed", "Allow", "GET, HEAD"},
		{"GET", "/sample/v1/leases", "", nil, 405, "method_not_allowed", "Allow", "POST"},
		{"GET", "/sample/page", "", nil, 409, "", "Content-Type", "text/html; charset=utf-8"},
		{"GET", "/sample/other", "", []string{"Accept", "text/html,*/*"}, 404, "", "Content-Type", "text/html; charset=utf-8"},
		{"GET", "/sample/v1/panic", "", nil, 500, "internal", "", ""},
		{"GET", "/sample/v1/unencodable", "", nil, 500, "internal", "", ""},
		{"GET", "/sample/v1/badextra", "", nil, 400, "invalid", "", ""},
		{"POST", "/sample/form", "", nil, 303, "", "Location", "/sample/"},
		{"POST", "/sample/form", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "", "Content-Type", "text/html; charset=utf-8"},
		{"POST", "/sample/v1/leases", `{"id":"8"}`, []string{"Origin", "https://evil.example", "Content-Type", "application/json"}, 403, "cross_origin", "", ""},
		{"POST", "/sample/events", "", []string{"Origin", "https://evil.example"}, 204, "", "", ""},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			r, body := ask(t, s, c.method, c.path, c.body, c.headers...)
			if r.StatusCode != c.status {
				t.Fatalf("status %d, want %d: %s", r.StatusCode, c.status, body)
			}
			if c.header != "" && r.Header.Get(c.header) != c.value {
				t.Errorf("%s: %q, want %q", c.header, r.Header.Get(c.header), c.value)
			}
			if c.code != "" {
				if p := problem(t, r, body); p["code"] != c.code || p["status"] != float64(c.status) || p["type"] != "https://ostiary.invalid/problems/"+c.code {
					t.Errorf("problem %v", p)
				}
			}
		})
	}
}

func TestTrustedOrigin(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	f.Origins = []string{"https://v6.example.com"}
	r, body := ask(t, serve(t, f), "POST", "/sample/v1/leases", `{"id":"8"}`, "Origin", "https://v6.example.com", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/json")
	if r.StatusCode != 201 {
		t.Errorf("status %d: %s", r.StatusCode, body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	f.Deployed, f.Connect = true, []string{"https://v4.example.com"}
	s := serve(t, f)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; base-uri 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self' https://v4.example.com; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
	}
	for _, path := range []string{"/sample/", "/sample/other", "/sample", "/sample/v1/panic", "/sample/v1/headers"} {
		r, _ := ask(t, s, "GET", path, "")
		for name, value := range want {
			if got := r.Header.Get(name); got != value {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, value)
			}
		}
		if r.Header.Get("Permissions-Policy") == "" || len(r.Header.Get("X-Request-Id")) != 16 {
			t.Errorf("GET %s: %v", path, r.Header)
		}
	}
	f.Deployed = false
	if r, _ := ask(t, serve(t, f), "GET", "/sample/", ""); r.Header.Get("Strict-Transport-Security") != "" {
		t.Error("a laptop's browser is told to insist on HTTPS")
	}
}

func TestRefusalDropsTheAnswersHeaders(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	r, body := ask(t, serve(t, f), "GET", "/sample/v1/headers", "")
	p := problem(t, r, body)
	if r.StatusCode != 503 || r.Header.Get("Etag") != "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v", r.StatusCode, r.Header)
	}
	if strings.Contains(body, "10.0.0.7") || p["code"] != "unavailable" {
		t.Errorf("the internal error shows: %s", body)
	}
}

func TestHalfAnAnswerIsCut(t *testing.T) {
	t.Parallel()
	f, j := sample(t)
	s := serve(t, f)
	for _, path := range []string{"/sample/v1/half", "/sample/v1/giveup"} {
		r, err := s.Client().Get(s.URL + path)
		if err == nil {
			_, err = io.ReadAll(r.Body)
			r.Body.Close()
		}
		if err == nil {
			t.Errorf("GET %s: the caller takes half an answer for a whole one", path)
		}
	}
	for _, e := range j.entries(t, 2) {
		if e["code"] != "internal" {
			t.Errorf("log line %v", e)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	f.Random = bytes.NewReader(bytes.Repeat([]byte{1}, 10))
	s := serve(t, f)
	r, body := ask(t, s, "GET", "/sample/v1/id", "", "X-Request-Id", "forged")
	if id := r.Header.Get("X-Request-Id"); id != "aeaqcaibaeaqcaib" || strings.TrimSpace(body) != `{"id":"`+id+`"}` {
		t.Errorf("header %q, body %s", id, body)
	}
	if web.RequestID(context.Background()) != "" {
		t.Error("an id outside of a request")
	}
}

func TestErrorPagePanics(t *testing.T) {
	t.Parallel()
	f, j := sample(t)
	f.ErrorPage = func(http.ResponseWriter, *http.Request, web.Problem) { panic("template") }
	r, body := ask(t, serve(t, f), "GET", "/sample/page", "")
	if p := problem(t, r, body); r.StatusCode != 409 || p["code"] != "too_old" {
		t.Errorf("status %d, %v", r.StatusCode, p)
	}
	j.entries(t, 2)
}

func TestUnreadableBodyDoesNotHang(t *testing.T) {
	t.Parallel()
	f, _ := sample(t)
	s := serve(t, f)
	// A body that promises more than it brings: the connection closes half-way.
	address, err := net.ResolveTCPAddr("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /sample/v1/leases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\"")
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 400 {
		t.Errorf("status %d", answer.StatusCode)
	}
}
