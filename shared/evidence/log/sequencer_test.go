package log_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

func TestPass(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.sequencer(t, func(c *log.Config) { c.Policy, c.Code = record.Digest([]byte("policy")), record.Digest([]byte("code")) })
	w.put(t, "b", "a", "c")
	report := w.run(t, s)
	if report.Added != 3 || report.Size != 4 || report.Duplicates+report.Refused != 0 || report.More || !report.Checkpoint.Equal(start) {
		t.Errorf("%+v", report)
	}
	w.wait(t, time.Minute)
	w.put(t, "d")
	w.run(t, s)
	all := w.leaves(t)
	if got := kinds(all); got != "observation observation observation run observation run" {
		t.Fatal(got)
	}
	run := all[5]
	if run.Control != log.Control || run.Run != 2 || !run.Window.From.Equal(start) || !run.Window.To.Equal(start.Add(time.Minute)) ||
		*run.Population != (record.Population{Expected: 1, Seen: 1}) || run.Code == "" || run.Config == "" || run.Result.State != "" ||
		!run.Expires.Equal(start.Add(time.Minute+log.Interval+log.Grace)) || run.Facts["late"] != "0" {
		t.Errorf("%+v", run)
	}
	if got := names(t, w.inbox, ""); len(got) > 0 {
		t.Errorf("left in the inbox: %q", got)
	}
	if got := names(t, w.head, ""); !slices.Equal(got, []string{"checkpoint", "head", "ids/2026-03-02T09-0000"}) {
		t.Errorf("the head store holds %q", got)
	}
	if got := names(t, w.tiles, ""); !slices.Equal(got, []string{"tile/0/000.p/4", "tile/0/000.p/6", "tile/entries/000.p/4", "tile/entries/000.p/6"}) {
		t.Errorf("the log holds %q", got)
	}
}

// A checkpoint can be read by programs that know no more than Go's own signed notes.
func TestCheckpointForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	second := newKey("second")
	w.run(t, w.sequencer(t, func(c *log.Config) { c.Signers = []sign.Signer{w.key, second} }))
	signed, err := log.Head(w.head)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*key{w.key, second} {
		text, _ := k.Verifier(t.Context())
		verifier, err := note.NewVerifier(text)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open(signed, note.VerifierList(verifier))
		if err != nil || !strings.HasPrefix(opened.Text, origin+"\n1\n") {
			t.Errorf("%+v, %v", opened, err)
		}
		if c, err := log.NewReader(w.tiles, log.Head(w.head), trusting(t, k)).Checkpoint(t.Context()); err != nil || c.Size != 1 || len(c.Keys) != 1 {
			t.Errorf("%+v, %v", c, err)
		}
	}
	stranger := log.NewReader(w.tiles, log.Head(w.head), trusting(t, newKey("third")))
	_, err = stranger.Checkpoint(t.Context())
	wantKind(t, err, fault.Denied)
}

func TestSignOfLife(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if _, err := log.Sealed(t.Context(), w.head); !fault.Is(err, fault.NotFound) {
		t.Errorf("nothing was sealed: %v", err)
	}
	for i, step := range []struct {
		wait time.Duration
		size int64
	}{{0, 1}, {0, 1}, {log.Interval - time.Second, 1}, {time.Second, 2}, {time.Minute, 2}, {20 * 24 * time.Hour, 3}} {
		w.wait(t, step.wait)
		if got := w.run(t, w.sequencer(t)); got.Size != step.size || got.Added != 0 {
			t.Errorf("step %d: %+v, want size %d", i, got, step.size)
		}
	}
	if at, err := log.Sealed(t.Context(), w.head); err != nil || !at.Equal(w.clock.Now()) {
		t.Errorf("sealed at %s, %v", at, err)
	}
	for i, r := range w.leaves(t) {
		if r.Kind != record.Run || r.Run != int64(i+1) {
			t.Errorf("leaf %d: %s %d", i, r.Kind, r.Run)
		}
	}
}

