package attest

import (
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/trust/duty"
)

// twins: one human under two addresses is one of the two, wherever two decide, and settles nothing of her own.
func twins(t *testing.T) {
	t.Parallel()
	twice := functiontest.Twice(t, setup, marc, "root", "employee, manager, owner")
	w := functiontest.New(t, functiontest.Twice(t, twice, simone, "admin", "employee, security, owner"))
	root, admin := email("root"), email("admin")
	tick(t, w)
	do(t, w, root, "POST", "/v1/duties/nda~marc/done", nil, 403, "same_person")
	do(t, w, odile, "POST", "/v1/duties/nda~marc/done", nil, 200, "")
	do(t, w, simone, "POST", "/v1/duties/risk-register-review/done", nil, 200, "")
	do(t, w, admin, "POST", "/v1/duties/risk-register-review/review", nil, 403, "same_person")
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 200, "")
	var asked Duty
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: "vim 9.1"}, 201, "").Decode(t, &asked)
	arrive(t, w, duty.Arrived{Request: "vim 9.1", Failed: true})
	do(t, w, root, "POST", "/v1/duties/"+asked.ID+"/review", Review{Verdict: "refused"}, 403, "same_person")
	var waived Waiver
	do(t, w, simone, "POST", "/v1/waivers", NewWaiver{Promise: "F06", Reason: "migration", Until: "2026-04-30"}, 201, "").Decode(t, &waived)
	do(t, w, admin, "POST", "/v1/waivers/"+waived.ID+"/approve", nil, 403, "same_person")
	do(t, w, dorothea, "POST", "/v1/waivers/"+waived.ID+"/approve", nil, 200, "")
}
