package parts

import (
	"context"
	"net/netip"
	"regexp"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/clientproof"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

// Proofs keeps the proofs that the address requests come from is told right.
func (p *Parts) Proofs() *clientproof.Service {
	return &clientproof.Service{Store: p.Store, Box: p.Box, Random: p.Random, Screen: p.Screen, Promises: p.Deps.Promises("ip-daily"), Policy: p.PolicyDigest()}
}

// Spot is this function over one family.
func (p *Parts) Spot(family lease.Family) clientproof.Spot {
	return clientproof.Spot{Function: p.Manifest.Name, Family: family}
}

// Proven refuses to take an observed address where nobody proved that what this function declares of the proxies in front of it is
// right for requests of that address's family. On one's own machine there is nothing to prove: no stranger sends requests there.
// Misconfigured with code address_unproven.
func (p *Parts) Proven(ctx context.Context, addr netip.Addr) error {
	return p.proven(addr, func(spot clientproof.Spot) (bool, error) {
		return p.Proofs().Proven(ctx, spot, p.Client.String(), p.Clock.Now())
	})
}

// ProvenIn is Proven within a transaction, before it writes.
func (p *Parts) ProvenIn(tx store.Tx, addr netip.Addr) error {
	return p.proven(addr, func(spot clientproof.Spot) (bool, error) {
		return p.Proofs().ProvenIn(tx, spot, p.Client.String(), p.Clock.Now())
	})
}

func (p *Parts) proven(addr netip.Addr, look func(clientproof.Spot) (bool, error)) error {
	if _, deployed := p.Env("K_SERVICE"); !deployed {
		return nil
	}
	prefix, ok := address.Of(addr)
	if ok {
		var err error
		if ok, err = look(p.Spot(lease.FamilyOf(prefix))); err != nil {
			return caller.Unavailable(err)
		}
	}
	if !ok {
		return fault.Refuse(fault.Misconfigured, "address_unproven", "Nobody has proven yet that this service sees the right network address, so it registers nobody.",
			"Tell the security lead: ostiary doctor --probe proves it.")
	}
	return nil
}

// proofID is the form of a proof's id.
var proofID = regexp.MustCompile(`^[0-9a-f]{1,64}$`)

// ProofID is the id of a proof as a caller wrote it; one of another form is no proof's.
func ProofID(text string) string {
	if proofID.MatchString(text) {
		return text
	}
	return "0"
}
