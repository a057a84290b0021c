package firestore_test

import (
	"context"
	"maps"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/firestore/apiv1/admin/adminpb"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/fault"
)

// required is Google's table "required permissions for API methods", for what the adapter sends.
var required = map[string][]string{
	"BatchGetDocuments": {"datastore.entities.get"}, "RunQuery": {"datastore.entities.get", "datastore.entities.list"},
	"RunAggregationQuery": {"datastore.entities.get", "datastore.entities.list"}, "ListCollectionIds": {"datastore.entities.list"},
	"ListDocuments": {"datastore.entities.get", "datastore.entities.list"}, "GetDatabase": {"datastore.databases.getMetadata"},
	"Commit": nil,
	"upsert": {"datastore.entities.create", "datastore.entities.update"}, "update": {"datastore.entities.update"}, "delete": {"datastore.entities.delete"},
}

// recorder notes what is sent, and answers in the server's place where told to.
type recorder struct {
	mu      sync.Mutex
	sent    map[string]bool
	commits []error
	first   func() // called before the first commit
}

func (r *recorder) option() option.ClientOption {
	return option.WithGRPCDialOption(grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		r.note(path.Base(method))
		if commit, ok := req.(*pb.CommitRequest); ok {
			for _, w := range commit.Writes {
				switch {
				case w.GetDelete() != "":
					r.note("delete")
				case w.CurrentDocument == nil:
					r.note("upsert")
				default:
					r.note("update")
				}
			}
			if first := r.first; first != nil {
				r.first = nil
				first()
			}
			if err := r.failure(); err != nil {
				return err
			}
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
}

func (r *recorder) streams() option.ClientOption {
	return option.WithGRPCDialOption(grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		r.note(path.Base(method))
		return stream(ctx, desc, cc, method, opts...)
	}))
}

func (r *recorder) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[what] = true
}

func (r *recorder) failure() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.commits) > 0 {
		err, r.commits = r.commits[0], r.commits[1:]
	}
	return err
}

// recorded is a world whose store tells what it sends.
func recorded(t *testing.T, r *recorder) *world {
	t.Helper()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	r.sent = map[string]bool{}
	s, err := firestore.New(projectOf(w), "main", append(dial(emulatortest.Firestore(t), &erasetest.Wire{}), r.option(), r.streams())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w.store = s
	return w
}

// TestPermissionsAreThoseOfTheCallsMade makes every call the seam has and looks at what is sent.
func TestPermissionsAreThoseOfTheCallsMade(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	calls := map[string]func(*world, erasure.Query){
		"Reader.Find":   func(w *world, q erasure.Query) { _, _ = w.store.Find(ctx, q, "", 10) },
		"Reader.Values": func(w *world, q erasure.Query) { _, _ = w.store.Values(ctx, q, "uid", 10) },
		"Reader.Group":  func(w *world, q erasure.Query) { _, _ = w.store.Group(ctx, q, []string{"uid"}) },
		"Reader.Places": func(w *world, _ erasure.Query) { _, _ = w.store.Places(ctx, 10) },
		"Reader.Traces": func(w *world, _ erasure.Query) { _, _ = w.store.Traces(ctx) },
		"Store.Erase": func(w *world, q erasure.Query) {
			page, _ := w.store.Reader.Find(ctx, q, "", 10)
			_, _ = w.store.Erase(ctx, q, page.Items)
		},
	}
	tables := maps.Clone(firestore.ReadPermissions)
	maps.Copy(tables, firestore.Permissions)
	if got, want := slices.Sorted(maps.Keys(tables)), slices.Sorted(maps.Keys(calls)); !slices.Equal(got, want) {
		t.Errorf("the tables name %q; the seam has %q", got, want)
	}
	for method, call := range calls {
		r := &recorder{}
		w := recorded(t, r)
		for _, kind := range []erasure.MatchKind{erasure.MatchDocument, erasure.MatchContains, erasure.MatchEquals} {
			w.put(t, "tenants/a/people/u1", map[string]*pb.Value{"uid": value("u1"), "amount": value(int64(7)), "members": value([]any{"u1"})})
			w.put(t, "tenants/a/people/u1/orders/o1", uid("u1"))
			q := document(w, "a", "u1")
			q.Descend = kind == erasure.MatchDocument
			switch kind {
			case erasure.MatchContains:
				q.Match = erasure.Match{Kind: kind, Field: "members", Values: []string{"u1"}}
			case erasure.MatchEquals:
				q.Match = erasure.Match{Kind: kind, Field: "uid", Values: []string{"u1"}}
				q.Action, q.Changes = erasure.ActionAnonymise, []erasure.Change{{Field: "amount", Kind: erasure.ChangeAggregate, Into: "totals"}}
			}
			call(w, q)
		}
		needed := map[string]bool{}
		for sent := range r.sent {
			permissions, known := required[sent]
			if !known {
				t.Errorf("%s sends %q, which the test does not know", method, sent)
			}
			for _, p := range permissions {
				needed[p] = true
			}
		}
		want := slices.Sorted(slices.Values(tables[method]))
		if got := slices.Sorted(maps.Keys(needed)); !slices.Equal(got, want) {
			t.Errorf("%s needs %q; the table says %q", method, got, want)
		}
	}
}

// TestContention: a commit that lost is tried again with what is true by then, and not for ever.
func TestContention(t *testing.T) {
	t.Parallel()
	for _, descend := range []bool{true, false} {
		r := &recorder{}
		w := recorded(t, r)
		w.put(t, "tenants/a/people/u1", uid("u1"))
		q := document(w, "a", "u1")
		q.Descend = descend
		items := find(t, w, q, 10)
		lost := status.Error(codes.Aborted, "people/u1 is contended")
		r.commits = []error{lost, lost, lost, lost, lost}
		if _, err := w.store.Erase(t.Context(), q, items); !fault.Is(err, fault.Transient) || strings.Contains(err.Error(), "u1") {
			t.Errorf("lost five times: %v", err)
		}
		r.commits = []error{lost, status.Error(codes.FailedPrecondition, "no")}
		if got := erase(t, w, q, items...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased}) {
			t.Errorf("lost twice: %v", got)
		}
	}
}

