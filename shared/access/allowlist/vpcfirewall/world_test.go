package vpcfirewall

import (
	"testing"

	"ostiary.internal/shared/access/allowlist/vpcfirewall/vpctest"
)

const project = vpctest.Project

// vpc is a network of the package's own tests.
type vpc struct{ *vpctest.VPC }

// newVPC returns a network with so many rules of door edge in each family.
func newVPC(t testing.TB, perFamily int) *vpc { return &vpc{vpctest.New(t).Shells(perFamily)} }
