package declarebreach

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// everything is one request of each route, about the case of a path.
func everything(w *functiontest.World, path string) []functiontest.Request {
	all := []functiontest.Request{call(w, simone, "GET", "/breaches", nil), call(w, simone, "POST", "/breaches", found(object{"client_id": "another"})), call(w, simone, "GET", path, nil)}
	for deed, body := range bodies() {
		all = append(all, call(w, simone, "POST", path+"/"+deed, body))
	}
	for deed, body := range noticeBodies() {
		all = append(all, call(w, simone, "POST", path+deed, body))
	}
	for _, deed := range []string{"", "/1", "/1/deliveries"} {
		all = append(all, call(w, simone, "GET", path+"/notices"+deed, nil))
	}
	all = append(all, call(w, simone, "POST", path+"/close", nil), call(w, simone, "POST", path+"/notices/1/review", nil), call(w, simone, "POST", path+"/notices/1/deliveries/x/replay", nil))
	all = append(all, call(w, simone, "GET", "/drills", nil), call(w, simone, "POST", "/drills/x/confirm", Seen{"mail"}))
	return append(all, exports(w, path)...)
}

// noticeBodies are what changes a notice, by the last parts of its path.
func noticeBodies() map[string]any {
	return map[string]any{
		"/notices": initial(nil), "/notices/1": initial(object{"kind": "final"}), "/notices/1/approve": Agreement{"0"}, "/notices/1/break": Need{"0", "x"}, "/notices/1/note": Spoken{"x", at},
		"/notices/1/deliveries/x/settle": Outcome{Arrived: true},
	}
}

// bodies are what changes a case, by the last part of its path.
func bodies() map[string]any {
	return map[string]any{
		"ack": Ack{Step: "oncall"}, "triage": Triage{Result: "likely"}, "tracks": Tracks{Affected: []string{"far.example"}}, "mapped": Mapping{[]string{}, "x"}, "times": NewTimes{Contained: at.Add(-time.Minute)}, "aware": Aware{At: at.Add(-time.Hour)}, "score": score(nil),
		"decide": Answer{Subject: "sa", Answer: "yes"}, "file": Filing{Clock: "gdpr_33_1", At: at}, "promise": Promise{Name: "x", By: at.Add(time.Hour)}, "keep": Keep{Name: "y"},
		"reopen": Reason{"x"}, "review": Lessons{Text: "x"}, "compromised": Channels{Channels: []string{"mail"}},
		"withdraw": Withdrawal{Clock: "gdpr_33_1", At: at}, "details": Details{Origin: "internal"},
		"action": Done{1, ""}, "hold": Preservation{Keep: true, Reason: "x", Until: inDays(30)},
	}
}

func asText(t *testing.T, body any) string {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func gate(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	functiontest.StaffGate(t, setup, &seen, simone, everything(w, "/breaches/aaaaaaaaaaaaaaaa")...)
}

func hostile(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	requests := map[string]any{"/breaches": found(object{"client_id": "another"}), "/drills/x/confirm": Seen{"mail"}}
	for deed, body := range bodies() {
		requests[path+"/"+deed] = body
	}
	for deed, body := range noticeBodies() {
		requests[path+deed] = body
	}
	for _, at := range []string{"/breaches", path + "/decide", path + "/score", path + "/notices"} {
		t.Run(strings.TrimPrefix(at, path), func(t *testing.T) {
			w.Bodies(t, &seen, call(w, simone, "POST", at, asText(t, requests[at])))
		})
	}
	before := w.State(t)
	for at, body := range requests { // all read bodies alike
		text := asText(t, body)
		refused(t, w, simone, at, strings.Replace(text, "{", `{"surprise":1,`, 1), 400, "body_invalid")
		refused(t, w, simone, at, text+strings.Repeat(" ", 70_000), 413, "too_large")
	}
	w.Unchanged(t, before)
}

func outages(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	post(t, w, simone, path+"/promise", Promise{Name: "z", By: at.Add(time.Hour)}) // the vault knows her
	w.Outages(t, &seen, call(w, simone, "GET", path, nil), 200, &w.Directory, &w.BreachKey)
	w.Outages(t, &seen, call(w, simone, "GET", "/breaches", nil), 200, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "/breaches", found(object{"client_id": "another"})), 201, &w.Directory, &w.BreachKey)
	w.Outages(t, &seen, call(w, simone, "POST", path+"/triage", Triage{Result: "likely"}), 200, &w.Directory, &w.BreachKey)
	w.Outages(t, &seen, call(w, simone, "POST", path+"/decide", Answer{Subject: "tenants", Answer: "yes"}), 200, &w.Directory, &w.BreachKey)
	w.Outages(t, &seen, call(w, simone, "POST", path+"/close", nil), 409, &w.Directory, &w.BreachKey)
	w.Panics(t, call(w, simone, "GET", path, nil), &w.Store, &w.BreachKey)
}

// FuzzDeclare: whatever is declared, the answer is whole, and a refusal changes nothing.
func FuzzDeclare(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: "/" + me + "/v1/breaches", Token: w.Staff(simone)}
	}, `{"client_id":"1","kind":"breach","summary":"x","tenants":["own"],"affected":["a@b.example"],"exercise":true}`)
}
