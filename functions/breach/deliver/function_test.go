package deliver

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/seal"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	name = "deliver"
	emma = "emma.dubois@sharedcontacts.example"
)

// request is a request as another function's outbox holds it, sealed by that function's right to the key.
func request(t testing.TB, w *functiontest.World, key string, kind message.Kind, person string) string {
	t.Helper()
	dataKey, err := seal.NewDataKey(t.Context(), w.Key("message"), rand.Reader, message.Bound())
	if err != nil {
		t.Fatal(err)
	}
	r := message.Request{Key: key, Kind: kind, Person: person, Channel: message.Mail, Language: "fr"}
	if r, err = r.Seal(dataKey, rand.Reader, message.Content{Subject: "Sujet", Text: "Le texte de " + key}); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func push(data string) string {
	return functiontest.Push(name, functiontest.Published{Topic: message.TopicRequested, At: functiontest.Start, Message: bus.Message{Data: []byte(data),
		Attributes: map[string]string{bus.AttributeID: "k", bus.AttributeTime: functiontest.Start.Format(time.RFC3339Nano)}}})
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	asked := push(request(t, w, "k1", message.Staff, "emma"))
	for range 2 { // delivered twice, sent once
		w.Event(t, name, asked).Want(t, 204, "")
	}
	sent := w.Mail(t)
	if len(sent) != 1 || sent[0].To != emma || sent[0].Subject != "Sujet" || sent[0].Text != "Le texte de k1" {
		t.Fatalf("sent %+v", sent)
	}
	answers := w.Published(message.TopicAccepted)
	var answer message.Answer
	if len(answers) != 1 || json.Unmarshal(answers[0].Message.Data, &answer) != nil || answer.Key != "k1" || answer.State != message.StateAccepted || answer.Attempts != 1 {
		t.Errorf("answered %v", answers)
	}
	before := w.State(t)
	w.Tick(t, name).Want(t, 204, "")
	w.Unchanged(t, before)
	if strings.Contains(fmt.Sprint(before), "Le texte") || strings.Contains(fmt.Sprint(before), emma) {
		t.Error("the store holds the text or the address of a message")
	}
}

// states are what the evidence says of each attempt, by number.
func states(t *testing.T, w *functiontest.World) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, r := range w.Records(t) {
		if r.Kind != record.Case || r.Control != "alert-route" || r.Config == "" {
			t.Errorf("record %+v", r)
		}
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "emma") || strings.Contains(string(data), "texte") {
			t.Errorf("a record names somebody or quotes: %s", data)
		}
		found[r.Facts["state"]+"/"+r.Facts["outcome"]]++
	}
	return found
}

// TestShown: whoever holds the salt the store keeps can show which text went to which address; the evidence holds neither it
// nor them.
func TestShown(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Event(t, name, push(request(t, w, "k1", message.Customer, "emma"))).Want(t, 204, "")
	var salt []byte
	for key, fields := range w.State(t) {
		if written, is := fields["salt"].(string); is && strings.Contains(key, "/"+message.Deliveries+"/") {
			salt, _ = base64.StdEncoding.DecodeString(written)
		}
	}
	found := slices.Collect(maps.Values(w.Records(t)))
	if len(salt) < 16 || len(found) != 1 {
		t.Fatalf("a salt of %d bytes, %d records", len(salt), len(found))
	}
	want := []record.Subject{{Type: "recipient", C: record.Commitment(salt, "recipient", emma)}, {Type: "content", C: record.Commitment(salt, "content", "Sujet\nLe texte de k1")}}
	if !slices.Equal(found[0].Subjects, want) {
		t.Errorf("%+v, want %+v", found[0].Subjects, want)
	}
	if data, err := found[0].Canonical(); err != nil || strings.Contains(string(data), base64.StdEncoding.EncodeToString(salt)) {
		t.Errorf("%s, %v", data, err)
	}
}

// TestNobodyIsGuessed: what the evidence of a message is called cannot be tried, however well its key is known.
func TestNobodyIsGuessed(t *testing.T) {
	t.Parallel()
	events := map[string]bool{}
	for range 2 {
		w := functiontest.New(t, setup)
		w.Event(t, name, push(request(t, w, "k1", message.Staff, "emma"))).Want(t, 204, "")
		for _, r := range w.Records(t) {
			if events[r.Source.Event] {
				t.Error("two lives of one key have the same evidence")
			}
			events[r.Source.Event] = true
		}
	}
	if len(events) != 2 {
		t.Errorf("%d events", len(events))
	}
}

