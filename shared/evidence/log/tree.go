package log

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8               // of a tile, by C2SP tlog-tiles
	tileWidth  = 1 << tileHeight // hashes in a full tile, entries in a full bundle
)

// Tree grows a Merkle tree (RFC 6962, section 2.1) leaf by leaf and keeps its right edge only: what memory it needs
// does not depend on the size of the log. The zero value is the empty tree. It is not safe for concurrent use.
type Tree struct {
	size int64
	edge [][]tlog.Hash // by level of tiles: the hashes of the last tile, fewer than tileWidth
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds the hash of a leaf, which is tlog.RecordHash of its bytes.
func (t *Tree) Append(leaf tlog.Hash) { t.append(leaf, nil) }

// append adds a leaf and hands over every tile it fills; full may be nil, and may not keep the hashes.
func (t *Tree) append(leaf tlog.Hash, full func(level int, n int64, hashes []tlog.Hash)) {
	t.size++
	hash := leaf
	for level, n := 0, (t.size-1)/tileWidth; ; level, n = level+1, n/tileWidth {
		if level == len(t.edge) {
			t.edge = append(t.edge, make([]tlog.Hash, 0, tileWidth))
		}
		t.edge[level] = append(t.edge[level], hash)
		if len(t.edge[level]) < tileWidth {
			return
		}
		if full != nil {
			full(level, n, t.edge[level])
		}
		hash = subtree(t.edge[level])
		t.edge[level] = t.edge[level][:0]
	}
}

// Root is the root hash; of the empty tree the hash of nothing, as RFC 6962 has it.
func (t *Tree) Root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	var root tlog.Hash
	found := false
	for _, hashes := range t.edge {
		for end := len(hashes); end > 0; {
			width := end & -end // of the rightmost complete subtree
			sub := subtree(hashes[end-width : end])
			if found {
				sub = tlog.NodeHash(sub, root)
			}
			root, found, end = sub, true, end-width
		}
	}
	return root
}

// clone returns a tree that grows on its own.
func (t *Tree) clone() *Tree {
	c := &Tree{size: t.size}
	for _, hashes := range t.edge {
		c.edge = append(c.edge, append(make([]tlog.Hash, 0, tileWidth), hashes...))
	}
	return c
}

// subtree is the root of a complete tree over hashes, a power of two of them.
func subtree(hashes []tlog.Hash) tlog.Hash {
	var level [tileWidth]tlog.Hash
	n := copy(level[:], hashes)
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			level[i] = tlog.NodeHash(level[2*i], level[2*i+1])
		}
	}
	return level[0]
}
