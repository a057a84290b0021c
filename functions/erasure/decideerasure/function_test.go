package decideerasure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/store"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	tenant = "cabinet-nord"
	mia    = "mia.canary@cabinetnord.example"
)

func email(who string) string { return who + "@sharedcontacts.example" }

// The data protection officer, two of security, the owner, and somebody who decides nothing.
var dorothea, simone, stefan, odile, emma = email("dorothea.klein"), email("simone.bernard"), email("stefan.weber"), email("odile.martin"), email("emma.dubois")

// answered collects which problems the API answered, over all parts of TestAPI.
var answered functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"approved": approved, "held": held, "refused": refused, "extended": extended, "entered": entered, "looked at": lookedAt, "passed on": passedOn, "hindered": hindered, "closing": closing,
			"roles": roles, "own matter": ownMatter, "nobody": nobody, "gate": gate, "hostile": hostile, "outages": outages, "twins": twins, "by program": byProgram,
		} {
			t.Run(name, part)
		}
	})
	answered.Complete(t, "decideerasure", functiontest.New(t, setup).Routes("decideerasure"))
}

func started(t testing.TB) *scene.Scene {
	t.Helper()
	w := functiontest.New(t, setup)
	w.Private(mia)
	return scene.New(t, w, tenant, mia)
}

func call(s *functiontest.World, who, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: "/decideerasure" + path, Token: s.Staff(who), Body: body}
}

// do calls the API as a person and wants an answer.
func do(t *testing.T, s *scene.Scene, who, method, path string, body any, status int, code string) functiontest.Answer {
	t.Helper()
	return answered.Saw(s.Call(t, call(s.World, who, method, path, body))).Want(t, status, code)
}

var digest = strings.Repeat("a", 64)

// proved is a request of somebody who proved to be it.
func proved(t testing.TB, s *scene.Scene, a request.Ask) (id, path string) {
	t.Helper()
	if a.Email == "" {
		a.Email, a.Tenant = mia, tenant
	}
	made, err := s.Requests.Ask(t.Context(), a, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	number, code := s.Identified(t, made.ID)
	if _, err := s.Requests.Confirm(t.Context(), number, code, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	return made.ID, "/v1/requests/" + made.ID
}

// waiting is a request whose plan waits for a person.
func waiting(t testing.TB, s *scene.Scene) (id, path string) {
	t.Helper()
	id, path = proved(t, s, request.Ask{})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 500, Own: true})
	return id, path
}

