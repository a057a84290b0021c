// Package cloudstorage keeps objects that never change in a bucket of Cloud Storage: archives whose names hold a SHA-256 of
// what is in them.
//
// It promises that nothing is ever replaced: Create writes an object only where there is none. It promises that what Read
// returns is what the service kept, by its checksum, and no longer than the caller bears. It does not know how names come
// about: whoever reads compares the name with the contents, for whoever may create may create first. It makes no bucket and
// sets no rights: Terraform does.
package cloudstorage

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Wait ends one call with all the client's own retries.
const Wait = 30 * time.Second

// Permissions names, for each method, the IAM permissions it needs on the bucket
// (https://cloud.google.com/storage/docs/access-control/iam-json). Without the one to list objects, what is not there reads as
// denied.
var Permissions = map[string][]string{"Bucket.Read": {"storage.objects.get"}, "Bucket.Create": {"storage.objects.create"}}

// Connect makes the client; it runs at the first call, and again after it failed.
type Connect func(context.Context) (*storage.Client, error)

// Deployed connects as whom the process runs.
func Deployed(ctx context.Context) (*storage.Client, error) {
	return storage.NewClient(ctx, storage.WithJSONReads())
}

// nameForm are names of buckets (https://cloud.google.com/storage/docs/buckets#naming), those of domains included.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	name   string
	wait   time.Duration
	client *lazy.Value[*storage.Client]
	made   atomic.Pointer[storage.Client] // for Close, which must not connect
}

// New returns a bucket by its name; wait bounds each call, Wait for zero. A name that no bucket has is Misconfigured.
func New(name string, wait time.Duration, connect Connect) (*Bucket, error) {
	if !nameForm.MatchString(name) {
		return nil, fault.New(fault.Misconfigured, "cloud storage: %.100q is not the name of a bucket", name)
	}
	if wait <= 0 {
		wait = Wait
	}
	return &Bucket{name: name, wait: wait, client: lazy.New(connect)}, nil
}

// Name is the bucket's.
func (b *Bucket) Name() string { return b.name }

// Read returns an object. Errors: NotFound where there is none; Denied where it may not be read, or where there is none and
// nobody may say so; Invalid for one of more than limit bytes, which is not read; Misconfigured without the bucket; Transient.
func (b *Bucket) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	handle, ctx, cancel, err := b.handle(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	r, err := handle.Object(name).NewReader(ctx)
	if err != nil {
		return nil, b.explain("reading", name, err)
	}
	defer r.Close()
	tooLarge := fault.New(fault.Invalid, "reading %s in the bucket %s: more than %d bytes", name, b.name, limit)
	if r.Attrs.Size > limit {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1)) // the client compares the checksum at the end
	switch {
	case err != nil:
		return nil, b.explain("reading", name, err)
	case int64(len(data)) > limit:
		return nil, tooLarge
	}
	return data, nil
}

// Create writes an object where there is none; its checksum is verified by the service before it is kept. Errors: Conflict
// where there is one, which stays as it is; Denied, Misconfigured, Transient. After Transient it may have been written: whoever
// tries again takes Conflict for that only once Read has shown the same bytes.
func (b *Bucket) Create(ctx context.Context, name, contentType string, data []byte) error {
	handle, ctx, cancel, err := b.handle(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	w := handle.Object(name).If(storage.Conditions{DoesNotExist: true}).Retryer(storage.WithPolicy(storage.RetryNever)).NewWriter(ctx)
	w.ChunkSize = 0 // one request: nothing is left half uploaded, and the body is not copied
	w.ContentType = contentType
	w.CRC32C, w.SendCRC32C = crc32.Checksum(data, castagnoli), true
	_, err = w.Write(data)
	// What the service answered is told by Close; Write may only know that the pipe broke.
	if closing := w.Close(); closing != nil || err == nil {
		err = closing
	}
	if err == nil {
		return nil
	}
	if taken(err) {
		return fault.New(fault.Conflict, "creating %s in the bucket %s: it is there already", name, b.name)
	}
	return b.explain("creating", name, err)
}

// Close closes the connection, if one was made.
func (b *Bucket) Close() error {
	if client := b.made.Load(); client != nil {
		return client.Close()
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// handle returns the bucket for calls that end by the returned context.
func (b *Bucket) handle(ctx context.Context) (*storage.BucketHandle, context.Context, context.CancelFunc, error) {
	client, err := b.client.Get(ctx)
	if err != nil {
		return nil, nil, nil, fault.New(fault.Transient, "connecting to the bucket %s: %w", b.name, err)
	}
	b.made.Store(client)
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	return client.Bucket(b.name), ctx, cancel, nil
}

// taken reports whether a write was refused because an object is there: the service may say that the precondition fails, that
// retention or a hold keeps the object, or that the writer may create and not delete. Which comes first is its choice.
func taken(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	switch {
	case !ok:
		return false
	case e.Code == http.StatusPreconditionFailed:
		return true
	case e.Code != http.StatusForbidden:
		return false
	}
	for _, item := range e.Errors {
		if item.Reason == "retentionPolicyNotMet" || item.Reason == "objectUnderActiveHold" {
			return true
		}
	}
	return strings.Contains(e.Message, "storage.objects.delete")
}

// explain gives an error of the service its kind.
func (b *Bucket) explain(doing, name string, err error) error {
	kind := fault.Transient
	e, answered := errors.AsType[*googleapi.Error](err)
	switch {
	case errors.Is(err, storage.ErrBucketNotExist),
		answered && e.Code == http.StatusNotFound && strings.Contains(e.Message+e.Body, "bucket does not exist"): // a download has the body alone
		kind = fault.Misconfigured
	case errors.Is(err, storage.ErrObjectNotExist), answered && e.Code == http.StatusNotFound:
		kind = fault.NotFound
	case answered && (e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden):
		kind = fault.Denied
	}
	return fault.New(kind, "%s %s in the bucket %s: %w", doing, name, b.name, err)
}
