package log

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// Point is how far a log goes, by its head or by a checkpoint.
type Point struct {
	Size int64     `json:"size"`
	Root tlog.Hash `json:"root"`
}

// String is SIZE:ROOT, the root in base64 as checkpoints have it.
func (p Point) String() string { return strconv.FormatInt(p.Size, 10) + ":" + p.Root.String() }

// ParsePoint reads what String writes; Invalid for everything else.
func ParsePoint(text string) (Point, error) {
	size, root, _ := strings.Cut(text, ":")
	n, sizeErr := strconv.ParseInt(size, 10, 64)
	hash, rootErr := tlog.ParseHash(root)
	p := Point{n, hash}
	if sizeErr != nil || rootErr != nil || n < 0 || p.String() != text {
		return Point{}, fault.New(fault.Invalid, "a point of a log is SIZE:ROOT, as in its checkpoints")
	}
	return p, nil
}

// Rewound is why a sequencer refuses to go on: the log, as it was published or as it lies there, goes further than its
// head, or elsewhere. After a restore from a backup it is so, until somebody says which of them counts (Accept).
type Rewound struct {
	Head, Published Point
	Beyond          string // a part of the log behind the head; "" when it was not looked for
}

// Way is what to do about a log that was set back, for errors that tell of one.
const Way = "`ostiary evidence accept-rewind` shows what is lost, and lets the log go on"

// Error says both points, as Accept takes them, and what to do.
func (r *Rewound) Error() string {
	if r.Beyond != "" {
		return fmt.Sprintf("the head of the log is at %s, and %s lies behind it; %s", r.Head, r.Beyond, Way)
	}
	return fmt.Sprintf("the head of the log is at %s, and its checkpoint at %s; %s", r.Head, r.Published, Way)
}

const rewoundPrefix = "rewound/"

// kept is where a checkpoint that counts no longer is kept.
func (p Point) kept() string {
	return rewoundPrefix + strconv.FormatInt(p.Size, 10) + "-" + hex.EncodeToString(p.Root[:])
}

func (h head) point() Point { return Point{h.Size, h.Root} }

// published returns the checkpoint that is out; before the first, the point of an empty log and nothing signed.
func (s *Sequencer) published(ctx context.Context) (Point, Object, error) {
	o, err := s.Head.Get(ctx, checkpointName)
	if fault.Is(err, fault.NotFound) {
		return Point{Root: new(Tree).Root()}, Object{}, nil
	}
	if err != nil {
		return Point{}, Object{}, fmt.Errorf("reading the checkpoint: %w", err)
	}
	text, _, _ := strings.Cut(string(o.Data), "\n\n")
	out, err := sign.ParseCheckpoint(text + "\n")
	if err != nil || out.Origin != s.Origin {
		return Point{}, Object{}, fault.New(fault.Misconfigured, "the published checkpoint is not one of the log %s", s.Origin)
	}
	return Point{out.Size, out.Root}, o, nil
}

// continues returns Rewound, as Misconfigured, when the checkpoint that is out does not lead to the head: nothing may be
// signed then, for it would be a second history.
func (s *Sequencer) continues(ctx context.Context, h head) error {
	out, _, err := s.published(ctx)
	if err != nil || out == h.point() {
		return err
	}
	if out.Size < h.Size {
		return s.leads(ctx, out, h)
	}
	if given, err := s.givenUp(ctx, out); given || err != nil {
		return err
	}
	return s.unlessMoved(ctx, h, &Rewound{Head: h.point(), Published: out})
}

// leads returns Rewound, as Misconfigured, when a checkpoint that is out is smaller than the head and the log of the head
// does not begin with it. An empty log leads everywhere, and so does the head that we ourselves built on.
func (s *Sequencer) leads(ctx context.Context, out Point, h head) error {
	if out.Size == 0 || out == s.base {
		return nil
	}
	if held, err := s.holds(ctx, h, out); held || err != nil {
		return err
	}
	if given, err := s.givenUp(ctx, out); given || err != nil {
		return err
	}
	return s.unlessMoved(ctx, h, &Rewound{Head: h.point(), Published: out})
}

