package main

import (
	"testing"
)

// TestOverNoProxy: what a proof sends goes through no proxy of the machine it is sent from, whatever its environment says.
func TestOverNoProxy(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp4", "tcp6"} {
		if transport := over(network).Transport.(*lastAnswer); transport.Proxy != nil {
			t.Errorf("%s: requests may go through a proxy", network)
		}
	}
}
