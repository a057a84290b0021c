package firestore_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/grpc/codes"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/store"
)

var plain = store.Schema{{Name: "things", Indexes: []store.Index{{"rank"}}}, {Name: "passing", Expires: true}}

type thing struct {
	V int `json:"v"`
}

func createA(tx store.Tx) error { return tx.Create("things", "a", thing{1}) }

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	type call func(context.Context, store.Store) error
	get := func(ctx context.Context, s store.Store) error { return s.Get(ctx, "things", "secret-id", &thing{}) }
	query := func(ctx context.Context, s store.Store) error {
		_, err := s.Query(ctx, store.Query{Collection: "things", Range: &store.Range{Name: "rank"}, Limit: 1})
		return err
	}
	commit := func(ctx context.Context, s store.Store) error {
		return s.Tx(ctx, func(tx store.Tx) error { return tx.Create("things", "secret-id", thing{1}) })
	}
	for name, c := range map[string]struct {
		method string
		err    error
		call   call
		want   fault.Kind
	}{
		"read, unavailable":        {"BatchGetDocuments", failing(codes.Unavailable, "try later"), get, fault.Transient},
		"read, too slow":           {"BatchGetDocuments", failing(codes.DeadlineExceeded, "too slow"), get, fault.Transient},
		"read, quota":              {"BatchGetDocuments", failing(codes.ResourceExhausted, "quota"), get, fault.Transient},
		"read, denied":             {"BatchGetDocuments", failing(codes.PermissionDenied, "no right"), get, fault.Denied},
		"read, unauthenticated":    {"BatchGetDocuments", failing(codes.Unauthenticated, "who"), get, fault.Denied},
		"read, no database":        {"BatchGetDocuments", failing(codes.NotFound, "The database control does not exist"), get, fault.Misconfigured},
		"read, another protocol":   {"BatchGetDocuments", failing(codes.Unimplemented, "no such method"), get, fault.Misconfigured},
		"query, no index":          {"RunQuery", failing(codes.FailedPrecondition, "The query requires an index"), query, fault.Misconfigured},
		"query, unavailable":       {"RunQuery", failing(codes.Unavailable, "try later"), query, fault.Transient},
		"begin, no database":       {"BeginTransaction", failing(codes.NotFound, "no such database"), commit, fault.Misconfigured},
		"begin, denied":            {"BeginTransaction", failing(codes.PermissionDenied, "no right"), commit, fault.Denied},
		"commit, exists":           {"Commit", failing(codes.AlreadyExists, "things/secret-id"), commit, fault.Conflict},
		"commit, refused":          {"Commit", failing(codes.InvalidArgument, "things/secret-id"), commit, fault.Invalid},
		"commit, expired":          {"Commit", failing(codes.InvalidArgument, "The referenced transaction has expired"), commit, fault.Transient},
		"commit, too slow":         {"Commit", failing(codes.DeadlineExceeded, "too slow"), commit, fault.Transient},
		"commit, unavailable":      {"Commit", failing(codes.Unavailable, "try later"), commit, fault.Transient},
		"commit, internal trouble": {"Commit", failing(codes.Internal, "trouble"), commit, fault.Transient},
		"commit, denied":           {"Commit", failing(codes.PermissionDenied, "no right"), commit, fault.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &server{forever: map[string]error{c.method: c.err}}
			s := server.serve(t, plain)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // the client retries some for ever
			defer cancel()
			err := c.call(ctx, s)
			if !fault.Is(err, c.want) {
				t.Errorf("error %v of kind %q; want %q", err, fault.KindOf(err), c.want)
			}
			if strings.Contains(fmt.Sprint(err), "secret-id") {
				t.Errorf("the error names the document: %v", err)
			}
		})
	}
}

func TestAPassingFailureIsRetried(t *testing.T) {
	t.Parallel()
	server := &server{failures: map[string][]error{
		"BeginTransaction": {failing(codes.Unavailable, "try later")},
		"Commit":           {failing(codes.Unavailable, "try later"), failing(codes.Aborted, "lost"), nil},
	}}
	s := server.serve(t, plain)
	runs := 0
	if err := s.Tx(t.Context(), func(tx store.Tx) error {
		runs++
		if err := tx.Get("things", "a", &thing{}); !fault.Is(err, fault.NotFound) {
			return err
		}
		return createA(tx)
	}); err != nil {
		t.Fatal(err)
	}
	if runs != 2 || server.count("Commit") != 3 {
		t.Errorf("the body ran %d times for %d commits; want 2, 3", runs, server.count("Commit"))
	}
}

