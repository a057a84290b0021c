package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestOver: a place is reached over its family or not at all.
func TestOver(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler()) // on 127.0.0.1
	t.Cleanup(server.Close)
	for network, reached := range map[string]bool{"tcp4": true, "tcp6": false} {
		answer, err := over(network).Get(server.URL)
		if err == nil {
			answer.Body.Close()
		}
		if (err == nil) != reached {
			t.Errorf("%s reached %s: %v", network, server.URL, err)
		}
	}
}
