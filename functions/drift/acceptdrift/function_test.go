package acceptdrift

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/drift/internal/page"
	"ostiary.internal/functions/drift/internal/parts"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/drift/finding"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/policy"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}, Env: map[string]string{"OSTIARY_URL": "https://ostiary.example"}}

func email(who string) string { return who + "@sharedcontacts.example" }

var odile, simone, stefan, dorothea, emma, aurel, omkar = email("odile.martin"), email("simone.bernard"), email("stefan.weber"),
	email("dorothea.klein"), email("emma.dubois"), email("aurel.roth"), email("omkar.rao")

// answered collects which problems the API answered, over all parts of TestAPI.
var answered functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"accepted": acceptedByTwo, "alone": acceptedByOne, "refused": refusals, "lists": lists, "gate": gate, "hostile": hostile, "outages": outages, "twins": twins, "status": status,
		} {
			t.Run(name, part)
		}
	})
	answered.Complete(t, "acceptdrift", functiontest.New(t, setup).Routes("acceptdrift"))
}

func call(w *functiontest.World, who, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: "/acceptdrift/v1" + path, Token: w.Staff(who), Body: body}
}

// do calls the API as a person and wants an answer.
func do(t *testing.T, w *functiontest.World, who, method, path string, body any, status int, code string) functiontest.Answer {
	t.Helper()
	return answered.Saw(w.Call(t, call(w, who, method, path, body))).Want(t, status, code)
}

const database = "//sqladmin.googleapis.com/projects/sharedcontacts-live/instances/canary-main"

// service keeps findings, as the function that looks does.
func service(t testing.TB, w *functiontest.World) *finding.Service {
	t.Helper()
	p, err := parts.New(w.Deps("acceptdrift"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p.Findings
}

// out is something out of order, found now; it returns its id.
func out(t testing.TB, w *functiontest.World, asset, what string, severity policy.Severity, got string) string {
	t.Helper()
	if err := service(t, w).Out(t.Context(), []finding.Seen{seen(w, asset, what, severity, got)}, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	return finding.ID(asset, what)
}

func seen(w *functiontest.World, asset, what string, severity policy.Severity, got string) finding.Seen {
	s := finding.Seen{Urgent: true, Read: w.Clock.Now()}
	s.Asset, s.What, s.Class, s.Severity, s.Loosened = asset, what, finding.Forbidden, severity, true
	s.Want, s.Got, s.Promises = "data.settings.ipConfiguration.sslMode == 'ENCRYPTED_ONLY'", got, []string{"D01"}
	return s
}

func world(t testing.TB) (w *functiontest.World, id string) {
	w = functiontest.New(t, setup)
	return w, out(t, w, database, "database-exposure", policy.Critical, "ALLOW_UNENCRYPTED\ncanary-value")
}

func acceptedByTwo(t *testing.T) {
	t.Parallel()
	w, id := world(t)
	friday := w.Clock.Now().Add(72 * time.Hour)
	path := "/findings/" + id
	if err := service(t, w).Blame(t.Context(), database, []finding.Actor{{Person: "stefan", Kind: "human", Method: "cloudsql.instances.update", At: w.Clock.Now()}}, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	var f Finding
	do(t, w, aurel, "GET", path, nil, 200, "").Decode(t, &f)
	if f.State != "open" || f.Asset != database || len(f.Actors) != 1 || f.Actors[0].Person != "stefan" || f.Says == "" || !strings.Contains(f.Repair, "gcloud sql instances patch canary-main") || len(f.Steps) != 2 {
		t.Errorf("the auditor sees %+v", f)
	}
	do(t, w, stefan, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday}, 403, "own_change")
	do(t, w, aurel, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday}, 403, "not_allowed")
	do(t, w, omkar, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday}, 403, "not_allowed")
	for range 2 {
		do(t, w, simone, "POST", path+"/accept", Accept{Reason: "canary reason", Ticket: "OPS-7", Until: friday}, 200, "").Decode(t, &f)
	}
	if f.State != "open" || f.Proposed == nil || f.Proposed.By != "simone" {
		t.Errorf("after one of two: %+v", f)
	}
	do(t, w, dorothea, "POST", path+"/accept", Accept{Until: friday}, 200, "").Decode(t, &f)
	if f.State != "accepted" || f.Accepted == nil || f.Accepted.Second != "dorothea" || !f.Accepted.Until.Equal(friday) {
		t.Errorf("after both: %+v", f)
	}
	// Another value: nothing is accepted any more, and what they accepted is not taken for it.
	w.Advance(t, time.Minute)
	out(t, w, database, "database-exposure", policy.Critical, "ALLOW_UNENCRYPTED\n0.0.0.0/0")
	f = Finding{}
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &f)
	old := "ALLOW_UNENCRYPTED\ncanary-value"
	if f.State != "open" || f.Accepted != nil {
		t.Errorf("after it changed: %+v", f)
	}
	do(t, w, simone, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday, Got: &old}, 409, "value_changed")
	do(t, w, simone, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday}, 200, "")
	do(t, w, odile, "POST", path+"/accept", Accept{Until: friday}, 200, "")
	do(t, w, odile, "POST", path+"/accept", Accept{Until: friday.Add(time.Hour), Reason: "canary"}, 200, "") // hers it is already
	do(t, w, aurel, "POST", path+"/revoke", nil, 403, "not_allowed")
	do(t, w, dorothea, "POST", path+"/revoke", nil, 200, "").Decode(t, &f)
	if f.State != "open" {
		t.Errorf("taken back, it is %s", f.State)
	}
	do(t, w, dorothea, "POST", path+"/revoke", nil, 200, "")
	w.Advance(t, time.Minute)
	if err := service(t, w).In(t.Context(), database, nil, w.Clock.Now(), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	do(t, w, simone, "POST", path+"/accept", Accept{Reason: "canary reason", Until: friday}, 409, "state_conflict")
	kinds := map[record.Kind]int{}
	for _, r := range w.Records(t) {
		kinds[r.Kind]++
		data, err := r.Canonical()
		if err != nil || strings.Contains(string(data), "canary") || strings.Contains(string(data), "simone") {
			t.Errorf("evidence says too much: %s, %v", data, err)
		}
	}
	if kinds[record.Finding] == 0 || kinds[record.Remediation] == 0 || kinds[record.Waiver] != 2 || kinds[record.Case] == 0 {
		t.Errorf("records %v", kinds)
	}
}

