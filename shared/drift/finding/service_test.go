package finding

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/drift/finding/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/bolt"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/policy"
)

// story is a whole life: opened, proposed, accepted by two, void, accepted again, over, attributed, lost, healed.
func story(w *world) (died bool) {
	w.t.Helper()
	ctx := w.t.Context()
	do := func(fn func() error) { died = w.again(fn) || died }
	out := func(got string) {
		do(func() error { return w.Out(ctx, []Seen{w.exposed(got, false)}, w.now()) })
	}
	tick := func() {
		do(func() error {
			return w.Tick(ctx, w.now(), func(ctx context.Context, f Finding) error {
				return w.Out(ctx, []Seen{w.exposed(f.Got, false)}, w.now())
			}, nil)
		})
	}
	out("true")
	w.to(3 * m)
	tick()
	w.to(5 * m)
	tick() // where the look at it failed, it is due again
	do(func() error { return w.accept("sara", "true", week) })
	do(func() error { return w.accept("dora", "true", week) })
	w.to(h)
	out("yes")
	do(func() error { return w.accept("sam", "yes", week) })
	do(func() error { return w.accept("olga", "yes", week) })
	w.to(week - 2*24*h)
	tick()
	w.to(week)
	tick()
	w.to(week + h)
	do(func() error {
		return w.Blame(ctx, database, []Actor{{Person: "ben", Kind: "human", Method: "instances.patch", At: noon}}, w.now())
	})
	do(func() error { return w.Lost(ctx, database, w.now(), w.now()) })
	w.to(week + 26*h)
	tick()
	do(func() error { return w.In(ctx, database, nil, w.now(), w.now()) })
	return died
}

var told1 = []string{
	"case asked 2", "case attributed 1", "case undetermined 1", "finding opened 1", "healed 1", "remediation acceptance-ended 1", "remediation acceptance-void 1", "remediation healed 1",
	"step acceptance-ended 1", "step acceptance-void 1", "step accepted 2", "step asked 2", "step attributed 1", "step healed 1", "step opened 1", "step reminded 1", "step undetermined 1", "step undetermined-told 1",
	"told asked  sam dora olga 1", "told asked  sara dora olga 1", "told changed attributed sara sam oli 1", "told changed ended sara sam oli 1", "told changed void sara sam oli 1",
	"told ending  sara sam olga 1", "told healed  sara sam 1", "told lost  sara sam 1", "told opened  sara sam oli 1", "waiver accepted 2",
}

func TestStory(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T, o store.Options) store.Store{
		"memory": nil,
		"bolt": func(t *testing.T, o store.Options) store.Store {
			s, err := bolt.Open(filepath.Join(t.TempDir(), "db"), "drift", o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		},
		"firestore": func(t *testing.T, o store.Options) store.Store { return firestoretest.New(t, o) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if open != nil {
				w = newWorldOn(t, func(o store.Options) store.Store { return open(t, o) })
			}
			story(w)
			if got := w.outcome(); !slices.Equal(got, told1) {
				t.Errorf("it ends with\n%q\nwant\n%q", got, told1)
			}
			w.refer()
		})
	}
}

// refer checks what records say of each other: each waiver excepts the finding, and in the end nothing is left open.
func (w *world) refer() {
	w.t.Helper()
	open := map[string]bool{}
	for _, r := range w.order {
		switch r.Kind {
		case record.Finding, record.Waiver:
			open[r.ID()] = true
		}
		for _, ref := range r.Refs {
			switch {
			case ref.Rel == Excepts && w.records[ref.ID].Kind != record.Finding, ref.Rel == "closes" && !open[ref.ID]:
				w.t.Errorf("%s %s refers to what is not there: %+v", r.Kind, r.Facts["event"], ref)
			case ref.Rel == "closes":
				delete(open, ref.ID)
			}
		}
		if r.Control != Control || r.Config == "" || r.Facts["assertion"] != "database-exposure" || r.Facts["mechanism"] != "assertion" || r.Facts["class"] != "forbidden" || r.Facts["direction"] != "loosened" || len(r.Promises) != 2 {
			w.t.Errorf("a record lacks something: %+v", r)
		}
		if people := len(r.Subjects); r.Kind == record.Waiver && (people != 2 || !r.Expires.Equal(noon.Add(week))) {
			w.t.Errorf("a waiver of %d people until %v", people, r.Expires)
		}
	}
	if len(open) > 0 {
		w.t.Errorf("%d records are left open", len(open))
	}
}

