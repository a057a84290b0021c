package lease

import (
	"net/netip"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/network"
	"ostiary.internal/shared/platform/fault"
)

// Acceptable reports whether an address may be registered at all: a public one, of a network the rules let in. Errors for the
// caller: codes address_refused, address_unknown, relay_refused, hosting_refused; none uses a code up.
func (s *Service) Acceptable(addr netip.Addr) error {
	_, _, err := s.place(addr)
	return err
}

// place returns the prefix of an address, and what is known of its network.
func (s *Service) place(addr netip.Addr) (netip.Prefix, network.Network, error) {
	prefix, err := s.Screen.Prefix(addr)
	if err != nil {
		return netip.Prefix{}, network.Network{}, err
	}
	where, _ := s.Network(addr)
	return prefix, where, Refused(s.Rules, where)
}

// Refused is why the rules let nobody in from a network: Invalid with code relay_refused or hosting_refused; nil when they do.
func Refused(rules access.Lease, where network.Network) error {
	switch {
	case where.Kind == network.Relay && rules.Relays == access.Refuse:
		return refuse(fault.Invalid, 422, "relay_refused", "This address belongs to a relay ("+where.Name+"), not to your own connection: your other programs would come from another address.",
			"Switch the relay off for this site and open the page again. No code was used up.")
	case where.Kind == network.Hosting && rules.Hosting == access.Refuse:
		return refuse(fault.Invalid, 422, "hosting_refused", "This address belongs to a host of servers ("+where.Name+"), where VPNs end, not to your own connection.",
			"Switch the VPN off and open the page again. No code was used up.")
	}
	return nil
}

// Shorten returns when a lease of a network ends that would end at ends: on a mobile network after the hours the rules allow
// there, if that is sooner.
func Shorten(ends, now time.Time, rules access.Lease, where network.Network) time.Time {
	if where.Kind != network.Mobile || rules.MobileHours == 0 || rules.MobileHours >= 24 {
		return ends
	}
	if sooner := now.Add(time.Duration(rules.MobileHours) * time.Hour).UTC(); sooner.Before(ends) {
		return sooner
	}
	return ends
}
