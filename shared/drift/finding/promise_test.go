package finding

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/heartbeat"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/policy"
	"ostiary.internal/shared/trust/promise"
)

// accepted is what the page says of a promise whose only open finding two people accepted.
const accepted = "excepted waiver"

// TestPromiseStates: what the trust page says of the promises of an assertion follows its runs and its findings.
func TestPromiseStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heart := heartbeat.New(heartbeat.Config{Store: w.Store, Box: w.Box})
	sealed := int64(0)
	state := func() string {
		t.Helper()
		l := promise.NewLedger(promise.NewRegister(w.Policy, nil))
		sealed++
		r := record.New(record.Run, promise.LogControl, w.now().String())
		r.Source.Observed, r.Source.Collected = w.now(), w.now()
		r.Run, r.Population, r.Expires = sealed, &record.Population{Expected: 1, Seen: 1}, w.now().Add(25*m)
		w.order = append(w.order, r)
		for i, r := range w.order {
			w.must(l.Add(int64(i), r))
		}
		s := promise.State(l, "P1", w.now())
		if same := promise.State(l, "P3", w.now()); same.State != s.State {
			t.Errorf("P3 is %s, P1 is %s", same.State, s.State)
		}
		if other := promise.State(l, "P2", w.now()); other.State == record.Broken {
			t.Error("another promise is broken too")
		}
		return string(s.State) + " " + string(s.Reason)
	}
	count := Count{Assertion: "database-exposure", Expected: 2, Seen: 2}
	at := func(after time.Duration, c Count, want string) {
		t.Helper()
		w.to(after)
		w.must(heart.Beat(t.Context(), w.now(), w.look(c)))
		if got := state(); got != want {
			t.Errorf("%v after noon: %s, want %s", after, got, want)
		}
	}
	if got := state(); got != "unknown not running" {
		t.Error(got)
	}
	at(0, count, "kept ")
	w.out("true", false)
	at(m, count, "kept ") // it may be half of a change
	w.to(3 * m)
	w.out("true", false)
	at(15*m, count, "broken finding")
	w.must(w.accept("sara", "true", week))
	at(16*m, count, "broken finding")
	w.must(w.accept("dora", "true", week))
	at(17*m, count, accepted)
	other := w.exposed("true", true)
	other.Asset = "//x/other"
	w.must(w.Out(t.Context(), []Seen{other}, w.now()))
	at(18*m, count, "broken finding") // what was accepted is one finding
	w.must(w.In(t.Context(), other.Asset, nil, w.now(), w.now()))
	at(19*m, count, accepted)
	w.out("yes", false)
	at(20*m, count, "broken finding")
	w.must(w.accept("sara", "yes", week))
	w.must(w.accept("dora", "yes", week))
	at(week-m, count, accepted)
	at(week, count, "broken finding") // by the clock alone
	w.must(w.Tick(t.Context(), w.now(), nil, nil))
	at(week+m, count, "broken finding")
	w.in()
	at(week+16*m, count, "kept ")
	at(week+31*m, Count{Assertion: "database-exposure", Expected: 2, Seen: 2, Undetermined: 1}, "unknown incomplete")
	at(week+46*m, Count{Assertion: "database-exposure", Expected: 2, Seen: 1}, "unknown incomplete")
	at(week+61*m, Count{Assertion: "log-retention", Expected: 1, Seen: 1}, "unknown incomplete")
	at(week+200*m, Count{Assertion: "log-retention", Expected: 1, Seen: 1}, "unknown silent")
}

// TestBeats: an assertion that keeps no promise says nothing.
func TestBeats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.Beats(t.Context(), []Count{{Assertion: "nobody-promised", Expected: 1, Seen: 1}, {Assertion: "database-exposure", Out: 3}})
	if len(got) != 1 || got[0].Check != "database-exposure" || got[0].Mechanism != "assertion" || got[0].Facts["out_of_order"] != "3" || len(got[0].Promises) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestPagesFollow: whatever happens in whatever order, with deaths, duplicates and old news, a promise is broken exactly while
