package chat

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
)

func channel(t *testing.T, s *messagetest.Server, rooms string) *Channel {
	t.Helper()
	return New(Config{Rooms: post.Secret{Name: "chat-rooms", Store: messagetest.Secret(t, "chat-rooms", rooms)}, Network: reach.Loopback, Roots: s.Roots})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, func(t *testing.T) messagetest.Peer {
		s := messagetest.Serve(t, nil)
		return messagetest.Peer{
			Channel: channel(t, s, s.URL+"/services/hunter2?key=1\n"), To: Staff, TLS: message.TLS13,
			As: func(m message.Message) messagetest.Received {
				return messagetest.Received{Text: m.Subject + "\n\n" + m.Text}
			},
			Received: func(t *testing.T) (all []messagetest.Received) {
				for _, p := range s.Posted() {
					var got map[string]string
					if err := json.Unmarshal(p.Body, &got); err != nil || len(got) != 1 || p.Path != "/services/hunter2?key=1" {
						t.Errorf("arrived %v at %s: %v", got, p.Path, err)
					}
					all = append(all, messagetest.Received{Text: got["text"]})
				}
				return all
			},
		}
	})
}

// TestRooms: each room has its own URL, and a room that is not listed none.
func TestRooms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rooms   func(url string) string
		to      string
		outcome message.Outcome
		kind    fault.Kind
		path    string
	}{
		"one URL":         {func(u string) string { return u + "/hunter2" }, Staff, message.Accepted, "", "/hunter2"},
		"two rooms":       {func(u string) string { return "staff " + u + "/a\n nord\t" + u + "/b\r\n" }, "nord", message.Accepted, "", "/b"},
		"another's room":  {func(u string) string { return u + "/hunter2" }, "nord", message.Failed, fault.NotFound, ""},
		"no room":         {func(string) string { return "\n" }, Staff, message.Failed, fault.NotFound, ""},
		"three words":     {func(u string) string { return "staff " + u + " hunter2" }, Staff, message.Deferred, fault.Misconfigured, ""},
		"not a URL":       {func(string) string { return "hunter2" }, Staff, message.Failed, fault.Invalid, ""},
		"in the clear":    {func(u string) string { return strings.Replace(u, "https", "http", 1) }, Staff, message.Failed, fault.Invalid, ""},
		"an address":      {func(u string) string { return u + "/hunter2" }, "ana@customer.example", message.Failed, fault.NotFound, ""},
		"an empty secret": {func(string) string { return " " }, Staff, message.Failed, fault.NotFound, ""},
	} {
		s := messagetest.Serve(t, nil)
		m := messagetest.Message("m")
		m.To = test.to
		outcome, err := channel(t, s, test.rooms(s.URL)).Send(t.Context(), m)
		if outcome != test.outcome || fault.KindOf(err) != test.kind || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %s, %v", name, outcome, err)
		}
		if got := s.Posted(); (len(got) == 1) != (test.path != "") || len(got) == 1 && got[0].Path != test.path {
			t.Errorf("%s: posted %+v", name, got)
		}
	}
}

// TestNobodyIsCalled: a text cannot call everybody or hide where a link leads.
func TestNobodyIsCalled(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(200) })
	m := messagetest.Message("m")
	m.To, m.Subject, m.Text = Staff, "<!channel>", "<users/all> <https://evil.example|our site> & https://ostiary.example/#case=1"
	if outcome, err := channel(t, s, s.URL).Send(t.Context(), m); outcome != message.Accepted {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(s.Posted()[0].Body, &got); err != nil || strings.ContainsAny(got["text"], "<>") || !strings.Contains(got["text"], "& https://ostiary.example/#case=1") {
		t.Errorf("said %q, %v", got["text"], err)
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	options := message.Options{Secrets: messagetest.Secret(t, "chat-rooms", s.URL)}
	for raw, ok := range map[string]bool{
		"chat:?secret=chat-rooms": true, "chat:": false, "chat:https://hooks.example/?secret=chat-rooms": false, "chat://host?secret=chat-rooms": false, "chat:?url=chat-rooms": false,
	} {
		if _, err := message.Drivers.Open(t.Context(), raw, options); ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	c, err := message.Drivers.Open(t.Context(), "chat:?secret=chat-rooms", options)
	if err != nil {
		t.Fatal(err)
	}
	m := messagetest.Message("m")
	m.To = Staff
	if outcome, err := c.Send(t.Context(), m); outcome != message.Failed || !fault.Is(err, fault.Denied) || len(s.Posted()) != 0 {
		t.Errorf("this machine: %s, %v", outcome, err)
	}
}
