// Package kmstest serves a stand-in of Cloud Key Management Service on an in-process wire, for tests: the real client
// speaks to it. What it answers is the test's own.
package kmstest

import (
	"context"
	"net"
	"testing"

	api "cloud.google.com/go/kms/apiv1"
	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"ostiary.internal/shared/platform/cloudkms"
)

// Serve serves until the test ends, and returns how a client connects.
func Serve(t testing.TB, service kmspb.KeyManagementServiceServer) cloudkms.Connect {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	kmspb.RegisterKeyManagementServiceServer(server, service)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return func(ctx context.Context) (*api.KeyManagementClient, error) {
		conn, err := grpc.NewClient("passthrough:///kms",
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return api.NewKeyManagementClient(ctx, option.WithGRPCConn(conn))
	}
}
