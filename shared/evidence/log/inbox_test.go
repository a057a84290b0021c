package log_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
)

// strange lists objects that cannot be named, or are held, as a bucket may hold them.
type strange struct {
	log.Objects
	names []string
	held  bool
}

func (s strange) List(ctx context.Context, prefix, after string, limit int) ([]log.Listed, error) {
	listed, err := s.Objects.List(ctx, prefix, after, limit)
	for _, name := range s.names {
		if strings.HasPrefix(name, prefix) && name > after {
			listed = append(listed, log.Listed{Name: name, Generation: 5, Size: 3, Created: start.Add(-time.Hour), Held: s.held})
		}
	}
	slices.SortFunc(listed, func(a, b log.Listed) int { return strings.Compare(a.Name, b.Name) })
	return listed[:min(limit, len(listed))], err
}

// at is where in the log the record of an event stands; -1 for nowhere.
func at(t testing.TB, all []record.Record, event string) int {
	id, _ := observed(t, event, start)
	return slices.IndexFunc(all, func(r record.Record) bool { return r.ID() == id })
}

// A record is in the log once, whoever handed it in.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.sequencer(t)
	id, data := observed(t, "a", start)
	w.hand(t, "control/"+id, data)
	w.hand(t, "second/"+id, data)
	if got := w.run(t, s); got.Added != 1 || got.Duplicates != 1 || got.Size != 2 {
		t.Errorf("%+v", got)
	}
	for _, s := range []*log.Sequencer{s, w.sequencer(t)} { // from its memory, and from what is stored
		w.hand(t, "second/"+id, data)
		if got := w.run(t, s); got.Added != 0 || got.Duplicates != 1 || got.Refused != 0 || got.Size != 2 {
			t.Errorf("%+v", got)
		}
	}
	if left := names(t, w.inbox, ""); len(left) > 0 {
		t.Errorf("left in the inbox: %q", left)
	}
}

// hand leaves bytes in the inbox.
func (w *world) hand(t testing.TB, name string, data []byte) {
	t.Helper()
	if _, err := w.inbox.Create(t.Context(), name, data); err != nil {
		t.Fatal(err)
	}
}

// TestPreempted: whoever is the first to hand in something under the id of another's record does not make that one vanish:
// the log says that there was another, who handed it in, and keeps it; in one pass, in a later one, and in another process.
func TestPreempted(t *testing.T) {
	t.Parallel()
	id, data := observed(t, "a", start)
	_, other := observed(t, "a", start.Add(-time.Hour))
	for name, later := range map[string]func(w *world, s *log.Sequencer) *log.Sequencer{
		"in one pass":        func(_ *world, s *log.Sequencer) *log.Sequencer { return s },
		"in a later pass":    func(w *world, s *log.Sequencer) *log.Sequencer { w.run(t, s); return s },
		"in another process": func(w *world, s *log.Sequencer) *log.Sequencer { w.run(t, s); return w.sequencer(t) },
		"after an hour's ids": func(w *world, s *log.Sequencer) *log.Sequencer {
			w.run(t, s)
			w.wait(t, 2*time.Hour)
			return w.sequencer(t)
		},
		"in batches of one":    func(_ *world, s *log.Sequencer) *log.Sequencer { s.Small(1); return s },
		"of the same writer":   nil,
		"of one without right": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logger, said := logged()
			s := w.sequencer(t, func(c *log.Config) { c.Log = logger })
			w.hand(t, "second/"+id, other)
			by, reason := "control", "conflict"
			switch {
			case later != nil:
				w.wait(t, time.Second)
				s = later(w, s)
			case strings.HasPrefix(name, "of the same"):
				w.run(t, s)
				by = "second"
			default:
				w.run(t, s)
				by, reason = "other", "foreign"
			}
			w.hand(t, by+"/"+id, data)
			w.run(t, s)
			w.run(t, s)
			var gaps []record.Record
			for _, r := range w.leaves(t) {
				if r.Kind == record.Gap {
					gaps = append(gaps, r)
				}
			}
			if len(gaps) != 1 || gaps[0].Facts["reason"] != reason || gaps[0].Facts["writer"] != by {
				t.Fatalf("the gaps are %+v\n%s", gaps, said)
			}
			if kept, err := w.head.Get(t.Context(), "refused/"+gaps[0].ID()); err != nil || string(kept.Data) != string(data) {
				t.Errorf("%s is kept, %v", kept.Data, err)
			}
			if left := names(t, w.inbox, ""); len(left) > 0 || at(t, w.leaves(t), "a") < 0 {
				t.Errorf("left in the inbox: %q", left)
			}
		})
	}
}

// However many objects nobody can name or delete a writer leaves, its own records come through, and those of others at
// once.
func TestFloodOfWhatStays(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]string{"unnameable": "control/ %03d", "held": "control/0%03d"} { // before every name there is
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flooded(t, form, name == "held")
		})
	}
}

func flooded(t *testing.T, form string, held bool) {
	w := newWorld()
	real := w.inbox
	flood := strange{Objects: real, held: held}
	for i := range 250 {
		flood.names = append(flood.names, fmt.Sprintf(form, i))
	}
	w.inbox = flood
	s := w.sequencer(t)
	s.Pages(10)
	w.put(t, "behind the flood")
	id, data := observed(t, "beside it", start)
	if _, err := real.Create(t.Context(), "second/"+id, data); err != nil {
		t.Fatal(err)
	}
	if got := w.run(t, s); got.Added != 1 || !got.More || at(t, w.leaves(t), "beside it") < 0 {
		t.Errorf("the record of another writer: %+v", got)
	}
	for range 2 {
		w.run(t, s)
	}
	if at(t, w.leaves(t), "behind the flood") < 0 {
		t.Error("a record behind what nobody can name never enters the log")
	}
	w.put(t, "later")
	for range 3 {
		w.run(t, s)
	}
	all := w.leaves(t)
	if at(t, all, "later") < 0 {
		t.Error("a record is not found once the whole inbox was looked through")
	}
	if n := strings.Count(kinds(all), "gap"); n != 250 {
		t.Errorf("%d gaps for 250 objects", n)
	}
	if left := names(t, real, ""); len(left) > 0 {
		t.Errorf("left in the inbox: %q", left)
	}
}

// A writer that leaves more than the log can take in holds up nobody but itself.
func TestFloodOfObjects(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"a writer": by, "strangers before": "a", "strangers behind": "zz/", "strangers between": "nobody/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			for i := range 200 {
				if _, err := w.inbox.Create(t.Context(), fmt.Sprintf("%s%03d", prefix, i), []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			w.wait(t, time.Second)
			id, data := observed(t, "beside it", start)
			if _, err := w.inbox.Create(t.Context(), "second/"+id, data); err != nil {
				t.Fatal(err)
			}
			s := w.sequencer(t)
			s.Pages(10)
			s.Small(20)
			if got := w.run(t, s); got.Added != 1 || !got.More {
				t.Errorf("%+v", got)
			}
			if n := at(t, w.leaves(t), "beside it"); n < 0 || n > 21 {
				t.Errorf("the record of another writer is leaf %d", n)
			}
			for range 3 {
				w.run(t, s)
			}
			if left := names(t, w.inbox, ""); len(left) > 0 {
				t.Errorf("left in the inbox: %q", left)
			}
			if left := names(t, w.head, "refused/"); len(left) != 200 {
				t.Errorf("%d of 200 objects are kept for somebody to look at", len(left))
			}
		})
	}
}
