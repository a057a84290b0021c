package declarebreach

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/message"
)

// initial is a first notice in the languages of the tenants.
func initial(with object) object {
	said := object{
		"nature": "An export of contacts lay open.", "subjects": "unknown", "records": "unknown", "excluded": "No passwords.", "subprocessors": "None.", "measures": "The export is gone.", "open": "Who read it.",
	}
	n := object{"kind": "initial", "texts": object{"en": said, "fr": said, "de": said}}
	for name, value := range with {
		n[name] = value
	}
	return n
}

// written is a world with a case of which two decided that the tenants are told, and a notice simone wrote.
func written(t *testing.T, with object) (w *functiontest.World, path string, n Notice) {
	t.Helper()
	w, path = declared(t, nil)
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "tenants", Answer: "yes"})
	}
	do(t, w, simone, "POST", path+"/notices", initial(with), 201, "").Decode(t, &n)
	return w, path, n
}

// agree changes a notice, and returns it as it is then.
func agree(t *testing.T, w *functiontest.World, who, path string, body any) (n Notice) {
	t.Helper()
	do(t, w, who, "POST", path, body, 200, "").Decode(t, &n)
	return n
}

// sent are the requests for messages to customers, in order.
func sent(t testing.TB, w *functiontest.World) (all []message.Request) {
	t.Helper()
	for _, p := range w.Published(message.TopicRequested) {
		var r message.Request
		if err := json.Unmarshal(p.Message.Data, &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind == message.Customer {
			all = append(all, r)
		}
	}
	return all
}

// hears tells the control what became of a message.
func hears(t testing.TB, w *functiontest.World, topic string, r message.Request, state message.State) functiontest.Answer {
	t.Helper()
	data, err := json.Marshal(message.Answer{V: 1, Key: r.Key, Kind: r.Kind, State: state, Attempts: 1, At: w.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return w.Event(t, "tickbreach", functiontest.Push("tickbreach", functiontest.Published{Topic: topic, At: w.Clock.Now(), Message: bus.Message{Data: data, Attributes: map[string]string{bus.AttributeID: r.Key}}}))
}

// tick lets a minute pass.
func tick(t testing.TB, w *functiontest.World) {
	t.Helper()
	w.Advance(t, time.Minute)
	w.Tick(t, "tickbreach").Want(t, 204, "")
}

// A notice is approved by somebody else, exactly as she saw it, and handed over once to each; the case learns who has it.
func approved(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	if n.N != 1 || n.State != "drafted" || n.To != 3 || n.Hash == "" {
		t.Fatalf("written %+v", n)
	}
	var again Notice
	if do(t, w, simone, "POST", path+"/notices", initial(nil), 201, "").Decode(t, &again); again != n {
		t.Errorf("sent again: %+v, first %+v", again, n)
	}
	one := path + "/notices/1"
	var o Opened
	do(t, w, omkar, "GET", one, nil, 200, "").Decode(t, &o)
	if o.Count != 3 || o.Now != n.Hash || o.Texts["fr"]["contact"] == "" || slices.ContainsFunc(o.Messages, func(m Message) bool { return m.Tenant == "banque-du-port" && strings.Contains(m.Text, "Klinik") }) {
		t.Errorf("shown %+v", o)
	}
	if do(t, w, omkar, "GET", one+"?from=2", nil, 200, "").Decode(t, &o); len(o.Messages) != 1 {
		t.Errorf("the rest: %+v", o.Messages)
	}
	refused(t, w, simone, one+"/approve", Agreement{n.Hash}, 403, "own_notice")
	refused(t, w, dorothea, one+"/approve", Agreement{strings.Repeat("0", 64)}, 409, "hash_mismatch")
	refused(t, w, aurel, one+"/approve", Agreement{n.Hash}, 403, "not_allowed")
	// What was seen counts no more once another version is written.
	was := n.Hash
	n = agree(t, w, simone, one, initial(object{"own": object{"klinik-am-see": object{"de": object{"subjects": "12"}}}}))
	refused(t, w, dorothea, one+"/approve", Agreement{was}, 409, "hash_mismatch")
	for range 2 {
		if n = agree(t, w, dorothea, one+"/approve", Agreement{n.Hash}); n.Approver != "dorothea" {
			t.Errorf("approved: %+v", n)
		}
	}
	tick(t, w)
	requests := sent(t, w)
	if len(requests) != 3 {
		t.Fatalf("%d messages were asked for", len(requests))
	}
	refused(t, w, simone, one, initial(nil), 409, "state_conflict")
	refused(t, w, odile, one+"/approve", Agreement{n.Hash}, 409, "state_conflict")
	refused(t, w, odile, one+"/break", Need{n.Hash, "Nobody answers."}, 409, "state_conflict")
	refused(t, w, odile, one+"/review", nil, 409, "state_conflict")
	refused(t, w, odile, one+"/note", Spoken{"By mail.", w.Clock.Now()}, 409, "state_conflict")
	for range 2 {
		for _, r := range requests {
			hears(t, w, message.TopicAccepted, r, message.StateAccepted).Want(t, 204, "")
		}
	}
	tick(t, w)
	var c Whole
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	for _, track := range c.Tracks {
		if track.Role == "processor" && track.Told.IsZero() {
			t.Errorf("%s is not told", track.ID)
		}
	}
	var d Delivered
	do(t, w, simone, "GET", one+"/deliveries", nil, 200, "").Decode(t, &d)
	if do(t, w, simone, "GET", one, nil, 200, "").Decode(t, &o); len(d.Deliveries) != 3 || o.State != "sent" || o.Accepted != 3 || len(sent(t, w)) != 3 {
		t.Errorf("%d deliveries, %+v, %d messages", len(d.Deliveries), o.Notice, len(sent(t, w)))
	}
	var all Written
	if do(t, w, aurel, "GET", path+"/notices", nil, 200, "").Decode(t, &all); len(all.Notices) != 1 {
		t.Errorf("listed %+v", all)
	}
	for _, query := range []string{"?from=x", "?from=-1"} {
		do(t, w, simone, "GET", one+query, nil, 400, "query_invalid")
	}
	do(t, w, simone, "GET", one+"/deliveries?after=x", nil, 400, "query_invalid")
}

// One person alone, in need: who decides hears of it, and somebody else looks at it. What may have arrived is asked for.
func alone(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	var n Notice
	do(t, w, simone, "POST", path+"/notices", initial(nil), 201, "").Decode(t, &n)
	one := path + "/notices/1"
	refused(t, w, dorothea, one+"/approve", Agreement{n.Hash}, 409, "tenant_undecided")
	refused(t, w, simone, one+"/break", Need{n.Hash, " "}, 400, "reason_missing")
	refused(t, w, simone, one+"/break", Need{n.Hash, strings.Repeat("x", 8_001)}, 400, "text_invalid")
	refused(t, w, simone, one+"/break", Need{strings.Repeat("0", 64), "Nobody answers."}, 409, "hash_mismatch")
	for range 2 {
		if n = agree(t, w, simone, one+"/break", Need{n.Hash, "Nobody answers."}); !n.Glass {
			t.Errorf("alone: %+v", n)
		}
	}
	refused(t, w, simone, one+"/review", nil, 403, "own_notice")
	for range 2 {
		if n = agree(t, w, odile, one+"/review", nil); n.Reviewer != "odile" {
			t.Errorf("looked at: %+v", n)
		}
	}
	tick(t, w)
	requests := sent(t, w)
	settle := func(id string) string { return one + "/deliveries/" + id + "/settle" }
	refused(t, w, simone, settle(deliveries(t, w, one)[0].ID), Outcome{}, 409, "state_conflict")
	hears(t, w, message.TopicUnknown, requests[0], message.StateUnknown).Want(t, 204, "")
	for _, r := range requests[1:] {
		hears(t, w, message.TopicAccepted, r, message.StateAccepted).Want(t, 204, "")
	}
	tick(t, w)
	all := deliveries(t, w, one)
	doubtful := slices.IndexFunc(all, func(d Delivery) bool { return d.Progress == "doubtful" })
	if doubtful < 0 {
		t.Fatalf("deliveries: %+v", all)
	}
	refused(t, w, simone, settle("none"), Outcome{Arrived: true}, 404, "delivery_unknown")
	refused(t, w, aurel, settle(all[doubtful].ID), Outcome{Arrived: true}, 403, "not_allowed")
	refused(t, w, simone, settle(all[doubtful].ID), Outcome{Arrived: true, At: w.Clock.Now().Add(-time.Hour)}, 400, "times_invalid")
	for range 2 {
		agree(t, w, simone, settle(all[doubtful].ID), Outcome{Arrived: true, At: all[doubtful].Handed})
	}
	tick(t, w)
	var c Whole
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if len(sent(t, w)) != 3 || slices.ContainsFunc(c.Tracks, func(t Track) bool { return t.Role == "processor" && t.Told.IsZero() }) {
		t.Errorf("%d messages; %+v", len(sent(t, w)), c.Tracks)
	}
	// A mail server took it, and then it came back: whoever was told was not.
	only := slices.IndexFunc(all, func(d Delivery) bool { return d.Tenant == "klinik-am-see" })
	back := all[only]
	for range 2 {
		agree(t, w, simone, settle(back.ID), Outcome{})
	}
	tick(t, w)
	c = Whole{}
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if now := deliveries(t, w, one)[only]; now.Progress != "lost" || !slices.ContainsFunc(c.Tracks, func(t Track) bool { return t.ID == back.Tenant && t.Told.IsZero() }) {
		t.Errorf("%+v; %+v", now, c.Tracks)
	}
}

// persons are told by the company's own product; that they were is noted.
func persons(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	said := object{"nature": "Your contacts lay open.", "consequences": "Others may write to you.", "measures": "They are closed.", "advice": "Be careful with mail."}
	var n Notice
	do(t, w, simone, "POST", path+"/notices", object{"kind": "persons", "texts": object{"fr": said, "de": said}}, 201, "").Decode(t, &n)
	one := path + "/notices/1"
	refused(t, w, simone, path+"/notices", object{"kind": "persons", "texts": object{"fr": said}, "tenants": []string{"northwind"}}, 400, "subject_invalid")
	refused(t, w, simone, one+"/note", Spoken{"By mail from the product.", w.Clock.Now()}, 409, "state_conflict")
	agree(t, w, dorothea, one+"/approve", Agreement{n.Hash})
	refused(t, w, simone, one+"/note", Spoken{"", w.Clock.Now()}, 400, "reason_missing")
	refused(t, w, simone, one+"/note", Spoken{strings.Repeat("x", 8_001), w.Clock.Now()}, 400, "text_invalid")
	refused(t, w, simone, one+"/note", Spoken{"By mail.", w.Clock.Now().Add(time.Hour)}, 400, "times_invalid")
	refused(t, w, aurel, one+"/note", Spoken{"By mail.", w.Clock.Now()}, 403, "not_allowed")
	for range 2 {
		if n = agree(t, w, simone, one+"/note", Spoken{"By mail from the product.", w.Clock.Now()}); n.State != "sent" {
			t.Errorf("noted: %+v", n)
		}
	}
	tick(t, w)
	if len(sent(t, w)) != 0 {
		t.Error("something was sent")
	}
	// Where the persons were to be told, that they were is on the case as well, without anybody saying it twice.
	w, path = declared(t, nil)
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "persons", Answer: "yes"})
	}
	do(t, w, simone, "POST", path+"/notices", object{"kind": "persons", "texts": object{"fr": said, "de": said}}, 201, "").Decode(t, &n)
	post(t, w, simone, path+"/promise", Promise{Name: "persons", By: w.Clock.Now().Add(time.Hour)})
	refused(t, w, simone, path+"/keep", Keep{Name: "persons"}, 409, "notice_missing")
	agree(t, w, dorothea, path+"/notices/1/approve", Agreement{n.Hash})
	refused(t, w, simone, path+"/keep", Keep{Name: "persons"}, 409, "notice_missing")
	told := w.Clock.Now()
	w.Advance(t, 20*time.Minute)
	agree(t, w, simone, path+"/notices/1/note", Spoken{"By mail from the product.", told})
	var c Whole
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if !c.Promises["persons"].Kept.Equal(told) {
		t.Errorf("the case does not know: %+v", c.Promises)
	}
}

