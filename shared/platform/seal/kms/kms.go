// Package kms wraps data keys by a symmetric key of Cloud Key Management Service. The wrapping key never leaves the
// service; every byte that crosses the wire is checked against a CRC32C in both directions. It makes no keys and
// sets no rotation: Terraform does.
package kms

import (
	"context"
	"hash/crc32"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	api "cloud.google.com/go/kms/apiv1"
	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
	"ostiary.internal/shared/platform/seal"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the key. A function that only seals gets the first
// alone, and cannot read what it wrote.
var Permissions = map[string][]string{
	"Keys.Wrap":   {"cloudkms.cryptoKeyVersions.useToEncrypt"},
	"Keys.Unwrap": {"cloudkms.cryptoKeyVersions.useToDecrypt"},
}

// callTimeout ends one call with all the client's own retries.
const callTimeout = 10 * time.Second

var keyName = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)

func init() {
	seal.Drivers.Register("kms", func(_ context.Context, u *url.URL, _ seal.Options) (seal.Keys, error) {
		if u.RawQuery != "" || u.User != nil {
			return nil, fault.New(fault.Misconfigured, "kms: the URL takes no user and no options")
		}
		return New(u.Host+u.Path, func(ctx context.Context) (*api.KeyManagementClient, error) {
			return api.NewKeyManagementClient(ctx)
		})
	})
}

// Keys wraps by the primary version of one key.
type Keys struct {
	name   string
	client *lazy.Value[*api.KeyManagementClient]
	made   atomic.Pointer[api.KeyManagementClient] // for Close, which must not connect
}

// New returns the keys wrapped by the key called name, projects/P/locations/L/keyRings/R/cryptoKeys/K; another
// form, a pinned version included, is Misconfigured. connect runs at the first call.
func New(name string, connect func(context.Context) (*api.KeyManagementClient, error)) (*Keys, error) {
	if !keyName.MatchString(name) {
		return nil, fault.New(fault.Misconfigured, "kms: %q is not projects/P/locations/L/keyRings/R/cryptoKeys/K", name)
	}
	return &Keys{name: name, client: lazy.New(connect)}, nil
}

// Wrap encrypts the data key by the primary version, whose full name it returns.
func (k *Keys) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	client, err := k.connect(ctx)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := client.Encrypt(ctx, &kmspb.EncryptRequest{
		Name:                              k.name,
		Plaintext:                         dataKey,
		PlaintextCrc32C:                   checksum(dataKey),
		AdditionalAuthenticatedData:       bound,
		AdditionalAuthenticatedDataCrc32C: checksum(bound),
	})
	if err != nil {
		return nil, "", k.explain("encrypting", err, fault.Misconfigured)
	}
	switch {
	case !reply.GetVerifiedPlaintextCrc32C() || !reply.GetVerifiedAdditionalAuthenticatedDataCrc32C():
		return nil, "", fault.New(fault.Transient, "encrypting by %s: the service did not verify what it received", k.name)
	case !matches(reply.GetCiphertextCrc32C(), reply.GetCiphertext()):
		return nil, "", fault.New(fault.Transient, "encrypting by %s: the reply's checksum does not match", k.name)
	case !strings.HasPrefix(reply.GetName(), k.name+"/cryptoKeyVersions/"):
		return nil, "", fault.New(fault.Misconfigured, "encrypting by %s: answered by %q", k.name, reply.GetName())
	}
	return reply.GetCiphertext(), reply.GetName(), nil
}

// Unwrap decrypts a data key by whichever version of the key wrapped it.
func (k *Keys) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	client, err := k.connect(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	reply, err := client.Decrypt(ctx, &kmspb.DecryptRequest{
		Name:                              k.name,
		Ciphertext:                        wrapped,
		CiphertextCrc32C:                  checksum(wrapped),
		AdditionalAuthenticatedData:       bound,
		AdditionalAuthenticatedDataCrc32C: checksum(bound),
	})
	if err != nil {
		return nil, k.explain("decrypting", err, fault.Invalid)
	}
	if !matches(reply.GetPlaintextCrc32C(), reply.GetPlaintext()) {
		seal.Wipe(reply.GetPlaintext())
		return nil, fault.New(fault.Transient, "decrypting by %s: the reply's checksum does not match", k.name)
	}
	return reply.GetPlaintext(), nil
}

// Close closes the connection, if one was made.
func (k *Keys) Close() error {
	if client := k.made.Load(); client != nil {
		return client.Close()
	}
	return nil
}

func (k *Keys) connect(ctx context.Context) (*api.KeyManagementClient, error) {
	client, err := k.client.Get(ctx)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to the key service: %w", err)
	}
	k.made.Store(client)
	return client, nil
}

// explain gives an error of the service its kind; refused is the kind of "your argument is wrong".
func (k *Keys) explain(doing string, err error, refused fault.Kind) error {
	kind := fault.Transient
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated:
		kind = fault.Denied
	case codes.NotFound, codes.FailedPrecondition, codes.Unimplemented:
		kind = fault.Misconfigured // no such key, or its version is disabled or destroyed
	case codes.InvalidArgument:
		// A checksum the service found wrong is an argument too, yet sending again mends it.
		if !strings.Contains(strings.ToLower(err.Error()), "crc32c") {
			kind = refused
		}
	}
	return fault.New(kind, "%s by %s: %w", doing, k.name, err)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(data []byte) *wrapperspb.Int64Value {
	return wrapperspb.Int64(int64(crc32.Checksum(data, castagnoli)))
}

func matches(sum *wrapperspb.Int64Value, data []byte) bool {
	return sum != nil && sum.GetValue() == checksum(data).GetValue()
}
