package verify

import (
	"bytes"
	"context"
	"fmt"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Contents are what goes into a bundle beside the log itself. What is nil is left out.
type Contents struct {
	Checkpoint []byte   // as it was signed, of the log that is packed
	Register   []byte   // the promises, as the page was computed from them
	Page       []byte   // the newest page the log names
	Earlier    [][]byte // earlier checkpoints, as they were signed
	Trust      []byte   // the trust file, to be read along
	Proofs     []int64  // indexes of records that get a proof file of their own
}

// Pack copies a log and what belongs to it into a bundle. put is called once a file; what it makes is a bundle when
// Pack returned without an error. Errors of the source and of put are returned; Invalid and Denied are those of the
// checkpoint. What is packed is not verified: Verify does that.
func Pack(ctx context.Context, src Source, trust sign.Trust, c Contents, put func(name string, data []byte) error) error {
	head, err := trust.Verify(c.Checkpoint)
	if err != nil {
		return fmt.Errorf("packing the checkpoint: %w", err)
	}
	for p := range places(head.Size) {
		t, err := readTile(ctx, src, p.level, p.n, p.width)
		if err != nil {
			return fmt.Errorf("packing the log: %w", err)
		}
		data, err := t.first(p)
		if err != nil {
			return fmt.Errorf("packing the log: %w", err)
		}
		if err := put(tilePath(p.level, p.n, p.width), data); err != nil {
			return err
		}
	}
	reader := Reader(src, c.Checkpoint, trust)
	for _, index := range c.Proofs {
		proof, err := reader.LogProof(ctx, index)
		if err != nil {
			return err
		}
		if err := put(fmt.Sprintf("%s/%d%s", proofFolder, index, proofSuffix), proof); err != nil {
			return err
		}
	}
	if err := packEarlier(trust, c.Earlier, put); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{RegisterFile, c.Register}, {PageFile, c.Page}, {"trust.json", c.Trust}, {CheckpointFile, c.Checkpoint}} {
		if f.data == nil {
			continue
		}
		if err := put(f.name, f.data); err != nil {
			return err
		}
	}
	return nil
}

// packEarlier puts each checkpoint under its size, and others of the same size beside it: of two that differ, the pair is
// the proof.
func packEarlier(trust sign.Trust, all [][]byte, put func(name string, data []byte) error) error {
	taken := map[string][]byte{}
	for _, signed := range all {
		old, err := trust.Verify(signed)
		if err != nil {
			return fmt.Errorf("packing an earlier checkpoint: %w", err)
		}
		size := fmt.Sprintf("%s/%d", earlierFolder, old.Size)
		name := size
		for n := 2; taken[name] != nil && !bytes.Equal(taken[name], signed); n++ {
			name = fmt.Sprintf("%s-%d", size, n)
		}
		if taken[name] != nil {
			continue
		}
		taken[name] = signed
		if err := put(name, signed); err != nil {
			return err
		}
	}
	return nil
}

// first is a tile as narrow as the log has it: a full one that took its place may hold what came later.
func (t tile) first(p place) ([]byte, error) {
	if p.level != entriesLevel {
		return t.data[:min(len(t.data), p.width*hashBytes)], nil
	}
	leaves, rest := t.split(p.width)
	if len(rest) > 0 || len(leaves) < p.width {
		return nil, fault.New(fault.Invalid, "reading %s: it does not hold the entries it should", t.name)
	}
	size := 0
	for _, leaf := range leaves[:p.width] {
		size += 2 + len(leaf)
	}
	return t.data[:size], nil
}
