package finding

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestMany: of hundreds that are out of order as before none costs a transaction; a look that was stopped half way goes on; what is
// another value among them is noticed.
func TestMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	var all []Seen
	for i := range 300 {
		one := w.exposed("true", true)
		one.Asset, one.Severity = fmt.Sprintf("//x/%d", i), "low"
		all = append(all, one)
	}
	w.left = 1200
	if err := w.Out(ctx, all, w.now()); err == nil {
		t.Fatal("nothing stopped it")
	}
	w.left = -1
	done, err := w.all(ctx, nil)
	w.must(err)
	if len(done) == 0 || len(done) == len(all) {
		t.Fatalf("%d of %d", len(done), len(all))
	}
	w.must(w.Out(ctx, all, w.now()))
	transactions := func(minutes, change int) int {
		w.to(time.Duration(minutes) * m)
		for i := range all {
			all[i].Read, all[i].Again = w.now(), true
		}
		if change >= 0 {
			all[change].Got = "yes"
		}
		before := w.begun
		w.must(w.Out(ctx, all, w.now()))
		return w.begun - before
	}
	if n := transactions(5, -1); n != 0 {
		t.Errorf("%d transactions about what is as before", n)
	}
	if n := transactions(6, 200); n == 0 || n > 10 {
		t.Errorf("%d transactions about one that is another", n)
	}
}

// TestTickIsPaced: however many settle at once, so many are looked at in a minute, each in its turn, and nothing opens unseen before its time.
func TestTickIsPaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	var all []Seen
	for i := range 2*MostLooks + 50 {
		one := w.exposed("true", false)
		one.Asset, one.Severity = fmt.Sprintf("//x/%d", i), "low"
		all = append(all, one)
	}
	w.must(w.Out(ctx, all, w.now()))
	looked := map[string]int{}
	look := func(_ context.Context, f Finding) error {
		looked[f.ID]++
		return w.In(ctx, f.Asset, nil, w.now(), w.now())
	}
	for i, want := range []int{MostLooks, 2 * MostLooks, 2*MostLooks + 50, 2*MostLooks + 50} {
		w.to(Settle + time.Duration(i)*m)
		w.must(w.Tick(ctx, w.now(), look, nil))
		if len(looked) != want {
			t.Errorf("after %d ticks %d were looked at, not %d", i+1, len(looked), want)
		}
	}
}
