package keeppromises

import (
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/page/shelf"
)

// backup is what the stores of a log held at a time.
type backup map[string][]byte

func saved(t testing.TB, o log.Objects) backup {
	t.Helper()
	listed, err := o.List(t.Context(), "", "", 1<<20)
	must(t, err)
	all := backup{}
	for _, l := range listed {
		held, err := o.Get(t.Context(), l.Name)
		must(t, err)
		all[l.Name] = held.Data
	}
	return all
}

// restore makes a store hold what it held then, but for what is excepted.
func (b backup) restore(t testing.TB, o log.Objects, except string) {
	t.Helper()
	for name := range saved(t, o) {
		if name == except {
			continue
		}
		held, err := o.Get(t.Context(), name)
		must(t, err)
		must(t, o.Delete(t.Context(), name, held.Generation))
	}
	for name, data := range b {
		if name != except {
			_, err := o.Create(t.Context(), name, data)
			must(t, err)
		}
	}
}

func (w *world) point(t testing.TB) log.Point {
	t.Helper()
	_, head := w.leaves(t)
	return log.Point{Size: head.Size, Root: tlog.Hash(head.Root)}
}

// lose puts a record into the inbox that the log will have lost.
func (w *world) lose(t testing.TB) {
	t.Helper()
	r := record.New(record.Observation, "other", w.Clock.Now().String())
	r.Source.Collected = w.Clock.Now()
	w.hand(t, r)
}

// TestRewinds: a log that was set back is not followed until somebody accepted that, and then from its first leaf: the page
// is shown again, of what the log holds now. Its record excuses nothing that comes later.
func TestRewinds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		except  string // what stays as it is in the head store
		behind  bool   // the log had gone on when it was set back, and was not followed so far
		further bool   // it went on before anybody accepted
		quiet   bool   // what was followed is still what the checkpoint says
	}{
		"all":                    {},
		"all but the checkpoint": {except: "checkpoint", quiet: true},
		"behind":                 {except: "checkpoint", behind: true},
		"all, and it went on":    {further: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{"promises/log.yaml": logPromise})
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			w.good(t)
			old, tiles, heads := w.point(t), saved(t, w.tiles), saved(t, w.head)
			w.lose(t)
			w.good(t)
			if test.behind {
				w.lose(t)
				w.seal(t)
			}
			gone := w.point(t)
			tiles.restore(t, w.tiles, "")
			heads.restore(t, w.head, test.except)
			w.Restart()
			w.sequencer = w.sequence(t, w.journal)
			if test.further {
				w.seal(t)
				old = w.point(t)
			}
			for range 2 {
				w.Advance(t, time.Minute)
				if a := w.Tick(t, "keeppromises"); (a.Status >= 500) == test.quiet {
					t.Errorf("answered %d", a.Status)
				}
			}
			must(t, w.sequencer.Accept(t.Context(), gone, old, "restored"))
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			w.good(t)
			w.good(t)
			all, head := w.leaves(t)
			newest, page := w.newest(t)
			if w.state(t, "D24") != record.Kept || newest.Size <= old.Size || newest.Size > head.Size {
				t.Errorf("D24 is %s on a page of %d leaves, of %d", w.state(t, "D24"), newest.Size, head.Size)
			}
			if again := newReplay(t, shelf.New(w.Raw("trust")), newest.Register).page(t, all[:newest.Size], newest.At); string(again) != string(page) {
				t.Error("the page does not follow from what the log holds now")
			}
			if found, closed := w.of(t, record.Finding), w.of(t, record.Remediation); !test.quiet && (len(found) != 1 || len(closed) != 1 || closed[0].Refs[0].ID != found[0].ID()) {
				t.Errorf("%d departures, %d over", len(found), len(closed))
			}
			w.replace(t, int(old.Size)+2) // another log: no rewind is in it that was not known
			w.Advance(t, time.Minute)
			if a := w.Tick(t, "keeppromises"); a.Status < 500 {
				t.Errorf("a fork behind a rewind: answered %d", a.Status)
			}
		})
	}
}
