package planerasure

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/erasuretest"
	"ostiary.internal/functions/erasure/internal/parts"
	"ostiary.internal/functions/erasure/runerasure"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/receipt"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/erasure/survey"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/verify"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/testdata/sample"
)

const (
	me     = "planerasure"
	canary = "canary.seven@mail.example"
)

func newWorld(t testing.TB) *erasuretest.World {
	t.Helper()
	return erasuretest.New(t, nil, Function, runerasure.Function)
}

// settled sweeps what waits, and brings all messages, until nothing happens any more.
func settled(t testing.TB, w *erasuretest.World) {
	t.Helper()
	for range 3 {
		w.Deliver(t)
		w.Pass(me, time.Minute, time.Minute)
	}
}

func file(t testing.TB, w *erasuretest.World, id string) receipt.Receipt {
	t.Helper()
	signed, err := (&receipt.Book{Store: w.Raw("erasure")}).File(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got := receipt.Verify(signed, w.Trust); got.Outcome != verify.Good {
		t.Fatalf("the receipt is %+v", got)
	}
	r, err := receipt.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestForgotten: whoever asked is gone from her tenant but for what the law keeps, the twin tenant is as it was to the byte,
// and the receipt says so, signed.
func TestForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twin := w.Export(erasuretest.Sud)
	asked := w.Ask(me, erasuretest.Nord)
	settled(t, w)
	r := w.Request(asked.ID)
	if r.State != request.Retained || r.Made != 1 {
		t.Fatalf("%s (%s), %d receipts, outcome %+v, doubts %v", r.State, r.Why, r.Made, r.Outcome, r.Doubts)
	}
	if w.Export(erasuretest.Sud) != twin {
		t.Error("the twin tenant is not as it was")
	}
	for line := range strings.Lines(w.Export(erasuretest.Nord)) {
		if invoice := strings.Contains(line, "/invoices "); invoice == strings.Contains(line, "+33 1 55") && strings.Contains(line, "c-1002") ||
			!invoice && (strings.Contains(line, "runo") || strings.Contains(line, `"u2"`) || strings.Contains(line, "/u2/")) {
			t.Errorf("is left: %s", line)
		}
	}
	got := file(t, w, asked.ID)
	if got.State != receipt.Retained || got.Executed.IsZero() || len(got.Retained) != 1 || got.Retained[0].Entry != "invoices" || got.Retained[0].Items != 1 || len(got.Backups) == 0 || len(got.Verify) != 1 {
		t.Errorf("the receipt says %+v", got)
	}
	for _, e := range got.Entries {
		if done := e.Erased + e.Anonymised; e.Entry == "sessions" && done != 3 || e.Entry == "users" && e.Erased != 1 || done > e.Found {
			t.Errorf("entry %+v", e)
		}
	}
	steps := map[string]int{}
	for _, rec := range w.Records(t) {
		steps[rec.Facts["event"]]++
	}
	if steps["planned"] != 1 || steps["executed"] != 1 || steps["receipt"] != 1 || steps["completed_with_retention"] != 1 {
		t.Errorf("on record: %v", steps)
	}
}

// TestClosed: after the last search nothing is left of somebody whom nothing keeps: neither in the data, nor in the control's
// own database, messages, dead letters, records and log; the receipt stays.
func TestClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Private(canary, "Canary Seven") // the world looks through the log when it ends
	w.Put("users", erasuretest.Nord, sample.Document{Name: "u77", Created: functiontest.Start.AddDate(-1, 0, 0), Fields: map[string]any{
		"uid": "u77", "email": canary, "name": "Canary Seven", "created_at": "2025-01-01T00:00:00Z",
	}})
	w.Put("sessions", erasuretest.Nord, sample.Document{Name: "u77-s", Created: functiontest.Start, Fields: map[string]any{"uid": "u77", "started_at": "2026-03-01T00:00:00Z"}})
	asked := w.AskAs(me, erasuretest.Nord, "u77", canary)
	settled(t, w)
	if r := w.Request(asked.ID); r.State != request.Completed {
		t.Fatalf("%s: %+v", r.State, r.Outcome)
	}
	w.Put("sessions", erasuretest.Nord, sample.Document{Name: "u77-late", Created: w.Clock.Now(), Fields: map[string]any{"uid": "u77", "started_at": w.Clock.Now().Format(time.RFC3339)}})
	w.Pass(me, 32*24*time.Hour, 6*time.Hour)
	if r := w.Request(asked.ID); !r.Closed.IsZero() {
		t.Error("closed while the recipients have still to answer")
	}
	w.Pass(me, request.Patience-30*24*time.Hour, 24*time.Hour) // nobody here sends them anything
	r := w.Request(asked.ID)
	if r.Closed.IsZero() || r.Made != 2 || r.Forget || r.Totals.Erased < 3 {
		t.Errorf("%s, closed %s, %d receipts, %d erased, to be forgotten: %v", r.State, r.Closed, r.Made, r.Totals.Erased, r.Forget)
	}
	if got := file(t, w, asked.ID); got.State != receipt.Completed || got.Amends == "" || len(got.Verify) != 1 { // the searches start again
		t.Errorf("the amended receipt: %+v", got)
	}
	for _, topic := range []string{request.TopicPlan, "message.failed"} { // what nobody can read is set aside
		dead := functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: []byte(`["` + canary + `","Canary Seven"]`), Attributes: map[string]string{bus.AttributeID: "dead/" + topic}}}
		w.Event(t, me, functiontest.Push(me, dead)).Want(t, 204, "")
	}
	state := fmt.Sprint(w.State(t))
	for _, collection := range []string{"tasks", "jobs"} {
		if strings.Contains(state, "erasure/"+collection+"/") {
			t.Errorf("something is left in %s", collection)
		}
	}
	unseen(t, w, state)
}

