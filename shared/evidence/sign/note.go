package sign

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ostiary.internal/shared/platform/fault"
)

// MaxNote is the largest signed note, in bytes: a checkpoint with a hundred signatures has fewer than 16 KiB.
const MaxNote = 64 << 10

// maxSignatures bounds the work of reading a note.
const maxSignatures = 100

const (
	separator = "\n\n"
	dash      = "— "
)

// Note signs text, which ends with a newline, by each signer in turn (C2SP signed-note). A signature that does not
// verify by the signer's own key is Misconfigured and goes nowhere. Errors of the signers are returned as they are.
func Note(ctx context.Context, text string, signers ...Signer) ([]byte, error) {
	if len(signers) == 0 {
		return nil, fault.New(fault.Misconfigured, "signing a note: there is no key")
	}
	if err := checkText(text); err != nil {
		return nil, err
	}
	note := []byte(text + "\n")
	var used []publicKey
	for _, s := range signers {
		verifier, err := s.Verifier(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the public key of %s: %w", s.Name(), err)
		}
		key, err := parseKey(verifier)
		if err != nil || slices.Contains(used, key) {
			return nil, fault.New(fault.Misconfigured, "signing by %s: its verifier key is malformed, or there twice", s.Name())
		}
		used = append(used, key)
		signature, err := s.Sign(ctx, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("signing by %s: %w", s.Name(), err)
		}
		if key.algorithm != checkpointAlgorithm || !ed25519.Verify(key.key[:], []byte(text), signature) {
			return nil, fault.New(fault.Misconfigured, "signing by %s: the signature does not verify by its public key", s.Name())
		}
		note = append(note, line(key, signature)...)
	}
	return note, nil
}

// Cosign adds a witness's signature to a signed note: it saw, at that time, that the checkpoint extends every other one
// it saw of the log (C2SP tlog-cosignature, v1). An older signature of the same key is replaced. What the witness has to
// make sure of before, it does not do.
func Cosign(ctx context.Context, note []byte, at time.Time, witness Signer) ([]byte, error) {
	n, err := parseNote(note)
	if err != nil {
		return nil, err
	}
	verifier, err := witness.Verifier(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the public key of %s: %w", witness.Name(), err)
	}
	key, err := parseKey(verifier)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "cosigning by %s: its verifier key is malformed", witness.Name())
	}
	key = newKey(key.name, cosignatureAlgorithm, key.key)
	signature, err := witness.Sign(ctx, cosigned(n.text, at.Unix()))
	if err != nil {
		return nil, fmt.Errorf("cosigning by %s: %w", witness.Name(), err)
	}
	stamped := append(binary.BigEndian.AppendUint64(nil, uint64(at.Unix())), signature...)
	if at.Unix() < 0 || !key.verify(n.text, stamped) {
		return nil, fault.New(fault.Misconfigured, "cosigning by %s: the signature does not verify by its public key", witness.Name())
	}
	out := []byte(n.text + "\n")
	for _, s := range n.signatures {
		if s.name != key.name || s.hash != key.hash {
			out = append(out, line(publicKey{name: s.name, hash: s.hash}, s.bytes)...)
		}
	}
	out = append(out, line(key, stamped)...)
	if _, err := parseNote(out); err != nil { // one line more may be one too many to be read again
		return nil, err
	}
	return out, nil
}

// cosigned is what a witness signs.
func cosigned(text string, at int64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// line is one signature of a note.
func line(key publicKey, signature []byte) string {
	return dash + key.name + " " + base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(nil, key.hash), signature...)) + "\n"
}

// endOfTime is the first second, of those since 1970, that four digits for the year do not write (RFC 3339, section 1).
const endOfTime = 253402300800

// verify reports whether a signature of the key's own kind is good.
func (k publicKey) verify(text string, signature []byte) bool {
	if k.algorithm == checkpointAlgorithm {
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(k.key[:], []byte(text), signature)
	}
	const stamp = 8
	if len(signature) != stamp+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	return at < endOfTime && ed25519.Verify(k.key[:], cosigned(text, int64(at)), signature[stamp:])
}

// signature is one line of a note: what it says, not yet that it is true.
type signature struct {
	name  string
	hash  uint32
	bytes []byte
}

type note struct {
	text       string
	signatures []signature
}

// parseNote takes a note apart. There is one spelling of a note: base64 with stray bits, a signature line twice and
// names beyond ASCII are refused, where the standard would read them one way or another.
func parseNote(data []byte) (note, error) {
	at := bytes.LastIndex(data, []byte(separator))
	if len(data) > MaxNote || at < 0 {
		return note{}, malformed("a note is a text, an empty line and signatures, %d bytes at most", MaxNote)
	}
	n := note{text: string(data[:at+1])}
	if err := checkText(n.text); err != nil {
		return note{}, err
	}
	block := string(data[at+len(separator):])
	if !strings.HasSuffix(block, "\n") {
		return note{}, malformed("a note ends with a signature and a newline")
	}
	lines := strings.Split(strings.TrimSuffix(block, "\n"), "\n")
	if len(lines) > maxSignatures {
		return note{}, malformed("a note has no more than %d signatures", maxSignatures)
	}
	for i, l := range lines {
		rest, ok := strings.CutPrefix(l, dash)
		name, encoded, spaced := strings.Cut(rest, " ")
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		// The decoder skips line ends: what it read has to be written as it stood there.
		if !ok || !spaced || err != nil || base64.StdEncoding.EncodeToString(raw) != encoded || !nameForm.MatchString(name) || len(raw) < 5 {
			return note{}, malformed("signature %d is malformed", i+1)
		}
		s := signature{name, binary.BigEndian.Uint32(raw), raw[4:]}
		if slices.ContainsFunc(n.signatures, func(o signature) bool { return o.name == s.name && o.hash == s.hash }) {
			return note{}, malformed("signature %d is the second of its key", i+1)
		}
		n.signatures = append(n.signatures, s)
	}
	return n, nil
}

// checkText refuses what may not be the text of a note: bytes that are not UTF-8, control characters, an end without a
// newline.
func checkText(text string) error {
	bad := func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }
	if !strings.HasSuffix(text, "\n") || !utf8.ValidString(text) || strings.ContainsFunc(text, bad) || len(text) > MaxNote/2 {
		return malformed("the text of a note is UTF-8 without control characters, %d bytes at most, and ends with a newline", MaxNote/2)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return &fault.Error{Kind: fault.Invalid, Err: fmt.Errorf("%w: %w", ErrMalformed, fmt.Errorf(format, args...))}
}
