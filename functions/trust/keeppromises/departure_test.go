package keeppromises

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/recordtest"
)

// TestDepartures: a log that does not continue what was followed is told of once, and nothing is said to be kept; when it
// continues again, so does the page.
func TestDepartures(t *testing.T) {
	t.Parallel()
	for test, change := range map[string]func(t *testing.T, w *world){
		rewound: func(t *testing.T, w *world) {
			w.replace(t, 1)
		},
		rewound + " to nothing": func(t *testing.T, w *world) {
			o, err := w.head.Get(t.Context(), "checkpoint")
			must(t, err)
			must(t, w.head.Delete(t.Context(), "checkpoint", o.Generation))
		},
		forked + " at the same size": func(t *testing.T, w *world) {
			_, head := w.leaves(t)
			w.replace(t, int(head.Size))
		},
		damaged: func(t *testing.T, w *world) {
			_, head := w.leaves(t)
			w.replace(t, int(head.Size)+1)
		},
	} {
		t.Run(test, func(t *testing.T) {
			t.Parallel()
			why, _, _ := strings.Cut(test, " ")
			w := newWorld(t, nil)
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			for range 3 {
				w.good(t)
			}
			before, _ := w.newest(t)
			_, followed := w.leaves(t)
			held, err := w.head.Get(t.Context(), "checkpoint")
			must(t, err)
			change(t, w)
			runs := len(w.runs(t))
			for range 12 {
				w.Advance(t, time.Minute)
				if a := w.Tick(t, name); a.Status < 500 {
					t.Fatalf("answered %d", a.Status)
				}
			}
			told := append(w.of(t, record.Gap), w.of(t, record.Finding)...)
			if len(told) != 1 || told[0].Control != check || told[0].Facts["why"] != why || told[0].Facts["followed"] != fmt.Sprint(followed.Size) {
				t.Errorf("told %d times, of %d followed", len(told), followed.Size)
			}
			if _, err := w.another(t).follow(t.Context(), w.Clock.Now()); err == nil || !strings.Contains(err.Error(), "evidence accept-rewind") {
				t.Errorf("it does not say what to do: %v", err)
			}
			if n := len(w.runs(t)); n != runs {
				t.Errorf("%d runs are said to have gone well", n-runs)
			}
			if now, _ := w.newest(t); now.Counts[record.Kept] != 0 || !now.At.Equal(before.At) && now.Size != before.Size {
				t.Errorf("the page of %d leaves at %s says %v", now.Size, now.At, now.Counts)
			}
			// The checkpoint comes back.
			present, err := w.head.Get(t.Context(), "checkpoint")
			if err != nil {
				present.Generation = 0
			}
			_, err = w.head.Swap(t.Context(), "checkpoint", held.Data, present.Generation)
			must(t, err)
			w.Restart()
			w.say(t, record.Run, "ip-daily", record.Kept, "D24")
			w.good(t)
			if got := w.state(t, "D24"); got != record.Kept {
				t.Errorf("after the log came back it is %s", got)
			}
			w.good(t)
			w.proven(t)
		})
	}
}

// replace puts the checkpoint of another log of a size, by the same key, in the place of the newest.
func (w *world) replace(t testing.TB, size int) {
	t.Helper()
	other := w.open(t, fmt.Sprintf("memory:keeppromises-%d", logs.Add(1)))
	for i := range size - 1 { // the log adds a record of its own
		r := record.New(record.Observation, "other", fmt.Sprint(i))
		r.Source.Collected = w.Clock.Now()
		data, err := r.Canonical()
		must(t, err)
		_, err = other.inbox.Create(t.Context(), recordtest.Place+r.ID(), data)
		must(t, err)
	}
	_, err := other.sequencer.Run(t.Context())
	must(t, err)
	theirs, err := other.head.Get(t.Context(), "checkpoint")
	must(t, err)
	ours, err := w.head.Get(t.Context(), "checkpoint")
	must(t, err)
	_, err = w.head.Swap(t.Context(), "checkpoint", theirs.Data, ours.Generation)
	must(t, err)
}

// TestFork: another log by the same key, whole in itself and longer, is not followed.
func TestFork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"promises/log.yaml": logPromise})
	w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	w.good(t)
	w.good(t)
	ours := w.journal
	other := w.open(t, fmt.Sprintf("memory:keeppromises-%d", logs.Add(1)))
	w.journal = other
	for range 30 {
		w.say(t, record.Run, "ip-daily", record.Kept, "D24")
	}
	_, err := other.sequencer.Run(t.Context())
	must(t, err)
	w.aim(t, other.url)
	w.Restart()
	for range 2 {
		if a := w.Tick(t, name); a.Status < 500 {
			t.Errorf("answered %d", a.Status)
		}
	}
	found := w.of(t, record.Finding)
	if len(found) != 1 || found[0].Facts["why"] != forked || found[0].Result.State != record.Broken || len(found[0].Promises) != 1 {
		t.Fatalf("findings %+v", found)
	}
	if len(w.of(t, record.Gap)) != 0 {
		t.Error("a gap too")
	}
	w.journal = ours
	w.aim(t, ours.url)
	w.Restart()
	w.good(t)
	closed := w.of(t, record.Remediation)
	if len(closed) != 1 || len(closed[0].Refs) != 1 || closed[0].Refs[0].ID != found[0].ID() {
		t.Errorf("put right: %+v", closed)
	}
	w.good(t)
	w.good(t)
	w.proven(t)
}

// logPromise is a promise that the log itself keeps.
const logPromise = `promises:
  - id: Z1
    text: {en: "Evidence is kept in a log that nobody can rewrite."}
    source: {file: own.txt, section: Log}
    check: evidence-log
    severity: critical
    kept_by:
      - records: evidence-log
`
