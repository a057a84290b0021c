package episode

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/shared/watch/auditlog"
)

// What an exception may not ask for.
func TestTooWide(t *testing.T) {
	t.Parallel()
	rules := map[string]string{"one": rulesOne["one"], "tamper": ruled("break", "", "class: control-tamper")}
	w := newWorld(t, rules)
	for i, c := range []struct {
		scope Scope
		ok    bool
	}{
		{Scope{Rule: "one", Resource: "p*"}, false},
		{Scope{Rule: "one", Resource: "projects/*"}, false},
		{Scope{Rule: "one", Resource: "projects/shop*"}, false},
		{Scope{Rule: "one", Resource: "//a/*"}, false},
		{Scope{Rule: "one", Resource: "projects/shop/*"}, true},
		{Scope{Rule: "tamper", Resource: "projects/shop/jobs/a"}, false},
		{Scope{Rule: "tamper", Actor: "ada@firm.example", Method: "break"}, false},
		{Scope{Rule: "tamper", Actor: "ada@firm.example", Resource: "projects/shop/*"}, false},
		{Scope{Rule: "tamper", Actor: "ada@firm.example", Resource: "projects/shop/jobs/a"}, true},
	} {
		_, err := w.Except(t.Context(), Request{Kind: Suppression, Scope: c.scope, Reason: "known-noise", Until: noon.Add(time.Hour)}, w.person("sam"), w.now())
		if want := map[bool]string{true: "", false: "scope_invalid"}[c.ok]; code(err) != want {
			t.Errorf("%d %+v: %v", i, c.scope, err)
		}
	}
	// A change window of every rule lets nothing pass that touches the controls, unless it names one thing.
	w.except(Request{Kind: ChangeWindow, Scope: Scope{Actor: "ada@firm.example", Resource: "things/of/*"}, Ticket: "C-1", Reason: "planned-work", Until: noon.Add(time.Hour)})
	w.ingest(deep(act("e1", "break", "ada", 0)))
	w.ingest(deep(act("e2", "act", "ada", 0)))
	if w.only().Rule != "tamper" {
		t.Errorf("%+v", w.only().Episode)
	}
}

// Nobody hides behind an exception: neither a person who is not named, nor who agreed on it.
func TestCoversNobodyElse(t *testing.T) {
	t.Parallel()
	program := auditlog.Actor{Kind: auditlog.Service, Key: "service:run@firm.example", Email: "run@firm.example"}
	used := program
	used.Chain = []auditlog.Identity{{Kind: auditlog.Human, Email: "bob@firm.example"}}
	run := func(a auditlog.Actor) auditlog.Entry {
		e := deep(act("e1", "act", "x", 0))
		e.Actor = a
		return e
	}
	for name, c := range map[string]struct {
		scope  Scope
		e      auditlog.Entry
		covers bool
	}{
		"a program":          {Scope{Resource: "things/of/*"}, run(program), true},
		"a person, no actor": {Scope{Resource: "things/of/*"}, deep(act("e1", "act", "bob", 0)), false},
		"a person":           {Scope{Actor: "bob@firm.example"}, deep(act("e1", "act", "bob", 0)), true},
		"a program, used":    {Scope{Actor: "run@firm.example"}, run(used), false},
		"another person":     {Scope{Actor: "ada@firm.example"}, deep(act("e1", "act", "bob", 0)), false},
		"the asker of it":    {Scope{Resource: "things/of/*"}, deep(act("e1", "act", "sam", 0)), false},
		"the approver of it": {Scope{Resource: "things/of/*"}, deep(act("e1", "act", "dan", 0)), false},
	} {
		w := newWorld(t, rulesOne)
		c.scope.Rule = "one"
		w.except(Request{Kind: Suppression, Scope: c.scope, Reason: "known-noise", Until: noon.Add(time.Hour)})
		w.ingest(c.e)
		if covered := w.alarms() == 0; covered != c.covers {
			t.Errorf("%s: covered %v", name, covered)
		}
	}
}

// However many exceptions of a rule have ended, one that is in force counts.
func TestManyExceptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, rulesOne)
	ask := func(i int, until time.Duration) {
		w.except(Request{Kind: Suppression, Scope: Scope{Rule: "one", Actor: "ada@firm.example", Method: fmt.Sprint("m", i)}, Reason: "known-noise", Until: w.now().Add(until)})
	}
	for i := range 1010 {
		ask(i, time.Minute)
	}
	w.to(time.Hour)
	x := w.except(Request{Kind: Suppression, Scope: Scope{Rule: "one", Actor: "ada@firm.example"}, Reason: "known-noise", Until: w.now().Add(time.Hour)})
	w.ingest(act("e1", "act", "ada", time.Hour))
	if n, err := w.Uses(t.Context(), x.ID); w.alarms() != 0 || n != 1 || err != nil {
		t.Errorf("%d alarms, %d uses, %v", w.alarms(), n, err)
	}
}
