package log

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Reader reads a log and believes nothing but the signatures its trust file counts: whatever it returns was verified
// against a signed root. It needs no more than the right to read. It is safe for concurrent use.
//
// Errors have one meaning in all methods: NotFound when a tile or bundle is missing, or the log is not that long;
// Conflict when one does not make the signed root; Invalid when one cannot be read, or an argument makes no sense;
// Transient when the store cannot be reached. Those of sign.Trust.Verify come first.
type Reader struct {
	tiles      Objects
	checkpoint func(ctx context.Context) ([]byte, error)
	trust      sign.Trust
}

// NewReader returns a reader of the log whose keys are in trust. checkpoint gets the signed checkpoint every method
// starts from, such as Head or one that is kept in a file.
func NewReader(tiles Objects, checkpoint func(ctx context.Context) ([]byte, error), trust sign.Trust) *Reader {
	return &Reader{tiles, checkpoint, trust}
}

// Checkpoint returns the newest checkpoint, verified. That it continues an older one, Consistency shows.
func (r *Reader) Checkpoint(ctx context.Context) (Checkpoint, error) {
	signed, err := r.checkpoint(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	verified, err := r.trust.Verify(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{verified, signed}, nil
}

// parallel is how many bundles are fetched at once: what is held in memory stays below parallel times 16 MiB.
const parallel = 8

// Entries calls fn with the leaves from (inclusive) to (exclusive), in order, each verified. An error of fn ends it
// and is returned; leaves may not be kept without a copy.
func (r *Reader) Entries(ctx context.Context, from, to int64, fn func(index int64, leaf []byte) error) error {
	c, err := r.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if from < 0 || from > to {
		return fault.New(fault.Invalid, "reading entries %d to %d", from, to)
	}
	if to > c.Size {
		return fault.New(fault.NotFound, "reading entries %d to %d: the log has %d", from, to, c.Size)
	}
	for first := from / tileWidth; first*tileWidth < to; {
		// The bundles below one tile of level 1 are proved by one walk down the tree.
		last := min((first/tileWidth+1)*tileWidth, (to+tileWidth-1)/tileWidth)
		if err := r.span(ctx, c, first, last, from, to, fn); err != nil {
			return err
		}
		first = last
	}
	return nil
}

// span handles the bundles first to last, all below one tile of level 1.
func (r *Reader) span(ctx context.Context, c Checkpoint, first, last, from, to int64, fn func(int64, []byte) error) error {
	var indexes []int64
	for n := first; n < last; n++ {
		if (n+1)*tileWidth <= c.Size {
			indexes = append(indexes, tlog.StoredHashIndex(tileHeight, n))
			continue
		}
		for leaf := n * tileWidth; leaf < c.Size; leaf++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, leaf))
		}
	}
	hashes, err := r.hashes(ctx, c).ReadHashes(indexes)
	if err != nil {
		return unproved(err)
	}
	for ; first < last; first += parallel {
		group, groupCtx := errgroup.WithContext(ctx)
		bundles := make([][][]byte, min(parallel, last-first))
		for i := range bundles {
			n := first + int64(i)
			signed := hashes[:1]
			if width := c.Size - n*tileWidth; width < tileWidth {
				signed = hashes[:width]
			}
			hashes = hashes[len(signed):]
			group.Go(func() (err error) {
				bundles[i], err = r.bundle(groupCtx, c.Size, n, signed)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, leaves := range bundles {
			for j, leaf := range leaves {
				if index := (first+int64(i))*tileWidth + int64(j); index >= from && index < to {
					if err := fn(index, leaf); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// bundle returns the leaves of bundle n. signed is the root over a full bundle, or the hash of each leaf.
func (r *Reader) bundle(ctx context.Context, size, n int64, signed []tlog.Hash) ([][]byte, error) {
	width := int(min(tileWidth, size-n*tileWidth))
	data, err := r.widest(ctx, BundlePath(n, width), BundlePath(n, tileWidth))
	if err != nil {
		return nil, err
	}
	leaves, err := ParseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("bundle %d: %w", n, err)
	}
	if len(leaves) < width {
		return nil, fault.New(fault.Conflict, "bundle %d: %d entries, the log has %d", n, len(leaves), width)
	}
	leaves = leaves[:width]
	hashes := make([]tlog.Hash, width)
	for i, leaf := range leaves {
		hashes[i] = tlog.RecordHash(leaf)
	}
	if width == tileWidth {
		hashes = []tlog.Hash{subtree(hashes)}
	}
	for i := range hashes {
		if hashes[i] != signed[i] {
			return nil, fault.New(fault.Conflict, "bundle %d: its entries do not make the signed root", n)
		}
	}
	return leaves, nil
}

// widest gets an object, or the full one that may have taken its place (C2SP tlog-tiles, partial tiles).
func (r *Reader) widest(ctx context.Context, name, full string) ([]byte, error) {
	o, err := r.tiles.Get(ctx, name)
	if fault.Is(err, fault.NotFound) && name != full {
		if wide, fullErr := r.tiles.Get(ctx, full); fullErr == nil {
			return wide.Data, nil
		}
	}
	return o.Data, err
}

// hashes reads stored hashes of the tree, each proved against the checkpoint's root.
func (r *Reader) hashes(ctx context.Context, c Checkpoint) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tileReader{ctx, r})
}

// tileReader fetches tiles for package tlog, which checks them.
type tileReader struct {
	ctx context.Context
	*Reader
}

func (tileReader) Height() int                     { return tileHeight }
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	group, ctx := errgroup.WithContext(t.ctx)
	group.SetLimit(parallel)
	for i, tile := range tiles {
		group.Go(func() error {
			got, err := t.widest(ctx, TilePath(tile.L, tile.N, tile.W), TilePath(tile.L, tile.N, tileWidth))
			if err != nil {
				return err
			}
			if len(got) < tile.W*tlog.HashSize {
				return fault.New(fault.Conflict, "tile %s is cut off", TilePath(tile.L, tile.N, tile.W))
			}
			data[i] = got[:tile.W*tlog.HashSize]
			return nil
		})
	}
	return data, group.Wait()
}

// unproved gives an error of package tlog its kind: what it did not get from the store, it found wrong.
func unproved(err error) error {
	if fault.KindOf(err) != "" {
		return err
	}
	return fault.New(fault.Conflict, "proving tiles against the signed root: %w", err)
}
