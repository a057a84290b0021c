package firestore_test

import (
	"context"
	"net"
	"slices"
	"testing"

	"cloud.google.com/go/firestore/apiv1/admin/adminpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/fault"
)

// project answers which databases it has.
type project struct {
	adminpb.UnimplementedFirestoreAdminServer
	answer *adminpb.ListDatabasesResponse
	err    error
}

func (p project) ListDatabases(_ context.Context, q *adminpb.ListDatabasesRequest) (*adminpb.ListDatabasesResponse, error) {
	if q.GetParent() != "projects/p" {
		return nil, status.Error(codes.NotFound, "no such project")
	}
	return p.answer, p.err
}

// TestStores: every database of the project is told; what does not answer as a whole is an error, never a part. A project in
// which Firestore is not switched on has none.
func TestStores(t *testing.T) {
	t.Parallel()
	two := &adminpb.ListDatabasesResponse{Databases: []*adminpb.Database{{Name: "projects/p/databases/main"}, {Name: "projects/p/databases/(default)"}}}
	disabled, err := status.New(codes.PermissionDenied, "it is disabled").WithDetails(&errdetails.ErrorInfo{Reason: "SERVICE_DISABLED"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		project
		limit int
		want  []string
		kind  fault.Kind
	}{
		"two":        {project{answer: two}, 2, []string{"firestore://p/(default)", "firestore://p/main"}, ""},
		"too many":   {project{answer: two}, 1, nil, fault.Exhausted},
		"a part":     {project{answer: &adminpb.ListDatabasesResponse{Databases: two.Databases, Unreachable: []string{"projects/p/locations/x"}}}, 2, nil, fault.Transient},
		"denied":     {project{err: status.Error(codes.PermissionDenied, "no")}, 2, nil, fault.Denied},
		"disabled":   {project{err: disabled.Err()}, 2, nil, ""},
		"overloaded": {project{err: status.Error(codes.ResourceExhausted, "no")}, 2, nil, fault.Exhausted},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		adminpb.RegisterFirestoreAdminServer(server, c.project)
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
		l, err := firestore.NewLister("p", dial(listener.Addr().String(), &erasetest.Wire{})...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Stores(t.Context(), c.limit); !slices.Equal(got, c.want) || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, raw := range []string{"firestore://", "firestore://p/main", "firestore://p?x=1"} {
		if _, err := erasure.Listers.Open(t.Context(), raw, erasure.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
