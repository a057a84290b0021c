package post

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/messagetest"
	"ostiary.internal/shared/platform/reach"
)

// TestWire: how the way was protected is known of every request that was sent, what the server calls the message of one it
// took, and how long to wait of one it put off.
func TestWire(t *testing.T) {
	t.Parallel()
	says := func(status int, wait, body string) func(int, http.ResponseWriter) {
		return func(_ int, w http.ResponseWriter) {
			w.Header().Set("Retry-After", wait)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer func(int, http.ResponseWriter)
		want   message.Wire
	}{
		"taken":                {says(202, "9", "abc-1"), message.Wire{TLS: message.TLS13, Reference: "abc-1"}},
		"taken without a name": {says(204, "", ""), message.Wire{TLS: message.TLS13}},
		"a name that is none":  {says(200, "", "ana@customer.example"), message.Wire{TLS: message.TLS13}},
		"a name without end":   {says(200, "", strings.Repeat("x", 1<<20)), message.Wire{TLS: message.TLS13}},
		"put off":              {says(429, "90", "abc-1"), message.Wire{TLS: message.TLS13, After: 90 * time.Second}},
		"put off for a year":   {says(503, "31536000", ""), message.Wire{TLS: message.TLS13, After: time.Hour}},
		"refused":              {says(422, "90", "abc-1"), message.Wire{TLS: message.TLS13}},
		"cut":                  {func(int, http.ResponseWriter) { panic(http.ErrAbortHandler) }, message.Wire{TLS: message.TLS13}},
	} {
		s := messagetest.Serve(t, test.answer)
		c := New(reach.Loopback, s.Roots)
		c.Reference = func(answer []byte) string { return string(answer) }
		ctx, wire := message.Watch(t.Context())
		if _, err := c.Post(ctx, s.URL, nil, []byte("{}")); *wire != test.want {
			t.Errorf("%s: %+v, %v", name, *wire, err)
		}
	}
	ctx, wire := message.Watch(t.Context())
	if _, err := New(reach.Public, nil).Post(ctx, "https://127.0.0.1/", nil, []byte("{}")); err == nil || *wire != (message.Wire{}) {
		t.Errorf("out of reach: %+v, %v", *wire, err)
	}
}
