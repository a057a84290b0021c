package otp

import (
	"strconv"
	"strings"
)

// URI returns the otpauth URI an application reads from the QR code: issuer:account percent-encoded, the secret
// base32 without padding, and algorithm, digits and period or counter spelled out although most are defaults,
// since applications guess differently. It holds the secret: show it once and keep it nowhere.
func URI(issuer, account string, a Authenticator, secret string) string {
	moving := "&period=" + strconv.Itoa(Period)
	if a.Kind == HOTP {
		moving = "&counter=" + strconv.FormatInt(a.Floor+1, 10)
	}
	return "otpauth://" + string(a.Kind) + "/" + escape(issuer) + ":" + escape(account) +
		"?secret=" + secret + "&issuer=" + escape(issuer) +
		"&algorithm=" + string(a.Algorithm) + "&digits=" + strconv.Itoa(a.Digits) + moving
}

// escape encodes everything but the unreserved characters of RFC 3986 section 2.3. net/url leaves ":" and "+"
// alone in places where some applications do not.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// spaced puts gap between groups of four characters.
func spaced(text, gap string) string {
	var b strings.Builder
	for i := range len(text) {
		if i > 0 && i%4 == 0 {
			b.WriteString(gap)
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
