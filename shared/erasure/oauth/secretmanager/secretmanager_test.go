package secretmanager_test

import (
	"context"
	"hash/crc32"
	"net"
	"strings"
	"sync"
	"testing"

	api "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"ostiary.internal/shared/erasure/oauth/secretmanager"
	"ostiary.internal/shared/platform/fault"
)

const name = "projects/p/secrets/grant-jo"

// service behaves as the reference documents its methods. A version that was destroyed stays, without its value.
type service struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer

	mu     sync.Mutex
	values map[string][]string // by secret: versions from 1; "" of one that was destroyed
	spoilt bool
	fail   error
}

func (s *service) find(full string) (secret string, i int, err error) {
	if s.fail != nil {
		return "", 0, s.fail
	}
	secret, version, _ := strings.Cut(full, "/versions/")
	all := s.values[secret]
	i = len(all) - 1
	if version != "" && version != "latest" {
		i = int(version[0] - '1')
	}
	if i < 0 || i >= len(all) {
		return "", 0, status.Errorf(codes.NotFound, "Secret [%s] not found", full)
	}
	if all[i] == "" {
		return "", 0, status.Errorf(codes.FailedPrecondition, "Secret Version [%s] is in DESTROYED state", full)
	}
	return secret, i, nil
}

func (s *service) AccessSecretVersion(_ context.Context, r *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, i, err := s.find(r.GetName())
	if err != nil {
		return nil, err
	}
	data := []byte(s.values[secret][i])
	sum := int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	if s.spoilt {
		sum++
	}
	return &secretmanagerpb.AccessSecretVersionResponse{Payload: &secretmanagerpb.SecretPayload{Data: data, DataCrc32C: &sum}}, nil
}

func (s *service) DestroySecretVersion(_ context.Context, r *secretmanagerpb.DestroySecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, i, err := s.find(r.GetName())
	if err != nil {
		return nil, err
	}
	s.values[secret][i] = ""
	return &secretmanagerpb.SecretVersion{Name: r.GetName(), State: secretmanagerpb.SecretVersion_DESTROYED}, nil
}

func (s *service) DeleteSecret(_ context.Context, r *secretmanagerpb.DeleteSecretRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	if _, there := s.values[r.GetName()]; !there {
		return nil, status.Errorf(codes.NotFound, "Secret [%s] not found", r.GetName())
	}
	delete(s.values, r.GetName())
	return &emptypb.Empty{}, nil
}

func open(t *testing.T, s *service) *secretmanager.Secrets {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	secretmanagerpb.RegisterSecretManagerServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return secretmanager.New(func(ctx context.Context) (*api.Client, error) {
		conn, err := grpc.NewClient("passthrough:secretmanager", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
		if err != nil {
			return nil, err
		}
		return api.NewClient(ctx, option.WithGRPCConn(conn))
	})
}

// TestDestroy: a secret goes with all its versions, a version alone; what is gone is gone.
func TestDestroy(t *testing.T) {
	t.Parallel()
	s := &service{values: map[string][]string{name: {"old", "new"}, name + "-2": {"a", "b"}}}
	c := open(t, s)
	for reference, want := range map[string]string{name: "new", name + "/versions/1": "old", name + "-2": "b"} {
		if got, err := c.Read(t.Context(), reference); err != nil || string(got) != want {
			t.Errorf("%s reads %q, %v", reference, got, err)
		}
	}
	for range 2 {
		if err := c.Destroy(t.Context(), name); err != nil {
			t.Error(err)
		}
		if err := c.Destroy(t.Context(), name+"-2/versions/1"); err != nil {
			t.Error(err)
		}
	}
	if len(s.values) != 1 || strings.Join(s.values[name+"-2"], ",") != ",b" {
		t.Errorf("left is %v", s.values)
	}
	if _, err := c.Read(t.Context(), name); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// TestRefusals: what the service says is told by its kind, and without the name.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for code, kind := range map[codes.Code]fault.Kind{
		codes.PermissionDenied: fault.Denied, codes.Internal: fault.Transient, codes.InvalidArgument: fault.Misconfigured,
	} {
		c := open(t, &service{values: map[string][]string{name: {"v"}}, fail: status.Errorf(code, "about %s", name)})
		_, read := c.Read(t.Context(), name)
		for doing, err := range map[string]error{"read": read, "destroyed": c.Destroy(t.Context(), name)} {
			if !fault.Is(err, kind) || strings.Contains(err.Error(), "grant-jo") {
				t.Errorf("%s, %s: %v", doing, code, err)
			}
		}
	}
	c := open(t, &service{values: map[string][]string{name: {"v"}}, spoilt: true})
	if _, err := c.Read(t.Context(), name); !fault.Is(err, fault.Transient) {
		t.Errorf("a value that arrived spoilt: %v", err)
	}
}