// Whatever call of the store, the vault or a sink fails, in whatever operation, doing it again ends in the same state, the
// same evidence and the same messages.
func TestDeath(t *testing.T) {
	t.Parallel()
	stride := max(7/require.Seeds(1), 1)
	for n := 0; ; n += stride {
		w := newWorld(t)
		w.left = n
		died := story(w) || w.left == 0
		w.left = -1
		for range 3 {
			w.to(w.now().Sub(noon) + 2*time.Hour)
			_, err := w.Box.Sweep(t.Context())
			w.must(err)
		}
		if got := w.outcome(); !slices.Equal(got, told1) {
			t.Fatalf("killed after %d calls:\n%q\nwant\n%q", n, got, told1)
		}
		if !died {
			if t.Logf("%d calls", n); n < 100 {
				t.Error("too few")
			}
			return
		}
	}
}

// What changes nothing writes nothing: the same news again, older news, what is in order already.
func TestNothingNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.out("true", true)
	w.must(w.Lost(ctx, database, w.now(), w.now()))
	first := w.exposed("true", true)
	w.to(h)
	w.out("true", true)
	w.must(w.Blame(ctx, database, []Actor{{Person: "ben", Kind: "human", At: noon.In(time.FixedZone("CET", 3600))}}, w.now()))
	before := w.writes
	w.must(w.Out(ctx, []Seen{first, w.exposed("true", true)}, w.now().Add(m)))
	w.must(w.In(ctx, database, nil, noon, w.now()))
	w.must(w.In(ctx, database, func(Finding) What { return "" }, w.now(), w.now()))
	w.must(w.In(ctx, "//x/other", nil, w.now(), w.now()))
	w.must(w.Blame(ctx, database, []Actor{{Person: "ben", Kind: "human", At: noon}}, w.now()))
	w.must(w.Tick(ctx, w.now(), nil, nil))
	w.to(h + 50*m)
	still := w.exposed("true", true)
	still.Again = true
	w.must(w.Out(ctx, []Seen{still}, w.now()))
	if w.writes != before {
		t.Errorf("%d writes of what changes nothing", w.writes-before)
	}
	w.to(2 * h)
	still.Read = w.now()
	w.must(w.Out(ctx, []Seen{still}, w.now()))
	if seen := w.get().Seen; w.writes == before || !seen.Equal(w.now()) {
		t.Errorf("after an hour it is not noted that it is so still: seen %v", seen)
	}
	w.in()
	before = w.writes
	w.in()
	w.must(w.Sweep(ctx, w.now(), nil, w.now()))
	w.must(w.Lost(ctx, database, w.now(), w.now()))
	if w.writes != before {
		t.Errorf("%d writes about what is healed", w.writes-before)
	}
}

// A whole look heals what was not seen, but for what nobody could look at and what was seen since it began.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	seen := func(asset string) Seen {
		one := w.exposed("true", true)
		one.Asset = asset
		return one
	}
	id := func(asset string) string { return ID(asset, "database-exposure") }
	w.must(w.Out(ctx, []Seen{seen("still"), seen("gone"), seen("denied"), seen("unpromised"), seen("new")}, w.now()))
	w.to(h)
	began := w.now()
	w.to(2 * h)
	w.must(w.Out(ctx, []Seen{seen("still"), seen("new")}, w.now()))
	w.must(w.Sweep(ctx, began, func(f Finding) What {
		return map[string]What{"still": "", "denied": Lost, "gone": In, "new": In, "unpromised": Drop}[f.Asset]
	}, w.now()))
	for asset, want := range map[string]State{"still": Open, "gone": Healed, "denied": Open, "new": Open, "unpromised": Dropped} {
		f, err := w.Get(ctx, id(asset))
		w.must(err)
		if f.State != want || f.Unknown.IsZero() == (asset == "denied") {
			t.Errorf("%s is %s, unknown since %v", asset, f.State, f.Unknown)
		}
	}
}

// Two workers with the same news, and two people at once: one counts.
func TestRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	together := func(n int, fn func(i int) error) (failed int) {
		errs := make(chan error, n)
		for i := range n {
			go func() { errs <- fn(i) }()
		}
		for range n {
			if err := <-errs; err != nil {
				failed++
			}
		}
		return failed
	}
	one := w.exposed("true", true)
	if failed := together(4, func(int) error { return w.Out(t.Context(), []Seen{one}, noon) }); failed > 0 {
		t.Errorf("%d failed", failed)
	}
	if failed := together(2, func(i int) error { return w.accept([]string{"sara", "dora"}[i], "true", week) }); failed > 0 {
		t.Errorf("%d failed", failed)
	}
	f := w.get()
	if f.State != Accepted || f.Accepted.By == f.Accepted.Second || f.Rev != 3 {
		t.Errorf("%+v", f)
	}
	if got := w.events(); !slices.Equal(got, []string{"case asked", "finding opened", "waiver accepted"}) {
		t.Error(got)
	}
}

