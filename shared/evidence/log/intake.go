package log

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

const (
	pageSize     = 1000    // names in one list
	maxPages     = 10      // lists of the inbox in one pass
	maxBatch     = 1000    // objects of the inbox in one batch
	maxBatchSize = 8 << 20 // bytes of them, after which a batch ends
	fanOut       = 64      // small calls at once: what they cost is waiting
)

// listInbox returns the oldest objects first, as far as ten lists go; more says that they did not reach the end.
func (s *Sequencer) listInbox(ctx context.Context) (all []Listed, more bool, err error) {
	for range maxPages {
		after := ""
		if len(all) > 0 {
			after = all[len(all)-1].Name
		}
		page, err := s.Inbox.List(ctx, "", after, pageSize)
		if err != nil {
			return nil, false, fmt.Errorf("listing the inbox: %w", err)
		}
		all = append(all, page...)
		if more = len(page) == pageSize; !more {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b Listed) int { return a.Created.Compare(b.Created) })
	return all, more, nil
}

// oldest returns when the oldest object of the inbox was made, as far as one list tells.
func (s *Sequencer) oldest(ctx context.Context) (time.Time, error) {
	left, err := s.Inbox.List(ctx, "", "", pageSize)
	if err != nil || len(left) == 0 {
		return time.Time{}, err
	}
	return slices.MinFunc(left, func(a, b Listed) int { return a.Created.Compare(b.Created) }).Created, nil
}

// cut takes the objects of one batch off a list.
func (s *Sequencer) cut(listed []Listed) (part, rest []Listed) {
	size, n := int64(0), 0
	for n < min(s.most, len(listed)) && size < maxBatchSize {
		size += min(listed[n].Size, record.MaxBytes) // a larger one is never read
		n++
	}
	return listed[:n], listed[n:]
}

// batch is what is about to enter the log.
type batch struct {
	leaves         [][]byte
	ids            []string // of leaves, without the run record at the end
	out            []object // refused objects, as they are kept
	spent          []spent
	added, refused int
	skewed, late   int
	behind         time.Duration // age of the oldest record
}

// item is what became of one object of the inbox.
type item struct {
	spent
	id        string
	leaf      []byte
	collected time.Time
	known     bool // it is in the log already
	reason    refusal
	data      []byte // of a refused one
	gone      bool
}

// refusal says why an object is no record of the log.
type refusal string

const (
	oversized  refusal = "oversized"  // larger than any record
	unreadable refusal = "unreadable" // not in the one form of a record
	misnamed   refusal = "misnamed"   // not under its id
	forged     refusal = "forged"     // in the name of the log itself
	unnameable refusal = "unnameable" // under a name nothing has; it cannot even be deleted
)

