package otp

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
)

// Algorithm names the hash under the HMAC (RFC 6238 section 1.2). It is stored, hence a string.
type Algorithm string

// The three algorithms. SHA1 is the default: several phone applications silently ignore the other two.
const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
	SHA512 Algorithm = "SHA512"
)

// Size returns the hash's output in bytes, which is the length of a generated secret (RFC 6238 section 5.1),
// or 0 for an unknown algorithm.
func (a Algorithm) Size() int {
	switch a {
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	}
	return 0
}

// The digits a code may have (RFC 4226 requirement R4).
const (
	MinDigits = 6
	MaxDigits = 8
)

// Period is the length of a time step in seconds (RFC 6238 section 4.1, X), counted from the Unix epoch.
const Period = 30

// Key computes the values of one secret. The HMAC key schedule is laid out once, so that looking through a
// window of steps allocates nothing. It is not safe for concurrent use and must be wiped.
type Key struct {
	algorithm Algorithm
	digits    int
	// Room for block || message: the pads stay, the message behind them changes with each step.
	inner [sha512.BlockSize + 8]byte
	outer [sha512.BlockSize + sha512.Size]byte
}

// NewKey lays out secret for the algorithm (RFC 2104 section 2). An unknown algorithm or a number of digits
// outside MinDigits to MaxDigits yields nil: those are checked where a secret is stored.
func NewKey(algorithm Algorithm, secret []byte, digits int) *Key {
	if algorithm.Size() == 0 || digits < MinDigits || digits > MaxDigits {
		return nil
	}
	k := &Key{algorithm: algorithm, digits: digits}
	block := k.block()
	pad := k.inner[:block]
	if len(secret) > block {
		k.shorten(pad, secret)
	} else {
		copy(pad, secret)
	}
	subtle.XORBytes(k.outer[:block], pad, opad[:])
	subtle.XORBytes(pad, pad, ipad[:])
	return k
}

// The constants of RFC 2104 section 2, as long as the longest block.
var ipad, opad = filled(0x36), filled(0x5c)

func filled(b byte) (pad [sha512.BlockSize]byte) {
	for i := range pad {
		pad[i] = b
	}
	return pad
}

func (k *Key) block() int {
	if k.algorithm == SHA512 {
		return sha512.BlockSize
	}
	return sha256.BlockSize // and SHA-1's
}

func (k *Key) shorten(into, secret []byte) {
	switch k.algorithm {
	case SHA1:
		sum := sha1.Sum(secret)
		copy(into, sum[:])
	case SHA256:
		sum := sha256.Sum256(secret)
		copy(into, sum[:])
	case SHA512:
		sum := sha512.Sum512(secret)
		copy(into, sum[:])
	}
}

// Wipe overwrites the key schedule; the Key then computes nothing of use.
func (k *Key) Wipe() {
	clear(k.inner[:])
	clear(k.outer[:])
}

// Truncated returns the 31-bit number of a step before it is cut to digits (RFC 4226 section 5.3, Snum).
func (k *Key) Truncated(step uint64) uint32 {
	block := k.block()
	binary.BigEndian.PutUint64(k.inner[block:], step)
	message := k.inner[:block+8]
	switch k.algorithm {
	case SHA1:
		sum := sha1.Sum(message)
		copy(k.outer[block:], sum[:])
		sum = sha1.Sum(k.outer[:block+sha1.Size])
		return truncate(sum[:])
	case SHA256:
		sum := sha256.Sum256(message)
		copy(k.outer[block:], sum[:])
		sum = sha256.Sum256(k.outer[:block+sha256.Size])
		return truncate(sum[:])
	default:
		sum := sha512.Sum512(message)
		copy(k.outer[block:], sum[:])
		sum = sha512.Sum512(k.outer[:block+sha512.Size])
		return truncate(sum[:])
	}
}

// truncate is the dynamic truncation of RFC 4226 section 5.3: four bytes at the offset that the last nibble
// names, the top bit masked.
func truncate(sum []byte) uint32 {
	offset := sum[len(sum)-1] & 0xf
	return binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
}

// Value returns the code of a step, with its leading zeros (RFC 4226 section 5.3).
func (k *Key) Value(step uint64) string {
	var text [MaxDigits]byte
	n := k.code(step)
	for i := k.digits - 1; i >= 0; i-- {
		text[i] = '0' + byte(n%10)
		n /= 10
	}
	return string(text[:k.digits])
}

// code is the value of a step as a number (RFC 4226 section 5.3, D).
func (k *Key) code(step uint64) int32 { return int32(k.Truncated(step) % powers[k.digits]) }

// Search looks for code among the steps first to last, both included, and returns the highest that carries it:
// the one to consume (RFC 6238 section 5.2). Every step is computed and compared in constant time, so the time
// taken tells nothing about which one matched. An empty range, or a code of another length, matches nothing.
func (k *Key) Search(code string, first, last uint64) (step uint64, found bool) {
	if first > last {
		return 0, false
	}
	given, readable := number(code, k.digits)
	hit := 0
	for s := first; ; s++ {
		equal := subtle.ConstantTimeEq(k.code(s), given) & readable
		mask := -uint64(equal)
		step = step&^mask | s&mask
		hit |= equal
		if s == last { // not in the loop's head: last may be the highest number there is
			return step, hit == 1
		}
	}
}

// powers of ten, by digits.
var powers = [MaxDigits + 1]uint32{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}

// number reads a code of so many digits in a time that does not depend on them; ok is 0 when it is none.
func number(code string, digits int) (n int32, ok int) {
	ok = subtle.ConstantTimeEq(int32(len(code)), int32(digits))
	for i := range min(len(code), digits) {
		ok &= subtle.ConstantTimeLessOrEq('0', int(code[i])) & subtle.ConstantTimeLessOrEq(int(code[i]), '9')
		n = n*10 + int32(code[i]) - '0'
	}
	return n, ok
}
