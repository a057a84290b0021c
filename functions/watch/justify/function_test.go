package justify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/watch/internal/page"
	"ostiary.internal/functions/watch/tickwatch"
	"ostiary.internal/functions/watch/watchaudit"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/bus"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/watch/episode"
)

var setup = functiontest.Setup{
	Functions: []wiring.Function{Function, watchaudit.Function, tickwatch.Function},
	Env:       map[string]string{"OSTIARY_URL": "https://ostiary.example", "OSTIARY_DATA_ACCESS": "allServices"},
}

func email(who string) string { return who + "@sharedcontacts.example" }

var odile, simone, stefan, dorothea, emma, aurel = email("odile.martin"), email("simone.bernard"), email("stefan.weber"),
	email("dorothea.klein"), email("emma.dubois"), email("aurel.roth")

// seen collects which problems the API answered, over all parts of TestAPI.
var answered functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"explained": explainedAndReviewed, "not me": notMe, "refused": refusals, "exceptions": exceptions, "gate": gate, "hostile": hostile, "outages": outages, "twins": twins,
		} {
			t.Run(name, part)
		}
	})
	answered.Complete(t, "justify", functiontest.New(t, setup).Routes("justify"))
}

func call(w *functiontest.World, who, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: "/justify" + path, Token: w.Staff(who), Body: body}
}

// do calls the API as a person and wants an answer.
func do(t *testing.T, w *functiontest.World, who, method, path string, body any, status int, code string) functiontest.Answer {
	t.Helper()
	return answered.Saw(w.Call(t, call(w, who, method, path, body))).Want(t, status, code)
}

// granted is an entry by which somebody outside was given a role.
func granted(id, by string, at time.Time) string {
	return fmt.Sprintf(`{"insertId":%q,"logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,
		"resource":{"type":"project","labels":{"project_id":"sharedcontacts-live"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy","resourceName":"projects/sharedcontacts-live","status":{},
		"authenticationInfo":{"principalEmail":%q},"requestMetadata":{"callerIp":"81.2.69.193"},"authorizationInfo":[{"permission":"resourcemanager.projects.setIamPolicy","granted":true}],
		"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/editor","member":"user:canary.stranger@example.net"}]}}}}`,
		id, at.Format(time.RFC3339Nano), by)
}

// entry pushes an entry to watchaudit.
func entry(t testing.TB, w *functiontest.World, text string) functiontest.Answer {
	t.Helper()
	return w.Event(t, "watchaudit", functiontest.Push("watchaudit", functiontest.Published{Topic: watchaudit.TopicEntries, At: w.Clock.Now(), Message: bus.Message{Data: []byte(text)}}))
}

// alarmed is a company in which emma gave a stranger a role, and the id of the episode.
func alarmed(t testing.TB) (*functiontest.World, string) {
	t.Helper()
	w := functiontest.New(t, setup)
	entry(t, w, granted("1", emma, w.Clock.Now())).Want(t, 204, "")
	return w, only(t, w, emma).ID
}

// only is the one episode a person may look at.
func only(t testing.TB, w *functiontest.World, who string) Episode {
	t.Helper()
	var listed struct{ Episodes []Episode }
	w.Call(t, call(w, who, "GET", "/v1/episodes", nil)).Want(t, 200, "").Decode(t, &listed)
	if len(listed.Episodes) != 1 {
		t.Fatalf("%s sees %d episodes", who, len(listed.Episodes))
	}
	return listed.Episodes[0]
}

