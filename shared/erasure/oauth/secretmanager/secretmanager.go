// Package secretmanager reads and destroys the secrets of Google Secret Manager in which a product keeps its users' tokens,
// one secret for each connection. Secrets of Ostiary's own are none of its business: they are read through
// platform/secret, and nothing destroys them.
package secretmanager

import (
	"context"
	"hash/crc32"
	"strings"
	"time"

	api "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Permissions names, for each method, the IAM permissions it needs on the secrets of connections; a condition on the names'
// beginning keeps the account from all others.
var Permissions = map[string][]string{
	"Secrets.Read":    {"secretmanager.versions.access"},
	"Secrets.Destroy": {"secretmanager.secrets.delete", "secretmanager.versions.destroy"},
}

// callTimeout ends one call with all the client's own retries.
const callTimeout = 10 * time.Second

// Secrets are the secrets of whatever project a name says. It is safe for concurrent use. No error holds a name, which may
// be a person's.
type Secrets struct{ client *lazy.Value[*api.Client] }

// New returns the secrets; connect runs at the first call, nil for the usual one.
func New(connect func(context.Context) (*api.Client, error)) *Secrets {
	if connect == nil {
		connect = func(ctx context.Context) (*api.Client, error) { return api.NewClient(ctx) }
	}
	return &Secrets{lazy.New(connect)}
}

// versionOf splits a name at its version; "" for none.
func versionOf(name string) (secret, version string) {
	secret, version, _ = strings.Cut(name, "/versions/")
	return secret, version
}

// Read returns what projects/P/secrets/S holds, in its newest version, or projects/P/secrets/S/versions/N. NotFound for what
// is not there, or was destroyed.
func (s *Secrets) Read(ctx context.Context, name string) ([]byte, error) {
	client, err := s.client.Get(ctx)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to Secret Manager: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, version := versionOf(name); version == "" {
		name += "/versions/latest"
	}
	reply, err := client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: name})
	if err != nil {
		return nil, explain("reading", err)
	}
	payload := reply.GetPayload()
	if sum := crc32.Checksum(payload.GetData(), crc32.MakeTable(crc32.Castagnoli)); payload == nil || payload.DataCrc32C == nil || payload.GetDataCrc32C() != int64(sum) {
		return nil, fault.New(fault.Transient, "reading a connection's secret: the value does not match its checksum")
	}
	return payload.GetData(), nil
}

// Destroy deletes a secret with all its versions, at once whatever delay its versions have; of a name with a version, that
// version alone. What is not there is destroyed.
func (s *Secrets) Destroy(ctx context.Context, name string) error {
	client, err := s.client.Get(ctx)
	if err != nil {
		return fault.New(fault.Transient, "connecting to Secret Manager: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, version := versionOf(name); version != "" {
		_, err = client.DestroySecretVersion(ctx, &secretmanagerpb.DestroySecretVersionRequest{Name: name})
	} else {
		err = client.DeleteSecret(ctx, &secretmanagerpb.DeleteSecretRequest{Name: name})
	}
	switch status.Code(err) {
	case codes.OK, codes.NotFound:
		return nil
	case codes.FailedPrecondition: // a version that is destroyed already
		if _, err := s.Read(ctx, name); fault.Is(err, fault.NotFound) {
			return nil
		}
	}
	return explain("destroying", err)
}

// explain classifies an error by its code. Its text names the secret.
func explain(doing string, err error) error {
	kind := fault.Transient
	switch status.Code(err) {
	case codes.NotFound, codes.FailedPrecondition:
		kind = fault.NotFound // a version that is disabled or destroyed gives no value any more
	case codes.PermissionDenied, codes.Unauthenticated:
		kind = fault.Denied
	case codes.InvalidArgument, codes.Unimplemented:
		kind = fault.Misconfigured
	}
	return fault.New(kind, "%s a connection's secret: Secret Manager answers %s", doing, status.Code(err))
}
