package declarebreach

import (
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/message"
)

// Ten who send the same declaration, and three who agree at the same time, are one case and one decision by two.
func together(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	same := make([]functiontest.Request, 10)
	for i := range same {
		same[i] = call(w, emma, "POST", "/breaches", found(nil))
	}
	ids := map[string]bool{}
	for _, a := range atOnce(t, w, same) {
		var d Declared
		a.Want(t, 201, "").Decode(t, &d)
		ids[d.ID] = true
	}
	if len(ids) != 1 {
		t.Fatalf("declared as %v", ids)
	}
	for id := range ids {
		path := "/breaches/" + id
		atOnce(t, w, each(w, path+"/decide", Answer{Subject: "klinik-am-see", Answer: "yes"}, simone, odile, dorothea))
		var c Whole
		do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
		if len(c.Decisions) != 1 || c.Decisions[0].Second == "" || c.Decisions[0].Second == c.Decisions[0].By {
			t.Errorf("decided: %+v", c.Decisions)
		}
	}
}

// Three who approve the same notice at the same time send it once.
func approvedAtOnce(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, nil)
	good := 0
	for _, a := range atOnce(t, w, each(w, path+"/notices/1/approve", Agreement{n.Hash}, odile, dorothea, stefan)) {
		switch {
		case a.Status == 200:
			good++
		case a.Status != 409:
			t.Errorf("answered %d %s", a.Status, a.Body)
		}
	}
	tick(t, w)
	keys := map[string]bool{}
	for _, r := range sent(t, w) {
		keys[r.Key] = true
	}
	if good != 1 || len(keys) != 3 || len(sent(t, w)) != 3 {
		t.Errorf("%d approved it, %d messages with %d keys", good, len(sent(t, w)), len(keys))
	}
}

func each(w *functiontest.World, path string, body any, who ...string) (all []functiontest.Request) {
	for _, one := range who {
		all = append(all, call(w, one, "POST", path, body))
	}
	return all
}

func atOnce(t *testing.T, w *functiontest.World, requests []functiontest.Request) []functiontest.Answer {
	t.Helper()
	answers := make([]functiontest.Answer, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { answers[i] = w.Call(t, r) })
	}
	all.Wait()
	return answers
}

// What an instance left behind when it died is handed in, and sent, by the schedule: in the name of who wrote it.
func swept(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Inbox.Down()
	w.Bus.Down()
	do(t, w, emma, "POST", "/breaches", found(nil), 201, "")
	w.Inbox.Up()
	w.Bus.Up()
	if len(w.Published(message.TopicRequested)) != 0 || len(w.Records(t)) != 0 {
		t.Fatal("nothing was left behind")
	}
	w.Advance(t, 5*time.Minute)
	tick(t, w)
	declared := 0
	for id, r := range w.Records(t) {
		if r.Kind == record.Breach && w.Writer(id) == me {
			declared++
		}
	}
	if w.Pending(t, me) != 0 || declared == 0 || len(w.Published(message.TopicRequested)) == 0 {
		t.Errorf("%d entries wait; %d records, %d messages", w.Pending(t, me), declared, len(w.Published(message.TopicRequested)))
	}
}