// givenUp reports whether somebody accepted that a checkpoint counts no longer.
func (s *Sequencer) givenUp(ctx context.Context, out Point) (bool, error) {
	_, err := s.Head.Get(ctx, out.kept())
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// nothingBehind returns Rewound when the log holds more than its head says.
func (s *Sequencer) nothingBehind(ctx context.Context, h head) error {
	name, width, err := s.widest(ctx, h.Size/tileWidth)
	if err != nil || width <= h.Size%tileWidth {
		return err
	}
	return s.unlessMoved(ctx, h, &Rewound{Head: h.point(), Beyond: name})
}

// unlessMoved returns a refusal, unless the head has moved since it was read: then a rival is at work, and nothing is wrong.
func (s *Sequencer) unlessMoved(ctx context.Context, h head, why *Rewound) error {
	now, err := s.readHead(ctx)
	switch {
	case err != nil:
		return err
	case now.generation != h.generation:
		return errOvertaken
	}
	return &fault.Error{Kind: fault.Misconfigured, Err: why}
}

// Accept lets the log go on from kept, and gives up what goes on from there to gone: one of the two points of a refusal,
// the head's or the checkpoint's. A gap record that names both and the reason, a word, is the next in the log. A
// checkpoint that counts no longer is kept in the head store; what was taken in is forgotten, so that records that are
// lost may be handed in again, and some may be in the log twice.
//
// Where all of the log was set back alike, only those who followed it can tell: then kept is the head, and gone what they
// followed, which the log must not hold.
//
// What is stored must make kept's root and hold nothing behind it, otherwise Misconfigured. Invalid when the log is at
// neither point, or the two are the same. It may be called again after it failed.
func (s *Sequencer) Accept(ctx context.Context, gone, kept Point, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.accept(ctx, gone, kept, reason)
	if errors.Is(err, errOvertaken) {
		err = fault.New(fault.Transient, "another sequencer is at work")
	}
	if err != nil {
		return fmt.Errorf("letting the log %s go on from %s: %w", s.Origin, kept, err)
	}
	return nil
}

func (s *Sequencer) accept(ctx context.Context, gone, kept Point, reason string) error {
	h, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	out, signed, err := s.published(ctx)
	if err != nil {
		return err
	}
	if gone == kept || gone != h.point() && gone != out && kept != h.point() {
		return fault.New(fault.Invalid, "the log is not at %s: its head is at %s, its checkpoint at %s", gone, h.point(), out)
	}
	if held, err := s.holds(ctx, h, gone); held || err != nil {
		return cmp.Or(err, fault.New(fault.Invalid, "the log holds %s: nothing was set back", gone))
	}
	next := head{V: version, Origin: s.Origin, At: h.At, Size: kept.Size, Root: kept.Root, generation: h.generation}
	if s.edge, err = s.loadEdge(ctx, next); err != nil {
		return err
	}
	if next.Batch, err = s.lastRun(ctx, kept.Size); err != nil {
		return err
	}
	r := s.rewind(Rewind{gone, kept, reason}, s.Clock.Now())
	leaf, err := r.Canonical()
	if err != nil {
		return err
	}
	b := &batch{refused: 1}
	b.enter(r.ID(), leaf)
	if out != kept && out.Size > 0 {
		b.out = []object{{out.kept(), signed.Data}}
	}
	if err := s.forget(ctx); err != nil {
		return err
	}
	s.Config.Log.Error("the evidence log goes on from another point", "gone", gone.String(), "kept", kept.String(), "why", reason, "gap", r.ID())
	_, err = s.commit(ctx, next, b)
	return err
}

// lastRun is the number of the run record that ends a log of a size; where it ends otherwise, no batch ended.
func (s *Sequencer) lastRun(ctx context.Context, size int64) (int64, error) {
	if size == 0 {
		return 0, nil
	}
	data := s.edge.bundle
	if size%tileWidth == 0 {
		var err error
		if data, err = s.stored(ctx, BundlePath(size/tileWidth-1, tileWidth), 0); err != nil {
			return 0, err
		}
	}
	leaves, err := ParseBundle(data)
	if err != nil || len(leaves) == 0 {
		return 0, fault.New(fault.Misconfigured, "the last entries of a log of size %d cannot be read", size)
	}
	last, err := record.Parse(leaves[len(leaves)-1])
	if err != nil || last.Control != Control || last.Kind != record.Run {
		return 0, fault.New(fault.Misconfigured, "a log of size %d does not end with a batch", size)
	}
	return last.Run, nil
}

// forget removes the ids of what was taken in.
func (s *Sequencer) forget(ctx context.Context) error {
	s.window = newWindow()
	for {
		listed, err := s.Head.List(ctx, idsPrefix, "", pageSize)
		if err != nil {
			return fmt.Errorf("listing the ids of the last days: %w", err)
		}
		if len(listed) == 0 {
			return nil
		}
		for _, l := range listed {
			if err := s.Head.Delete(ctx, l.Name, l.Generation); err != nil && !fault.Is(err, fault.Conflict) {
				return fmt.Errorf("forgetting the ids of the last days: %w", err)
			}
		}
	}
}
