package decideerasure

import (
	"strings"
	"testing"

	"ostiary.internal/functions/erasure/internal/page"
	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
)

func roles(t *testing.T) {
	t.Parallel()
	s := started(t)
	_, path := waiting(t, s)
	until := calendar.Day{Year: 2026, Month: 5, Day: 1}
	for _, r := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/requests", nil}, {"GET", path, nil}, {"POST", "/v1/requests", Letter{Tenant: tenant, Channel: "letter", Received: s.Clock.Now()}}, {"POST", path + "/approve", Approval{digest}},
		{"POST", path + "/hold", NewHold{Entry: "notes", Ground: "art17-3-e", Until: until}}, {"POST", path + "/release", Released{"x"}}, {"POST", path + "/reject", Refusal{Ground: "art17-1"}},
		{"POST", path + "/extend", Extension{"number"}}, {"POST", path + "/reviewed", Reviewed{Entry: "notes", Items: 1}}, {"POST", path + "/exported", nil}, {"POST", path + "/settle", nil},
		{"POST", path + "/resume", nil}, {"POST", path + "/giveup", nil}, {"POST", path + "/passon", PassedOn{tenant}}, {"GET", "/v1/parties", nil}, {"POST", "/v1/parties/connections/aa11", Settled{"revoked"}}, {"POST", "/v1/parties/notices/bb22", Settled{"impossible"}},
	} {
		before := s.State(t)
		do(t, s, emma, r.method, r.path, r.body, 403, "role_missing")
		s.Unchanged(t, before)
	}
}

// all are the decisions there are, each with a body that can be read.
func all(path string) map[string]any {
	return map[string]any{
		path + "/approve": Approval{digest}, path + "/hold": NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}, path + "/release": Released{"x"},
		path + "/reject": Refusal{Ground: "art17-1"}, path + "/extend": Extension{"number"}, path + "/reviewed": Reviewed{Entry: "notes", Items: 1}, path + "/exported": nil, path + "/settle": nil,
		path + "/resume": nil, path + "/giveup": nil, path + "/passon": PassedOn{tenant},
	}
}

// parted are where somebody settles what byHand left.
var parted = []string{"/v1/parties/connections/aa11", "/v1/parties/notices/bb22"}

func ownMatter(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	s := scene.New(t, w, tenant, simone)
	made, err := s.Requests.Ask(t.Context(), request.Ask{Email: simone, Tenant: tenant}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range all("/v1/requests/" + made.ID) {
		do(t, s, simone, "POST", path, body, 403, "own_matter")
	}
}

func nobody(t *testing.T) {
	t.Parallel()
	s := started(t)
	do(t, s, simone, "GET", "/v1/requests/abcdefghjk", nil, 404, "request_unknown")
	for path, body := range all("/v1/requests/abcdefghjk") {
		do(t, s, simone, "POST", path, body, 404, "request_unknown")
	}
}

func gate(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	requests := []functiontest.Request{call(w, dorothea, "GET", "/v1/requests", nil), call(w, dorothea, "GET", "/v1/requests/abcdefghjk", nil),
		call(w, dorothea, "POST", "/v1/requests", Letter{Tenant: tenant, Channel: "letter", Received: w.Clock.Now()})}
	for _, path := range parted {
		requests = append(requests, call(w, dorothea, "POST", path, Settled{"impossible"}))
	}
	requests = append(requests, call(w, dorothea, "GET", "/v1/parties", nil))
	for path, body := range all("/v1/requests/abcdefghjk") {
		requests = append(requests, call(w, dorothea, "POST", path, body))
	}
	functiontest.StaffGate(t, setup, &answered, dorothea, requests...)
}

func hostile(t *testing.T) {
	t.Parallel()
	s := started(t)
	for path, body := range map[string]string{
		"/v1/requests": `{"tenant":"` + tenant + `"}`, "/v1/requests/abcdefghjk/approve": `{"plan_digest":"x"}`, "/v1/requests/abcdefghjk/hold": `{"entry":"notes","ground":"art17-3-e","until":"2026-05-01"}`,
		"/v1/requests/abcdefghjk/release": `{"hold":"x"}`, "/v1/requests/abcdefghjk/reject": `{"ground":"art17-1"}`, "/v1/requests/abcdefghjk/extend": `{"reason":"number"}`,
		"/v1/requests/abcdefghjk/reviewed": `{"entry":"notes","items":1}`, "/v1/requests/abcdefghjk/passon": `{"tenant":"x"}`, parted[0]: `{"outcome":"revoked"}`, parted[1]: `{"outcome":"impossible"}`,
	} {
		s.Bodies(t, &answered, functiontest.Request{Method: "POST", Path: "/decideerasure" + path, Body: body, Token: s.Staff(dorothea)})
	}
}

func outages(t *testing.T) {
	t.Parallel()
	s := started(t)
	_, path := waiting(t, s)
	late := started(t)
	_, latePath := proved(t, late, request.Ask{Export: true, Email: mia, Tenant: tenant})
	// The vault knows her before: that is another database.
	do(t, s, dorothea, "POST", path+"/approve", Approval{strings.Repeat("b", 64)}, 409, "plan_changed")
	do(t, late, dorothea, "POST", latePath+"/approve", Approval{digest}, 409, "state_conflict")
	s.Outages(t, &answered, call(s.World, dorothea, "GET", "/v1/requests", nil), 200, &s.Directory)
	s.Outages(t, &answered, call(s.World, dorothea, "GET", path, nil), 200, &s.Directory, &s.RequestKey)
	s.Outages(t, &answered, call(s.World, dorothea, "GET", "/v1/parties", nil), 200, &s.Directory)
	byHand(t, s)
	for i, outcome := range []string{"revoked", "impossible"} {
		s.Outages(t, &answered, call(s.World, dorothea, "POST", parted[i], Settled{outcome}), 200, &s.Directory)
	}
	s.Outages(t, &answered, call(s.World, dorothea, "POST", "/v1/requests", Letter{Tenant: tenant, Channel: "letter", Received: s.Clock.Now()}), 201, &s.Directory, &s.RequestKey)
	hold := NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}
	for _, r := range []struct {
		path string
		body any
	}{{"/extend", Extension{"number"}}, {"/hold", hold}, {"/approve", Approval{digest}}} {
		s.Outages(t, &answered, call(s.World, dorothea, "POST", path+r.path, r.body), 200, &s.Directory)
	}
	late.Outages(t, &answered, call(late.World, dorothea, "POST", latePath+"/exported", nil), 200, &late.Directory)
	for path, body := range all(latePath) {
		late.Directory.Down()
		do(t, late, dorothea, "POST", path, body, 503, "unavailable")
		late.Directory.Up()
	}
}

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	functiontest.Texts(t, page.NewDesk("decideerasure"), functiontest.New(t, setup).Routes("decideerasure")...)
}
