package log_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/log/folder"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
)

// chaos is one seed: writers that hand in, and hand in again, and sequencers that work at the same time and die.
type chaos struct {
	*world
	seed                int64
	writers, each       int
	sequencers          int
	deadly              int // of a thousand calls
	forgetful           bool
	deaths, overwritten atomic.Int64
	gaps                atomic.Int64
	broken              atomic.Bool // a sequencer refuses to go on

	mu     sync.Mutex
	seen   map[string]bool // checkpoints that were out
	handed map[string]bool // bytes of everything that was handed in
}

func TestChaos(t *testing.T) {
	t.Parallel()
	seeds, each := 25, 12
	if require.Seeds(1) > 1 { // the soak
		seeds, each = 60, 44
	}
	var deaths, gaps atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				c := &chaos{world: newWorld(), seed: int64(seed), writers: 16, each: each, sequencers: 4, deadly: 40}
				c.play(t)
				if problems := c.problems(t); len(problems) > 0 {
					t.Errorf("seed %d: %s", seed, strings.Join(problems, "; "))
				}
				deaths.Add(c.deaths.Load())
				gaps.Add(c.gaps.Load())
			})
		}
	})
	if deaths.Load() < int64(seeds)*40 || gaps.Load() < int64(seeds)*10 {
		t.Errorf("%d deaths and %d gaps in %d seeds: hardly chaos", deaths.Load(), gaps.Load(), seeds)
	}
	t.Logf("%d seeds, %d deaths, %d gaps", seeds, deaths.Load(), gaps.Load())
}

// The same on a disk, where calls take their time.
func TestChaosOnFolders(t *testing.T) {
	t.Parallel()
	for seed := range 2 {
		dir := t.TempDir()
		c := &chaos{world: newWorld(), seed: int64(seed), writers: 4, each: 20, sequencers: 3, deadly: 30}
		c.inbox, c.tiles, c.head = folder.New(filepath.Join(dir, "inbox")), folder.New(filepath.Join(dir, "tiles")), folder.New(filepath.Join(dir, "head"))
		c.play(t)
		if problems := c.problems(t); len(problems) > 0 {
			t.Errorf("seed %d: %s", seed, strings.Join(problems, "; "))
		}
	}
}

// Without the memory of what was taken in, the same play shows duplicates: the test can fail.
func TestChaosWithoutWindow(t *testing.T) {
	t.Parallel()
	doubled := false
	for seed := 0; seed < 4 && !doubled; seed++ {
		c := &chaos{world: newWorld(), seed: int64(seed), writers: 16, each: 20, sequencers: 4, deadly: 25, forgetful: true}
		c.play(t)
		doubled = strings.Contains(strings.Join(c.problems(t), "; "), "twice")
	}
	if !doubled {
		t.Error("no duplicate in any seed: the test finds nothing")
	}
}

func (c *chaos) rng(who int) *rand.Rand { return rand.New(rand.NewPCG(uint64(c.seed), uint64(who))) }

// play runs writers and sequencers until everything was handed in, and then one sequencer that lives.
func (c *chaos) play(t *testing.T) {
	c.seen, c.handed = map[string]bool{}, map[string]bool{}
	writing, stop := context.WithCancel(t.Context())
	var writers, others sync.WaitGroup
	for i := range c.writers {
		writers.Go(func() { c.write(t, i) })
	}
	for i := range c.sequencers {
		others.Go(func() { c.sequence(t, writing, 100+i) })
	}
	others.Go(func() { c.watch(writing) })
	writers.Wait()
	for len(names(t, c.inbox, "")) > 0 && !c.broken.Load() {
		time.Sleep(time.Millisecond) // the mortals empty it
	}
	stop()
	others.Wait()
	for range 2 { // the first finishes, the second has nothing left
		s := c.sequencer(t)
		if c.forgetful {
			s.Forgetful()
		}
		c.run(t, s)
	}
}

func event(writer, i int) string { return fmt.Sprintf("event %d of writer %d", i, writer) }

