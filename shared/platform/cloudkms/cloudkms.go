// Package cloudkms is what the clients of Cloud Key Management Service have in common: the connection that is made at the
// first call, the checksum every byte carries over the wire, and what an error of the service means. It makes no call of
// its own, and no key.
package cloudkms

import (
	"context"
	"hash/crc32"
	"strings"
	"time"

	api "cloud.google.com/go/kms/apiv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// CallTimeout ends one call with all the client's own retries.
const CallTimeout = 10 * time.Second

// Connect opens a client.
type Connect func(context.Context) (*api.KeyManagementClient, error)

// Default connects by the credentials of the environment.
func Default(ctx context.Context) (*api.KeyManagementClient, error) {
	return api.NewKeyManagementClient(ctx)
}

// Client is a connection that is made at the first call, and again after it failed. It is safe for concurrent use.
type Client struct {
	value *lazy.Value[*api.KeyManagementClient]
}

// New returns a client that connect makes.
func New(connect Connect) *Client { return &Client{lazy.New(connect)} }

// Get returns the connection; Transient when it cannot be made.
func (c *Client) Get(ctx context.Context) (*api.KeyManagementClient, error) {
	client, err := c.value.Get(ctx)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to the key service: %w", err)
	}
	return client, nil
}

// Close closes the connection, if one was made.
func (c *Client) Close() error { return lazy.Close(c.value) }

// Explain gives an error of the service its kind; refused is the kind of "your argument is wrong".
func Explain(doing, key string, err error, refused fault.Kind) error {
	kind := fault.Transient
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated:
		kind = fault.Denied
	case codes.NotFound, codes.FailedPrecondition, codes.Unimplemented:
		kind = fault.Misconfigured // no such key or version, or it is disabled or destroyed
	case codes.InvalidArgument:
		// A checksum the service found wrong is an argument too, yet sending again mends it.
		if !strings.Contains(strings.ToLower(err.Error()), "crc32c") {
			kind = refused
		}
	}
	return fault.New(kind, "%s by %s: %w", doing, key, err)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC32C of data, as the service's fields have it.
func Checksum(data []byte) *wrapperspb.Int64Value {
	return wrapperspb.Int64(int64(crc32.Checksum(data, castagnoli)))
}

// Matches reports whether a checksum is there, and is that of data.
func Matches(sum *wrapperspb.Int64Value, data []byte) bool {
	return sum != nil && sum.GetValue() == Checksum(data).GetValue()
}
