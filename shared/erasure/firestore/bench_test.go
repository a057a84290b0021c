package firestore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	native "cloud.google.com/go/firestore"
	pb "cloud.google.com/go/firestore/apiv1/firestorepb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/firestore"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/emulatortest"
)

// fill writes count documents, as fast as the emulator takes them.
func (w *world) fill(t testing.TB, count int, path func(i int) string, uid func(i int) string) {
	t.Helper()
	for from := 0; from < count; from += 500 {
		var writes []*pb.Write
		for i := from; i < min(from+500, count); i++ {
			d := &pb.Document{Name: w.database + "/documents/" + path(i), Fields: map[string]*pb.Value{"uid": value(uid(i)), erasetest.FieldTenant: value("a"), "note": value("called on Monday")}}
			writes = append(writes, &pb.Write{Operation: &pb.Write_Update{Update: d}})
		}
		if _, err := w.client.Commit(t.Context(), &pb.CommitRequest{Database: w.database, Writes: writes}); err != nil {
			t.Fatal(err)
		}
	}
}

const benchDocuments = 1500

func benchPath(i int) string { return fmt.Sprintf("people/doc-%06d", i) }
func benchUID(int) string    { return "u1" }

// BenchmarkErasing erases 1,500 documents of one person through the engine, with its state on a file, and has the client's
// own bulk writer delete the same paths, in turns. The bulk writer is told the paths: it looks for nothing and holds nothing
// to anything. The engine finds each, puts on record which it is about to erase, reads it again, and erases it if it is the
// tenant's still and as it was.
func BenchmarkErasing(b *testing.B) {
	w := newWorld(b, erasure.BindField, &erasetest.Wire{})
	host := emulatortest.Firestore(b)
	client, err := native.NewClientWithDatabase(b.Context(), projectOf(w), "main", dial(host, &erasetest.Wire{})...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	var erasing, request, bulk []float64
	round := func() {
		w.fill(b, benchDocuments, benchPath, benchUID)
		m, err := erasetest.NewMachine(b.Context(), b.TempDir(), w.store, []string{"people"}, 10_000, clock.System{})
		if err != nil {
			b.Fatal(err)
		}
		defer m.Close()
		began, entered := time.Now(), map[string]time.Time{}
		counts, err := m.Forget(b.Context(), func(phase string) { entered[phase] = time.Now() })
		if err != nil || counts != [3]int64{benchDocuments, benchDocuments, 0} {
			b.Fatal(counts, err)
		}
		request = append(request, benchDocuments/time.Since(began).Seconds())
		erasing = append(erasing, benchDocuments/entered["search"].Sub(entered["erase"]).Seconds())
		w.fill(b, benchDocuments, benchPath, benchUID)
		began = time.Now()
		deleteAll(b, client)
		bulk = append(bulk, benchDocuments/time.Since(began).Seconds())
	}
	round() // warms the emulator up
	erasing, request, bulk = nil, nil, nil
	for b.Loop() {
		round()
	}
	for unit, all := range map[string][]float64{"erased/s": erasing, "requested/s": request, "bulkwriter/s": bulk} {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], unit)
	}
}

