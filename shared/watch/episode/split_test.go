package episode

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/firestore/firestoretest"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
	"ostiary.internal/shared/watch/rule"
)

// part is one part of a call of Compute, too large for one entry.
func part(log, uid, who string, index, total int, request string, at time.Duration) auditlog.Entry {
	all, err := auditlog.Decode(fmt.Appendf(nil, `{"insertId":"%s%d","logName":"projects/%s/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"split":{"uid":%q,"index":%d,"totalSplits":%d},
		"protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.firewalls.patch","resourceName":"projects/firm-live/global/firewalls/%s",
		"authenticationInfo":{"principalEmail":"%s@firm.example"},"requestMetadata":{"callerIp":"203.0.113.9"},"request":%s}}`,
		uid, index, log, noon.Add(at).Format(time.RFC3339Nano), uid, index, total, uid, who, request))
	if err != nil {
		panic(err)
	}
	return all[0]
}

// both is a rule that needs something of two parts.
var both = map[string]string{
	"one": strings.Replace(ruled("patch", "when: text(request, \"open\") == \"true\" && text(request, \"danger\") == \"yes\"", "justify: actor, quiet: PT12M"),
		"service: [app], method: [patch], stream: [application]", "service: [compute.googleapis.com], method: [firewalls.patch]", 1),
}

const (
	opening = `{"open":true,"note":"a"}`
	between = `{"note":"b"}`
	danger  = `{"danger":"yes","note":"c"}`
)

// cut is a call in three parts.
func cut(uid, who string, at time.Duration) []auditlog.Entry {
	var all []auditlog.Entry
	for i, request := range []string{opening, between, danger} {
		all = append(all, part("firm-live", uid, who, i, 3, request, at))
	}
	return all
}

// waiting is how many documents are kept of entries that are not whole.
func (w *world) waiting() (n int) {
	w.t.Helper()
	for _, c := range []string{splits, splitParts} {
		docs, err := w.Store.Query(w.t.Context(), store.Query{Collection: c, Limit: store.MaxQueryResults})
		if err != nil {
			w.t.Fatal(err)
		}
		n += len(docs)
	}
	return n
}

// TestSplitAlarms: cut in parts, shuffled, doubled, delayed and cut by deaths at any call, a story leads to the alarms of a
// sequential reading of whole entries; nothing of the parts is left.
func TestSplitAlarms(t *testing.T) {
	t.Parallel()
	total := 0
	for seed := range require.Seeds(25) {
		w, r := newWorld(t, both), rand.New(rand.NewPCG(uint64(seed), 11))
		var parts, whole []auditlog.Entry
		for i := range 6 + r.IntN(6) {
			at := time.Duration(r.Int64N(int64(2 * time.Hour))).Truncate(time.Microsecond)
			all := cut(fmt.Sprint("s", i), []string{"ada", "bob"}[r.IntN(2)], at)
			if r.IntN(4) == 0 {
				all[2] = part("firm-live", fmt.Sprint("s", i), "ada", 2, 3, `{"danger":"no"}`, at)
			}
			parts, whole = append(parts, all...), append(whole, auditlog.Join(all))
		}
		want := oracle(t, w.Service, whole)
		got, amiss := w.play(r, true, delivered(r, parts, Lateness, 4*time.Minute, time.Hour))
		if !slices.Equal(got, want) || amiss != "" {
			t.Fatalf("seed %d: missing %v\ntoo many %v\n%s", seed, minus(want, got), minus(got, want), amiss)
		}
		open, err := w.List(t.Context(), w.person("sue"), w.now())
		open = slices.DeleteFunc(open, func(e Episode) bool { return e.Kind == Silence }) // nobody writes markers here
		if err != nil || len(open) != len(want) || w.waiting() != 0 {
			t.Fatalf("seed %d: %d episodes, want %d, %d documents left, %v", seed, len(open), len(want), w.waiting(), err)
		}
		changed := 0
		for _, m := range w.published {
			if strings.HasPrefix(m, TopicChanged) {
				changed++
			}
		}
		if changed != len(whole) {
			t.Fatalf("seed %d: %d assets changed, want %d", seed, changed, len(whole))
		}
		total += len(want)
	}
	if total < require.Seeds(25)*3 {
		t.Errorf("%d alarms only", total)
	}
}

