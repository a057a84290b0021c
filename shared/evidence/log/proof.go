package log

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Record returns the leaf at index, verified.
func (r *Reader) Record(ctx context.Context, index int64) ([]byte, error) {
	var found []byte
	err := r.Entries(ctx, index, index+1, func(_ int64, leaf []byte) error {
		found = bytes.Clone(leaf)
		return nil
	})
	return found, err
}

// Proof proves that the leaf at index is in the tree of the first size leaves; tlog.CheckRecord checks it. The tree
// may be older than the newest checkpoint.
func (r *Reader) Proof(ctx context.Context, index, size int64) (tlog.RecordProof, error) {
	c, err := r.covering(ctx, index, size)
	if err != nil {
		return nil, err
	}
	proof, err := tlog.ProveRecord(size, index, r.hashes(ctx, c))
	if err != nil {
		return nil, unproved(err)
	}
	return proof, nil
}

// Consistency proves that the tree of the first to leaves continues that of the first from; tlog.CheckTree checks
// it. from is at least 1.
func (r *Reader) Consistency(ctx context.Context, from, to int64) (tlog.TreeProof, error) {
	c, err := r.covering(ctx, from-1, to)
	if err != nil {
		return nil, err
	}
	proof, err := tlog.ProveTree(to, from, r.hashes(ctx, c))
	if err != nil {
		return nil, unproved(err)
	}
	return proof, nil
}

// covering returns the newest checkpoint after having looked that it reaches size, and index lies within.
func (r *Reader) covering(ctx context.Context, index, size int64) (Checkpoint, error) {
	if index < 0 || index >= size {
		return Checkpoint{}, fault.New(fault.Invalid, "proving entry %d in a log of %d", index, size)
	}
	c, err := r.Checkpoint(ctx)
	if err == nil && size > c.Size {
		err = fault.New(fault.NotFound, "proving a log of %d: it has %d", size, c.Size)
	}
	return c, err
}

const proofHeader = "c2sp.org/tlog-proof@v1"

// LogProof returns a file that proves the leaf at index offline, by the newest checkpoint (C2SP tlog-proof).
func (r *Reader) LogProof(ctx context.Context, index int64) ([]byte, error) {
	c, err := r.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= c.Size {
		return nil, fault.New(fault.NotFound, "proving entry %d: the log has %d", index, c.Size)
	}
	proof, err := tlog.ProveRecord(c.Size, index, r.hashes(ctx, c))
	if err != nil {
		return nil, unproved(err)
	}
	out := fmt.Appendf(nil, "%s\nindex %d\n", proofHeader, index)
	for _, h := range proof {
		out = fmt.Appendln(out, h)
	}
	return append(append(out, '\n'), c.Signed...), nil
}

// OpenProof checks a file of LogProof against the bytes of the leaf, and returns the index and the checkpoint it
// proves. Errors are those of sign.Trust.Verify; Conflict when the proof does not lead from the leaf to the root.
func OpenProof(file, leaf []byte, trust sign.Trust) (int64, Checkpoint, error) {
	index, proof, signed, err := parseProof(file)
	if err != nil {
		return 0, Checkpoint{}, err
	}
	verified, err := trust.Verify(signed)
	if err != nil {
		return 0, Checkpoint{}, err
	}
	if index >= verified.Size {
		return 0, Checkpoint{}, fault.New(fault.Invalid, "opening a proof: entry %d in a log of %d", index, verified.Size)
	}
	if err := tlog.CheckRecord(proof, verified.Size, verified.Root, index, tlog.RecordHash(leaf)); err != nil {
		return 0, Checkpoint{}, fault.New(fault.Conflict, "opening a proof: %w", err)
	}
	return index, Checkpoint{verified, signed}, nil
}

// parseProof takes a proof file apart. An extra line, which nothing authenticates, is refused: LogProof writes none.
func parseProof(file []byte) (int64, tlog.RecordProof, []byte, error) {
	malformed := func(what string) (int64, tlog.RecordProof, []byte, error) {
		return 0, nil, nil, fault.New(fault.Invalid, "reading a proof: %s", what)
	}
	head, signed, found := bytes.Cut(file, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != proofHeader {
		return malformed("not in the form of C2SP tlog-proof")
	}
	text, found := strings.CutPrefix(lines[1], "index ")
	index, err := strconv.ParseInt(text, 10, 64)
	if !found || err != nil || index < 0 || strconv.FormatInt(index, 10) != text {
		return malformed("the second line is not an index")
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize || tlog.Hash(hash).String() != line {
			return malformed("a line is not a hash")
		}
		proof = append(proof, tlog.Hash(hash))
	}
	if len(proof) > 64 {
		return malformed("more hashes than a tree can have levels")
	}
	return index, proof, signed, nil
}