func approved(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := waiting(t, s)
	walks(t, s, id)
	var listed struct{ Requests []Listed }
	do(t, s, dorothea, "GET", "/v1/requests?show=desk", nil, 200, "").Decode(t, &listed)
	if len(listed.Requests) != 1 || listed.Requests[0].ID != id || fmt.Sprint(listed.Requests[0].Waits) != "[approve]" || listed.Requests[0].Overdue {
		t.Errorf("listed %+v", listed.Requests)
	}
	var whole Whole
	do(t, s, dorothea, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.PlanDigest != digest || fmt.Sprint(whole.Doubts) != "[many_items]" || len(whole.Identifiers) != 1 || whole.Due != (calendar.Day{Year: 2026, Month: 4, Day: 3}) {
		t.Errorf("seen as %+v", whole)
	}
	want := []Row{
		{Entry: "sessions", Found: 4, Delete: 4}, {Entry: "usage", Found: 7, Anonymise: 6, Foreign: 1},
		{Entry: "notes", Found: 2, Review: 2, Why: "unreachable"},
		{Entry: "invoices", Found: 3, Delete: 1, Kept: 2, Ground: "statute", Until: calendar.Day{Year: 2036, Month: 1, Day: 2}},
	}
	if !sameRows(whole.Plan, want) {
		t.Errorf("the plan is\n%+v, want\n%+v", whole.Plan, want)
	}
	do(t, s, dorothea, "GET", "/v1/requests?after=nonsense", nil, 400, "body_invalid")
	do(t, s, dorothea, "POST", path+"/approve", Approval{strings.Repeat("b", 64)}, 409, "plan_changed")
	do(t, s, dorothea, "POST", path+"/approve", Approval{digest}, 200, "").Decode(t, &whole)
	if whole.State != "approved" || whole.Approved != "dorothea" || len(s.Published(request.TopicRun)) != 1 {
		t.Errorf("approved as %s by %s", whole.State, whole.Approved)
	}
	do(t, s, dorothea, "POST", path+"/approve", Approval{digest}, 200, "") // sent twice
	do(t, s, simone, "POST", path+"/approve", Approval{digest}, 409, "state_conflict")
	s.Started(t, id)
	do(t, s, simone, "POST", path+"/reject", Refusal{Ground: "art17-1"}, 409, "too_late")
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if p := whole.Progress; p == nil || p.Steps != 6 || p.Done != 1 || p.Erased != 4 {
		t.Errorf("progress %+v", whole.Progress)
	}
	s.Executed(t, id, request.Totals{Erased: 500})
	do(t, s, simone, "POST", path+"/hold", NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}, 409, "too_late")
	s.Verified(t, id, request.Outcome{})
	do(t, s, dorothea, "GET", "/v1/requests?show=over&state=completed", nil, 200, "").Decode(t, &listed)
	if len(listed.Requests) != 1 || listed.Requests[0].Open {
		t.Errorf("over are %+v", listed.Requests)
	}
}

