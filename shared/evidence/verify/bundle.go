package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"math"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/platform/fault"
)

// The files of a bundle. Tiles and entries lie as in the log (C2SP tlog-tiles). Other files are not looked at: a trust
// file among them is there to be read, not to be trusted.
const (
	CheckpointFile = "checkpoint"
	RegisterFile   = "register.json"
	PageFile       = "page.json"
	earlierFolder  = "checkpoints" // earlier checkpoints, one a file
	payloadFolder  = "payloads"    // <record id>: a payload as the vault keeps it; <record id>.salt where it is committed to with one
	proofFolder    = "proofs"      // *.tlog-proof
	saltSuffix     = ".salt"
	proofSuffix    = ".tlog-proof"
)

// Limits in bytes of what is read.
const (
	hashBytes    = 32
	tileWidth    = 256 // hashes in a full tile, entries in a full bundle
	maxEntries   = tileWidth * (2 + math.MaxUint16)
	maxPage      = 32 << 20
	maxPayload   = 64 << 20
	maxSalt      = 1 << 10
	maxListed    = 10_000 // files in one of the folders
	entriesLevel = -1
)

// Source is where a bundle is read: a folder, an archive, a log's own store.
type Source interface {
	// Read returns a whole file. NotFound when there is none; Invalid when it is larger than limit or no plain file.
	Read(ctx context.Context, name string, limit int64) ([]byte, error)
	// List returns the names in a folder, in order; none when there is no folder. Invalid when there are too many.
	List(ctx context.Context, folder string) ([]string, error)
}

// FS reads a bundle from a file system, such as that of an os.Root. What lies outside must be out of its reach.
func FS(fsys fs.FS) Source { return files{fsys} }

type files struct{ fs.FS }

// errNotPlain is of a link, of a device, of a folder where a file should be, or the other way round.
var errNotPlain = errors.New("not a plain file")

// plain looks at what stands under a name, 0 for a file, before anything is opened: a pipe would wait for ever. Every
// folder on the way is one: a link leads elsewhere, wherever it leads.
func (f files) plain(name string, want fs.FileMode) error {
	for end := 0; end < len(name); end++ {
		kind := fs.ModeDir
		if next := strings.IndexByte(name[end:], '/'); next >= 0 {
			end += next
		} else {
			end, kind = len(name), want
		}
		info, err := fs.Lstat(f.FS, name[:end])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fault.New(fault.NotFound, "reading %s: not there", name)
		case err != nil:
			return damaged(name, err)
		case info.Mode().Type() != kind:
			return fault.New(fault.Invalid, "reading %s: %w", name, errNotPlain)
		}
	}
	return nil
}

func (f files) Read(_ context.Context, name string, limit int64) ([]byte, error) {
	if err := f.plain(name, 0); err != nil {
		return nil, err
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, damaged(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1)) // what a header says of the size may be a lie
	switch {
	case err != nil:
		return nil, damaged(name, err)
	case int64(len(data)) > limit:
		return nil, fault.New(fault.Invalid, "reading %s: larger than %d bytes", name, limit)
	}
	return data, nil
}

func (f files) List(_ context.Context, folder string) ([]string, error) {
	if err := f.plain(folder, fs.ModeDir); fault.Is(err, fault.NotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(f.FS, folder)
	switch {
	case err != nil:
		return nil, damaged(folder, err)
	case len(entries) > maxListed:
		return nil, fault.New(fault.Invalid, "reading %s: more than %d files", folder, maxListed)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// place is where a tile, or an entry bundle, stands in a log.
type place struct {
	level int
	n     int64
	width int
}

// places lists the tiles of a log of some size, entry bundles first.
func places(size int64) iter.Seq[place] {
	return func(yield func(place) bool) {
		for level := entriesLevel; ; level++ {
			count := size >> (8 * max(level, 0))
			if count == 0 {
				return
			}
			for n := int64(0); n<<8 < count; n++ {
				if !yield(place{level, n, int(min(count-n<<8, tileWidth))}) {
					return
				}
			}
		}
	}
}

func tilePath(level int, n int64, width int) string {
	if level == entriesLevel {
		return log.BundlePath(n, width)
	}
	return log.TilePath(level, n, width)
}

// tile is a tile of hashes or an entry bundle as it was found.
type tile struct {
	name string
	data []byte
	full bool // a full one was read
}

// readTile reads a tile or an entry bundle; a full one does for a partial one (C2SP tlog-tiles, "Partial tiles").
func readTile(ctx context.Context, src Source, level int, n int64, width int) (tile, error) {
	limit := int64(maxEntries)
	if level != entriesLevel {
		limit = tileWidth * hashBytes
	}
	partial := tile{name: tilePath(level, n, width), full: width == tileWidth}
	data, err := src.Read(ctx, partial.name, limit)
	if err == nil || partial.full || !fault.Is(err, fault.NotFound) {
		partial.data = data
		return partial, err
	}
	whole := tile{name: tilePath(level, n, tileWidth), full: true}
	if whole.data, err = src.Read(ctx, whole.name, limit); fault.Is(err, fault.NotFound) {
		return partial, err
	}
	return whole, err
}

// split takes a bundle apart into entries, each behind its length in two bytes. rest is what is left where the lengths
// do not lead to the end, or where there are more entries than a bundle of that width has.
func (t tile) split(width int) (leaves [][]byte, rest []byte) {
	rest = t.data
	for len(rest) >= 2 && len(leaves) < t.most(width) {
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if end > len(rest) {
			break
		}
		leaves, rest = append(leaves, rest[2:end]), rest[end:]
	}
	return leaves, rest
}

// most is how many entries a bundle has that was asked for in some width.
func (t tile) most(width int) int {
	if t.full {
		return tileWidth
	}
	return width
}

// cutShort tells a bundle that was cut off from one that was changed: all that is left of it is what was logged.
func (t tile) cutShort(leaves [][]byte, rest []byte, hashes tile, width int) bool {
	logged := func(leaf []byte, i int) bool {
		hash := tlog.RecordHash(leaf)
		return len(hashes.data) >= (i+1)*hashBytes && bytes.Equal(hash[:], hashes.data[i*hashBytes:(i+1)*hashBytes])
	}
	for i, leaf := range leaves {
		if !logged(leaf, i) {
			return false
		}
	}
	// A whole entry behind a wrong length was not cut.
	return len(leaves) < t.most(width) && len(hashes.data) > len(leaves)*hashBytes && !(len(rest) >= 2 && logged(rest[2:], len(leaves)))
}

// safeName reports whether a file's name in one of the folders has one reading on every system.
func safeName(name string) bool {
	return name != "" && len(name) <= 255 && !strings.HasPrefix(name, ".") && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}
