package opendsr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/textproto"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
)

// leastRSA is the shortest RSA key that signs or is believed, in bits (NIST SP 800-57 part 1, until 2030).
const leastRSA = 2048

// Signer signs what a processor answers, with the key of the certificate it publishes.
type Signer struct {
	Domain string // of the processor
	Chain  []byte // the certificate and those between it and its authority, in PEM: what discovery points to
	leaf   *x509.Certificate
	key    crypto.Signer
}

// NewSigner reads a chain of certificates in PEM with the key of the first, for a domain. Misconfigured: it is none, its key
// may not sign, or it names another domain.
func NewSigner(bundle []byte, domain string) (*Signer, error) {
	pair, err := tls.X509KeyPair(bundle, bundle)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading the certificate that answers are signed with: no chain of certificates in PEM with the key of the first")
	}
	s := &Signer{Domain: domain, leaf: pair.Leaf}
	var may bool
	if s.key, may = pair.PrivateKey.(crypto.Signer); !may || !usable(s.key.Public()) || s.leaf.VerifyHostname(domain) != nil {
		return nil, fault.New(fault.Misconfigured, "reading the certificate that answers are signed with: its key is neither RSA of at least %d bits nor ECDSA on P-256, or it does not name %s", leastRSA, domain)
	}
	for _, der := range pair.Certificate {
		s.Chain = append(s.Chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return s, nil
}

// Valid is Misconfigured when the certificate is not valid at now: nobody would believe what is signed.
func (s *Signer) Valid(now time.Time) error {
	if now.Before(s.leaf.NotBefore) || !now.Before(s.leaf.NotAfter) {
		return fault.New(fault.Misconfigured, "signing an answer: the certificate is valid from %s to %s", s.leaf.NotBefore.Format(time.DateOnly), s.leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// Sign puts on the two headers that sign a body. Errors: those of Valid, and of the key.
func (s *Signer) Sign(h map[string][]string, random io.Reader, v Version, body []byte, now time.Time) error {
	if err := s.Valid(now); err != nil {
		return err
	}
	signature, err := Sign(random, s.key, body)
	if err != nil {
		return err
	}
	domain, header := Headers(v)
	h[textproto.CanonicalMIMEHeaderKey(domain)], h[textproto.CanonicalMIMEHeaderKey(header)] = []string{s.Domain}, []string{signature}
	return nil
}

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
