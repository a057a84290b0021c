package accesslevel

import (
	"net/netip"
	"testing"
	"time"

	"ostiary.internal/shared/access/allowlist/accesslevel/acmtest"
)

const policy = acmtest.Policy

// fake is an access policy of the package's own tests.
type fake struct {
	*acmtest.ACM
	T testing.TB
}

// newFake returns a policy with n shells as Terraform makes them.
func newFake(t testing.TB, n int) *fake { return &fake{acmtest.New(t, n, morning), t} }

// request is somebody who wants in.
type request struct {
	who  string // an e-mail address; "" for nobody known
	from netip.Addr
	at   time.Time
}

func (f *fake) admits(r request) bool { return f.Admits(r.who, r.from, r.at) }
