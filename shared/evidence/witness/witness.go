// Package witness cosigns checkpoints of a log for somebody who must not trust whoever keeps it.
//
// It promises that one memory never leads to two cosigned checkpoints of a log that contradict each other: a checkpoint
// is cosigned only when it is proved to extend the last one, and only after it was remembered in whole. What it refuses
// it keeps beside what it had cosigned: two checkpoints with good signatures of which at most one can be of an honest
// log are the proof of a fork that needs nobody's word. It does not read records, and does not say that they are true.
package witness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Verdict says how a checkpoint relates to the last one a witness saw.
type Verdict string

const (
	First    Verdict = "first"    // there is none before: it is taken on the word of the log's key
	Same     Verdict = "same"     // the log has not grown
	Advanced Verdict = "advanced" // it extends the last one
	Rollback Verdict = "rollback" // refused: the log was longer before
	Fork     Verdict = "fork"     // refused: what was there before is not there any more
)

// Refused reports whether a verdict leaves no cosignature.
func (v Verdict) Refused() bool { return v == Rollback || v == Fork }

// Prove returns the proof that the log of the presented checkpoint extends itself at an earlier size, larger than 0 and
// smaller than the checkpoint's. Its hashes have to be proved against the checkpoint, as log.Reader.Consistency does:
// otherwise damage on the way would look like a fork. An error says that there is no proof to be had.
type Prove func(ctx context.Context, from int64) (tlog.TreeProof, error)

// Config is what a witness works with.
type Config struct {
	Memory log.Objects // its own, out of reach of whoever keeps the log
	Trust  sign.Trust  // whose signature makes a checkpoint one of the log
	Signer sign.Signer // the witness's key; its name is the witness's
}

// Decision is what came of a checkpoint.
type Decision struct {
	Verdict  Verdict
	Size     int64  // of the checkpoint presented
	Last     int64  // of the one before
	Cosigned []byte // the checkpoint with the witness's signature; nil when refused
	Kept     string // where both checkpoints lie in the memory, when refused
}

// Cosign looks at a signed checkpoint, and cosigns it where it may. It may run in several processes at a time: one of
// two that meet gets Transient. A checkpoint that no trusted key signed, or that is malformed, gives the errors of
// sign.Trust.Verify, and a proof that cannot be had those of prove; then nothing has changed.
func Cosign(ctx context.Context, c Config, presented []byte, prove Prove, now time.Time) (Decision, error) {
	next, err := c.Trust.Verify(presented)
	if err != nil {
		return Decision{}, err
	}
	folder := "logs/" + short([]byte(c.Trust.Origin))
	last, err := c.Memory.Get(ctx, folder+"/checkpoint")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Decision{}, fmt.Errorf("remembering the last checkpoint: %w", err)
	}
	d := Decision{Verdict: First, Size: next.Size}
	if err == nil {
		before, err := c.Trust.Verify(last.Data)
		if err != nil {
			return Decision{}, fmt.Errorf("reading the last checkpoint: %w", err)
		}
		d.Last = before.Size
		if d.Verdict, err = compare(ctx, before.Checkpoint, next.Checkpoint, prove); err != nil {
			return Decision{}, err
		}
	}
	if d.Verdict.Refused() {
		d.Kept, err = keep(ctx, c.Memory, folder, last.Data, presented)
		return d, err
	}
	cosigned, err := sign.Cosign(ctx, presented, now, c.Signer)
	if err != nil {
		return Decision{}, err
	}
	// Remembered before it is given away: after a crash in between, the next checkpoint is still compared with this one.
	switch _, err := c.Memory.Swap(ctx, folder+"/checkpoint", cosigned, last.Generation); {
	case fault.Is(err, fault.Conflict):
		return Decision{}, fault.New(fault.Transient, "remembering the checkpoint of size %d: another process was faster", next.Size)
	case err != nil:
		return Decision{}, fmt.Errorf("remembering the checkpoint of size %d: %w", next.Size, err)
	}
	d.Cosigned = cosigned
	return d, nil
}

// compare decides between two checkpoints of one log.
func compare(ctx context.Context, last, next sign.Checkpoint, prove Prove) (Verdict, error) {
	switch {
	case next.Size < last.Size:
		return Rollback, nil
	case next.Size == last.Size && next.Root == last.Root:
		return Same, nil
	case next.Size == last.Size:
		return Fork, nil
	case last.Size == 0:
		if last.Root != sha256.Sum256(nil) {
			return Fork, nil
		}
		return Advanced, nil
	}
	proof, err := prove(ctx, last.Size)
	if err != nil {
		return "", fmt.Errorf("proving that size %d extends size %d: %w", next.Size, last.Size, err)
	}
	if err := tlog.CheckTree(proof, next.Size, next.Root, last.Size, last.Root); err != nil {
		return Fork, nil
	}
	return Advanced, nil
}

// keep stores both checkpoints, once for the same pair.
func keep(ctx context.Context, memory log.Objects, folder string, last, refused []byte) (string, error) {
	place := folder + "/refused/" + short(append(append([]byte{}, last...), refused...))
	for name, data := range map[string][]byte{"/cosigned": last, "/refused": refused} {
		if _, err := memory.Create(ctx, place+name, data); err != nil && !fault.Is(err, fault.Conflict) {
			return "", fmt.Errorf("keeping a refused checkpoint: %w", err)
		}
	}
	return place, nil
}

// short names what data are kept for.
func short(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
