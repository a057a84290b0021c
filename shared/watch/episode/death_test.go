package episode

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
)

// Whatever call of the store, the vault or a sink fails, in whatever operation, doing it again ends in the same state, the
// same evidence and the same messages.
func TestDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(17/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w := newWorld(t, rulesOne)
		w.left = n
		died := false
		again := func(fn func() error) {
			t.Helper()
			for range 3 {
				err := fn()
				if err == nil {
					return
				}
				if !errors.Is(err, errDown) {
					t.Fatalf("killed after %d calls: %v", n, err)
				}
				died, w.left = true, -1
			}
			t.Fatalf("killed after %d calls, it never gets through", n)
		}
		id := hashed(hashed("violation", "one", `["human:ada@firm.example"]`, "human:ada@firm.example"), noon.Format(time.RFC3339Nano))
		ingest := func(e auditlog.Entry) {
			again(func() error { _, err := w.Ingest(t.Context(), e, w.now()); return err })
		}
		again(func() error { return w.Unreadable(t.Context(), record.Digest(nil), "malformed", w.now()) })
		ingest(act("e1", "act", "ada", 0))
		ingest(act("e2", "act", "ada", 0))
		w.to(2 * time.Hour)
		again(func() error { return w.Tick(t.Context(), w.now()) })
		again(func() error { _, err := w.answer(id, "ada", support); return err })
		ingest(act("e3", "act", "ada", time.Hour))
		again(func() error { _, err := w.review(id, "mia", Accept); return err })
		w.to(7 * time.Hour)
		again(func() error { return w.Tick(t.Context(), w.now()) })
		again(func() error { _, err := w.answer(id, "sam", support); return err })
		again(func() error { _, err := w.review(id, "dan", Accept); return err })
		died = died || w.left == 0 // it died where nobody was told
		w.left = -1
		for range 3 {
			w.to(w.now().Sub(noon) + 2*time.Hour)
			if _, err := w.Box.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := w.outcome(id)
		if n < 0 {
			whole, n = got, -stride
		} else if !slices.Equal(got, whole) {
			t.Fatalf("killed after %d calls:\n%v\nwant\n%v", n, got, whole)
		} else if !died {
			t.Logf("%d calls: %v", n, whole)
			return
		}
	}
}

// outcome counts what went out.
func (w *world) outcome(id string) []string {
	counts := map[string]int{string(w.view(id).State): 1}
	for _, r := range w.order {
		counts[string(r.Kind)+" "+r.Facts["event"]]++
	}
	for _, n := range w.told {
		counts["told "+string(n.Kind)]++
	}
	for _, m := range w.published {
		topic, _, _ := strings.Cut(m, " ")
		counts[topic]++
	}
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return all
}

// Two people at once, and two instances with the same entry: one counts.
func TestRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	outs := make(chan Outcome, 4)
	for range cap(outs) {
		go func() {
			out, err := w.Ingest(t.Context(), act("e1", "act", "ada", 0), w.now())
			if err != nil {
				t.Error(err)
			}
			outs <- out
		}()
	}
	taken := 0
	for range cap(outs) {
		if !(<-outs).Again {
			taken++
		}
	}
	if taken != 1 || w.alarms() != 1 {
		t.Errorf("taken %d times, %d alarms", taken, w.alarms())
	}
	id := w.only().ID
	answers := make(chan error, 2)
	for _, who := range []string{"ada", "mia"} {
		go func() { _, err := w.answer(id, who, support); answers <- err }()
	}
	first, second := <-answers, <-answers
	if first == nil == (second == nil) || fault.CodeOf(errors.Join(first, second)) != "episode_answered" {
		t.Errorf("%v, %v", first, second)
	}
}

// Whatever an entry says, it is taken, once, and what is stored of it is bounded.
func TestHostile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "", "justify: actor"),
		"many": ruled("act", "window: {kind: distinct, of: app.user, at_least: 2, within: PT30M}", "justify: none")})
	long := strings.Repeat("é", 300_000)
	for i, e := range []auditlog.Entry{act("e1", "act", "ada", 0), act("e2", "act", "ada", 0), act("e3", "act", "ada", 0), act("e4", "act", "ada", 0), act("e5", "act", "ada", 80*365*24*time.Hour)} {
		e.Resource, e.IP, e.Agent, e.LogName = long, long, long, long
		e.App.User = long + fmt.Sprint(i)
		e.Actor.Key, e.Actor.Email = "human:"+long, long
		switch i {
		case 2:
			e.Time = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
		case 3:
			e.Time = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
		}
		for range 2 {
			if _, err := w.Ingest(t.Context(), e, w.now()); err != nil {
				t.Fatalf("entry %d: %v", i, err)
			}
		}
	}
	for _, c := range Collection() {
		docs, err := w.Store.Query(t.Context(), store.Query{Collection: c.Name, Limit: store.MaxQueryResults})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			var any map[string]any
			if err := d.Decode(&any); err != nil {
				t.Fatal(err)
			}
			if size := len(fmt.Sprint(any)); size > 60_000 {
				t.Errorf("%s holds %d bytes", c.Name, size)
			}
		}
	}
}
