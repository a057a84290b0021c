package runerasure

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/planerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/datamap"
	"ostiary.internal/shared/erasure/ledger"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
)

const me = "runerasure"

func newWorld(t testing.TB) *erasuretest.World {
	t.Helper()
	return erasuretest.New(t, nil, planerasure.Function, Function)
}

// TestLedger: before anybody is erased she stands in the ledger, by the ids nobody else can have; while it cannot be written,
// she is not erased.
func TestLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutSecret(parts.SecretLedger, []byte("malformed"))
	w.Restart()
	asked := w.Ask("planerasure", erasuretest.Nord)
	brought := map[string]int{}
	for range 5 {
		for topic, function := range map[string]string{request.TopicPlan: "planerasure", request.TopicRun: me} {
			for _, m := range w.Published(topic)[brought[topic]:] {
				brought[topic]++
				w.Event(t, function, functiontest.Push(function, m)) // whatever it is answered
			}
		}
	}
	if r := w.Request(asked.ID); r.State.Answered() || !strings.Contains(w.Export(erasuretest.Nord), erasuretest.Bruno) {
		t.Fatalf("without a ledger: %s", r.State)
	}
	secret := []byte(strings.Repeat("k", 40))
	w.PutSecret(parts.SecretLedger, append([]byte("1 "), secret...))
	w.Restart()
	for range 9 { // nobody is called again at once; the next search is an hour later
		w.Pass("planerasure", 11*time.Minute, 11*time.Minute)
	}
	if r := w.Request(asked.ID); r.State != request.Retained || strings.Contains(w.Export(erasuretest.Nord), erasuretest.Bruno) {
		t.Fatalf("with one: %s, %+v", r.State, r.Outcome)
	}
	book, err := ledger.New(w.Raw("ledger"), ledger.LeastKeep, ledger.Key{Version: "1", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tenant, kind, id string
		want             bool
	}{
		{erasuretest.Nord, "uid", erasuretest.BrunoUID, true}, {erasuretest.Nord, "customer_id", "c-1002", true},
		{erasuretest.Sud, "uid", erasuretest.BrunoUID, false}, {erasuretest.Nord, "uid", "u1", false},
	} {
		if got, err := book.Match(t.Context(), ledger.Subject{Tenant: c.tenant, Role: datamap.Controller, Kind: c.kind, ID: c.id}, functiontest.Start); err != nil || got != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

// TestBudget: a call ends in its time, and asks for the rest by a message of its own.
func TestBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.Ask("planerasure", erasuretest.Nord)
	w.OnData(func() { w.Advance(t, 45*time.Second) }) // a call of a store takes a good part of the four minutes
	w.Deliver(t)
	w.OnData(nil)
	for range 4 {
		w.Pass("planerasure", 11*time.Minute, 11*time.Minute)
	}
	plans, runs := len(w.Published(request.TopicPlan)), len(w.Published(request.TopicRun))
	if r := w.Request(asked.ID); r.State != request.Retained || plans < 10 || runs < 3 {
		t.Errorf("%s after %d messages to plan and %d to erase", r.State, plans, runs)
	}
}

// TestTwice: a message that comes twice, or for what is done already, erases nothing more and says nothing more.
func TestTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.Ask("planerasure", erasuretest.Nord)
	w.Deliver(t)
	before, records := w.Request(asked.ID), len(w.Records(t))
	for _, m := range w.Published(request.TopicRun) {
		for range 2 {
			w.Event(t, me, functiontest.Push(me, m)).Want(t, 204, "")
		}
	}
	if after := w.Request(asked.ID); after.Totals != before.Totals || after.Rev != before.Rev || len(w.Records(t)) != records || before.Totals.Erased == 0 {
		t.Errorf("%+v, then %+v", before.Totals, after.Totals)
	}
}

// TestGate: nobody but the function's own invoker brings messages; one that cannot be read is set aside with a record; while
// the database or a key is away it comes again.
func TestGate(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	s, _ := erasuretest.Setup(t, nil, Function)
	functiontest.MachineGate(t, s, &seen, me, functiontest.Request{Method: "POST", Path: "/runerasure/events"})
	w := newWorld(t)
	push := func(data string) functiontest.Answer {
		return w.Event(t, me, functiontest.Push(me, functiontest.Published{Topic: request.TopicRun, At: w.Clock.Now(), Message: bus.Message{Data: []byte(data), Attributes: map[string]string{bus.AttributeID: data}}}))
	}
	push(`"nothing"`).Want(t, 204, "")
	gaps := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Gap && r.Control == me {
			gaps++
		}
	}
	if gaps != 1 {
		t.Errorf("%d records of what could not be read", gaps)
	}
	asked := w.Ask("planerasure", erasuretest.Nord)
	w.Deliver(t)
	for name, part := range map[string]*functiontest.Switch{"store": &w.Store, "secrets": &w.Secrets} {
		w.Restart()
		part.Down()
		if got := push(`{"v":1,"request":"` + asked.ID + `"}`).Status; got != 503 {
			t.Errorf("without the %s a message is answered %d", name, got)
		}
		part.Up()
	}
	if len(w.Routes(me)) != 1 {
		t.Errorf("routes: %+v", w.Routes(me))
	}
}

// TestNeedsLedger: without a ledger nothing starts.
func TestNeedsLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, err := parts.New(w.Deps(me))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Engine(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("an engine that erases without a ledger: %v", err)
	}
}
