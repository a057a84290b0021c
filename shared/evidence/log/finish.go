package log

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

const refusedPrefix = "refused/"

// finish applies the last batch, if a pass that committed it did not come to the end, and removes batches that lost
// against another of their number. While the last batch is staged, it may not be applied; once it is not, it is.
func (s *Sequencer) finish(ctx context.Context, h head) error {
	if h.Batch > 0 { // by its name: it may stand behind more leftovers than one list holds
		if err := s.finishStaged(ctx, h); err != nil {
			return err
		}
	}
	listed, err := s.Head.List(ctx, stagingPrefix, "", s.page)
	if err != nil {
		return fmt.Errorf("listing staged batches: %w", err)
	}
	for _, l := range listed {
		number, _, _ := strings.Cut(strings.TrimPrefix(l.Name, stagingPrefix), "-")
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case err != nil || n > h.Batch: // of a rival that is at work
		case l.Name == h.Staged: // finished
		default:
			if err := s.Head.Delete(ctx, l.Name, l.Generation); err != nil && !fault.Is(err, fault.Conflict) {
				return fmt.Errorf("removing a batch that lost: %w", err)
			}
		}
	}
	return nil
}

func (s *Sequencer) finishStaged(ctx context.Context, h head) error {
	o, err := s.Head.Get(ctx, h.Staged)
	if fault.Is(err, fault.NotFound) { // another sequencer was faster
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading batch %d: %w", h.Batch, err)
	}
	var b staged
	if err := json.Unmarshal(o.Data, &b); err != nil || b.V != version || b.Batch != h.Batch || b.name(o.Data) != h.Staged {
		return fault.New(fault.Misconfigured, "batch %d was changed after it was staged", h.Batch)
	}
	s.base = Point{} // whoever built this head, it is not known on what
	return s.apply(ctx, h, b, o.Generation)
}

// apply does what a committed batch asks for. Every step may have been done already, by us or by another sequencer,
// and even a batch later: it then changes nothing. The inbox is cleared last, when nothing more can be lost.
func (s *Sequencer) apply(ctx context.Context, h head, b staged, generation int64) error {
	if err := s.store(ctx, s.Tiles, b.Objects); err != nil {
		return err
	}
	if err := s.store(ctx, s.Head, b.Refused); err != nil {
		return err
	}
	if err := remember(ctx, s.Head, h.IDs, b); err != nil {
		return err
	}
	if err := s.publish(ctx, h); err != nil {
		return err
	}
	if err := s.clear(ctx, b.Spent); err != nil {
		return err
	}
	if err := s.Head.Delete(ctx, h.Staged, generation); err != nil && !fault.Is(err, fault.Conflict) {
		return fmt.Errorf("discarding batch %d: %w", b.Batch, err)
	}
	return nil
}

// store creates objects that are never replaced; one that is there must be the same.
func (s *Sequencer) store(ctx context.Context, into Objects, objects []object) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fanOut)
	for _, o := range objects {
		group.Go(func() error {
			_, err := into.Create(ctx, o.Name, o.Data)
			if !fault.Is(err, fault.Conflict) {
				return err
			}
			there, err := into.Get(ctx, o.Name)
			if err == nil && !bytes.Equal(there.Data, o.Data) {
				return fault.New(fault.Misconfigured, "%s exists with other bytes", o.Name)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("storing a batch: %w", err)
	}
	return nil
}

// clear deletes objects of the inbox. One that was handed in again stays: the next pass knows its id. So does one that may
// not be deleted, which keeps nothing else from being done.
func (s *Sequencer) clear(ctx context.Context, all []spent) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fanOut)
	for _, o := range all {
		group.Go(func() error {
			err := s.Inbox.Delete(ctx, o.Name, o.Generation)
			switch {
			case fault.Is(err, fault.Conflict):
				return nil
			case fault.Is(err, fault.Denied):
				s.left.deleting(o, err)
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("clearing the inbox: %w", err)
	}
	return nil
}

// publish signs the head and replaces the checkpoint, unless a newer one is out. Signed is only what is committed:
// of one size there is never a second signed root.
func (s *Sequencer) publish(ctx context.Context, h head) error {
	var signed []byte
	for range attempts {
		out, old, err := s.published(ctx)
		if err != nil || out == h.point() {
			return err
		}
		if out.Size >= h.Size {
			given, err := s.givenUp(ctx, out)
			switch {
			case err != nil:
				return err
			case !given && out.Size == h.Size:
				return &fault.Error{Kind: fault.Misconfigured, Err: &Rewound{Head: h.point(), Published: out}}
			case !given:
				return nil
			}
		}
		if out.Size < h.Size {
			if err := s.leads(ctx, out, h); err != nil {
				return err
			}
		}
		if signed == nil {
			text := sign.Checkpoint{Origin: s.Origin, Size: h.Size, Root: h.Root}.Text()
			if signed, err = sign.Note(ctx, text, s.Signers...); err != nil {
				return fmt.Errorf("signing the checkpoint: %w", err)
			}
		}
		_, err = s.Head.Swap(ctx, checkpointName, signed, old.Generation)
		if err == nil || !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return fault.New(fault.Transient, "publishing the checkpoint of size %d: others are", h.Size)
}
