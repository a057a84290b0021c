package tickbreach

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/breach/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
)

const me = "tickbreach"

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

// world is the function with the control's services as another instance has them.
type world struct {
	*functiontest.World
	parts *parts.Parts
	t     testing.TB
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: functiontest.New(t, setup), t: t}
	w.again()
	return w
}

// again builds everything anew, as after a death.
func (w *world) again() {
	w.t.Helper()
	w.Restart()
	p, err := parts.New(w.Deps(me))
	if err != nil {
		w.t.Fatal(err)
	}
	w.parts = p
}

// all are the cases, newest first, with their texts.
func (w *world) all() (found []cases.Read) {
	w.t.Helper()
	if err := w.parts.Every(w.t.Context(), func(c cases.Case) error {
		read, err := w.parts.Cases.Get(w.t.Context(), c.ID)
		found = append(found, read)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return found
}

func (w *world) do(id, who string, e cases.Event, text string) cases.Case {
	w.t.Helper()
	p, _ := w.Policy.PersonByID(who)
	c, err := w.parts.Cases.Do(w.t.Context(), id, p, e, cases.Words{Text: text}, w.Clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// pass lets time pass, with the schedule.
func (w *world) pass(whole, step time.Duration) {
	w.t.Helper()
	for range whole / step {
		w.Advance(w.t, step)
		w.Tick(w.t, me).Want(w.t, 204, "")
	}
}

func (w *world) push(topic, data string) functiontest.Answer {
	w.t.Helper()
	return w.Event(w.t, me, functiontest.Push(me, functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: []byte(data), Attributes: map[string]string{bus.AttributeID: "k"}}}))
}

func suspected(episode string, round int, why string, tenants ...string) string {
	data, err := json.Marshal(map[string]any{
		"tenants": append([]string{}, tenants...), "v": 1, "episode": episode, "round": round, "rule": "impersonation-burst", "why": why, "severity": "high", "person": "camila", "actor_kind": "person", "promises": []string{"D36"},
		"first": functiontest.Start.Add(-time.Hour), "at": functiontest.Start.Add(-time.Minute), "revoke": why == "not_me",
	})
	if err != nil {
		panic(err) // texts and times
	}
	return string(data)
}

// TestSuspicion: what the log watch suspects is looked into once, however often it says so; it is no breach, and nobody
// outside hears of it. What comes after the case was closed is another case.
func TestSuspicion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		w.push(topicSuspicion, suspected("abcdefgh2345", 1, "silence")).Want(t, 204, "")
	}
	w.push(topicSuspicion, suspected("abcdefgh2345", 2, "not_me")).Want(t, 204, "") // more of what is looked into
	found := w.all()
	if len(found) != 1 {
		t.Fatalf("%d cases", len(found))
	}
	c := found[0]
	if len(c.Signals) != 2 || !strings.Contains(c.Text(c.Signals[1].Text), "Fermez les sessions") || c.Ladder.Calls != 2 || !slices.Equal(c.About, []string{"camila"}) {
		t.Errorf("that it was somebody else: %+v, %+v, about %v", c.Signals, c.Ladder, c.About)
	}
	if c.State != cases.Suspected || c.Source != "episode/abcdefgh2345" || c.By != "" || !c.Times.OccurredFrom.Equal(functiontest.Start.Add(-time.Hour)) || !c.Times.Aware.IsZero() {
		t.Errorf("the case is %+v", c.Case)
	}
	if text := c.Text(c.Summary); !strings.Contains(text, "impersonation-burst") || !strings.Contains(text, "Camila Soto") || !strings.Contains(text, "personne n’a répondu") {
		t.Errorf("it says %q", text)
	}
	called := map[string]bool{}
	for _, p := range w.Published(message.TopicRequested) {
		var r message.Request
		if err := json.Unmarshal(p.Message.Data, &r); err != nil || r.Kind != message.Staff {
			t.Errorf("%+v, %v", r, err)
		}
		called[r.Person] = true
	}
	if delete(called, ""); len(called) != 2 || !called["stefan"] || !called["omkar"] { // nobody is the room of the chat
		t.Errorf("called: %v", called)
	}
	w.do(c.ID, "simone", cases.Event{What: cases.Answer, Subject: cases.Breach}, "A test of the support team.")
	if c := w.do(c.ID, "dorothea", cases.Event{What: cases.Answer, Subject: cases.Breach}, "A test of the support team."); c.State != cases.Closed {
		t.Fatalf("the case is %s", c.State)
	}
	w.Advance(t, time.Minute)
	w.push(topicSuspicion, suspected("abcdefgh2345", 1, "silence")).Want(t, 204, "") // late, and taken before
	for range 2 {
		w.push(topicSuspicion, suspected("abcdefgh2345", 3, "not_me")).Want(t, 204, "")
	}
	if found = w.all(); len(found) != 2 || found[0].State != cases.Suspected || !strings.Contains(found[0].Text(found[0].Summary), "Fermez les sessions") {
		t.Errorf("%d cases, the newest: %+v", len(found), found[0])
	}
	w.push(topicSuspicion, suspected("abcdefgh2345", 4, "silence")).Want(t, 204, "")
	if found = w.all(); len(found) != 2 || len(found[0].Signals) != 2 {
		t.Errorf("%d cases: a third suspicion belongs to the one that is looked into: %+v", len(found), found[0].Signals)
	}
}

