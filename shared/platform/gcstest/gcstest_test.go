package gcstest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"

	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/gcstest"
)

const bucket = "a-bucket"

func write(t *testing.T, o *storage.ObjectHandle, data string) (int64, error) {
	t.Helper()
	w := o.NewWriter(t.Context())
	w.ChunkSize = 0
	if _, err := io.WriteString(w, data); err != nil {
		_ = w.Close()
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return w.Attrs().Generation, nil
}

func wants(t *testing.T, what string, err error, status int) {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if status == 0 && err != nil || status != 0 && (!ok || e.Code != status) {
		t.Errorf("%s: %v, want %d", what, err, status)
	}
}

// TestPreconditions: the real client's conditions on every call, those that hold and those that do not.
func TestPreconditions(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	b := s.Client(t, gcstest.Everything).Bucket(bucket)
	generation, err := write(t, b.Object("a").If(storage.Conditions{DoesNotExist: true}), "one")
	if err != nil {
		t.Fatal(err)
	}
	const failed = http.StatusPreconditionFailed
	for _, test := range []struct {
		name       string
		conditions storage.Conditions
		status     int
	}{
		{"generation", storage.Conditions{GenerationMatch: generation}, 0}, {"other generation", storage.Conditions{GenerationMatch: generation + 1}, failed},
		{"not generation", storage.Conditions{GenerationNotMatch: generation + 1}, 0}, {"not other generation", storage.Conditions{GenerationNotMatch: generation}, failed},
		{"does not exist", storage.Conditions{DoesNotExist: true}, failed},
		{"metageneration", storage.Conditions{MetagenerationMatch: 1}, 0}, {"other metageneration", storage.Conditions{MetagenerationMatch: 2}, failed},
		{"not metageneration", storage.Conditions{MetagenerationNotMatch: 2}, 0}, {"not other metageneration", storage.Conditions{MetagenerationNotMatch: 1}, failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := b.Object("a")
			r, err := o.If(test.conditions).NewReader(t.Context())
			reading := test.status
			if reading != 0 && (test.conditions.GenerationNotMatch != 0 || test.conditions.MetagenerationNotMatch != 0) {
				reading = http.StatusNotModified
			}
			if wants(t, "reading", err, reading); err == nil {
				_ = r.Close()
			}
			if test.status != 0 { // what would succeed changes the object
				_, err = write(t, o.If(test.conditions), "two")
				wants(t, "writing", err, test.status)
				_, err = o.If(test.conditions).Update(t.Context(), storage.ObjectAttrsToUpdate{TemporaryHold: true})
				wants(t, "changing", err, test.status)
				wants(t, "deleting", o.If(test.conditions).Delete(t.Context()), test.status)
			}
		})
	}
	if data, ok := s.Data(bucket, "a"); !ok || data != "one" {
		t.Errorf("left %q", data)
	}
	next, err := write(t, b.Object("a").If(storage.Conditions{GenerationMatch: generation, MetagenerationMatch: 1}), "two")
	if err != nil || next <= generation {
		t.Errorf("generation %d after %d, %v", next, generation, err)
	}
	wants(t, "deleting an old generation", b.Object("a").If(storage.Conditions{GenerationMatch: generation}).Delete(t.Context()), http.StatusPreconditionFailed)
	wants(t, "deleting", b.Object("a").If(storage.Conditions{GenerationMatch: next}).Delete(t.Context()), 0)
	again, err := write(t, b.Object("a"), "three")
	if err != nil || again <= next {
		t.Errorf("generation %d after %d, %v", again, next, err)
	}
}

// TestKept: holds and retention, for deleting and for replacing, until they are over.
func TestKept(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC))
	s := gcstest.New(t, now, gcstest.Bucket{Name: bucket, Retention: time.Minute})
	o := s.Client(t, gcstest.Everything).Bucket(bucket).Object("a/b c")
	if _, err := write(t, o, "one"); err != nil {
		t.Fatal(err)
	}
	kept := func(why string) {
		t.Helper()
		_, err := write(t, o, "two")
		wants(t, "replacing under "+why, err, http.StatusForbidden)
		wants(t, "deleting under "+why, o.Delete(t.Context()), http.StatusForbidden)
	}
	kept("retention")
	attrs, err := o.Attrs(t.Context())
	if err != nil || !attrs.RetentionExpirationTime.Equal(now.Now().Add(time.Minute)) || attrs.Size != 3 {
		t.Errorf("%+v, %v", attrs, err)
	}
	if err := now.Set(now.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, hold := range []storage.ObjectAttrsToUpdate{{TemporaryHold: true}, {EventBasedHold: true}, {TemporaryHold: false}} {
		if _, err := o.Update(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		kept("a hold")
	}
	if attrs, err = o.Update(t.Context(), storage.ObjectAttrsToUpdate{EventBasedHold: false}); err != nil || attrs.Metageneration != 5 {
		t.Errorf("%+v, %v", attrs, err)
	}
	wants(t, "deleting", o.Delete(t.Context()), 0)
}

// TestRights: a client does what it was given, replacing needs the right to delete, and who may not list does not learn
// what is missing.
func TestRights(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket}, gcstest.Bucket{Name: "another"})
	creator := s.Client(t, "storage.objects.create "+bucket).Bucket(bucket)
	if _, err := write(t, creator.Object("a"), "one"); err != nil {
		t.Fatal(err)
	}
	_, err := write(t, creator.Object("a"), "two")
	wants(t, "replacing", err, http.StatusForbidden)
	wants(t, "deleting", creator.Object("a").Delete(t.Context()), http.StatusForbidden)
	_, err = creator.Object("a").NewReader(t.Context())
	wants(t, "reading", err, http.StatusForbidden)
	reader := s.Client(t, "storage.objects.get "+bucket)
	_, err = reader.Bucket(bucket).Object("missing").NewReader(t.Context())
	wants(t, "reading what is missing", err, http.StatusForbidden)
	_, err = reader.Bucket("another").Object("a").NewReader(t.Context())
	wants(t, "reading another bucket", err, http.StatusForbidden)
	_, err = s.Client(t, "storage.objects.get "+bucket, "storage.objects.list "+bucket).Bucket(bucket).Object("missing").NewReader(t.Context())
	if !errors.Is(err, storage.ErrObjectNotExist) {
		t.Errorf("reading what is missing with the right to list: %v", err)
	}
}