func acceptedByOne(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	id := out(t, w, database, "log-retention-minimum", policy.Medium, "29")
	var f Finding
	do(t, w, simone, "POST", "/findings/"+id+"/accept", Accept{Reason: "moving", Until: w.Clock.Now().Add(170 * 24 * time.Hour)}, 200, "").Decode(t, &f)
	if f.State != "accepted" {
		t.Errorf("it is %+v", f)
	}
	do(t, w, simone, "POST", "/findings/"+id+"/revoke", nil, 200, "")
}

func refusals(t *testing.T) {
	t.Parallel()
	w, id := world(t)
	soon := w.Clock.Now().Add(time.Hour)
	do(t, w, emma, "GET", "/findings", nil, 403, "role_missing")
	do(t, w, emma, "GET", "/status", nil, 403, "role_missing")
	for _, one := range []string{id, strings.Repeat("a", 32)} { // whoever may not look is not told what there is
		do(t, w, emma, "GET", "/findings/"+one, nil, 403, "role_missing")
		do(t, w, emma, "POST", "/findings/"+one+"/accept", Accept{Reason: "x", Until: soon}, 403, "role_missing")
		do(t, w, emma, "POST", "/findings/"+one+"/revoke", nil, 403, "role_missing")
	}
	for _, no := range []string{"nothing", strings.Repeat("a", 32), strings.Repeat("a", 2000)} {
		do(t, w, simone, "GET", "/findings/"+no, nil, 404, "finding_unknown")
		do(t, w, simone, "POST", "/findings/"+no+"/accept", Accept{Reason: "x", Until: soon}, 404, "finding_unknown")
		do(t, w, simone, "POST", "/findings/"+no+"/revoke", nil, 404, "finding_unknown")
	}
	for code, body := range map[string]Accept{
		"reason_missing": {Until: soon},
		"reason_invalid": {Until: soon, Reason: strings.Repeat("ü", 501)},
		"ticket_invalid": {Until: soon, Reason: "x", Ticket: "no ticket"},
		"until_invalid":  {Until: w.Clock.Now().Add(31 * 24 * time.Hour), Reason: "x"},
	} {
		do(t, w, simone, "POST", "/findings/"+id+"/accept", body, 400, code)
	}
}

