package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func TestProblemOf(t *testing.T) {
	t.Parallel()
	status := func(e *fault.Error, status int) error { e.Status = status; return e }
	cases := map[string]struct {
		err    error
		status int
		code   string
	}{
		"invalid":               {fault.New(fault.Invalid, "secret"), 400, "invalid"},
		"denied":                {fault.New(fault.Denied, "secret"), 403, "denied"},
		"unauthenticated":       {fault.Refuse(fault.Denied, "unauthenticated", "", ""), 401, "unauthenticated"},
		"not found":             {fault.New(fault.NotFound, "secret"), 404, "not_found"},
		"conflict":              {fault.New(fault.Conflict, "secret"), 409, "conflict"},
		"exhausted":             {fault.New(fault.Exhausted, "secret"), 429, "too_many_requests"},
		"transient":             {fault.New(fault.Transient, "secret"), 503, "unavailable"},
		"misconfigured":         {fault.New(fault.Misconfigured, "secret"), 503, "unavailable"},
		"unclassified":          {errors.New("secret"), 500, "internal"},
		"unknown kind":          {fault.New("odd", "secret"), 500, "internal"},
		"time-out":              {fmt.Errorf("secret: %w", context.DeadlineExceeded), 503, "unavailable"},
		"status overridden":     {status(fault.Refuse(fault.Denied, "otp_locked", "", ""), 423), 423, "otp_locked"},
		"not found for now":     {status(fault.Refuse(fault.NotFound, "page_missing", "", ""), 503), 503, "page_missing"},
		"a program unknown":     {status(fault.Refuse(fault.Denied, "caller_unauthenticated", "", ""), 401), 401, "caller_unauthenticated"},
		"status beats the code": {status(fault.Refuse(fault.Denied, "unauthenticated", "", ""), 407), 407, "unauthenticated"},
		"status not an error":   {status(fault.Refuse(fault.Conflict, "x", "", ""), 200), 409, "x"},
		"wrapped":               {fmt.Errorf("secret: %w", fault.Refuse(fault.Conflict, "person_limit", "", "")), 409, "person_limit"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := web.ProblemOf(c.err)
			if p.Status != c.status || p.Code != c.code || p.Type != "https://ostiary.invalid/problems/"+c.code {
				t.Errorf("got %+v", p)
			}
			if p.Title == "" || p.Detail == "" || p.Next == "" {
				t.Errorf("a text is missing: %+v", p)
			}
			if p.Status == 503 && p.Title == "Not found" || p.Status == 401 && p.Title != "Not signed in" {
				t.Errorf("the title %q of status %d", p.Title, p.Status)
			}
			if document, err := json.Marshal(p); err != nil || strings.Contains(string(document), "secret") {
				t.Errorf("document %s, %v", document, err)
			}
		})
	}
}

func TestProblemDocument(t *testing.T) {
	t.Parallel()
	refusal := fault.Refuse(fault.Exhausted, "otp_waiting", "Wait.", "Try later.")
	refusal.RetryAfter = 29500 * time.Millisecond
	refusal.Err = errors.New("secret")
	err := fmt.Errorf("checking: %w", web.Extend(refusal, map[string]any{"outcome": "waiting", "status": 200, "code": "forged"}))
	got, marshalErr := json.Marshal(web.ProblemOf(err))
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	const want = `{"code":"otp_waiting","detail":"Wait.","next":"Try later.","outcome":"waiting","retry_after_s":30,"status":429,` +
		`"title":"Limit reached","type":"https://ostiary.invalid/problems/otp_waiting"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !errors.Is(err, refusal) {
		t.Error("further members hide the error")
	}
}

func TestRefusalHeaders(t *testing.T) {
	t.Parallel()
	refusal := fault.Refuse(fault.Transient, "unavailable", "", "")
	refusal.RetryAfter = time.Second + 1
	f := web.Function{Name: "x", Routes: []web.Route{
		{Method: "GET", Path: "/late", Handle: func(http.ResponseWriter, *http.Request) error { return refusal }},
		{Method: "GET", Path: "/who", Handle: func(http.ResponseWriter, *http.Request) error {
			return fault.Refuse(fault.Denied, "unauthenticated", "", "")
		}},
	}}
	s := serve(t, f)
	if r, _ := ask(t, s, "GET", "/x/late", ""); r.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	if r, _ := ask(t, s, "GET", "/x/who", ""); r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("status %d, WWW-Authenticate %q", r.StatusCode, r.Header.Get("WWW-Authenticate"))
	}
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	web.WriteProblem(w, fault.New(fault.Misconfigured, "secret"))
	p := problem(t, w.Result(), w.Body.String())
	if w.Code != 503 || p["code"] != "unavailable" || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("status %d, %v, %v", w.Code, w.Header(), p)
	}
}