func explainedAndReviewed(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	path := "/v1/episodes/" + id
	if e := only(t, w, emma); e.State != "asked" || !e.MayAnswer || e.MayReview || e.Person != "emma" || !e.Due.Equal(w.Clock.Now().Add(time.Hour)) {
		t.Errorf("emma sees %+v", e)
	}
	var whole Episode
	do(t, w, emma, "GET", path, nil, 200, "").Decode(t, &whole)
	if len(whole.Seen) != 1 || !slices.Equal(whole.Seen[0].Change, []string{"+ roles/editor user:canary.stranger@example.net"}) || whole.Seen[0].From != "81.2.69.193" {
		t.Errorf("seen was %+v", whole.Seen)
	}
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted"}, 409, "not_answered")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "mistake", Ticket: "SUP-7", Revision: whole.Revision}, 200, "")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "mistake", Ticket: "SUP-7"}, 200, "") // sent twice
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "maintenance"}, 409, "episode_answered")
	do(t, w, emma, "POST", path+"/review", Review{Verdict: "accepted"}, 403, "review_self")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "perhaps"}, 400, "verdict_invalid")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted", Note: strings.Repeat("x", 301)}, 400, "note_invalid")
	do(t, w, aurel, "POST", path+"/review", Review{Verdict: "accepted"}, 403, "role_missing")
	var settled Episode
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted", Note: "looked at the ticket"}, 200, "").Decode(t, &settled)
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted", Note: "looked at the ticket"}, 200, "")
	if settled.State != "accepted" || settled.Reviewed != "stefan" || len(w.Published(episode.TopicSuspicion)) != 0 {
		t.Errorf("settled as %+v", settled)
	}
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "maintenance"}, 409, "episode_settled")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "refused"}, 409, "episode_settled")
	// What comes after is a new question about that alone.
	w.Advance(t, time.Minute)
	entry(t, w, granted("2", emma, w.Clock.Now())).Want(t, 204, "")
	if e := only(t, w, emma); e.ID != id || e.Question != 2 || e.State != "asked" {
		t.Errorf("after more was seen: %+v", e)
	}
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "in my own words", Revision: whole.Revision}, 409, "episode_moved")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "in my own words"}, 200, "").Decode(t, &settled)
	if settled.Reason != "other" || settled.Words != "in my own words" {
		t.Errorf("answered as %+v", settled)
	}
}

// "Not me" calls people at once, whatever comes after.
func notMe(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	path := "/v1/episodes/" + id + "/answer"
	do(t, w, dorothea, "POST", path, Answer{NotMe: true}, 403, "role_missing")
	do(t, w, emma, "POST", path, Answer{NotMe: true, Ticket: "SUP-7"}, 400, "reason_invalid")
	do(t, w, emma, "POST", path, Answer{NotMe: true}, 200, "")
	do(t, w, emma, "POST", path, Answer{NotMe: true}, 200, "")
	told := w.Published(episode.TopicSuspicion)
	if len(told) != 1 || !strings.Contains(string(told[0].Message.Data), `"why":"not_me"`) || !strings.Contains(string(told[0].Message.Data), `"revoke":true`) {
		t.Errorf("published %v", told)
	}
	if e := only(t, w, simone); e.State != "escalated" || e.Cause != "not_me" {
		t.Errorf("security sees %+v", e)
	}
}

func refusals(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	path := "/v1/episodes/" + id
	do(t, w, emma, "GET", "/v1/episodes/nothing", nil, 404, "episode_unknown")
	do(t, w, email("asha.iyer"), "GET", path, nil, 404, "episode_unknown")
	do(t, w, email("asha.iyer"), "POST", path+"/answer", Answer{Reason: "mistake"}, 404, "episode_unknown")
	do(t, w, email("asha.iyer"), "POST", path+"/review", Review{Verdict: "accepted"}, 404, "episode_unknown")
	do(t, w, emma, "POST", path+"/answer", Answer{}, 400, "reason_invalid")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "two\nlines"}, 400, "reason_invalid")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "mistake", Ticket: "no ticket"}, 400, "ticket_invalid")
	do(t, w, emma, "POST", path+"/answer", Answer{Reason: "mistake"}, 200, "")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "accepted", Revision: "9-9"}, 409, "episode_moved")
	do(t, w, stefan, "POST", path+"/review", Review{Verdict: "refused"}, 200, "")
	if told := w.Published(episode.TopicSuspicion); len(told) != 1 {
		t.Errorf("refused, and %d suspicions", len(told))
	}
}

