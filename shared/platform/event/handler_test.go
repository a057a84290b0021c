package event_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"ostiary.internal/shared/platform/event"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/log"
)

// rejection is what reject was called with.
type rejection struct {
	body []byte
	why  error
}

func TestHandlerAnswers(t *testing.T) {
	t.Parallel()
	good, bad := "events/pubsub/message.json", "hostile/events/undetermined_topic-not-ours.json"
	for _, c := range []struct {
		name, file string
		outcome    error // of fn
		rejecting  error // of reject
		status     int
		rejected   bool
	}{
		{name: "handled", file: good, status: 204},
		{name: "undecodable", file: bad, status: 204, rejected: true},
		{name: "undecodable, not recorded", file: bad, rejecting: errors.New("inbox away"), status: 503, rejected: true},
		{name: "undecodable, record refused", file: bad, rejecting: fault.New(fault.Invalid, "too large"), status: 503, rejected: true},
		{name: "invalid", file: good, outcome: fault.New(fault.Invalid, "no such lease"), status: 204, rejected: true},
		{name: "invalid below", file: good, outcome: fmt.Errorf("syncing: %w", fault.New(fault.Invalid, "x")), status: 204, rejected: true},
		{name: "invalid, not recorded", file: good, outcome: fault.New(fault.Invalid, "x"), rejecting: errors.New("away"), status: 503, rejected: true},
		{name: "transient", file: good, outcome: fault.New(fault.Transient, "away"), status: 503},
		{name: "conflict", file: good, outcome: fault.New(fault.Conflict, "lost"), status: 503},
		{name: "denied", file: good, outcome: fault.New(fault.Denied, "no right"), status: 503},
		{name: "not found", file: good, outcome: fault.New(fault.NotFound, "none"), status: 503},
		{name: "exhausted", file: good, outcome: fault.New(fault.Exhausted, "full"), status: 503},
		{name: "misconfigured", file: good, outcome: fault.New(fault.Misconfigured, "no topic"), status: 503},
		{name: "out of time", file: good, outcome: context.DeadlineExceeded, status: 503},
		{name: "unclassified", file: good, outcome: errors.New("what"), status: 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []rejection
			h := event.Handler(accepts,
				func(_ context.Context, e event.Event) error {
					if e.ID != "l-2941/3" {
						t.Errorf("called with %+v", e)
					}
					return c.outcome
				},
				func(_ context.Context, body []byte, why error) error {
					got = append(got, rejection{body, why})
					return c.rejecting
				}, slog.New(slog.DiscardHandler))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(t, c.file))
			if w.Code != c.status || w.Body.Len() > 0 || (len(got) == 1) != c.rejected {
				t.Errorf("answered %d %q, rejected %v; want %d, rejected %v", w.Code, w.Body, got, c.status, c.rejected)
			}
			if c.rejected {
				body, err := os.ReadFile(testdata + c.file)
				if err != nil || !bytes.Equal(got[0].body, body) || !fault.Is(got[0].why, fault.Invalid) {
					t.Errorf("rejected %q because of %v (%v)", got[0].body, got[0].why, err)
				}
			}
		})
	}
}

func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	for file, where := range map[string]string{"events/pubsub/message.json": "fn", "hostile/events/undetermined_array.json": "reject"} {
		var lines bytes.Buffer
		h := event.Handler(accepts,
			func(context.Context, event.Event) error { panic("in fn") },
			func(context.Context, []byte, error) error { panic("in reject") }, log.New(&lines, "", slog.LevelInfo))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, file))
		if w.Code != http.StatusInternalServerError {
			t.Errorf("%s panicked: answered %d, want 500", where, w.Code)
		}
		for _, want := range []string{`"severity":"ERROR"`, `"stack_trace":"handling an event: panic: in ` + where, "TestHandlerPanics"} {
			if !strings.Contains(lines.String(), want) {
				t.Errorf("%s panicked: %s is not in the log:\n%s", where, want, &lines)
			}
		}
	}
}

func TestHandlerLogs(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	h := event.Handler(accepts,
		func(context.Context, event.Event) error { return fault.New(fault.Transient, "store away") },
		func(context.Context, []byte, error) error { return nil }, log.New(&lines, "acme-live", slog.LevelInfo))
	for _, file := range []string{"events/pubsub/message.json", "hostile/events/undetermined_data-not-json.json"} {
		r := request(t, file)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	again, rejected, _ := strings.Cut(lines.String(), "\n")
	for line, wants := range map[string][]string{
		again:    {`"severity":"WARNING"`, `"event":"l-2941/3"`, `"kind":"transient"`, "store away", "projects/acme-live/traces/0af7651916cd43dd8448eb211c80319c"},
		rejected: {`"severity":"ERROR"`, "the data is not JSON", "traces/0af7651916cd43dd8448eb211c80319c"},
	} {
		for _, want := range wants {
			if !strings.Contains(line, want) {
				t.Errorf("%s is not in %s", want, line)
			}
		}
	}
	if strings.Contains(lines.String(), "l-2941\"") || strings.Contains(lines.String(), "bGVhc2") {
		t.Errorf("the log quotes the body: %s", &lines)
	}
}

func TestOnlyPOST(t *testing.T) {
	t.Parallel()
	untouched := func() error { t.Error("handled"); return nil }
	h := event.Handler(accepts, func(context.Context, event.Event) error { return untouched() },
		func(context.Context, []byte, error) error { return untouched() }, slog.New(slog.DiscardHandler))
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"} {
		r := request(t, "events/pubsub/message.json")
		r.Method = method
		if _, err := event.Decode(r, accepts); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decode of %s: %v, want Invalid", method, err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s answered %d, Allow %q; want 405, POST", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

func TestSizeAndBrokenBodies(t *testing.T) {
	t.Parallel()
	full := `{"subscription":"projects/p/subscriptions/f--lease.changed","message":{"messageId":"1"},"x":"`
	full += strings.Repeat("x", event.MaxBytes-len(full)-2) + `"}`
	for name, c := range map[string]struct {
		body   io.Reader
		kind   fault.Kind
		status int
		length int // of the rejected body
	}{
		"largest":     {strings.NewReader(full), "", 204, 0},
		"too large":   {strings.NewReader(full + " "), fault.Invalid, 204, event.MaxBytes},
		"cut off":     {io.MultiReader(strings.NewReader(full[:100]), iotest.ErrReader(io.ErrUnexpectedEOF)), fault.Transient, 503, 0},
		"nothing yet": {iotest.ErrReader(context.Canceled), fault.Transient, 503, 0},
	} {
		content, err := io.ReadAll(c.body) // what can be had, then the same error again
		again := func() *http.Request {
			body := io.Reader(bytes.NewReader(content))
			if err != nil {
				body = io.MultiReader(body, iotest.ErrReader(err))
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
			r.Header.Set("Content-Type", "application/json")
			return r
		}
		if _, err := event.Decode(again(), accepts); fault.KindOf(err) != c.kind || (err == nil) != (c.kind == "") {
			t.Errorf("%s: %v, want kind %q", name, err, c.kind)
		}
		rejected := 0
		h := event.Handler(accepts, func(context.Context, event.Event) error { return nil },
			func(_ context.Context, body []byte, _ error) error { rejected = len(body); return nil }, slog.New(slog.DiscardHandler))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, again())
		if w.Code != c.status || rejected != c.length {
			t.Errorf("%s: answered %d and rejected %d bytes, want %d and %d", name, w.Code, rejected, c.status, c.length)
		}
	}
}