// TestSplitDeath: whatever call fails, doing it again ends in the same state, evidence and messages, and leaves no part.
func TestSplitDeath(t *testing.T) {
	t.Parallel()
	var whole []string
	stride := max(5/require.Seeds(1), 1)
	for n := -1; ; n += stride {
		w, died := newWorld(t, both), false
		w.left = n
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
		for _, e := range append(cut("s", "ada", 0), cut("lost", "bob", 0)[:2]...) {
			again(func() error { _, err := w.Ingest(t.Context(), e, w.now()); return err })
		}
		w.to(Lateness + time.Minute)
		again(func() error { return w.Tick(t.Context(), w.now()) })
		died = died || w.left == 0 // it died where nobody was told
		w.left = -1
		for range 3 {
			w.to(w.now().Sub(noon) + 2*time.Hour)
			if _, err := w.Box.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		open, err := w.List(t.Context(), w.person("sue"), w.now())
		if err != nil || len(open) != 2 || w.waiting() != 0 {
			t.Fatalf("killed after %d calls: %d episodes, %d documents left, %v", n, len(open), w.waiting(), err)
		}
		got := w.outcome(open[0].ID)
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

// A part that never comes: what needs it is undetermined, once, and says so; what does not need it was never in doubt.
func TestSplitOverdue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts []auditlog.Entry
		want  int
	}{
		"the first only":        {cut("s", "ada", 0)[:1], 1},
		"the first is missing":  {cut("s", "ada", 0)[1:], 1},
		"two of them, turned":   {[]auditlog.Entry{cut("s", "ada", 0)[2], cut("s", "ada", 0)[0]}, 1},
		"no rule of ours wants": {[]auditlog.Entry{other(cut("s", "ada", 0)[0])}, 0},
	} {
		w := newWorld(t, both)
		for _, e := range append(c.parts, c.parts...) {
			if out := w.ingest(e); out.Waits != (c.want > 0) {
				t.Errorf("%s: %+v", name, out)
			}
		}
		w.to(Lateness - time.Second)
		if w.tick(); w.alarms() != 0 || (w.waiting() > 0) != (c.want > 0) {
			t.Errorf("%s: told too early, or nothing is kept", name)
		}
		w.to(Lateness)
		w.tick()
		w.tick()
		for _, e := range cut("s", "ada", 0)[:c.want*3] {
			if out := w.ingest(e); !out.Again {
				t.Errorf("%s: late, and %+v", name, out)
			}
		}
		w.to(time.Hour)
		if w.tick(); w.alarms() != c.want || w.waiting() != 0 {
			t.Errorf("%s: %d alarms, want %d, %d documents left", name, w.alarms(), c.want, w.waiting())
		}
		if c.want == 0 {
			continue
		}
		v := w.only()
		if v.Kind != Undetermined || v.Person != "ada" || len(v.Members) != 1 || v.Members[0].Detail.Why != rule.PartsMissing || v.Members[0].Detail.Origin.IP == "" {
			t.Errorf("%s: %+v", name, v)
		}
		if n, _ := w.notices(notice.Asked); n != 1 {
			t.Errorf("%s: she is asked %d times", name, n)
		}
	}
}

// other is the same of a service nobody asks about.
func other(e auditlog.Entry) auditlog.Entry {
	e.Service, e.Method, e.Verb = "dns.googleapis.com", "dns.changes.create", "create"
	return e
}

// Whatever a split says of itself, it is judged once and little is kept.
func TestSplitHostile(t *testing.T) {
	t.Parallel()
	big := `{"open":true,"danger":"yes","pad":"` + strings.Repeat("x", 500_000) + `"}`
	var many []auditlog.Entry
	for i := range 20 {
		many = append(many, part("firm-live", "s", "ada", i, 20, big, 0))
	}
	for name, c := range map[string]struct {
		parts []auditlog.Entry
		at    Kind // of the alarm at once; "" for none
		end   int  // alarms in the end
	}{
		"a million parts":    {[]auditlog.Entry{part("a", "s", "ada", 0, 1_000_000, opening, 0), part("a", "s", "ada", 999_999, 1_000_000, danger, 0)}, Undetermined, 1},
		"a negative index":   {[]auditlog.Entry{part("a", "s", "ada", -1, 2, opening, 0)}, Undetermined, 1},
		"an index beyond":    {[]auditlog.Entry{part("a", "s", "ada", 2, 2, opening, 0)}, Undetermined, 1},
		"no total":           {[]auditlog.Entry{part("a", "s", "ada", 1, 0, opening, 0)}, Undetermined, 1},
		"one of one":         {[]auditlog.Entry{part("a", "s", "ada", 0, 1, `{"open":true,"danger":"yes"}`, 0)}, Violation, 1},
		"one of one, benign": {[]auditlog.Entry{part("a", "s", "ada", 0, 1, opening, 0)}, "", 0},
		"totals that differ": {[]auditlog.Entry{part("a", "s", "ada", 0, 2, opening, 0), part("a", "s", "ada", 1, 3, danger, 0)}, "", 1},
		"of two logs":        {[]auditlog.Entry{part("a", "s", "ada", 0, 2, opening, 0), part("b", "s", "ada", 1, 2, danger, 0)}, "", 1},
		"too large together": {many, Undetermined, 1},
	} {
		w := newWorld(t, both)
		for _, e := range append(c.parts, c.parts...) {
			w.ingest(e)
			if w.waiting() > 2*len(c.parts) {
				t.Fatalf("%s: %d documents", name, w.waiting())
			}
		}
		if c.at != "" && (w.alarms() != 1 || w.only().Kind != c.at) || c.at == "" && w.alarms() != 0 {
			t.Errorf("%s: %d alarms at once", name, w.alarms())
		}
		w.to(Lateness)
		if w.tick(); w.alarms() != c.end || w.waiting() != 0 {
			t.Errorf("%s: %d alarms, %d documents left", name, w.alarms(), w.waiting())
		}
	}
}

// A flood of entries that are never whole keeps so many and no more; the others are judged by what is there.
func TestSplitFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, both)
	w.splits = 20
	for i := range w.splits + 50 {
		w.ingest(part("a", fmt.Sprint("s", i), "ada", 0, 2, opening, 0))
	}
	if w.waiting() != 2*w.splits || w.alarms() != 1 || len(w.only().Members) != 50 {
		t.Errorf("%d documents, %d alarms", w.waiting(), w.alarms())
	}
	w.to(Lateness)
	if w.tick(); w.waiting() != 0 || len(w.only().Members) != w.splits+50 {
		t.Errorf("%d documents left, %d members", w.waiting(), len(w.only().Members))
	}
}