// TestSuspicionOfTenants: the customers whose data it is about are on the case, and those it names later too; nobody has
// decided about them. Of a customer who left meanwhile there is nothing to decide.
func TestSuspicionOfTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		w.push(topicSuspicion, suspected("abcdefgh2345", 1, "silence", "cabinet-nord", "gone", "klinik-am-see")).Want(t, 204, "")
	}
	w.push(topicSuspicion, suspected("abcdefgh2345", 2, "refused", "cabinet-nord", "cabinet-sud")).Want(t, 204, "")
	found := w.all()
	if len(found) != 1 {
		t.Fatalf("%d cases", len(found))
	}
	var ids []string
	for _, track := range found[0].Tracks {
		ids = append(ids, track.ID)
		if track.Role != cases.Processor || track.People.How != cases.Unknown || !track.Told.IsZero() {
			t.Errorf("the track is %+v", track)
		}
	}
	if !slices.Equal(ids, []string{"cabinet-nord", "klinik-am-see", "cabinet-sud"}) || found[0].State != cases.Suspected || !found[0].Undescribed() {
		t.Errorf("the case is about %q, %s, said by somebody: %v", ids, found[0].State, !found[0].Undescribed())
	}
	// Somebody looks and says that it is all, until the log names another one.
	if c := w.do(found[0].ID, "stefan", cases.Event{What: cases.Describe}, ""); c.Undescribed() {
		t.Error("nobody has said whose data it is, although she did")
	}
	w.push(topicSuspicion, suspected("abcdefgh2345", 3, "silence", "cabinet-nord")).Want(t, 204, "")
	if w.all()[0].Undescribed() {
		t.Error("the same customer again is asked for again")
	}
	w.push(topicSuspicion, suspected("abcdefgh2345", 4, "silence", "banque-du-port")).Want(t, 204, "")
	if c := w.all()[0]; !c.Undescribed() || len(c.Tracks) != 4 {
		t.Errorf("another customer: %d tracks, asked for %v", len(c.Tracks), c.Undescribed())
	}
}

// TestUnread: what nobody can understand is set aside with a record, once, and begins nothing.
func TestUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := suspected("abcdefgh2345", 1, "silence")
	for _, body := range []string{
		"", "null", "[]", "{}", `"x"`, good[:len(good)-1], strings.Replace(good, `"v":1`, `"v":2`, 1), strings.Replace(good, `"round":1`, `"round":0`, 1), strings.Replace(good, `"v":1`, `"v":1,"more":1`, 1),
		strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1), strings.Replace(good, "abcdefgh2345", strings.Repeat("a", 65), 1), strings.Replace(good, "abcdefgh2345", "", 1), strings.Replace(good, `"first"`, `"First"`, 1),
		suspected("abcdefgh2345", 1, "silence", make([]string, maxTenants+1)...),
	} {
		w.push(topicSuspicion, body).Want(t, 204, "")
		w.push(topicSuspicion, body).Want(t, 204, "")
	}
	gaps := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Gap && r.Result.State == record.Undetermined {
			gaps++
		}
	}
	if gaps != 14 || len(w.all()) != 0 {
		t.Errorf("%d gaps and %d cases", gaps, len(w.all()))
	}
}

