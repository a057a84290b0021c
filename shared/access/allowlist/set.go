package allowlist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/access"
	"ostiary.internal/shared/access/address"
	"ostiary.internal/shared/access/lease"
	"ostiary.internal/shared/platform/fault"
)

// Holder is one lease that keeps an entry open.
type Holder struct {
	Lease  string
	Person string
	Since  time.Time // when it was registered
	Until  time.Time
}

// Entry is one prefix that is let in. Two people at one address are two holders of one entry: it stays until the
// last of them goes.
type Entry struct {
	Prefix    netip.Prefix
	Until     time.Time // the latest end among its holders and its site
	Holders   []Holder  // by lease id; empty for a fixed site nobody registered from
	Site      string    // the name of the fixed site, or ""
	SiteUntil time.Time // the end of the site; zero without one
}

// Set is everything that is let in, families apart because most targets keep them in separate rules. Both lists are
// sorted by prefix without duplicates. The empty Set closes the door.
type Set struct {
	V4, V6 []Entry
}

// Desired computes the set that should be in force at now: the live leases and the fixed sites that have not
// ended. It is pure, and the same input in any order gives the same set. A prefix that Check would refuse is left
// out: one bad site must not keep every other entry from being taken away in time.
func Desired(leases []lease.Lease, sites []access.Fixed, now time.Time) Set {
	entries := map[netip.Prefix]Entry{}
	for _, l := range leases {
		if !l.Live(now) || address.CheckWidth(l.Prefix) != nil {
			continue
		}
		e := entries[l.Prefix]
		e.Holders = append(e.Holders, Holder{Lease: l.ID, Person: l.Person, Since: l.Started, Until: l.Ends})
		entries[l.Prefix] = later(e, l.Prefix, l.Ends)
	}
	for _, s := range sites {
		if !now.Before(s.Until) || address.CheckWidth(s.Prefix) != nil {
			continue
		}
		e := entries[s.Prefix]
		if e.Site == "" || s.Name < e.Site {
			e.Site = s.Name
		}
		if s.Until.After(e.SiteUntil) {
			e.SiteUntil = s.Until
		}
		entries[s.Prefix] = later(e, s.Prefix, s.Until)
	}
	var set Set
	for _, e := range entries {
		slices.SortFunc(e.Holders, func(a, b Holder) int { return strings.Compare(a.Lease, b.Lease) })
		if e.Prefix.Addr().Is4() {
			set.V4 = append(set.V4, e)
		} else {
			set.V6 = append(set.V6, e)
		}
	}
	byPrefix := func(a, b Entry) int { return a.Prefix.Compare(b.Prefix) }
	slices.SortFunc(set.V4, byPrefix)
	slices.SortFunc(set.V6, byPrefix)
	return set
}

func later(e Entry, p netip.Prefix, until time.Time) Entry {
	e.Prefix = p
	if until.After(e.Until) {
		e.Until = until
	}
	return e
}

// Overflow names the live leases for which a target of that capacity has no room: the newest ones. A lease whose
// prefix is held already needs none; sites come first. Capacity 0 means no limit.
func Overflow(leases []lease.Lease, sites []access.Fixed, capacity int, now time.Time) []lease.Lease {
	if capacity == 0 {
		return nil
	}
	taken := map[netip.Prefix]bool{}
	for _, s := range sites {
		if now.Before(s.Until) {
			taken[s.Prefix] = true
		}
	}
	byAge := slices.DeleteFunc(slices.Clone(leases), func(l lease.Lease) bool { return !l.Live(now) })
	slices.SortFunc(byAge, lease.ByAge)
	var over []lease.Lease
	for _, l := range byAge {
		if !taken[l.Prefix] && len(taken) >= capacity {
			over = append(over, l)
			continue
		}
		taken[l.Prefix] = true
	}
	return over
}

// Len counts the entries of both families.
func (s Set) Len() int { return len(s.V4) + len(s.V6) }

// Entries returns all entries, IPv4 first.
func (s Set) Entries() []Entry { return slices.Concat(s.V4, s.V6) }

// Prefixes returns all prefixes, IPv4 first, each family sorted.
func (s Set) Prefixes() []netip.Prefix {
	prefixes := make([]netip.Prefix, 0, s.Len())
	for _, e := range s.Entries() {
		prefixes = append(prefixes, e.Prefix)
	}
	return prefixes
}

// Digest is "sha256:" and the hex hash of everything in the set, holders included, but for who they are: a lease id
// stands for the person. Equal sets have equal digests.
func (s Set) Digest() string {
	h := sha256.New()
	for _, e := range s.Entries() {
		fmt.Fprintf(h, "%s %d %q\n", e.Prefix, e.Until.UnixMicro(), e.Site)
		if e.Site != "" {
			fmt.Fprintf(h, " site %d\n", e.SiteUntil.UnixMicro())
		}
		for _, holder := range e.Holders {
			fmt.Fprintf(h, " %q %d\n", holder.Lease, holder.Until.UnixMicro())
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Check is the invariant every payload must satisfy before a target writes anything. Invalid: an entry that is not
// canonical, wider than a fixed site may be (0.0.0.0/0 and ::/0 above all), in the wrong family, out of order or there
// twice, or that nobody holds. Exhausted: more entries than the target's capacity.
func (s Set) Check(limits Limits) error {
	for _, family := range []struct {
		name    string
		entries []Entry
		is4     bool
	}{{"IPv4", s.V4, true}, {"IPv6", s.V6, false}} {
		for i, e := range family.entries {
			if err := address.CheckWidth(e.Prefix); err != nil {
				return fault.New(fault.Invalid, "checking %s entry %d: %w", family.name, i, err)
			}
			if e.Prefix.Addr().Is4() != family.is4 {
				return fault.New(fault.Invalid, "checking %s entry %d: other family", family.name, i)
			}
			if i > 0 && family.entries[i-1].Prefix.Compare(e.Prefix) >= 0 {
				return fault.New(fault.Invalid, "checking %s entry %d: out of order or twice", family.name, i)
			}
			if len(e.Holders) == 0 && e.Site == "" {
				return fault.New(fault.Invalid, "checking %s entry %d: held by nobody", family.name, i)
			}
		}
	}
	if s.Len() > limits.Capacity {
		return fault.New(fault.Exhausted, "checking the allow-list: %d entries, capacity %d", s.Len(), limits.Capacity)
	}
	return nil
}