// TestRefusedForADay: a message that is refused until its time is up is recorded at every attempt and at its end, and
// the outbox is empty then.
func TestRefusedForADay(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Channel.Down()
	w.Event(t, name, push(request(t, w, "k1", message.Staff, "emma"))).Want(t, 204, "")
	for range 30 {
		w.Advance(t, time.Hour+16*time.Minute)
		w.Tick(t, name).Want(t, 204, "")
	}
	found := states(t, w)
	if found["planned/deferred"] < 10 || found["dead/"]+found["dead/deferred"] != 1 {
		t.Errorf("recorded %v", found)
	}
	if n := w.Pending(t, name); n != 0 || len(w.Published(message.TopicFailed)) != 1 || len(w.Mail(t)) != 0 {
		t.Errorf("%d entries wait, %d answers, %d mails", n, len(w.Published(message.TopicFailed)), len(w.Mail(t)))
	}
}

// TestAfterASilentDay: nobody ran for a day; the end is recorded beside the attempt before it.
func TestAfterASilentDay(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Channel.Down()
	w.Event(t, name, push(request(t, w, "k1", message.Staff, "emma"))).Want(t, 204, "")
	w.Advance(t, 25*time.Hour)
	w.Tick(t, name).Want(t, 204, "")
	w.Advance(t, time.Hour)
	w.Tick(t, name).Want(t, 204, "")
	if found := states(t, w); fmt.Sprint(found) != "map[dead/:1 planned/deferred:1]" || w.Pending(t, name) != 0 {
		t.Errorf("recorded %v, %d entries wait", found, w.Pending(t, name))
	}
}

// TestRecipients: nobody, a stranger and a message that does not open end at once, and say so.
func TestRecipients(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	moved := strings.Replace(request(t, w, "k3", message.Staff, "emma"), `"person":"emma"`, `"person":"asha"`, 1)
	for key, data := range map[string]string{"k1": request(t, w, "k1", message.Staff, "nobody"), "k3": moved} {
		w.Event(t, name, push(data)).Want(t, 204, "")
		if n := len(w.Mail(t)); n != 0 {
			t.Errorf("%s was sent", key)
		}
	}
	if failed := w.Published(message.TopicFailed); len(failed) != 2 {
		t.Errorf("%d answers", len(failed))
	}
	if found := states(t, w); found["failed/failed"] != 2 {
		t.Errorf("recorded %v", found)
	}
}

// TestCustomer: a customer's message whose worker died may have been sent: it is not sent again.
func TestCustomer(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	asked := push(request(t, w, "k1", message.Customer, "emma"))
	w.Channel.Panic("died while sending")
	if got := w.Event(t, name, asked); got.Status != 500 {
		t.Errorf("answered %d", got.Status)
	}
	w.Channel.Up()
	w.Restart()
	w.Event(t, name, asked).Want(t, 204, "")
	w.Advance(t, time.Hour)
	w.Tick(t, name).Want(t, 204, "")
	if len(w.Mail(t)) != 0 || len(w.Published(message.TopicUnknown)) != 1 {
		t.Errorf("%d mails, %d answers unknown", len(w.Mail(t)), len(w.Published(message.TopicUnknown)))
	}
	if found := states(t, w); found["unknown/unknown"] != 1 {
		t.Errorf("recorded %v", found)
	}
}

// TestOutages: while the store does not answer a push is not acknowledged; everything else is the schedule's to repeat.
func TestOutages(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	asked := push(request(t, w, "k1", message.Staff, "emma"))
	for _, kind := range []fault.Kind{fault.Transient, fault.Denied, fault.Misconfigured} {
		w.Store.Fail(fault.New(kind, "an injected failure"))
		if got := w.Event(t, name, asked); got.Status != 503 {
			t.Errorf("%s: the event is answered %d", kind, got.Status)
		}
		if got := w.Tick(t, name); got.Status < 500 {
			t.Errorf("%s: the schedule is answered %d", kind, got.Status)
		}
	}
	w.Store.Up()
	w.MessageKey.Down()
	w.Bus.Down()
	w.Inbox.Down()
	w.Event(t, name, asked).Want(t, 204, "")
	if len(w.Mail(t)) != 0 || w.Pending(t, name) != 1 {
		t.Errorf("%d mails, %d entries wait", len(w.Mail(t)), w.Pending(t, name))
	}
	w.MessageKey.Up()
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, 10*time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	if n := w.Pending(t, name); n == 0 {
		t.Error("the schedule sweeps the outbox, which is tickbreach's")
	}
	if _, err := w.Deps(name).Box.Sweep(t.Context()); err != nil { // as tickbreach does
		t.Error(err)
	}
	if len(w.Mail(t)) != 1 || w.Pending(t, name) != 0 || len(w.Published(message.TopicAccepted)) != 1 {
		t.Errorf("%d mails, %d entries wait, %d answers", len(w.Mail(t)), w.Pending(t, name), len(w.Published(message.TopicAccepted)))
	}
}

