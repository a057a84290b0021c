package opendsr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// leastRSA is the shortest RSA key that signs or is believed, in bits (NIST SP 800-57 part 1, until 2030).
const leastRSA = 2048

// Headers names the two headers of a signed message: the processor's domain and the signature.
func Headers(v Version) (domain, signature string) {
	if v == V1 {
		return "X-OpenGDPR-Processor-Domain", "X-OpenGDPR-Signature"
	}
	return "X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"
}

// Sign returns the signature of a body as its header carries it. key is the one of the published certificate:
// RSA of at least 2048 bits, or ECDSA on P-256; any other is Misconfigured.
func Sign(random io.Reader, key crypto.Signer, body []byte) (string, error) {
	if !usable(key.Public()) {
		return "", fault.New(fault.Misconfigured, "signing an answer: the key is neither RSA of at least %d bits nor ECDSA on P-256", leastRSA)
	}
	digest := sha256.Sum256(body)
	signature, err := key.Sign(random, digest[:], crypto.SHA256)
	if err != nil {
		return "", fault.New(fault.Transient, "signing an answer: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// Verify reports whether a header's signature of the raw body was made by the key. Base64 is read strictly: one line,
// padded.
func Verify(key crypto.PublicKey, body []byte, header string) bool {
	signature, err := base64.StdEncoding.Strict().DecodeString(header)
	if err != nil || !usable(key) || strings.ContainsAny(header, "\r\n") { // which the decoder passes over
		return false
	}
	digest := sha256.Sum256(body)
	switch k := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], signature) == nil ||
			rsa.VerifyPSS(k, crypto.SHA256, digest[:], signature, nil) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, digest[:], signature)
	}
	return false
}

func usable(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= leastRSA
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256()
	}
	return false
}
