package log

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/platform/fault"
)

// version is the version of the shape of everything in the head store, field "v".
const version = 1

// head says how far the log goes: the one object that is replaced, and only by its generation. Whoever replaces it
// has committed a batch.
type head struct {
	V      int       `json:"v"`
	Origin string    `json:"origin"`
	Batch  int64     `json:"batch"` // how many there were; the number of the last run record
	Size   int64     `json:"size"`
	Root   tlog.Hash `json:"root"`
	At     int64     `json:"at"`     // of the last batch, in Unix milliseconds
	Staged string    `json:"staged"` // the last batch; while this object is there, it may not be applied in full
	IDs    string    `json:"ids"`    // where the ids of the last batch are
	Count  int       `json:"count"`  // how many ids are there

	generation int64
}

func (h head) time() time.Time {
	if h.Batch == 0 {
		return time.Time{}
	}
	return time.UnixMilli(h.At).UTC()
}

// idle reports whether the log stood still for so long that it has to give a sign of life. A clock that went back
// counts too: otherwise the log would be silent until it has caught up.
func (h head) idle(now time.Time) bool { return now.Sub(h.time()).Abs() >= Interval }

// readHead returns the head; of a log that does not exist yet, the one of no batch.
func (s *Sequencer) readHead(ctx context.Context) (head, error) {
	o, err := s.Head.Get(ctx, headName)
	if fault.Is(err, fault.NotFound) {
		return head{V: version, Origin: s.Origin, Root: new(Tree).Root()}, nil
	}
	if err != nil {
		return head{}, fmt.Errorf("reading the head: %w", err)
	}
	h := head{generation: o.Generation}
	if err := json.Unmarshal(o.Data, &h); err != nil || h.V != version || h.Origin != s.Origin || h.Batch < 1 || h.Size < 1 {
		return head{}, fault.New(fault.Misconfigured, "the head is not that of the log %s in version %d", s.Origin, version)
	}
	return h, nil
}

// Sealed returns when the newest batch entered the log, by the clock of the sequencer that took it in. It is not signed:
// good for showing an age, and for nothing else. NotFound as long as there is none.
func Sealed(ctx context.Context, objects Objects) (time.Time, error) {
	o, err := objects.Get(ctx, headName)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the head: %w", err)
	}
	var h head
	if err := json.Unmarshal(o.Data, &h); err != nil || h.V != version || h.Batch < 1 {
		return time.Time{}, fault.New(fault.Invalid, "the head is not one of version %d", version)
	}
	return h.time(), nil
}

// staged is a batch as it is written down before it is committed, so that anybody can apply it afterwards.
type staged struct {
	V       int      `json:"v"`
	Batch   int64    `json:"batch"`
	Objects []object `json:"objects"` // tiles and bundles
	Refused []object `json:"refused,omitempty"`
	Spent   []spent  `json:"spent,omitempty"`
	IDs     []string `json:"ids,omitempty"`
}

// object is a name in one of the stores and its bytes.
type object struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// spent is an object of the inbox that the batch has taken in, or refused.
type spent struct {
	Name       string `json:"name"`
	Generation int64  `json:"generation"`
}

const stagingPrefix = "staging/"

// name is one that no other content has: a rival's batch of the same number is another object.
func (b staged) name(data []byte) string {
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%s%d-%s", stagingPrefix, b.Batch, hex.EncodeToString(sum[:8]))
}

// commit writes the batch down, moves the head, and applies it. It returns errOvertaken when the head was moved by
// somebody else, and then nothing of the batch counts.
func (s *Sequencer) commit(ctx context.Context, h head, b *batch) (head, error) {
	now := s.Clock.Now()
	if err := s.close(h, b, now); err != nil {
		return h, err
	}
	next := head{V: version, Origin: s.Origin, Batch: h.Batch + 1, At: now.UnixMilli(), generation: h.generation}
	next.IDs, next.Count = s.place(h, len(b.taken), now)
	grown, stage, err := s.grow(ctx, h, b)
	if err != nil {
		return h, err
	}
	next.Size, next.Root = grown.tree.Size(), grown.tree.Root()
	data, err := json.Marshal(stage)
	if err != nil {
		return h, fmt.Errorf("encoding batch %d: %w", stage.Batch, err)
	}
	next.Staged = stage.name(data)
	generation, err := s.stage(ctx, next.Staged, data)
	if err != nil {
		return h, fmt.Errorf("staging batch %d: %w", stage.Batch, err)
	}
	moved, err := json.Marshal(next)
	if err != nil {
		return h, fmt.Errorf("encoding the head: %w", err)
	}
	next.generation, err = s.Head.Swap(ctx, headName, moved, h.generation)
	if fault.Is(err, fault.Conflict) {
		// What was staged stays for the next pass: a call that was done and seemed to fail looks the same.
		return h, errOvertaken
	}
	if err != nil {
		return h, fmt.Errorf("moving the head to batch %d: %w", stage.Batch, err)
	}
	s.edge, s.base = grown, h.point()
	if err := s.apply(ctx, next, stage, generation); err != nil {
		return next, err
	}
	s.window.add(next, b.taken)
	return next, nil
}

// stage writes a batch down, and returns its generation.
func (s *Sequencer) stage(ctx context.Context, name string, data []byte) (int64, error) {
	generation, err := s.Head.Create(ctx, name, data)
	if !fault.Is(err, fault.Conflict) {
		return generation, err
	}
	there, err := s.Head.Get(ctx, name) // with a name of its own bytes, what is there is the same
	if fault.Is(err, fault.NotFound) {  // another sequencer committed just this batch, and is through with it
		return 0, errOvertaken
	}
	return there.Generation, err
}
