package opendsr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// Identity is one identifier of the person, as the controller gives it.
type Identity struct {
	Type   IdentityType `json:"identity_type"`
	Format Format       `json:"identity_format"`
	Value  string       `json:"identity_value"`
}

// digests are the hashed formats. They hide little, and are the specification's choice.
var digests = map[Format]func(string) []byte{
	SHA1:   func(s string) []byte { d := sha1.Sum([]byte(s)); return d[:] },
	MD5:    func(s string) []byte { d := md5.Sum([]byte(s)); return d[:] },
	SHA256: func(s string) []byte { d := sha256.Sum256([]byte(s)); return d[:] },
}

// Matches reports whether the identity is value, which we hold. The specification does not say how a value is
// prepared for hashing, so that both the value as it stands and the trimmed one in small letters count.
func (i Identity) Matches(value string) bool {
	if i.Value == "" || value == "" {
		return false
	}
	digest, hashed := digests[i.Format]
	if !hashed {
		return i.Format == Raw && same(i.Value, value)
	}
	for _, form := range []string{value, strings.ToLower(strings.TrimSpace(value))} {
		if same(i.Value, hex.EncodeToString(digest(form))) {
			return true
		}
	}
	return false
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// wrong says what is the matter with an identity of a known type and format.
func (i Identity) wrong() string {
	if i.Value == "" || len(i.Value) > MaxValueBytes || strings.ContainsFunc(i.Value, control) {
		return "is empty, longer than 1500 bytes or holds a control character"
	}
	digest, hashed := digests[i.Format]
	if !hashed {
		return ""
	}
	raw, err := hex.DecodeString(i.Value)
	if err != nil || len(raw) != len(digest("")) || strings.ToLower(i.Value) != i.Value {
		return "is no digest of that format in small hexadecimal letters"
	}
	return ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