// write hands in its records, half of them in the place of one writer and half in that of another; some once more at once,
// some when they are long in the log; some come from both; and some are met by others under their id.
func (c *chaos) write(t *testing.T, who int) {
	rng := c.rng(who)
	in := mortal{c.inbox, random(rng, 60, 0), nil}
	places := []string{"control/", "second/"}
	hand := func(name string, data []byte) {
		for {
			_, err := in.Create(t.Context(), name, data)
			if err == nil {
				c.mu.Lock()
				c.handed[string(data)] = true
				c.mu.Unlock()
			}
			if err == nil || fault.Is(err, fault.Conflict) { // something lies in the place
				return
			}
		}
	}
	made := map[int][]byte{} // what is handed in again is the same, as outboxes keep it
	put := func(i int) {
		id, data := observed(t, event(who, i), c.clock.Now())
		if made[i] == nil {
			made[i] = data
		}
		hand(places[(who+i)%2]+id, made[i])
		switch rng.IntN(12) {
		case 0:
			hand(places[(who+i+1)%2]+id, made[i])
		case 1:
			_, data = observed(t, event(who, i), start.Add(-time.Hour))
			hand(places[(who+i+1)%2]+id, data)
		case 2:
			hand("other/"+id, made[i])
		}
	}
	for i := range c.each {
		put(i)
		if rng.IntN(4) == 0 {
			put(rng.IntN(i + 1))
		}
		if rng.IntN(20) == 0 { // others may have moved it on already
			_ = c.clock.Set(c.clock.Now().Add(time.Duration(rng.IntN(20)) * time.Minute))
		}
	}
	for range c.each / 4 {
		put(rng.IntN(c.each))
	}
}

// sequence runs passes until the writers are through; after a death another process goes on.
func (c *chaos) sequence(t *testing.T, writing context.Context, who int) {
	rng := c.rng(who)
	for writing.Err() == nil {
		l := random(rng, 10, c.deadly)
		s := c.sequencer(t, c.living(l, &c.overwritten))
		s.Small(10 + rng.IntN(50))
		s.Parts(100)
		s.Pages(10 + rng.IntN(200)) // one list, or one for each writer and more
		if c.forgetful {
			s.Forgetful()
		}
		for writing.Err() == nil && !l.died() {
			report, err := s.Run(context.WithoutCancel(writing))
			if err != nil && !errors.Is(err, errCall) && !fault.Is(err, fault.Transient) {
				t.Errorf("seed %d: %v", c.seed, err)
				c.broken.Store(true)
				return
			}
			if err == nil && report.Added == 0 { // passes over nothing only take the time of the others
				time.Sleep(time.Millisecond)
			}
		}
		if l.died() {
			c.deaths.Add(1)
		}
	}
}

// watch notes every checkpoint it gets to see.
func (c *chaos) watch(writing context.Context) {
	for writing.Err() == nil {
		if signed, err := log.Head(c.head)(context.WithoutCancel(writing)); err == nil {
			c.seen[string(signed)] = true
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// problems says what is wrong with the log that came out.
func (c *chaos) problems(t *testing.T) (all []string) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	count, runs, gaps := map[string]int{}, int64(0), map[string]int{}
	var tree log.Tree
	roots := map[int64]tlog.Hash{0: tree.Root()}
	for _, r := range c.leaves(t) {
		count[r.ID()]++
		if r.Kind == record.Run {
			if runs++; r.Run != runs {
				wrong("run %d after %d", r.Run, runs-1)
			}
		}
		if r.Kind == record.Gap {
			gaps[r.Facts["writer"]+" "+r.Facts["reason"]]++
		}
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		delete(c.handed, string(data))
		tree.Append(tlog.RecordHash(data))
		roots[tree.Size()] = tree.Root()
	}
	for who := range c.writers {
		for i := range c.each {
			id, _ := observed(t, event(who, i), start)
			if n := count[id]; n == 0 {
				wrong("%s is lost", event(who, i))
			} else if n > 1 {
				wrong("%s is in the log twice or more: %d times", event(who, i), n)
			}
			delete(count, id)
		}
	}
	refused := int64(gaps["control conflict"] + gaps["second conflict"] + gaps["other foreign"])
	if int64(len(count)) != runs+refused {
		wrong("%d leaves nobody handed in, with gaps of %v", int64(len(count))-runs-refused, gaps)
	}
	for _, name := range names(t, c.head, "refused/") {
		kept, err := c.head.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		delete(c.handed, string(kept.Data))
	}
	if len(c.handed) > 0 {
		wrong("%d objects that were handed in are neither in the log nor kept", len(c.handed))
	}
	c.gaps.Add(refused)
	trust := trusting(t, c.key)
	for signed := range c.seen {
		if v, err := trust.Verify([]byte(signed)); err != nil || roots[v.Size] != v.Root {
			wrong("a checkpoint of size %d was out that the log does not continue: %v", v.Size, err)
		}
	}
	for text := range c.key.signed {
		if cp, err := sign.ParseCheckpoint(text); err != nil || roots[cp.Size] != cp.Root {
			wrong("a root was signed that is none of the log's: size %d, %v", cp.Size, err)
		}
	}
	if n := c.overwritten.Load(); n > 0 {
		wrong("%d times something in the log was replaced or deleted", n)
	}
	if left := names(t, c.inbox, ""); len(left) > 0 {
		wrong("%d left in the inbox", len(left))
	}
	if left := names(t, c.head, "staging/"); len(left) > 0 {
		wrong("left in the head store: %q", left)
	}
	return all
}
