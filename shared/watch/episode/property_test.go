package episode

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/emulatortest"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/rule"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

// quick are rules of several windows, with short quiet periods, so that runs are many.
func quick() map[string]string {
	const alarm = "justify: actor, quiet: PT12M"
	return map[string]string{
		"single":   ruled("act", "", alarm),
		"count":    ruled("act", "window: {kind: count, at_least: 3, within: PT10M}", alarm),
		"distinct": ruled("act", "window: {kind: distinct, of: app.user, at_least: 3, within: PT10M}", "justify: none, quiet: PT12M"),
		"absence":  ruled("act", "window: {kind: absence, within: PT5M, other: {match: [{service: [app], method: [open], stream: [application]}]}}", alarm),
	}
}

// story is what happens in some hours, in no order: so many entries, or twice as many.
func story(r *rand.Rand, least int) (all []auditlog.Entry) {
	for i := range least + r.IntN(least) {
		verb := "act"
		if r.IntN(3) == 0 {
			verb = "open"
		}
		at := time.Duration(r.Int64N(int64(2 * time.Hour))).Truncate(time.Microsecond)
		if r.IntN(4) == 0 {
			at = at.Truncate(6 * time.Minute) // gaps that are exactly as long as the quiet period, and equal times
		}
		e := act(fmt.Sprintf("e%03d", i), verb, []string{"ada", "bob"}[r.IntN(2)], at)
		e.App.User = fmt.Sprintf("u%d@customer.example", r.IntN(5))
		all = append(all, e)
	}
	return all
}

// alarm is one alarm: its rule and the hits it covers.
func alarmOf(rule string, hits []string) string {
	slices.Sort(hits)
	return rule + " " + strings.Join(hits, " ")
}

// oracle reads a story once, in order of event time, and says an alarm for every run of hits.
func oracle(t *testing.T, s *Service, story []auditlog.Entry) []string {
	t.Helper()
	sorted := slices.Clone(story)
	slices.SortStableFunc(sorted, func(a, b auditlog.Entry) int { return a.Time.Compare(b.Time) })
	local, byID := rule.NewLocal(), map[string]rule.Hit{}
	keep := func(hits []rule.Hit, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			byID[h.ID] = h
		}
	}
	for i := range sorted {
		keep(s.Rules.Evaluate(t.Context(), &sorted[i], local, sorted[i].Time))
	}
	hits, _, err := s.Rules.Settle(t.Context(), local, noon.Add(24*time.Hour), 10_000)
	keep(hits, err)
	inOrder := slices.SortedFunc(maps.Values(byID), func(a, b rule.Hit) int { return a.Time.Compare(b.Time) })
	var alarms []string
	open, last := map[string][]string{}, map[string]time.Time{}
	for _, h := range inOrder {
		r, _ := s.Rules.Rule(h.Rule)
		quiet := r.Quiet()
		if h.Rule == "login" { // its entries come six hours late
			quiet = WorkspaceLateness
		}
		if h.Rule == "absence" { // it waits five minutes, then ten for late entries, which come ten minutes late
			quiet = 25 * time.Minute
		}
		group := h.Rule + h.Key
		if len(open[group]) > 0 && h.Time.Sub(last[group]) > quiet {
			alarms = append(alarms, alarmOf(h.Rule, open[group]))
			open[group] = nil
		}
		open[group], last[group] = append(open[group], h.ID), h.Time
	}
	for group, hits := range open {
		alarms = append(alarms, alarmOf(group[:strings.Index(group, "[")], hits))
	}
	slices.Sort(alarms)
	return alarms
}

// occasion is one moment of a delivery: an entry comes, or (nil) the schedule runs.
type occasion struct {
	at time.Duration
	e  *auditlog.Entry
}

// delivered shuffles and delays a story, and delivers some of it again, up to hours later. The schedule runs
// now and then, and for so long when all has come.
func delivered(r *rand.Rand, story []auditlog.Entry, lateness, every, rest time.Duration) (all []occasion) {
	var end time.Duration
	for i := range story {
		at := story[i].Time.Sub(noon) + time.Duration(r.Int64N(int64(lateness)+1))
		all = append(all, occasion{at, &story[i]})
		for r.IntN(3) == 0 {
			at += time.Duration(r.Int64N(int64(time.Hour)))
			all = append(all, occasion{at, &story[i]})
		}
		end = max(end, at)
	}
	for at := time.Duration(0); at < end+rest; at += every {
		all = append(all, occasion{at: at})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b occasion) int { return int(a.at - b.at) })
	return all
}

// survive does something until it is done, while the process dies at any call of the store, the vault and the sinks.
func (w *world) survive(r *rand.Rand, deaths bool, fn func() error) {
	w.t.Helper()
	for try := 0; ; try++ {
		w.left = -1
		if deaths && try < 4 && r.IntN(3) == 0 {
			w.left = r.IntN(40)
		}
		err := fn()
		if w.left = -1; err == nil {
			return
		}
		if try > 4 || !fault.Is(err, fault.Transient) {
			w.t.Fatal(err)
		}
	}
}

