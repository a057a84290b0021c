package verify

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"ostiary.internal/shared/platform/fault"
)

// maxArchived is how many files an archive may hold: a log of some hundred million records.
const maxArchived = 2_000_000

// sealed are the flags of a file that is encrypted, or whose header is (APPNOTE 6.3.10, section 4.4.4).
const sealed = 1<<0 | 1<<6 | 1<<13

// Zip reads a bundle from an archive. Invalid when it is no archive, or one that readers take for different things:
// names that lead out of it, that differ in case only, stand twice or are those of a file and of a folder; or files that
// are neither plain nor folders, or encrypted. What a file unpacks to is bounded when it is read.
func Zip(r io.ReaderAt, size int64) (Source, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fault.New(fault.Invalid, "opening the archive: %w", err)
	}
	if len(archive.File) > maxArchived {
		return nil, fault.New(fault.Invalid, "opening the archive: more than %d files", maxArchived)
	}
	seen := make(names, len(archive.File))
	for i, f := range archive.File {
		name, isFolder := strings.CutSuffix(f.Name, "/")
		for segment := range strings.SplitSeq(name, "/") {
			if !safeName(segment) {
				return nil, fault.New(fault.Invalid, "opening the archive: file %d has a name that is not allowed", i+1)
			}
		}
		if !seen.take(name, isFolder) {
			return nil, fault.New(fault.Invalid, "opening the archive: file %d has the name of an earlier one, or of a folder", i+1)
		}
		if !f.Mode().IsRegular() && !f.Mode().IsDir() || f.Mode().IsDir() != isFolder || f.Flags&sealed != 0 {
			return nil, fault.New(fault.Invalid, "opening the archive: file %d is not a plain file", i+1)
		}
	}
	return files{archive}, nil
}

// names are those in an archive, by their lower-case form.
type names map[string]named

type named struct {
	spelled          string
	isFolder, listed bool // listed: it has an entry of its own
}

// take notes a name and the folders on the way to it. It reports false where they do not go with an earlier one.
func (n names) take(name string, isFolder bool) bool {
	for at, c := range []byte(name) {
		if c == '/' && !n.note(named{name[:at], true, false}) {
			return false
		}
	}
	return n.note(named{name, isFolder, true})
}

func (n names) note(now named) bool {
	folded := strings.ToLower(now.spelled)
	if old, known := n[folded]; known {
		if old.spelled != now.spelled || old.isFolder != now.isFolder || old.listed && now.listed {
			return false
		}
		now.listed = now.listed || old.listed
	}
	n[folded] = now
	return true
}

// damaged tells a broken archive, or a path that is no folder, from a fault of this machine.
func damaged(name string, err error) error {
	corrupt, _ := errors.AsType[flate.CorruptInputError](err)
	broken := []error{zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.ErrUnexpectedEOF, fs.ErrInvalid}
	for _, b := range broken {
		if errors.Is(err, b) || corrupt != 0 {
			return fault.New(fault.Invalid, "reading %s: %w", name, err)
		}
	}
	return fmt.Errorf("reading %s: %w", name, err)
}
