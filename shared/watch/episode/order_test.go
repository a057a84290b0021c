package episode

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/watch/auditlog"
	"ostiary.internal/shared/watch/notice"
)

const minutes = time.Minute

// The gap of the rules here is an hour.
func TestPlace(t *testing.T) {
	t.Parallel()
	at := func(after time.Duration) int64 { return noon.Add(after).UnixMicro() }
	d := func(after time.Duration, episode string) *dot { return &dot{at: at(after), episode: episode} }
	for name, c := range map[string]struct {
		before, after *dot
		now           time.Duration // after the hit, which is at noon
		want          placing
	}{
		"first":               {nil, nil, 0, placing{}},
		"in the gap":          {d(-60*minutes, "a"), nil, 0, placing{join: "a"}},
		"before the first":    {nil, d(60*minutes, "b"), 0, placing{join: "b"}},
		"between":             {d(-40*minutes, "a"), d(30*minutes, "b"), 0, placing{join: "a", merge: "b"}},
		"within":              {d(-40*minutes, "a"), d(30*minutes, "a"), 0, placing{join: "a"}},
		"shortly after":       {d(-61*minutes, "a"), nil, 0, placing{hold: noon.Add(9 * minutes)}},
		"shortly after, late": {d(-61*minutes, "a"), nil, 10 * minutes, placing{}},
		"long after":          {d(-71*minutes, "a"), nil, 0, placing{}},
		"apart from both":     {d(-3*time.Hour, "a"), d(2*time.Hour, "b"), 3 * time.Hour, placing{}},
	} {
		if got := place(at(0), c.before, c.after, time.Hour, Lateness, noon.Add(c.now)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func (w *world) alarms() int {
	n, _ := w.notices(notice.Alarm)
	return n
}

// What follows shortly after the quiet period waits for what may still come between.
func TestHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late   []time.Duration // event times of what comes at 70 minutes
		alarms int
	}{
		"nothing comes":               {nil, 2},
		"what joins them":             {[]time.Duration{60 * minutes}, 1},
		"what makes the first longer": {[]time.Duration{60*minutes - 1}, 1},
	} {
		w := newWorld(t, rulesOne)
		w.ingest(act("a", "act", "ada", 0))
		w.to(61 * minutes)
		w.ingest(act("c", "act", "ada", 61*minutes))
		w.to(70 * minutes)
		w.tick()
		if w.alarms() != 1 {
			t.Errorf("%s: %d alarms while it is held", name, w.alarms())
		}
		for i, at := range c.late {
			w.ingest(act(fmt.Sprint("b", i), "act", "ada", at))
		}
		w.to(71 * minutes)
		w.tick()
		w.tick()
		if w.alarms() != c.alarms {
			t.Errorf("%s: %d alarms, want %d", name, w.alarms(), c.alarms)
		}
	}
}

// The run before grows while another one is held: it is held on.
func TestHeldOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "", "justify: actor, quiet: PT10M")})
	w.ingest(act("a", "act", "ada", 0))
	w.to(19 * minutes)
	w.ingest(act("c", "act", "ada", 19*minutes)) // held to 20
	w.to(19*minutes + 30*time.Second)
	w.ingest(act("b1", "act", "ada", 9*minutes+30*time.Second)) // near both: they are one
	w.to(40 * minutes)
	w.tick()
	if w.alarms() != 1 {
		t.Errorf("%d alarms", w.alarms())
	}
	w = newWorld(t, map[string]string{"one": ruled("act", "", "justify: actor, quiet: PT10M")})
	w.ingest(act("a", "act", "ada", 0))
	w.to(20 * minutes)
	w.ingest(act("c", "act", "ada", 20*minutes)) // held to 20
	w.ingest(act("b1", "act", "ada", 9*minutes+59*time.Second+500*time.Millisecond))
	w.to(20*minutes + time.Second)
	w.tick()
	if w.alarms() != 1 {
		t.Errorf("the run before may still grow, and %d alarms went out", w.alarms())
	}
	w.to(31 * minutes)
	w.tick()
	if w.alarms() != 2 {
		t.Errorf("%d alarms in the end", w.alarms())
	}
}

