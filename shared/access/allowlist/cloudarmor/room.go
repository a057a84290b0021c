package cloudarmor

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"ostiary.internal/shared/access/allowlist"
)

// Over implements allowlist.Packer. Sites come first, then leases by age, and each takes what room is left in the rules: one
// whose prefix is let in already takes none.
func (t *Target) Over(s allowlist.Set) []string {
	most := t.rules()
	if rulesFor(len(s.V4))+rulesFor(len(s.V6)) <= most {
		return nil
	}
	type wish struct {
		prefix netip.Prefix
		allowlist.Holder
	}
	var wishes []wish
	held, count := map[netip.Prefix]bool{}, map[bool]int{} // by whether it is IPv4
	for _, e := range s.Entries() {
		if e.Site != "" {
			held[e.Prefix] = true
			count[e.Prefix.Addr().Is4()]++
		}
		for _, h := range e.Holders {
			wishes = append(wishes, wish{e.Prefix, h})
		}
	}
	slices.SortFunc(wishes, func(a, b wish) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Lease, b.Lease))
	})
	var over []string
	for _, w := range wishes {
		if held[w.prefix] {
			continue
		}
		family := w.prefix.Addr().Is4()
		if count[family]++; rulesFor(count[true])+rulesFor(count[false]) > most {
			count[family]--
			over = append(over, w.Lease)
			continue
		}
		held[w.prefix] = true
	}
	slices.Reverse(over)
	return over
}

// rulesFor is how few rules hold so many prefixes of one family.
func rulesFor(prefixes int) int { return (prefixes + perRule - 1) / perRule }
