package kms

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	api "cloud.google.com/go/kms/apiv1"
	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/cloudkms"
	"ostiary.internal/shared/platform/fault"
)

// TestSigns: a checkpoint signed by the service verifies by the service's public key, which is asked for once.
func TestSigns(t *testing.T) {
	t.Parallel()
	fake := &service{}
	signer := start(t, fake, testVersion, 0)
	key, err := signer.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := sign.VerifierKey(testName, fake.key.Public().(ed25519.PublicKey))
	if err != nil || key != want || signer.Name() != testName {
		t.Errorf("verifier key %q of %q, want %q (%v)", key, signer.Name(), want, err)
	}
	trust := sign.Trust{V: 1, Origin: testName, Keys: []sign.TrustedKey{{Key: key}}}
	for size := range int64(3) {
		data, err := sign.Note(t.Context(), sign.Checkpoint{Origin: testName, Size: size}.Text(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := trust.Verify(data); err != nil || got.Size != size {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if fake.signed != 3 || fake.published != 1 || fake.unchecked != 0 {
		t.Errorf("%d signatures, %d public keys, %d requests unchecked", fake.signed, fake.published, fake.unchecked)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	off := func(sum **wrapperspb.Int64Value) { *sum = wrapperspb.Int64((*sum).GetValue() ^ 1) }
	onSign := func(change func(*kmspb.AsymmetricSignResponse)) *service { return &service{onSign: change} }
	onRead := func(change func(*kmspb.PublicKey)) *service { return &service{onRead: change} }
	pem := func(text string) *service {
		return onRead(func(k *kmspb.PublicKey) { k.Pem, k.PemCrc32C = text, cloudkms.Checksum([]byte(text)) })
	}
	for name, test := range map[string]struct {
		fake    *service
		version string
		kind    fault.Kind
	}{
		"request checksum":           {&service{onRequest: off}, testVersion, fault.Transient},
		"checksum not verified":      {onSign(func(r *kmspb.AsymmetricSignResponse) { r.VerifiedDataCrc32C = false }), testVersion, fault.Transient},
		"signature altered":          {onSign(func(r *kmspb.AsymmetricSignResponse) { r.Signature[3] ^= 1 }), testVersion, fault.Transient},
		"signature checksum missing": {onSign(func(r *kmspb.AsymmetricSignResponse) { r.SignatureCrc32C = nil }), testVersion, fault.Transient},
		"signature of something else": {onSign(func(r *kmspb.AsymmetricSignResponse) {
			r.Signature[3] ^= 1
			r.SignatureCrc32C = cloudkms.Checksum(r.Signature)
		}), testVersion, fault.Misconfigured},
		"signature too short": {onSign(func(r *kmspb.AsymmetricSignResponse) {
			r.Signature = r.Signature[:63]
			r.SignatureCrc32C = cloudkms.Checksum(r.Signature)
		}), testVersion, fault.Misconfigured},
		"another version signs":          {onSign(func(r *kmspb.AsymmetricSignResponse) { r.Name += "0" }), testVersion, fault.Misconfigured},
		"public key altered":             {onRead(func(k *kmspb.PublicKey) { k.Pem += " " }), testVersion, fault.Transient},
		"public key checksum missing":    {onRead(func(k *kmspb.PublicKey) { k.PemCrc32C = nil }), testVersion, fault.Transient},
		"another version answers":        {onRead(func(k *kmspb.PublicKey) { k.Name += "0" }), testVersion, fault.Misconfigured},
		"another algorithm":              {onRead(func(k *kmspb.PublicKey) { k.Algorithm = kmspb.CryptoKeyVersion_EC_SIGN_P256_SHA256 }), testVersion, fault.Misconfigured},
		"another curve":                  {pem(otherCurve()), testVersion, fault.Misconfigured},
		"no PEM":                         {pem("hello"), testVersion, fault.Misconfigured},
		"no key in the PEM":              {pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), testVersion, fault.Misconfigured},
		"no such version":                {&service{}, testVersion + "7", fault.Misconfigured},
		"no right to sign":               {&service{failSign: status.Error(codes.PermissionDenied, "denied")}, testVersion, fault.Denied},
		"no right to read the key":       {&service{failRead: status.Error(codes.PermissionDenied, "denied")}, testVersion, fault.Denied},
		"disabled":                       {&service{failSign: status.Error(codes.FailedPrecondition, "not enabled")}, testVersion, fault.Misconfigured},
		"wrong argument":                 {&service{failSign: status.Error(codes.InvalidArgument, "digest expected")}, testVersion, fault.Misconfigured},
		"unavailable":                    {&service{failRead: status.Error(codes.Unavailable, "try later")}, testVersion, fault.Transient},
		"internal error":                 {&service{failSign: status.Error(codes.Internal, "internal")}, testVersion, fault.Transient},
		"quota":                          {&service{failSign: status.Error(codes.ResourceExhausted, "quota")}, testVersion, fault.Transient},
		"unavailable while signing":      {&service{failSign: status.Error(codes.Unavailable, "try later")}, testVersion, fault.Transient},
		"no identity":                    {&service{failRead: status.Error(codes.Unauthenticated, "who")}, testVersion, fault.Denied},
		"the service knows no such call": {&service{failSign: status.Error(codes.Unimplemented, "unknown")}, testVersion, fault.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The client repeats an unavailable service until the deadline.
			signer := start(t, test.fake, test.version, 300*time.Millisecond)
			if got, err := signer.Sign(t.Context(), []byte("the plain text\n")); !fault.Is(err, test.kind) || got != nil || strings.Contains(err.Error(), "plain") {
				t.Errorf("%v (%s), want %s", err, fault.KindOf(err), test.kind)
			}
		})
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"gcpkms://" + testVersion + "?name=" + testName:                                    true,
		"gcpkms://" + testVersion:                                                          false,
		"gcpkms://" + testVersion + "?name=a&more=b":                                       false,
		"gcpkms://" + testVersion + "?name=a%20b":                                          false,
		"gcpkms://user@" + testVersion + "?name=a":                                         false,
		"gcpkms:" + testVersion + "?name=a":                                                false,
		"gcpkms://" + strings.TrimSuffix(testVersion, "/cryptoKeyVersions/1") + "?name=a":  false,
		"gcpkms://" + strings.TrimSuffix(testVersion, "1") + "latest?name=" + testName:     false,
		"gcpkms://projects/p/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1?name=" + testName: false,
	} {
		signer, err := sign.Signers.Open(t.Context(), raw, sign.Options{})
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if ok {
			if err := signer.Close(); err != nil { // nothing was connected yet, and closing must not connect
				t.Error(err)
			}
		}
	}
}

func TestConnectsAtFirstUseAndAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	signer, err := New(testVersion, testName, 0, func(context.Context) (*api.KeyManagementClient, error) {
		tries.Add(1)
		return nil, errors.New("no credentials yet")
	})
	if err != nil || tries.Load() != 0 {
		t.Fatalf("New connected %d times, %v", tries.Load(), err)
	}
	for want := int32(1); want <= 2; want++ {
		if _, err := signer.Verifier(t.Context()); !fault.Is(err, fault.Transient) || tries.Load() != want {
			t.Errorf("try %d: %v", tries.Load(), err)
		}
	}
}