// walks writes what the engine's walks of a plan and of an erasing leave behind.
func walks(t *testing.T, s *scene.Scene, id string) {
	t.Helper()
	ends := time.Date(2036, 1, 2, 23, 0, 0, 0, time.UTC)
	type count map[string]any
	for n, task := range []struct {
		phase, entry, why string
		done              bool
		count             count
	}{
		{"plan", "invoices", "", true, count{"found": 3, "kept": 2, "left": 1, "until": ends}},
		{"plan", "usage", "", true, count{"found": 4, "left": 3, "foreign": 1}}, {"plan", "usage", "", true, count{"found": 3, "left": 3}},
		{"plan", "sessions", "", true, count{"found": 4, "left": 4}}, {"plan", "notes", "unreachable", true, count{"found": 2, "review": 2}},
		{"plan", "label-members", "", true, count{"found": 0}},
		{"erase", "sessions", "", true, count{"found": 4, "erased": 4}}, {"erase", "usage", "", false, count{"found": 0}},
	} {
		if err := s.Raw("erasure").Tx(t.Context(), func(tx store.Tx) error {
			return tx.Put("tasks", fmt.Sprint(id, ".", n), map[string]any{
				"v": 1, "request": id, "round": 1, "phase": task.phase, "entry": task.entry, "why": task.why, "done": task.done, "count": task.count,
			})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// sameRows reports whether two plans have the same rows.
func sameRows(a, b []Row) bool {
	if len(a) != len(b) {
		return false
	}
	for _, row := range b {
		found := false
		for _, one := range a {
			found = found || one == row
		}
		if !found {
			return false
		}
	}
	return true
}

func held(t *testing.T) {
	t.Parallel()
	s := started(t)
	_, path := waiting(t, s)
	fine := NewHold{Entry: "notes", Fields: []string{"text"}, Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 12, Day: 31}}
	for code, change := range map[string]func(*NewHold){
		"ground_invalid": func(h *NewHold) { h.Ground = "because" }, "hold_invalid": func(h *NewHold) { h.Entry = "*" },
	} {
		h := fine
		change(&h)
		do(t, s, dorothea, "POST", path+"/hold", h, 400, code)
	}
	var whole Whole
	do(t, s, dorothea, "POST", path+"/hold", fine, 200, "").Decode(t, &whole)
	if whole.Proposed == nil || whole.Proposed.By != "dorothea" || len(whole.Holds) != 0 {
		t.Errorf("proposed as %+v", whole)
	}
	do(t, s, dorothea, "POST", path+"/hold", fine, 200, "").Decode(t, &whole)
	if len(whole.Holds) != 0 {
		t.Error("one person held something")
	}
	do(t, s, stefan, "POST", path+"/hold", fine, 200, "").Decode(t, &whole)
	if len(whole.Holds) != 1 || whole.Holds[0].Second != "stefan" || whole.State != "planning" {
		t.Errorf("held as %+v in %s", whole.Holds, whole.State)
	}
	do(t, s, stefan, "POST", path+"/release", Released{"nothing"}, 404, "hold_unknown")
	hold := whole.Holds[0].ID
	whole = Whole{}
	do(t, s, stefan, "POST", path+"/release", Released{hold}, 200, "").Decode(t, &whole)
	if len(whole.Holds) != 0 {
		t.Errorf("released, and held still: %+v", whole.Holds)
	}
}

func refused(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{Export: true, Email: mia, Tenant: tenant})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 500, Own: true})
	do(t, s, dorothea, "POST", path+"/reject", Refusal{Ground: "art17-3-b"}, 400, "ground_invalid")
	var whole Whole
	do(t, s, dorothea, "POST", path+"/reject", Refusal{Ground: "art12-5"}, 200, "").Decode(t, &whole)
	if whole.State != "awaiting_approval" || whole.Proposed == nil {
		t.Errorf("proposed in %s", whole.State)
	}
	do(t, s, simone, "POST", path+"/reject", Refusal{Ground: "art12-5"}, 200, "").Decode(t, &whole)
	if whole.State != "rejected" || whole.Refusal == nil || whole.Refusal.Second != "simone" || whole.Identifiers != nil && len(whole.Identifiers) > 0 && whole.Text != "" {
		t.Errorf("refused as %+v", whole)
	}
	do(t, s, simone, "POST", path+"/approve", Approval{digest}, 409, "state_conflict")
	do(t, s, simone, "POST", path+"/hold", NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}, 409, "state_conflict")
	do(t, s, simone, "POST", path+"/reject", Refusal{Ground: "art17-1"}, 409, "state_conflict")
	for _, deed := range []string{"exported", "settle", "resume", "giveup"} {
		do(t, s, simone, "POST", path+"/"+deed, nil, 409, "state_conflict")
	}
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "notes", Items: 1}, 409, "state_conflict")
	do(t, s, simone, "POST", path+"/extend", Extension{"number"}, 409, "state_conflict")
	do(t, s, simone, "POST", path+"/passon", PassedOn{tenant}, 409, "state_conflict")
}

func extended(t *testing.T) {
	t.Parallel()
	s := started(t)
	_, path := waiting(t, s)
	do(t, s, dorothea, "POST", path+"/extend", Extension{"holidays"}, 400, "reason_invalid")
	var whole Whole
	do(t, s, dorothea, "POST", path+"/extend", Extension{"complexity"}, 200, "").Decode(t, &whole)
	if whole.Extended == nil || whole.Due != (calendar.Day{Year: 2026, Month: 6, Day: 3}) {
		t.Errorf("extended to %s", whole.Due)
	}
	do(t, s, simone, "POST", path+"/extend", Extension{"number"}, 409, "extended_already")
	late := started(t)
	_, path = waiting(t, late)
	late.Advance(t, 32*24*time.Hour)
	do(t, late, dorothea, "POST", path+"/extend", Extension{"number"}, 409, "notice_late")
	var listed struct{ Requests []Listed }
	do(t, late, dorothea, "GET", "/v1/requests?show=overdue", nil, 200, "").Decode(t, &listed)
	if len(listed.Requests) != 1 || !listed.Requests[0].Overdue {
		t.Errorf("overdue are %+v", listed.Requests)
	}
}

