package functiontest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/web"
)

// Home is the address requests come from unless they say otherwise; Nowhere sends none.
const (
	Home    = "81.2.69.142"
	Nowhere = "-"
)

// Request is one call of a function.
type Request struct {
	Method, Path string
	Body         any         // text and bytes go as they are, nil is none, everything else goes as JSON
	Token        string      // goes where the function's callers have theirs
	Header       http.Header // in place of what would be sent; one without values is taken away
	From         string      // the client's address; "" is Home
}

// Answer is what a function answered.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Pattern string // of the route that answered; "" for none
	Code    string // of the problem; "" for success and for pages
}

// Decode reads the answer's JSON.
func (a Answer) Decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%.300s", a.Status, err, a.Body)
	}
}

// Member returns one member of the answer's JSON object.
func (a Answer) Member(t testing.TB, name string) any {
	t.Helper()
	var members map[string]any
	a.Decode(t, &members)
	return members[name]
}

// Want fails the test unless the answer has the status and code; code is "" for success.
func (a Answer) Want(t testing.TB, status int, code string) Answer {
	t.Helper()
	if a.Status != status || a.Code != code {
		t.Fatalf("answered %d %q, want %d %q\n%.400s", a.Status, a.Code, status, code, a.Body)
	}
	return a
}

// Call sends a request to the function its path names, and looks at the answer.
func (w *World) Call(t testing.TB, r Request) Answer {
	t.Helper()
	f := w.function(strings.Split(r.Path, "/")[1])
	request := w.request(t, f, r)
	_, pattern := f.mux.Handler(request)
	recorder := httptest.NewRecorder()
	f.handler.ServeHTTP(recorder, request)
	result := recorder.Result()
	a := Answer{Status: result.StatusCode, Header: result.Header, Body: recorder.Body.Bytes(), Pattern: pattern}
	w.check(t, &a)
	return a
}

func (w *World) request(t testing.TB, f *function, r Request) *http.Request {
	t.Helper()
	body, isJSON := encoded(t, r.Body)
	request := httptest.NewRequestWithContext(t.Context(), r.Method, "http://"+f.manifest.Name+".test"+r.Path, body)
	if isJSON {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case r.Token == "":
	case f.manifest.Callers == manifest.Staff:
		request.Header.Set(identity.AssertionHeader, r.Token)
	default:
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	switch r.From {
	case Nowhere:
	case "":
		request.Header.Set(ClientHeader, Home)
	default:
		request.Header.Set(ClientHeader, r.From)
	}
	for name, values := range r.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	return request
}

func encoded(t testing.TB, body any) (reader io.Reader, isJSON bool) {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil, false
	case string:
		return strings.NewReader(b), true
	case []byte:
		return bytes.NewReader(b), true
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(data), true
}

// internals are what an answer never shows: stacks, file names, kinds of errors, what a test injects.
var internals = regexp.MustCompile(`goroutine \d|\.go:\d|runtime error|injected|ostiary\.internal|manifest does not list`)

// check looks at what every answer has in common.
func (w *World) check(t testing.TB, a *Answer) {
	t.Helper()
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("X-Request-Id") == "" {
		t.Errorf("answer %d lacks the headers that every answer has: %v", a.Status, a.Header)
	}
	if found := internals.Find(a.Body); found != nil {
		t.Errorf("answer %d shows %q:\n%.400s", a.Status, found, a.Body)
	}
	if a.Status < http.StatusBadRequest || strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || len(a.Body) == 0 {
		return
	}
	var p struct {
		Type, Title, Detail, Next, Code string
		Status                          int
	}
	if err := json.Unmarshal(a.Body, &p); err != nil || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("answer %d is no problem document: %v\n%.300s", a.Status, err, a.Body)
	}
	if p.Status != a.Status || p.Code == "" || p.Title == "" || p.Detail == "" || p.Next == "" || !strings.HasSuffix(p.Type, "/"+p.Code) {
		t.Errorf("answer %d is not a whole problem document: %s", a.Status, a.Body)
	}
	a.Code = p.Code
}

// patterns lists a function's routes as its own mux has them.
func patterns(f web.Function) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range f.Routes {
		mux.Handle(pattern(f.Name, r), http.NotFoundHandler())
	}
	return mux
}

func pattern(function string, r web.Route) string {
	p := r.Method + " /" + function + r.Path
	if strings.HasSuffix(p, "/") {
		p += "{$}"
	}
	return p
}
