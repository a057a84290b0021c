package collectevidence

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/trust/intake"
)

// TestHostile: what is no event, or not the sender's, is refused by name and leaves nothing behind.
func TestHostile(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	good := string(sample(t, "build.tested"))
	with := func(sender, kind, body string, change func(http.Header)) functiontest.Request {
		r := binary(w, sender, kind, "1", []byte(body))
		r.Header["Content-Type"] = []string{"application/json"}
		if change != nil {
			change(r.Header)
		}
		return r
	}
	set := func(name string, values ...string) func(http.Header) {
		return func(h http.Header) { h[name] = values }
	}
	whole := func(body string) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: path, Token: w.Service(tools), Body: body, Header: http.Header{"Content-Type": {"application/cloudevents+json"}}}
	}
	object := structured(w, tools, "build.tested", "1", []byte(good)).Body.(string)
	replaced := func(old, new string) string { return strings.Replace(object, old, new, 1) }
	for name, test := range map[string]struct {
		r      functiontest.Request
		status int
		code   string
	}{
		"too large":                       {with(tools, "build.tested", `{"suite":"`+strings.Repeat("a", 70_000)+`"}`, nil), 413, "too_large"},
		"too large, structured":           {whole(replaced(`"1.0"`, `"1.0","x":"`+strings.Repeat("a", 70_000)+`"`)), 413, "too_large"},
		"empty":                           {with(tools, "build.tested", "", nil), 422, "event_invalid"},
		"no JSON":                         {with(tools, "build.tested", "tests=1", nil), 400, "body_invalid"},
		"not UTF-8":                       {with(tools, "build.tested", strings.Replace(good, "unit", "\xff", 1), nil), 400, "body_invalid"},
		"NUL":                             {with(tools, "build.tested", strings.Replace(good, "unit", `\u0000`, 1), nil), 422, "event_invalid"},
		"half a surrogate":                {with(tools, "build.tested", strings.Replace(good, "unit", `\udc00`, 1), nil), 422, "event_invalid"},
		"a member twice":                  {with(tools, "build.tested", strings.Replace(good, "{", `{"tests":1,`, 1), nil), 422, "event_invalid"},
		"an attribute twice":              {whole(replaced("{", `{"id":"2",`)), 400, "body_invalid"},
		"a header twice":                  {with(tools, "build.tested", good, set("Ce-Id", "1", "2")), 400, "body_invalid"},
		"a member in capitals":            {with(tools, "build.tested", strings.Replace(good, `"tests"`, `"Tests"`, 1), nil), 422, "event_invalid"},
		"an unknown member":               {with(tools, "build.tested", strings.Replace(good, "{", `{"Anna Kowalska":1,`, 1), nil), 422, "event_invalid"},
		"a text for a number":             {with(tools, "build.tested", strings.Replace(good, "120", `"120"`, 1), nil), 422, "event_invalid"},
		"a number out of range":           {with(tools, "build.tested", strings.Replace(good, "120", "9007199254740992", 1), nil), 422, "event_invalid"},
		"a negative number":               {with(tools, "build.tested", strings.Replace(good, "120", "-1", 1), nil), 422, "event_invalid"},
		"a fraction":                      {with(tools, "build.tested", strings.Replace(good, "120", "120.0", 1), nil), 422, "event_invalid"},
		"nested deeply":                   {with(tools, "build.tested", strings.Repeat(`{"promises":`, 50)+"1"+strings.Repeat("}", 50), nil), 422, "event_invalid"},
		"a list of events":                {with(tools, "build.tested", "["+good+"]", set("Content-Type", "application/cloudevents-batch+json")), 400, "body_invalid"},
		"no attributes":                   {functiontest.Request{Method: "POST", Path: path, Token: w.Service(tools), Body: good}, 400, "body_invalid"},
		"a push":                          {functiontest.Request{Method: "POST", Path: path, Token: w.Service(tools), Body: `{"subscription":"projects/p/subscriptions/s","message":{"messageId":"1","data":"e30=","attributes":{"ce-type":"build.tested","ce-id":"1","ce-source":"x","ce-specversion":"1.0"}}}`}, 400, "body_invalid"},
		"a form":                          {with(tools, "build.tested", good, set("Content-Type", "application/x-www-form-urlencoded")), 400, "body_invalid"},
		"compressed":                      {with(tools, "build.tested", good, set("Content-Encoding", "gzip")), 400, "body_invalid"},
		"another character set":           {with(tools, "build.tested", good, set("Content-Type", "application/json; charset=latin1")), 400, "body_invalid"},
		"another version":                 {with(tools, "build.tested", good, set("Ce-Specversion", "0.3")), 400, "body_invalid"},
		"an unreadable time":              {with(tools, "build.tested", good, set("Ce-Time", "yesterday")), 400, "body_invalid"},
		"no time":                         {with(tools, "build.tested", good, func(h http.Header) { delete(h, "Ce-Time") }), 422, "event_time"},
		"tomorrow":                        {with(tools, "build.tested", good, set("Ce-Time", "2026-03-04T09:00:00Z")), 422, "event_time"},
		"two years ago":                   {with(tools, "build.tested", good, set("Ce-Time", "2024-03-03T09:00:00Z")), 422, "event_time"},
		"no id":                           {whole(replaced(`"id":"1"`, `"id":""`)), 400, "body_invalid"},
		"a type of nobody":                {with(tools, "build.blessed", good, nil), 403, "source_may_not"},
		"a type of nobody, structured":    {whole(replaced(`"type":"build.tested"`, `"type":"x"`)), 403, "source_may_not"},
		"a type of another":               {with(people, "build.tested", good, nil), 403, "source_may_not"},
		"a promise of another":            {with(people, "training.completed", withPromises(t, "training.completed", "X1"), nil), 403, "source_may_not"},
		"a promise of nobody":             {with(tools, "build.tested", withPromises(t, "build.tested", "Z99"), nil), 403, "source_may_not"},
		"a promise that takes no such":    {with(tools, "build.tested", withPromises(t, "build.tested", "X3"), nil), 422, "evidence_unbound"},
		"one that does and one that not":  {with(tools, "build.tested", withPromises(t, "build.tested", "X1", "X3"), nil), 422, "evidence_unbound"},
		"a limit it does not measure":     {with(tools, "build.tested", withPromises(t, "build.tested", "XA"), nil), 422, "evidence_unmeasured"},
		"several, and none named":         {with(tools, "build.scanned", string(sample(t, "build.scanned")), nil), 422, "evidence_ambiguous"},
		"the source of another as source": {with("stranger@services.sharedcontacts.example", "build.tested", good, set("Ce-Source", tools)), 403, "caller_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.State(t)
			got := seen.Saw(w.Call(t, test.r)).Want(t, test.status, test.code)
			if strings.Contains(strings.ToLower(string(got.Body)), "kowalska") {
				t.Errorf("the answer repeats what was sent: %s", got.Body)
			}
			w.Unchanged(t, before)
		})
	}
	if n := len(w.Records(t)); n != 0 {
		t.Errorf("%d records", n)
	}
	r := with(tools, "build.tested", good, nil)
	seen.Saw(w.Call(t, r)).Want(t, 202, "")
	seen.Saw(w.Call(t, with(tools, "build.tested", withPromises(t, "build.tested", "X1"), nil))).Want(t, 409, "event_conflict")
	for i := range 100 {
		got := seen.Saw(w.Call(t, binary(w, tools, "build.tested", fmt.Sprint("s", i), []byte(strings.Replace(good, "unit", fmt.Sprint("s", i), 1)))))
		if got.Status != 202 {
			got.Want(t, 429, "scopes_exhausted")
		}
	}
	t.Run("callers", func(t *testing.T) { functiontest.ServiceGate(t, setup, &seen, tools, r) })
	outages(t, &seen)
	seen.Complete(t, "collectevidence", w.Routes("collectevidence"))
}

