package replay

import (
	"container/heap"
	"iter"
	"slices"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// Bounds of what is held at once.
const (
	buffered      = 4096     // entries that are put in order
	bufferedBytes = 32 << 20 // of their payloads
	openSources   = 64
)

// item is one entry of a source, or what could not be read of it.
type item struct {
	file  string
	line  int
	entry *auditlog.Entry // nil with err
	err   error
	at    time.Time // where it belongs
	order int       // of equal time, as they came
}

// size is how many bytes an item holds, about.
func (it *item) size() int {
	if it.entry == nil {
		return 0
	}
	return len(it.entry.Payload)
}

// stream is one source that is open.
type stream struct {
	name string
	pull func() (auditlog.Line, error, bool)
	stop func()
	head []*item
	last time.Time
}

// merge brings the items of all sources into order: of all open sources the earliest head goes next, into a buffer of
// which the earliest leaves when it is full.
type merge struct {
	mappings []auditlog.Mapping
	closed   []Source // with more than openSources of them, by their first time
	first    []time.Time
	open     []*stream
	buffer   items
	bytes    int
	count    int
	failed   []*item
}

func newMerge(sources []Source, mappings []auditlog.Mapping) *merge {
	q := &merge{mappings: mappings, closed: slices.Clone(sources), first: make([]time.Time, len(sources))}
	if len(sources) > openSources {
		q.byFirst()
	}
	return q
}

// byFirst sorts sources by the time of their first entry; one that can be opened once only comes first.
func (q *merge) byFirst() {
	type dated struct {
		s  Source
		at time.Time
	}
	all := make([]dated, len(q.closed))
	for i, s := range q.closed {
		all[i].s = s
		if s.Once {
			continue
		}
		if opened, err := q.start(s); err == nil {
			if opened.fill(&q.count); len(opened.head) > 0 {
				all[i].at = opened.head[0].at
			}
			opened.stop()
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	for i, d := range all {
		q.closed[i], q.first[i] = d.s, d.at
	}
}

// start opens a source.
func (q *merge) start(s Source) (*stream, error) {
	r, err := s.Open()
	if err != nil {
		return nil, err
	}
	next, stop := iter.Pull2(auditlog.Lines(r, q.mappings...))
	return &stream{name: s.Name, pull: next, stop: func() { stop(); _ = r.Close() }}, nil
}

// fill reads until the stream has a head, or is at its end.
func (s *stream) fill(count *int) {
	for len(s.head) == 0 {
		line, err, ok := s.pull()
		if !ok {
			return
		}
		if err != nil {
			*count++
			s.head = append(s.head, &item{file: s.name, line: line.Number, err: err, at: s.last, order: *count})
			continue
		}
		for i := range line.Entries {
			e := &line.Entries[i]
			at := e.Time
			if at.IsZero() {
				at = s.last
			}
			*count++
			s.last = at
			s.head = append(s.head, &item{file: s.name, line: line.Number, entry: e, at: at, order: *count})
		}
	}
}

// next returns the next item in order.
func (q *merge) next() (*item, bool) {
	for len(q.buffer) < buffered && q.bytes < bufferedBytes {
		it, ok := q.earliest()
		if !ok {
			break
		}
		q.bytes += it.size()
		heap.Push(&q.buffer, it)
	}
	if len(q.buffer) == 0 {
		return nil, false
	}
	it := heap.Pop(&q.buffer).(*item)
	q.bytes -= it.size()
	return it, true
}

// earliest takes the earliest head of all open sources.
func (q *merge) earliest() (*item, bool) {
	for {
		if len(q.failed) > 0 {
			it := q.failed[0]
			q.failed = q.failed[1:]
			return it, true
		}
		q.admit()
		if len(q.failed) > 0 {
			continue
		}
		if len(q.open) == 0 {
			return nil, false
		}
		least := 0
		for i, s := range q.open[1:] {
			if s.head[0].at.Before(q.open[least].head[0].at) {
				least = i + 1
			}
		}
		s := q.open[least]
		it := s.head[0]
		s.head = s.head[1:]
		if s.fill(&q.count); len(s.head) == 0 {
			s.stop()
			q.open = slices.Delete(q.open, least, least+1)
		}
		return it, true
	}
}

// admit opens sources that may hold the next item.
func (q *merge) admit() {
	for len(q.closed) > 0 && len(q.open) < openSources && (len(q.open) == 0 || !q.first[0].After(q.reach())) {
		s := q.closed[0]
		q.closed, q.first = q.closed[1:], q.first[1:]
		opened, err := q.start(s)
		if err != nil {
			q.count++
			q.failed = append(q.failed, &item{file: s.Name, err: err, order: q.count})
			continue
		}
		if opened.fill(&q.count); len(opened.head) == 0 {
			opened.stop()
			continue
		}
		q.open = append(q.open, opened)
	}
}

// reach is the earliest time of a head, and what may come late.
func (q *merge) reach() time.Time {
	at := q.open[0].head[0].at
	for _, s := range q.open[1:] {
		if s.head[0].at.Before(at) {
			at = s.head[0].at
		}
	}
	return at.Add(lateness)
}

func (q *merge) close() {
	for _, s := range q.open {
		s.stop()
	}
}

// items is a heap by time, then as they came.
type items []*item

func (h items) Len() int { return len(h) }
func (h items) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}
func (h items) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *items) Push(x any)   { *h = append(*h, x.(*item)) }
func (h *items) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
