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

// lost is what no way delivered: it is tried again under the same key once somebody says so, and then counts.
func lost(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	one := path + "/notices/1"
	agree(t, w, dorothea, one+"/approve", Agreement{n.Hash})
	tick(t, w)
	again := func(id string) string { return one + "/deliveries/" + id + "/replay" }
	d := deliveries(t, w, one)[0]
	refused(t, w, simone, again(d.ID), nil, 409, "state_conflict")
	refused(t, w, simone, again("none"), nil, 404, "delivery_unknown")
	refused(t, w, aurel, again(d.ID), nil, 403, "not_allowed")
	asked := sent(t, w)
	at := slices.IndexFunc(asked, func(r message.Request) bool { return strings.Contains(r.Key, d.ID) })
	if at < 0 || d.Due.IsZero() || !asked[at].Due.Equal(d.Due) || !strings.HasPrefix(d.Who, "hmac:") {
		t.Errorf("asked for %+v, of %s for %s by %s", asked, d.ID, d.Who, d.Due)
	}
	for i := 0; i < len(asked); asked = sent(t, w) { // the next way of each, and so on
		for ; i < len(asked); i++ {
			hears(t, w, message.TopicFailed, asked[i], message.StateFailed).Want(t, 204, "")
		}
		tick(t, w)
	}
	if d = deliveries(t, w, one)[0]; d.Progress != "lost" {
		t.Fatalf("%+v", d)
	}
	for range 2 {
		agree(t, w, simone, again(d.ID), nil)
	}
	now := sent(t, w)
	if len(now) != len(asked)+1 || now[len(now)-1].Again != 1 || !slices.ContainsFunc(asked, func(r message.Request) bool { return r.Key == now[len(now)-1].Key }) {
		t.Fatalf("%d asked for, then %d", len(asked), len(now))
	}
	if d = deliveries(t, w, one)[0]; d.Progress != "going" || d.Settler != "simone" {
		t.Errorf("%+v", d)
	}
	for _, unknown := range []string{path + "/notices/9", path + "/notices/x"} {
		refused(t, w, simone, unknown+"/deliveries/x/replay", nil, 404, map[bool]string{true: "notice_unknown", false: "delivery_unknown"}[strings.HasSuffix(unknown, "x")])
	}
	refused(t, w, asha, again(d.ID), nil, 404, "case_unknown")
}

// lostOnPage: the page has people say of what was lost that it arrived, when, or have it tried again; and of what arrived that it
// came back.
func lostOnPage(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, object{"tenants": []string{"klinik-am-see"}})
	one := path + "/notices/1"
	agree(t, w, dorothea, one+"/approve", Agreement{n.Hash})
	tick(t, w)
	hears(t, w, message.TopicFailed, sent(t, w)[0], message.StateFailed).Want(t, 204, "")
	tick(t, w)
	at := "/case/" + strings.TrimPrefix(path, "/breaches/") + "/notices/1"
	page := look(t, w, simone, at+"?lang=en")
	says(t, page, "Try again", "When it arrived")
	page = done(t, w, simone, page, at+"/settle", "arrived", "again")
	says(t, page, "on its way")
	if all := sent(t, w); len(all) != 2 || all[1].Again != 1 {
		t.Fatalf("asked for %+v", all)
	}
	again := sent(t, w)[1]
	data, err := json.Marshal(message.Answer{V: 1, Key: again.Key, Kind: again.Kind, State: message.StateAccepted, Attempts: 1, At: w.Clock.Now(), Again: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(t, "tickbreach", functiontest.Push("tickbreach", functiontest.Published{Topic: message.TopicAccepted, At: w.Clock.Now(), Message: bus.Message{Data: data, Attributes: map[string]string{bus.AttributeID: "k"}}})).Want(t, 204, "")
	page = look(t, w, simone, at+"?lang=en")
	says(t, page, "It did not arrive after all")
	page = done(t, w, simone, page, at+"/settle", "arrived", "no")
	says(t, page, "not reached")
	send(t, w, simone, page, at+"/settle", "arrived", "yes", "at", "2026-03-02T09:00").Want(t, 400, "")
	says(t, done(t, w, simone, page, at+"/settle", "arrived", "yes", "at", w.Clock.Now().In(paris(t)).Format("2006-01-02T15:04")), "found out by")
	if d := deliveries(t, w, one)[0]; d.Progress != "arrived" || d.Told.IsZero() {
		t.Errorf("%+v", d)
	}
}

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// deliveries lists who was told.
func deliveries(t *testing.T, w *functiontest.World, one string) []Delivery {
	t.Helper()
	var d Delivered
	do(t, w, simone, "GET", one+"/deliveries", nil, 200, "").Decode(t, &d)
	return d.Deliveries
}
