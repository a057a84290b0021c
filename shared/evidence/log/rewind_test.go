package log_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/memory"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
)

// copied is a store with what another holds now, as a backup is.
func copied(t testing.TB, w *world, from log.Objects) log.Objects {
	t.Helper()
	into := memory.New(w.clock)
	for _, name := range names(t, from, "") {
		o, err := from.Get(t.Context(), name)
		if err == nil {
			_, err = into.Create(t.Context(), name, o.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return into
}

// point is how far the log goes by its checkpoint.
func (w *world) point(t testing.TB) log.Point {
	t.Helper()
	c, err := w.reader(t).Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return log.Point{Size: c.Size, Root: tlog.Hash(c.Root)}
}

// restored is a log of which parts were set back to an earlier time: old is then, fresh is now.
func restored(t testing.TB, back func(w, old *world)) (w *world, old, fresh log.Point) {
	t.Helper()
	w = newWorld()
	w.put(t, "a", "b")
	w.run(t, w.sequencer(t))
	old = w.point(t)
	then := &world{tiles: copied(t, w, w.tiles), head: copied(t, w, w.head)}
	w.wait(t, time.Minute)
	w.put(t, "lost")
	w.run(t, w.sequencer(t))
	w.wait(t, time.Minute)
	w.put(t, "c")
	fresh = w.point(t)
	back(w, then)
	return w, old, fresh
}

// head puts one object of an earlier head store in the place of the present one.
func head(t testing.TB, w, old *world, name string) {
	t.Helper()
	o, err := old.head.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	change(t, w.head, name, func([]byte) []byte { return o.Data })
}

// TestRewound: a log of which a part was restored from a backup is not added to until somebody says from where it goes on.
// The record of that names both points, and a checkpoint that counts no longer is kept.
func TestRewound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		back    func(t *testing.T, w, old *world)
		forward bool // nothing is lost: it goes on from the later point
		told    bool // as Rewound; otherwise as a part that is missing
	}{
		"the head":                 {func(t *testing.T, w, old *world) { head(t, w, old, "head") }, true, true},
		"the head and checkpoint":  {func(t *testing.T, w, old *world) { w.head = old.head }, true, true},
		"the head and the tiles":   {func(t *testing.T, w, old *world) { head(t, w, old, "head"); w.tiles = old.tiles }, false, true},
		"the tiles":                {func(t *testing.T, w, old *world) { w.tiles = old.tiles }, false, false},
		"the tiles and checkpoint": {func(t *testing.T, w, old *world) { w.tiles = old.tiles; head(t, w, old, "checkpoint") }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, old, fresh := restored(t, func(w, old *world) { test.back(t, w, old) })
			for range 2 {
				_, err := w.sequencer(t).Run(t.Context())
				wantKind(t, err, fault.Misconfigured)
				if told, ok := errors.AsType[*log.Rewound](err); ok != test.told || ok && (told.Head != old && told.Published != old || !strings.Contains(err.Error(), "evidence accept-rewind")) {
					t.Errorf("refused by %v", err)
				}
			}
			if left := names(t, w.inbox, ""); len(left) != 1 {
				t.Errorf("the inbox holds %q", left)
			}
			gone, kept := fresh, old
			if test.forward {
				gone, kept = old, fresh
			}
			before, err := log.Head(w.head)(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			outBefore := w.point(t)
			if err := w.sequencer(t).Accept(t.Context(), gone, kept, "restored-from-backup"); err != nil {
				t.Fatal(err)
			}
			if got := w.run(t, w.sequencer(t)); got.Added != 1 || got.Size != kept.Size+4 { // the gap, "c", and their runs
				t.Errorf("%+v", got)
			}
			all := w.leaves(t)
			gap := all[kept.Size]
			if gap.Kind != record.Gap || gap.Control != log.Control || gap.Facts["why"] != "restored-from-backup" || gap.Facts["gone_root"] == gap.Facts["kept_root"] ||
				len(gap.Facts["gone_root"]) != 64 || gap.Facts["gone_size"] == gap.Facts["kept_size"] {
				t.Errorf("%+v", gap)
			}
			runs := slices.DeleteFunc(slices.Clone(all), func(r record.Record) bool { return r.Kind != record.Run })
			for i, r := range runs {
				if r.Run != int64(i+1) {
					t.Errorf("run %d is the %d.", r.Run, i+1)
				}
			}
			if lost := at(t, all, "lost") < 0; lost == test.forward {
				t.Errorf("what was taken in last is lost: %v", lost)
			}
			set := names(t, w.head, "rewound/")
			if outBefore == kept {
				if len(set) != 0 {
					t.Errorf("kept are %q", set)
				}
			} else if o, err := w.head.Get(t.Context(), strings.Join(set, " ")); err != nil || string(o.Data) != string(before) {
				t.Errorf("kept are %q: %v", set, err)
			}
			w.put(t, "lost") // handed in again, it counts
			if w.run(t, w.sequencer(t)); at(t, w.leaves(t), "lost") < 0 {
				t.Error("a record that was lost is refused for ever")
			}
		})
	}
}

// TestAcceptRefuses: what would make a second history, or is no state the log was in, is not accepted, and changes nothing.
func TestAcceptRefuses(t *testing.T) {
	t.Parallel()
	other := log.Point{Size: 3, Root: tlog.Hash{1}}
	for name, test := range map[string]struct {
		points func(old, fresh log.Point) (gone, kept log.Point)
		why    string
		kind   fault.Kind
	}{
		"what lies behind it": {func(old, fresh log.Point) (log.Point, log.Point) { return fresh, old }, "restored", fault.Misconfigured},
		"another root":        {func(old, fresh log.Point) (log.Point, log.Point) { return fresh, other }, "restored", fault.Misconfigured},
		"inside a batch": {func(old, fresh log.Point) (log.Point, log.Point) {
			return fresh, log.Point{Size: fresh.Size - 1, Root: fresh.Root}
		}, "restored", fault.Misconfigured},
		"another log":   {func(old, fresh log.Point) (log.Point, log.Point) { return other, old }, "restored", fault.Invalid},
		"what it holds": {func(old, fresh log.Point) (log.Point, log.Point) { return old, fresh }, "restored", fault.Invalid},
		"nothing to do": {func(old, fresh log.Point) (log.Point, log.Point) { return fresh, fresh }, "restored", fault.Invalid},
		"no reason":     {func(old, fresh log.Point) (log.Point, log.Point) { return old, fresh }, "", fault.Invalid},
		"free text":     {func(old, fresh log.Point) (log.Point, log.Point) { return old, fresh }, "somebody said so", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, old, fresh := restored(t, func(w, old *world) {
				if strings.Contains(name, "reason") || strings.Contains(name, "text") {
					head(t, w, old, "head")
				}
			})
			before := append(names(t, w.head, ""), names(t, w.tiles, "")...)
			gone, kept := test.points(old, fresh)
			wantKind(t, w.sequencer(t).Accept(t.Context(), gone, kept, test.why), test.kind)
			if after := append(names(t, w.head, ""), names(t, w.tiles, "")...); !slices.Equal(before, after) {
				t.Errorf("there was %q, and is %q", before, after)
			}
		})
	}
}

