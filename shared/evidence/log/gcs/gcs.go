// Package gcs keeps a part of the evidence log in a bucket of Cloud Storage, or under a prefix of one.
//
// Every write, replacement and deletion is made under a precondition on the object's generation, which the service
// checks; so what log.Objects promises among rivals holds between processes everywhere. Reads are verified against
// CRC32C. It makes no buckets, sets no retention and no rights: Terraform does.
package gcs

import (
	"context"
	"errors"
	"net/url"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ostiary.internal/shared/evidence/internal/bucket"
	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the bucket
// (https://cloud.google.com/storage/docs/access-control/iam-json). Without the one to list, an object that is missing
// reads as one that is denied.
var Permissions = map[string][]string{
	"Objects.Get":    {"storage.objects.get", "storage.objects.list"},
	"Objects.Create": cloudstorage.Permissions["Bucket.Create"],
	"Objects.Swap":   cloudstorage.Permissions["Bucket.Put"],
	"Objects.Delete": {"storage.objects.delete", "storage.objects.get", "storage.objects.list"},
	"Objects.List":   {"storage.objects.list"},
}

// maxBytes bounds what is read: the largest bundle of entries has 16 MiB.
const maxBytes = 64 << 20

func init() {
	log.Stores.Register("gs", func(_ context.Context, u *url.URL, _ log.Options) (log.Objects, error) {
		name, prefix, err := bucket.Parse(u)
		if err != nil {
			return nil, err
		}
		return New(name, prefix, 0, cloudstorage.Deployed)
	})
}

// Objects are the objects of a bucket under one prefix.
type Objects struct{ *bucket.Bucket }

var _ log.Objects = Objects{}

// New returns the objects of a bucket whose names begin with prefix, which is empty or ends with a slash. wait bounds
// each call, 30 s for zero. connect runs at the first call.
func New(name, prefix string, wait time.Duration, connect cloudstorage.Connect) (Objects, error) {
	b, err := bucket.New(name, prefix, wait, connect)
	return Objects{b}, err
}

// Get implements log.Objects.
func (o Objects) Get(ctx context.Context, name string) (log.Object, error) {
	if err := log.CheckName(name); err != nil {
		return log.Object{}, err
	}
	data, generation, err := o.Read(ctx, o.Prefix()+name, maxBytes)
	return log.Object{Data: data, Generation: generation}, err
}

// Create implements log.Objects.
func (o Objects) Create(ctx context.Context, name string, data []byte) (int64, error) {
	return o.Swap(ctx, name, data, 0)
}

// Swap implements log.Objects.
func (o Objects) Swap(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	if err := log.CheckName(name); err != nil {
		return 0, err
	}
	return o.Put(ctx, name, data, generation)
}

// Delete implements log.Objects.
func (o Objects) Delete(ctx context.Context, name string, generation int64) error {
	if err := log.CheckName(name); err != nil {
		return err
	}
	handle, ctx, cancel, err := o.Handle(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	object := handle.Object(o.Prefix() + name)
	if generation == 0 { // nobody's; to the service it would be no precondition
		err = fault.New(fault.Conflict, "deleting %s: no generation is given", name)
	} else {
		err = o.explain("deleting", name, object.If(storage.Conditions{GenerationMatch: generation}).Delete(ctx))
	}
	if fault.Is(err, fault.Conflict) {
		// The precondition fails for what is gone too.
		if _, missing := object.Attrs(ctx); fault.Is(o.explain("looking for", name, missing), fault.NotFound) {
			return nil
		}
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (o Objects) explain(doing, name string, err error) error {
	if err == nil {
		return nil
	}
	return o.Explain(doing, name, err)
}

// listedAttrs is what a list says of each object: not what its maker attached to it, of which there may be 8 KiB. Whoever may
// create an object may set a hold (cloud.google.com/storage/docs/object-holds), and a key to lie under
// (cloud.google.com/storage/docs/encryption); a bucket must therefore have no key of its own by default, and no hold.
var listedAttrs = []string{"Name", "Generation", "Size", "Created", "TemporaryHold", "EventBasedHold", "Retention", "CustomerKeySHA256", "KMSKeyName"}

// List implements log.Objects.
func (o Objects) List(ctx context.Context, prefix, after string, limit int) ([]log.Listed, error) {
	if limit <= 0 {
		return nil, nil
	}
	handle, ctx, cancel, err := o.Handle(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	query := &storage.Query{Prefix: o.Prefix() + prefix, Projection: storage.ProjectionNoACL}
	if after != "" {
		query.StartOffset = o.Prefix() + after // inclusive
	}
	if err := query.SetAttrSelection(listedAttrs); err != nil {
		return nil, fault.New(fault.Misconfigured, "listing %s: %w", prefix, err)
	}
	objects := handle.Objects(ctx, query)
	objects.PageInfo().MaxSize = limit + 1
	var listed []log.Listed
	for len(listed) < limit {
		attrs, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			return nil, o.Explain("listing", prefix, err)
		}
		if name := attrs.Name[len(o.Prefix()):]; name > after {
			listed = append(listed, log.Listed{
				Name: name, Generation: attrs.Generation, Size: attrs.Size, Created: attrs.Created,
				Held: attrs.TemporaryHold || attrs.EventBasedHold || attrs.Retention != nil, Sealed: attrs.CustomerKeySHA256 != "" || attrs.KMSKeyName != "",
			})
		}
	}
	return listed, nil
}
