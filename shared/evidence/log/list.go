package log

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ostiary.internal/shared/evidence/record"
)

const (
	pageSize = 1000 // names in one list
	maxPages = 10   // lists of one writer's part of the inbox in one pass
	maxBatch = 1000 // objects of the inbox in one batch
)

// lastName stands behind every name below a prefix it is added to.
const lastName = "\U0010ffff"

// look is the list of the inbox that a pass works through.
type look struct {
	found []Listed
	more  bool     // it does not reach the end
	stuck int      // what stays there and is on record
	again []string // of these, the lines that keep them known
}

// listInbox returns what waits in the inbox: all of it where one list holds that. Where it does not, every writer is
// given as many lists as the others, so that nobody who floods its own part, even with what can be neither read nor
// deleted, keeps the records of others from being found. What was not reached is where the next pass begins.
func (s *Sequencer) listInbox(ctx context.Context) (l look, err error) {
	page, err := s.Inbox.List(ctx, "", "", s.page)
	if err != nil {
		return l, fmt.Errorf("listing the inbox: %w", err)
	}
	if len(page) < s.page {
		l.take(s, page)
	} else {
		for _, writer := range append(slices.Sorted(maps.Keys(s.Writers)), "") {
			if err := s.listPart(ctx, writer, &l); err != nil {
				return l, fmt.Errorf("listing the inbox: %w", err)
			}
		}
	}
	s.order(l.found)
	return l, nil
}

// listPart lists the part of the inbox where a writer, or with "" nobody, may write.
func (s *Sequencer) listPart(ctx context.Context, writer string, l *look) error {
	prefix := writer
	if writer != "" {
		prefix += "/"
	}
	after := s.reached[writer]
	begun := after
	lists := maxPages
	if writer == "" {
		lists += len(s.Writers) // one to pass by each
	}
	for range lists {
		page, err := s.Inbox.List(ctx, prefix, after, s.page)
		if err != nil {
			return err
		}
		full := len(page) == s.page
		next := after
		if writer == "" {
			page, next = s.strangers(page)
		} else if len(page) > 0 {
			next = page[len(page)-1].Name
		}
		l.take(s, page)
		if !full && !strings.HasSuffix(next, lastName) {
			delete(s.reached, writer)
			l.more = l.more || begun != ""
			return nil
		}
		after = next
	}
	s.reached[writer], l.more = after, true
	return nil
}

// strangers returns what a page holds before the first name of a writer, and where to go on: behind all of hers.
func (s *Sequencer) strangers(page []Listed) (found []Listed, next string) {
	for i, o := range page {
		if writer := s.writer(o.Name); writer != "" {
			return page[:i], writer + "/" + lastName
		}
		next = o.Name
	}
	return page, next
}

// take adds a page. What stays where it is counts only until it is on record: from then on it costs its place in the list.
func (l *look) take(s *Sequencer, page []Listed) {
	now := s.Clock.Now()
	for _, o := range page {
		why := stays(o)
		if why == "" {
			l.found = append(l.found, o)
			continue
		}
		it := s.refused(item{spent: spent{o.Name, o.Generation}}, why)
		if !it.gone {
			l.found = append(l.found, o)
			continue
		}
		l.stuck++
		if line, due := s.window.again(it.id, now); due {
			l.again = append(l.again, line)
		}
	}
}

// order puts the oldest first; but of no writer more than a batch before all others had their turn.
func (s *Sequencer) order(found []Listed) {
	slices.SortStableFunc(found, func(a, b Listed) int { return a.Created.Compare(b.Created) })
	count, turn := map[string]int{}, map[string]int{} // of a writer, of an object
	for _, o := range found {
		writer := s.writer(o.Name)
		turn[o.Name] = count[writer] / s.most
		count[writer]++
	}
	slices.SortStableFunc(found, func(a, b Listed) int { return turn[a.Name] - turn[b.Name] })
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