// The schedule stood still: what it judges then is judged as if it had run.
func TestScheduleStoodStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"gone": ruled("act", "window: {kind: absence, within: PT1M, settle: PT10M, other: {match: [{service: [app], method: [open], stream: [application]}]}}", "justify: actor, quiet: PT21M")})
	// What joins the first and the second comes late, but in time, and is judged behind more than one transaction takes.
	all := []struct {
		who       string
		at, comes time.Duration
	}{{"ada", 0, 0}, {"ada", 22 * minutes, 22 * minutes}}
	for i := range settlePage + 5 {
		at := 23*minutes + time.Duration(i)*time.Second
		all = append(all, struct {
			who       string
			at, comes time.Duration
		}{"bob", at, at})
	}
	all = append(all, struct {
		who       string
		at, comes time.Duration
	}{"ada", 20 * minutes, 30 * minutes})
	for _, e := range all {
		w.to(e.comes)
		w.ingest(act(e.who+e.at.String(), "act", e.who, e.at))
	}
	w.to(10 * time.Hour)
	w.pages = 1
	w.tick()
	w.tick()
	w.pages = mostPages
	w.tick()
	w.tick()
	n := 0
	for _, told := range w.told {
		if told.Kind == notice.Asked && told.To[0] == "ada" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d alarms", n)
	}
}

// Beyond what is told apart, an episode stays one, and grows no more than slowly.
func TestCrowded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	w.most = 50
	for i := range 350 {
		at := time.Duration(i) * time.Second
		w.to(at)
		w.ingest(act(fmt.Sprintf("e%04d", i), "act", "ada", at))
	}
	v := w.only()
	if !v.Crowded || len(v.Members) < 50 || len(v.Members) > 60 || w.alarms() != 1 {
		t.Errorf("%d members, %d alarms, crowded %v", len(v.Members), w.alarms(), v.Crowded)
	}
	docs, err := w.Store.Query(t.Context(), store.Query{Collection: details, Limit: store.MaxQueryResults})
	if err != nil || len(docs) != 50 {
		t.Errorf("%d details", len(docs))
	}
	last := 349 * time.Second
	w.to(last + 59*minutes)
	w.ingest(act("later", "act", "ada", last+59*minutes))
	if w.alarms() != 1 {
		t.Error("a second alarm within the quiet period")
	}
	w.to(last + 5*time.Hour)
	w.ingest(act("other", "act", "ada", last+5*time.Hour))
	if w.alarms() != 2 {
		t.Error("no alarm after it")
	}
}

// except makes an exception of two people.
func (w *world) except(q Request) Exception {
	w.t.Helper()
	x, err := w.Except(w.t.Context(), q, w.person("sam"), w.now())
	if err == nil {
		x, err = w.Approve(w.t.Context(), x.ID, w.person("dan"), w.now())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// deep is an entry about something within something.
func deep(e auditlog.Entry) auditlog.Entry {
	e.Resource = "things/of/" + e.ID
	return e
}

// What an exception covers is a record and no alarm, and is counted.
func TestExceptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	x := w.except(Request{Kind: Suppression, Scope: Scope{Rule: "one", Actor: "Ada@firm.example"}, Reason: "known-noise", Until: noon.Add(50 * 24 * time.Hour)})
	change := w.except(Request{Kind: ChangeWindow, Scope: Scope{Actor: "bob@firm.example", Resource: "things/of/*"}, Ticket: "C-1", Reason: "planned-work", From: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)})
	for range 2 {
		w.ingest(act("e1", "act", "ada", 0))
	}
	w.to(61 * minutes)
	w.ingest(deep(act("e2", "act", "bob", 61*minutes)))
	if w.alarms() != 0 || w.of(record.Case, "suppression") != 1 || w.of(record.Case, "change") != 1 || w.of(record.Waiver, "suppression") != 1 {
		t.Errorf("%d alarms, records %v", w.alarms(), w.order)
	}
	for _, id := range []string{x.ID, change.ID} {
		if n, err := w.Uses(t.Context(), id); err != nil || n != 1 {
			t.Errorf("%d uses, %v", n, err)
		}
	}
	w.ingest(deep(act("e3", "act", "bob", 59*minutes))) // before the window
	w.ingest(act("e0", "act", "ada", -minutes))         // before it was agreed
	if w.alarms() != 2 {
		t.Errorf("%d alarms of what is not covered", w.alarms())
	}
	if _, err := w.End(t.Context(), x.ID, w.person("sue"), w.now()); err != nil {
		t.Error(err)
	}
	w.to(3 * time.Hour)
	w.ingest(act("e4", "act", "ada", 3*time.Hour))
	w.ingest(deep(act("e5", "act", "bob", 3*time.Hour)))
	if w.alarms() != 4 {
		t.Errorf("%d alarms after the exceptions", w.alarms())
	}
}

func TestExceptionsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"one": ruled("act", "", "justify: actor"), "worst": ruled("look", "", `justify: actor, cases: [{when: "true", severity: critical}]`)})
	good := Request{Kind: Suppression, Scope: Scope{Rule: "one", Actor: "ada@firm.example"}, Reason: "known-noise", Until: noon.Add(24 * time.Hour)}
	change := Request{Kind: ChangeWindow, Scope: Scope{Actor: "ada@firm.example", Resource: "things/of/*"}, Ticket: "C-1", Reason: "planned-work", Until: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		who  string
		q    Request
		edit func(q *Request)
		want string
	}{
		"no role":           {"ada", good, func(*Request) {}, "role_missing"},
		"own matter":        {"sam", good, func(q *Request) { q.Scope.Actor = "sam@firm.example" }, "own_matter"},
		"no rule":           {"sam", good, func(q *Request) { q.Scope.Rule = "" }, "scope_invalid"},
		"unknown rule":      {"sam", good, func(q *Request) { q.Scope.Rule = "two" }, "rule_unknown"},
		"all of a rule":     {"sam", good, func(q *Request) { q.Scope.Actor = "" }, "scope_invalid"},
		"everything":        {"sam", good, func(q *Request) { q.Scope.Actor, q.Scope.Resource = "", "*" }, "scope_invalid"},
		"critical by actor": {"sam", good, func(q *Request) { q.Scope.Rule = "worst" }, "scope_invalid"},
		"reason":            {"sam", good, func(q *Request) { q.Reason = "x" }, "reason_invalid"},
		"note":              {"sam", good, func(q *Request) { q.Note = "a\nb" }, "note_invalid"},
		"too long":          {"sam", good, func(q *Request) { q.Until = noon.Add(91 * 24 * time.Hour) }, "until_invalid"},
		"no ticket":         {"sam", change, func(q *Request) { q.Ticket = "" }, "ticket_invalid"},
		"no resource":       {"sam", change, func(q *Request) { q.Scope.Resource = "" }, "scope_invalid"},
	} {
		c.edit(&c.q)
		if _, err := w.Except(t.Context(), c.q, w.person(c.who), w.now()); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	x, err := w.Except(t.Context(), good, w.person("sam"), w.now())
	again, _ := w.Except(t.Context(), good, w.person("sam"), w.now())
	if err != nil || again.ID != x.ID {
		t.Fatal(err)
	}
	if n, to := w.notices(notice.ExceptionAsked); n != 1 || titles(to) != "dan sue" {
		t.Errorf("told %d %v", n, to)
	}
	for who, want := range map[string]string{"sam": "exception_self", "ada": "role_missing"} {
		if _, err := w.Approve(t.Context(), x.ID, w.person(who), w.now()); code(err) != want {
			t.Errorf("%s approves: %v", who, err)
		}
	}
	w.ingest(act("e1", "act", "ada", 0))
	if w.alarms() != 1 {
		t.Error("it counts before it is approved")
	}
	w.to(8 * 24 * time.Hour)
	if _, err := w.Approve(t.Context(), x.ID, w.person("dan"), w.now()); code(err) != "exception_decided" {
		t.Errorf("too late: %v", err)
	}
}
