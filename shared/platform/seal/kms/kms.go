// Package kms wraps data keys by a symmetric key of Cloud Key Management Service. The wrapping key never leaves the
// service; every byte that crosses the wire is checked against a CRC32C in both directions. It makes no keys and
// sets no rotation: Terraform does.
package kms

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"cloud.google.com/go/kms/apiv1/kmspb"

	"ostiary.internal/shared/platform/cloudkms"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the key. A function that only seals gets the first
// alone, and cannot read what it wrote.
var Permissions = map[string][]string{
	"Keys.Wrap":   {"cloudkms.cryptoKeyVersions.useToEncrypt"},
	"Keys.Unwrap": {"cloudkms.cryptoKeyVersions.useToDecrypt"},
}

var keyName = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)

func init() {
	seal.Drivers.Register("kms", func(_ context.Context, u *url.URL, _ seal.Options) (seal.Keys, error) {
		if u.RawQuery != "" || u.User != nil {
			return nil, fault.New(fault.Misconfigured, "kms: the URL takes no user and no options")
		}
		return New(u.Host+u.Path, cloudkms.Default)
	})
}

// Keys wraps by the primary version of one key.
type Keys struct {
	name   string
	client *cloudkms.Client
}

// New returns the keys wrapped by the key called name, projects/P/locations/L/keyRings/R/cryptoKeys/K; another
// form, a pinned version included, is Misconfigured. connect runs at the first call.
func New(name string, connect cloudkms.Connect) (*Keys, error) {
	if !keyName.MatchString(name) {
		return nil, fault.New(fault.Misconfigured, "kms: %q is not projects/P/locations/L/keyRings/R/cryptoKeys/K", name)
	}
	return &Keys{name: name, client: cloudkms.New(connect)}, nil
}

// Wrap encrypts the data key by the primary version, whose full name it returns.
func (k *Keys) Wrap(ctx context.Context, dataKey, bound []byte) ([]byte, string, error) {
	client, err := k.client.Get(ctx)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, cloudkms.CallTimeout)
	defer cancel()
	reply, err := client.Encrypt(ctx, &kmspb.EncryptRequest{
		Name:                              k.name,
		Plaintext:                         dataKey,
		PlaintextCrc32C:                   cloudkms.Checksum(dataKey),
		AdditionalAuthenticatedData:       bound,
		AdditionalAuthenticatedDataCrc32C: cloudkms.Checksum(bound),
	})
	if err != nil {
		return nil, "", cloudkms.Explain("encrypting", k.name, err, fault.Misconfigured)
	}
	switch {
	case !reply.GetVerifiedPlaintextCrc32C() || !reply.GetVerifiedAdditionalAuthenticatedDataCrc32C():
		return nil, "", fault.New(fault.Transient, "encrypting by %s: the service did not verify what it received", k.name)
	case !cloudkms.Matches(reply.GetCiphertextCrc32C(), reply.GetCiphertext()):
		return nil, "", fault.New(fault.Transient, "encrypting by %s: the reply's checksum does not match", k.name)
	case !strings.HasPrefix(reply.GetName(), k.name+"/cryptoKeyVersions/"):
		return nil, "", fault.New(fault.Misconfigured, "encrypting by %s: answered by %q", k.name, reply.GetName())
	}
	return reply.GetCiphertext(), reply.GetName(), nil
}

// Unwrap decrypts a data key by whichever version of the key wrapped it.
func (k *Keys) Unwrap(ctx context.Context, wrapped, bound []byte) ([]byte, error) {
	client, err := k.client.Get(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cloudkms.CallTimeout)
	defer cancel()
	reply, err := client.Decrypt(ctx, &kmspb.DecryptRequest{
		Name:                              k.name,
		Ciphertext:                        wrapped,
		CiphertextCrc32C:                  cloudkms.Checksum(wrapped),
		AdditionalAuthenticatedData:       bound,
		AdditionalAuthenticatedDataCrc32C: cloudkms.Checksum(bound),
	})
	if err != nil {
		return nil, cloudkms.Explain("decrypting", k.name, err, fault.Invalid)
	}
	if !cloudkms.Matches(reply.GetPlaintextCrc32C(), reply.GetPlaintext()) {
		seal.Wipe(reply.GetPlaintext())
		return nil, fault.New(fault.Transient, "decrypting by %s: the reply's checksum does not match", k.name)
	}
	return reply.GetPlaintext(), nil
}

// Close closes the connection, if one was made.
func (k *Keys) Close() error { return k.client.Close() }