// unseen fails the test where the canary is left in the data, a control's state, the messages, or the records.
func unseen(t *testing.T, w *erasuretest.World, state string) {
	t.Helper()
	everything := map[string]string{"the data": w.Export(""), "the state": state}
	for _, topic := range []string{request.TopicPlan, request.TopicRun, request.TopicRevoke, request.TopicFreeze, message.TopicRequested} {
		for i, m := range w.Published(topic) {
			everything[fmt.Sprint("message ", i, " of ", topic)] = string(m.Message.Data) + fmt.Sprint(m.Message.Attributes)
		}
	}
	gaps := 0
	for id, r := range w.Records(t) {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		everything["record "+id] = string(data)
		if r.Kind == record.Gap {
			gaps++
		}
	}
	if gaps != 2 || !strings.Contains(state, "erasure/receipts/") {
		t.Errorf("%d dead letters are on record: the search shows little", gaps)
	}
	for where, text := range everything {
		for _, hers := range []string{canary, "Canary Seven", "canary.seven"} {
			if strings.Contains(strings.ToLower(where+text), strings.ToLower(hers)) {
				t.Errorf("%q is left in %s", hers, where)
			}
		}
	}
}

// TestUnmapped: a place that nobody has mapped is a finding, once, and keeps a request from being completed; it heals when
// the place is gone.
func TestUnmapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const place = "tenants/cabinet-nord/birthdays"
	w.PutAt("firestore://sharedcontacts-live/contacts-europe-west1", place, sample.Document{Name: "x", Created: functiontest.Start, Fields: map[string]any{"uid": "u2"}})
	w.Pass(me, 3*time.Hour, time.Hour)
	open, err := survey.Open(t.Context(), w.Raw("erasure"))
	if err != nil || len(open) != 1 || !strings.HasSuffix(open[0].Name, place) {
		t.Fatalf("%+v, %v", open, err)
	}
	asked := w.Ask(me, erasuretest.Nord)
	settled(t, w)
	if r := w.Request(asked.ID); r.State != request.Partial || r.Why != request.Unmapped || r.Made != 0 {
		t.Errorf("%s, %s", r.State, r.Why)
	}
	w.Drop("firestore://sharedcontacts-live/contacts-europe-west1", place)
	w.Data(fault.New(fault.Transient, "the stores are down"), 0)
	w.Advance(t, time.Hour)
	w.Tick(t, me).Want(t, 503, "unavailable")
	w.Data(nil, 0)
	if open, err = survey.Open(t.Context(), w.Raw("erasure")); err != nil || len(open) != 1 {
		t.Errorf("healed by a look that saw nothing: %+v, %v", open, err)
	}
	w.Pass(me, time.Hour, time.Hour)
	findings, healed := map[string]bool{}, 0
	for id, r := range w.Records(t) {
		switch {
		case r.Kind == record.Finding && r.Facts["event"] == "unmapped":
			findings[id] = true
		case r.Kind == record.Remediation && r.Facts["event"] == "mapped":
			healed++
		}
		if strings.Contains(fmt.Sprint(r), "birthdays") {
			t.Error("a record names the place")
		}
	}
	if open, err = survey.Open(t.Context(), w.Raw("erasure")); err != nil || len(open) != 0 || len(findings) != 1 || healed != 1 {
		t.Errorf("%d open, %d findings, %d healed, %v", len(open), len(findings), healed, err)
	}
}