// TestWrittenMeanwhile: a document that is written between reading and erasing it stays as it was written.
func TestWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"the item": "tenants/a/people/u1", "below it": "tenants/a/people/u1/orders/o1"} {
		r := &recorder{}
		w := recorded(t, r)
		w.put(t, "tenants/a/people/u1", uid("u1"))
		w.put(t, "tenants/a/people/u1/orders/o1", uid("u1"))
		q := document(w, "a", "u1")
		items := find(t, w, q, 10)
		r.first = func() { w.put(t, path, uid("u2")) }
		want := map[bool]erasure.Outcome{true: erasure.OutcomeChanged, false: erasure.OutcomeErased}[path == items[0].Ref]
		if got := erase(t, w, q, items...); !slices.Equal(got, []erasure.Outcome{want}) || (len(w.paths(t)) == 2) != (want == erasure.OutcomeChanged) {
			t.Errorf("%s: outcomes %v, left %q", name, got, w.paths(t))
		}
	}
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	for code, kind := range map[codes.Code]fault.Kind{
		codes.Unavailable: fault.Transient, codes.DeadlineExceeded: fault.Transient, codes.Internal: fault.Transient, codes.Unknown: fault.Transient,
		codes.NotFound: fault.NotFound, codes.InvalidArgument: fault.Invalid, codes.FailedPrecondition: fault.Misconfigured, codes.Unimplemented: fault.Misconfigured,
		codes.PermissionDenied: fault.Denied, codes.Unauthenticated: fault.Denied, codes.ResourceExhausted: fault.Exhausted, codes.Aborted: fault.Conflict,
	} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			text := "about people/u1"
			if kind == fault.Denied || code == codes.Unavailable || code == codes.DeadlineExceeded {
				text = "no"
			}
			s := answering(t, status.New(code, text))
			q := erasure.Query{Place: "tenants/a/people", Tenant: erasure.Tenant{Binding: erasure.BindPath, ID: "a"}, Match: erasure.Match{Kind: erasure.MatchDocument, Values: []string{"u1"}}}
			_, finding := s.Find(t.Context(), q, "", 1)
			_, counting := s.Group(t.Context(), q, []string{"uid"})
			_, listing := s.Places(t.Context(), 1)
			for doing, err := range map[string]error{"finding": finding, "counting": counting, "listing": listing} {
				if !fault.Is(err, kind) || strings.Contains(err.Error(), "u1") {
					t.Errorf("%s: %v of kind %q, want %s", doing, err, fault.KindOf(err), kind)
				}
			}
		})
	}
}

// administration answers what a database is.
type administration struct {
	adminpb.UnimplementedFirestoreAdminServer
	database *adminpb.Database
}

func (a administration) GetDatabase(context.Context, *adminpb.GetDatabaseRequest) (*adminpb.Database, error) {
	if a.database == nil {
		return nil, status.Error(codes.PermissionDenied, "no")
	}
	return a.database, nil
}

func TestTraces(t *testing.T) {
	t.Parallel()
	for want, database := range map[time.Duration]*adminpb.Database{
		7 * 24 * time.Hour: {PointInTimeRecoveryEnablement: adminpb.Database_POINT_IN_TIME_RECOVERY_ENABLED},
		time.Hour:          {PointInTimeRecoveryEnablement: adminpb.Database_POINT_IN_TIME_RECOVERY_DISABLED},
		3 * time.Hour:      {VersionRetentionPeriod: durationpb.New(3 * time.Hour)},
		0:                  nil,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		adminpb.RegisterFirestoreAdminServer(server, administration{database: database})
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
		r, err := firestore.NewReader("project", "main", dial(listener.Addr().String(), &erasetest.Wire{})...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Traces(t.Context()); err != nil || got.Rewind != want || (len(got.Unknown) == 1) != (database != nil) {
			t.Errorf("traces %+v, %v; want %s", got, err, want)
		}
	}
}
