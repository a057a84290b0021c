package firestore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	vkit "cloud.google.com/go/firestore/apiv1"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/emulatortest"
)

// world is an empty database of the emulator. Where the path binds the tenant his people are at tenants/T/people,
// otherwise all are at people, under ids that begin with the tenant's.
type world struct {
	database string
	client   *vkit.Client // behind the back of what is tested
	store    *firestore.Store
	binding  erasure.Binding
}

// dial leads a client to a server, telling the wire of each request.
func dial(host string, wire *erasetest.Wire) []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint(host), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			wire.Touch()
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer owner") // who may list collections there
			return invoke(ctx, method, req, reply, cc, opts...)
		})),
		option.WithGRPCDialOption(grpc.WithStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			wire.Touch()
			return stream(ctx, desc, cc, method, opts...)
		}))}
}

func newWorld(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) *world {
	t.Helper()
	host, project := emulatortest.Firestore(t), emulatortest.Project(t)
	s, err := firestore.New(project, "main", dial(host, wire)...)
	if err != nil {
		t.Fatal(err)
	}
	client, err := vkit.NewClient(t.Context(), dial(host, &erasetest.Wire{})...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(); _ = client.Close() })
	return &world{"projects/" + project + "/databases/main", client, s, binding}
}

func projectOf(w *world) string { return strings.Split(w.database, "/")[1] }

func (w *world) Reader() erasure.Reader { return w.store.Reader }
func (w *world) Store() erasure.Store   { return w.store }

func (w *world) Query(tenant string) erasure.Query {
	if w.binding == erasure.BindPath {
		return erasure.Query{Place: "tenants/" + tenant + "/people", Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}}
	}
	return erasure.Query{Place: "people", Tenant: erasure.Tenant{Binding: w.binding, Field: erasetest.FieldTenant, ID: tenant}}
}

func (w *world) Name(tenant, name string) string {
	if w.binding == erasure.BindPath {
		return name
	}
	return tenant + "--" + name
}

func (w *world) path(tenant, name string) string {
	return w.Query(tenant).Place + "/" + w.Name(tenant, name)
}

func (w *world) Put(t testing.TB, tenant, name string, document map[string]any) {
	t.Helper()
	fields := map[string]*pb.Value{}
	if w.binding == erasure.BindField && tenant != "" {
		fields[erasetest.FieldTenant] = value(tenant)
	}
	for f, v := range document {
		fields[f] = value(v)
	}
	if created, err := time.Parse(time.RFC3339, fields[erasetest.FieldCreated].GetStringValue()); err == nil && w.binding == erasure.BindField {
		fields[erasetest.FieldCreated] = &pb.Value{ValueType: &pb.Value_TimestampValue{TimestampValue: timestamppb.New(created)}}
	}
	w.put(t, w.path(tenant, name), fields)
}

func (w *world) put(t testing.TB, path string, fields map[string]*pb.Value) {
	t.Helper()
	d := &pb.Document{Name: w.database + "/documents/" + path, Fields: fields}
	if _, err := w.client.Commit(t.Context(), &pb.CommitRequest{Database: w.database, Writes: []*pb.Write{{Operation: &pb.Write_Update{Update: d}}}}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) Get(t testing.TB, tenant, name string) (map[string]any, bool) {
	t.Helper()
	d, err := w.client.GetDocument(t.Context(), &pb.GetDocumentRequest{Name: w.database + "/documents/" + w.path(tenant, name)})
	if status.Code(err) == codes.NotFound {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(d.Fields, erasetest.FieldTenant)
	return plain(&pb.Value{ValueType: &pb.Value_MapValue{MapValue: &pb.MapValue{Fields: d.Fields}}}).(map[string]any), true
}

func (w *world) Export(t testing.TB, tenant string) []byte {
	t.Helper()
	beginning := w.database + "/documents/" + strings.TrimSuffix(w.path(tenant, ""), "people/")
	var out bytes.Buffer
	for _, d := range w.everything(t) {
		if !strings.HasPrefix(d.Name, beginning) {
			continue
		}
		b, err := protojson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&out, b); err != nil { // protojson varies its spaces
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// everything are all documents of the database.
func (w *world) everything(t testing.TB) (all []*pb.Document) {
	t.Helper()
	stream, err := w.client.RunQuery(t.Context(), &pb.RunQueryRequest{Parent: w.database + "/documents", QueryType: &pb.RunQueryRequest_StructuredQuery{
		StructuredQuery: &pb.StructuredQuery{From: []*pb.StructuredQuery_CollectionSelector{{AllDescendants: true}}}}})
	for err == nil {
		var answer *pb.RunQueryResponse
		if answer, err = stream.Recv(); answer.GetDocument() != nil {
			all = append(all, answer.Document)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return all
}

// Absent: a collection exists as soon as somebody asks for it.
func (w *world) Absent(testing.TB) (erasure.Reader, erasure.Query) { return nil, erasure.Query{} }

func (w *world) Stranger(t testing.TB) erasure.Store {
	return answering(t, status.New(codes.PermissionDenied, "Missing or insufficient permissions."))
}

func (w *world) Tired(t testing.TB) erasure.Store {
	full, err := status.New(codes.ResourceExhausted, "Quota exceeded.").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return answering(t, full)
}

// answering is a store whose server answers everything alike.
func answering(t testing.TB, s *status.Status) *firestore.Store {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return s.Err() }))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	opened, err := firestore.New("project", "main", dial(listener.Addr().String(), &erasetest.Wire{})...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func value(v any) *pb.Value {
	switch v := v.(type) {
	case string:
		return &pb.Value{ValueType: &pb.Value_StringValue{StringValue: v}}
	case int64:
		return &pb.Value{ValueType: &pb.Value_IntegerValue{IntegerValue: v}}
	case []any:
		list := &pb.ArrayValue{}
		for _, inner := range v {
			list.Values = append(list.Values, value(inner))
		}
		return &pb.Value{ValueType: &pb.Value_ArrayValue{ArrayValue: list}}
	case map[string]any:
		fields := map[string]*pb.Value{}
		for key, inner := range v {
			fields[key] = value(inner)
		}
		return &pb.Value{ValueType: &pb.Value_MapValue{MapValue: &pb.MapValue{Fields: fields}}}
	}
	return &pb.Value{ValueType: &pb.Value_NullValue{}}
}

// plain is the reverse of value.
func plain(v *pb.Value) any {
	switch t := v.ValueType.(type) {
	case *pb.Value_StringValue:
		return t.StringValue
	case *pb.Value_IntegerValue:
		return t.IntegerValue
	case *pb.Value_TimestampValue:
		return t.TimestampValue.AsTime().Format(time.RFC3339)
	case *pb.Value_ArrayValue:
		list := []any{}
		for _, inner := range t.ArrayValue.Values {
			list = append(list, plain(inner))
		}
		return list
	case *pb.Value_MapValue:
		fields := map[string]any{}
		for key, inner := range t.MapValue.Fields {
			fields[key] = plain(inner)
		}
		return fields
	}
	return nil
}