func exceptions(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	fine := NewException{Kind: "suppression", Rule: "approved-identities", Actor: emma, Resource: "projects/sharedcontacts-live", Reason: "planned-work",
		Until: w.Clock.Now().Add(10 * 24 * time.Hour), Note: "moving"}
	do(t, w, aurel, "POST", "/v1/exceptions", fine, 403, "role_missing")
	for code, change := range map[string]func(*NewException){
		"rule_unknown":   func(n *NewException) { n.Rule = "nothing" },
		"scope_invalid":  func(n *NewException) { n.Resource = "" }, // of a critical rule by identity alone
		"reason_invalid": func(n *NewException) { n.Reason = "because" },
		"note_invalid":   func(n *NewException) { n.Note = strings.Repeat("x", 301) },
		"ticket_invalid": func(n *NewException) { n.Ticket = "no ticket" },
		"until_invalid":  func(n *NewException) { n.Until = w.Clock.Now().Add(91 * 24 * time.Hour) },
	} {
		n := fine
		change(&n)
		status := 400
		if code == "rule_unknown" {
			status = 404
		}
		do(t, w, simone, "POST", "/v1/exceptions", n, status, code)
	}
	own := fine
	own.Actor = simone
	do(t, w, simone, "POST", "/v1/exceptions", own, 403, "own_matter")
	var asked, again Exception
	do(t, w, simone, "POST", "/v1/exceptions", fine, 201, "").Decode(t, &asked)
	do(t, w, simone, "POST", "/v1/exceptions", fine, 201, "").Decode(t, &again)
	if asked.ID == "" || asked.ID != again.ID || asked.State != "asked" {
		t.Errorf("asked twice: %+v, %+v", asked, again)
	}
	one := "/v1/exceptions/" + asked.ID
	entry(t, w, granted("1", emma, w.Clock.Now())).Want(t, 204, "")
	if e := only(t, w, emma); e.State != "asked" {
		t.Errorf("before it is approved: %+v", e)
	}
	do(t, w, simone, "POST", one+"/approve", nil, 403, "exception_self")
	do(t, w, emma, "POST", one+"/approve", nil, 403, "role_missing")
	do(t, w, odile, "POST", "/v1/exceptions/nothing/approve", nil, 404, "exception_unknown")
	do(t, w, odile, "POST", one+"/approve", nil, 200, "")
	do(t, w, dorothea, "POST", one+"/approve", nil, 409, "exception_decided")
	his := fine
	his.Actor = stefan
	var about Exception
	do(t, w, simone, "POST", "/v1/exceptions", his, 201, "").Decode(t, &about)
	do(t, w, stefan, "POST", "/v1/exceptions/"+about.ID+"/approve", nil, 403, "own_matter")
	w.Advance(t, 3*time.Hour)
	before := len(w.Published("message.requested"))
	entry(t, w, granted("2", emma, w.Clock.Now())).Want(t, 204, "")
	only(t, w, emma)
	if n := len(w.Published("message.requested")); n != before {
		t.Errorf("%d messages about what was expected", n-before)
	}
	var listed struct{ Exceptions []Exception }
	do(t, w, emma, "GET", "/v1/exceptions", nil, 403, "role_missing")
	do(t, w, aurel, "GET", "/v1/exceptions", nil, 200, "").Decode(t, &listed)
	i := slices.IndexFunc(listed.Exceptions, func(x Exception) bool { return x.ID == asked.ID })
	if len(listed.Exceptions) != 2 || listed.Exceptions[i].Used != 1 || listed.Exceptions[i].State != "in-force" {
		t.Errorf("the auditor sees %+v", listed)
	}
	do(t, w, emma, "POST", one+"/end", nil, 403, "role_missing")
	do(t, w, odile, "POST", "/v1/exceptions/nothing/end", nil, 404, "exception_unknown")
	do(t, w, dorothea, "POST", one+"/end", nil, 200, "")
	entry(t, w, granted("3", emma, w.Clock.Now())).Want(t, 204, "")
	var all struct{ Episodes []Episode }
	do(t, w, emma, "GET", "/v1/episodes", nil, 200, "").Decode(t, &all)
	if len(all.Episodes) != 2 {
		t.Errorf("after its end emma sees %d episodes", len(all.Episodes))
	}
}

func gate(t *testing.T) {
	t.Parallel()
	get := func(path string) functiontest.Request {
		return functiontest.Request{Method: "GET", Path: "/justify" + path}
	}
	post := func(path string, body any) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: "/justify" + path, Body: body}
	}
	functiontest.StaffGate(t, setup, &answered, aurel, get("/v1/episodes"), get("/v1/episodes/x"), get("/v1/exceptions"), get("/"), get("/x"), get("/exceptions"),
		post("/v1/episodes/x/answer", Answer{}), post("/v1/episodes/x/review", Review{}), post("/v1/exceptions", NewException{}),
		post("/v1/exceptions/x/approve", nil), post("/v1/exceptions/x/end", nil))
}

