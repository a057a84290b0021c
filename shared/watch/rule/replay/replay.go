// Package replay holds exported logs against rules as a running watch would have, in event time. It brings the entries
// of all sources into the order of their times as far as its buffer reaches, lets the clock of the windows follow them,
// and judges what had to wait when its time has come, or at the end: the parts of a split entry wait for each other.
//
// It promises that memory does not grow with the length of the logs: entries are held one buffer at a time, windows
// forget what none of them needs. It does not promise the order of a running watch for entries that stand further from
// their place than the buffer reaches; Result.Late counts them. It opens no files itself and calls nobody.
package replay

import (
	"context"
	"fmt"
	"io"
	"time"

	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

// Undecodable is the class of what cannot be read.
const Undecodable = "undecodable"

// Source is one log: a file, or a stream that can be opened once.
type Source struct {
	Name string
	Open func() (io.ReadCloser, error)
	// Once says that it can be opened once only, such as standard input.
	Once bool
}

// Row is what became of one entry.
type Row struct {
	File     string
	Line     int // from 1; 0 when the source itself cannot be read
	Alarm    bool
	Rule     string // "" without an alarm
	Class    string // of the rule, or what sort of entry it is otherwise
	Severity policy.Severity
	Why      string // of what cannot be read, or could not be judged

	Time  time.Time
	Entry string // its ID; "" for what cannot be read
	Actor string
	Call  string // service and method

	waits bool
}

// Seen names a stream of a service.
type Seen struct {
	Service string
	Stream  auditlog.Stream
}

// Result is what a replay found.
type Result struct {
	Entries     int
	Undecodable int
	Ignored     int            // of Entries: lines of an application that no mapping calls its own
	Alarms      int            // hits, each once
	Rules       map[string]int // hits by rule
	Shadow      int            // hits of rules that nobody is told of; in no other count
	Partial     int            // entries that were split and of which parts are missing
	Late        int            // entries that came after their windows may have been judged
	From, To    time.Time      // event times; zero without entries
	Streams     map[Seen]int
}

// Options are what a replay needs beside rules and sources.
type Options struct {
	Mappings []auditlog.Mapping
	// Row gets every entry once, in the order of the logs as far as windows let it; nil when nobody asks.
	Row func(Row) error
	// Hit gets each hit once, as it is found; nil when nobody asks.
	Hit func(rule.Hit) error
}

// Times in event time.
const (
	lateness = 10 * time.Minute // of Cloud streams: that much later no window misses an entry
	tidy     = 10 * time.Minute // between two times of forgetting
	ahead    = 23 * time.Hour   // members are forgotten so much sooner: stores need a day's grace, a replay an hour's
	beyond   = 2 * 366 * 24 * time.Hour
	judging  = 1000 // members that one call of Settle judges
)

// maxStreams bounds how many streams of services are counted: who writes a log chooses the names in it.
const maxStreams = 10_000

// Run replays. Errors are those of ctx, of Options.Row and Options.Hit; a source that cannot be read is a row.
func Run(ctx context.Context, set *rule.Set, sources []Source, o Options) (Result, error) {
	r := &run{ctx: ctx, set: set, o: o, severities: severities(set), memory: newTracking(), folder: auditlog.NewFolder()}
	r.Rules, r.Streams = map[string]int{}, map[Seen]int{}
	r.listing.write = o.Row
	q := newMerge(sources, o.Mappings)
	defer q.close()
	for {
		it, ok := q.next()
		if !ok {
			break
		}
		if err := ctx.Err(); err != nil {
			return r.Result, fmt.Errorf("replaying: %w", err)
		}
		if err := r.take(it); err != nil {
			return r.Result, err
		}
	}
	if err := r.settle(r.now.Add(beyond)); err != nil {
		return r.Result, err
	}
	return r.Result, r.listing.flush()
}

// run is one replay.
type run struct {
	Result
	ctx        context.Context
	set        *rule.Set
	o          Options
	severities map[string]rule.Rule
	memory     *tracking
	folder     *auditlog.Folder
	listing    listing
	now        time.Time // event time, the latest so far
	settled    time.Time
	tidied     time.Time
	told, old  map[string]struct{} // IDs of hits: a hit that comes again is no second one
}

func severities(set *rule.Set) map[string]rule.Rule {
	byName := map[string]rule.Rule{}
	for _, one := range set.Rules() {
		byName[one.Name] = one
	}
	return byName
}

// take judges one item.
func (r *run) take(it *item) error {
	if it.err != nil {
		r.Undecodable++
		return r.listing.add(Row{File: it.file, Line: it.line, Alarm: true, Class: Undecodable, Severity: policy.High, Why: it.err.Error()})
	}
	e := it.entry
	r.Entries++
	if e.Ignored {
		r.Ignored++
	}
	if seen := (Seen{e.Service, e.Stream}); r.Streams[seen] > 0 || len(r.Streams) < maxStreams {
		r.Streams[seen]++
	}
	if err := r.clock(e.Time); err != nil {
		return err
	}
	if r.o.Row != nil {
		row := Row{File: it.file, Line: it.line, Entry: e.WholeID(), Time: e.Time, Actor: e.Actor.Key, Call: e.Service + " " + e.Method, waits: true}
		if err := r.listing.add(row); err != nil {
			return err
		}
	}
	if !e.Part() {
		return r.judge(e)
	}
	ready := r.folder.Fold(*e, r.now.Add(lateness))
	if err := r.judgeAll(ready); err != nil || len(ready) > 0 || r.folder.Waits(e.WholeID()) {
		return err
	}
	r.listing.judged(e.WholeID(), rule.Ordinary(e), false) // it came again
	return r.listing.drain()
}

func (r *run) judgeAll(entries []auditlog.Entry) error {
	for i := range entries {
		if err := r.judge(&entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// judge holds an entry against the rules, and tells the rows of it.
func (r *run) judge(e *auditlog.Entry) error {
	if e.Part() && e.Service == "" && e.Method == "" { // the part that says it never came
		r.Undecodable++
		r.listing.unread(e.ID)
		return r.listing.drain()
	}
	if e.Part() {
		r.Partial++
	}
	hits, err := r.set.Evaluate(r.ctx, e, r.memory, r.now)
	if err != nil {
		return fmt.Errorf("judging an entry: %w", err)
	}
	waits := r.memory.waits(e.ID)
	class := ""
	if len(hits) == 0 || waits {
		class = rule.Ordinary(e)
	}
	r.listing.judged(e.ID, class, waits)
	return r.hits(hits)
}

// clock moves the clock to the time of an entry, and judges what had to wait until then.
func (r *run) clock(at time.Time) error {
	if at.IsZero() {
		return nil
	}
	if r.From.IsZero() || at.Before(r.From) {
		r.From = at
	}
	if at.After(r.To) {
		r.To = at
	}
	if !at.After(r.now) {
		if r.now.Sub(at) > lateness {
			r.Late++
		}
		return nil
	}
	r.now = at
	if at.Sub(r.settled) < time.Second {
		return nil
	}
	r.settled = at
	if err := r.settle(at); err != nil {
		return err
	}
	if at.Sub(r.tidied) > tidy {
		r.tidied = at
		r.memory.Forget(at.Add(ahead))
	}
	return nil
}

func (r *run) settle(until time.Time) error {
	if err := r.judgeAll(r.folder.Overdue(until)); err != nil {
		return err
	}
	for {
		hits, judged, err := r.set.Settle(r.ctx, r.memory, until, judging)
		if err != nil {
			return fmt.Errorf("judging windows: %w", err)
		}
		if err := r.hits(hits); err != nil {
			return err
		}
		for _, entry := range r.memory.settled() {
			r.listing.settled(entry)
		}
		if judged < judging {
			return r.listing.drain()
		}
	}
}

// maxTold is how many IDs of hits one of two generations holds.
const maxTold = 100_000

// hits counts hits and tells them to the rows of their entries.
func (r *run) hits(hits []rule.Hit) error {
	for _, h := range hits {
		of := r.severities[h.Rule]
		if of.Alarm.Shadow {
			r.Shadow++
			continue
		}
		r.listing.mark(h, of.Alarm.Class)
		if r.again(h.ID) {
			continue
		}
		r.Alarms++
		r.Rules[h.Rule]++
		if r.o.Hit != nil {
			if err := r.o.Hit(h); err != nil {
				return err
			}
		}
	}
	return r.listing.drain()
}

// again reports whether a hit was told already, and remembers it.
func (r *run) again(id string) bool {
	if _, is := r.told[id]; is {
		return true
	}
	_, is := r.old[id]
	if r.told == nil || len(r.told) >= maxTold {
		r.told, r.old = map[string]struct{}{}, r.told
	}
	r.told[id] = struct{}{}
	return is
}
