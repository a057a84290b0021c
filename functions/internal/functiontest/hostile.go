package functiontest

import (
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/wiring"
)

// Bodies sends a request with bodies that are no such body: too large, malformed, ambiguous, mislabelled.
func (w *World) Bodies(t *testing.T, seen *Coverage, r Request) {
	t.Helper()
	text, header := r.Body.(string), http.Header{}
	for name, test := range map[string]struct {
		body   string
		header http.Header
		status int
	}{
		"too large":          {`{"code":"` + strings.Repeat("1", 2_300_000) + `"}`, nil, 413},
		"empty":              {"", nil, 400},
		"no JSON":            {"code=123456", nil, 400},
		"a list":             {"[" + text + "]", nil, 400},
		"two objects":        {text + text, nil, 400},
		"cut off":            {text[:len(text)-1], nil, 400},
		"an unknown key":     {strings.Replace(text, "{", `{"surprise":1,`, 1), nil, 400},
		"a key twice":        {strings.Replace(text, "{", `{"a":1,"a":2,`, 1), nil, 400},
		"a key in capitals":  {strings.ToUpper(text), nil, 400},
		"a number for text":  {`{"code":123456,"email":1,"name":1,"codes":1}`, nil, 400},
		"null":               {"null", nil, 400},
		"NUL":                {strings.Replace(text, `":"`, `":"\u0000`, 1) + "\x00", nil, 400},
		"deeply nested":      {strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), nil, 400},
		"not UTF-8":          {strings.Replace(text, `":"`, "\":\"\xff", 1) + "\xff", nil, 400},
		"a byte order mark":  {"\ufeff" + text, nil, 400},
		"a form":             {text, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 400},
		"no media type":      {text, http.Header{"Content-Type": nil}, 400},
		"compressed":         {text, http.Header{"Content-Encoding": {"gzip"}}, 400},
		"another characters": {text, http.Header{"Content-Type": {"application/json; charset=utf-16"}}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			sent := r
			sent.Body, sent.Header = test.body, header.Clone()
			for name, values := range r.Header {
				sent.Header[name] = values
			}
			for name, values := range test.header {
				sent.Header[name] = values
			}
			before := w.State(t)
			code := map[int]string{400: "body_invalid", 413: "too_large"}[test.status]
			if got := seen.Saw(w.Call(t, sent)); got.Status != test.status || got.Code != code {
				t.Errorf("answered %d %q, want %d %q", got.Status, got.Code, test.status, code)
			}
			w.Unchanged(t, before)
		})
	}
}

// Outages takes away one part after the other while a request comes: it is refused as unavailable, nothing changes and
// nothing is used up. The store fails at every call the request makes, one after the other. At the end the request
// itself goes through, with everything up, and is answered by want.
func (w *World) Outages(t *testing.T, seen *Coverage, r Request, want int, parts ...*Switch) {
	t.Helper()
	refused := func() {
		t.Helper()
		before := w.State(t)
		seen.Saw(w.Call(t, r)).Want(t, 503, "unavailable")
		w.Unchanged(t, before)
	}
	for _, part := range parts {
		part.Down()
		refused()
		part.Up()
	}
	for n := 0; ; n++ {
		before := w.State(t)
		w.Store.DownAfter(n)
		got := w.Call(t, r)
		w.Store.Up()
		if got.Status == want {
			if n == 0 {
				t.Error("the request did not need the store")
			}
			return // what it is about was committed; what follows is the outbox's
		}
		seen.Saw(got).Want(t, 503, "unavailable")
		w.Unchanged(t, before)
	}
}

// Panics lets one part after the other panic while a request comes: the answer says nothing of it, nothing changes.
func (w *World) Panics(t *testing.T, r Request, parts ...*Switch) {
	t.Helper()
	for _, part := range parts {
		before := w.State(t)
		part.Panic("injected panic with a person's data")
		got := w.Call(t, r)
		part.Up()
		if got.Status != http.StatusInternalServerError {
			t.Errorf("answered %d %q to a panic", got.Status, got.Code)
		}
		w.Unchanged(t, before)
	}
}

// Flood sends requests from one network until they are refused, and looks that a refused one reaches neither the
// store nor a key.
func Flood(t *testing.T, s Setup, prepare func(w *World) Request) {
	t.Helper()
	s.Env = map[string]string{wiring.EnvSourceCap: "300"}
	w := New(t, s)
	r := prepare(w)
	stranger := Request{Method: r.Method, Path: r.Path, Body: r.Body}
	refused := func() bool { return w.Call(t, stranger).Status == http.StatusTooManyRequests }
	for range 5000 {
		if refused() {
			break
		}
	}
	var before map[string]map[string]any
	var calls int
	var got Answer
	for range 50 { // the bucket fills up again meanwhile, a request each fifth of a second
		if before, calls = w.State(t), w.reached(); !refused() {
			continue
		}
		if got = w.Call(t, r); got.Status == http.StatusTooManyRequests {
			break
		}
	}
	got.Want(t, 429, "too_many_requests")
	if got.Header.Get("Retry-After") == "" {
		t.Error("the answer does not say when to come back")
	}
	if w.reached() != calls {
		t.Error("a request above the cap reached the store, the directory or a key")
	}
	w.Unchanged(t, before)
	r.From = "92.40.1.7"
	if w.Call(t, r).Status == http.StatusTooManyRequests {
		t.Error("another network is refused too")
	}
}

func (w *World) reached() int {
	return w.Store.Calls() + w.Directory.Calls() + w.OTPKey.Calls() + w.MessageKey.Calls() + w.EvidenceKey.Calls() + w.RequestKey.Calls() + w.BreachKey.Calls() + w.Secrets.Calls()
}

// FuzzBody sends arbitrary bodies: never a fault of ours, always a well-formed answer, and a refusal changes nothing but
// counters.
func FuzzBody(f *testing.F, s Setup, prepare func(w *World) Request, seeds ...string) {
	f.Helper()
	for _, seed := range append(seeds, "", "null", "[]", "{}", `{"code":`, `{"code":"`+strings.Repeat("9", 200)+`"}`, "\xff", `{"code":"１２３４５６"}`) {
		f.Add([]byte(seed))
	}
	w := New(f, s)
	r := prepare(w)
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := r
		sent.Body = body
		before := w.State(t, Counters...)
		got := w.Call(t, sent)
		if got.Status >= http.StatusInternalServerError {
			t.Errorf("answered %d %q", got.Status, got.Code)
		}
		if got.Status >= http.StatusBadRequest {
			w.Unchanged(t, before, Counters...)
		}
	})
}