// play delivers a story and returns the alarms that went out, and what went out twice or is missing beside.
func (w *world) play(r *rand.Rand, deaths bool, all []occasion) (alarms []string, amiss string) {
	w.t.Helper()
	ctx := context.Background()
	for _, o := range all {
		w.to(o.at)
		w.survive(r, deaths, func() error {
			if o.e == nil {
				return w.Tick(ctx, w.now())
			}
			_, err := w.Ingest(ctx, *o.e, w.now())
			return err
		})
	}
	for range 3 {
		_ = w.clock.Set(w.now().Add(time.Hour))
		if _, err := w.Box.Sweep(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
	out := map[string]int{} // alarms that went out, by what they are about
	for _, n := range w.told {
		if n.Kind == "alarm" {
			out[n.Link]++
		}
	}
	findings := 0
	for _, rec := range w.order {
		if rec.Kind == record.Finding && rec.Facts["kind"] == string(Violation) {
			findings++
		}
	}
	episodes, err := store.Find[Episode](w.Store.Query(ctx, store.Query{Collection: Episodes, Limit: store.MaxQueryResults}))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range episodes {
		if e.Kind != Violation || e.State == Joined {
			continue
		}
		hits, err := listed(func(q store.Query) ([]store.Document, error) { return w.Store.Query(ctx, q) }, e)
		if err != nil {
			w.t.Fatal(err)
		}
		var ids []string
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		alarms = append(alarms, alarmOf(e.Rule, ids))
		if n := out["https://ostiary.example/justify/"+e.ID]; n != 1 {
			amiss += fmt.Sprintf("%d messages to security of one episode in state %s\n", n, e.State)
		}
	}
	if findings != len(alarms) {
		amiss += fmt.Sprintf("%d findings of %d episodes\n", findings, len(alarms))
	}
	slices.Sort(alarms)
	return alarms, amiss
}

func minus(a, b []string) (rest []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// trial is how a story is played.
type trial struct {
	least    int // entries
	lateness time.Duration
	every    time.Duration // the schedule
	deaths   bool
	logins   bool // entries of Workspace, in days
}

// logins makes a story of one that Workspace tells: of days instead of hours.
func logins(all []auditlog.Entry) {
	for i := range all {
		all[i].Service, all[i].Time = "login.googleapis.com", noon.Add(30*all[i].Time.Sub(noon))
	}
}

// compare plays one story and says how its alarms differ from those of the oracle.
func compare(t *testing.T, w *world, seed int, how trial) (differs string, alarms int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	all := story(r, how.least)
	rest := time.Hour
	if how.logins {
		rest = 2*WorkspaceLateness + time.Hour // until nothing is held any more
		logins(all)
	}
	want := oracle(t, w.Service, all)
	got, amiss := w.play(r, how.deaths, delivered(r, all, how.lateness, how.every, rest))
	if !slices.Equal(got, want) {
		amiss += fmt.Sprintf("missing %v\ntoo many %v\n", minus(want, got), minus(got, want))
	}
	return amiss, len(want)
}

// TestAlarms: shuffled, doubled, delayed and cut by deaths at any call, a story leads to the alarms of a sequential reading.
func TestAlarms(t *testing.T) {
	t.Parallel()
	total := 0
	for seed := range require.Seeds(25) {
		differs, alarms := compare(t, newWorld(t, quick()), seed, trial{30, Lateness, 4 * time.Minute, true, false})
		if differs != "" {
			t.Fatalf("seed %d:\n%s", seed, differs)
		}
		total += alarms
	}
	if total < require.Seeds(25)*10 {
		t.Errorf("%d alarms only", total)
	}
}

// TestAlarmsOnTheEmulator is TestAlarms on Firestore, without deaths: the emulator holds the locks of the dead for seconds.
func TestAlarmsOnTheEmulator(t *testing.T) {
	t.Parallel()
	for seed := range min(require.Seeds(1), 20) {
		w := newWorldOn(t, quick(), func(o store.Options) store.Store { return firestoretest.New(t, o) })
		if differs, _ := compare(t, w, seed, trial{12, Lateness, 15 * time.Minute, false, false}); differs != "" {
			t.Fatalf("seed %d:\n%s", seed, differs)
		}
	}
}

// TestAlarmsCanDiffer: with entries that come later than they may, the same comparison finds something amiss.
func TestAlarmsCanDiffer(t *testing.T) {
	t.Parallel()
	for seed := range 25 {
		if differs, _ := compare(t, newWorld(t, quick()), seed, trial{30, 8 * Lateness, 4 * time.Minute, true, false}); strings.Contains(differs, "too many") {
			return
		}
	}
	t.Error("entries that come much too late change nothing")
}

// TestAlarmsOfWorkspace is TestAlarms for logs that Google writes with hours of delay.
func TestAlarmsOfWorkspace(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"login": strings.Replace(ruled("act", "", "justify: actor, quiet: PT12M"), "service: [app]", "service: [login.googleapis.com]", 1)}
	for _, lateness := range []time.Duration{90 * time.Minute, WorkspaceLateness} {
		total := 0
		for seed := range require.Seeds(10) {
			differs, alarms := compare(t, newWorld(t, rules), seed, trial{15, lateness, time.Hour, true, true})
			if differs != "" {
				t.Fatalf("seed %d, %v late:\n%s", seed, lateness, differs)
			}
			total += alarms
		}
		if total < require.Seeds(10)*3 {
			t.Errorf("%d alarms only", total)
		}
	}
}
