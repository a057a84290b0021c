package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// tree rebuilds a log's Merkle tree leaf by leaf (RFC 6962, section 2.1), holding one tile a level.
type tree struct {
	size   int64
	levels [][]tlog.Hash                                    // hashes of the tile under way, by level
	done   func(level int, n int64, tile []tlog.Hash) error // called with each tile when it is full
}

// add takes the hash of the next leaf.
func (t *tree) add(h tlog.Hash) error {
	t.size++
	for level := 0; ; level++ {
		if level == len(t.levels) {
			t.levels = append(t.levels, make([]tlog.Hash, 0, tileWidth))
		}
		t.levels[level] = append(t.levels[level], h)
		if len(t.levels[level]) < tileWidth {
			return nil
		}
		full := t.levels[level]
		t.levels[level] = full[:0]
		h = subtree(full)
		if err := t.done(level, (t.size-1)>>(8*(level+1)), full); err != nil {
			return err
		}
	}
}

// close reports the tiles that stay partial.
func (t *tree) close() error {
	for level, tile := range t.levels {
		if len(tile) == 0 {
			continue
		}
		if err := t.done(level, t.size>>(8*(level+1)), tile); err != nil {
			return err
		}
	}
	return nil
}

// root is the root of the leaves so far: the whole subtrees joined from the right.
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	var root tlog.Hash
	empty := true
	for _, tile := range t.levels {
		for len(tile) > 0 {
			run := len(tile) & -len(tile) // the last run of a power of two
			h := subtree(tile[len(tile)-run:])
			if tile = tile[:len(tile)-run]; empty {
				root, empty = h, false
			} else {
				root = tlog.NodeHash(h, root)
			}
		}
	}
	return root
}

// subtree is the root over a power of two of hashes.
func subtree(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(subtree(hashes[:half]), subtree(hashes[half:]))
}

// readLog reads every leaf, rebuilds the tree, and compares tiles and roots on the way.
func (v *verifier) readLog(ctx context.Context) error {
	t := &tree{done: func(level int, n int64, hashes []tlog.Hash) error { return v.compareTile(ctx, level, n, hashes) }}
	v.reachEarlier(t)
	err := eachLeaf(ctx, v.src, v.head.Size, v.head.Size, func(index int64, l leaf) error {
		if err := v.checkProofs(ctx, index, l.data); err != nil {
			return err
		}
		if err := v.take(ctx, index, l); err != nil {
			return err
		}
		if err := t.add(l.hash); err != nil {
			return err
		}
		v.reachEarlier(t)
		return nil
	})
	if err != nil {
		return err
	}
	v.report.Records = t.size
	if err := t.close(); err != nil {
		return err
	}
	if t.root() != v.head.Root {
		v.spoil(failure(rootDiffers, CheckpointFile, nil))
	}
	return nil
}

// leaf is one entry of the log.
type leaf struct {
	data   []byte
	hash   tlog.Hash
	record record.Record
	wrong  error // why it is no record
}

// read reads entries as records, on all processors: that is most of what a check has to do.
func read(entries [][]byte) []leaf {
	leaves := make([]leaf, len(entries))
	var group sync.WaitGroup
	each := len(entries)/runtime.GOMAXPROCS(0) + 1
	for from := 0; from < len(entries); from += each {
		group.Go(func() {
			for i := from; i < min(from+each, len(entries)); i++ {
				r, err := record.Parse(entries[i])
				leaves[i] = leaf{entries[i], tlog.RecordHash(entries[i]), r, err}
			}
		})
	}
	group.Wait()
	return leaves
}

// eachLeaf visits the first leaves of a log of some size, one entry bundle in memory at a time.
func eachLeaf(ctx context.Context, src Source, size, first int64, visit func(index int64, l leaf) error) error {
	for n := int64(0); n<<8 < first; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		width := int(min(size-n<<8, tileWidth))
		found, err := readTile(ctx, src, entriesLevel, n, width)
		if err != nil {
			return asFailure(err, found.name, entriesMissing, entriesDamaged)
		}
		leaves, rest := found.split(width)
		if len(rest) > 0 {
			return misfit(ctx, src, found, n, width)
		}
		for i, l := range read(leaves[:min(int64(len(leaves)), first-n<<8)]) {
			if err := visit(n<<8+int64(i), l); err != nil {
				return err
			}
		}
		if len(leaves) < found.most(width) {
			f := failure(entriesCut, found.name, nil)
			return &f
		}
	}
	return nil
}

// misfit says what is wrong with an entry bundle that cannot be taken apart: it was cut off, or changed.
func misfit(ctx context.Context, src Source, found tile, n int64, width int) error {
	hashes, err := readTile(ctx, src, 0, n, width)
	if errors.Is(err, errNotPlain) {
		return asFailure(err, hashes.name, tileMissing, tileDiffers)
	}
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return err
	}
	leaves, rest := found.split(width)
	code := entriesDamaged
	if found.cutShort(leaves, rest, hashes, width) {
		code = entriesCut
	}
	f := failure(code, found.name, nil)
	return &f
}

// compareTile holds a tile of the bundle against the hashes of the leaves.
func (v *verifier) compareTile(ctx context.Context, level int, n int64, hashes []tlog.Hash) error {
	found, err := readTile(ctx, v.src, level, n, len(hashes))
	if fault.Is(err, fault.NotFound) {
		v.fail(failure(tileMissing, found.name, nil)) // the leaves may still lead to the root
		return nil
	}
	if err != nil {
		return asFailure(err, found.name, tileMissing, tileDiffers)
	}
	want := make([]byte, 0, tileWidth*hashBytes)
	for _, h := range hashes {
		want = append(want, h[:]...)
	}
	if found.full && len(found.data) > len(want) {
		found.data = found.data[:len(want)]
	}
	if bytes.Equal(found.data, want) {
		return nil
	}
	if level > 0 || len(found.data) != len(want) {
		v.spoil(failure(tileDiffers, found.name, nil))
		return nil
	}
	for i := range hashes { // which side is wrong, the root will tell; this names the place
		if at := i * hashBytes; !bytes.Equal(found.data[at:at+hashBytes], want[at:at+hashBytes]) {
			v.spoil(failure(recordDiffers, strconv.FormatInt(n<<8+int64(i), 10), nil))
		}
	}
	return nil
}

// earlier is a checkpoint the log has to extend.
type earlier struct {
	name string
	size int64
	root tlog.Hash
}

// reachEarlier compares the roots at the size the tree has now.
func (v *verifier) reachEarlier(t *tree) {
	for len(v.earlier) > 0 && v.earlier[0].size == t.size {
		switch shown := v.report.Earlier; {
		case t.root() == v.earlier[0].root && slices.Contains(shown[max(len(shown)-1, 0):], t.size): // by another file
		case t.root() == v.earlier[0].root:
			v.report.Earlier = append(shown, t.size)
		default:
			v.fail(failure(earlierDiffers, v.earlier[0].name, fmt.Errorf("size %d", t.size)))
		}
		v.earlier = v.earlier[1:]
	}
}