// What was called may stand in another part; where no part says it, that is told like what cannot be read.
func TestSplitWithoutACall(t *testing.T) {
	t.Parallel()
	bare := func() auditlog.Entry {
		all, err := auditlog.Decode([]byte(`{"insertId":"x","logName":"projects/firm-live/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T12:00:00Z",
			"split":{"uid":"s","totalSplits":2},"protoPayload":{"request":{"open":true}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}()
	for name, c := range map[string]struct {
		parts []auditlog.Entry
		want  Kind
	}{
		"it comes later": {[]auditlog.Entry{bare, part("firm-live", "s", "ada", 1, 2, danger, 0)}, Violation},
		"it never comes": {[]auditlog.Entry{bare}, Unreadable},
	} {
		w := newWorld(t, both)
		for _, e := range c.parts {
			w.ingest(e)
		}
		w.to(Lateness)
		if w.tick(); w.alarms() != 1 || w.only().Kind != c.want {
			t.Errorf("%s: %d alarms", name, w.alarms())
		}
	}
}

// TestSplitOnTheEmulator: on Firestore parts are stored, joined and deleted like anywhere.
func TestSplitOnTheEmulator(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, both, func(o store.Options) store.Store { return firestoretest.New(t, o) })
	pad := make([]byte, 500_000) // that does not compress
	for i, r := 0, rand.New(rand.NewPCG(1, 1)); i < len(pad); i++ {
		pad[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[r.IntN(64)]
	}
	w.ingest(part("firm-live", "s", "ada", 1, 2, `{"danger":"yes","pad":"`+string(pad)+`"}`, 0))
	if w.waiting() != 2 || w.alarms() != 0 {
		t.Fatalf("%d documents, %d alarms", w.waiting(), w.alarms())
	}
	w.ingest(part("firm-live", "s", "ada", 0, 2, opening, 0))
	w.ingest(part("firm-live", "lost", "bob", 0, 2, opening, 0))
	if w.waiting() != 2 || w.alarms() != 1 {
		t.Fatalf("%d documents, %d alarms", w.waiting(), w.alarms())
	}
	w.to(Lateness)
	if w.tick(); w.waiting() != 0 || w.alarms() != 2 {
		t.Fatalf("%d documents, %d alarms", w.waiting(), w.alarms())
	}
}

// TestSplitRace: parts that come at once to several instances, while the others are given up or not, make one alarm.
func TestSplitRace(t *testing.T) {
	t.Parallel()
	for round := range 16 {
		w := newWorld(t, both)
		all := cut("s", "ada", 0)
		if late := round%2 == 1; late {
			w.ingest(all[0])
			w.to(Lateness)
		}
		var group sync.WaitGroup
		for _, e := range append(all, all...) {
			group.Go(func() {
				if _, err := w.Ingest(t.Context(), e, w.now()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Go(w.tick)
		group.Wait()
		w.to(2 * Lateness)
		if w.tick(); w.alarms() != 1 || w.waiting() != 0 || len(w.only().Members) != 1 {
			t.Fatalf("round %d: %d alarms, %d documents left", round, w.alarms(), w.waiting())
		}
		if v := w.only(); round%2 == 0 && v.Kind != Violation {
			t.Fatalf("round %d: %s", round, v.Kind)
		}
	}
}

// What was read of the parts is judged only while it is all there is.
func TestSplitMoved(t *testing.T) {
	t.Parallel()
	w, all := newWorld(t, both), cut("s", "ada", 0)
	w.ingest(all[0])
	p, parts, err := w.parts(t.Context(), all[0].WholeID())
	if err != nil || len(parts) != 1 {
		t.Fatal(err, len(parts))
	}
	w.ingest(all[2])
	if _, err := w.judge(t.Context(), auditlog.Join(parts), &piecemeal{stored: p, due: w.now()}, w.now()); !errors.Is(err, errMore) {
		t.Errorf("judged what is not all: %v", err)
	}
	w.ingest(all[1])
	if w.alarms() != 1 || w.only().Kind != Violation {
		t.Errorf("%d alarms", w.alarms())
	}
}
