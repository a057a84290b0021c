package log

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/platform/fault"
)

// edge is what is needed to add to a log: the tree's right edge and the entries of the last bundle, if it is not full.
type edge struct {
	tree   *Tree
	bundle []byte
}

// grow adds the leaves of a batch to the log that h describes, and returns the new edge and what has to be stored.
func (s *Sequencer) grow(ctx context.Context, h head, b *batch) (*edge, staged, error) {
	if s.edge == nil || s.edge.tree.Size() != h.Size || s.edge.tree.Root() != h.Root {
		loaded, err := s.loadEdge(ctx, h)
		if err != nil {
			return nil, staged{}, err
		}
		s.edge = loaded
	}
	grown := &edge{s.edge.tree.clone(), append([]byte(nil), s.edge.bundle...)}
	stage := staged{V: version, Batch: h.Batch + 1, Refused: b.out, Spent: b.spent, IDs: b.taken}
	keep := func(name string, data []byte) { stage.Objects = append(stage.Objects, object{name, data}) }
	tree := grown.tree
	for _, leaf := range b.leaves {
		grown.bundle = appendEntry(grown.bundle, leaf)
		tree.append(tlog.RecordHash(leaf), func(level int, n int64, hashes []tlog.Hash) {
			keep(TilePath(level, n, tileWidth), tileBytes(hashes))
		})
		if tree.Size()%tileWidth == 0 {
			keep(BundlePath(tree.Size()/tileWidth-1, tileWidth), grown.bundle)
			grown.bundle = nil
		}
	}
	for level, hashes := range tree.edge {
		below := uint(tileHeight * level)
		if len(hashes) > 0 && h.Size>>below != tree.Size()>>below {
			keep(TilePath(level, tree.Size()>>below/tileWidth, len(hashes)), tileBytes(hashes))
		}
	}
	if width := int(tree.Size() % tileWidth); width > 0 {
		keep(BundlePath(tree.Size()/tileWidth, width), grown.bundle)
	}
	return grown, stage, nil
}

// loadEdge reads the edge of a log back. What does not make the head's root is Misconfigured: nothing may be built on
// a log that was changed.
func (s *Sequencer) loadEdge(ctx context.Context, h head) (*edge, error) {
	if err := s.nothingBehind(ctx, h); err != nil {
		return nil, err
	}
	tree, err := s.treeOf(ctx, h.Size)
	if err != nil {
		return nil, err
	}
	e := &edge{tree: tree}
	if e.tree.Root() != h.Root {
		return nil, fault.New(fault.Misconfigured, "the tiles of the log no longer make its root at size %d", h.Size)
	}
	width := int(h.Size % tileWidth)
	if width == 0 {
		return e, nil
	}
	name := BundlePath(h.Size/tileWidth, width)
	data, err := s.stored(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	leaves, err := ParseBundle(data)
	if err != nil || len(leaves) != width {
		return nil, fault.New(fault.Misconfigured, "the entries in %s are not the log's", name)
	}
	for i, leaf := range leaves {
		if tlog.RecordHash(leaf) != e.tree.edge[0][i] {
			return nil, fault.New(fault.Misconfigured, "the entries in %s are not the log's", name)
		}
	}
	e.bundle = data
	return e, nil
}

// stored gets a part of the log that must be there, of a size when it is not 0.
func (s *Sequencer) stored(ctx context.Context, name string, size int) ([]byte, error) {
	o, err := s.Tiles.Get(ctx, name)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && size != 0 && len(o.Data) != size:
		return nil, fault.New(fault.Misconfigured, "the log's %s is missing or cut off", name)
	case err != nil:
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return o.Data, nil
}
