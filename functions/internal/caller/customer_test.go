package caller_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/identity"
	"ostiary.internal/shared/platform/identity/issuer"

	_ "ostiary.internal/shared/platform/identity/oidc"
)

// TestCustomer: whoever the product's issuer signed in is known by her account and tenant; no other token counts, and
// none is no refusal.
func TestCustomer(t *testing.T) {
	t.Parallel()
	clk, p := clock.NewManual(start), company(t)
	i := issuer.New(filepath.Join(t.TempDir(), "issuer"), p.Company.Issuer.URL, clk)
	verifier, err := identity.Drivers.Open(t.Context(), "oidc:"+p.Company.Issuer.URL+"?audience="+p.Company.Issuer.Audience, identity.Options{Clock: clk, Transport: i.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	g := caller.Gate{Policy: p, Identity: verifier, Directory: fine, Clock: clk}
	signed := func(c issuer.Claims) string {
		token, err := i.Issue(c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	claims := issuer.Claims{Kind: issuer.Customer, Email: "mia@customer.example", Audience: p.Company.Issuer.Audience, Tenant: "acme",
		Override: map[string]any{"auth_time": start.Unix(), "role": "owner"}}
	c, found, err := g.Customer(request("Authorization", "Bearer "+signed(claims)))
	if err != nil || !found || c != (caller.Customer{Subject: issuer.Number("mia@customer.example"), Email: "mia@customer.example", Tenant: "acme", Role: "owner", At: start}) {
		t.Errorf("%+v, %t, %v", c, found, err)
	}
	if _, found, err := g.Customer(httptest.NewRequest("POST", "/", nil)); found || err != nil {
		t.Errorf("without a token: %t, %v", found, err)
	}
	nowhere := claims
	nowhere.Tenant = ""
	staff := claims
	staff.Kind = issuer.Staff
	for name, header := range map[string]string{
		"no token": "Bearer x", "another scheme": "Basic " + signed(claims), "no tenant": "Bearer " + signed(nowhere), "of the company's people": "Bearer " + signed(staff),
	} {
		if _, found, err := g.Customer(request("Authorization", header)); found || problem(err) != "unauthenticated" {
			t.Errorf("%s: %t, %v", name, found, err)
		}
	}
	g.Policy.Company.Issuer.URL = ""
	if _, found, err := g.Customer(request("Authorization", "Bearer "+signed(claims))); found || problem(err) != "unauthenticated" {
		t.Errorf("a company without an issuer: %t, %v", found, err)
	}
}
