package decideerasure

import (
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/calendar"
	"ostiary.internal/shared/erasure/request"
)

// twins: one human under two addresses neither decides about what she entered or asked for, nor is two.
func twins(t *testing.T) {
	t.Parallel()
	twice := functiontest.Twice(t, setup, dorothea, "root", "employee, dpo, owner")
	w := functiontest.New(t, functiontest.Twice(t, twice, simone, "admin", "employee, security, owner"))
	w.Private(mia)
	s, root, admin := scene.New(t, w, tenant, mia), email("root"), email("admin")
	letter := Letter{Channel: "letter", Received: s.Clock.Now().Add(-72 * time.Hour), Tenant: tenant, Email: mia, Text: "Please forget me."}
	var made Entered
	do(t, s, dorothea, "POST", "/v1/requests", letter, 201, "").Decode(t, &made)
	path := "/v1/requests/" + made.ID
	number, code := s.Identified(t, made.ID)
	do(t, s, root, "POST", path+"/passon", PassedOn{tenant}, 403, "same_person")
	if _, err := s.Requests.Confirm(t.Context(), number, code, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	s.Planned(t, made.ID, request.Plan{Digest: digest, Map: "m", Items: 1, Review: 2, Look: []request.Look{{Entry: "notes", Items: 2}}, Own: true})
	hold := NewHold{Entry: "notes", Ground: "art17-3-e", Until: calendar.Day{Year: 2026, Month: 5, Day: 1}}
	for deed, body := range map[string]any{"approve": Approval{digest}, "hold": hold, "reject": Refusal{Ground: "art17-1"}, "reviewed": Reviewed{Entry: "notes", Items: 2}} {
		do(t, s, root, "POST", path+"/"+deed, body, 403, "same_person")
	}
	do(t, s, simone, "POST", path+"/hold", hold, 200, "")
	do(t, s, admin, "POST", path+"/hold", hold, 403, "same_person")
	var whole Whole
	do(t, s, stefan, "POST", path+"/hold", hold, 200, "").Decode(t, &whole)
	if len(whole.Holds) != 1 {
		t.Fatalf("held: %+v", whole.Holds)
	}
	do(t, s, root, "POST", path+"/release", Released{whole.Holds[0].ID}, 403, "same_person")
	s.Planned(t, made.ID, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true, Owner: true, Last: true})
	do(t, s, root, "POST", path+"/settle", nil, 403, "same_person")
	do(t, s, dorothea, "POST", path+"/settle", nil, 403, "approve_self")
	do(t, s, simone, "POST", path+"/settle", nil, 200, "")
	do(t, s, admin, "POST", path+"/settle", nil, 403, "same_person")
	// What simone asks for herself is not admin's to decide either.
	letter.Email = simone
	do(t, s, stefan, "POST", "/v1/requests", letter, 201, "").Decode(t, &made)
	do(t, s, admin, "POST", "/v1/requests/"+made.ID+"/reject", Refusal{Ground: "art17-1"}, 403, "own_matter")
}