func withPromises(t testing.TB, name string, ids ...string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(sample(t, name), &members); err != nil {
		t.Fatal(err)
	}
	members["promises"] = ids
	data, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// outages takes away one part after the other while an event comes: it is refused as unavailable, and sent again it
// counts once.
func outages(t *testing.T, seen *functiontest.Coverage) {
	t.Helper()
	w := functiontest.New(t, setup)
	event := func(id string) functiontest.Request {
		return binary(w, tools, "training.completed", id, sample(t, "training.completed"))
	}
	for _, part := range []*functiontest.Switch{&w.Issuer, &w.MessageKey, &w.EvidenceKey} {
		part.Down()
		seen.Saw(w.Call(t, event("0"))).Want(t, 503, "unavailable")
		part.Up()
	}
	for n := 0; ; n++ {
		r := event(fmt.Sprint(n))
		w.Store.DownAfter(n)
		got := w.Call(t, r)
		w.Store.Up()
		taken := got.Status == http.StatusAccepted
		if !taken {
			seen.Saw(got).Want(t, 503, "unavailable")
			w.Call(t, r).Want(t, 202, "")
		}
		w.Advance(t, time.Minute)
		if _, err := w.Deps("collectevidence").Box.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		receipts := 0
		for _, e := range w.Records(t) {
			if e.Control == intake.Control {
				receipts++
			}
		}
		if receipts != n+1 {
			t.Errorf("%d receipts of %d events after an outage at call %d", receipts, n+1, n)
		}
		if taken {
			if n < 10 {
				t.Errorf("only %d store calls", n)
			}
			return
		}
	}
}
