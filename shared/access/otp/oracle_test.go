package otp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"testing"
	"time"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// reference is RFC 4226 section 5.3 written with the standard library's HMAC, as plainly as the text has it.
func reference(algorithm Algorithm, secret []byte, step uint64, digits int) string {
	newHash := map[Algorithm]func() hash.Hash{SHA1: sha1.New, SHA256: sha256.New, SHA512: sha512.New}[algorithm]
	mac := hmac.New(newHash, secret)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:offset+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, number%uint32(math.Pow10(digits)))
}

var librarys = map[Algorithm]pquerna.Algorithm{SHA1: pquerna.AlgorithmSHA1, SHA256: pquerna.AlgorithmSHA256, SHA512: pquerna.AlgorithmSHA512}

// FuzzValue holds our core against the standard library and against the most used Go library.
func FuzzValue(f *testing.F) {
	f.Add([]byte("12345678901234567890"), uint64(1), 0, 6)
	f.Add([]byte("12345678901234567890123456789012"), uint64(1)<<63, 1, 8)
	f.Add([]byte{}, uint64(math.MaxUint64), 2, 7)
	f.Fuzz(func(t *testing.T, secret []byte, step uint64, which, digits int) {
		algorithm := []Algorithm{SHA1, SHA256, SHA512}[uint(which)%3]
		digits = MinDigits + int(uint(digits)%3)
		got := NewKey(algorithm, secret, digits).Value(step)
		if want := reference(algorithm, secret, step, digits); got != want {
			t.Fatalf("%s: %s, the standard library's HMAC gives %s", algorithm, got, want)
		}
		want, err := hotp.GenerateCodeCustom(base32NoPad.EncodeToString(secret), step, hotp.ValidateOpts{
			Digits: pquerna.Digits(digits), Algorithm: librarys[algorithm],
		})
		if err != nil || got != want {
			t.Fatalf("%s: %s, the library gives %s %v", algorithm, got, want, err)
		}
	})
}

// BenchmarkCheck puts the search over the three steps of a phone's window beside the check of the most used Go
// library at the same window. The library answers yes or no and stops at the first match; ours returns the step.
func BenchmarkCheck(b *testing.B) {
	secret := rfcSeeds[SHA1]
	text := base32NoPad.EncodeToString(secret)
	now := time.Unix(1111111109, 0).UTC()
	step := uint64(now.Unix() / Period)
	key := NewKey(SHA1, secret, 6)
	options := totp.ValidateOpts{Period: Period, Skew: 1, Digits: pquerna.DigitsSix, Algorithm: pquerna.AlgorithmSHA1}
	for _, c := range []struct{ name, code string }{{"right", key.Value(step)}, {"late", key.Value(step - 1)}, {"wrong", "000000"}} {
		b.Run(c.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				key.Search(c.code, step-1, step+1)
			}
		})
		b.Run(c.name+"/ours-with-key", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				NewKey(SHA1, secret, 6).Search(c.code, step-1, step+1)
			}
		})
		b.Run(c.name+"/pquerna", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = totp.ValidateCustom(c.code, text, now, options)
			}
		})
	}
}
