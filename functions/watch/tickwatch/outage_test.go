package tickwatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/require"
	"ostiary.internal/shared/trust/promise"
	"ostiary.internal/shared/watch/episode"
)

// TestBlind: a stream that is off and that a rule looks for is said at the start; what that rule keeps is then unknown,
// and kept when the stream is on.
func TestBlind(t *testing.T) {
	t.Parallel()
	const check, service, promised = "secret-read-by-person", "secretmanager.googleapis.com", "F13"
	for _, c := range []struct {
		streams string
		blind   bool
		state   string
	}{{"", true, "unknown"}, {"compute.googleapis.com, iam.googleapis.com", true, "unknown"}, {"iam.googleapis.com,parametermanager.googleapis.com,k8s.io," + service, false, "kept"}, {"allServices", false, "kept"}} {
		w := newWorld(t, c.streams)
		w.pass(2, true)
		said := slices.ContainsFunc(strings.Split(w.log.String(), "\n"), func(line string) bool {
			return strings.Contains(line, "rules are blind") && strings.Contains(line, service) && strings.Contains(line, check)
		})
		if said != c.blind {
			t.Errorf("%q: said %v\n%s", c.streams, said, w.log.String())
		}
		ledger := promise.NewLedger(promise.NewRegister(w.Policy, nil))
		index := int64(0)
		add := func(r record.Record) {
			if err := ledger.Add(index, r); err != nil {
				t.Fatal(err)
			}
			index++
		}
		for _, r := range w.Records(t) {
			if whole := r.Kind == record.Run && r.Population.Seen == r.Population.Expected && r.Population.Errors == 0; r.Control == check && whole == c.blind {
				t.Errorf("%q: %+v", c.streams, r.Population)
			}
			add(r)
		}
		sealed := record.New(record.Run, promise.LogControl, "the log lives")
		sealed.Run, sealed.Source.Collected = 1, w.Clock.Now()
		add(sealed)
		if got := string(promise.State(ledger, promised, w.Clock.Now()).State); got != c.state {
			t.Errorf("%q: %s is %s, want %s", c.streams, promised, got, c.state)
		}
	}
}

// TestGate: nobody but the function's own invoker runs the schedule.
func TestGate(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup("allServices"), &seen, "tickwatch", functiontest.Request{Method: "POST", Path: "/tickwatch/tick"})
	w := functiontest.New(t, setup("allServices"))
	w.Store.Down()
	seen.Saw(w.Tick(t, "tickwatch")).Want(t, 503, "unavailable")
	seen.Complete(t, "tickwatch", w.Routes("tickwatch"))
}

// TestOutages: while a part is away the run fails, what needs that part waits, and what does not is done.
func TestOutages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "allServices")
	w.pass(2, true)
	w.alarm("1")
	messages := w.messages(people)
	for name, part := range map[string]*functiontest.Switch{"store": &w.Store, "key of messages": &w.MessageKey} {
		part.Down()
		w.Restart()
		w.build()
		before := len(w.markers())
		if got := w.tick(); got != 503 {
			t.Errorf("without the %s the run is answered %d", name, got)
		}
		if marked := len(w.markers()) > before; marked != (part == &w.MessageKey) {
			t.Errorf("without the %s there was a marker: %v", name, marked)
		}
		part.Up()
	}
	w.Advance(t, 31*time.Minute)
	w.entry(w.marker())
	w.MessageKey.Down()
	w.Restart()
	w.build()
	if got := w.tick(); got != 503 || w.facts(record.Run, "open")["1"] == 0 || w.messages(people) != messages {
		t.Errorf("answered %d: %v, %d messages more", got, w.facts(record.Run, "open"), w.messages(people)-messages)
	}
	w.MessageKey.Up()
	w.Bus.Down()
	w.Inbox.Down()
	if got := w.tick(); got != 204 || w.messages(people) != messages {
		t.Errorf("without the bus the run is answered %d, %d messages more", got, w.messages(people)-messages)
	}
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, 5*time.Minute)
	if got := w.tick(); got != 204 || w.messages(people) != messages+1 || w.Pending(t, "tickwatch") != 0 {
		t.Errorf("in the end: answered %d, %d messages more, %d wait", got, w.messages(people)-messages, w.Pending(t, "tickwatch"))
	}
}

// TestDeath: at whatever call of the database, the bus, the inbox or the key of messages an instance dies, the next run does what is
// left: the same reminders, suspicions, closings and beats.
func TestDeath(t *testing.T) {
	t.Parallel()
	whole := done(t, func(*world) *functiontest.Switch { return &functiontest.Switch{} }, 0, false)
	for name, part := range map[string]func(w *world) *functiontest.Switch{
		"store":   func(w *world) *functiontest.Switch { return &w.Store },
		"applied": func(w *world) *functiontest.Switch { return &w.Applied },
		"bus":     func(w *world) *functiontest.Switch { return &w.Bus },
		"inbox":   func(w *world) *functiontest.Switch { return &w.Inbox },
		"message": func(w *world) *functiontest.Switch { return &w.MessageKey },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stride := max(map[string]int{"store": 389, "inbox": 29, "applied": 7, "bus": 2}[name]/require.Seeds(1), 1)
			for n := 0; ; n += stride {
				got := done(t, part, n, true)
				if got == nil {
					t.Logf("%s: %d calls", name, n)
					return
				}
				if !slices.Equal(got, whole) {
					t.Errorf("%s dead after %d calls:\n%v\nwant\n%v", name, n, got, whole)
				}
			}
		})
	}
}

// done plays an hour and a half in which a part dies after n calls, and returns what there is in the end: nil when it never
// died.
func done(t *testing.T, part func(w *world) *functiontest.Switch, n int, mortal bool) []string {
	t.Helper()
	w := newWorld(t, "allServices")
	w.alarm("1")
	cut := part(w)
	if mortal {
		cut.DownAfter(n)
	}
	failed := false
	again := func(what string, fn func() int) {
		t.Helper()
		for try := 0; ; try++ {
			got := fn()
			dead := cut.Failed() > 0 && !failed
			if dead {
				failed = true
				cut.Up()
				w.Restart()
				w.build()
			}
			if got == 204 {
				return
			}
			if try > 1 || got != 503 || !dead {
				t.Fatalf("dead after %d calls, %s is answered %d", n, what, got)
			}
		}
	}
	for _, after := range []time.Duration{time.Minute, 30 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		w.Advance(t, after)
		again("the run", w.tick)
		marker := w.marker()
		again("the marker", func() int { return w.bring(marker).Status })
		again("the next run", w.tick)
	}
	if mortal && !failed {
		return nil
	}
	cut.Up()
	for range 3 {
		w.Advance(t, time.Minute)
		w.tick()
	}
	var all []string
	for event, count := range w.facts(record.Case, "event") {
		all = append(all, fmt.Sprint("case ", event, " ", count))
	}
	slices.Sort(all)
	return append(all, fmt.Sprint(len(w.facts(record.Run, "rules")), " sorts of beats, ", w.messages(people), " messages, ", w.messages(episode.TopicSuspicion), " suspicions, ",
		w.Pending(t, "tickwatch"), " wait"))
}
