// Package kms signs by an Ed25519 key of Cloud Key Management Service. The private key never leaves the service, nor
// can the signer destroy it; every byte that crosses the wire is checked against a CRC32C in both directions, and every
// signature against the public key. It makes no keys and sets no rotation: Terraform does.
package kms

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"regexp"
	"time"

	"cloud.google.com/go/kms/apiv1/kmspb"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/cloudkms"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the key. Signing alone is not enough:
// what was signed is verified before it is handed out.
var Permissions = map[string][]string{
	"Signer.Verifier": {"cloudkms.cryptoKeyVersions.viewPublicKey"},
	"Signer.Sign":     {"cloudkms.cryptoKeyVersions.useToSign", "cloudkms.cryptoKeyVersions.viewPublicKey"},
}

var versionName = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[1-9][0-9]*$`)

func init() {
	sign.Signers.Register("gcpkms", func(_ context.Context, u *url.URL, o sign.Options) (sign.Signer, error) {
		name, err := sign.NameOf(u)
		if err != nil {
			return nil, err
		}
		if u.User != nil {
			return nil, fault.New(fault.Misconfigured, "gcpkms: the URL takes no user")
		}
		return New(u.Host+u.Path, name, o.Wait, cloudkms.Default)
	})
}

// Signer signs by one version of a key. The algorithm of the version must be EC_SIGN_ED25519, which takes the text as
// it is.
type Signer struct {
	version, name string
	wait          time.Duration
	client        *cloudkms.Client
	public        *lazy.Value[ed25519.PublicKey]
}

// New returns the signer of a version, projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N, under the
// key name of the log; another form is Misconfigured. wait bounds each call, 10 s for zero. connect runs at the first
// call.
func New(version, name string, wait time.Duration, connect cloudkms.Connect) (*Signer, error) {
	if !versionName.MatchString(version) {
		return nil, fault.New(fault.Misconfigured, "gcpkms: %q is not projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N", version)
	}
	if err := sign.CheckName(name); err != nil {
		return nil, err
	}
	if wait <= 0 {
		wait = cloudkms.CallTimeout
	}
	s := &Signer{version: version, name: name, wait: wait, client: cloudkms.New(connect)}
	s.public = lazy.New(s.fetch)
	return s, nil
}

// Name implements sign.Signer.
func (s *Signer) Name() string { return s.name }

// Verifier implements sign.Signer. A version never changes its key: it is asked for once.
func (s *Signer) Verifier(ctx context.Context) (string, error) {
	key, err := s.public.Get(ctx)
	if err != nil {
		return "", err
	}
	return sign.VerifierKey(s.name, key)
}

// Sign implements sign.Signer.
func (s *Signer) Sign(ctx context.Context, text []byte) ([]byte, error) {
	key, err := s.public.Get(ctx)
	if err != nil {
		return nil, err
	}
	client, err := s.client.Get(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	reply, err := client.AsymmetricSign(ctx, &kmspb.AsymmetricSignRequest{Name: s.version, Data: text, DataCrc32C: cloudkms.Checksum(text)})
	if err != nil {
		return nil, cloudkms.Explain("signing", s.version, err, fault.Misconfigured)
	}
	switch {
	case !reply.GetVerifiedDataCrc32C():
		return nil, fault.New(fault.Transient, "signing by %s: the service did not verify what it received", s.version)
	case !cloudkms.Matches(reply.GetSignatureCrc32C(), reply.GetSignature()):
		return nil, fault.New(fault.Transient, "signing by %s: the reply's checksum does not match", s.version)
	case reply.GetName() != s.version:
		return nil, fault.New(fault.Misconfigured, "signing by %s: answered by %q", s.version, reply.GetName())
	case len(reply.GetSignature()) != ed25519.SignatureSize || !ed25519.Verify(key, text, reply.GetSignature()):
		return nil, fault.New(fault.Misconfigured, "signing by %s: the signature does not verify by its public key", s.version)
	}
	return reply.GetSignature(), nil
}

// fetch asks for the public key.
func (s *Signer) fetch(ctx context.Context) (ed25519.PublicKey, error) {
	client, err := s.client.Get(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	reply, err := client.GetPublicKey(ctx, &kmspb.GetPublicKeyRequest{Name: s.version})
	if err != nil {
		return nil, cloudkms.Explain("reading the public key", s.version, err, fault.Misconfigured)
	}
	switch {
	case !cloudkms.Matches(reply.GetPemCrc32C(), []byte(reply.GetPem())):
		return nil, fault.New(fault.Transient, "reading the public key of %s: the reply's checksum does not match", s.version)
	case reply.GetName() != s.version:
		return nil, fault.New(fault.Misconfigured, "reading the public key of %s: answered by %q", s.version, reply.GetName())
	case reply.GetAlgorithm() != kmspb.CryptoKeyVersion_EC_SIGN_ED25519:
		return nil, fault.New(fault.Misconfigured, "reading the public key of %s: its algorithm is %s, not EC_SIGN_ED25519", s.version, reply.GetAlgorithm())
	}
	block, _ := pem.Decode([]byte(reply.GetPem()))
	if block == nil {
		return nil, fault.New(fault.Misconfigured, "reading the public key of %s: no PEM block", s.version)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, "reading the public key of %s: %w", s.version, err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fault.New(fault.Misconfigured, "reading the public key of %s: not an Ed25519 key", s.version)
	}
	return key, nil
}

// Close closes the connection, if one was made.
func (s *Signer) Close() error { return s.client.Close() }
