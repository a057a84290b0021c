package parts

import (
	"context"
	"regexp"
	"strings"

	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/access/pair"
	"ostiary.internal/shared/platform/fault"
)

// EnvPairHosts names the two hosts of pairaddress, each reached over one family alone:
// "ipv4=https://v4.example,ipv6=https://v6.example"; "" where a code registers one address only.
const EnvPairHosts = "OSTIARY_PAIR_HOSTS"

// A host is a name: a page's content policy cannot allow an IPv6 address.
var (
	deployedForm = regexp.MustCompile(`^https://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?$`)
	hostForm     = regexp.MustCompile(`^https?://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?$`)
)

// PairHosts reads EnvPairHosts; none when it is empty. Misconfigured: not two sites, one of each family.
func (p *Parts) PairHosts() (map[lease.Family]string, error) {
	value, _ := p.Env(EnvPairHosts)
	if value == "" {
		return nil, nil
	}
	_, deployed := p.Env("K_SERVICE")
	form := hostForm
	if deployed {
		form = deployedForm
	}
	hosts := map[lease.Family]string{}
	for pair := range strings.SplitSeq(value, ",") {
		family, site, _ := strings.Cut(pair, "=")
		known := family == string(lease.IPv4) || family == string(lease.IPv6)
		if !known || hosts[lease.Family(family)] != "" || !form.MatchString(site) {
			return nil, fault.New(fault.Misconfigured, "reading %s: not ipv4=https://HOST,ipv6=https://HOST", EnvPairHosts)
		}
		hosts[lease.Family(family)] = site
	}
	if len(hosts) != 2 || hosts[lease.IPv4] == hosts[lease.IPv6] {
		return nil, fault.New(fault.Misconfigured, "reading %s: two hosts are needed, one for each family", EnvPairHosts)
	}
	return hosts, nil
}

// Pairs builds the service of second addresses. Without secrets in the manifest it takes tokens, and makes none.
func (p *Parts) Pairs(ctx context.Context, leases *lease.Service) (*pair.Service, error) {
	c := pair.Config{Store: p.Store, Leases: leases}
	if p.Secrets != nil {
		var err error
		if c.Key, err = p.Secrets.Get(ctx, "form-key"); err != nil {
			return nil, err
		}
		c.Random = p.Random
	}
	return pair.New(c)
}