// deleteAll is the baseline.
func deleteAll(b *testing.B, client *native.Client) {
	b.Helper()
	bulk := client.BulkWriter(b.Context())
	var jobs []*native.BulkWriterJob
	for i := range benchDocuments {
		job, err := bulk.Delete(client.Doc(benchPath(i)))
		if err != nil {
			b.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	bulk.End()
	for _, job := range jobs {
		if _, err := job.Results(); err != nil {
			b.Fatal(err)
		}
	}
}

// eraseAll walks once and erases each page.
func eraseAll(t testing.TB, s *firestore.Store, q erasure.Query) (erased int) {
	t.Helper()
	for cursor := ""; ; {
		page, err := s.Find(t.Context(), q, cursor, erasure.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		results, err := s.Erase(t.Context(), q, page.Items)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Outcome == erasure.OutcomeErased {
				erased++
			}
		}
		if cursor = page.Next; cursor == "" {
			return erased
		}
	}
}

// sent is what the server sends a store.
type sent struct {
	documents atomic.Int64
	fields    sync.Map // by name
}

// counted is a world whose store counts what the server sends it.
func counted(t testing.TB) (*world, *sent) {
	t.Helper()
	w, all := newWorld(t, erasure.BindField, &erasetest.Wire{}), &sent{}
	count := option.WithGRPCDialOption(grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, stream grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		s, err := stream(ctx, desc, cc, method, opts...)
		return &counting{s, all}, err
	}))
	s, err := firestore.New(projectOf(w), "main", append(dial(emulatortest.Firestore(t), &erasetest.Wire{}), count)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w.store = s
	return w, all
}

type counting struct {
	grpc.ClientStream
	all *sent
}

// RecvMsg implements grpc.ClientStream.
func (c *counting) RecvMsg(m any) error {
	err := c.ClientStream.RecvMsg(m)
	if err != nil {
		return err
	}
	var document *pb.Document
	switch answer := m.(type) {
	case *pb.RunQueryResponse:
		if document = answer.GetDocument(); document != nil {
			c.all.documents.Add(1)
		}
	case *pb.BatchGetDocumentsResponse:
		document = answer.GetFound()
		c.all.documents.Add(1) // Firestore charges for what is missing too
	}
	for name := range document.GetFields() {
		c.all.fields.Store(name, true)
	}
	return nil
}

// readsOf erases one person with 25 documents from a database of others and looks again, as a request does.
func readsOf(t testing.TB, others int) int64 {
	t.Helper()
	w, all := counted(t)
	w.others(t, others)
	q := w.Query("a")
	q.Action, q.Match = erasure.ActionDelete, erasure.Match{Kind: erasure.MatchEquals, Field: "uid", Values: []string{"u1"}}
	all.documents.Store(0)
	if erased, left := eraseAll(t, w.store, q), eraseAll(t, w.store, q); erased != 25 || left != 0 {
		t.Fatalf("%d erased, then %d", erased, left)
	}
	return all.documents.Load()
}

// BenchmarkReads counts, at the wire, the documents read for the whole request of one person with 25, as the database
// around her grows: planned, erased, searched again.
func BenchmarkReads(b *testing.B) {
	for _, others := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			var reads int64
			for b.Loop() {
				reads = readsOfRequest(b, others)
			}
			b.ReportMetric(float64(reads), "reads/person")
		})
	}
}

func readsOfRequest(t testing.TB, others int) int64 {
	t.Helper()
	w, all := counted(t)
	w.others(t, others)
	m, err := erasetest.NewMachine(t.Context(), t.TempDir(), w.store, []string{"people"}, 10_000, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if counts, err := m.Forget(t.Context(), func(string) {}); err != nil || counts != [3]int64{25, 25, 0} {
		t.Fatalf("planned, erased, left: %v, %v", counts, err)
	}
	return all.documents.Load()
}

// others fills the database with other people, and with 25 documents of one.
func (w *world) others(t testing.TB, count int) {
	t.Helper()
	w.fill(t, count, func(i int) string { return fmt.Sprintf("people/other-%06d", i) }, func(i int) string { return fmt.Sprintf("other-%d", i%500) })
	w.fill(t, 25, benchPath, benchUID)
}

// TestReadsDoNotGrow holds what BenchmarkReads shows.
func TestReadsDoNotGrow(t *testing.T) {
	t.Parallel()
	if few, many := readsOf(t, 100), readsOf(t, 1000); few != many || few != 50 {
		t.Errorf("%d documents are read for a person with 25, and %d among ten times as many others; want 50", few, many)
	}
	// To tell how much of the tenant's a plan would erase it reads a page of others.
	if few, many := readsOfRequest(t, 350), readsOfRequest(t, 1050); few != many {
		t.Errorf("%d documents are read for a whole request, and %d among three times as many others", few, many)
	}
}

// TestOnlyWhatIsNeededIsRead: of a document no field comes over the wire that the query does not name.
func TestOnlyWhatIsNeededIsRead(t *testing.T) {
	t.Parallel()
	w, all := counted(t)
	w.put(t, "people/u1", map[string]*pb.Value{erasetest.FieldTenant: value("a"), "note": value("called on Monday"), "city": value("Nantes"),
		"owner": value(map[string]any{"id": "u1", "name": "Ada"})})
	q := w.Query("a")
	q.Action, q.Match = erasure.ActionAnonymise, erasure.Match{Kind: erasure.MatchEquals, Field: "owner.id", Values: []string{"u1"}}
	q.Changes = []erasure.Change{{Field: "owner", Kind: erasure.ChangeDetach}, {Field: "owner.name", Kind: erasure.ChangeDelete}, {Field: "absent", Kind: erasure.ChangeDelete}}
	if n, err := w.store.Group(t.Context(), q, []string{"city"}); err != nil || n != 1 {
		t.Errorf("counted %d, %v", n, err)
	}
	q.Changes = q.Changes[:1]
	if got := erase(t, w, q, find(t, w, q, 1)...); !slices.Equal(got, []erasure.Outcome{erasure.OutcomeErased}) || len(find(t, w, q, 1)) != 0 {
		t.Errorf("outcomes %v", got)
	}
	if _, read := all.fields.Load("note"); read {
		t.Error("a field nobody named was read")
	}
}