func lists(t *testing.T) {
	t.Parallel()
	w, _ := world(t)
	var many []finding.Seen
	for i := range 3 * pageSize / 2 {
		many = append(many, seen(w, database+strings.Repeat("x", i), "log-retention-minimum", policy.Medium, "29"))
	}
	if err := service(t, w).Out(t.Context(), many, w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	all, next := map[string]bool{}, ""
	for pages := 0; pages == 0 || next != ""; pages++ {
		var page Findings
		do(t, w, simone, "GET", "/findings?after="+next, nil, 200, "").Decode(t, &page)
		if pages == 0 && page.Findings[0].Severity != "critical" || len(page.Findings) > pageSize || pages > 3 {
			t.Fatalf("page %d: %d findings", pages, len(page.Findings))
		}
		for _, f := range page.Findings {
			all[f.ID] = true
		}
		next = page.Next
	}
	if len(all) != 3*pageSize/2+1 {
		t.Errorf("%d findings on all pages", len(all))
	}
	var none Findings
	if do(t, w, simone, "GET", "/findings?state=healed", nil, 200, "").Decode(t, &none); len(none.Findings) != 0 || none.Next != "" {
		t.Errorf("healed: %+v", none)
	}
	do(t, w, simone, "GET", "/findings?state=gone", nil, 400, "state_unknown")
	for _, no := range []string{"x", "open.", "open.x.y", "open.1", "healed.", "open.1." + strings.Repeat("!", 32)} {
		status, code := 400, "after_invalid"
		if no == "open." {
			status, code = 200, ""
		}
		do(t, w, simone, "GET", "/findings?after="+no, nil, status, code)
	}
}

func gate(t *testing.T) {
	t.Parallel()
	request := func(method, path string, body any) functiontest.Request {
		return functiontest.Request{Method: method, Path: "/acceptdrift" + path, Body: body}
	}
	functiontest.StaffGate(t, setup, &answered, aurel, request("GET", "/v1/findings", nil), request("GET", "/v1/status", nil), request("GET", "/v1/findings/x", nil), request("GET", "/", nil), request("GET", "/x", nil),
		request("POST", "/v1/findings/x/accept", Accept{}), request("POST", "/v1/findings/x/revoke", nil))
}

func hostile(t *testing.T) {
	t.Parallel()
	w, id := world(t)
	w.Bodies(t, &answered, call(w, simone, "POST", "/findings/"+id+"/accept", `{"reason":"x","until":"2026-03-04T00:00:00Z"}`))
}

func outages(t *testing.T) {
	t.Parallel()
	w, id := world(t)
	path := "/findings/" + id
	accept := call(w, simone, "POST", path+"/accept", Accept{Reason: "x", Until: w.Clock.Now().Add(time.Hour)})
	w.Call(t, accept).Want(t, 200, "") // whoever appears in evidence has her commitment by then
	w.Call(t, call(w, simone, "POST", path+"/revoke", nil)).Want(t, 200, "")
	w.MessageKey.Down()
	w.Restart()
	answered.Saw(w.Call(t, accept)).Want(t, 503, "unavailable")
	w.MessageKey.Up()
	w.Outages(t, &answered, accept, 200, &w.Directory, &w.EvidenceKey)
	for _, r := range []functiontest.Request{call(w, simone, "GET", "/findings", nil), call(w, simone, "GET", "/status", nil), call(w, simone, "GET", path, nil), call(w, dorothea, "POST", path+"/revoke", nil)} {
		w.Store.Down()
		answered.Saw(w.Call(t, r)).Want(t, 503, "unavailable")
		w.Store.Up()
	}
}

// TestTexts: every refusal has words and a next step in each language.
func TestTexts(t *testing.T) {
	t.Parallel()
	functiontest.Texts(t, page.New("acceptdrift"), functiontest.New(t, setup).Routes("acceptdrift")...)
}
