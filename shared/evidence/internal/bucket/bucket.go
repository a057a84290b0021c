// Package bucket is what the evidence log and the evidence inbox share about Cloud Storage: how their URLs name a bucket, and
// that all their objects may lie under a prefix in one.
package bucket

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
)

var prefixForm = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$`)

// Bucket is one bucket, or a prefix in one.
type Bucket struct {
	*cloudstorage.Bucket
	prefix string
}

// Parse returns the bucket and the prefix that gs://BUCKET or gs://BUCKET/PREFIX names; another form is Misconfigured.
func Parse(u *url.URL) (name, prefix string, err error) {
	prefix = strings.TrimPrefix(u.Path, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if u.Opaque != "" || u.RawQuery != "" || u.User != nil {
		return "", "", fault.New(fault.Misconfigured, "gs: allowed is gs://BUCKET or gs://BUCKET/PREFIX")
	}
	return u.Host, prefix, nil
}

// New returns the objects of a bucket whose names begin with prefix, which is empty or ends with a slash. wait bounds
// each call, cloudstorage.Wait for zero.
func New(name, prefix string, wait time.Duration, connect cloudstorage.Connect) (*Bucket, error) {
	if !prefixForm.MatchString(prefix) {
		return nil, fault.New(fault.Misconfigured, "gs: the prefix %.100q is not of letters, digits, dots, dashes and slashes", prefix)
	}
	b, err := cloudstorage.New(name, wait, connect)
	return &Bucket{b, prefix}, err
}

// Prefix is what the names of all objects begin with.
func (b *Bucket) Prefix() string { return b.prefix }

// Put is Put of cloudstorage.Bucket, of an object under the prefix.
func (b *Bucket) Put(ctx context.Context, name string, data []byte, generation int64) (int64, error) {
	return b.Bucket.Put(ctx, b.prefix+name, "application/octet-stream", data, generation)
}
