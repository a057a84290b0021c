package firestore_test

import (
	"context"
	"fmt"
	"testing"

	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/emulatortest"
)

// heap puts many documents below one, in few commits.
func (w *world) heap(t testing.TB, below string, count int, fields map[string]*pb.Value) {
	t.Helper()
	for from := 0; from < count; from += 400 {
		request := &pb.CommitRequest{Database: w.database}
		for i := from; i < min(from+400, count); i++ {
			d := &pb.Document{Name: fmt.Sprintf("%s/documents/%s/d%06d", w.database, below, i), Fields: fields}
			request.Writes = append(request.Writes, &pb.Write{Operation: &pb.Write_Update{Update: d}})
		}
		if _, err := w.client.Commit(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeep: a plan counts what goes with an item. Of very much below one, all is looked at before the first goes, once and not
// again with each page, and all that is read is told to who paces it.
func TestDeep(t *testing.T) {
	t.Parallel()
	const count = 3_700
	wire := &erasetest.Wire{}
	w := newWorld(t, erasure.BindField, wire)
	of := map[string]*pb.Value{erasetest.FieldTenant: value("a")}
	w.put(t, "people/u1", of)
	w.heap(t, "people/u1/orders", count, of)
	w.put(t, "people/u2", of)
	q := document(w, "a", "u1", "u2")
	items := find(t, w, q, 10)
	if len(items) != 2 || items[0].Size() != 1+count || items[1].Size() != 1 {
		t.Fatalf("found %+v", items)
	}
	items, told := items[:1], 0
	before := wire.Requests()
	ctx := erasure.WithMeter(t.Context(), func(_ context.Context, items int) error {
		told += items
		return nil
	})
	for calls := 0; ; calls++ {
		results, err := w.store.Erase(ctx, q, items)
		if err != nil || calls > 2+count/erasure.MaxPage {
			t.Fatalf("%d calls, %v", calls, err)
		}
		if calls == 0 && (results[0].Seen == "" || len(w.paths(t)) != count+2) {
			t.Errorf("something went before all was looked at: %+v", results)
		}
		if items[0].Seen = results[0].Seen; results[0].Outcome == erasure.OutcomeErased {
			break
		}
	}
	if left := w.paths(t); len(left) != 1 {
		t.Errorf("%d documents are left", len(left))
	}
	if requests := wire.Requests() - before; requests > 65 || told < 2*count || told > 3*count {
		t.Errorf("%d requests, %d documents told", requests, told)
	}
}

// TestTooLarge: a commit that the server refuses as too large is made in parts.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, erasure.BindPath, &erasetest.Wire{})
	refused := 0
	small := option.WithGRPCDialOption(grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if c, is := req.(*pb.CommitRequest); is && len(c.Writes) > 25 {
			refused++
			return status.Error(codes.InvalidArgument, "Transaction too big. Decrease transaction size.")
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
	s, err := firestore.New(projectOf(w), "main", append(dial(emulatortest.Firestore(t), &erasetest.Wire{}), small)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("u%02d", i))
		w.put(t, "tenants/a/people/"+names[i], uid("u1"))
	}
	w.heap(t, "tenants/a/people/u00/orders", 70, uid("u1"))
	q := document(w, "a", names...)
	for calls := 0; len(w.paths(t)) > 0; calls++ {
		if _, err := s.Erase(t.Context(), q, find(t, w, q, 100)); err != nil || calls > 10 {
			t.Fatalf("%d calls, %v", calls, err)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
