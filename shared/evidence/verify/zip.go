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

// Zip reads a bundle from an archive. Invalid when it is no archive, or one that readers take for different things:
// names that lead out of it, that differ in case only or stand twice, or files that are neither plain nor folders. What
// a file unpacks to is bounded when it is read.
func Zip(r io.ReaderAt, size int64) (Source, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fault.New(fault.Invalid, "opening the archive: %w", err)
	}
	if len(archive.File) > maxArchived {
		return nil, fault.New(fault.Invalid, "opening the archive: more than %d files", maxArchived)
	}
	seen := make(map[string]bool, len(archive.File))
	for i, f := range archive.File {
		name := strings.TrimSuffix(f.Name, "/")
		folded := strings.ToLower(name)
		for segment := range strings.SplitSeq(name, "/") {
			if !safeName(segment) {
				return nil, fault.New(fault.Invalid, "opening the archive: file %d has a name that is not allowed", i+1)
			}
		}
		if seen[folded] {
			return nil, fault.New(fault.Invalid, "opening the archive: file %d has the name of an earlier one", i+1)
		}
		if !f.Mode().IsRegular() && !f.Mode().IsDir() {
			return nil, fault.New(fault.Invalid, "opening the archive: file %d is not a plain file", i+1)
		}
		seen[folded] = true
	}
	return files{archive}, nil
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
