// Package gcs is an evidence inbox in a bucket of Cloud Storage: one object a record, named by its id.
//
// It promises that a control can add records and do nothing else: its one permission is to create. Hence it cannot tell
// whether a record that is there already has the same bytes. It says nil, and the first bytes stay: a record's id follows
// from its event, so what is there speaks of the same event. It makes no bucket and sets no rights: Terraform does.
package gcs

import (
	"context"
	"net/url"
	"time"

	"ostiary.internal/shared/evidence/internal/bucket"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
)

// Permissions names, for each method of the seam, the IAM permissions it needs on the bucket.
var Permissions = map[string][]string{"Inbox.Create": cloudstorage.Permissions["Bucket.Create"]}

func init() {
	record.Inboxes.Register("gs", func(_ context.Context, u *url.URL, o record.Options) (record.Inbox, error) {
		name, prefix, err := bucket.Parse(u)
		if err != nil {
			return nil, err
		}
		if err := record.CheckWriter(o.Writer); err != nil {
			return nil, err
		}
		return New(name, prefix+o.Writer+"/", 0, cloudstorage.Deployed)
	})
}

// Inbox is a bucket of records, or a prefix in one.
type Inbox struct{ bucket *bucket.Bucket }

var _ record.Inbox = Inbox{}

// New returns the inbox in a bucket, under prefix, which is empty or ends with a slash. wait bounds each call, 30 s for
// zero. connect runs at the first call.
func New(name, prefix string, wait time.Duration, connect cloudstorage.Connect) (Inbox, error) {
	b, err := bucket.New(name, prefix, wait, connect)
	return Inbox{b}, err
}

// Create implements record.Inbox, but for other bytes under the same id: they are nil, and not kept.
func (in Inbox) Create(ctx context.Context, id string, data []byte) error {
	if err := record.CheckObject(id, data); err != nil {
		return err
	}
	if _, err := in.bucket.Put(ctx, id, data, 0); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return nil
}

// Close implements record.Inbox.
func (in Inbox) Close() error { return in.bucket.Close() }