func TestHandedInAgain(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.sequencer(t)
	id, data := observed(t, "a", w.clock.Now())
	w.put(t, "a", "b")
	w.run(t, s)
	for _, again := range []struct {
		wait       time.Duration
		fresh      bool // a sequencer that starts anew
		duplicates int
		size       int64
	}{
		{time.Second, false, 1, 3},
		{time.Second, true, 1, 3},
		{log.Window - time.Hour, false, 1, 4}, // and a run record
		{3 * time.Hour, true, 0, 6},           // beyond the window it is a record like any other
	} {
		w.wait(t, again.wait)
		w.hand(t, by+id, data) // as an outbox keeps it
		if again.fresh {
			s = w.sequencer(t)
		}
		if again.size == 4 {
			w.run(t, s)
		}
		if got := w.run(t, s); got.Size != again.size {
			t.Errorf("after %s: %+v", again.wait, got)
		}
		if left := names(t, w.inbox, ""); len(left) > 0 {
			t.Errorf("left in the inbox: %q", left)
		}
	}
	if got := names(t, w.head, "ids/"); len(got) != 1 {
		t.Errorf("ids that are too old to matter: %q", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	id, good := observed(t, "good", start)
	other, _ := observed(t, "other", start)
	forge := func(kind record.Kind) (string, []byte) {
		r := record.New(kind, log.Control, "mine")
		r.Source.Collected, r.Run = start, 7
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		return r.ID(), data
	}
	runID, run := forge(record.Run)
	gapID, gap := forge(record.Gap)
	claimID, claim := forge(record.Claim)
	aheadID, tomorrow := observed(t, "ahead", start.Add(5*time.Minute+time.Millisecond))
	r := record.New(record.Observation, "backup-freshness", "seen ahead")
	r.Source.Collected, r.Source.Observed = start, start.Add(24*time.Hour)
	seenID := r.ID()
	seen, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		name   string
		data   []byte
		reason string
		kept   bool
	}{
		"not a record":     {by + other, []byte(`{"email":"ada@customer.example"}`), "unreadable", true},
		"cut off":          {by + id, good[:len(good)-1], "unreadable", true},
		"nothing":          {by + other, nil, "unreadable", true},
		"too large":        {by + other, make([]byte, record.MaxBytes+1), "oversized", false},
		"under another id": {by + other, good, "misnamed", true},
		"under a path":     {by + "a/" + id, good, "misnamed", true},
		"our run record":   {by + runID, run, "forged", true},
		"of nobody":        {id, good, "stranger", true},
		"of a stranger":    {"nobody/" + id, good, "stranger", true},
		"of another's":     {"other/" + id, good, "foreign", true},
		"of another kind":  {by + claimID, claim, "foreign", true},
		"of tomorrow":      {by + aheadID, tomorrow, "ahead", true},
		"seen tomorrow":    {by + seenID, seen, "ahead", true},
		"our gap":          {by + gapID, gap, "forged", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logger, out := logged()
			s := w.sequencer(t, func(c *log.Config) { c.Log = logger })
			put := func() {
				if _, err := w.inbox.Create(t.Context(), test.name, test.data); err != nil {
					t.Fatal(err)
				}
			}
			put()
			w.put(t, "beside it")
			if got := w.run(t, s); got.Refused != 1 || got.Added != 1 || got.Size != 3 {
				t.Errorf("%+v", got)
			}
			all := w.leaves(t)
			at := slices.IndexFunc(all, func(r record.Record) bool { return r.Kind == record.Gap })
			if at < 0 || all[at].Control != log.Control || all[at].Facts["reason"] != test.reason {
				t.Fatalf("%+v", all)
			}
			if end := all[2]; *end.Population != (record.Population{Expected: 2, Seen: 1, Errors: 1}) || end.Result.State != record.Unknown {
				t.Errorf("%+v", end)
			}
			if left := names(t, w.inbox, ""); len(left) > 0 {
				t.Errorf("left in the inbox: %q", left)
			}
			kept, err := w.head.Get(t.Context(), "refused/"+all[at].ID())
			if fault.Is(err, fault.NotFound) == test.kept || test.kept && string(kept.Data) != string(test.data) {
				t.Errorf("kept %q, %v", kept.Data, err)
			}
			if strings.Contains(out.String(), "set aside") != test.kept || !strings.Contains(out.String(), test.reason) || strings.Contains(out.String(), "customer.example") {
				t.Errorf("log: %s", out)
			}
		})
	}
}

func TestUnnameable(t *testing.T) {
	t.Parallel()
	w := newWorld()
	real := w.inbox
	w.inbox = strange{Objects: real, names: []string{"no name"}}
	s := w.sequencer(t)
	w.put(t, "a")
	if got := w.run(t, s); got.Added != 1 || got.Refused != 1 || got.Size != 3 {
		t.Errorf("%+v", got)
	}
	if got := w.run(t, w.sequencer(t)); got.Refused != 0 || got.Size != 3 { // it says so once
		t.Errorf("%+v", got)
	}
	w.wait(t, log.Interval)
	if got := w.run(t, s); got.Size != 4 {
		t.Errorf("no sign of life beside it: %+v", got)
	}
}

func TestClocksAndBacklog(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for event, off := range map[string]time.Duration{
		"barely": 5 * time.Minute, "now": 0, "before": -time.Hour, "late": -time.Hour - time.Second, "later": -48 * time.Hour,
	} {
		id, data := observed(t, event, start.Add(off))
		if _, err := w.inbox.Create(t.Context(), by+id, data); err != nil {
			t.Fatal(err)
		}
	}
	logger, out := logged()
	s := w.sequencer(t, func(c *log.Config) { c.Log = logger })
	w.run(t, s)
	all := w.leaves(t)
	if got := all[len(all)-1].Facts; got["late"] != "2" || got["backlog_s"] != "" {
		t.Errorf("%v", got)
	}
	w.put(t, "waits")
	w.wait(t, 7*time.Minute)
	w.run(t, s)
	all = w.leaves(t)
	if got := all[len(all)-1].Facts; got["backlog_s"] != "420" || !strings.Contains(out.String(), "behind") {
		t.Errorf("%v, log %s", got, out)
	}
}