// TestOnlySearches: nothing of the data can be erased with what this function is given.
func TestOnlySearches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, err := parts.New(w.Deps(me))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eraser(t.Context(), "firestore://sharedcontacts-live/contacts-europe-west1"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a store to erase in is opened: %v", err)
	}
	if e, err := p.Engine(t.Context()); err != nil || e.Eraser != nil {
		t.Errorf("the engine can erase: %v", err)
	}
}

// TestMessages: what cannot be read is set aside with a record; what is about a request there is not, or no longer, is done.
func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	push := func(topic, data string) functiontest.Answer {
		return w.Event(t, me, functiontest.Push(me, functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: []byte(data), Attributes: map[string]string{bus.AttributeID: topic + data}}}))
	}
	for _, topic := range []string{request.TopicPlan, "message.failed"} {
		push(topic, `[]`).Want(t, 204, "")
	}
	push(request.TopicPlan, `{"v":1}`).Want(t, 204, "")
	push(request.TopicPlan, `{"v":1,"request":"aaaaaaaaaaaaaaaa"}`).Want(t, 204, "")
	gaps := 0
	for _, r := range w.Records(t) {
		if r.Kind == record.Gap {
			gaps++
		}
	}
	if gaps != 3 {
		t.Errorf("%d messages were set aside", gaps)
	}
	asked := w.Ask(me, erasuretest.Nord)
	push("message.failed", `{"v":1,"key":"dsr/`+asked.ID+`/received/1","state":"failed"}`).Want(t, 204, "")
	if r := w.Request(asked.ID); len(r.Lost) != 1 {
		t.Errorf("a letter that was lost: %+v", r.Lost)
	}
}

// TestGate: nobody but the function's own invoker brings messages or runs the schedule.
func TestGate(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	s, _ := erasuretest.Setup(t, nil, Function)
	functiontest.MachineGate(t, s, &seen, me, functiontest.Request{Method: "POST", Path: "/planerasure/tick"}, functiontest.Request{Method: "POST", Path: "/planerasure/events"})
	w := functiontest.New(t, s)
	w.Store.Down()
	w.Tick(t, me).Want(t, 503, "unavailable")
	push := functiontest.Push(me, functiontest.Published{Topic: request.TopicPlan, At: w.Clock.Now(), Message: bus.Message{Data: []byte(`{"v":1,"request":"aaaaaaaaaaaaaaaa"}`)}})
	w.Event(t, me, push).Want(t, 503, "") // a push answers without a problem document
}

// TestSignature: a receipt that could not be signed when it was made is signed by the schedule.
func TestSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := w.Ask(me, erasuretest.Nord)
	book := &receipt.Book{Store: w.Raw("erasure")}
	w.Deliver(t)
	if _, err := book.File(t.Context(), asked.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Raw("erasure").Tx(t.Context(), func(tx store.Tx) error { // as if the process had died before it signed
		var page map[string]any
		if err := tx.Get("receipts", asked.ID+".1", &page); err != nil {
			return err
		}
		text := page["text"].(string)
		page["text"], page["waits"] = text[len(`{"receipt":`):strings.Index(text, `,"signatures":`)], true
		return tx.Put("receipts", asked.ID+".1", page)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := book.File(t.Context(), asked.ID); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	w.Tick(t, me).Want(t, 204, "")
	file(t, w, asked.ID)
}

// TestForgottenStore: a bucket of the project that no line of the map is about keeps a request from being completed.
func TestForgottenStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const bucket = "gcs://backups-of-somebody"
	w.PutAt(bucket, "dumps/", sample.Document{Name: "dumps/x", Created: functiontest.Start, Fields: map[string]any{"uid": "u2"}})
	w.Pass(me, 2*time.Hour, time.Hour)
	open, err := survey.Open(t.Context(), w.Raw("erasure"))
	if err != nil || len(open) != 1 || open[0].Name != bucket {
		t.Fatalf("%+v, %v", open, err)
	}
	asked := w.Ask(me, erasuretest.Nord)
	settled(t, w)
	if r := w.Request(asked.ID); r.State != request.Partial || r.Why != request.Unmapped || r.Made != 0 {
		t.Errorf("%s, %s", r.State, r.Why)
	}
}
