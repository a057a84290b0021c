// Package gcs searches and erases personal data in a bucket of Cloud Storage.
//
// A place is the beginning of names up to a slash ("tenants/acme/"), or "" for the whole bucket; values of MatchDocument
// and MatchPrefix are whole names, the place included. Every generation of an object is an item of its own, one that is no
// longer live too, and is deleted for good by its generation. Objects are deleted, never changed: what is personal in a
// file is more than its metadata.
//
// Metadata is in no index: to recognise objects by it, every name in the place is listed. What the bucket refuses to
// delete (a hold, a retention) is told as held; what can be restored afterwards (soft deletion) in Traces. Nothing is
// tried again within a call.
package gcs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// ReadPermissions names, for each method of erasure.Reader, the IAM permissions it needs on the bucket
// (https://cloud.google.com/storage/docs/access-control/iam-json).
var ReadPermissions = map[string][]string{
	"Reader.Find":   {"storage.objects.list"},
	"Reader.Values": {"storage.objects.list"},
	"Reader.Group":  nil,
	"Reader.Places": {"storage.objects.list"},
	"Reader.Traces": {"storage.buckets.get"},
}

// Permissions names, for what erasure.Store adds, the permissions it needs on the bucket. Without the one to list, an
// object that is gone reads as one that is denied.
var Permissions = map[string][]string{
	"Store.Erase": {"storage.objects.get", "storage.objects.list", "storage.objects.delete"},
}

// patience bounds one request.
const patience = 30 * time.Second

func init() {
	erasure.Readers.Register("gcs", func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Reader, error) {
		name, err := parse(u)
		if err != nil {
			return nil, err
		}
		return NewReader(name, o.Clock, cloudstorage.Deployed)
	})
	erasure.Stores.Register("gcs", func(_ context.Context, u *url.URL, o erasure.Options) (erasure.Store, error) {
		name, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(name, o.Clock, cloudstorage.Deployed)
	})
}

// parse reads gcs://BUCKET.
func parse(u *url.URL) (bucket string, err error) {
	if u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", fault.New(fault.Misconfigured, "data to erase: a bucket's URL is gcs://BUCKET")
	}
	return u.Host, nil
}

// Reader searches one bucket.
type Reader struct {
	bucket *cloudstorage.Bucket
	clock  clock.Clock
}

// Store searches and erases in one bucket.
type Store struct{ *Reader }

var (
	_ erasure.Reader = (*Reader)(nil)
	_ erasure.Store  = (*Store)(nil)
)

// NewReader returns a reader of a bucket; connect runs at the first call, and again after it failed. A nil clock is the
// system's. What is no name of a bucket is Misconfigured.
func NewReader(bucket string, c clock.Clock, connect cloudstorage.Connect) (*Reader, error) {
	b, err := cloudstorage.New(bucket, patience, connect)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = clock.System{}
	}
	return &Reader{b, c}, nil
}

// New is NewReader for a store that erases too.
func New(bucket string, c clock.Clock, connect cloudstorage.Connect) (*Store, error) {
	r, err := NewReader(bucket, c, connect)
	return &Store{r}, err
}

// begin is Handle, and tries nothing again: by itself the client would go on asking a service that is asked too much.
func (r *Reader) begin(ctx context.Context) (*storage.BucketHandle, context.Context, context.CancelFunc, error) {
	handle, ctx, cancel, err := r.bucket.Handle(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	return handle.Retryer(storage.WithPolicy(storage.RetryNever)), ctx, cancel, nil
}

// Close implements io.Closer.
func (r *Reader) Close() error { return r.bucket.Close() }

// status is what the service answered, or 0, with the reason it gave and when to come back.
func status(err error) (code int, reason string, wait time.Duration) {
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		for _, item := range e.Errors {
			reason = item.Reason
		}
		wait = reach.RetryAfter(e.Header, 24*time.Hour)
	}
	if cloudstorage.NoBucket(err) {
		reason = noBucket
	}
	return cloudstorage.Status(err), reason, wait
}

const noBucket = "no such bucket"

// explain gives an error its kind. What the service says in words names objects, so only its status and reason are kept.
func (r *Reader) explain(doing string, err error) error {
	return explain(doing+" the bucket "+r.bucket.Name(), err)
}

func explain(doing string, err error) error {
	code, reason, wait := status(err)
	kind := fault.Transient
	switch code {
	case 0: // the request's own URL, and with it the object's name, is in what the transport says
		return fault.New(kind, "%s: no answer", doing)
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = fault.Denied
	case http.StatusNotFound:
		kind = fault.NotFound
	case http.StatusPreconditionFailed:
		kind = fault.Conflict
	case http.StatusTooManyRequests:
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: wait, Err: fault.New(fault.Exhausted, "%s: too many requests", doing)}
	case http.StatusBadRequest:
		kind = fault.Invalid
	case http.StatusNotImplemented, http.StatusMethodNotAllowed, http.StatusGone:
		kind = fault.Misconfigured
	}
	return fault.New(kind, "%s: %d %s", doing, code, reason)
}
