package gcs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/policy"
)

// Limits of an archive. They lie above what policy.Load bears of a folder and of the one it extends, so that whoever can be
// loaded can be published.
const (
	maxArchiveBytes = 20 << 20 // as it lies in the bucket
	maxFilesBytes   = 20 << 20 // of all files together, and of what stands between them
	maxFiles        = 4500
)

// ownFolder holds the policy in the archive. Beside it lies the folder that the policy extends, under that folder's own name.
const ownFolder = "policy"

// Archive is a policy packed for publication. Unpacked by tar it is a folder "policy" that every command takes, beside the one
// it extends.
type Archive struct {
	Digest string // policy.Policy.Digest: what names the policy in every record
	Files  int
	Data   []byte // a tar archive in gzip
}

// Name is the archive's name in its bucket: policy/SHA256.tar.gz.
func (a Archive) Name() string { return ownFolder + "/" + a.Digest + ".tar.gz" }

// Pack packs a policy. Equal policies give equal bytes: entries in order of their names, no owner, no time. Invalid for a
// policy that extends a folder called "policy": in the archive it would lie on itself.
func Pack(p *policy.Policy) (Archive, error) {
	if p.Company.Extends == ownFolder {
		return Archive{}, fault.New(fault.Invalid, "packing the policy: the folder it extends is called %q, as its own is in the archive: give it another name", ownFolder)
	}
	a := Archive{Digest: p.Digest}
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	entries := tar.NewWriter(compressed)
	for name, data := range p.Packed() {
		if rest, inherited := strings.CutPrefix(name, "extends/"); inherited {
			name = p.Company.Extends + "/" + rest
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: time.Unix(0, 0)}
		if err := entries.WriteHeader(&header); err != nil {
			return Archive{}, fault.New(fault.Invalid, "packing the policy: %s: %w", name, err)
		}
		if _, err := entries.Write(data); err != nil {
			return Archive{}, fault.New(fault.Invalid, "packing the policy: %s: %w", name, err)
		}
		a.Files++
	}
	if err := errors.Join(entries.Close(), compressed.Close()); err != nil {
		return Archive{}, fault.New(fault.Invalid, "packing the policy: %w", err)
	}
	a.Data = out.Bytes()
	return a, nil
}

// Unpack reads an archive that must hold the policy with a digest, and returns it as policy.Load wants it. Misconfigured for
// anything else: what it reads was written by whoever may create objects in the bucket.
func Unpack(data []byte, digest string) (fsys fs.FS, dir string, err error) {
	files, err := read(data)
	if err != nil {
		return nil, "", err
	}
	t, err := grow(files)
	if err != nil {
		return nil, "", err
	}
	if got := digestOf(files); got != digest {
		return nil, "", refused("it holds the policy %s, and its name says %s", got, digest)
	}
	return t, ownFolder, nil
}

func tooMuch() error { return refused("more than %d MiB unpacked", maxFilesBytes>>20) }

func refused(format string, args ...any) error {
	return fault.New(fault.Misconfigured, "the archive of the policy is refused: "+format, args...)
}

// read takes the files out of an archive, by name.
func read(data []byte) (map[string][]byte, error) {
	packed := bytes.NewReader(data)
	whole, err := gzip.NewReader(packed)
	if err != nil {
		return nil, refused("not gzip: %w", err)
	}
	whole.Multistream(false)
	bounded := &io.LimitedReader{R: whole, N: maxFilesBytes + 1}
	entries, files, claimed := tar.NewReader(bounded), map[string][]byte{}, int64(0)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refused("not a tar archive: %w", err)
		}
		if err := entry(header, files); err != nil {
			return nil, err
		}
		if claimed += header.Size; claimed > maxFilesBytes {
			return nil, tooMuch()
		}
		if files[header.Name], err = io.ReadAll(entries); err != nil {
			return nil, refused("reading %.100q: %w", header.Name, err)
		}
	}
	// Only zeros may follow the last entry, and nothing may follow the whole; reading to the end compares gzip's own checksum.
	rest, err := io.ReadAll(bounded)
	switch {
	case err != nil:
		return nil, refused("%w", err)
	case bounded.N == 0:
		return nil, tooMuch()
	case len(bytes.Trim(rest, "\x00")) > 0 || packed.Len() > 0:
		return nil, refused("something follows its end")
	}
	return files, nil
}

var folderForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// entry says what is wrong with one more entry: it is a regular file in the policy's folder or in one beside it.
func entry(h *tar.Header, files map[string][]byte) error {
	top, inside, _ := strings.Cut(h.Name, "/")
	_, twice := files[h.Name]
	switch {
	case h.Typeflag != tar.TypeReg:
		return refused("%.100q is not a regular file", h.Name)
	case !fs.ValidPath(h.Name) || strings.ContainsAny(h.Name, "\\\x00") || inside == "" || !folderForm.MatchString(top):
		return refused("%.100q is not the name of a file in a folder", h.Name)
	case twice:
		return refused("%.100q is in it twice", h.Name)
	case len(files) == maxFiles:
		return refused("more than %d files", maxFiles)
	}
	// A long name comes in a record of its own (POSIX pax, "path"). Others could make holes of a few bytes: gigabytes of zeros.
	for key := range h.PAXRecords {
		if key != "path" {
			return refused("%.100q has the attribute %.100q", h.Name, key)
		}
	}
	return nil
}

// digestOf is the digest that policy.Load will find, before anything of the files is decoded: SHA-256 over each name and each
// content in order of the names, each behind its length, the extended folder's under "extends".
func digestOf(files map[string][]byte) string {
	packed := make(map[string][]byte, len(files))
	for name, data := range files {
		if top, inside, _ := strings.Cut(name, "/"); top != ownFolder {
			name = path.Join("extends", inside)
		}
		packed[name] = data
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(packed)) {
		for _, field := range [][]byte{[]byte(name), packed[name]} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
			h.Write(field)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