// One pass takes in what is there in batches, the oldest first, and a pass that does not reach the end says so.
func TestManyBatches(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var events []string
	for i := range 1100 {
		events = append(events, fmt.Sprint("event ", i))
	}
	w.put(t, events[1000:]...)
	w.wait(t, time.Second)
	w.put(t, events[:1000]...)
	s := w.sequencer(t)
	s.Small(100)
	if got := w.run(t, s); got.Added != 1100 || got.Size != 1111 || got.More {
		t.Errorf("%+v", got)
	}
	all := w.leaves(t)
	for i, r := range all[:100] {
		if !r.Source.Collected.Equal(start) {
			t.Fatalf("leaf %d is not one of the oldest", i)
		}
	}
	w.run(t, w.sequencer(t))
	if next := w.leaves(t); len(next) != 1111 {
		t.Errorf("a second pass added %d", len(next)-1111)
	}
}

// Nothing is built on a log that was changed behind our back.
func TestChangedStores(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, w *world){
		"a tile":            func(t *testing.T, w *world) { change(t, w.tiles, "tile/0/000.p/4", flipped) },
		"a tile is missing": func(t *testing.T, w *world) { remove(t, w.tiles, "tile/0/000.p/4") },
		"a tile is short": func(t *testing.T, w *world) {
			change(t, w.tiles, "tile/0/000.p/4", func(b []byte) []byte { return b[:96] })
		},
		"entries": func(t *testing.T, w *world) { change(t, w.tiles, "tile/entries/000.p/4", flipped) },
		"entries cut off": func(t *testing.T, w *world) {
			change(t, w.tiles, "tile/entries/000.p/4", func(b []byte) []byte { return b[:5] })
		},
		"entries missing":    func(t *testing.T, w *world) { remove(t, w.tiles, "tile/entries/000.p/4") },
		"head unreadable":    func(t *testing.T, w *world) { change(t, w.head, "head", func([]byte) []byte { return []byte("{") }) },
		"head of another":    func(t *testing.T, w *world) { change(t, w.head, "head", swap(origin, "other.example/x")) },
		"head of version 2":  func(t *testing.T, w *world) { change(t, w.head, "head", swap(`"v":1`, `"v":2`)) },
		"head of other root": func(t *testing.T, w *world) { change(t, w.head, "head", swap(`"size":4`, `"size":3`)) },
		"ids":                func(t *testing.T, w *world) { change(t, w.head, "ids/2026-03-02T09-0000", flipBrace) },
		"checkpoint":         func(t *testing.T, w *world) { change(t, w.head, "checkpoint", swap(origin, "other.example/x")) },
		"another tile is in the way": func(t *testing.T, w *world) {
			if _, err := w.tiles.Create(t.Context(), "tile/0/000.p/6", []byte("x")); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.put(t, "a", "b", "c")
			w.run(t, w.sequencer(t))
			spoil(t, w)
			w.put(t, "d")
			_, err := w.sequencer(t).Run(t.Context())
			wantKind(t, err, fault.Misconfigured)
			if left := names(t, w.inbox, ""); len(left) != 1 {
				t.Errorf("the inbox holds %q", left)
			}
		})
	}
}

func swap(old, with string) func([]byte) []byte {
	return func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), old, with)) }
}

func flipBrace(b []byte) []byte { return append([]byte("["), b[1:]...) }

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*log.Config){
		"no inbox":       func(c *log.Config) { c.Inbox = nil },
		"no tiles":       func(c *log.Config) { c.Tiles = nil },
		"no head":        func(c *log.Config) { c.Head = nil },
		"no clock":       func(c *log.Config) { c.Clock = nil },
		"no key":         func(c *log.Config) { c.Signers = nil },
		"another origin": func(c *log.Config) { c.Origin = "other.example/x" },
		"no origin":      func(c *log.Config) { c.Origin = "" },
		"a scheme":       func(c *log.Config) { c.Origin = "https://log.example" },
	} {
		c := newWorld().config()
		spoil(&c)
		if _, err := log.New(c); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The ids of a busy hour are kept in parts.
func TestParts(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.sequencer(t)
	for i := range 3 {
		var events []string
		for j := range 40 {
			events = append(events, strconv.Itoa(i*40+j))
		}
		s.Parts(50)
		w.put(t, events...)
		w.run(t, s)
	}
	if got := names(t, w.head, "ids/"); !slices.Equal(got, []string{"ids/2026-03-02T09-0000", "ids/2026-03-02T09-0001"}) {
		t.Errorf("%q", got)
	}
	w.put(t, "3", "50", "119")
	if got := w.run(t, w.sequencer(t)); got.Duplicates != 3 || got.Added != 0 {
		t.Errorf("%+v", got)
	}
}
