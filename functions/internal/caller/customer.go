package caller

import (
	"net/http"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity"
)

// Customer is somebody who is signed in to the product, as the product's own OpenID issuer says. What she may do there the
// issuer says too: the claims tenant, which every token must have, and role: owner or tenant_owner, admin or tenant_admin, or
// anything else for a member.
type Customer struct {
	Subject string // of the token: the key of the person in the product
	Email   string
	Tenant  string
	Role    string
	At      time.Time // when she last proved who she is; zero where the token does not say
}

// Customer verifies the bearer token of a signed-in customer; found is false where the request carries none. Codes:
// unauthenticated 401, unavailable 503.
func (g Gate) Customer(r *http.Request) (c Customer, found bool, err error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return c, false, nil
	}
	token, ok := bearer(r, "Authorization")
	if !ok || g.Policy.Company.Issuer.URL == "" {
		return c, false, signedOut("the request carries no token a customer could have")
	}
	who, err := g.Identity.Verify(r.Context(), token)
	switch {
	case fault.Is(err, fault.Denied):
		return c, false, signedOut("the token of the request was refused")
	case err != nil:
		return c, false, Unavailable(err)
	}
	c = Customer{Subject: who.Subject, Email: who.Email, At: who.AuthTime}
	c.Tenant, _ = who.Claims["tenant"].(string)
	c.Role, _ = who.Claims["role"].(string)
	if c.Tenant == "" {
		return Customer{}, false, signedOut("the token of the request names no tenant")
	}
	return c, true, nil
}

func signedOut(why string) error {
	e := fault.Refuse(fault.Denied, identity.CodeUnauthenticated, "The sign-in of this request is not valid.", "Sign in to the product again; without a sign-in, leave the token out.")
	e.Status = http.StatusUnauthorized
	e.Err = fault.New(fault.Denied, "%s", why)
	return e
}
