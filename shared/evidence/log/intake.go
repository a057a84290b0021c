package log

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

const (
	maxBatchSize = 8 << 20 // bytes of a batch, after which it ends
	fanOut       = 64      // small calls at once: what they cost is waiting
)

// batch is what is about to enter the log.
type batch struct {
	leaves         [][]byte
	taken          []string         // of leaves, without the run record at the end
	again          []string         // of what is in the log and was not out of the inbox for so long that it would be forgotten
	prints         map[string]print // of leaves, by id
	out            []object         // refused objects, as they are kept
	spent          []spent
	added, refused int
	stuck          int // of the refused, those that stay in the inbox
	late           int
	behind         time.Duration // age of the oldest record
}

// item is what became of one object of the inbox.
type item struct {
	spent
	id        string
	kind      record.Kind
	data      []byte
	collected time.Time
	known     bool // it is in the log already, or a gap stands for it
	reason    refusal
	unread    bool // refused without its bytes
	gone      bool
}

// refusal says why an object is no record of the log.
type refusal string

const (
	oversized  refusal = "oversized"  // larger than any record; it is not read, and not kept
	unreadable refusal = "unreadable" // not in the one form of a record, or packed; what would have to be unpacked is not kept
	misnamed   refusal = "misnamed"   // not under its id
	forged     refusal = "forged"     // in the name of the log itself
	stranger   refusal = "stranger"   // in the place of no writer
	foreign    refusal = "foreign"    // what its writer may not put on record
	conflict   refusal = "conflict"   // under an id that entered the log with other bytes
	ahead      refusal = "ahead"      // of a time that has not come: in the log, it would outlast whatever is true until then
	unnameable refusal = "unnameable" // under a name nothing has; it cannot even be deleted
	held       refusal = "held"       // under a hold of Cloud Storage: it could not be deleted, and would come again in every pass
	sealed     refusal = "sealed"     // under a key of its maker, which nobody here has, or has no longer
)

