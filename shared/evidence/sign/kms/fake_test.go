package kms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/platform/cloudkms"
	"ostiary.internal/shared/platform/cloudkms/kmstest"
)

const (
	testVersion = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/evidence/cryptoKeyVersions/1"
	testName    = "customer.example/ostiary/evidence"
)

// service behaves as the reference documents GetPublicKey and AsymmetricSign of an Ed25519 key; the knobs make it
// misbehave at the wire.
type service struct {
	kmspb.UnimplementedKeyManagementServiceServer

	mu                 sync.Mutex
	key                ed25519.PrivateKey
	signed, published  int
	unchecked          int // requests that came without a checksum, or with a digest in place of the text
	failSign, failRead error
	onSign             func(*kmspb.AsymmetricSignResponse)
	onRead             func(*kmspb.PublicKey)
	onRequest          func(checksum **wrapperspb.Int64Value)
}

// GetPublicKey implements the service.
func (s *service) GetPublicKey(_ context.Context, r *kmspb.GetPublicKeyRequest) (*kmspb.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published++
	switch {
	case s.failRead != nil:
		return nil, s.failRead
	case r.GetName() != testVersion:
		return nil, status.Errorf(codes.NotFound, "CryptoKeyVersion %s not found.", r.GetName())
	}
	reply := &kmspb.PublicKey{Name: testVersion, Algorithm: kmspb.CryptoKeyVersion_EC_SIGN_ED25519, Pem: encode(s.key.Public())}
	reply.PemCrc32C = cloudkms.Checksum([]byte(reply.Pem))
	if s.onRead != nil {
		s.onRead(reply)
	}
	return reply, nil
}

// AsymmetricSign implements the service.
func (s *service) AsymmetricSign(_ context.Context, r *kmspb.AsymmetricSignRequest) (*kmspb.AsymmetricSignResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed++
	if r.GetDataCrc32C() == nil || r.GetDigest() != nil {
		s.unchecked++
	}
	if s.onRequest != nil {
		s.onRequest(&r.DataCrc32C)
	}
	switch {
	case s.failSign != nil:
		return nil, s.failSign
	case r.GetName() != testVersion:
		return nil, status.Errorf(codes.NotFound, "CryptoKeyVersion %s not found.", r.GetName())
	case len(r.GetData()) == 0 || len(r.GetData()) > 64<<10:
		return nil, status.Error(codes.InvalidArgument, "data must be set, up to 64 KiB")
	case !cloudkms.Matches(r.GetDataCrc32C(), r.GetData()):
		return nil, status.Error(codes.InvalidArgument, "The checksum in field data_crc32c did not match.")
	}
	signature := ed25519.Sign(s.key, r.GetData())
	reply := &kmspb.AsymmetricSignResponse{Name: testVersion, Signature: signature, SignatureCrc32C: cloudkms.Checksum(signature), VerifiedDataCrc32C: true}
	if s.onSign != nil {
		s.onSign(reply)
	}
	return reply, nil
}

func encode(key crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// otherCurve is a public key of a curve that is not asked for.
func otherCurve() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return encode(key.Public())
}

// start serves s on an in-process wire and returns a signer whose real client speaks to it.
func start(t *testing.T, s *service, version string, wait time.Duration) *Signer {
	t.Helper()
	var err error
	if s.key == nil {
		if _, s.key, err = ed25519.GenerateKey(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	signer, err := New(version, testName, wait, kmstest.Serve(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = signer.Close() })
	return signer
}
