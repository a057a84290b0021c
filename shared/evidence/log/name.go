package log

import (
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// maxNameBytes is the longest name of an object; every file system and bucket takes as much.
const maxNameBytes = 255

// CheckName tells whether an object may have a name: up to 255 bytes, slash-separated segments of letters, digits
// and . _ - that do not begin with a dot. Otherwise Invalid. Every Objects calls it, so that all refuse alike. No
// name may be the first segments of another, such as "a" of "a/b"; a store need not notice.
func CheckName(name string) error {
	if len(name) > maxNameBytes || !wellFormed(name) {
		return fault.New(fault.Invalid, "evidence log: the name of an object is not of the allowed form")
	}
	return nil
}

// wellFormed has no segment that begins with a dot: no step out of a folder, and room for a store's own files. A regular
// expression would take longer than a store in memory.
func wellFormed(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment[0] == '.' || strings.ContainsFunc(segment, unfit) {
			return false
		}
	}
	return true
}

func unfit(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}
