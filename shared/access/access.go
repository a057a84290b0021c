// Package access holds what a company decides about the ways in: how long a registered address counts, how
// one-time passwords are throttled, which sites are always let in, how much each target may hold.
//
// It promises that whatever access.yaml says stays within floors and ceilings written here, and that a value left out
// takes the default named at its field. It decides nothing about a person or an address; the packages below it do.
package access

import (
	"net/netip"
	"time"
)

// File is the policy file of this control. Without it the control is off.
const File = "access.yaml"

// Rules are access.yaml with its defaults filled in.
type Rules struct {
	On      bool // the policy has access.yaml
	Lease   Lease
	OTP     OTP
	Fixed   []Fixed  // by name
	Targets []Target // by name
}

// Answer is what a company says to something.
type Answer string

// The answers.
const (
	Allow  Answer = "allow"
	Refuse Answer = "refuse"
)

// Lease are the rules of registered addresses.
type Lease struct {
	// DayEnd is when a lease ends in the person's zone, "HH:MM" up to "24:00"; by default the company's day_end.
	DayEnd string
	// Weekend says whether addresses are registered on Saturdays and Sundays of the person's zone; Allow by default.
	Weekend Answer
	// MaxHours a lease may live whatever the zone says, 1 to 24 (the default); a day of 25 hours may be lived to its end.
	MaxHours      int
	Devices       int // a person may have registered at once, each with one address of either family; 1 to 4, default 2
	ChangesPerDay int // of address by one person before a human looks; 1 to 50, default 10

	Relays  Answer // to addresses of privacy relays, by which other programs on the same device do not go; Refuse by default
	Hosting Answer // to addresses of hosts of servers, where VPNs end; Allow by default
	// MobileHours is how long a lease lives at most on a network of mobile phones, whose addresses strangers share; 1 to 24
	// (the default).
	MobileHours int
	// Remind is when people who registered in the last days, and not yet today, are reminded: "HH:MM" in the person's zone; ""
	// (the default) for never.
	Remind string
}

// OTP are the rules of one-time passwords.
type OTP struct {
	Issuer             string        // shown by the phone's application; by default the company's name
	MaxAuthenticators  int           // active and pending ones of a person; 1 to 5, default 3
	FreeFailures       int           // consecutive failures without a wait; 0 to 5, default 3
	FirstWait          time.Duration // after the next failure, doubling with each; 10 s to 5 min, default 30 s
	MaxWait            time.Duration // where the doubling ends; FirstWait to 24 h, default 1 h
	HardStop           int           // consecutive failures that end checking; 5 to 50, the default: the published odds of guessing count on it
	MalformedPerMinute int           // malformed attempts answered as such; 10 to 1000, default 300
	GrantLife          time.Duration // of what a recovery code buys; 1 to 10 min (SP 800-63B-4, 4.1.2), default 10 min
	LinkLife           time.Duration // of an enrolment link; 1 min to 24 h, default 10 min
	ResetWait          time.Duration // from the request of a reset to its earliest approval; 0 to 72 h, default 0
}

// Fixed is a site that is always let in: reviewed, reasoned and ending.
type Fixed struct {
	Name   string
	Prefix netip.Prefix // canonical, at most a /24 of IPv4 or a /48 of IPv6
	Reason string
	Until  time.Time // first instant at which it is no longer let in: the end of its last day in the company's zone
}

// Target is a place that enforces the list of addresses.
type Target struct {
	Name     string
	Capacity int // entries it may hold; 1 to 5000, default 5000
	// Beacon is a URL behind this target that answers 204 to the morning page (CORS), so that a device can test whether it
	// is let in; "" for none. Without query and fragment: it stands in the page and its content policy.
	Beacon string
}

// Beacons are those of all targets.
func (r Rules) Beacons() []string {
	var all []string
	for _, t := range r.Targets {
		if t.Beacon != "" {
			all = append(all, t.Beacon)
		}
	}
	return all
}

func defaults() Rules {
	return Rules{
		Lease: Lease{DayEnd: "24:00", Weekend: Allow, MaxHours: 24, Devices: 2, ChangesPerDay: 10, Relays: Refuse, Hosting: Allow, MobileHours: 24},
		OTP: OTP{
			MaxAuthenticators: 3, FreeFailures: 3, FirstWait: 30 * time.Second, MaxWait: time.Hour, HardStop: 50,
			MalformedPerMinute: 300, GrantLife: 10 * time.Minute, LinkLife: 10 * time.Minute,
		},
	}
}
