package webhook

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/message/webhook/verify"
	"ostiary.internal/shared/platform/reach"
)

const (
	current = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	next    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

var now = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

// channel is one whose secrets are the lines, of a server on this machine.
func channel(t *testing.T, s *messagetest.Server, lines string) *Channel {
	t.Helper()
	return New(Config{
		Secrets: post.Secret{Name: "webhooks", Store: messagetest.Secret(t, "webhooks", lines)}, Clock: clock.NewManual(now), Network: reach.Loopback, Roots: s.Roots,
	})
}

func to(url string) message.Message {
	m := messagetest.Message("5f2b9c0de1")
	m.To = url
	return m
}

func TestSuite(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, func(t *testing.T) messagetest.Peer {
		s := messagetest.Serve(t, nil)
		return messagetest.Peer{Channel: channel(t, s, s.URL+"/in "+current), To: s.URL + "/in", TLS: message.TLS13, Received: func(t *testing.T) (all []messagetest.Received) {
			for _, p := range s.Posted() {
				if err := verify.Verify([]string{current}, p.Header, p.Body, now); err != nil {
					t.Errorf("what arrived does not verify: %v", err)
				}
				var b body
				if err := json.Unmarshal(p.Body, &b); err != nil || b.Type != "message" || !b.At.Equal(messagetest.At) || b.ID != p.Header.Get(verify.HeaderID) {
					t.Errorf("arrived %+v, %v", b, err)
				}
				all = append(all, messagetest.Received{ID: b.ID, To: s.URL + p.Path, Subject: b.Subject, Text: b.Text})
			}
			return all
		}}
	})
}

// TestAnObjectIsPostedAsItStands: what the asker wrote for a program reaches it byte by byte.
func TestAnObjectIsPostedAsItStands(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	c := channel(t, s, s.URL+" "+current)
	for _, text := range []string{`{"type":"breach.notice", "text":"a <b> é"}`, `{"a":1} and more`, `[1]`} {
		m := to(s.URL)
		m.Text = text
		if outcome, err := c.Send(t.Context(), m); outcome != message.Accepted {
			t.Fatal(err)
		}
	}
	got := s.Posted()
	if string(got[0].Body) != `{"type":"breach.notice", "text":"a <b> é"}` {
		t.Errorf("posted %s", got[0].Body)
	}
	for _, p := range got[1:] {
		var b body
		if err := json.Unmarshal(p.Body, &b); err != nil || b.Subject == "" {
			t.Errorf("posted %s, %v", p.Body, err)
		}
	}
}

// TestTries: a message keeps its id over its tries, so that it may be tried again where the server broke, and each is signed
// for its own time; while secrets are exchanged either verifies, and the secrets of others do not.
func TestTries(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, func(n int, w http.ResponseWriter) { w.WriteHeader(map[int]int{1: 500, 2: 204}[n]) })
	c := channel(t, s, "https://other.example/in whsec_"+strings.Repeat("B", 32)+"\n\n"+s.URL+"  "+current+"\t"+next+"\r\n")
	clk := c.Clock.(*clock.Manual)
	for i, want := range []message.Outcome{message.Deferred, message.Accepted} {
		if outcome, err := c.Send(t.Context(), to(s.URL)); outcome != want {
			t.Fatalf("try %d: %s, %v", i+1, outcome, err)
		}
		if err := clk.Set(clk.Now().Add(10 * time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Posted()
	if len(got) != 2 || got[0].Header.Get(verify.HeaderID) != "5f2b9c0de1" || got[1].Header.Get(verify.HeaderID) != "5f2b9c0de1" {
		t.Fatalf("posted %+v", got)
	}
	for i, p := range got {
		at := now.Add(time.Duration(i) * 10 * time.Minute)
		if p.Header.Get(verify.HeaderTimestamp) != strconv.FormatInt(at.Unix(), 10) {
			t.Errorf("try %d is of %s", i+1, p.Header.Get(verify.HeaderTimestamp))
		}
		for secret, believed := range map[string]bool{current: true, next: true, "whsec_" + strings.Repeat("B", 32): false} {
			if err := verify.Verify([]string{secret}, p.Header, p.Body, at); (err == nil) != believed {
				t.Errorf("try %d by %.12s: %v", i+1, secret, err)
			}
		}
	}
}

// TestSecrets: nothing leaves unsigned, and no error shows a secret or a URL.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	for lines, want := range map[string]struct {
		outcome message.Outcome
		kind    fault.Kind
	}{
		"https://other.example/in " + current:                 {message.Failed, fault.NotFound},
		s.URL + "/in/other " + current:                        {message.Failed, fault.NotFound},
		s.URL + "/in":                                         {message.Deferred, fault.Misconfigured},
		s.URL + "/in " + current + " " + next + " " + current: {message.Deferred, fault.Misconfigured},
		s.URL + "/in hunter2":                                 {message.Deferred, fault.Misconfigured},
		s.URL + "/in " + current + " whsec_hunter2":           {message.Deferred, fault.Misconfigured},
		s.URL + "/in whsec_aHVudGVyMg==":                      {message.Deferred, fault.Misconfigured},
	} {
		outcome, err := channel(t, s, lines).Send(t.Context(), to(s.URL+"/in"))
		if outcome != want.outcome || !fault.Is(err, want.kind) || strings.Contains(err.Error(), "whsec_A") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), s.URL) {
			t.Errorf("%q: %s, %v", lines, outcome, err)
		}
	}
	c := channel(t, s, s.URL+" "+current)
	c.Secrets.Name = "others"
	if outcome, err := c.Send(t.Context(), to(s.URL)); outcome != message.Deferred || !fault.Is(err, fault.NotFound) {
		t.Errorf("no such secret: %s, %v", outcome, err)
	}
	if len(s.Posted()) != 0 {
		t.Error("something was sent")
	}
}

// TestDriver: the URL, and that what it opens reaches the internet alone.
func TestDriver(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	options := message.Options{Clock: clock.NewManual(now), Secrets: messagetest.Secret(t, "webhooks", s.URL+" "+current)}
	for raw, ok := range map[string]bool{
		"webhook:?secret=webhooks": true, "webhook:?secret=webhooks@3": true, "webhook:": false, "webhook:?secret=": false, "webhook:?secret=a&secret=b": false,
		"webhook:?secret=a&roots=b": false, "webhook://host?secret=a": false, "webhook:x?secret=a": false, "webhook:?secret=a@latest": false, "webhook:?secret=webhooks#x": false,
	} {
		if _, err := message.Drivers.Open(t.Context(), raw, options); ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if _, err := message.Drivers.Open(t.Context(), "webhook:?secret=webhooks", message.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a secret store: %v", err)
	}
	c, err := message.Drivers.Open(t.Context(), "webhook:?secret=webhooks", options)
	if err != nil {
		t.Fatal(err)
	}
	if outcome, err := c.Send(t.Context(), to(s.URL)); outcome != message.Failed || !fault.Is(err, fault.Denied) || len(s.Posted()) != 0 {
		t.Errorf("this machine: %s, %v", outcome, err)
	}
}
