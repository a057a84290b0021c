package firestore_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore"
)

// server speaks enough of Firestore's protocol to fail where a test wants it to. It keeps nothing: every document
// is absent, but for the one a test gives it.
type server struct {
	pb.UnimplementedFirestoreServer
	rolledBack chan struct{} // closed by the first rollback, where it is set
	document   *pb.Document  // what every read and query finds, under the name asked for; nil: nothing

	mu       sync.Mutex
	failures map[string][]error // by method: of the calls to come; nil lets a call pass
	forever  map[string]error   // by method: of each call after those
	calls    []string           // methods in order; commits with what each write asks for
}

// serve returns a store that talks to the server.
func (s *server) serve(t *testing.T, schema store.Schema) store.Store {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	pb.RegisterFirestoreServer(g, s)
	go func() { _ = g.Serve(listener) }()
	t.Cleanup(g.Stop)
	opened, err := firestore.New("project", "control",
		store.Options{Schema: schema, Clock: clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))},
		option.WithEndpoint(listener.Addr().String()), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// fail records the call and says how it fails.
func (s *server) fail(method string, asks ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(append(s.calls, method), asks...)
	if left := s.failures[method]; len(left) > 0 {
		s.failures[method] = left[1:]
		return left[0]
	}
	return s.forever[method]
}

func (s *server) count(method string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		if call == method {
			n++
		}
	}
	return n
}

func (s *server) BatchGetDocuments(r *pb.BatchGetDocumentsRequest, stream pb.Firestore_BatchGetDocumentsServer) error {
	if err := s.fail("BatchGetDocuments"); err != nil {
		return err
	}
	for _, name := range r.Documents {
		answer := &pb.BatchGetDocumentsResponse{ReadTime: timestamppb.Now(), Result: &pb.BatchGetDocumentsResponse_Missing{Missing: name}}
		if s.document != nil {
			answer.Result = &pb.BatchGetDocumentsResponse_Found{Found: s.found(name)}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) found(name string) *pb.Document {
	return &pb.Document{Name: name, Fields: s.document.Fields, CreateTime: timestamppb.Now(), UpdateTime: timestamppb.Now()}
}

func (s *server) RunQuery(r *pb.RunQueryRequest, stream pb.Firestore_RunQueryServer) error {
	if err := s.fail("RunQuery"); err != nil {
		return err
	}
	if s.document == nil || r.GetStructuredQuery().GetStartAt() != nil { // nothing comes behind the one document
		return stream.Send(&pb.RunQueryResponse{ReadTime: timestamppb.Now()})
	}
	return stream.Send(&pb.RunQueryResponse{ReadTime: timestamppb.Now(), Document: s.found(r.Parent + "/things/a")})
}

func (s *server) BeginTransaction(context.Context, *pb.BeginTransactionRequest) (*pb.BeginTransactionResponse, error) {
	if err := s.fail("BeginTransaction"); err != nil {
		return nil, err
	}
	return &pb.BeginTransactionResponse{Transaction: []byte("transaction")}, nil
}

func (s *server) Rollback(context.Context, *pb.RollbackRequest) (*emptypb.Empty, error) {
	if s.rolledBack != nil {
		close(s.rolledBack)
	}
	return &emptypb.Empty{}, s.fail("Rollback")
}

func (s *server) Commit(_ context.Context, r *pb.CommitRequest) (*pb.CommitResponse, error) {
	answer := &pb.CommitResponse{CommitTime: timestamppb.Now()}
	var asks []string
	for _, w := range r.Writes {
		asks = append(asks, asked(w))
		answer.WriteResults = append(answer.WriteResults, &pb.WriteResult{UpdateTime: timestamppb.Now()})
	}
	if err := s.fail("Commit", asks...); err != nil {
		return nil, err
	}
	return answer, nil
}

// asked names a write as Google's table of required permissions does.
func asked(w *pb.Write) string {
	exists, conditional := w.GetCurrentDocument().GetConditionType().(*pb.Precondition_Exists)
	switch {
	case w.GetDelete() != "":
		return "delete"
	case !conditional:
		return "update with no precondition"
	case exists.Exists:
		return "update of an existing document"
	}
	return "update of an absent document"
}

func failing(code codes.Code, message string) error { return status.Error(code, message) }
