package cloudstorage

import (
	"errors"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/platform/fault"
)

// Status is the status the service answered, or 0 where it did not.
func Status(err error) int {
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return e.Code
	}
	if errors.Is(err, storage.ErrObjectNotExist) || errors.Is(err, storage.ErrBucketNotExist) {
		return http.StatusNotFound
	}
	return 0
}

// NoBucket reports whether an error says that there is no bucket: a missing object is told in other words.
func NoBucket(err error) bool {
	if errors.Is(err, storage.ErrBucketNotExist) {
		return true
	}
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == http.StatusNotFound && strings.Contains(e.Message+e.Body, "bucket does not exist") // a download has the body alone
}

// Explain gives an error of the service its kind. It keeps what the service says in words, which may name the object.
func (b *Bucket) Explain(doing, name string, err error) error {
	kind := fault.Transient
	switch code := Status(err); {
	case NoBucket(err):
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
