package googledoor

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
)

var projectForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{1,62}$`)

// IsProject reports whether a text can be the name of a project, one with a domain before a colon too.
func IsProject(text string) bool { return projectForm.MatchString(text) }

// Everyone is what a door without a lock lets in.
func Everyone() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
}

// Prefix reads a source as the services spell it: a prefix, maybe with host bits, or a bare address.
func Prefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(text)
}

// SortKey orders prefixes of one family as netip.Prefix.Compare does.
func SortKey(p netip.Prefix) string { return string(append(p.Addr().AsSlice(), byte(p.Bits()))) }

// Digest names some texts: other texts, or the same in another order, have another one.
func Digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%q\n", text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
