package otp

import (
	"fmt"
	"math"
	"testing"
)

// The seeds of RFC 6238 appendix B: its prose suggests one of 20 bytes, its code uses one as long as the hash.
var rfcSeeds = map[Algorithm][]byte{
	SHA1:   []byte("12345678901234567890"),
	SHA256: []byte("12345678901234567890123456789012"),
	SHA512: []byte("1234567890123456789012345678901234567890123456789012345678901234"),
}

func TestHOTPVectors(t *testing.T) {
	t.Parallel()
	key := NewKey(SHA1, rfcSeeds[SHA1], 6)
	for counter, want := range []struct { // RFC 4226 appendix D
		truncated uint32
		decimal   uint32
		value     string
	}{
		{0x4c93cf18, 1284755224, "755224"}, {0x41397eea, 1094287082, "287082"}, {0x082fef30, 137359152, "359152"},
		{0x66ef7655, 1726969429, "969429"}, {0x61c5938a, 1640338314, "338314"}, {0x33c083d4, 868254676, "254676"},
		{0x7256c032, 1918287922, "287922"}, {0x04e5b397, 82162583, "162583"}, {0x2823443f, 673399871, "399871"},
		{0x2679dc69, 645520489, "520489"},
	} {
		if got := key.Truncated(uint64(counter)); got != want.truncated || got != want.decimal {
			t.Errorf("counter %d truncates to %#x, want %#x", counter, got, want.truncated)
		}
		if got := key.Value(uint64(counter)); got != want.value {
			t.Errorf("counter %d has value %s, want %s", counter, got, want.value)
		}
	}
}

func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct { // RFC 6238 appendix B
		unix                 int64
		step                 uint64
		sha1, sha256, sha512 string
	}{
		{59, 0x1, "94287082", "46119246", "90693936"},
		{1111111109, 0x23523EC, "07081804", "68084774", "25091201"},
		{1111111111, 0x23523ED, "14050471", "67062674", "99943326"},
		{1234567890, 0x273EF07, "89005924", "91819424", "93441116"},
		{2000000000, 0x3F940AA, "69279037", "90698825", "38618901"},
		{20000000000, 0x27BC86AA, "65353130", "77737706", "47863826"},
	} {
		if step := uint64(row.unix / Period); step != row.step {
			t.Errorf("time %d is step %#x, want %#x", row.unix, step, row.step)
		}
		for algorithm, want := range map[Algorithm]string{SHA1: row.sha1, SHA256: row.sha256, SHA512: row.sha512} {
			for digits := MinDigits; digits <= MaxDigits; digits++ {
				key := NewKey(algorithm, rfcSeeds[algorithm], digits)
				if got := key.Value(row.step); got != want[MaxDigits-digits:] {
					t.Errorf("%s at %d with %d digits: %s, want %s", algorithm, row.unix, digits, got, want[MaxDigits-digits:])
				}
			}
		}
	}
}

func TestEqualValuesAndLeadingZeros(t *testing.T) {
	t.Parallel()
	key := NewKey(SHA1, rfcSeeds[SHA1], 6)
	for counter, want := range map[uint64]string{44: "000152", 910737: "911617", 910738: "911617", 153567: "468457", 153569: "468457"} {
		if got := key.Value(counter); got != want {
			t.Errorf("counter %d: %s, want %s", counter, got, want)
		}
	}
	for _, c := range []struct {
		code              string
		first, last, want uint64
	}{
		{"911617", 910736, 910738, 910738},
		{"911617", 910735, 910737, 910737},
		{"468457", 153566, 153569, 153569},
		{"000152", 40, 50, 44},
	} {
		if got, found := key.Search(c.code, c.first, c.last); !found || got != c.want {
			t.Errorf("searching %s in %d..%d: %d %v, want %d", c.code, c.first, c.last, got, found, c.want)
		}
	}
}

func TestSearchEdges(t *testing.T) {
	t.Parallel()
	key := NewKey(SHA1, rfcSeeds[SHA1], 6)
	top := uint64(math.MaxUint64)
	if step, found := key.Search(key.Value(top), top-2, top); !found || step != top {
		t.Errorf("the highest step there is: %d %v", step, found)
	}
	if step, found := key.Search(key.Value(0), 0, 0); !found || step != 0 {
		t.Errorf("step 0: %d %v", step, found)
	}
	for name, c := range map[string]struct {
		code        string
		first, last uint64
	}{
		"empty range": {key.Value(5), 6, 5}, "below": {key.Value(5), 6, 9}, "above": {key.Value(5), 1, 4},
		"short": {key.Value(5)[:5], 5, 5}, "long": {key.Value(5) + "0", 5, 5}, "none": {"", 5, 5},
		"very long": {key.Value(5) + "00000000000000000000", 5, 5}, "with a NUL for a digit": {key.Value(5)[:5] + "\x00", 5, 5},
	} {
		if step, found := key.Search(c.code, c.first, c.last); found || step != 0 {
			t.Errorf("%s: found step %d", name, step)
		}
	}
}

// What stands beside the digits must not count as one: "00001:" is not 20.
func TestOnlyDigitsAreNumbers(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"00001:", "00003/", "\x8000000", "００００20", "00 020", "+00020"} {
		if _, ok := number(code, 6); ok != 0 {
			t.Errorf("%q is read as a number", code)
		}
	}
	if n, ok := number("000020", 6); n != 20 || ok != 1 {
		t.Errorf("000020 is read as %d, %d", n, ok)
	}
}

func TestLongSecretsAreHashedFirst(t *testing.T) {
	t.Parallel()
	for algorithm, block := range map[Algorithm]int{SHA1: 64, SHA256: 64, SHA512: 128} {
		for _, n := range []int{1, block - 1, block, block + 1, 2*block + 3} {
			secret := make([]byte, n)
			for i := range secret {
				secret[i] = byte(i)
			}
			if got, want := NewKey(algorithm, secret, 8).Value(7), reference(algorithm, secret, 7, 8); got != want {
				t.Errorf("%s with a secret of %d bytes: %s, want %s", algorithm, n, got, want)
			}
		}
	}
}

func TestNewKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		algorithm Algorithm
		digits    int
	}{{"MD5", 6}, {"", 6}, {SHA1, 5}, {SHA1, 9}, {SHA1, -1}} {
		if NewKey(c.algorithm, rfcSeeds[SHA1], c.digits) != nil {
			t.Errorf("a key for %q with %d digits", c.algorithm, c.digits)
		}
	}
}

func TestWipe(t *testing.T) {
	t.Parallel()
	key := NewKey(SHA1, rfcSeeds[SHA1], 6)
	before := key.Value(1)
	key.Wipe()
	if key.Value(1) == before {
		t.Error("a wiped key still computes the secret's values")
	}
}

func TestSearchAllocatesNothing(t *testing.T) {
	for algorithm, secret := range rfcSeeds {
		key := NewKey(algorithm, secret, 6)
		if n := testing.AllocsPerRun(100, func() { key.Search("123456", 1000, 1100) }); n != 0 {
			t.Errorf("%s: %v allocations in a search", algorithm, n)
		}
	}
}

// TestSearchLooksAtEverything counts the work by its result: the first, a middle and the last step are all found,
// so no exit is taken before the last. That the comparison itself is constant-time is crypto/subtle's promise.
func TestSearchLooksAtEverything(t *testing.T) {
	t.Parallel()
	key := NewKey(SHA256, rfcSeeds[SHA256], 8)
	for step := uint64(50); step <= 60; step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			if got, found := key.Search(key.Value(step), 50, 60); !found || got != step {
				t.Errorf("found %d %v", got, found)
			}
		})
	}
}