func TestPoints(t *testing.T) {
	t.Parallel()
	p := log.Point{Size: 7, Root: tlog.Hash{1, 2}}
	if got, err := log.ParsePoint(p.String()); err != nil || got != p {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "7", "7:", ":" + p.Root.String(), "07:" + p.Root.String(), "-7:" + p.Root.String(), p.String() + " "} {
		if _, err := log.ParsePoint(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestDeathWhileAccepting lets Accept die before and behind each of its calls: either nothing was accepted, and it can be
// called again, or the next pass goes on.
func TestDeathWhileAccepting(t *testing.T) {
	t.Parallel()
	for _, f := range []fate{dies, diesBehind} {
		for call := 1; ; call++ {
			w, old, fresh := restored(t, func(w, old *world) { head(t, w, old, "head"); w.tiles = old.tiles })
			l := &life{}
			l.next = func() fate {
				if l.calls == call {
					return f
				}
				return lives
			}
			err := w.sequencer(t, w.living(l, nil)).Accept(t.Context(), fresh, old, "restored")
			if l.calls < call {
				if err != nil || call < 8 {
					t.Errorf("%d calls, %v", l.calls, err)
				}
				break
			}
			if _, err := w.sequencer(t).Run(t.Context()); fault.Is(err, fault.Misconfigured) {
				if err := w.sequencer(t).Accept(t.Context(), fresh, old, "restored"); err != nil {
					t.Fatalf("fate %d of call %d: %v", f, call, err)
				}
			} else if err != nil {
				t.Fatalf("fate %d of call %d: %v", f, call, err)
			}
			for range 2 {
				w.run(t, w.sequencer(t))
			}
			all := w.leaves(t)
			if n := strings.Count(kinds(all), "gap"); n != 1 || at(t, all, "c") < 0 || len(names(t, w.inbox, "")) > 0 || len(names(t, w.head, "staging/")) > 0 {
				t.Errorf("fate %d of call %d: %s, the inbox holds %q, the head store %q", f, call, kinds(all), names(t, w.inbox, ""), names(t, w.head, ""))
			}
		}
	}
}

// TestAllSetBack: where all of the log was set back alike, the log itself shows nothing. Who followed it tells, before or
// after it went on; the record of that stands behind what is there.
func TestAllSetBack(t *testing.T) {
	t.Parallel()
	for _, further := range []bool{false, true} {
		w, old, fresh := restored(t, func(w, old *world) { w.head, w.tiles = old.head, old.tiles })
		kept := old
		if further {
			w.run(t, w.sequencer(t))
			kept = w.point(t)
		}
		wantKind(t, w.sequencer(t).Accept(t.Context(), old, kept, "restored"), fault.Invalid) // the log holds it
		if err := w.sequencer(t).Accept(t.Context(), fresh, kept, "restored"); err != nil {
			t.Fatal(err)
		}
		w.run(t, w.sequencer(t))
		if gap := w.leaves(t)[kept.Size]; gap.Kind != record.Gap || gap.Facts["reason"] != "rewound" {
			t.Errorf("%+v", gap)
		}
	}
}

// TestStand: what tells how far the log goes is told apart.
func TestStand(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		back func(t *testing.T, w, old *world)
		want func(old, fresh log.Point) log.Stand
	}{
		"nothing":  {func(*testing.T, *world, *world) {}, func(_, fresh log.Point) log.Stand { return log.Stand{Head: fresh, Published: fresh, Stored: fresh} }},
		"the head": {func(t *testing.T, w, old *world) { head(t, w, old, "head") }, func(old, fresh log.Point) log.Stand { return log.Stand{Head: old, Published: fresh, Stored: fresh} }},
		"the head and checkpoint": {func(_ *testing.T, w, old *world) { w.head = old.head }, func(old, fresh log.Point) log.Stand {
			return log.Stand{Head: old, Published: old, Stored: fresh}
		}},
		"the tiles": {func(_ *testing.T, w, old *world) { w.tiles = old.tiles }, func(old, fresh log.Point) log.Stand { return log.Stand{Head: fresh, Published: fresh, Stored: old} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, old, fresh := restored(t, func(w, old *world) { test.back(t, w, old) })
			got, err := w.sequencer(t).Stand(t.Context())
			if want := test.want(old, fresh); err != nil || got != want {
				t.Errorf("%v, want %v; %v", got, want, err)
			}
		})
	}
}