func entered(t *testing.T) {
	t.Parallel()
	s := started(t)
	now := s.Clock.Now()
	fine := Letter{Channel: "letter", Received: now.Add(-72 * time.Hour), Tenant: tenant, Email: mia, Text: "Please forget me.", Language: "de"}
	var made Entered
	got := do(t, s, dorothea, "POST", "/v1/requests", fine, 201, "")
	if got.Decode(t, &made); made.Due != (calendar.Day{Year: 2026, Month: 3, Day: 30}) || strings.Contains(string(got.Body), "secret") {
		t.Errorf("entered as %s", got.Body)
	}
	path := "/v1/requests/" + made.ID
	var whole Whole
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.Text != fine.Text || whole.Entered != "dorothea" || whole.Channel != "letter" || whole.Language != "de" {
		t.Errorf("seen as %+v", whole)
	}
	number, code := s.Identified(t, made.ID)
	if _, err := s.Requests.Confirm(t.Context(), number, code, now); err != nil {
		t.Fatal(err)
	}
	s.Planned(t, made.ID, request.Plan{Digest: digest, Map: "m", Items: 1, Review: 2, Look: []request.Look{{Entry: "notes", Items: 2}}, Own: true})
	hold := NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}
	for deed, body := range map[string]any{"approve": Approval{digest}, "hold": hold, "reject": Refusal{Ground: "art17-1"}, "reviewed": Reviewed{Entry: "notes", Items: 2}} {
		do(t, s, dorothea, "POST", path+"/"+deed, body, 403, "approve_self")
	}
	do(t, s, simone, "POST", path+"/hold", hold, 200, "")
	do(t, s, stefan, "POST", path+"/hold", hold, 200, "").Decode(t, &whole)
	do(t, s, dorothea, "POST", path+"/release", Released{whole.Holds[0].ID}, 403, "approve_self")

	eml := "Received: from mx by mail; Mon, 02 Mar 2026 10:00:00 +0100\r\nFrom: Mia <" + mia + ">\r\nSubject: forget me\r\nContent-Type: text/plain\r\n\r\nPlease do.\r\n"
	do(t, s, simone, "POST", "/v1/requests", Letter{Tenant: tenant, EML: eml}, 201, "").Decode(t, &made)
	whole = Whole{}
	do(t, s, simone, "GET", "/v1/requests/"+made.ID, nil, 200, "").Decode(t, &whole)
	if whole.Reply != mia || whole.Channel != "mail" || !strings.Contains(whole.Text, "Please do.") || !whole.Received.Equal(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("of a mail: %+v", whole)
	}
	do(t, s, simone, "POST", "/v1/requests", Letter{Tenant: tenant, EML: "no mail"}, 400, "mail_invalid")
	do(t, s, simone, "POST", "/v1/requests", Letter{Tenant: tenant, Channel: "letter", Received: now, Email: "*"}, 400, "identifier_invalid")
	for name, wrong := range map[string]Letter{
		"no time": {Tenant: tenant, Channel: "letter"}, "ahead": {Tenant: tenant, Channel: "letter", Received: now.Add(time.Hour)},
		"no organisation": {Tenant: "?", Channel: "letter", Received: now}, "no channel": {Tenant: tenant, Received: now},
	} {
		if got := answered.Saw(s.Call(t, call(s.World, simone, "POST", "/v1/requests", wrong))); got.Code != "body_invalid" {
			t.Errorf("%s: %d %s", name, got.Status, got.Code)
		}
	}
	// What nobody can prove ends, and whoever wrote is told.
	do(t, s, stefan, "POST", "/v1/requests/"+made.ID+"/giveup", nil, 200, "").Decode(t, &whole)
	if whole.State != "identity_not_established" {
		t.Errorf("given up as %s", whole.State)
	}
}