// takeIn reads the objects of one batch, and deletes those that are in the log already.
func (s *Sequencer) takeIn(ctx context.Context, listed []Listed, report *Report) (*batch, error) {
	items := make([]item, len(listed))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fanOut)
	for i, l := range listed {
		group.Go(func() (err error) {
			if items[i], err = s.read(groupCtx, l); err != nil {
				err = fmt.Errorf("reading from the inbox: %w", err)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	b := &batch{}
	var known []spent
	now := s.Clock.Now()
	for i, it := range items {
		switch {
		case it.gone:
		case it.known:
			known = append(known, it.spent)
		case it.reason != "":
			if err := s.refuse(b, it, now); err != nil {
				return nil, err
			}
		default:
			b.take(it, listed[i].Created, now)
		}
	}
	if b.behind > Backlog {
		s.Config.Log.Error("the evidence inbox is behind", "oldest_s", int64(b.behind/time.Second))
	}
	report.Duplicates += len(known)
	return b, s.clear(ctx, known)
}

var idForm = regexp.MustCompile(`^[a-z2-7]{32}$`)

// read decides about one object of the inbox.
func (s *Sequencer) read(ctx context.Context, l Listed) (item, error) {
	it := item{spent: spent{l.Name, l.Generation}, id: l.Name}
	switch {
	case CheckName(l.Name) != nil:
		it.reason = unnameable
	case s.knows(l.Name):
		it.known = true
		return it, nil
	case l.Size > record.MaxBytes:
		it.reason = oversized
	default:
		o, err := s.Inbox.Get(ctx, l.Name)
		if fault.Is(err, fault.NotFound) { // another sequencer was faster
			it.gone = true
			return it, nil
		}
		if err != nil {
			return it, err
		}
		it.Generation = o.Generation // of the bytes we have, whatever the list said
		r, err := record.Parse(o.Data)
		switch {
		case err != nil:
			it.reason, it.data = unreadable, o.Data
		case r.ID() != l.Name:
			it.reason, it.data = misnamed, o.Data
		case r.Control == Control && (r.Kind == record.Run || r.Kind == record.Gap):
			it.reason, it.data = forged, o.Data
		default:
			it.leaf, it.collected = o.Data, r.Source.Collected
			return it, nil
		}
	}
	it.id = s.gap(it, time.Time{}).ID()
	it.known = s.knows(it.id) && it.reason != unnameable
	it.gone = s.knows(it.id) && it.reason == unnameable // it is recorded, and nothing else can be done
	return it, nil
}

func (s *Sequencer) knows(id string) bool { return s.dedupe && s.window.has(id) }

func (b *batch) take(it item, created, now time.Time) {
	b.leaves, b.ids, b.spent = append(b.leaves, it.leaf), append(b.ids, it.id), append(b.spent, it.spent)
	b.added++
	if it.collected.After(now.Add(maxAhead)) {
		b.skewed++
	}
	if it.collected.Before(now.Add(-maxBehind)) {
		b.late++
	}
	// A disk's own clock may stand still where ours is moved by hand: the later of the two tells the age.
	b.behind = max(b.behind, now.Sub(slices.MaxFunc([]time.Time{created, it.collected}, time.Time.Compare)))
}

// refuse lets a gap take the place of an object that is no record. The object is kept where nobody takes it for one.
func (s *Sequencer) refuse(b *batch, it item, now time.Time) error {
	leaf, err := s.gap(it, now).Canonical()
	if err != nil {
		return err
	}
	s.Config.Log.Error("an object of the evidence inbox is no record", "reason", it.reason, "gap", it.id)
	b.leaves, b.ids = append(b.leaves, leaf), append(b.ids, it.id)
	b.refused++
	if it.reason == unnameable {
		return nil
	}
	b.spent = append(b.spent, it.spent)
	if it.reason != oversized {
		b.out = append(b.out, object{refusedPrefix + it.id, it.data})
	}
	return nil
}

// gap is the record that stands for a refused object. It says nothing of what the object holds.
func (s *Sequencer) gap(it item, now time.Time) record.Record {
	r := record.New(record.Gap, Control, "refused/"+it.Name+"#"+strconv.FormatInt(it.Generation, 10))
	r.Code, r.Config = s.Code, s.Policy
	r.Source.Type, r.Source.Collected = "inbox", now
	r.Facts = map[string]string{"reason": string(it.reason)}
	r.Result.State = record.Undetermined
	return r
}

// close ends a batch with the run record of the log itself.
func (s *Sequencer) close(h head, b *batch, now time.Time) error {
	from := cmp.Or(h.time(), now)
	if from.After(now) {
		from = now
	}
	r := record.New(record.Run, Control, s.Origin+"#"+strconv.FormatInt(h.Batch+1, 10))
	r.Code, r.Config, r.Method = s.Code, s.Policy, record.Test
	r.Source.Type, r.Source.Observed, r.Source.Collected = "sequencer", now, now
	r.Window, r.Run, r.Expires = record.Window{From: from, To: now}, h.Batch+1, now.Add(Interval+Grace)
	r.Population = &record.Population{Expected: int64(b.added + b.refused), Seen: int64(b.added), Errors: int64(b.refused)}
	r.Facts = map[string]string{"skewed": strconv.Itoa(b.skewed), "late": strconv.Itoa(b.late)}
	if b.behind > Backlog {
		r.Facts["backlog_s"] = strconv.FormatInt(int64(b.behind/time.Second), 10)
	}
	leaf, err := r.Canonical()
	b.leaves = append(b.leaves, leaf)
	return err
}
