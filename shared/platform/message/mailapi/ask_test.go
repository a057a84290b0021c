package mailapi

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
)

// TestAsk: what the provider says of a message, whatever its answer looks like; nothing of it is believed that is about another
// message, cut, too long, or elsewhere.
func TestAsk(t *testing.T) {
	t.Parallel()
	event := func(word string) func(int, http.ResponseWriter) {
		return says(200, `{"object":"email","id":"m-1","last_event":"`+word+`"}`)
	}
	for name, test := range map[string]struct {
		answer func(int, http.ResponseWriter)
		fate   message.Fate
		kind   fault.Kind
	}{
		"delivered":       {event("delivered"), message.FateDelivered, ""},
		"complained":      {event("complained"), message.FateDelivered, ""},
		"bounced":         {event("bounced"), message.FateBounced, ""},
		"suppressed":      {event("suppressed"), message.FateBounced, ""},
		"failed":          {event("failed"), message.FateBounced, ""},
		"sent":            {event("sent"), message.FateAccepted, ""},
		"delayed":         {event("delivery_delayed"), message.FateAccepted, ""},
		"opened":          {event("opened"), message.FateAccepted, ""},
		"nothing happens": {event(""), message.FateUndetermined, fault.Invalid},
		"another":         {says(200, `{"id":"m-2","last_event":"bounced"}`), message.FateUndetermined, fault.Invalid},
		"nobody's":        {says(200, `{"last_event":"bounced"}`), message.FateUndetermined, fault.Invalid},
		"cut":             {says(200, `{"id":"m-1","last_event":"boun`), message.FateUndetermined, fault.Invalid},
		"a page":          {says(200, "<html>ana@customer.example</html>"), message.FateUndetermined, fault.Invalid},
		"a list":          {says(200, `[{"id":"m-1","last_event":"bounced"}]`), message.FateUndetermined, fault.Invalid},
		"without end":     {says(200, `{"id":"m-1","last_event":"bounced","x":"`+strings.Repeat("x", 1<<20)+`"}`), message.FateUndetermined, fault.Invalid},
		"created":         {says(201, `{"id":"m-1","last_event":"bounced"}`), message.FateUndetermined, fault.Invalid},
		"not known":       {says(404, ""), message.FateUndetermined, ""},
		"gone":            {says(410, ""), message.FateUndetermined, ""},
		"elsewhere":       {says(302, ""), message.FateUndetermined, fault.Invalid},
		"not our token":   {says(401, ""), message.FateUndetermined, fault.Misconfigured},
		"slow down":       {says(429, ""), message.FateUndetermined, fault.Transient},
		"broke":           {says(500, `{"id":"m-1","last_event":"bounced"}`), message.FateUndetermined, fault.Transient},
		"no answer":       {func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, message.FateUndetermined, fault.Transient},
		"cut in the body": {func(_ int, w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id":"m-1","last_event":"bounced"}`)
			panic(http.ErrAbortHandler)
		}, message.FateUndetermined, fault.Transient},
	} {
		s := messagetest.Serve(t, test.answer)
		ctx, wire := message.Watch(t.Context())
		fate, err := channel(t, s, token).Ask(ctx, "m-1")
		posted := s.Posted()
		if fate != test.fate || fault.KindOf(err) != test.kind || len(posted) != 1 {
			t.Errorf("%s: %s, %v, %d requests", name, fate, err, len(posted))
			continue
		}
		if p := posted[0]; p.Method != http.MethodGet || p.Path != "/emails/m-1" || p.Header.Get("Authorization") != "Bearer "+token || len(p.Body) != 0 {
			t.Errorf("%s: asked %s %s", name, p.Method, p.Path)
		}
		if wait := name == "slow down" || name == "broke"; wait != (wire.After == 2*time.Minute) {
			t.Errorf("%s: wait %s", name, wire.After)
		}
		if err != nil && (strings.Contains(err.Error(), "m-1") || strings.Contains(err.Error(), s.URL) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ana@")) {
			t.Errorf("%s: the error shows too much: %v", name, err)
		}
	}
}

// TestAskNothing: what is no name of a message is put into no path, and nothing is asked with a token that is none.
func TestAskNothing(t *testing.T) {
	t.Parallel()
	s := messagetest.Serve(t, says(200, `{"id":"","last_event":"delivered"}`))
	c := channel(t, s, token)
	for _, id := range []string{"", ".", "..", "...", ".hidden", "a/b", "../domains", "a?b=c", "a#b", "a%2e", "a b", "ana@customer.example", "é", "a\n", strings.Repeat("x", 129)} {
		if fate, err := c.Ask(t.Context(), id); fate != message.FateUndetermined || !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %s, %v", id, fate, err)
		}
	}
	if fate, err := channel(t, s, "two\nlines").Ask(t.Context(), "m-1"); fate != message.FateUndetermined || !fault.Is(err, fault.Misconfigured) {
		t.Errorf("%s, %v", fate, err)
	}
	if n := len(s.Posted()); n != 0 {
		t.Errorf("asked %d times", n)
	}
}
