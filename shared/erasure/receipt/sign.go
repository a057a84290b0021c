package receipt

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// signedReceipt is what a person gets: the receipt and who signed it.
type signedReceipt struct {
	Receipt    Receipt     `json:"receipt"`
	Signatures []signature `json:"signatures"`
}

// signature is one Ed25519 signature. Key is the hash of the verifier key, sign.KeyHash, and Name the key's name.
type signature struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	Signature []byte `json:"signature"`
}

// maxSignatures bounds the work of reading a receipt.
const maxSignatures = 10

// statement is what a key signs: short whatever the receipt's length, and nothing that a signer of a log ever signs.
func statement(canonical []byte) []byte {
	return []byte("ostiary erasure receipt v1\nsha256:" + digest(canonical) + "\n")
}

// Sign signs a receipt by each key in turn and returns the file that a person gets, the same for the same keys. A
// signature that does not verify by the signer's own key is Misconfigured and goes nowhere, as are no key and one twice.
// Errors of the signers are returned as they are.
func Sign(ctx context.Context, r Receipt, signers ...sign.Signer) ([]byte, error) {
	canonical, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	if len(signers) == 0 || len(signers) > maxSignatures {
		return nil, fault.New(fault.Misconfigured, "signing a receipt: %d keys, 1 to %d are allowed", len(signers), maxSignatures)
	}
	out, text := signedReceipt{Receipt: r}, statement(canonical)
	for _, signer := range signers {
		verifier, err := signer.Verifier(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the public key of %s: %w", signer.Name(), err)
		}
		hash, err := sign.KeyHash(verifier)
		if err != nil {
			return nil, fault.New(fault.Misconfigured, "signing a receipt by %s: %w", signer.Name(), err)
		}
		made, err := signer.Sign(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("signing a receipt by %s: %w", signer.Name(), err)
		}
		s := signature{hash, signer.Name(), made}
		if !good(verifier, text, made) || slices.ContainsFunc(out.Signatures, s.sameKey) {
			return nil, fault.New(fault.Misconfigured, "signing a receipt by %s: the signature does not verify by its public key, or the key is there twice", signer.Name())
		}
		out.Signatures = append(out.Signatures, s)
	}
	return encode(out)
}

func (s signature) sameKey(o signature) bool { return s.Name == o.Name && s.Key == o.Key }

// good reports whether a signature over text verifies by a key in the text form NAME+HASH+KEY, which somebody has checked
// to be one of Ed25519.
func good(verifier string, text, signature []byte) bool {
	parts := strings.SplitN(verifier, "+", 3)
	if len(parts) != 3 {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || len(signature) != ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(raw[1:], text, signature)
}
