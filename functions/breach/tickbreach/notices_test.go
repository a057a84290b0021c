package tickbreach

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
)

// told is a case of which a notice to two tenants was handed over, and the requests for its messages.
func told(t testing.TB, w *world, exercise bool) (id string, requests []message.Request) {
	t.Helper()
	now, unknown := w.Clock.Now(), cases.Count{How: cases.Unknown}
	simone, _ := w.Policy.PersonByID("simone")
	dorothea, _ := w.Policy.PersonByID("dorothea")
	c, _, err := w.parts.Cases.Declare(t.Context(), simone, cases.Declaration{Client: "1", Breach: true, Exercise: exercise, Summary: "x", Tracks: []cases.Track{
		{ID: "klinik-am-see", Role: cases.Processor, People: unknown, Records: unknown}, {ID: "cabinet-nord", Role: cases.Processor, People: unknown, Records: unknown},
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"simone", "dorothea"} {
		w.do(c.ID, who, cases.Event{What: cases.Answer, Subject: cases.Tenants, Yes: true}, "")
	}
	texts := map[string]map[string]string{}
	for _, language := range []string{"fr", "de"} {
		texts[language] = map[string]string{}
		for _, name := range notice.Written(notice.Initial) {
			texts[language][name] = "unknown"
		}
	}
	n, err := w.parts.Notices.Write(t.Context(), simone, c.ID, 0, notice.Draft{Kind: notice.Initial, Texts: texts}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.parts.Notices.Approve(t.Context(), dorothea, c.ID, n.N, n.Hash, now); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute, time.Minute)
	for _, p := range w.Published(message.TopicRequested) {
		var r message.Request
		if err := json.Unmarshal(p.Message.Data, &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind == message.Customer {
			requests = append(requests, r)
		}
	}
	// Sent side by side, they come in any order; told here in the order of the notice's recipients.
	all, err := w.parts.Notices.Outcomes(t.Context(), c.ID, n.N, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	at := func(r message.Request) int {
		return slices.IndexFunc(all, func(d notice.Delivery) bool { return strings.Contains(r.Key, d.ID) })
	}
	slices.SortFunc(requests, func(a, b message.Request) int { return at(a) - at(b) })
	return c.ID, requests
}

func answer(r message.Request, state message.State, at time.Time) string {
	data, err := json.Marshal(message.Answer{V: 1, Key: r.Key, Kind: r.Kind, State: state, Attempts: 1, At: at})
	if err != nil {
		panic(err) // texts and a time
	}
	return string(data)
}

// TestDeath: at whatever call of the database an instance dies that hears what became of a message, when the message comes
// again the case learns it once.
func TestDeath(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]func(w *world) *functiontest.Switch{
		"store": func(w *world) *functiontest.Switch { return &w.Store }, "applied": func(w *world) *functiontest.Switch { return &w.Applied },
		"inbox": func(w *world) *functiontest.Switch { return &w.Inbox },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id, requests := told(t, w, false)
			if len(requests) != 2 {
				t.Fatalf("%d messages", len(requests))
			}
			heard := w.Clock.Now()
			died := 0
			for calls := 0; ; calls++ {
				before := part(w).Failed()
				part(w).DownAfter(calls)
				got := w.push(message.TopicAccepted, answer(requests[0], message.StateAccepted, heard))
				failed := part(w).Failed() > before
				part(w).Up()
				if !failed {
					break
				}
				if died++; got.Status != 503 && got.Status != 204 {
					t.Fatalf("dead after %d calls: answered %d", calls, got.Status)
				}
				w.again()
			}
			w.push(message.TopicAccepted, answer(requests[1], message.StateAccepted, heard)).Want(t, 204, "")
			w.pass(10*time.Minute, time.Minute)
			c, err := w.parts.Cases.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, track := range c.Tracks {
				if !track.Told.Equal(heard) {
					t.Errorf("%s was told at %s", track.ID, track.Told)
				}
			}
			records := 0
			for _, r := range w.Records(t) {
				if r.Kind == record.Breach && r.Facts["event"] == "told" {
					records++
				}
			}
			if died == 0 || records != 2 || w.Pending(t, me) != 0 {
				t.Errorf("dead %d times, %d records, %d entries wait", died, records, w.Pending(t, me))
			}
		})
	}
}

// TestLost: what no channel takes is on record, and people are told; what may have arrived is sent by no other way.
func TestLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, requests := told(t, w, false)
	asked := len(w.Published(message.TopicRequested))
	w.push(message.TopicFailed, answer(requests[0], message.StateFailed, w.Clock.Now())).Want(t, 204, "")
	w.push(message.TopicUnknown, answer(requests[1], message.StateUnknown, w.Clock.Now())).Want(t, 204, "")
	w.pass(2*time.Minute, time.Minute)
	n, err := w.parts.Notices.Get(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	customers, findings := 0, 0
	for _, p := range w.Published(message.TopicRequested)[asked:] {
		var r message.Request
		if json.Unmarshal(p.Message.Data, &r) == nil && r.Kind == message.Customer {
			customers++
		}
	}
	for _, r := range w.Records(t) {
		if r.Kind == record.Finding {
			findings++
		}
	}
	if n.Failed != 1 || n.Unknown != 1 || customers != 0 || findings != 1 || len(w.Published(message.TopicRequested)) == asked {
		t.Errorf("failed %d, unknown %d, %d messages more to customers, %d findings", n.Failed, n.Unknown, customers, findings)
	}
}

// TestExercise: nothing of an exercise is addressed to a tenant.
func TestExercise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, requests := told(t, w, true)
	if len(requests) != 2 {
		t.Errorf("%d messages", len(requests))
	}
	for _, r := range requests {
		content, err := r.Open(t.Context(), w.Key("message"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(w.parts.Breach.Drill, r.Person) || r.Contact != "" || content.To != "" || !strings.HasPrefix(content.Subject, notice.Exercise(r.Language)) {
			t.Errorf("%s goes to %q, %q, %q", r.Key, r.Person, r.Contact, content.Subject)
		}
	}
}

// TestFates: what a channel said of a message later reaches the notice once, however often it comes; an exercise, which asks
// whether its message was taken, does not count it as a failure.
func TestFates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, requests := told(t, w, false)
	taken := w.Clock.Now()
	w.pass(time.Hour, time.Minute)
	said := func(r message.Request, state message.State) string {
		data, err := json.Marshal(message.Answer{V: 1, Key: r.Key, Kind: r.Kind, State: state, Attempts: 1, At: w.Clock.Now(), Taken: taken})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for range 2 {
		w.push(message.TopicDelivered, said(requests[0], message.StateDelivered)).Want(t, 204, "")
		w.push(message.TopicBounced, said(requests[1], message.StateBounced)).Want(t, 204, "")
		w.push(message.TopicAccepted, answer(requests[1], message.StateAccepted, taken)).Want(t, 204, "")
	}
	w.pass(2*time.Minute, time.Minute)
	all, err := w.parts.Notices.Outcomes(t.Context(), id, 1, nil, 10)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	c, err := w.parts.Cases.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d := all[0]; d.Progress != notice.Arrived || d.Delivered().IsZero() || !d.Told.Equal(taken) {
		t.Errorf("delivered: %+v", d)
	}
	if d := all[1]; d.Progress != notice.Lost || len(d.Tries) != 1 || len(d.Tries[0].Fates) != 1 {
		t.Errorf("came back: %+v", d)
	}
	for _, track := range c.Tracks {
		if has := track.ID == all[0].Tenant; has == track.Told.IsZero() {
			t.Errorf("%s was told at %s", track.ID, track.Told)
		}
	}
}

// TestFatesOfTests: a test of the channels counts whether its message was taken; that a provider says later that it was delivered
// is no failure of it.
func TestFatesOfTests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tick(t, me).Want(t, 204, "")
	w.Advance(t, 30*24*time.Hour)
	var tests []message.Request
	for range 100 {
		w.pass(time.Hour, time.Hour)
		for _, p := range w.Published(message.TopicRequested) {
			var r message.Request
			if json.Unmarshal(p.Message.Data, &r) == nil && strings.Contains(r.Key, "drill") {
				tests = append(tests, r)
			}
		}
		if len(tests) > 0 {
			break
		}
	}
	if len(tests) == 0 {
		t.Fatal("no channel is tested")
	}
	before := w.State(t)
	w.push(message.TopicDelivered, answer(tests[0], message.StateDelivered, w.Clock.Now())).Want(t, 204, "")
	w.Unchanged(t, before)
}
