package log

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
)

// Control is the name under which the log itself records what it does.
const Control = "evidence-log"

const (
	// Interval is the longest the log stands still: without records, a run record enters after it.
	Interval = 15 * time.Minute
	// Grace is how much later than Interval a run record may come before the log counts as silent.
	Grace = 5 * time.Minute
	// Window is how long a record that is handed in again is recognised: longer than any queue keeps it.
	Window = 8 * 24 * time.Hour
	// Backlog is the age of the oldest record in the inbox from which on the log says that it is behind.
	Backlog = 5 * time.Minute

	maxAhead  = 5 * time.Minute // a record of a time further ahead than this does not enter the log
	maxBehind = time.Hour       // one collected so much before is late
)

// Config is what a sequencer works with.
type Config struct {
	Inbox   Objects        // records, named WRITER/ID; the sequencer lists, reads and deletes
	Tiles   Objects        // the log; the sequencer creates and reads
	Head    Objects        // head, checkpoint, staging, ids, refused; the sequencer does everything
	Origin  string         // of the log, and the name of each signer
	Signers []sign.Signer  // the present key first; two while a key is being changed
	Writers record.Writers // who may put what on record; the rest is set aside
	Names   record.Names   // what the policy in force binds; without it, every name is free for each mechanism's writers
	Clock   clock.Clock
	Log     *slog.Logger // may be nil
	Policy  string       // digest of the policy in force, for the log's own records; may be empty
	Code    string       // digest of the code at work; may be empty
}

// Sequencer takes records from the inbox into the log. Any number may work at the same time, in any number of
// processes: one wins, and the others notice. It is safe for concurrent use.
type Sequencer struct {
	Config
	most   int  // objects of the inbox in one batch
	page   int  // names of the inbox, or of staged batches, in one list
	part   int  // ids in one object, after which the next one begins
	dedupe bool // false only where a test shows what it is for

	mu      sync.Mutex
	window  *window           // what is known of the ids in the head store
	edge    *edge             // the right edge of the log, where it was left
	base    Point             // of the head that the last batch was built on, if it was ours
	reached map[string]string // by writer, how far an inbox that is too full for one pass was listed
	left    *left             // by the present pass
}

// New returns a sequencer. A store, key, clock or origin that is missing, and a key with another name than the
// origin, is Misconfigured.
func New(c Config) (*Sequencer, error) {
	if c.Inbox == nil || c.Tiles == nil || c.Head == nil || c.Clock == nil || len(c.Signers) == 0 {
		return nil, fault.New(fault.Misconfigured, "evidence log: three stores, a clock and a signing key are needed")
	}
	if err := sign.CheckName(c.Origin); err != nil {
		return nil, fmt.Errorf("evidence log: origin: %w", err)
	}
	for _, s := range c.Signers {
		if s.Name() != c.Origin {
			return nil, fault.New(fault.Misconfigured, "evidence log: a signing key has another name than the log %s", c.Origin)
		}
	}
	if err := c.Writers.Check(); err != nil {
		return nil, fmt.Errorf("evidence log: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Sequencer{Config: c, most: maxBatch, page: pageSize, part: maxPart, dedupe: true, window: newWindow(), reached: map[string]string{}, left: &left{}}, nil
}

// Report is what a pass did.
type Report struct {
	Added      int       // records that entered the log from the inbox
	Duplicates int       // records that were in it already
	Refused    int       // objects of the inbox that were set aside
	Stuck      int       // objects of the inbox that are on record and stay there: they cannot be deleted, or not be read
	Size       int64     // of the log
	More       bool      // the inbox holds more than the pass looked at
	Checkpoint time.Time // of the newest batch
}

// attempts is how often a pass begins anew after another sequencer was faster.
const attempts = 4

// errOvertaken says that another sequencer, or an earlier call of ours that seemed to fail, moved the head.
var errOvertaken = errors.New("the head of the log has moved")

// Run makes one pass: it finishes what an earlier pass left, takes the inbox in, and publishes a checkpoint. An
// error leaves nothing half done that the next pass does not finish. Transient when the next may succeed;
// Misconfigured when what is stored contradicts itself, or no longer makes the signed root: then nothing is added
// until somebody has looked; a log that was set back is told by a Rewound in it, and Accept. Being overtaken by another sequencer is no error.
//
// Single objects of the inbox that fail to be read, or may not be deleted, are left for the next pass, which knows them: what
// else there is enters the log, and then the pass ends with their error, such as Denied.
func (s *Sequencer) Run(ctx context.Context) (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var report Report
	for range attempts {
		err := s.pass(ctx, &report)
		if errors.Is(err, errOvertaken) {
			continue
		}
		if err != nil {
			return report, fmt.Errorf("sequencing the log %s: %w", s.Origin, err)
		}
		report.Stuck += len(s.left.undeleted)
		if err := s.left.error(); err != nil {
			return report, fmt.Errorf("sequencing the log %s: %w", s.Origin, err)
		}
		break
	}
	return report, nil
}

func (s *Sequencer) pass(ctx context.Context, report *Report) error {
	s.left = &left{}
	h, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	// Before the list of the inbox is made, the last batch has to be out of it: this, and the head that must not
	// move until we commit, is why nothing enters twice.
	if err := s.finish(ctx, h); err != nil {
		return err
	}
	if err := s.continues(ctx, h); err != nil {
		return err
	}
	report.Size, report.Checkpoint = h.Size, h.time()
	if err := s.window.refresh(ctx, s.Head, h.Batch, s.Clock.Now()); err != nil {
		return err
	}
	all, err := s.listInbox(ctx)
	if err != nil {
		return err
	}
	listed := all.found
	report.More, report.Stuck = all.more, all.stuck
	again := all.again
	for {
		var part []Listed
		part, listed = s.cut(listed)
		batch, err := s.takeIn(ctx, part, report)
		if err != nil {
			return err
		}
		again = append(again, batch.again...)
		if len(batch.leaves) > 0 || len(listed) == 0 && h.idle(s.Clock.Now()) {
			batch.taken, again = append(batch.taken, again...), nil
			if h, err = s.commit(ctx, h, batch); err != nil {
				return err
			}
			report.Added += batch.added
			report.Refused += batch.refused
			report.Stuck += batch.stuck
			report.Size, report.Checkpoint = h.Size, h.time()
		}
		if len(listed) == 0 {
			break
		}
	}
	return nil
}