// TestClocks: the schedule calls people up the ladder, tells of clocks, and puts on record that one ran out; the word of
// the control says so until it is in order again. An exercise does the same, and proves nothing.
func TestClocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pass(time.Minute, time.Minute)
	declared := map[bool]string{}
	for _, exercise := range []bool{false, true} {
		simone, _ := w.Policy.PersonByID("simone")
		c, _, err := w.parts.Cases.Declare(t.Context(), simone, cases.Declaration{
			Client: fmt.Sprint(exercise), Breach: true, Exercise: exercise, Summary: "A backup lay open.", Tracks: []cases.Track{{ID: "banque-du-port", Role: cases.Processor, People: cases.Count{How: cases.Unknown}, Records: cases.Count{How: cases.Unknown}}},
		}, w.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		declared[exercise] = c.ID
	}
	w.do(declared[true], "stefan", cases.Event{What: cases.Ack, Step: "oncall"}, "")
	w.pass(2*time.Hour, 10*time.Minute)
	kinds := func() map[string]int {
		all := map[string]int{}
		for id, r := range w.Records(t) {
			if w.Writer(id) != me {
				t.Errorf("a record lies in the place of %s", w.Writer(id))
			}
			all[string(r.Kind)+" "+r.Facts["event"]]++
			if r.Kind == record.Run {
				all["run "+string(r.Result.State)]++
			}
		}
		return all
	}
	if got := kinds(); got["finding nobody_reachable"] != 1 || got["run broken"] != 0 || got["run kept"] == 0 || got["drill ack_expired"] == 0 {
		t.Errorf("on record: %v", got)
	}
	w.pass(24*time.Hour, time.Hour)
	if got := kinds(); got["finding clock"] != 1 || got["drill clock"] == 0 || got["run broken"] == 0 {
		t.Errorf("a day later: %v", got)
	}
	w.do(declared[false], "dorothea", cases.Event{What: cases.Answer, Subject: "banque-du-port"}, "Its data was not in it.")
	w.do(declared[false], "simone", cases.Event{What: cases.Answer, Subject: "banque-du-port"}, "Its data was not in it.")
	broken := kinds()["run broken"]
	w.pass(time.Hour, 15*time.Minute)
	if got := kinds(); got["remediation clock"] != 1 || got["run broken"] != broken {
		t.Errorf("when it is decided: %v", got)
	}
}

// TestOff: a company that decided nothing about breaches declares none; what its messages leave behind is sent on.
func TestOff(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: setup.Functions, Policy: map[string]string{"breach.yaml": ""}})
	w.Bus.Down()
	if err := w.Deps(me).Box.Commit(t.Context(), func(_ store.Tx, b *outbox.Batch) error {
		return b.Message(message.TopicAccepted, "k", message.Answer{V: 1, Key: "k"})
	}); err != nil {
		t.Fatal(err)
	}
	w.Bus.Up()
	w.Event(t, me, functiontest.Push(me, functiontest.Published{Topic: topicSuspicion, At: w.Clock.Now(), Message: bus.Message{Data: []byte(suspected("abcdefgh2345", 1, "silence"))}})).Want(t, 204, "")
	w.Advance(t, 5*time.Minute)
	w.Tick(t, me).Want(t, 204, "")
	if w.Pending(t, me) != 0 || len(w.Published(message.TopicAccepted)) != 1 || len(w.State(t)) != 0 {
		t.Errorf("left: %v", w.State(t))
	}
}

// TestMachine: nobody but the function's own invoker is let in.
func TestMachine(t *testing.T) {
	t.Parallel()
	functiontest.MachineGate(t, setup, &functiontest.Coverage{}, me, functiontest.Request{Method: "POST", Path: "/" + me + "/tick"}, functiontest.Request{Method: "POST", Path: "/" + me + "/events", Body: functiontest.Push(me, functiontest.Published{
		Topic: topicSuspicion, At: functiontest.Start, Message: bus.Message{Data: []byte(suspected("abcdefgh2345", 1, "silence"))},
	})})
}
