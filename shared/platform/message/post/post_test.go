package post

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/reach"
)

// TestAnswers: what an answer says of the message. Nothing is ever sent twice.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		outcome message.Outcome
		kind    fault.Kind
	}{
		200: {message.Accepted, ""}, 202: {message.Accepted, ""}, 204: {message.Accepted, ""},
		301: {message.Failed, fault.Invalid}, 302: {message.Failed, fault.Invalid}, 307: {message.Failed, fault.Invalid}, 308: {message.Failed, fault.Invalid},
		400: {message.Failed, fault.Invalid}, 401: {message.Failed, fault.Misconfigured}, 403: {message.Failed, fault.Misconfigured},
		404: {message.Failed, fault.Invalid}, 410: {message.Failed, fault.Invalid}, 413: {message.Failed, fault.Invalid}, 422: {message.Failed, fault.Invalid},
		408: {message.Deferred, fault.Transient}, 425: {message.Deferred, fault.Transient}, 429: {message.Deferred, fault.Transient},
		500: {message.Unknown, fault.Transient}, 503: {message.Deferred, fault.Transient},
		501: {message.Unknown, fault.Transient}, 502: {message.Unknown, fault.Transient}, 504: {message.Unknown, fault.Transient}, 524: {message.Unknown, fault.Transient},
	} {
		var s *messagetest.Server
		s = messagetest.Serve(t, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Location", s.URL+"/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "about ana@customer.example")
		})
		outcome, err := New(reach.Loopback, s.Roots).Post(t.Context(), s.URL+"/in?key=secret", http.Header{"Webhook-Id": {"7"}}, []byte(`{"a":1}`))
		if outcome != want.outcome || fault.KindOf(err) != want.kind {
			t.Errorf("%d: %s, %v", status, outcome, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "ana")) {
			t.Errorf("%d: the error shows too much: %v", status, err)
		}
		got := s.Posted()
		if len(got) != 1 || got[0].Method != "POST" || got[0].Path != "/in?key=secret" || string(got[0].Body) != `{"a":1}` ||
			got[0].Header.Get("Content-Type") != "application/json" || got[0].Header.Get("Webhook-Id") != "7" {
			t.Errorf("%d: posted %+v", status, got)
		}
	}
}

// TestKnown: a server that knows repetitions by their id, and broke, is asked again.
func TestKnown(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
	c := New(reach.Loopback, s.Roots)
	c.Known = true
	if outcome, err := c.Post(t.Context(), s.URL, nil, []byte("{}")); outcome != message.Deferred || !fault.Is(err, fault.Transient) {
		t.Errorf("%s, %v", outcome, err)
	}
}

// TestCuts: no answer after all was sent is unknown; what never got that far was put off.
func TestCuts(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) })
	if outcome, err := New(reach.Loopback, s.Roots).Post(t.Context(), s.URL, nil, []byte("{}")); outcome != message.Unknown || !fault.Is(err, fault.Transient) || len(s.Posted()) != 1 {
		t.Errorf("cut after the content: %s, %v, %d requests", outcome, err, len(s.Posted()))
	}
	reached, release := make(chan struct{}), make(chan struct{})
	s = messagetest.Serve(t, func(int, http.ResponseWriter) { close(reached); <-release })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	if outcome, err := New(reach.Loopback, s.Roots).Post(ctx, s.URL, nil, []byte("{}")); outcome != message.Unknown || err == nil {
		t.Errorf("cancelled while the server thinks: %s, %v", outcome, err)
	}
	close(release)
	s = messagetest.Serve(t, nil)
	if outcome, err := New(reach.Loopback, nil).Post(t.Context(), s.URL, nil, []byte("{}")); outcome != message.Deferred || !fault.Is(err, fault.Misconfigured) {
		t.Errorf("an unknown authority: %s, %v", outcome, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	url := "https://" + listener.Addr().String() + "/secret"
	for range 2 { // cut at the greeting, and nobody there
		if outcome, err := New(reach.Loopback, s.Roots).Post(t.Context(), url, nil, []byte("{}")); outcome != message.Deferred || !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "secret") {
			t.Errorf("no connection: %s, %v", outcome, err)
		}
		_ = listener.Close()
	}
	if len(s.Posted()) != 0 {
		t.Error("something arrived")
	}
}

// A wire without buffers, cut within the content: whoever has a part of it knows that it is not all.
func TestCutWithinTheContent(t *testing.T) {
	t.Parallel()
	c := New(reach.Loopback, nil)
	c.client.Transport.(*http.Transport).DialTLSContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			_, _ = io.CopyN(io.Discard, theirs, 10_000)
		}()
		return ours, nil
	}
	if outcome, err := c.Post(t.Context(), "https://customer.example/", nil, make([]byte, MaxBody)); outcome != message.Deferred || !fault.Is(err, fault.Transient) {
		t.Errorf("%s, %v; want deferred", outcome, err)
	}
}

// TestSilence: a server that says nothing is waited for no longer than the time-out.
func TestSilence(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := messagetest.Serve(t, func(int, http.ResponseWriter) { <-release })
	defer close(release)
	c := New(reach.Loopback, s.Roots)
	if c.client.Timeout != Timeout || Timeout != 10*time.Second {
		t.Errorf("waits for %s", c.client.Timeout)
	}
	c.client.Timeout = time.Second
	if outcome, err := c.Post(t.Context(), s.URL, nil, []byte("{}")); outcome != message.Unknown || err == nil {
		t.Errorf("%s, %v; want unknown", outcome, err)
	}
}

// TestOutOfReach: what is not of the network is not connected to, however it is written, and whatever a name resolves to.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	c := New(reach.Public, s.Roots)
	for _, url := range []string{
		s.URL, "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://172.16.9.9/", "https://192.168.1.1/", "https://169.254.169.254/",
		"https://[fe80::1]/", "https://[fd00::1]/", "https://[fd20:ce::254]/", "https://100.64.0.1/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://[::]/", "https://[64:ff9b::a00:1]/",
	} {
		if outcome, err := c.Post(t.Context(), url, nil, []byte("{}")); outcome != message.Failed || !errors.Is(err, reach.ErrOutOfReach) || !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %s, %v", url, outcome, err)
		}
	}
	for _, url := range []string{strings.Replace(s.URL, "https", "http", 1), "ftp://customer.example/", "https:/customer.example", "https://user:secret@customer.example/", "\x00", ""} {
		if outcome, err := New(reach.Loopback, s.Roots).Post(t.Context(), url, nil, []byte("{}")); outcome != message.Failed || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %s, %v", url, outcome, err)
		}
	}
	if outcome, err := New(reach.Loopback, s.Roots).Post(t.Context(), s.URL, nil, make([]byte, MaxBody+1)); outcome != message.Failed || !fault.Is(err, fault.Invalid) {
		t.Errorf("too long: %s, %v", outcome, err)
	}
	if len(s.Posted()) != 0 {
		t.Error("something was sent")
	}
}