// TestMany: one run of the schedule ends, however many deliveries wait.
func TestMany(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Channel.Down()
	for i := range 120 {
		w.Event(t, name, push(request(t, w, fmt.Sprint("k", i), message.Staff, "emma"))).Want(t, 204, "")
	}
	w.Advance(t, time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	w.Channel.Up()
	w.Advance(t, 3*time.Minute)
	w.Tick(t, name).Want(t, 204, "")
	if n := len(w.Mail(t)); n != 120 {
		t.Errorf("%d of 120 sent", n)
	}
}

// TestUndecodable: what is no request is recorded once, acknowledged each time, and sends nothing.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	good := request(t, w, "k1", message.Staff, "emma")
	bodies := []string{
		"", push(""), push("[]"), push("{}"), push(`{"v":2,"key":"k","kind":"staff","channel":"mail"}`),
		push(strings.Replace(good, `"kind":"staff"`, `"kind":"everybody"`, 1)), push(strings.Replace(good, `"key":"k1"`, `"key":""`, 1)),
		push(strings.Replace(good, `"channel":"mail"`, `"channel":""`, 1)), strings.Replace(push(good), message.TopicRequested, "lease.changed", 1),
	}
	before := w.State(t)
	for i, body := range bodies {
		for range 2 {
			w.Event(t, name, body).Want(t, 204, "")
			w.Advance(t, time.Second)
		}
		if n := len(w.Records(t)); n != i+1 {
			t.Errorf("%d records after %d undecodable events", n, i+1)
		}
	}
	w.Unchanged(t, before)
	if len(w.Mail(t)) != 0 {
		t.Error("something was sent")
	}
}

func TestCallers(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	functiontest.MachineGate(t, setup, &seen, name, functiontest.Request{Method: "POST", Path: "/deliver/events", Body: push("{}")},
		functiontest.Request{Method: "POST", Path: "/deliver/tick"})
	w := functiontest.New(t, setup)
	w.Issuer.Down()
	seen.Saw(w.Tick(t, name)).Want(t, 503, "unavailable")
	seen.Saw(w.Event(t, name, push("{}"))).Want(t, 503, "unavailable")
	seen.Complete(t, name, w.Routes(name))
}

func FuzzRequest(f *testing.F) {
	w := functiontest.New(f, setup)
	token := w.Invoker(name)
	f.Add([]byte(request(f, w, "k1", message.Staff, "emma")))
	f.Add([]byte(`{"v":1,"key":"k","kind":"staff","channel":"mail","body":{"v":1}}`))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		w.Forget()
		if got := w.Call(t, functiontest.Request{Method: "POST", Path: "/deliver/events", Body: push(string(data)), Token: token}); got.Status != 204 {
			t.Errorf("answered %d", got.Status)
		}
	})
}

// TestRestored: what a customer was to be sent before the database was put back from a backup is not sent: a person is asked.
func TestRestored(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../testdata/policies/sharedcontacts/breach.yaml")
	if err != nil {
		t.Fatal(err)
	}
	at := functiontest.Start.Add(time.Minute).Format(time.RFC3339)
	w := functiontest.New(t, functiontest.Setup{Functions: setup.Functions, Policy: map[string]string{"breach.yaml": string(data) + "restored: " + at + "\n"}})
	w.Event(t, name, push(request(t, w, "k1", message.Customer, "emma"))).Want(t, 204, "")
	w.Event(t, name, push(request(t, w, "k2", message.Staff, "emma"))).Want(t, 204, "")
	if sent := w.Mail(t); len(sent) != 1 || sent[0].Text != "Le texte de k2" || len(w.Published(message.TopicUnknown)) != 1 {
		t.Errorf("sent %+v, %d in doubt", sent, len(w.Published(message.TopicUnknown)))
	}
}
