package sign

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// Algorithms of verifier keys (C2SP signed-note, "Signature types").
const (
	checkpointAlgorithm  = 0x01 // Ed25519 over the note's text
	cosignatureAlgorithm = 0x04 // Ed25519 over a time and the note's text (C2SP tlog-cosignature, v1)
)

// nameForm is stricter than the standard: two names that look alike are one name here.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$`)

// CheckName returns Misconfigured when a name is not fit for a key: up to 255 ASCII letters, digits and . _ / - that
// begin with a letter or a digit.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fault.New(fault.Misconfigured, "a key's name is up to 255 letters, digits and . _ / - without a scheme, such as customer.example/ostiary/evidence")
	}
	return nil
}

// NameOf returns the name of the key that a URL of a signing key gives: its one option, "name".
func NameOf(u *url.URL) (string, error) {
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(options) != 1 || len(options["name"]) != 1 {
		return "", fault.New(fault.Misconfigured, "%s: the URL takes one option, name, the name of the key", u.Scheme)
	}
	return options["name"][0], CheckName(options["name"][0])
}

// publicKey is a verifier key taken apart. It is comparable.
type publicKey struct {
	name      string
	hash      uint32
	algorithm byte
	key       [ed25519.PublicKeySize]byte
}

// parseKey reads NAME+HASH+KEY in its one spelling.
func parseKey(text string) (publicKey, error) {
	wrong := fault.New(fault.Invalid, "not a verifier key of the form NAME+HASH+KEY")
	name, rest, _ := strings.Cut(text, "+")
	hash, encoded, _ := strings.Cut(rest, "+")
	number, err := strconv.ParseUint(hash, 16, 32)
	raw, encodingErr := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || encodingErr != nil || !nameForm.MatchString(name) || len(raw) != 1+ed25519.PublicKeySize {
		return publicKey{}, wrong
	}
	k := publicKey{name: name, hash: uint32(number), algorithm: raw[0], key: [ed25519.PublicKeySize]byte(raw[1:])}
	if k.algorithm != checkpointAlgorithm && k.algorithm != cosignatureAlgorithm {
		return publicKey{}, fault.New(fault.Invalid, "verifier key of %s: algorithm %d is not known", name, k.algorithm)
	}
	if k.hash != newKey(name, k.algorithm, k.key).hash || k.String() != text {
		return publicKey{}, wrong
	}
	return k, nil
}

// newKey computes the key's hash: the first four bytes of SHA-256 over the name, a newline, the algorithm and the key.
func newKey(name string, algorithm byte, key [ed25519.PublicKeySize]byte) publicKey {
	sum := sha256.Sum256(append(append([]byte(name+"\n"), algorithm), key[:]...))
	return publicKey{name, binary.BigEndian.Uint32(sum[:]), algorithm, key}
}

// String is the text form of the key.
func (k publicKey) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.hash, base64.StdEncoding.EncodeToString(append([]byte{k.algorithm}, k.key[:]...)))
}

// VerifierKey is the text form NAME+HASH+KEY of the public key of a log (C2SP signed-note). A name that is not fit is
// Misconfigured.
func VerifierKey(name string, key ed25519.PublicKey) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if len(key) != ed25519.PublicKeySize {
		return "", fault.New(fault.Misconfigured, "the public key of %s has %d bytes, not %d", name, len(key), ed25519.PublicKeySize)
	}
	return newKey(name, checkpointAlgorithm, [ed25519.PublicKeySize]byte(key)).String(), nil
}

// WitnessKey is the verifier key of a witness that cosigns by the same key a signer has: the same public key, marked as
// one of cosignatures, so that neither kind of signature passes for the other.
func WitnessKey(verifier string) (string, error) {
	k, err := parseKey(verifier)
	if err != nil {
		return "", err
	}
	return newKey(k.name, cosignatureAlgorithm, k.key).String(), nil
}

// KeyHash is the eight hexadecimal digits that name a verifier key in signatures and records; Invalid when it is no
// verifier key.
func KeyHash(verifier string) (string, error) {
	k, err := parseKey(verifier)
	return fmt.Sprintf("%08x", k.hash), err
}
