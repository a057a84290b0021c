// Package bucket is what the evidence log and the evidence inbox share about Cloud Storage: how a bucket is named, how
// one object is written under a precondition, and what an error means. It retries no write: after a retry nobody could
// tell whether an object that is there is one's own.
package bucket

import (
	"context"
	"errors"
	"hash/crc32"
	"net/http"
	"net/url"
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

var (
	nameForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$`)
)

// Connect makes the client; it runs at the first call, and again after it failed.
type Connect func(context.Context) (*storage.Client, error)

// Deployed is the Connect of a deployed function.
func Deployed(ctx context.Context) (*storage.Client, error) {
	return storage.NewClient(ctx, storage.WithJSONReads())
}

// Bucket is one bucket, or a prefix in one.
type Bucket struct {
	name, prefix string
	wait         time.Duration
	client       *lazy.Value[*storage.Client]
	made         atomic.Pointer[storage.Client] // for Close, which must not connect
}

// Parse returns the bucket and the prefix that gs://BUCKET or gs://BUCKET/PREFIX names; another form is Misconfigured.
func Parse(u *url.URL) (name, prefix string, err error) {
	prefix = strings.TrimPrefix(u.Path, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", "", fault.New(fault.Misconfigured, "gs: allowed is gs://BUCKET or gs://BUCKET/PREFIX")
	}
	return u.Host, prefix, nil
}

// New returns the objects of a bucket whose names begin with prefix, which is empty or ends with a slash. wait bounds
// each call, Wait for zero.
func New(name, prefix string, wait time.Duration, connect Connect) (*Bucket, error) {
	if !nameForm.MatchString(name) || !prefixForm.MatchString(prefix) {
		return nil, fault.New(fault.Misconfigured, "gs: %q with the prefix %q is no bucket", name, prefix)
	}
	if wait <= 0 {
		wait = Wait
	}
	return &Bucket{name: name, prefix: prefix, wait: wait, client: lazy.New(connect)}, nil
}

// Prefix is what the names of all objects begin with.
func (b *Bucket) Prefix() string { return b.prefix }

// Handle returns the bucket for calls that end by the returned context.
func (b *Bucket) Handle(ctx context.Context) (*storage.BucketHandle, context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, fault.New(fault.Transient, "calling the bucket %s: %w", b.name, err)
	}
	client, err := b.client.Get(ctx)
	if err != nil {
		return nil, nil, nil, fault.New(fault.Transient, "connecting to the bucket %s: %w", b.name, err)
	}
	b.made.Store(client)
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	return client.Bucket(b.name), ctx, cancel, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Put writes an object in one request and returns its generation: if generation is 0, one that must not exist, otherwise
// in place of that generation. Conflict when it is not so. Its checksum is verified by the service before it is kept.
func (b *Bucket) Put(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	handle, ctx, cancel, err := b.Handle(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	conditions := storage.Conditions{GenerationMatch: generation, DoesNotExist: generation == 0}
	w := handle.Object(b.prefix + name).If(conditions).Retryer(storage.WithPolicy(storage.RetryNever)).NewWriter(ctx)
	w.ChunkSize = 0 // one request: nothing is left half uploaded, and the body is not copied
	w.ContentType = "application/octet-stream"
	w.CRC32C, w.SendCRC32C = crc32.Checksum(data, castagnoli), true
	_, err = w.Write(data)
	// What the service answered is told by Close; Write may only know that the pipe broke.
	if closing := w.Close(); closing != nil || err == nil {
		err = closing
	}
	switch {
	case err == nil:
		return w.Attrs().Generation, nil
	case taken(err, generation), generation != 0 && status(err) == http.StatusNotFound && !noBucket(err):
		return 0, fault.New(fault.Conflict, "writing %s: %w", name, err)
	}
	return 0, b.Explain("writing", name, err)
}

// taken reports whether a write was refused because an object is there that may not be replaced: its generation is
// another, or, for one that must not exist, it is under retention or a hold, or the writer may only create: which of
// these comes first is the service's choice. Where a generation is to be replaced they say that it never can be.
func taken(err error, generation int64) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	switch {
	case !ok:
		return false
	case e.Code == http.StatusPreconditionFailed:
		return true
	case e.Code != http.StatusForbidden || generation != 0:
		return false
	}
	for _, item := range e.Errors {
		if item.Reason == "retentionPolicyNotMet" || item.Reason == "objectUnderActiveHold" {
			return true
		}
	}
	return strings.Contains(e.Message, "storage.objects.delete")
}

// Explain gives an error of the service its kind.
func (b *Bucket) Explain(doing, name string, err error) error {
	kind := fault.Transient
	switch code := status(err); {
	case noBucket(err):
		kind = fault.Misconfigured
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		kind = fault.Denied
	case code == http.StatusNotFound:
		kind = fault.NotFound
	case code == http.StatusPreconditionFailed:
		kind = fault.Conflict
	case code == http.StatusNotImplemented, code == http.StatusMethodNotAllowed, code == http.StatusGone:
		kind = fault.Misconfigured
	}
	return fault.New(kind, "%s %s in the bucket %s: %w", doing, name, b.name, err)
}

// status is the status the service answered, or 0.
func status(err error) int {
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return e.Code
	}
	if errors.Is(err, storage.ErrObjectNotExist) || errors.Is(err, storage.ErrBucketNotExist) {
		return http.StatusNotFound
	}
	return 0
}

// noBucket reports that there is no bucket: a missing object is told in other words.
func noBucket(err error) bool {
	if errors.Is(err, storage.ErrBucketNotExist) {
		return true
	}
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == http.StatusNotFound && strings.Contains(e.Message+e.Body, "bucket does not exist") // a download has the body alone
}

// Close closes the connection, if one was made.
func (b *Bucket) Close() error {
	if client := b.made.Load(); client != nil {
		return client.Close()
	}
	return nil
}
