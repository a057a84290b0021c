package request

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// standing is a request in a state, with what belongs to it there.
func standing(t testing.TB, s State) Request {
	t.Helper()
	rules, err := rulesOf(t).complete()
	if err != nil {
		t.Fatal(err)
	}
	r := Request{
		V: 1, ID: "aaaaaaaaaaaaaaaa", Number: "bbbbbbbbbbbb", Nonce: "cccccccccccccccccccc", State: s, Kind: Person, Channel: Page, Requester: Subject, Tenant: "acme", Language: "en",
		Received: noon.Add(-time.Hour), Entered: noon.Add(-time.Hour), Active: noon.Add(-time.Minute), Private: &seal.Envelope{V: 1, Sealed: []byte("sealed")},
	}
	if r.Deadline, err = rules.deadline(r, calendar.Day{}); err != nil {
		t.Fatal(err)
	}
	at := slices.Index(States(), s)
	reached := func(o State) bool { return at >= slices.Index(States(), o) }
	switch s {
	case Received:
		return r
	case IdentityPending:
		r.Known, r.Address = true, "address"
		return r
	}
	r.Proof, r.Proved, r.Marks, r.Round = ByLink, noon.Add(-30*time.Minute), []string{"mark"}, 1
	hold := Hold{ID: "h1", Entry: "invoices", Ground: Statute, Citation: "§ 257 HGB", Until: calendar.Day{Year: 2030, Month: 12, Day: 31}, By: "x", Second: "y"}
	if reached(AwaitingApproval) {
		p := plan()
		p.Review, p.Look = 3, []Look{{Entry: "chats", Items: 3}}
		r.Plan = &p
	}
	switch s {
	case Approved, Executing, Verifying, Completed, Retained, Partial:
		r.By, r.Decided, r.After = "dora", noon.Add(-20*time.Minute), noon.Add(-20*time.Minute)
	}
	switch s {
	case Executing:
		r.Begun = true
	case Verifying:
		r.Begun, r.Executed, r.Ran = true, noon.Add(-5*time.Minute), noon.Add(-5*time.Minute)
	case Completed, Retained, Partial:
		r.Begun, r.Executed, r.Ran, r.Passed, r.Answered = true, noon.Add(-5*time.Minute), noon.Add(-5*time.Minute), 1, s
		r.Pass = r.Ran.Add(time.Hour)
	case Forwarding:
		r.Holds = nil
	case Blocked:
		r.Why, r.Frozen = LastOwner, true
	}
	switch s {
	case Completed:
		r.Receipts, r.Called = 1, noon.Add(-time.Minute)
	case Retained:
		r.Receipts, r.Made = 1, 1
		r.Holds, r.Outcome.Kept = []Hold{hold}, []Kept{{Entry: "invoices", Items: 1, Ground: Statute, Citation: "§ 257 HGB", Until: hold.Until}}
	case Partial:
		r.Why, r.Answered, r.Outcome.Open = Left, "", []Open{{Entry: "chats", Why: "unreachable"}}
	case Planning, AwaitingApproval, Approved, Executing, Blocked:
		r.Holds = []Hold{hold}
	case NotEstablished, Cancelled, Rejected, Forwarded:
		d := &deciding{Request: r, now: noon.Add(-time.Minute), rules: rules}
		d.Answered = s
		d.close()
		r = d.Request
		if s == Cancelled {
			r.Why = Withdrawn
		}
		if s == Rejected {
			r.Refusal = &Refusal{Ground: Excessive, By: "dora", Second: "dan"}
		}
	}
	return r
}

// happening is an event as it comes where it belongs.
func happening(what What) Event {
	p := plan()
	e := Event{What: what, Round: 1}
	switch what {
	case Looked:
		e.Known, e.Address, e.Send = true, "address", true
	case Renewed:
		e.Send = true
	case Proved:
		e.Proof, e.Used, e.Marks = ByLink, "h", []string{"mark"}
	case Duplicated:
		e.Proof, e.Used, e.Of = ByLink, "h", "dddddddddddddddd"
	case Joined:
		e.Of, e.Received, e.Private, e.Marks = "dddddddddddddddd", noon.Add(-48*time.Hour), &seal.Envelope{V: 1, Sealed: []byte("of both")}, []string{"mark", "another"}
	case Review:
		e.By, e.Look = "dan", Look{Entry: "chats", Items: 3}
	case Receipted:
		e.Pass = 1
	case Planned:
		p.Digest = "sha256:new"
		e.Plan = &p
	case Approve:
		e.By, e.Digest = "dan", p.Digest
	case Reject:
		e.By, e.Refusal = "dan", &Refusal{Ground: NotOwed}
	case HoldIt:
		e.By, e.Hold = "dan", &Hold{ID: "h2", Entry: "chats", Ground: LegalClaims, Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}
	case Release:
		e.By, e.ID = "dan", "h1"
	case Extend:
		e.By, e.Reason = "dan", Complexity
	case Started:
		e.Digest = p.Digest
	case Executed:
		e.Totals = Totals{Erased: 7}
	case Verified:
		e.Pass = 1
	case Hindered:
		e.Why = Unusable
	case Parties:
		e.Differs = true
	case PassOn:
		e.By, e.Tenant = "dan", "acme"
	case LetterLost:
		e.Letter = "completed/7"
	case GivenUp, Exported, Settle, Resume:
		e.By = "dan"
	}
	return e
}

