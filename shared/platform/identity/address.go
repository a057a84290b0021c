package identity

import (
	"regexp"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Lengths of an address in bytes (RFC 5321 section 4.5.3.1, less the angle brackets of a path).
const (
	maxAddressBytes = 254
	maxLocalBytes   = 64
)

// The dot-string form of RFC 5321 section 4.1.2, in ASCII, without "/" (addresses are document ids) and without
// the quoted form; the domain has at least two labels. An internationalised domain comes as xn--.
var (
	localPart  = regexp.MustCompile("^[a-z0-9!#$%&'*+=?^_`{|}~-]+(\\.[a-z0-9!#$%&'*+=?^_`{|}~-]+)*$")
	domainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
)

// Address returns an e-mail address in the one spelling the house compares: lower case. Anything but plain
// ASCII is Invalid, so that no look-alike letter passes for another; the error does not repeat the address.
func Address(raw string) (string, error) {
	// Lower case is taken only of ASCII: the Kelvin sign, for one, would turn into a plain k.
	if len(raw) > maxAddressBytes || !ascii(raw) {
		return "", fault.New(fault.Invalid, "reading an e-mail address: too long or not ASCII")
	}
	clean := strings.ToLower(raw)
	local, domain, found := strings.Cut(clean, "@")
	if !found || len(local) > maxLocalBytes || !localPart.MatchString(local) || !domainName.MatchString(domain) {
		return "", fault.New(fault.Invalid, "reading an e-mail address: not of the form local@domain")
	}
	return clean, nil
}

// Domain returns a domain name in lower case, or Invalid where it is not a plain ASCII name of two labels or more.
func Domain(raw string) (string, error) {
	if len(raw) > maxAddressBytes || !ascii(raw) || !domainName.MatchString(strings.ToLower(raw)) {
		return "", fault.New(fault.Invalid, "reading a domain name: not a plain ASCII name")
	}
	return strings.ToLower(raw), nil
}

// IsServiceAccount reports whether a clean address belongs to a Google service account.
func IsServiceAccount(address string) bool { return strings.HasSuffix(address, ".gserviceaccount.com") }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
