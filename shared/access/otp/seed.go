package otp

import (
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/platform/seal"
)

// Seed is what the maker of a hardware token says of it: its serial number, its secret, and where its codes begin.
type Seed struct {
	Serial    string // as printed on the token; letters count alike large or small
	Kind      Kind
	Algorithm Algorithm
	Digits    int
	Secret    []byte
	Counter   uint64    // of HOTP: the next counter, below 2^62; 0 for TOTP
	Until     time.Time // from when on it must not be used; the zero time for never
}

// Wipe overwrites the secret.
func (s Seed) Wipe() { seal.Wipe(s.Secret) }

// serials is the form of a serial number: something a person can read off a token and type.
var serials = regexp.MustCompile(`^[0-9A-Z][0-9A-Z ._:/-]{0,62}$`)

// Serial returns a serial number as it is kept and compared: without surrounding spaces, letters large. ok is false for
// what is none.
func Serial(typed string) (serial string, ok bool) {
	serial = strings.ToUpper(strings.TrimSpace(typed))
	return serial, serials.MatchString(serial)
}

// Problem says in plain words what is wrong with a seed, without quoting any of it; "" when nothing is.
func (s Seed) Problem() string {
	_, readable := Serial(s.Serial)
	switch {
	case !readable:
		return "the serial number is missing, too long, or holds other characters than letters, digits, spaces and . _ : / -"
	case s.Kind != TOTP && s.Kind != HOTP:
		return "it is neither a token with a clock (totp) nor one with a counter (hotp)"
	case s.Algorithm.Size() == 0:
		return "the algorithm is none of SHA1, SHA256 and SHA512"
	case s.Digits < MinDigits || s.Digits > MaxDigits:
		return "its codes have neither 6, 7 nor 8 digits"
	case len(s.Secret) < MinSecret:
		return "the secret is shorter than 128 bits" // RFC 4226 requirement R6
	case len(s.Secret) > MaxSecret:
		return "the secret is longer than 1024 bits"
	case s.Counter >= 1<<62, s.Counter > 0 && s.Kind != HOTP:
		return "the counter is not possible: give one below 2^62, and for a token with a counter only"
	}
	return ""
}