// some finding of it is open, or accepted and not excepted.
func TestPagesFollow(t *testing.T) {
	t.Parallel()
	opened := 0
	for seed := range require.Seeds(25) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		assets := []string{"//x/a", "//x/b"}
		after, began := time.Duration(0), noon
		var last []Seen
		for n := range 60 {
			after += time.Duration(1+r.IntN(40)) * m
			if r.IntN(15) == 0 {
				after += time.Duration(r.IntN(8)) * 24 * h
			}
			w.to(after)
			read := w.now().Add(-time.Duration(r.IntN(20)) * m)
			asset, kind, who := assets[r.IntN(2)], r.IntN(11), []string{"sara", "dora", "olga"}[r.IntN(3)]
			one := w.exposed([]string{"true", "yes"}[r.IntN(2)], r.IntN(3) == 0)
			one.Asset, one.Read, one.Severity = asset, read, []policy.Severity{policy.High, policy.Low}[r.IntN(2)]
			if one.Promises = []string{"P1"}; r.IntN(2) == 0 {
				one.Promises = []string{"P1", "P3"}
			}
			if r.IntN(4) == 0 {
				w.left = r.IntN(25)
			}
			w.again(func() error {
				switch kind {
				case 0, 1:
					last = []Seen{one}
					return w.Out(t.Context(), last, w.now())
				case 2:
					return w.Out(t.Context(), last, w.now())
				case 3:
					return w.In(t.Context(), asset, nil, read, w.now())
				case 4:
					return w.Lost(t.Context(), asset, read, w.now())
				case 5:
					return w.Blame(t.Context(), asset, []Actor{{Person: who, Kind: "human", At: read}}, w.now())
				case 6:
					err := w.Sweep(t.Context(), began, func(f Finding) What {
						if f.ID == ID(asset, one.What) {
							return ""
						}
						return In
					}, w.now())
					began = read
					return err
				case 10:
					return w.In(t.Context(), asset, func(Finding) What { return Drop }, read, w.now())
				case 7:
					_, err := w.Revoke(t.Context(), ID(asset, one.What), w.person(who), w.now())
					return refused(err)
				default:
					_, err := w.Accept(t.Context(), ID(asset, one.What), Wish{Reason: "r", Got: one.Got, Until: noon.Add(after).Truncate(24 * h).Add(10 * 24 * h)}, w.person(who), w.now())
					return refused(err)
				}
			})
			w.left = -1
			w.must(w.Tick(t.Context(), w.now(), func(context.Context, Finding) error { return nil }, nil))
			if n%10 == 9 {
				opened += w.follows(fmt.Sprintf("seed %d, %d", seed, n))
				after = w.now().Sub(noon)
			}
		}
	}
	if opened < 10 {
		t.Errorf("%d promises were broken: this shows nothing", opened)
	}
}

// refused lets what a person may not do be.
func refused(err error) error {
	if fault.CodeOf(err) != "" {
		return nil
	}
	return err
}

// follows compares what the ledger says with what there is, when everything has left.
func (w *world) follows(where string) (broken int) {
	w.t.Helper()
	w.must(w.clock.Set(w.now().Add(2 * h))) // every lease is over
	w.must(w.Tick(w.t.Context(), w.now(), nil, nil))
	_, err := w.Box.Sweep(w.t.Context())
	w.must(err)
	want := map[string]bool{}
	all, err := w.live(w.t.Context())
	w.must(err)
	for _, f := range all {
		if f.State == Open || f.State == Accepted && (accepted == "broken finding" || f.Accepted.Second == "") {
			if !slices.Equal(slices.Sorted(slices.Values(f.Named)), f.Promises) {
				w.t.Fatalf("%s: evidence names %v, broken are %v", where, f.Named, f.Promises)
			}
			for _, id := range f.Promises {
				want[id] = true
			}
			if f.State == Open && len(f.Waivers) > 0 || len(f.Records) == 0 || slices.ContainsFunc(f.Promises, func(id string) bool { return !slices.Contains(f.Named, id) }) {
				w.t.Fatalf("%s: %s with %d records and %d exceptions", where, f.State, len(f.Records), len(f.Waivers))
			}
		}
	}
	l := promise.NewLedger(promise.NewRegister(w.Policy, nil))
	for i, r := range w.order {
		w.must(l.Add(int64(i), r))
	}
	for _, id := range []string{"P1", "P3"} {
		if got := promise.State(l, id, w.now()).State == record.Broken; got != want[id] {
			w.t.Fatalf("%s: %s is broken: %v, want %v\n%+v", where, id, got, want[id], all)
		}
		if want[id] {
			broken++
		}
	}
	return broken
}