// takeIn reads the objects of one batch, and deletes those that are in the log already.
func (s *Sequencer) takeIn(ctx context.Context, listed []Listed, report *Report) (*batch, error) {
	items := make([]item, len(listed))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(fanOut)
	for i, l := range listed {
		group.Go(func() (err error) {
			if items[i], err = s.read(groupCtx, l); err != nil {
				items[i].gone = true // for this pass
				err = s.left.reading(groupCtx, fmt.Errorf("reading from the inbox: %w", err))
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
		if first, twice := b.prints[it.id]; twice && it.reason == "" { // from two writers
			if first == printOf(it.data) || madeAnew(it.kind) {
				b.spent = append(b.spent, it.spent)
				report.Duplicates++
				continue
			}
			it = s.refused(it, conflict)
		}
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
	err := s.clear(ctx, known)
	for _, it := range items {
		if line, due := s.window.again(it.id, now); due && it.known && s.left.holds(it.spent) {
			b.again = append(b.again, line)
		}
	}
	return b, err
}

// read decides about one object of the inbox. Who hands it in is looked at before its id: under an id that is known, too,
// nothing vanishes but a record that is in the log as it is.
func (s *Sequencer) read(ctx context.Context, l Listed) (item, error) {
	it := item{spent: spent{l.Name, l.Generation}}
	writer, id, _ := strings.Cut(l.Name, "/")
	it.unread = true
	if why := stays(l); why != "" {
		return s.refused(it, why), nil
	}
	if l.Size > record.MaxBytes {
		return s.refused(it, oversized), nil
	}
	o, err := s.Inbox.Get(ctx, l.Name)
	switch {
	case fault.Is(err, fault.NotFound): // another sequencer was faster
		it.gone = true
		return it, nil
	case fault.Is(err, fault.Invalid):
		return s.refused(it, unreadable), nil
	case err != nil:
		return it, err
	}
	it.unread = false
	it.Generation, it.data = o.Generation, o.Data // of the bytes we have, whatever the list said
	r, why := s.judge(writer, id, o.Data)
	if why != "" {
		return s.refused(it, why), nil
	}
	it.id, it.kind, it.collected = id, r.Kind, r.Source.Collected
	switch first, known := s.knows(id); {
	case !known:
	case first == printOf(o.Data) || madeAnew(r.Kind):
		it.known = true
	default:
		return s.refused(it, conflict), nil
	}
	return it, nil
}

// madeAnew reports whether a record is made again, at another time, by whoever was interrupted: nobody but the one who
// takes an event in, or changes a key, can make it, so that it hides nothing.
func madeAnew(k record.Kind) bool { return k == record.Gap || k == record.Key }

// refused is an object that gets a gap, unless one stands for it already.
func (s *Sequencer) refused(it item, why refusal) item {
	it.reason = why
	it.id = s.gap(it, time.Time{}).ID()
	_, known := s.knows(it.id)
	it.known = known && !why.stays()
	it.gone = known && why.stays() // it is recorded, and nothing else can be done
	return it
}

// judge reads what a writer handed in under an id, or says why it may not enter the log.
func (s *Sequencer) judge(writer, id string, data []byte) (r record.Record, why refusal) {
	if _, known := s.Writers[writer]; !known {
		return r, stranger
	}
	r, err := record.Parse(data)
	horizon := s.Clock.Now().Add(maxAhead)
	switch {
	case err != nil:
		return r, unreadable
	case r.ID() != id:
		return r, misnamed
	case r.Control == Control && (r.Kind == record.Run || r.Kind == record.Gap):
		return r, forged
	case !s.Writers.Allow(writer, r, s.Names):
		return r, foreign
	case r.Source.Collected.After(horizon) || r.Source.Observed.After(horizon):
		return r, ahead
	}
	return r, ""
}

// knows returns what entered the log under an id, within Window.
func (s *Sequencer) knows(id string) (leaf print, known bool) {
	leaf, known = s.window.has(id)
	return leaf, known && s.dedupe
}

// enter adds a leaf, and that it is taken in.
func (b *batch) enter(id string, leaf []byte) {
	b.leaves, b.taken = append(b.leaves, leaf), append(b.taken, taken(id, leaf))
	if b.prints == nil {
		b.prints = map[string]print{}
	}
	b.prints[id] = printOf(leaf)
}

func (b *batch) take(it item, created, now time.Time) {
	b.enter(it.id, it.data)
	b.spent = append(b.spent, it.spent)
	b.added++
	if it.collected.Before(now.Add(-maxBehind)) {
		b.late++
	}
	// A disk's own clock may stand still where ours is moved by hand: the later of the two tells the age.
	b.behind = max(b.behind, now.Sub(slices.MaxFunc([]time.Time{created, it.collected}, time.Time.Compare)))
}

// refuse lets a gap take the place of an object that is no record. The object is kept where nobody takes it for one; but
// what was not read, as it is larger than any record or packed, is deleted, and what is not to be read or deleted stays.
func (s *Sequencer) refuse(b *batch, it item, now time.Time) error {
	leaf, err := s.gap(it, now).Canonical()
	if err != nil {
		return err
	}
	became := "set aside"
	switch {
	case it.reason.stays():
		became = "stays where it is"
	case it.unread:
		became = "not kept"
	}
	s.Config.Log.Error("an object of the evidence inbox was refused and "+became, "reason", it.reason, "gap", it.id, "writer", s.writer(it.Name))
	b.enter(it.id, leaf)
	b.refused++
	if it.reason.stays() {
		b.stuck++
		return nil
	}
	b.spent = append(b.spent, it.spent)
	if !it.unread {
		b.out = append(b.out, object{refusedPrefix + it.id, it.data})
	}
	return nil
}

// gap is the record that stands for a refused object. It says nothing of what the object holds.
func (s *Sequencer) gap(it item, now time.Time) record.Record {
	r := s.begin(record.Gap, "refused/"+it.Name+"#"+strconv.FormatInt(it.Generation, 10), now)
	r.Source.Type = "inbox"
	r.Facts = map[string]string{"reason": string(it.reason)}
	if writer := s.writer(it.Name); writer != "" {
		r.Facts["writer"] = writer
	}
	r.Result.State = record.Undetermined
	return r
}

// writer is in whose place an object lies; "" where it is nobody's.
func (s *Sequencer) writer(name string) string {
	writer, _, below := strings.Cut(name, "/")
	if _, known := s.Writers[writer]; !known || !below {
		return ""
	}
	return writer
}

// begin begins a record of the log itself.
func (s *Sequencer) begin(kind record.Kind, event string, now time.Time) record.Record {
	r := record.New(kind, Control, event)
	r.Code, r.Config, r.Source.Collected = s.Code, s.Policy, now
	return r
}

// close ends a batch with the run record of the log itself.
func (s *Sequencer) close(h head, b *batch, now time.Time) error {
	from := cmp.Or(h.time(), now)
	if from.After(now) {
		from = now
	}
	r := s.begin(record.Run, s.Origin+"#"+strconv.FormatInt(h.Batch+1, 10), now)
	r.Source.Type, r.Source.Observed, r.Method = "sequencer", now, record.Test
	r.Window, r.Run, r.Expires = record.Window{From: from, To: now}, h.Batch+1, now.Add(Interval+Grace)
	r.Population = &record.Population{Expected: int64(b.added + b.refused), Seen: int64(b.added), Errors: int64(b.refused)}
	r.Facts = map[string]string{"late": strconv.Itoa(b.late)}
	if b.behind > Backlog {
		r.Facts["backlog_s"] = strconv.FormatInt(int64(b.behind/time.Second), 10)
	}
	leaf, err := r.Canonical()
	b.leaves = append(b.leaves, leaf)
	return err
}
