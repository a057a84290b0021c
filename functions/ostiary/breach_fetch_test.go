package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWholeOrNothing: an answer that is larger than can be kept is refused, and none is cut.
func TestWholeOrNothing(t *testing.T) {
	t.Parallel()
	size := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, size))
	}))
	t.Cleanup(server.Close)
	c := &connection{url: server.URL}
	for _, one := range []struct {
		size int
		good bool
	}{{maxAnswer, true}, {maxAnswer + 1, false}} {
		size = one.size
		text, err := c.fetch(t.Context(), http.MethodGet, "/x", nil)
		if (err == nil) != one.good || one.good && len(text) != one.size || !one.good && !strings.Contains(err.Error(), "16 MiB") {
			t.Errorf("of %d bytes %d are kept, %v", one.size, len(text), err)
		}
	}
}