// A promise that comes to be kept by the assertion later is broken as well, and healed with the others.
func TestPromisedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.exposed("true", true)
	one.Promises = []string{"P1"}
	w.must(w.Out(t.Context(), []Seen{one}, w.now()))
	w.must(w.accept("sara", "true", week))
	w.must(w.accept("dora", "true", week))
	w.to(m)
	w.out("true", true)
	w.to(2 * m)
	w.in()
	if got := w.events(); !slices.Equal(got, []string{"case asked", "finding opened", "finding promised", "remediation healed", "waiver accepted", "waiver promised"}) {
		t.Fatal(got)
	}
	for _, r := range w.order {
		switch r.Facts["event"] {
		case "promised":
			if r.Kind == record.Finding && !slices.Equal(r.Promises, []string{"P3"}) || r.Kind == record.Waiver && len(r.Refs) != 2 {
				t.Errorf("%+v", r)
			}
		case "healed":
			if len(r.Refs) != 4 {
				t.Errorf("%+v", r)
			}
		}
	}
}

// A burst is told in a few messages and one about the rest, which no death loses or doubles; what is critical is told at once.
func TestBurst(t *testing.T) {
	t.Parallel()
	for n := 0; ; n += 3 {
		w := newWorld(t)
		for k := range Burst + 30 {
			one := w.exposed("true", true)
			if one.Asset = fmt.Sprint(k); k == Burst+20 {
				one.Severity = policy.Critical
			}
			w.must(w.Out(t.Context(), []Seen{one}, w.now()))
		}
		w.to(SumUp - m)
		w.must(w.Tick(t.Context(), w.now(), nil, nil))
		if len(w.told) != Burst+1 {
			t.Fatalf("%d messages", len(w.told))
		}
		w.to(SumUp)
		w.left = n
		died := w.again(func() error { return w.Tick(t.Context(), w.now(), nil, nil) }) || w.left == 0
		w.left = -1
		w.must(w.Tick(t.Context(), w.now(), nil, nil))
		w.to(h)
		_, err := w.Box.Sweep(t.Context())
		w.must(err)
		many := 0
		for key, sent := range w.told {
			if sent.Kind == notice.Many {
				many++
				if sent.Link != "https://ostiary.example/acceptdrift/" || !slices.Equal(sent.To, []string{"sara", "sam", "oli"}) || sent.Lines[0].Text != "29" {
					t.Errorf("%s: %+v", key, sent)
				}
			}
		}
		if many != 1 || len(w.told) != Burst+2 {
			t.Fatalf("killed after %d calls: %d messages, %d about the rest", n, len(w.told), many)
		}
		one := w.exposed("true", true)
		one.Asset, one.Read = "later", w.now()
		w.must(w.Out(t.Context(), []Seen{one}, w.now()))
		if len(w.told) != Burst+3 {
			t.Error("what comes later is told again by itself")
		}
		if !died {
			return
		}
	}
}

// Whatever an asset says, what is stored of it is bounded, and another value stays another one.
func TestHostile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	long := strings.Repeat("é\x00\xff", 300_000)
	one := w.exposed(long, true)
	one.Asset, one.Want, one.What, one.Class = long, long, "google_x.y[\"a\"].field", "Not a word"
	one.Severity = "odd"
	w.must(w.Out(ctx, []Seen{one}, w.now()))
	id := ID(one.Asset, one.What)
	first, err := w.Get(ctx, id)
	w.must(err)
	one.Got += "!"
	w.to(m)
	one.Read = w.now()
	w.must(w.Out(ctx, []Seen{one}, w.now()))
	second, err := w.Get(ctx, id)
	w.must(err)
	if first.Got == second.Got || len(first.Got) > maxValue+100 {
		t.Errorf("%d bytes, the same: %v", len(first.Got), first.Got == second.Got)
	}
	if got := w.events(); !slices.Equal(got, []string{"case changed", "finding opened"}) || w.order[0].Facts["assertion"] != "" || w.order[0].Facts["class"] != "" {
		t.Error(got, w.order[0].Facts)
	}
}
