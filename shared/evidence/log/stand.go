package log

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Stand is how far a log goes by each thing that tells. They differ after a part of it was restored from a backup.
type Stand struct {
	Head, Published Point
	Stored          Point // what the tiles make, as many as there are; the zero Point when they are incomplete
}

// Stand tells how far the log goes. It changes nothing and judges nothing; errors as of Run.
func (s *Sequencer) Stand(ctx context.Context) (Stand, error) {
	h, err := s.readHead(ctx)
	if err != nil {
		return Stand{}, err
	}
	now := Stand{Head: h.point()}
	if now.Published, _, err = s.published(ctx); err != nil {
		return Stand{}, err
	}
	size, err := s.storedSize(ctx, h.Size/tileWidth)
	if err != nil {
		return Stand{}, err
	}
	tree, err := s.treeOf(ctx, size)
	if fault.Is(err, fault.Misconfigured) {
		return now, nil
	}
	if err == nil {
		now.Stored = Point{size, tree.Root()}
	}
	return now, err
}

// storedSize finds how many leaves have their hashes stored, beginning to look at tile n.
func (s *Sequencer) storedSize(ctx context.Context, n int64) (int64, error) {
	for down := true; ; {
		_, width, err := s.widest(ctx, n)
		switch {
		case err != nil:
			return 0, err
		case width == tileWidth:
			n, down = n+1, false
		case width == 0 && n > 0 && down:
			n--
		default:
			return n*tileWidth + width, nil
		}
	}
}

// widest finds the tile of hashes of leaves that has number n, as wide as it is stored; no name when it is not.
func (s *Sequencer) widest(ctx context.Context, n int64) (name string, width int64, err error) {
	full := TilePath(0, n, tileWidth)
	listed, err := s.Tiles.List(ctx, full, "", pageSize)
	if err != nil {
		return "", 0, fmt.Errorf("looking behind the end of the log: %w", err)
	}
	for _, l := range listed {
		w := int64(tileWidth)
		if partial, ok := strings.CutPrefix(l.Name, full+".p/"); ok {
			if w, err = strconv.ParseInt(partial, 10, 64); err != nil {
				continue
			}
		} else if l.Name != full {
			continue
		}
		if w > width {
			name, width = l.Name, w
		}
	}
	return name, width, nil
}

// treeOf reads the right edge of the tree of a size, whatever root it makes. A tile that is missing is Misconfigured.
func (s *Sequencer) treeOf(ctx context.Context, size int64) (*Tree, error) {
	tree := &Tree{size: size}
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		count := size >> (tileHeight * level) // hashes of this level in all tiles
		width := int(count % tileWidth)
		hashes := make([]tlog.Hash, 0, tileWidth)
		if width > 0 {
			data, err := s.stored(ctx, TilePath(level, count/tileWidth, width), width*tlog.HashSize)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, tileHashes(data)...)
		}
		tree.edge = append(tree.edge, hashes)
	}
	return tree, nil
}

// holds reports whether the log begins with what p is a point of. A point at or behind the head is told by that alone.
func (s *Sequencer) holds(ctx context.Context, h head, p Point) (bool, error) {
	if p.Size < 1 || p.Size >= h.Size {
		return false, nil
	}
	r := &Reader{tiles: s.Tiles}
	root, err := tlog.TreeHash(p.Size, r.hashes(ctx, Checkpoint{Verified: sign.Verified{Checkpoint: sign.Checkpoint{Size: h.Size, Root: h.Root}}}))
	if fault.Is(err, fault.Transient) {
		return false, err
	}
	return err == nil && root == p.Root, nil // tiles that are missing hold nothing
}
