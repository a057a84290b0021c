package authorize

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/web"
)

// most is how much of a body a function reads: a push carries up to 16 MiB (package event), a letter holds a mail.
func most(m manifest.Function, r web.Route) int64 {
	switch {
	case m.Callers == manifest.Machine:
		return event.MaxBytes + 1 // by which it knows that there is more
	case m.Name == "decideerasure" && (r.Path == "/v1/requests" || r.Path == "/enter"):
		return 2*request.MaxMail + 3*web.MaxBodyBytes
	}
	return 4 * web.MaxBodyBytes
}

// endless is a body without an end, which counts what is read of it.
type endless struct {
	begin string
	fill  byte
	read  int64
}

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.begin[min(int64(len(e.begin)), e.read):])
	for ; n < len(p); n++ {
		p[n] = e.fill
	}
	e.read += int64(n)
	return n, nil
}

// TestEndlessBodies: of a body that does not end no route reads more than it has to, nor waits for its end.
func TestEndlessBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		q := w.asked(t, m, r, c)
		for _, begin := range []string{`{"a":"`, "a="} {
			body := &endless{begin: begin, fill: 'x'}
			status := w.stream(t, m, q, body)
			if body.read > most(m, r) {
				t.Errorf("%s reads %d bytes of a body without an end", key(m.Name, r), body.read)
			}
			if body.read > web.MaxBodyBytes && status != http.StatusRequestEntityTooLarge && m.Callers != manifest.Machine {
				t.Errorf("%s: a body without an end is answered %d, want 413", key(m.Name, r), status)
			}
		}
	})
}

// stream sends a body of unknown length and returns the status.
func (w *world) stream(t testing.TB, m manifest.Function, q functiontest.Request, body io.Reader) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), q.Method, "http://"+m.Name+".test"+q.Path, body)
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	for name, values := range q.Header {
		r.Header[name] = values
	}
	answer := httptest.NewRecorder()
	w.Handler(m.Name).ServeHTTP(answer, r)
	return answer.Code
}

// bombs are bodies that are small and mean to become large, or to cost time.
func bombs() map[string]struct {
	body   string
	header http.Header
} {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 32<<20))
	_ = z.Close()
	type bomb = struct {
		body   string
		header http.Header
	}
	kind := func(name string) http.Header { return http.Header{"Content-Type": {name}} }
	return map[string]bomb{
		"32 MiB in gzip":                {packed.String(), http.Header{"Content-Encoding": {"gzip"}}},
		"gzip, and not said so":         {packed.String(), nil},
		"30,000 lists in each other":    {strings.Repeat("[", 30_000), nil},
		"10,000 objects in each other":  {strings.Repeat(`{"a":`, 10_000), nil},
		"a number of 60,000 digits":     {`{"a":` + strings.Repeat("9", 60_000) + `}`, nil},
		"a number with a huge exponent": {`{"a":1e999999999}`, nil},
		"6,000 keys that are the same":  {`{"a":1` + strings.Repeat(`,"a":1`, 6_000) + `}`, nil},
		"20,000 fields of a form":       {strings.Repeat("a&", 20_000), kind("application/x-www-form-urlencoded")},
		"5,000 parts of a form":         {strings.Repeat("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n", 1_000) + "--b--", kind("multipart/form-data; boundary=b")},
		"entities of XML":               {`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>`, kind("application/xml")},
		"a file of ours, as XML":        {`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>`, kind("text/xml")},
		"plain text, as a form sends":   {`{"code":"123456"}`, kind("text/plain")},
	}
}

// TestBombs: no route takes such a body for one of its own, nor changes anything by it. Pushes are set aside: what
// nobody can understand is acknowledged, so that it does not come for ever (package event).
func TestBombs(t *testing.T) {
	t.Parallel()
	w := newWorld(t).furnish(t)
	all := bombs()
	w.each(t, func(m manifest.Function, r web.Route, c caller) {
		if r.Body == nil && !(r.Page && r.Method == http.MethodPost) && r.Path != "/events" {
			return
		}
		before := w.kept(t)
		for name, bomb := range all {
			q := w.asked(t, m, r, c)
			q.Body = bomb.body
			q.Header.Set("Content-Type", "application/json")
			for name, values := range bomb.header {
				q.Header[name] = values
			}
			if r.Page && bomb.header == nil {
				q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			got := w.Call(t, q)
			taken := got.Status < 400 && r.Path != "/events" && !(r.Page && got.Status == http.StatusOK) // a page may show the form again
			if taken || got.Status >= 500 {
				t.Errorf("%s, %s: answered %d", key(m.Name, r), name, got.Status)
			}
		}
		if diff := cmp.Diff(before, w.kept(t)); diff != "" && r.Path != "/events" {
			t.Errorf("%s: a body it cannot read changed what is stored:\n%s", key(m.Name, r), diff)
		}
	})
}