func TestAnAbortedReadRunsTheBodyAgain(t *testing.T) {
	t.Parallel()
	for name, goOn := range map[string]bool{"and the body reports it": false, "and the body ignores it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &server{failures: map[string][]error{"BatchGetDocuments": {failing(codes.Aborted, "lost")}}}
			s := server.serve(t, plain)
			runs := 0
			if err := s.Tx(t.Context(), func(tx store.Tx) error {
				runs++
				if err := tx.Get("things", "a", &thing{}); err != nil && !fault.Is(err, fault.NotFound) && !goOn {
					return fmt.Errorf("deciding: %w", err)
				}
				return createA(tx)
			}); err != nil {
				t.Fatal(err)
			}
			if runs != 2 || server.count("Commit") != 1 {
				t.Errorf("the body ran %d times for %d commits; want 2, 1", runs, server.count("Commit"))
			}
		})
	}
}

func TestTheBodysOwnErrorIsNeverRetried(t *testing.T) {
	t.Parallel()
	server := &server{}
	s := server.serve(t, plain)
	foreign, runs := failing(codes.Aborted, "of another service"), 0
	err := s.Tx(t.Context(), func(tx store.Tx) error { runs++; return foreign })
	if err != foreign || runs != 1 || server.count("Commit") != 0 || server.count("Rollback") != 1 {
		t.Errorf("the transaction returned %v after %d runs, calls %q", err, runs, server.calls)
	}
}

// TestAPanicRollsBack: left open, the transaction would keep its documents locked.
func TestAPanicRollsBack(t *testing.T) {
	t.Parallel()
	rolledBack := make(chan struct{})
	server := &server{rolledBack: rolledBack}
	s := server.serve(t, plain)
	var stack string
	func() {
		defer func() {
			if p := recover(); p != "a fault of the body" {
				t.Errorf("the panic arrives as %v", p)
			}
			stack = string(debug.Stack())
		}()
		_ = s.Tx(t.Context(), func(store.Tx) error { panic("a fault of the body") })
	}()
	if !strings.Contains(stack, "TestAPanicRollsBack.func1.2") {
		t.Errorf("the stack does not show the body:\n%s", stack)
	}
	<-rolledBack
}

func TestAReadThatFailsForGoodFailsTheTransaction(t *testing.T) {
	t.Parallel()
	server := &server{forever: map[string]error{"BatchGetDocuments": failing(codes.PermissionDenied, "no right")}}
	s := server.serve(t, plain)
	err := s.Tx(t.Context(), func(tx store.Tx) error {
		_ = tx.Get("things", "a", &thing{})
		return createA(tx)
	})
	if !fault.Is(err, fault.Denied) || server.count("Commit") != 0 {
		t.Errorf("the transaction returned %v, calls %q", err, server.calls)
	}
}

func TestForeignDocumentsAreNotRead(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]map[string]*pb.Value{
		"bytes":          {"a": {ValueType: &pb.Value_BytesValue{BytesValue: []byte("x")}}},
		"bytes, nested":  {"a": {ValueType: &pb.Value_ArrayValue{ArrayValue: &pb.ArrayValue{Values: []*pb.Value{{ValueType: &pb.Value_BytesValue{}}}}}}},
		"a text expires": {"expires": {ValueType: &pb.Value_StringValue{StringValue: "2026-01-01T00:00:00Z"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &server{document: &pb.Document{Fields: fields}}
			s := server.serve(t, plain)
			if err := s.Get(t.Context(), "things", "a", &thing{}); !fault.Is(err, fault.Misconfigured) {
				t.Errorf("reading: %v", err)
			}
			if _, err := s.Query(t.Context(), store.Query{Collection: "things", Limit: 2}); !fault.Is(err, fault.Misconfigured) {
				t.Errorf("querying: %v", err)
			}
		})
	}
}