func hostile(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	for _, r := range []functiontest.Request{
		call(w, emma, "POST", "/v1/episodes/"+id+"/answer", `{"reason":"mistake"}`),
		call(w, stefan, "POST", "/v1/episodes/"+id+"/review", `{"verdict":"accepted"}`),
		call(w, simone, "POST", "/v1/exceptions", `{"kind":"suppression","reason":"planned-work","until":"2026-03-10T00:00:00Z"}`),
	} {
		w.Bodies(t, &answered, r)
	}
}

func outages(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	answer := call(w, emma, "POST", "/v1/episodes/"+id+"/answer", `{"reason":"mistake"}`)
	w.MessageKey.Down()
	w.Restart()
	do(t, w, emma, "POST", "/v1/episodes/"+id+"/answer", Answer{Reason: "mistake"}, 503, "unavailable")
	w.MessageKey.Up()
	w.Outages(t, &answered, answer, 200, &w.Directory, &w.EvidenceKey)
	w.Applied.Down() // it was written, and the answer was lost
	review := call(w, stefan, "POST", "/v1/episodes/"+id+"/review", Review{Verdict: "accepted"})
	answered.Saw(w.Call(t, review)).Want(t, 503, "unavailable")
	w.Applied.Up()
	answered.Saw(w.Call(t, review)).Want(t, 200, "")
	before := w.State(t)
	answered.Saw(w.Call(t, review)).Want(t, 200, "")
	w.Unchanged(t, before)
	for _, r := range []functiontest.Request{
		call(w, emma, "GET", "/v1/episodes", nil), call(w, emma, "GET", "/v1/episodes/"+id, nil), call(w, simone, "GET", "/v1/exceptions", nil), review,
		call(w, simone, "POST", "/v1/exceptions/"+strings.Repeat("a", 26)+"/approve", nil), call(w, simone, "POST", "/v1/exceptions/"+strings.Repeat("a", 26)+"/end", nil),
		call(w, simone, "POST", "/v1/exceptions", NewException{Kind: "suppression", Rule: "approved-identities", Actor: emma, Resource: "projects/x", Reason: "planned-work",
			Until: w.Clock.Now().Add(time.Hour)}),
	} {
		w.Store.Down()
		answered.Saw(w.Call(t, r)).Want(t, 503, "unavailable")
		w.Store.Up()
	}
}

// Nothing that goes out of the control, or into its evidence, says who somebody is or what she wrote.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	w, id := alarmed(t)
	w.Private("canary")
	path := "/v1/episodes/" + id
	w.Call(t, call(w, emma, "POST", path+"/answer", Answer{Reason: "canary words", Ticket: "CANARY-7"})).Want(t, 200, "")
	w.Call(t, call(w, stefan, "POST", path+"/review", Review{Verdict: "refused", Note: "canary note"})).Want(t, 200, "")
	entry(t, w, `{"canary":1}`)
	for range 10 { // a quarter of an hour until the schedule knows that nothing is heard
		w.Advance(t, 2*time.Minute)
		w.Tick(t, "tickwatch").Want(t, 204, "")
	}
	var out strings.Builder
	all := w.Records(t)
	for _, r := range all {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, topic := range []string{"message.requested", episode.TopicSuspicion} {
		for _, m := range w.Published(topic) {
			out.WriteString(m.Message.Attributes["id"])
		}
	}
	for _, private := range []string{"canary", "emma", "stefan", "dubois", "81.2.69.193", "@"} {
		if strings.Contains(strings.ToLower(out.String()), private) {
			t.Errorf("%q stands in what goes out", private)
		}
	}
	kinds := map[record.Kind]int{}
	for _, r := range all {
		kinds[r.Kind]++
	}
	if kinds[record.Finding] == 0 || kinds[record.Run] == 0 {
		t.Errorf("records: %v", kinds)
	}
}

// TestTexts: every refusal has words and a next step in each language.
func TestTexts(t *testing.T) {
	t.Parallel()
	functiontest.Texts(t, page.NewJustify("justify"), append(functiontest.New(t, setup).Routes("justify"), web.Route{Problems: []string{"unsure"}})...)
}