// unwritten are notices that do not come about.
func unwritten(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	one := path + "/notices/1"
	french := object{"nature": "Look at https://example.com/x", "subjects": "unknown", "records": "unknown", "excluded": "-", "subprocessors": "-", "measures": "-", "open": "-"}
	for _, at := range []string{path + "/notices", one} {
		refused(t, w, simone, at, initial(object{"kind": "rumour"}), 400, "kind_invalid")
		refused(t, w, simone, at, initial(object{"texts": object{"en": object{}}}), 400, "texts_missing")
		refused(t, w, simone, at, initial(object{"texts": object{"fr": french, "de": french}}), 400, "texts_invalid")
		refused(t, w, simone, at, initial(object{"texts": object{"fr": object{"natur": "x"}}}), 400, "texts_invalid")
		refused(t, w, simone, at, initial(object{"own": object{"klinik-am-see": object{"da": object{"nature": "x"}}}}), 400, "texts_invalid")
		refused(t, w, simone, at, initial(object{"tenants": []string{"northwind"}}), 400, "subject_invalid")
		refused(t, w, aurel, at, initial(object{"texts": object{"fr": french, "de": french}, "tenants": []string{"klinik-am-see"}, "own": object{"klinik-am-see": object{"de": object{"nature": "x"}}}}), 403, "not_allowed")
	}
	for deed, body := range map[string]any{"": initial(nil), "/approve": Agreement{n.Hash}, "/break": Need{n.Hash, "x"}, "/review": nil, "/note": Spoken{"x", at}} {
		refused(t, w, simone, path+"/notices/9"+deed, body, 404, "notice_unknown")
		refused(t, w, simone, path+"/notices/first"+deed, body, 404, "notice_unknown")
		refused(t, w, asha, one+deed, body, 404, "case_unknown")
		refused(t, w, simone, "/breaches/none/notices/1"+deed, body, 404, "case_unknown")
	}
	refused(t, w, aurel, one+"/break", Need{n.Hash, "x"}, 403, "not_allowed")
	refused(t, w, aurel, one+"/review", nil, 403, "not_allowed")
	for _, deed := range []string{"", "/deliveries"} {
		do(t, w, simone, "GET", path+"/notices/9"+deed, nil, 404, "notice_unknown")
		do(t, w, asha, "GET", one+deed, nil, 404, "case_unknown")
	}
	refused(t, w, simone, path+"/notices/first/deliveries/x/settle", Outcome{Arrived: true}, 404, "notice_unknown")
	refused(t, w, asha, one+"/deliveries/x/settle", Outcome{Arrived: true}, 404, "case_unknown")
	do(t, w, asha, "GET", path+"/notices", nil, 404, "case_unknown")
	refused(t, w, simone, "/breaches/none/notices", initial(nil), 404, "case_unknown")
	// While somebody else may read the mail, a tenant without another address cannot be told.
	post(t, w, simone, path+"/compromised", Channels{Channels: []string{"mail"}})
	another := initial(object{"tenants": []string{"banque-du-port"}})
	refused(t, w, simone, path+"/notices", another, 503, "contact_missing")
	refused(t, w, simone, one, another, 503, "contact_missing")
	refused(t, w, dorothea, one+"/approve", Agreement{n.Hash}, 503, "contact_missing")
	refused(t, w, dorothea, one+"/break", Need{n.Hash, "x"}, 503, "contact_missing")
	// It holds up nobody else: the other is told, and who reads the notice reads whom it leaves out.
	var both Opened
	do(t, w, simone, "POST", path+"/notices", initial(nil), 201, "").Decode(t, &n)
	if do(t, w, simone, "GET", path+"/notices/2", nil, 200, "").Decode(t, &both); n.To != 1 || !slices.Equal(both.Without, []string{"banque-du-port"}) {
		t.Errorf("to %d, without %v", n.To, both.Without)
	}
	var c Whole
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c); !slices.Contains(c.Waits, "contact") {
		t.Errorf("waits for %v", c.Waits)
	}
}

// shut: nothing is sent about a case that is closed.
func shut(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "It held invented data."})
	}
	one, another := path+"/notices/1", initial(object{"own": object{"klinik-am-see": object{"de": object{"subjects": "12"}}}})
	refused(t, w, simone, path+"/notices", another, 409, "case_closed")
	refused(t, w, simone, one, another, 409, "case_closed")
	refused(t, w, dorothea, one+"/approve", Agreement{n.Hash}, 409, "case_closed")
	refused(t, w, dorothea, one+"/break", Need{n.Hash, "x"}, 409, "case_closed")
}
