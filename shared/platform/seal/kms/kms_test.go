package kms

import (
	"context"
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

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/sealtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	sealtest.Run(t, func(t *testing.T) sealtest.Service {
		fake := &service{}
		keys := start(t, fake, testKey)
		t.Cleanup(func() {
			if fake.unchecked > 0 {
				t.Errorf("%d requests came without a checksum", fake.unchecked)
			}
		})
		return sealtest.Service{Keys: keys, Rotate: func(*testing.T) { fake.rotate() }}
	})
}

func TestVersionComesFromTheReply(t *testing.T) {
	t.Parallel()
	fake := &service{}
	keys := start(t, fake, testKey)
	fake.rotate()
	_, version, err := keys.Wrap(t.Context(), make([]byte, 32), []byte("place"))
	if want := testKey + "/cryptoKeyVersions/2"; err != nil || version != want {
		t.Errorf("version %q, %v; want %q", version, err, want)
	}
}

func TestDamageOnTheWireIsTransient(t *testing.T) {
	t.Parallel()
	off := func(sum **wrapperspb.Int64Value) { *sum = wrapperspb.Int64((*sum).GetValue() ^ 1) }
	for name, fake := range map[string]*service{
		"request checksum":              {onRequest: off},
		"ciphertext altered":            {onEncrypt: func(r *kmspb.EncryptResponse) { r.Ciphertext[3] ^= 1 }},
		"ciphertext checksum altered":   {onEncrypt: func(r *kmspb.EncryptResponse) { off(&r.CiphertextCrc32C) }},
		"ciphertext checksum missing":   {onEncrypt: func(r *kmspb.EncryptResponse) { r.CiphertextCrc32C = nil }},
		"plaintext checksum not seen":   {onEncrypt: func(r *kmspb.EncryptResponse) { r.VerifiedPlaintextCrc32C = false }},
		"binding's checksum not seen":   {onEncrypt: func(r *kmspb.EncryptResponse) { r.VerifiedAdditionalAuthenticatedDataCrc32C = false }},
		"plaintext altered":             {onDecrypt: func(r *kmspb.DecryptResponse) { r.Plaintext[3] ^= 1 }},
		"plaintext checksum altered":    {onDecrypt: func(r *kmspb.DecryptResponse) { off(&r.PlaintextCrc32C) }},
		"plaintext checksum missing":    {onDecrypt: func(r *kmspb.DecryptResponse) { r.PlaintextCrc32C = nil }},
		"unavailable":                   {fail: status.Error(codes.Unavailable, "try later")},
		"quota":                         {fail: status.Error(codes.ResourceExhausted, "quota")},
		"internal error of the service": {fail: status.Error(codes.Internal, "internal")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The client repeats an unavailable service until the deadline.
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			keys := start(t, fake, testKey)
			wrapped, _, err := keys.Wrap(ctx, make([]byte, 32), []byte("place"))
			if err == nil {
				_, err = keys.Unwrap(ctx, wrapped, []byte("place"))
			}
			if !fault.Is(err, fault.Transient) {
				t.Errorf("%v (%s), want transient", err, fault.KindOf(err))
			}
		})
	}
}

func TestRefusalsHaveKinds(t *testing.T) {
	t.Parallel()
	good := start(t, &service{}, testKey)
	wrapped, _, err := good.Wrap(t.Context(), make([]byte, 32), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		fake         *service
		key          string
		wrap, unwrap fault.Kind
	}{
		"no right":        {&service{fail: status.Error(codes.PermissionDenied, "denied")}, testKey, fault.Denied, fault.Denied},
		"no identity":     {&service{fail: status.Error(codes.Unauthenticated, "who")}, testKey, fault.Denied, fault.Denied},
		"no such key":     {&service{}, otherKey(), fault.Misconfigured, fault.Misconfigured},
		"disabled":        {&service{disabled: map[int]bool{1: true}}, testKey, fault.Misconfigured, fault.Misconfigured},
		"wrapped by none": {&service{fail: status.Error(codes.InvalidArgument, "Decryption failed")}, testKey, fault.Misconfigured, fault.Invalid},
		"another version": {&service{onEncrypt: func(r *kmspb.EncryptResponse) { r.Name = otherKey() + "/cryptoKeyVersions/1" }}, testKey, fault.Misconfigured, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := start(t, test.fake, test.key)
			if _, _, err := keys.Wrap(t.Context(), make([]byte, 32), []byte("place")); !fault.Is(err, test.wrap) {
				t.Errorf("Wrap: %v (%s), want %s", err, fault.KindOf(err), test.wrap)
			}
			if _, err := keys.Unwrap(t.Context(), wrapped, []byte("place")); !fault.Is(err, test.unwrap) {
				t.Errorf("Unwrap: %v (%s), want %s", err, fault.KindOf(err), test.unwrap)
			}
		})
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"kms://" + testKey:                              true,
		"kms://" + testKey + "/cryptoKeyVersions/1":     false,
		"kms://" + testKey + "?version=latest":          false,
		"kms://user@" + testKey:                         false,
		"kms://projects/p/keyRings/r/cryptoKeys/k":      false,
		"kms:" + testKey:                                false,
		"kms://projects/p/locations/l/keyRings/r/keys/": false,
	} {
		keys, err := seal.Drivers.Open(t.Context(), raw, seal.Options{})
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if ok {
			if err := keys.Close(); err != nil { // nothing was connected yet, and closing must not connect
				t.Error(err)
			}
		}
	}
}

func TestConnectsAtFirstUseAndAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	keys, err := New(testKey, func(context.Context) (*api.KeyManagementClient, error) {
		tries.Add(1)
		return nil, errors.New("no credentials yet")
	})
	if err != nil || tries.Load() != 0 {
		t.Fatalf("New connected %d times, %v", tries.Load(), err)
	}
	for want := int32(1); want <= 2; want++ {
		if _, _, err := keys.Wrap(t.Context(), make([]byte, 32), []byte("p")); !fault.Is(err, fault.Transient) || tries.Load() != want {
			t.Errorf("try %d: %v", tries.Load(), err)
		}
	}
}

func TestErrorsHideTheKey(t *testing.T) {
	t.Parallel()
	keys := start(t, &service{onEncrypt: func(r *kmspb.EncryptResponse) { r.Ciphertext[3] ^= 1 }}, testKey)
	_, _, err := keys.Wrap(t.Context(), []byte("this-is-a-plain-data-key-32-byte"), []byte("person-17"))
	if err == nil || strings.Contains(err.Error(), "data-key") || strings.Contains(err.Error(), "person-17") {
		t.Errorf("the error shows too much: %v", err)
	}
}
