package gcstest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/platform/gcstest"
)

// TestHeldFromTheBeginning: who may only create can hold what it uploads, and then nobody deletes it.
func TestHeldFromTheBeginning(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	creator, owner := s.Client(t, "storage.objects.create "+bucket).Bucket(bucket), s.Client(t, gcstest.Everything).Bucket(bucket)
	for name, hold := range map[string]func(w *storage.Writer){
		"temporary": func(w *storage.Writer) { w.TemporaryHold = true }, "event-based": func(w *storage.Writer) { w.EventBasedHold = true },
	} {
		w := creator.Object(name).NewWriter(t.Context())
		w.ChunkSize = 0
		hold(w)
		if _, err := io.WriteString(w, "x"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wants(t, "deleting what is held", owner.Object(name).Delete(t.Context()), http.StatusForbidden)
	}
}

// TestSealed: what lies under a key of its uploader is listed and deleted without it, and read only with it; its checksum is
// not told.
func TestSealed(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	b := s.Client(t, gcstest.Everything).Bucket(bucket)
	key, other := make([]byte, 32), append(make([]byte, 31), 1)
	if _, err := write(t, b.Object("a").Key(key), "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := write(t, b.Object("open"), "x"); err != nil {
		t.Fatal(err)
	}
	r, err := b.Object("a").Key(key).NewReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "secret" {
		t.Errorf("with its key it is %q, %v", data, err)
	}
	for what, o := range map[string]*storage.ObjectHandle{"without a key": b.Object("a"), "with another": b.Object("a").Key(other), "with a key for what has none": b.Object("open").Key(key)} {
		_, err := o.NewReader(t.Context())
		wants(t, "reading "+what, err, http.StatusBadRequest)
	}
	w := b.Object("k").NewWriter(t.Context())
	w.ChunkSize, w.KMSKeyName = 0, "projects/p/locations/l/keyRings/r/cryptoKeys/k"
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = b.Object("k").NewReader(t.Context())
	wants(t, "reading under a key that was withdrawn", err, http.StatusForbidden)
	q := &storage.Query{Projection: storage.ProjectionNoACL}
	if err := q.SetAttrSelection([]string{"Name", "CustomerKeySHA256", "KMSKeyName"}); err != nil {
		t.Fatal(err)
	}
	listed := b.Objects(t.Context(), q)
	for _, sealed := range []struct{ name, kms string }{{"a", ""}, {"k", w.KMSKeyName}, {"open", ""}} {
		attrs, err := listed.Next()
		if err != nil || attrs.Name != sealed.name || (attrs.CustomerKeySHA256 != "") != (sealed.name == "a") || attrs.KMSKeyName != sealed.kms || attrs.CRC32C != 0 || attrs.Size != 0 {
			t.Errorf("listed is %+v, %v", attrs, err)
		}
	}
	for _, name := range []string{"a", "k"} {
		wants(t, "deleting "+name, b.Object(name).Delete(t.Context()), 0)
	}
}

// TestUnpacked: what is stored as gzip is unpacked on the way, by the service or, for who accepts it packed, by the client, which
// says so, also of what only claims to be gzip: to read that it tries for ever.
func TestUnpacked(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, strings.Repeat("x", 5000))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := s.Client(t, gcstest.Everything).Bucket(bucket)
	for name, data := range map[string]string{"packed": packed.String(), "claimed": "no gzip"} {
		w := b.Object(name).NewWriter(t.Context())
		w.ChunkSize, w.ContentEncoding = 0, "gzip"
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := b.Object(name).NewReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !r.Attrs.Decompressed {
			t.Errorf("%s: %+v", name, r.Attrs)
		}
		if name == "packed" {
			if read, err := io.ReadAll(r); err != nil || len(read) != 5000 {
				t.Errorf("read %d bytes, %v", len(read), err)
			}
		}
		_ = r.Close()
	}
}
