package local

import (
	"context"
	"fmt"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/identity/issuer"
)

// The secret that keeppromises shows to an interface, and the tenant whose token it is.
const (
	canarySecret = "canary-token"
	canaryTenant = "canary"
	canaryLife   = 10 * 365 * day // nobody is there to renew it
)

// canary makes the token of the canary's tenant, once, where the company's product has an issuer.
func (w *World) canary(ctx context.Context) error {
	if w.policy.Company.Issuer.URL == "" {
		return nil
	}
	if _, err := w.secrets.Get(ctx, canarySecret); !fault.Is(err, fault.NotFound) {
		return err
	}
	token, err := w.issuer.Issue(issuer.Claims{Kind: issuer.Customer, Email: canaryTenant + "@" + w.policy.Company.Domains[0], Audience: w.policy.Company.Issuer.Audience,
		Tenant: canaryTenant, Override: map[string]any{"exp": w.clock.Now().Add(canaryLife).Unix()}})
	if err == nil {
		_, err = w.secrets.Put(ctx, canarySecret, []byte(token))
	}
	if err != nil {
		return fmt.Errorf("making the token of the canary: %w", err)
	}
	return nil
}
