package opendsr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
)

// Identity is one identifier of the person, as the controller gives it.
type Identity struct {
	Type   IdentityType `json:"identity_type"`
	Format Format       `json:"identity_format"`
	Value  string       `json:"identity_value"`
}

// wrong says what is the matter with an identity of a known type and format.
func (i Identity) wrong() string {
	if i.Value == "" || len(i.Value) > MaxValueBytes || strings.ContainsFunc(i.Value, control) {
		return "is empty, longer than 1500 bytes or holds a control character"
	}
	if digest, err := hex.DecodeString(i.Value); i.Format != Raw && (err != nil || len(digest) != len(i.Format.sum(""))) {
		return "is no digest of its format in hexadecimal digits"
	}
	return ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// Tells reports whether a digest of the format, in hexadecimal digits of either case, is that of a value: as it stands, or
// without white space at both ends and in small letters. How much of a digest is right the time it takes does not tell.
// It is false for Raw.
func (f Format) Tells(digest, value string) bool {
	if f == Raw || !slices.Contains(Formats, f) {
		return false
	}
	given, err := hex.DecodeString(digest)
	asIs, prepared := f.sum(value), f.sum(strings.ToLower(strings.TrimSpace(value)))
	return err == nil && subtle.ConstantTimeCompare(given, asIs)|subtle.ConstantTimeCompare(given, prepared) == 1
}

// sum is the digest of a text. That SHA-1 and MD5 are broken does not matter for finding who is meant, but for two values
// of one digest: whoever uses Tells counts what it finds.
func (f Format) sum(text string) []byte {
	switch f {
	case SHA1:
		sum := sha1.Sum([]byte(text))
		return sum[:]
	case MD5:
		sum := md5.Sum([]byte(text))
		return sum[:]
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
