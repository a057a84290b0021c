package gcs

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/lazy"
)

// ListPermissions names the permissions that a Lister needs on the project.
var ListPermissions = map[string][]string{"Lister.Stores": {"storage.buckets.list"}}

func init() {
	erasure.Listers.Register("gcs", func(_ context.Context, u *url.URL, _ erasure.Options) (erasure.Lister, error) {
		project, err := parse(u)
		if err != nil || project == "" {
			return nil, fault.New(fault.Misconfigured, "listing buckets: a project's URL is gcs://PROJECT")
		}
		return NewLister(project, cloudstorage.Deployed), nil
	})
}

// Lister lists the buckets of a project.
type Lister struct {
	project string
	client  *lazy.Value[*storage.Client]
}

var _ erasure.Lister = (*Lister)(nil)

// NewLister is as NewReader.
func NewLister(project string, connect cloudstorage.Connect) *Lister {
	return &Lister{project: project, client: lazy.New(connect)}
}

// Stores implements erasure.Lister.
func (l *Lister) Stores(ctx context.Context, limit int) ([]string, error) {
	client, err := l.client.Get(ctx)
	if err != nil {
		return nil, fault.New(fault.Transient, "connecting to Cloud Storage: %w", err)
	}
	client.SetRetry(storage.WithPolicy(storage.RetryNever))
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all []string
	for it := client.Buckets(ctx, l.project); ; {
		b, err := it.Next()
		switch {
		case errors.Is(err, iterator.Done):
			slices.Sort(all)
			return all, nil
		case err != nil:
			return nil, explain("listing the buckets of "+l.project, err)
		case len(all) == limit:
			return nil, fault.New(fault.Exhausted, "listing buckets: there are more than %d", limit)
		}
		all = append(all, "gcs://"+b.Name)
	}
}

// Close implements io.Closer.
func (l *Lister) Close() error { return lazy.Close(l.client) }
