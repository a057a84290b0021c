package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
)

// hashing compares what a Merkle tree costs, its growing and its proofs, with the hashes that are the least of it: one
// of a leaf and, for a proof, one of a node at each level.
func (b *bench) hashing(ctx context.Context) error {
	a, err := b.open(ctx)
	if err != nil {
		return err
	}
	leaf := bytes.Repeat([]byte("x"), 600)
	var tree log.Tree
	grow := func() error {
		tree.Append(tlog.RecordHash(leaf))
		return nil
	}
	if err := b.rates("append a record of 600 bytes to the tree", grow, hashes(leaf, 1), "its two hashes alone"); err != nil {
		return err
	}
	reader, next := a.reader(), int64(0)
	prove := func() error {
		next = (next + 7919) % a.size
		_, err := reader.Proof(ctx, next, a.size)
		return err
	}
	levels := bits.Len64(uint64(a.size - 1))
	what := fmt.Sprintf("its %d hashes alone", levels+1)
	if err := b.rates(fmt.Sprintf("prove one of %d records, from the folder", a.size), prove, hashes(leaf, levels), what); err != nil {
		return err
	}
	at := a.size / 3
	leaf, err = reader.Record(ctx, at)
	if err != nil {
		return err
	}
	proof, err := reader.LogProof(ctx, at)
	if err != nil {
		return err
	}
	check := func() error {
		if index, _, err := log.OpenProof(proof, leaf, a.trust); err != nil || index != at {
			return fmt.Errorf("the proof of %d proves %d: %w", at, index, err)
		}
		return nil
	}
	return b.rates("check such a proof and the signature it rests on", check, hashes(leaf, levels), what)
}

// hashes are those of a leaf and of some nodes above it.
func hashes(leaf []byte, nodes int) func() error {
	var node tlog.Hash
	return func() error {
		hash := tlog.RecordHash(leaf)
		for range nodes {
			hash = tlog.NodeHash(node, hash)
		}
		node = hash
		return nil
	}
}

// reader reads the log where it lies in the bundle.
func (a *archive) reader() *log.Reader {
	objects := folder.New(a.dir)
	return log.NewReader(objects, log.Head(objects), a.trust)
}

// hashLeaves reads the entries of a bundle and hashes them, each leaf and a node for it, which is the least anybody
// does who verifies it. It returns how many there were.
func hashLeaves(dir string) (leaves int, err error) {
	var node tlog.Hash
	err = filepath.WalkDir(filepath.Join(dir, "tile", "entries"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		entries, err := log.ParseBundle(data)
		for _, leaf := range entries {
			node = tlog.NodeHash(node, tlog.RecordHash(leaf))
		}
		leaves += len(entries)
		return err
	})
	return leaves, err
}
