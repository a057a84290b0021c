package declarebreach

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/message"
)

// ownMatter: whom the log watch suspects is not called to the case, does not find it, and decides nothing of it, whatever
// her roles.
func ownMatter(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	data, err := json.Marshal(map[string]any{
		"v": 1, "episode": "abcdefgh2345", "round": 1, "rule": "impersonation-burst", "why": "silence", "severity": "high", "involved": []string{"stefan"}, "actor_kind": "service",
		"first": at.Add(-time.Hour), "at": at.Add(-time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Event(t, "tickbreach", functiontest.Push("tickbreach", functiontest.Published{Topic: "suspicion.opened", At: at, Message: bus.Message{Data: data, Attributes: map[string]string{bus.AttributeID: "k"}}})).Want(t, 204, "")
	var all Listing
	do(t, w, simone, "GET", "/breaches", nil, 200, "").Decode(t, &all)
	if len(all.Breaches) != 1 {
		t.Fatalf("%d cases", len(all.Breaches))
	}
	c := all.Breaches[0]
	for _, p := range w.Published(message.TopicRequested) {
		var r message.Request
		if err := json.Unmarshal(p.Message.Data, &r); err != nil || r.Person == "stefan" || r.Channel == "chat" {
			t.Errorf("called: %+v, %v", r, err)
		}
	}
	for _, ref := range []string{c.ID, c.Number} {
		one := "/breaches/" + ref
		do(t, w, stefan, "GET", one, nil, 404, "case_unknown")
		do(t, w, stefan, "GET", one+"/notices", nil, 404, "case_unknown")
		do(t, w, stefan, "GET", one+"/dossier.json", nil, 404, "case_unknown")
		do(t, w, stefan, "POST", one+"/ack", object{}, 404, "case_unknown")
		do(t, w, stefan, "POST", one+"/decide", object{"subject": "breach", "answer": "no", "reason": "It was a test of mine."}, 404, "case_unknown")
	}
	do(t, w, stefan, "GET", "/breaches", nil, 200, "").Decode(t, &all)
	for _, path := range []string{"/", "/case/" + c.ID} {
		page := w.Call(t, functiontest.Request{Method: http.MethodGet, Path: "/" + me + path, Token: w.Staff(stefan)})
		if strings.Contains(string(page.Body), c.Number) || path != "/" && page.Status != 404 {
			t.Errorf("%s shows it: %d", path, page.Status)
		}
	}
	register := do(t, w, stefan, "GET", "/register.json", nil, 200, "")
	theirs := do(t, w, dorothea, "GET", "/register.json", nil, 200, "")
	if len(all.Breaches) != 0 || strings.Contains(string(register.Body), c.Number) || !strings.Contains(string(theirs.Body), c.Number) {
		t.Errorf("listed: %+v, and in the register: %s", all.Breaches, register.Body)
	}
	do(t, w, simone, "POST", "/breaches/"+c.ID+"/triage", object{"result": "likely", "owner": "stefan"}, 403, "own_matter")
	do(t, w, simone, "POST", "/breaches/"+c.ID+"/triage", object{"result": "likely"}, 200, "")
}