// proposes lets the first of two people have spoken before the event.
func proposes(r Request, e Event) Request {
	switch e.What {
	case Reject:
		r.Proposed = &Proposed{What: Reject, By: "dora", At: noon, Refusal: &Refusal{Ground: NotOwed, By: "dora"}}
	case HoldIt:
		h := *e.Hold
		h.By = "dora"
		r.Proposed = &Proposed{What: HoldIt, By: "dora", At: noon, Hold: &h}
	}
	return r
}

// TestDecide: every event in every state, as testdata/decide.golden has it: the state that follows, and the effects. A line
// that says "refused" names the code, "nothing" that the request stays as it is.
func TestDecide(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	rules, err := rulesOf(t).complete()
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range Events() {
		fmt.Fprintf(&table, "%s\n", what)
		for _, s := range States() {
			e := happening(what)
			if s != Verifying && what == Verified {
				e.Pass = 2
			}
			r := proposes(standing(t, s), e)
			at := noon
			if what == Ticked {
				at = noon.Add(Idle)
			}
			before := fmt.Sprintf("%#v", r)
			after, effects, err := Decide(r, e, at, rules)
			if fmt.Sprintf("%#v", r) != before {
				t.Errorf("%s in %s changes the request it was given", what, s)
			}
			fmt.Fprintf(&table, "  %-26s %s\n", s, told(r, after, effects, err))
			if err == nil {
				soundly(t, what, s, after)
				again(t, after, e, at, rules)
			}
		}
	}
	golden(t, "decide.golden", table.String())
}

func told(before, after Request, effects []Effect, err error) string {
	if err != nil {
		return "refused " + fault.CodeOf(err)
	}
	after.DueAt, after.Next, after.Open, after.Desk, after.Shown = before.DueAt, before.Next, before.Open, before.Desk, before.Shown
	if reflect.DeepEqual(before, after) && len(effects) == 0 {
		return "nothing"
	}
	line := string(after.State)
	if after.Why != "" {
		line += " (" + string(after.Why) + ")"
	}
	for i, f := range effects {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		line += sep + f.Name()
	}
	return line
}

// soundly holds what is true of a request whatever happened.
func soundly(t *testing.T, what What, s State, r Request) {
	t.Helper()
	wrong := func(why string) { t.Errorf("%s in %s: %s: %+v", what, s, why, r) }
	switch {
	case !r.Closed.IsZero() && (r.Private != nil || len(r.Marks) > 0 || r.Address != "" || r.Expires.IsZero()):
		wrong("it is closed, and not forgotten")
	case !r.Closed.IsZero() && (r.Next != 0) != (r.Forget || r.Gather != ""):
		wrong("it is closed, and looked at for nothing, or not looked at although something is owed")
	case (r.State == Completed || r.State == Retained) && r.Receipts == 0:
		wrong("it is over, and no receipt is owed")
	case !r.Executed.IsZero() && (!r.Begun || r.Ran.Before(r.Executed)):
		wrong("it was carried out, and can be taken back")
	case r.Closed.IsZero() && r.Next == 0:
		wrong("nobody will look at it again")
	case r.Open == r.State.Answered():
		wrong("it is open and answered, or neither")
	case slices.Contains([]State{Cancelled, Rejected, Forwarded, NotEstablished}, r.State) && r.Closed.IsZero():
		wrong("it is over, and not closed")
	case (r.State == Completed || r.State == Retained) && r.Executed.IsZero():
		wrong("completed without having been carried out")
	case slices.Contains([]State{Approved, Executing, Verifying}, r.State) && (r.Plan == nil || r.Proved.IsZero()):
		wrong("carried out without a plan or a proof")
	}
}

// again: the same event once more sends nothing to anybody outside. Only to search
// again may be asked for again.
func again(t *testing.T, r Request, e Event, at time.Time, rules Rules) {
	t.Helper()
	_, effects, err := Decide(r, e, at, rules)
	if err != nil || e.What == Resume {
		return
	}
	for _, f := range effects {
		t.Errorf("%s, once more, in %s: %s", e.What, r.State, f.Name())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and read the change:\n%s", file, got)
	}
}
