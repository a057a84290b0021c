// Package cloudstorage is what all that lies in Cloud Storage has in common: the connection that is made at the first call,
// how one object is read and how one is written under a precondition, and what an error of the service means.
//
// It promises that a write replaces nothing but the generation it names, none where it names none, and that what is read is
// what the service kept, by its checksum, and no longer than the caller bears. It retries no write: after a retry nobody could
// tell whether an object that is there is one's own. It does not know how names come about: whoever reads what anybody may
// create compares the name with the contents. It makes no bucket and sets no rights: Terraform does.
package cloudstorage

import (
	"context"
	"regexp"
	"time"

	"cloud.google.com/go/storage"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// Wait ends one call with all the client's own retries.
const Wait = 30 * time.Second

// Permissions names, for each method, the IAM permissions it needs on the bucket
// (https://cloud.google.com/storage/docs/access-control/iam-json). Without the one to list objects, what is not there reads as
// denied. Replacing an object deletes it.
var Permissions = map[string][]string{
	"Bucket.Read":   {"storage.objects.get"},
	"Bucket.Create": {"storage.objects.create"},
	"Bucket.Put":    {"storage.objects.create", "storage.objects.delete"},
}

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
}

// New returns a bucket by its name; wait bounds each call, Wait for zero. A name that no bucket has is Misconfigured.
func New(name string, wait time.Duration, connect Connect) (*Bucket, error) {
	if !nameForm.MatchString(name) {
		return nil, fault.New(fault.Misconfigured, "cloud storage: %.100q is not the name of a bucket", name)
	}
	if wait <= 0 {
		wait = Wait
	}
	return &Bucket{name, wait, lazy.New(connect)}, nil
}

// Name is the bucket's.
func (b *Bucket) Name() string { return b.name }

// Handle returns the bucket for calls that end by the returned context. Errors: Transient, for a context that has ended and
// for a connection that cannot be made.
func (b *Bucket) Handle(ctx context.Context) (*storage.BucketHandle, context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, fault.New(fault.Transient, "calling the bucket %s: %w", b.name, err)
	}
	client, err := b.client.Get(ctx)
	if err != nil {
		return nil, nil, nil, fault.New(fault.Transient, "connecting to the bucket %s: %w", b.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	return client.Bucket(b.name), ctx, cancel, nil
}

// Close closes the connection, if one was made.
func (b *Bucket) Close() error { return lazy.Close(b.client) }
