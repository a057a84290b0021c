package datamap

import "testing"

// TestPlaces: which places may hold each other's documents, or hold the same.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outer, inner string
		below, same  bool
	}{
		{"tenants", "tenants/{tenant}/users", true, false},
		{"tenants/{tenant}/users", "tenants/acme/users/x/devices", true, false},
		{"tenants/{tenant}/users", "tenants/{tenant}/usersold/x/devices", false, false},
		{"tenants/{tenant}/users", "tenants/{tenant}/users", false, false},
		{"tenants/{tenant}/users", "tenants/{tenant}/**/devices", true, false},
		{"tenants/{tenant}/users", "shops/{tenant}/**/devices", false, false},
		{"tenants/{tenant}/users", "**/devices", true, false},
		{"tenants/{tenant}/**/users", "tenants/{tenant}/teams/x/users/y/devices", true, false},
		{"**/users", "users/x/devices", true, false},
		{"**/users", "teams/x/users", false, true},
		{"tenants/{tenant}/**/orders", "tenants/{tenant}/orders", false, true},
		{"tenants/{tenant}/**/orders", "shops/{tenant}/orders", false, false},
		{"tenants/{tenant}/**/orders", "**/orders", true, true},
		{"tenants/{tenant}/**/orders", "shops/**/orders", false, false},
		{"logins", "logins", false, false},
	} {
		if got := below(c.outer, c.inner); got != c.below {
			t.Errorf("%s below %s: %v", c.inner, c.outer, got)
		}
		if got := covers(c.outer, c.inner); got != c.same {
			t.Errorf("%s holds what %s does: %v", c.outer, c.inner, got)
		}
	}
	for _, c := range []struct {
		outer, inner string
		want         bool
	}{
		{"", "anything/", true}, {"tenants/{tenant}/", "tenants/{tenant}/users/{uid}/", true}, {"users/{uid}/", "users/{uid}/", true},
		{"users/{uid}/", "users/", false}, {"users/{uid}/", "users/u1.png", true}, {"users/{uid}/", "uses/u1/", false},
		{"tenants/{tenant}/users/", "tenants/{tenant}/usersold/", false},
	} {
		if got := inside(c.outer, c.inner); got != c.want {
			t.Errorf("%s in %s: %v", c.inner, c.outer, got)
		}
	}
}
