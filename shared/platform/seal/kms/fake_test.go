package kms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/platform/cloudkms"
	"ostiary.internal/shared/platform/cloudkms/kmstest"
)

const testKey = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"

// service behaves as the reference documents Encrypt and Decrypt of a symmetric key; the knobs below make it
// misbehave at the wire.
type service struct {
	kmspb.UnimplementedKeyManagementServiceServer

	mu        sync.Mutex
	versions  []cipher.AEAD
	unchecked int // requests that came without a checksum

	fail      error                        // answer every call so
	onEncrypt func(*kmspb.EncryptResponse) // spoil the reply on the wire
	onDecrypt func(*kmspb.DecryptResponse)
	onRequest func(checksum **wrapperspb.Int64Value) // spoil the request's checksum on the wire
	disabled  map[int]bool
}

func (s *service) rotate() {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions = append(s.versions, aead)
}

func (s *service) Encrypt(_ context.Context, r *kmspb.EncryptRequest) (*kmspb.EncryptResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.GetPlaintextCrc32C() == nil || r.GetAdditionalAuthenticatedDataCrc32C() == nil {
		s.unchecked++
	}
	if s.onRequest != nil {
		s.onRequest(&r.PlaintextCrc32C)
	}
	primary := len(s.versions)
	switch {
	case s.fail != nil:
		return nil, s.fail
	case r.GetName() != testKey:
		return nil, status.Errorf(codes.NotFound, "CryptoKey %s not found.", r.GetName())
	case len(r.GetPlaintext()) > 64<<10 || len(r.GetAdditionalAuthenticatedData()) > 64<<10:
		return nil, status.Error(codes.InvalidArgument, "too large")
	case wrong(r.GetPlaintextCrc32C(), r.GetPlaintext()), wrong(r.GetAdditionalAuthenticatedDataCrc32C(), r.GetAdditionalAuthenticatedData()):
		return nil, status.Error(codes.InvalidArgument, "The checksum in field plaintext_crc32c did not match.")
	case s.disabled[primary]:
		return nil, status.Error(codes.FailedPrecondition, "the primary version is not enabled")
	}
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce)
	ciphertext := append([]byte{byte(primary)}, nonce...)
	ciphertext = s.versions[primary-1].Seal(ciphertext, nonce, r.GetPlaintext(), r.GetAdditionalAuthenticatedData())
	reply := &kmspb.EncryptResponse{
		Name:                    fmt.Sprintf("%s/cryptoKeyVersions/%d", testKey, primary),
		Ciphertext:              ciphertext,
		CiphertextCrc32C:        cloudkms.Checksum(ciphertext),
		VerifiedPlaintextCrc32C: r.GetPlaintextCrc32C() != nil,
		VerifiedAdditionalAuthenticatedDataCrc32C: r.GetAdditionalAuthenticatedDataCrc32C() != nil,
	}
	if s.onEncrypt != nil {
		s.onEncrypt(reply)
	}
	return reply, nil
}

func (s *service) Decrypt(_ context.Context, r *kmspb.DecryptRequest) (*kmspb.DecryptResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.GetCiphertextCrc32C() == nil || r.GetAdditionalAuthenticatedDataCrc32C() == nil {
		s.unchecked++
	}
	if s.onRequest != nil {
		s.onRequest(&r.CiphertextCrc32C)
	}
	ciphertext := r.GetCiphertext()
	switch {
	case s.fail != nil:
		return nil, s.fail
	case r.GetName() != testKey:
		return nil, status.Errorf(codes.NotFound, "CryptoKey %s not found.", r.GetName())
	case wrong(r.GetCiphertextCrc32C(), ciphertext), wrong(r.GetAdditionalAuthenticatedDataCrc32C(), r.GetAdditionalAuthenticatedData()):
		return nil, status.Error(codes.InvalidArgument, "The checksum in field ciphertext_crc32c did not match.")
	case len(ciphertext) < 13 || int(ciphertext[0]) > len(s.versions) || ciphertext[0] == 0:
		return nil, status.Error(codes.InvalidArgument, "Decryption failed: the ciphertext is invalid.")
	case s.disabled[int(ciphertext[0])]:
		return nil, status.Error(codes.FailedPrecondition, "the version is not enabled")
	}
	plaintext, err := s.versions[ciphertext[0]-1].Open(nil, ciphertext[1:13], ciphertext[13:], r.GetAdditionalAuthenticatedData())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
	}
	reply := &kmspb.DecryptResponse{
		Plaintext:       plaintext,
		PlaintextCrc32C: cloudkms.Checksum(plaintext),
		UsedPrimary:     int(ciphertext[0]) == len(s.versions),
	}
	if s.onDecrypt != nil {
		s.onDecrypt(reply)
	}
	return reply, nil
}

func wrong(sum *wrapperspb.Int64Value, data []byte) bool {
	return sum != nil && !cloudkms.Matches(sum, data)
}

// start serves s on an in-process wire and returns keys whose real client speaks to it.
func start(t *testing.T, s *service, name string) *Keys {
	t.Helper()
	if len(s.versions) == 0 {
		s.rotate()
	}
	keys, err := New(name, kmstest.Serve(t, s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	return keys
}

func otherKey() string { return strings.Replace(testKey, "cryptoKeys/k", "cryptoKeys/other", 1) }
