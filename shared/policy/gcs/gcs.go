// Package gcs opens published policies where they lie in Cloud Storage, gs://BUCKET/policy/SHA256.tar.gz, and publishes them
// there. SHA256 is the policy's own digest, the one that every record names: over names and contents of its files, whatever
// packed them.
//
// It promises that what Files returns is the policy the URL names or nothing, that an archive costs bounded time and memory
// whatever it holds, and that publishing replaces nothing. A published policy is read once an instance, when its function is
// first asked for something: there is no older one to fall back on, and none from elsewhere.
package gcs

import (
	"bytes"
	"context"
	"io/fs"
	"net/url"
	"regexp"
	"slices"

	"ostiary.internal/shared/platform/cloudstorage"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Permissions names, for each method of policy.Folder, the IAM permissions it needs on the bucket: functions read one object.
var Permissions = map[string][]string{"Folder.Files": cloudstorage.Permissions["Bucket.Read"]}

// PublishPermissions names those of whoever publishes.
var PublishPermissions = map[string][]string{"Publish": slices.Concat(cloudstorage.Permissions["Bucket.Create"], cloudstorage.Permissions["Bucket.Read"])}

func init() {
	policy.Sources.Register("gs", func(_ context.Context, u *url.URL, _ policy.Options) (policy.Folder, error) {
		return New(u.String(), cloudstorage.Deployed)
	})
}

var urlForm = regexp.MustCompile(`^gs://([a-z0-9._-]+)/(policy/([0-9a-f]{64})\.tar\.gz)$`)

// Folder is a published policy.
type Folder struct {
	bucket, name, digest string
	connect              cloudstorage.Connect
}

var _ policy.Folder = Folder{}

// New returns the policy that a URL names, gs://BUCKET/policy/SHA256.tar.gz; connect runs when it is read. Misconfigured for
// another form.
func New(address string, connect cloudstorage.Connect) (Folder, error) {
	parts := urlForm.FindStringSubmatch(address)
	if parts == nil {
		return Folder{}, fault.New(fault.Misconfigured, "policy: allowed is gs://BUCKET/policy/SHA256.tar.gz, as ostiary policy publish prints it")
	}
	return Folder{parts[1], parts[2], parts[3], connect}, nil
}

// Files implements policy.Folder. An archive that is not there or may not be read is Misconfigured: waiting mends neither.
func (f Folder) Files(ctx context.Context) (fsys fs.FS, dir string, err error) {
	bucket, err := cloudstorage.New(f.bucket, 0, f.connect)
	if err != nil {
		return nil, "", err
	}
	defer bucket.Close() // it is read once
	data, _, err := bucket.Read(ctx, f.name, maxArchiveBytes)
	switch {
	case err == nil:
		return Unpack(data, f.digest)
	case fault.Is(err, fault.Transient):
		return nil, "", err
	}
	return nil, "", fault.New(fault.Misconfigured, "the policy is not published, or may not be read here: %w", err)
}

// Publish puts an archive into a bucket, and returns the URL by which functions open it and whether the policy was there
// already. Errors: Conflict where something else lies under its name, which the archive's digest shows; those of
// cloudstorage.Bucket.
func Publish(ctx context.Context, bucket *cloudstorage.Bucket, a Archive) (address string, already bool, err error) {
	if len(a.Data) > maxArchiveBytes {
		return "", false, fault.New(fault.Invalid, "publishing the policy: its archive has more than %d MiB", maxArchiveBytes>>20)
	}
	address = "gs://" + bucket.Name() + "/" + a.Name()
	err = bucket.Create(ctx, a.Name(), "application/gzip", a.Data)
	if !fault.Is(err, fault.Conflict) {
		return address, false, err
	}
	// Packed by another release of Go it may be compressed in other bytes: what counts is what it holds.
	there, _, err := bucket.Read(ctx, a.Name(), maxArchiveBytes)
	if err != nil {
		return "", false, err
	}
	if bytes.Equal(there, a.Data) {
		return address, true, nil
	}
	if _, _, err := Unpack(there, a.Digest); err != nil {
		return "", false, fault.New(fault.Conflict, "%s is there, and is not this policy: %w", address, err)
	}
	return address, true, nil
}
