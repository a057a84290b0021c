package log

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"
)

// Small makes batches of at most n objects.
func (s *Sequencer) Small(n int) { s.most = n }

// Pages lets the inbox be listed n names at a time.
func (s *Sequencer) Pages(n int) { s.page = n }

// Parts lets the ids of an hour be kept in parts of n.
func (s *Sequencer) Parts(n int) { s.part = n }

// Forgetful lets a sequencer forget what it took in: the negative control.
func (s *Sequencer) Forgetful() { s.dedupe = false }

// Build stores tiles and bundles of a log of any leaves, and returns its root.
func Build(ctx context.Context, tiles Objects, leaves [][]byte) (tlog.Hash, error) {
	s := &Sequencer{Config: Config{Tiles: tiles}}
	h := head{Root: new(Tree).Root()}
	for len(leaves) > 0 {
		n := min(len(leaves), 5000)
		e, stage, err := s.grow(ctx, h, &batch{leaves: leaves[:n]})
		if err != nil {
			return h.Root, err
		}
		if err := s.store(ctx, tiles, stage.Objects); err != nil {
			return h.Root, err
		}
		s.edge, leaves = e, leaves[n:]
		h.Size, h.Root = e.tree.Size(), e.tree.Root()
	}
	return h.Root, nil
}

// Grown returns the names and bytes a log of size leaves stores when more are added.
func Grown(ctx context.Context, tiles Objects, size int64, root tlog.Hash, more [][]byte) (map[string]string, tlog.Hash, error) {
	s := &Sequencer{Config: Config{Tiles: tiles}}
	e, stage, err := s.grow(ctx, head{Size: size, Root: root}, &batch{leaves: more})
	if err != nil {
		return nil, root, err
	}
	out := map[string]string{}
	for _, o := range stage.Objects {
		out[o.Name] = string(o.Data)
	}
	return out, e.tree.Root(), s.store(ctx, tiles, stage.Objects)
}