// Free text is looked at by a person, who says so; then it holds the request up no more.
func lookedAt(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Review: 2, Look: []request.Look{{Entry: "notes", Items: 2}}, Own: true})
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "notes", Items: 3}, 409, "review_unknown")
	do(t, s, simone, "POST", path+"/approve", Approval{digest}, 200, "")
	s.Started(t, id)
	s.Executed(t, id, request.Totals{Erased: 1})
	s.Verified(t, id, request.Outcome{Open: []request.Open{{Entry: "notes", Why: "review", Items: 2}}})
	var whole Whole
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.State != "partial" || len(whole.OpenEntries) != 1 {
		t.Fatalf("with free text it is %s", whole.State)
	}
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "notes", Items: 2}, 200, "")
	s.Verified(t, id, request.Outcome{Open: []request.Open{{Entry: "notes", Why: "review", Items: 2}}})
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.State != "completed" {
		t.Errorf("looked at, it is %s", whole.State)
	}
}

// The last owner's account finds another owner, a copy goes first, and what stood in the way is gone.
func hindered(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{Export: true, Email: mia, Tenant: tenant})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	var whole Whole
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.State != "blocked" || whole.Why != "last_owner" || fmt.Sprint(whole.Waits) != "[owner]" {
		t.Fatalf("the last owner's is %s, %s", whole.State, whole.Waits)
	}
	do(t, s, simone, "POST", path+"/settle", nil, 200, "")
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true, Owner: true})
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.State != "approved" || fmt.Sprint(whole.Waits) != "[export]" {
		t.Errorf("before the copy it is %s, waits %s", whole.State, whole.Waits)
	}
	whole = Whole{}
	do(t, s, simone, "POST", path+"/exported", Handed{calendar.Day{Year: 2099, Month: 1, Day: 1}}, 400, "body_invalid")
	do(t, s, simone, "POST", path+"/exported", map[string]string{"on": strings.Repeat("2", 1<<17)}, 413, "too_large")
	do(t, s, simone, "POST", path+"/exported", nil, 200, "").Decode(t, &whole)
	if !whole.Export || whole.Handed.IsZero() || whole.HandedBy == "" {
		t.Errorf("the copy was handed over on %s by %q", whole.Handed, whole.HandedBy)
	}
	if len(whole.Waits) != 0 || len(s.Published(request.TopicRun)) == 0 {
		t.Errorf("after the copy it waits for %s", whole.Waits)
	}
	if waiting := s.Pending(t, "decideerasure"); waiting != 0 {
		t.Errorf("%d messages or records did not leave", waiting)
	}
	s.Started(t, id)
	s.Executed(t, id, request.Totals{})
	s.Verified(t, id, request.Outcome{Open: []request.Open{{Entry: "sessions", Why: "denied"}}})
	do(t, s, simone, "POST", path+"/resume", nil, 200, "").Decode(t, &whole)
	if whole.State != "planning" {
		t.Errorf("searched again as %s", whole.State)
	}
}

// A whole account takes a person's word; then what acts in its name ends at once.
func closing(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{Kind: request.Account, Email: mia, Tenant: tenant})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true, Owner: true})
	var whole Whole
	do(t, s, simone, "POST", path+"/approve", Approval{digest}, 200, "").Decode(t, &whole)
	if whole.State != "approved" || fmt.Sprint(whole.Doubts) != "[closure]" || len(s.Published(request.TopicRevoke)) != 1 || s.Pending(t, "decideerasure") != 0 {
		t.Errorf("closed as %+v", whole)
	}
}

// An answer that is late is put on record as mended when it is given.
func TestMended(t *testing.T) {
	t.Parallel()
	s := started(t)
	_, path := waiting(t, s)
	s.Overdue(t)
	for _, who := range []string{dorothea, simone} {
		s.Call(t, call(s.World, who, "POST", path+"/reject", Refusal{Ground: "art17-1"})).Want(t, 200, "")
	}
	s.Mended(t, "decideerasure")
}
