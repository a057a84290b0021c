package mailapi

import (
	"net/http"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
)

// TestFind: what the provider says of a key; nothing is believed without the key itself, and least of all that it took none.
func TestFind(t *testing.T) {
	t.Parallel()
	const taken, none = `{"id":"m-1","idempotency_key":"k-1"}`, `{"idempotency_key":"k-1"}`
	for name, test := range map[string]struct {
		answer    func(int, http.ResponseWriter)
		trace     message.Trace
		reference string
		kind      fault.Kind
	}{
		"taken":               {says(200, taken), message.TraceTaken, "m-1", ""},
		"taken, oddly named":  {says(200, `{"id":"ana@customer.example","idempotency_key":"k-1"}`), message.TraceTaken, "", ""},
		"none":                {says(404, none), message.TraceNone, "", ""},
		"none, and named":     {says(404, taken), message.TraceSilent, "", fault.Invalid},
		"taken, not named":    {says(200, none), message.TraceSilent, "", fault.Invalid},
		"another's":           {says(200, `{"id":"m-1","idempotency_key":"k-2"}`), message.TraceSilent, "", fault.Invalid},
		"none of another's":   {says(404, `{"idempotency_key":"k-2"}`), message.TraceSilent, "", fault.Invalid},
		"none, without a key": {says(404, `{}`), message.TraceSilent, "", fault.Invalid},
		"no such page":        {says(404, "<html>k-1</html>"), message.TraceSilent, "", fault.Invalid},
		"nothing there":       {says(404, ""), message.TraceSilent, "", fault.Invalid},
		"none, without end":   {says(404, `{"idempotency_key":"k-1","x":"`+strings.Repeat("x", 1<<20)+`"}`), message.TraceSilent, "", fault.Invalid},
		"gone":                {says(410, none), message.TraceSilent, "", fault.Invalid},
		"a list of all":       {says(200, `{"object":"list","data":[{"id":"m-1","to":["ana@customer.example"]}]}`), message.TraceSilent, "", fault.Invalid},
		"refused":             {says(400, none), message.TraceSilent, "", fault.Invalid},
		"elsewhere":           {says(302, none), message.TraceSilent, "", fault.Invalid},
		"not our token":       {says(401, none), message.TraceSilent, "", fault.Misconfigured},
		"slow down":           {says(429, none), message.TraceSilent, "", fault.Transient},
		"broke":               {says(500, taken), message.TraceSilent, "", fault.Transient},
		"no answer":           {func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, message.TraceSilent, "", fault.Transient},
	} {
		s := messagetest.Serve(t, test.answer)
		ctx, wire := message.Watch(t.Context())
		trace, err := channel(t, s, token).Find(ctx, "k-1")
		posted := s.Posted()
		if trace != test.trace || wire.Reference != test.reference || fault.KindOf(err) != test.kind || len(posted) != 1 {
			t.Errorf("%s: %s, %q, %v, %d requests", name, trace, wire.Reference, err, len(posted))
			continue
		}
		if p := posted[0]; p.Method != http.MethodGet || p.Path != "/emails?idempotency_key=k-1" || p.Header.Get("Authorization") != "Bearer "+token || len(p.Body) != 0 {
			t.Errorf("%s: asked %s %s", name, p.Method, p.Path)
		}
		if err != nil && (strings.Contains(err.Error(), "k-1") || strings.Contains(err.Error(), s.URL) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ana@")) {
			t.Errorf("%s: the error shows too much: %v", name, err)
		}
	}
	s := messagetest.Serve(t, says(200, taken))
	if trace, err := channel(t, s, "two\nlines").Find(t.Context(), "k-1"); trace != message.TraceSilent || !fault.Is(err, fault.Misconfigured) || len(s.Posted()) != 0 {
		t.Errorf("%s, %v, asked %d times", trace, err, len(s.Posted()))
	}
}
