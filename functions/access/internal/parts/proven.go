package parts

import (
	"context"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/platform/fault"
)

// Proofs keeps the proofs that the address requests come from is told right.
func (p *Parts) Proofs() *clientproof.Service {
	return &clientproof.Service{Store: p.Store, Box: p.Box, Random: p.Random, Promises: p.Deps.Promises("ip-daily"), Policy: p.PolicyDigest()}
}

// Proven refuses to take an observed address where nobody proved that what this function declares of the proxies in front of it is
// right. On one's own machine there is nothing to prove: no stranger sends requests there. Misconfigured with code
// address_unproven.
func (p *Parts) Proven(ctx context.Context) error {
	if _, deployed := p.Env("K_SERVICE"); !deployed {
		return nil
	}
	ok, err := p.Proofs().Proven(ctx, p.Client.String(), p.Clock.Now())
	if err != nil {
		return caller.Unavailable(err)
	}
	if !ok {
		return fault.Refuse(fault.Misconfigured, "address_unproven", "Nobody has proven yet that this service sees the right network address, so it registers nobody.",
			"Tell the security lead: ostiary doctor --probe proves it.")
	}
	return nil
}
