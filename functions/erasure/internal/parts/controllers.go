package parts

import (
	"context"
	"net/http"
	"net/url"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/opendsr/callback"
	"ostiary.internal/shared/erasure/opendsr/callback/wire"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
)

// SecretCertificate is the secret with the chain of certificates, in PEM, for the name in OSTIARY_URL, and the key of the
// first: what customers are told of their instructions is signed with it.
const SecretCertificate = "opendsr-certificate"

// Signer returns what signs answers to customers' programs.
func (p *Parts) Signer(ctx context.Context) (*opendsr.Signer, error) {
	u, err := url.Parse(p.base)
	if err != nil || u.Hostname() == "" {
		return nil, fault.New(fault.Misconfigured, "%s: names no domain to sign for", wiring.EnvURL)
	}
	bundle, err := p.secret(ctx, SecretCertificate)
	if err != nil {
		return nil, err
	}
	return opendsr.NewSigner(bundle, u.Hostname())
}

// Discovery is what everybody may know of how instructions are taken. The certificate is served without a token too: whoever
// checks a signature has none.
func (p *Parts) Discovery() opendsr.Discovery {
	types, hashed := p.Identities()
	return opendsr.Discover(types, hashed, p.Page("requesterasure")+"opendsr/v2/certificate")
}

// Identities returns by which types of identities people of customers' can be named; and of those the ones of whom a digest
// can be looked up everywhere.
func (p *Parts) Identities() (types, hashed []opendsr.IdentityType) {
	kinds := p.Map.Instructable()
	for _, t := range opendsr.IdentityTypes {
		kind, served := kinds[t]
		if served {
			types = append(types, t)
		}
		if served && p.Map.Hashable(kind.ID) {
			hashed = append(hashed, t)
		}
	}
	return types, hashed
}

// PublishCertificate keeps the certificate for those who serve it and may not read its key; nothing where nobody signs.
func (p *Parts) PublishCertificate(ctx context.Context) error {
	s, err := p.Signer(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return callback.Publish(ctx, p.Store, s.Chain)
}

// Callbacks returns who tells customers' programs how their instructions go, over the internet, or by way of what stands for
// it where via is not nil.
func (p *Parts) Callbacks(ctx context.Context, via http.RoundTripper) (*callback.Desk, error) {
	requests, err := p.Requests(ctx)
	if err != nil {
		return nil, err
	}
	return &callback.Desk{
		Store: p.Store, Random: p.Random, Log: p.Log, Signer: p.Signer, Hosts: p.hosts, Post: wire.New(via),
		Box: p.Box, Policy: p.PolicyDigest(), Promises: p.Promises(request.Control), Alarm: p.Alarm(),
		Requests: func(ctx context.Context, tenant, id string) (opendsr.State, bool, error) {
			r, err := requests.Instructed(ctx, tenant, id)
			if err != nil {
				return opendsr.State{}, false, err
			}
			s, err := p.Standing(ctx, requests, r)
			if err != nil {
				return opendsr.State{}, false, err
			}
			if r, err = requests.Counting(ctx, r); err != nil {
				return opendsr.State{}, false, err
			}
			// Until it is closed a later search may take "completed" back.
			return s, !r.Closed.IsZero(), nil
		},
	}, nil
}

// hosts are those at which a tenant's program may be told.
func (p *Parts) hosts(tenant string) []string {
	var hosts []string
	for _, s := range p.Policy.Services {
		if s.Tenant == tenant {
			hosts = append(hosts, s.Callbacks...)
		}
	}
	return hosts
}

// Extended is what we add to an answer, by our domain; nothing where we have none.
func (p *Parts) Extended(e opendsr.Extension) opendsr.Extensions {
	u, err := url.Parse(p.base)
	if err != nil {
		return nil
	}
	return opendsr.Extensions{u.Hostname(): e}
}
