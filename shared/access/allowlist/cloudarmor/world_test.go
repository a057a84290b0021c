package cloudarmor

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"google.golang.org/api/compute/v1"

	"ostiary.internal/shared/access/allowlist/cloudarmor/armortest"
)

// fake is a policy of the package's own tests.
type fake = armortest.Armor

func newFake(t testing.TB, where string) (*fake, *httptest.Server) { return armortest.New(t, where) }

func admits(p *compute.SecurityPolicy, addr netip.Addr) bool { return armortest.Admits(p, addr) }