// TestNotServed: what the fake does not do fails by name instead of seeming to succeed.
func TestNotServed(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket})
	client := s.Client(t, gcstest.Everything)
	client.SetRetry(storage.WithPolicy(storage.RetryNever)) // it repeats what is answered 501 otherwise
	b := client.Bucket(bucket)
	if _, err := write(t, b.Object("a"), "one"); err != nil {
		t.Fatal(err)
	}
	resumable := b.Object("large").NewWriter(t.Context())
	resumable.ChunkSize = 256 << 10
	_, _ = io.WriteString(resumable, strings.Repeat("x", 300<<10))
	_, composing := b.Object("b").ComposerFrom(b.Object("a")).Run(t.Context())
	_, copying := b.Object("b").CopierFrom(b.Object("a")).Run(t.Context())
	_, soft := b.Objects(t.Context(), &storage.Query{SoftDeleted: true, Projection: storage.ProjectionNoACL}).Next()
	_, part := b.Object("a").NewRangeReader(t.Context(), 1, 1)
	for what, err := range map[string]error{"a resumable upload": resumable.Close(), "composing": composing, "copying": copying, "what was deleted softly": soft, "a range": part} {
		if err == nil {
			t.Errorf("%s was served", what)
		}
	}
}

// TestVersions: a versioned bucket keeps what is replaced or deleted, until it is deleted by its generation; then it can
// still be restored for a while. Lists hold every version, or what names have in common.
func TestVersions(t *testing.T) {
	t.Parallel()
	s := gcstest.New(t, nil, gcstest.Bucket{Name: bucket, Versioning: true, SoftDelete: time.Hour})
	s.Page = 2
	b := s.Client(t, gcstest.Everything).Bucket(bucket)
	attrs, err := b.Attrs(t.Context())
	if err != nil || !attrs.VersioningEnabled || attrs.SoftDeletePolicy.RetentionDuration != time.Hour {
		t.Errorf("the bucket is %+v, %v", attrs, err)
	}
	var generations []int64
	for _, data := range []string{"one", "two"} {
		g, err := write(t, b.Object("a/x"), data)
		if err != nil {
			t.Fatal(err)
		}
		generations = append(generations, g)
	}
	for _, name := range []string{"a/y", "b"} {
		if _, err := write(t, b.Object(name), "x"); err != nil {
			t.Fatal(err)
		}
	}
	list := func(q storage.Query) (found []string) {
		q.Projection = storage.ProjectionNoACL
		for it := b.Objects(t.Context(), &q); ; {
			o, err := it.Next()
			if errors.Is(err, iterator.Done) {
				return found
			}
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, o.Prefix+o.Name)
		}
	}
	want := func(what, names string, q storage.Query) {
		t.Helper()
		if got := strings.Join(list(q), " "); got != names {
			t.Errorf("%s: %q, want %q", what, got, names)
		}
	}
	wants(t, "deleting", b.Object("a/y").Delete(t.Context()), 0)
	want("what is live", "a/x b", storage.Query{})
	want("every version", "a/x a/x a/y b", storage.Query{Versions: true})
	want("prefixes", "b a/", storage.Query{Versions: true, Delimiter: "/"})
	old := b.Object("a/x").Generation(generations[0])
	if attrs, err := old.Update(t.Context(), storage.ObjectAttrsToUpdate{Metadata: map[string]string{"owner": "u1"}}); err != nil || attrs.Metadata["owner"] != "u1" || attrs.Metageneration != 2 {
		t.Errorf("changed to %+v, %v", attrs, err)
	}
	wants(t, "deleting what was changed", old.If(storage.Conditions{MetagenerationMatch: 1}).Delete(t.Context()), http.StatusPreconditionFailed)
	wants(t, "deleting for good", old.If(storage.Conditions{MetagenerationMatch: 2}).Delete(t.Context()), 0)
	if err := old.Delete(t.Context()); !errors.Is(err, storage.ErrObjectNotExist) {
		t.Errorf("deleting again: %v", err)
	}
	want("every version", "a/x a/y b", storage.Query{Versions: true})
	if soft := s.SoftDeleted(bucket); len(soft) != 1 || soft[0] != "a/x" {
		t.Errorf("restorable are %q", soft)
	}
}
