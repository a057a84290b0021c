package sms

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

const (
	number1 = "+33639980155"
	token   = "hunter2.~+/-_=="
)

func channel(t *testing.T, s *messagetest.Server, token string) *Channel {
	t.Helper()
	return New(Config{Gateway: s.URL + "/v1/messages", Token: post.Secret{Name: "sms-token", Store: messagetest.Secret(t, "sms-token", token)}, Network: reach.Loopback, Roots: s.Roots})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, func(t *testing.T) messagetest.Peer {
		s := messagetest.Serve(t, nil)
		return messagetest.Peer{
			Channel: channel(t, s, token+"\n"), To: number1, TLS: message.TLS13,
			As: func(m message.Message) messagetest.Received {
				return messagetest.Received{ID: m.ID, To: m.To, Text: m.Text}
			},
			Received: func(t *testing.T) (all []messagetest.Received) {
				for _, p := range s.Posted() {
					var got map[string]string
					if err := json.Unmarshal(p.Body, &got); err != nil || len(got) != 3 || p.Path != "/v1/messages" || p.Header.Get("Authorization") != "Bearer "+token {
						t.Errorf("arrived %v at %s: %v", got, p.Path, err)
					}
					all = append(all, messagetest.Received{ID: got["id"], To: got["to"], Text: got["text"]})
				}
				return all
			},
		}
	})
}

// TestGateway: what the gateway says, and that nothing is sent to a number or with a token that is none.
func TestGateway(t *testing.T) {
	t.Parallel()
	m := messagetest.Message("m")
	for name, test := range map[string]struct {
		token, to string
		answer    func(int, http.ResponseWriter)
		outcome   message.Outcome
		kind      fault.Kind
		arrives   int
	}{
		"put off":              {token, number1, status(429), message.Deferred, fault.Transient, 1},
		"broke":                {token, number1, status(500), message.Unknown, fault.Transient, 1},
		"refused":              {token, number1, status(422), message.Failed, fault.Invalid, 1},
		"not our token":        {token, number1, status(401), message.Failed, fault.Misconfigured, 1},
		"lost behind":          {token, number1, status(504), message.Unknown, fault.Transient, 1},
		"cut after the text":   {token, number1, func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, message.Unknown, fault.Transient, 1},
		"two lines of token":   {"hunter2\nother", number1, nil, message.Deferred, fault.Misconfigured, 0},
		"no token":             {" \n", number1, nil, message.Deferred, fault.Misconfigured, 0},
		"a number of one land": {token, "0639980155", nil, message.Failed, fault.Invalid, 0},
		"a number with spaces": {token, "+33 6 39 98 01 55", nil, message.Failed, fault.Invalid, 0},
		"two numbers":          {token, number1 + "," + number1, nil, message.Failed, fault.Invalid, 0},
		"no number":            {token, "ana@customer.example", nil, message.Failed, fault.Invalid, 0},
	} {
		s := messagetest.Serve(t, test.answer)
		m.To = test.to
		outcome, err := channel(t, s, test.token).Send(t.Context(), m)
		if outcome != test.outcome || !fault.Is(err, test.kind) || len(s.Posted()) != test.arrives {
			t.Errorf("%s: %s, %v, %d requests", name, outcome, err, len(s.Posted()))
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "3998")) {
			t.Errorf("%s: the error shows too much: %v", name, err)
		}
	}
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { w.WriteHeader(code) }
}

func TestDriver(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, nil)
	options := message.Options{Secrets: messagetest.Secret(t, "sms-token", token)}
	for raw, ok := range map[string]bool{
		"sms:https://gateway.example/v1?secret=sms-token": true, "sms:https://gateway.example?secret=sms-token@2": true,
		"sms:http://gateway.example/v1?secret=sms-token": false, "sms:gateway.example?secret=sms-token": false, "sms://gateway.example?secret=sms-token": false,
		"sms:https://user:pass@gateway.example/?secret=sms-token": false, "sms:https://gateway.example/v1": false, "sms:https:?secret=sms-token": false,
		"sms:https://gateway.example/v1?secret=sms-token&from=x": false,
	} {
		if _, err := message.Drivers.Open(t.Context(), raw, options); ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	c, err := message.Drivers.Open(t.Context(), "sms:"+s.URL+"?secret=sms-token", options)
	if err != nil {
		t.Fatal(err)
	}
	m := messagetest.Message("m")
	m.To = number1
	if outcome, err := c.Send(t.Context(), m); outcome != message.Failed || !fault.Is(err, fault.Denied) || len(s.Posted()) != 0 {
		t.Errorf("this machine: %s, %v", outcome, err)
	}
}
