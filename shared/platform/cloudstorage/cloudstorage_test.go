package cloudstorage_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/gcstest"
)

const name = "acme-archives"

// open returns a bucket with the permissions of some methods.
func open(t *testing.T, s *gcstest.Server, methods ...string) *cloudstorage.Bucket {
	t.Helper()
	var permissions []string
	for _, method := range methods {
		for _, p := range cloudstorage.Permissions[method] {
			permissions = append(permissions, p+" "+name)
		}
	}
	b, err := cloudstorage.New(name, 5*time.Second, s.Connect(permissions...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// What was created is read, each with its one permission; created again it stays as it is, whichever error the service names
// first.
func TestCreatedOnce(t *testing.T) {
	t.Parallel()
	for _, rightsFirst := range []bool{false, true} {
		s := gcstest.New(t, nil, gcstest.Bucket{Name: name, Retention: time.Hour})
		s.RightsFirst = rightsFirst
		writer, reader := open(t, s, "Bucket.Create"), open(t, s, "Bucket.Read")
		if err := writer.Create(t.Context(), "a/b.zip", "application/zip", []byte("first")); err != nil {
			t.Fatal(err)
		}
		if err := writer.Create(t.Context(), "a/b.zip", "application/zip", []byte("second")); !fault.Is(err, fault.Conflict) {
			t.Errorf("created again: %v", err)
		}
		if data, _, err := reader.Read(t.Context(), "a/b.zip", 5); err != nil || string(data) != "first" {
			t.Errorf("read %q, %v", data, err)
		}
		if err := reader.Create(t.Context(), "c", "text/plain", nil); !fault.Is(err, fault.Denied) {
			t.Errorf("created with the permission to read: %v", err)
		}
		if _, _, err := writer.Read(t.Context(), "a/b.zip", 5); !fault.Is(err, fault.Denied) {
			t.Errorf("read with the permission to create: %v", err)
		}
	}
}

// An object is replaced by its generation alone, which every writing changes; one that was never there is no other.
func TestReplaced(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	b := open(t, s, "Bucket.Put", "Bucket.Read")
	first, err := b.Put(t.Context(), "a", "text/plain", []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.Put(t.Context(), "a", "text/plain", []byte("2"), first)
	if err != nil || second == first {
		t.Fatalf("generation %d after %d, %v", second, first, err)
	}
	for other, generation := range map[string]int64{"a": first, "b": first} {
		if _, err := b.Put(t.Context(), other, "text/plain", []byte("3"), generation); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s in place of generation %d: %v", other, generation, err)
		}
	}
	if data, generation, err := b.Read(t.Context(), "a", 1); err != nil || string(data) != "2" || generation != second {
		t.Errorf("read %q of generation %d, %v", data, generation, err)
	}
}

// Retention and holds keep an object, as a precondition does; that is no lack of rights.
func TestKeptIsTaken(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name, Retention: time.Hour})
	b, err := cloudstorage.New(name, 0, s.Connect(gcstest.Everything))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), "a", "text/plain", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), "a", "text/plain", []byte("2")); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if data, _ := s.Data(name, "a"); data != "1" {
		t.Errorf("kept %q", data)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	b := open(t, s, "Bucket.Create", "Bucket.Read")
	if err := b.Create(t.Context(), "a", "text/plain", []byte("12345678")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Read(t.Context(), "a", 7); !fault.Is(err, fault.Invalid) {
		t.Errorf("larger than is borne: %v", err)
	}
	if _, _, err := b.Read(t.Context(), "none", 8); !fault.Is(err, fault.Denied) {
		t.Errorf("what is not there, without the permission to list: %v", err)
	}
	all, err := cloudstorage.New(name, 0, s.Connect(gcstest.Everything))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := all.Read(t.Context(), "none", 8); !fault.Is(err, fault.NotFound) {
		t.Errorf("what is not there: %v", err)
	}
	s.Damage(name, "a", func(data []byte) { data[0] = 'x' })
	if _, _, err := b.Read(t.Context(), "a", 8); err == nil {
		t.Error("bytes that are not those that were kept were returned")
	}
	nowhere, err := cloudstorage.New("no-such-bucket", 0, s.Connect(gcstest.Everything))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := nowhere.Read(t.Context(), "a", 8); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("read in no bucket: %v", err)
	}
	if err := nowhere.Create(t.Context(), "a", "text/plain", nil); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("created in no bucket: %v", err)
	}
}

// A write whose answer is lost is Transient, and found to have been made.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	lost := true
	s.After = func(c gcstest.Call) int {
		if c.Does == "insert" && lost {
			lost = false
			return http.StatusServiceUnavailable
		}
		return 0
	}
	b := open(t, s, "Bucket.Create", "Bucket.Read")
	if err := b.Create(t.Context(), "a", "text/plain", []byte("1")); !fault.Is(err, fault.Transient) {
		t.Errorf("a lost answer: %v", err)
	}
	if err := b.Create(t.Context(), "a", "text/plain", []byte("1")); !fault.Is(err, fault.Conflict) {
		t.Errorf("tried again: %v", err)
	}
	if data, _, err := b.Read(t.Context(), "a", 1); err != nil || string(data) != "1" {
		t.Errorf("%q, %v", data, err)
	}
}

// A connection that cannot be made is tried anew at the next call, and closing makes none.
func TestConnecting(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: name})
	tries := 0
	b, err := cloudstorage.New(name, 0, func(ctx context.Context) (*storage.Client, error) {
		if tries++; tries == 1 {
			return nil, errors.New("no credentials yet")
		}
		return s.Connect(gcstest.Everything)(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil || tries != 0 {
		t.Errorf("closing connected: %v", err)
	}
	if err := b.Create(t.Context(), "a", "text/plain", nil); !fault.Is(err, fault.Transient) {
		t.Errorf("without a connection: %v", err)
	}
	if err := b.Create(t.Context(), "a", "text/plain", nil); err != nil {
		t.Errorf("with one: %v", err)
	}
	for _, bad := range []string{"", "A", "a/b", "..", "a b"} {
		if _, err := cloudstorage.New(bad, 0, s.Connect()); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q is a bucket: %v", bad, err)
		}
	}
}
