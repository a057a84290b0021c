// Package gcs reads Terraform's state where its backend gcs keeps it, in a bucket of Cloud Storage, and plans that a pipeline laid
// there as "terraform show -json" writes them.
//
// It promises that what Open returns is one generation of the object, verified against its checksum as it is read, and that a
// lock that was held when the reading began is told. It reads only: it takes no lock, and the state may be another once it
// is read. Nothing is tried again within a call.
package gcs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/drift/diff"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
)

// Permissions names, for each method of diff.Source, the IAM permissions it needs on the bucket
// (https://cloud.google.com/storage/docs/access-control/iam-json). Without the one to list, what is not there reads as denied.
var Permissions = map[string][]string{"Source.Open": {"storage.objects.get", "storage.objects.list"}}

// patience bounds the reading of a state.
const patience = 2 * time.Minute

const (
	stateEnd = ".tfstate"
	planEnd  = ".tfplan.json"
	lockEnd  = ".tflock" // https://developer.hashicorp.com/terraform/language/backend/gcs
)

func init() {
	diff.Sources.Register("gs", func(_ context.Context, u *url.URL, _ diff.SourceOptions) (diff.Source, error) {
		if u.Opaque != "" || u.RawQuery != "" || u.User != nil {
			return nil, fault.New(fault.Misconfigured, "terraform state: allowed are gs://BUCKET/PATH%s and gs://BUCKET/PATH%s", stateEnd, planEnd)
		}
		return New(u.Host, strings.TrimPrefix(u.Path, "/"), cloudstorage.Deployed)
	})
}

// Source reads one object.
type Source struct {
	bucket *cloudstorage.Bucket
	object string
}

var _ diff.Source = (*Source)(nil)

// New returns a source of the state in an object that ends in .tfstate, or the plan in one that ends in .tfplan.json; connect runs at the first call, and again after it
// failed. Another name is Misconfigured.
func New(bucket, object string, connect cloudstorage.Connect) (*Source, error) {
	if !strings.HasSuffix(object, stateEnd) && !strings.HasSuffix(object, planEnd) {
		return nil, fault.New(fault.Misconfigured, "terraform state: allowed are gs://BUCKET/PATH%s, such as gs://company-state/live/default%s, and gs://BUCKET/PATH%s", stateEnd, stateEnd, planEnd)
	}
	b, err := cloudstorage.New(bucket, patience, connect)
	return &Source{b, object}, err
}

// Close implements diff.Source.
func (s *Source) Close() error { return s.bucket.Close() }

// Open implements diff.Source. Version is the object's generation.
func (s *Source) Open(ctx context.Context) (diff.State, error) {
	bucket, ctx, cancel, err := s.bucket.Handle(ctx)
	if err != nil {
		return diff.State{}, err
	}
	// By itself the client would go on asking a service that is asked too much.
	bucket = bucket.Retryer(storage.WithPolicy(storage.RetryNever))
	// The lock first: an apply that ends in between is told as one that goes on, never the other way round.
	held := false
	if name, is := strings.CutSuffix(s.object, stateEnd); is { // a plan has none
		_, err = bucket.Object(name + lockEnd).Attrs(ctx)
		held = err == nil
		if err := explain("looking for the lock of the state", err); err != nil && !fault.Is(err, fault.NotFound) {
			cancel()
			return diff.State{}, err
		}
	}
	r, err := bucket.Object(s.object).NewReader(ctx)
	if err != nil {
		cancel()
		return diff.State{}, explain("reading the state", err)
	}
	return diff.State{Data: body{r, cancel}, Version: strconv.FormatInt(r.Attrs.Generation, 10), Applying: held}, nil
}

// body ends the call when it is closed.
type body struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// explain gives an error its kind. What the service says in words is left out; nil stays nil.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	code := cloudstorage.Status(err)
	switch {
	case code == 0:
		return fault.New(fault.Transient, "%s: no answer", doing)
	case cloudstorage.NoBucket(err):
		return fault.New(fault.Misconfigured, "%s: there is no such bucket", doing)
	case code == http.StatusNotFound:
		return fault.New(fault.NotFound, "%s: there is none", doing)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.New(fault.Denied, "%s: %d", doing, code)
	case code == http.StatusTooManyRequests:
		var wait time.Duration
		if e, ok := errors.AsType[*googleapi.Error](err); ok {
			wait = reach.RetryAfter(e.Header, time.Hour)
		}
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: wait, Err: fault.New(fault.Exhausted, "%s: too many requests", doing)}
	}
	return fault.New(fault.Transient, "%s: %d", doing, code)
}
