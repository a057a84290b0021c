package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"

	"ostiary.internal/shared/platform/fault"
)

// idBytes is how much of the hash names a record: 160 bits, 32 letters.
const idBytes = 20

// leastSaltBytes is the least length of a salt: without one, all of IPv4 is guessed in minutes.
const leastSaltBytes = 16

// ID returns the record's name: 32 letters and digits of base32, from the control, the event's digest, the kind and
// the promises. It is the same on every retry, and can be checked from the record alone.
func (r Record) ID() string {
	var parts []byte
	for _, part := range append([]string{r.Control, r.Source.Event, string(r.Kind)}, sorted(r.Promises)...) {
		parts = framed(parts, part)
	}
	sum := sha256.Sum256(parts)
	return base32Small.EncodeToString(sum[:idBytes])
}

// Digest returns "sha256:" and the hash in hexadecimal. It hides nothing that can be guessed.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Commitment returns "hmac:" and an HMAC-SHA256 over kind and value, in base32. Equal salts make equal values
// recognisable; without the salt a commitment says nothing, so erasing the salt erases the link. A salt is secret
// and at least 16 random bytes; with a shorter one the answer is "", which no record accepts.
func Commitment(salt []byte, kind, value string) string {
	if len(salt) < leastSaltBytes {
		return ""
	}
	h := hmac.New(sha256.New, salt)
	h.Write(framed(framed(nil, kind), value))
	return "hmac:" + base32Small.EncodeToString(h.Sum(nil))
}

// framed appends a part behind its length, so that no two lists of parts look alike.
func framed(parts []byte, part string) []byte {
	return append(binary.BigEndian.AppendUint64(parts, uint64(len(part))), part...)
}

// base32Small is the base32 of RFC 4648, section 6, in small letters and without padding.
var base32Small = base32.NewEncoding(coded).WithPadding(base32.NoPadding)

// CheckObject tells whether an inbox may take an object: the id is a safe file name (lower-case letters, digits, _
// and -, at most 128, beginning with a letter or digit), the data is not empty and at most MaxBytes. Otherwise
// Invalid. Every Inbox calls it, so that all refuse alike.
func CheckObject(id string, data []byte) error {
	if !nameForm.MatchString(id) {
		return fault.New(fault.Invalid, "evidence inbox: the id is not a safe file name")
	}
	if len(data) == 0 || len(data) > MaxBytes {
		return fault.New(fault.Invalid, "evidence inbox: object %s has %d bytes, allowed are 1 to %d", id, len(data), MaxBytes)
	}
	return nil
}
