package gcs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/erasure/erasetest"
	"ostiary.internal/shared/erasure/gcs"
	"ostiary.internal/shared/platform/gcstest"
)

const bucket = "a-bucket"

// TestConformance: in a bucket that keeps old versions too, whose lists come in small parts.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, versioning := range map[string]bool{"versioned": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			erasetest.Run(t, erasetest.Harness{
				Bindings: []erasure.Binding{erasure.BindPath, erasure.BindField},
				Folds:    []erasure.MatchKind{erasure.MatchMetadata}, Nameless: true,
				Kinds:    []erasure.MatchKind{erasure.MatchDocument, erasure.MatchPrefix, erasure.MatchMetadata, erasure.MatchTenant},
				Versions: !versioning, Whole: true, Slow: true,
				Open: func(t testing.TB, binding erasure.Binding, wire *erasetest.Wire) erasetest.World {
					return newWorld(t, binding, wire, gcstest.Bucket{Name: bucket, Versioning: versioning})
				},
			})
		})
	}
}

// world is a bucket. Where the path binds the tenant, his objects are below tenants/T/, otherwise all are below people/.
type world struct {
	server  *gcstest.Server
	behind  *storage.BucketHandle
	store   *gcs.Store
	binding erasure.Binding
}

func newWorld(t testing.TB, binding erasure.Binding, wire *erasetest.Wire, b gcstest.Bucket) *world {
	t.Helper()
	server := gcstest.New(t, nil, b)
	if server.Page = 50; b.Versioning {
		server.Page = 7
	}
	server.Before = func(gcstest.Call) int { wire.Touch(); return 0 }
	return &world{server, server.Client(t, gcstest.Everything).Bucket(b.Name), open(t, server, b.Name, gcstest.Everything), binding}
}

func open(t testing.TB, server *gcstest.Server, name string, permissions ...string) *gcs.Store {
	t.Helper()
	s, err := gcs.New(name, nil, server.Connect(permissions...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) Reader() erasure.Reader { return w.store.Reader }
func (w *world) Store() erasure.Store   { return w.store }

func (w *world) Query(tenant string) erasure.Query {
	if w.binding == erasure.BindPath {
		return erasure.Query{Place: "tenants/" + tenant + "/", Tenant: erasure.Tenant{Binding: w.binding, ID: tenant}}
	}
	return erasure.Query{Place: "people/", Tenant: erasure.Tenant{Binding: w.binding, Field: erasetest.FieldTenant, ID: tenant}}
}

func (w *world) Name(tenant, name string) string {
	if w.binding == erasure.BindPath {
		return w.Query(tenant).Place + name
	}
	return "people/" + tenant + "--" + name
}

func (w *world) Put(t testing.TB, tenant, name string, document map[string]any) {
	t.Helper()
	metadata := map[string]string{}
	for field, value := range document {
		switch v := value.(type) {
		case string:
			metadata[field] = v
		case int64:
			metadata[field] = strconv.FormatInt(v, 10)
		}
	}
	if w.binding == erasure.BindField && tenant != "" {
		metadata[erasetest.FieldTenant] = tenant
	}
	put(t, w.behind.Object(w.Name(tenant, name)), metadata)
}

func put(t testing.TB, o *storage.ObjectHandle, metadata map[string]string) int64 {
	t.Helper()
	writer := o.NewWriter(t.Context())
	writer.ChunkSize, writer.Metadata = 0, metadata
	if err := json.NewEncoder(writer).Encode(metadata); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return writer.Attrs().Generation
}

func (w *world) Get(t testing.TB, tenant, name string) (map[string]any, bool) {
	t.Helper()
	attrs, err := w.behind.Object(w.Name(tenant, name)).Attrs(t.Context())
	if errors.Is(err, storage.ErrObjectNotExist) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	document := map[string]any{}
	for field, value := range attrs.Metadata {
		document[field] = value
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && field == erasetest.FieldAmount {
			document[field] = n
		}
	}
	delete(document, erasetest.FieldTenant)
	return document, true
}

func (w *world) Export(t testing.TB, tenant string) []byte {
	t.Helper()
	var out bytes.Buffer
	for it := w.behind.Objects(t.Context(), &storage.Query{Prefix: w.Name(tenant, ""), Versions: true}); ; {
		o, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return out.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		metadata, err := json.Marshal(o.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, o.Name, o.Generation, o.Metageneration, o.CRC32C, o.Created, o.Updated, o.Deleted, string(metadata))
	}
}

func (w *world) Absent(t testing.TB) (erasure.Reader, erasure.Query) {
	return open(t, w.server, "another-bucket", gcstest.Everything), w.Query("alpha")
}

func (w *world) Stranger(t testing.TB) erasure.Store { return open(t, w.server, bucket) }

func (w *world) Tired(t testing.TB) erasure.Store {
	tired := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	tired.Before = func(gcstest.Call) int { return http.StatusTooManyRequests }
	return open(t, tired, bucket, gcstest.Everything)
}
