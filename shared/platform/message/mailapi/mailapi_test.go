package mailapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/message/post"
	"ostiary.internal/shared/platform/reach"
)

const token = "hunter2.~+/-_=="

var sender = mail.Address{Name: "Ostiary bei Müller", Address: "ostiary@company.example"}

func channel(t *testing.T, s *messagetest.Server, token string) *Channel {
	t.Helper()
	c, err := New(Config{Endpoint: s.URL + "/emails", From: sender, Token: post.Secret{Name: "mail-token", Store: messagetest.Secret(t, "mail-token", token)}, Network: reach.Loopback, Roots: s.Roots})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSuite(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, func(t *testing.T) messagetest.Peer {
		s := messagetest.Serve(t, nil)
		return messagetest.Peer{Channel: channel(t, s, token+"\n"), TLS: message.TLS13, Received: func(t *testing.T) (all []messagetest.Received) {
			for _, p := range s.Posted() {
				var b body
				key := p.Header.Get("Idempotency-Key")
				if err := json.Unmarshal(p.Body, &b); err != nil || p.Path != "/emails" || b.From != sender.String() || p.Header.Get("Authorization") != "Bearer "+token || b.Headers["Message-ID"] != "<"+key+"@company.example>" {
					t.Errorf("arrived %+v at %s: %v", b, p.Path, err)
				}
				all = append(all, messagetest.Received{ID: key, To: b.To, Subject: b.Subject, Text: b.Text})
			}
			return all
		}}
	})
}

func says(status int, text string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// TestProvider: what the provider says, what it calls the message, how long it asks to wait; and that nothing is sent to more
// than one address or with a token that is none.
func TestProvider(t *testing.T) {
	t.Parallel()
	const ana = "ana@customer.example"
	for name, test := range map[string]struct {
		token, to string
		answer    func(int, http.ResponseWriter)
		outcome   message.Outcome
		kind      fault.Kind
		wire      message.Wire // but TLS
		arrives   int
	}{
		"taken":                {token, ana, says(200, `{"id":"49a3999c-0ce1","object":"email"}`), message.Accepted, "", message.Wire{Reference: "49a3999c-0ce1"}, 1},
		"taken, and not named": {token, ana, says(202, ""), message.Accepted, "", message.Wire{}, 1},
		"named by a number":    {token, ana, says(200, `{"id":7}`), message.Accepted, "", message.Wire{}, 1},
		"named by an address":  {token, ana, says(200, `{"id":"ana@customer.example"}`), message.Accepted, "", message.Wire{}, 1},
		"put off":              {token, ana, says(429, ""), message.Deferred, fault.Transient, message.Wire{After: 2 * time.Minute}, 1},
		"closed for now":       {token, ana, says(503, ""), message.Deferred, fault.Transient, message.Wire{After: 2 * time.Minute}, 1},
		"broke":                {token, ana, says(500, ""), message.Unknown, fault.Transient, message.Wire{}, 1},
		"lost behind":          {token, ana, says(504, ""), message.Unknown, fault.Transient, message.Wire{}, 1},
		"cut after the body":   {token, ana, func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, message.Unknown, fault.Transient, message.Wire{}, 1},
		"elsewhere":            {token, ana, says(307, ""), message.Failed, fault.Invalid, message.Wire{}, 1},
		"refused":              {token, ana, says(422, `{"message":"ana@customer.example is blocked"}`), message.Failed, fault.Invalid, message.Wire{}, 1},
		"not our token":        {token, ana, says(401, ""), message.Failed, fault.Misconfigured, message.Wire{}, 1},
		"two lines of token":   {"hunter2\nother", ana, nil, message.Deferred, fault.Misconfigured, message.Wire{}, 0},
		"no token":             {" \n", ana, nil, message.Deferred, fault.Misconfigured, message.Wire{}, 0},
		"two addresses":        {token, ana + "," + ana, nil, message.Failed, fault.Invalid, message.Wire{}, 0},
		"a name beside it":     {token, "Ana <" + ana + ">", nil, message.Failed, fault.Invalid, message.Wire{}, 0},
		"a quoted part":        {token, `"ana,eve"@customer.example`, nil, message.Failed, fault.Invalid, message.Wire{}, 0},
		"a number":             {token, "+33639980155", nil, message.Failed, fault.Invalid, message.Wire{}, 0},
	} {
		s := messagetest.Serve(t, test.answer)
		m := messagetest.Message("m")
		m.To = test.to
		ctx, wire := message.Watch(t.Context())
		outcome, err := channel(t, s, test.token).Send(ctx, m)
		if test.arrives > 0 {
			test.wire.TLS = message.TLS13
		}
		if outcome != test.outcome || fault.KindOf(err) != test.kind || *wire != test.wire || len(s.Posted()) != test.arrives {
			t.Errorf("%s: %s, %v, %+v, %d requests", name, outcome, err, *wire, len(s.Posted()))
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ana@")) {
			t.Errorf("%s: the error shows too much: %v", name, err)
		}
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	options := message.Options{Secrets: messagetest.Secret(t, "mail-token", token)}
	for raw, ok := range map[string]bool{
		"mailapi:https://api.example/emails?secret=mail-token&from=a@company.example":                        true,
		"mailapi:https://api.example?secret=mail-token@2&from=Ostiary+%3Ca@company.example%3E":               true,
		"mailapi:http://api.example/emails?secret=mail-token&from=a@company.example":                         false,
		"mailapi://api.example/emails?secret=mail-token&from=a@company.example":                              false,
		"mailapi:https://u:p@api.example/emails?secret=mail-token&from=a@company.example":                    false,
		"mailapi:https://api.example/emails?secret=mail-token":                                               false,
		"mailapi:https://api.example/emails?from=a@company.example":                                          false,
		"mailapi:https://api.example/emails?secret=mail-token&from=nobody":                                   false,
		"mailapi:https://api.example/emails?secret=mail-token&from=a@company.example&from=b@company.example": false,
		"mailapi:https://api.example/emails?secret=mail-token&from=a@company.example&to=b":                   false,
		"mailapi:https://api.example/emails?secret=a/b&from=a@company.example":                               false,
	} {
		if _, err := message.Drivers.Open(t.Context(), raw, options); ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if _, err := message.Drivers.Open(t.Context(), "mailapi:https://api.example/emails?secret=mail-token&from=a@company.example", message.Options{}); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a secret store: %v", err)
	}
	c, err := message.Drivers.Open(t.Context(), "mailapi:"+s.URL+"/emails?secret=mail-token&from=a@company.example", options)
	if err != nil {
		t.Fatal(err)
	}
	if outcome, err := c.Send(t.Context(), messagetest.Message("m")); outcome != message.Failed || !fault.Is(err, fault.Denied) || len(s.Posted()) != 0 {
		t.Errorf("this machine: %s, %v", outcome, err)
	}
}
