package log

import (
	"regexp"

	"ostiary.internal/shared/platform/fault"
)

// maxNameBytes is the longest name of an object; every file system and bucket takes as much.
const maxNameBytes = 255

// nameForm has no segment that begins with a dot: no step out of a folder, and room for a store's own files.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

// CheckName tells whether an object may have a name: up to 255 bytes, slash-separated segments of letters, digits
// and . _ - that do not begin with a dot. Otherwise Invalid. Every Objects calls it, so that all refuse alike. No
// name may be the first segments of another, such as "a" of "a/b"; a store need not notice.
func CheckName(name string) error {
	if len(name) > maxNameBytes || !nameForm.MatchString(name) {
		return fault.New(fault.Invalid, "evidence log: the name of an object is not of the allowed form")
	}
	return nil
}
