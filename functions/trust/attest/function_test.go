package attest

import (
	"fmt"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/duty"
)

const duties = `duties:
  - {id: risk-register-review, what: Go through the risk register., owner_role: security, every: P1Y, second: owner, remind: P7D, promises: [F05, D04]}
  - {id: software-clearance, what: {en: Clear it., fr: Validez., de: Freigeben.}, owner_role: security, on: request, evidence: [statement, scan.finished], second: manager}
  - {id: nda, what: Everybody signs., owner_role: manager, on: joining, within: P7D, promises: [D30]}
  - {id: log-review, what: Read the logs., owner_role: security, every: P1D}
  - {id: google-premium-partner, what: File it., owner_role: owner, every: P1Y}
  - {id: access-review, what: Go through access., owner_role: security, every: P1Y, evidence: [statement, {type: review.done, about: access}]}
`

var setup = functiontest.Setup{Functions: []wiring.Function{Function}, Policy: map[string]string{"duties.yaml": duties}}

func email(who string) string { return who + "@sharedcontacts.example" }

var odile, simone, stefan, dorothea, marc, emma, aurel = email("odile.martin"), email("simone.bernard"), email("stefan.weber"),
	email("dorothea.klein"), email("marc.petit"), email("emma.dubois"), email("aurel.roth")

// seen collects which problems the API answered, over all parts of TestAPI.
var seen functiontest.Coverage

// Every problem the table lists is answered by something people do, and none that it does not list.
func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T){
			"duty": dutyLife, "own matter": ownMatter, "statement": statements, "waiver": waivers, "gate": gate, "hostile": hostile, "outages": outages,
			"certificate": certificate, "late certificate": lateCertificate, "requests": requests, "decisions": decisions, "twins": twins,
		} {
			t.Run(name, part)
		}
	})
	seen.Complete(t, "attest", functiontest.New(t, setup).Routes("attest"))
}

func call(w *functiontest.World, who, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: "/attest" + path, Token: w.Staff(who), Body: body}
}

// do calls the API as a person and wants an answer.
func do(t *testing.T, w *functiontest.World, who, method, path string, body any, status int, code string) functiontest.Answer {
	t.Helper()
	return seen.Saw(w.Call(t, call(w, who, method, path, body))).Want(t, status, code)
}

// tick runs the control's clockwork, as its scheduled function does.
func tick(t testing.TB, w *functiontest.World) {
	t.Helper()
	p, err := parts.New(w.Deps("attest"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Tick(t.Context(), w.Clock.Now()); err != nil {
		t.Fatal(err)
	}
}

func records(t *testing.T, w *functiontest.World, kind record.Kind, promise string) []record.Record {
	t.Helper()
	var found []record.Record
	for _, r := range w.Records(t) {
		for _, id := range r.Promises {
			if r.Kind == kind && id == promise {
				found = append(found, r)
			}
		}
	}
	return found
}

func find(t *testing.T, w *functiontest.World, who, id string) Duty {
	t.Helper()
	var listed struct{ Duties []Duty }
	do(t, w, who, "GET", "/v1/duties", nil, 200, "").Decode(t, &listed)
	for _, d := range listed.Duties {
		if d.ID == id {
			return d
		}
	}
	return Duty{}
}

// Overdue is a finding, and the work of two people closes it.
func dutyLife(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	const path = "/v1/duties/risk-register-review"
	do(t, w, simone, "POST", "/v1/duties/nothing/done", nil, 404, "duty_unknown")
	// Before the clock has run for the first time, what is owed is there already.
	if d := find(t, w, emma, "risk-register-review"); d.State != "open" || d.Cycle != 1 {
		t.Errorf("at first emma sees %+v", d)
	}
	do(t, w, stefan, "POST", "/v1/duties/log-review/done", Word{Cycle: 1}, 200, "")
	do(t, w, odile, "POST", path+"/review", nil, 409, "duty_not_done")
	tick(t, w)
	w.Advance(t, 40*24*time.Hour)
	tick(t, w)
	if d := find(t, w, emma, "risk-register-review"); d.State != "overdue" || d.MayDo || len(d.Promises) != 2 {
		t.Errorf("emma sees %+v", d)
	}
	findings := records(t, w, record.Finding, "F05")
	if len(findings) != 1 || findings[0].Result.State != record.Broken || len(w.Published("message.requested")) == 0 {
		t.Fatalf("%d findings, %d messages", len(findings), len(w.Published("message.requested")))
	}
	do(t, w, odile, "POST", path+"/review", nil, 409, "duty_not_done")
	do(t, w, emma, "POST", path+"/done", Word{}, 403, "role_missing")
	do(t, w, simone, "POST", path+"/done", Word{Ref: "it is done"}, 400, "reference_invalid")
	do(t, w, simone, "POST", path+"/done", Word{Cycle: 9}, 409, "duty_moved")
	do(t, w, simone, "POST", path+"/done", Word{Ref: "SEC-7", Cycle: 1}, 200, "")
	do(t, w, simone, "POST", path+"/done", Word{Ref: "SEC-7", Cycle: 1}, 200, "") // sent twice
	do(t, w, stefan, "POST", path+"/done", nil, 409, "duty_done")
	do(t, w, simone, "POST", path+"/review", nil, 403, "role_missing")
	do(t, w, odile, "POST", path+"/review", Review{Verdict: "perhaps"}, 400, "verdict_invalid")
	do(t, w, odile, "POST", path+"/review", Review{Cycle: 2}, 409, "duty_moved")
	if d := find(t, w, odile, "risk-register-review"); !d.MayCheck || d.Ref != "SEC-7" || d.DoneBy != "simone" {
		t.Errorf("odile sees %+v", d)
	}
	do(t, w, odile, "POST", path+"/review", Review{Verdict: "returned"}, 200, "")
	do(t, w, simone, "POST", path+"/done", nil, 200, "")
	var settled Duty
	do(t, w, odile, "POST", path+"/review", nil, 200, "").Decode(t, &settled)
	do(t, w, odile, "POST", path+"/review", nil, 200, "")
	do(t, w, simone, "POST", "/v1/duties/log-review/review", nil, 409, "duty_reviewed")
	proofs, healed := records(t, w, record.Review, "F05"), records(t, w, record.Remediation, "F05")
	if settled.State != "reviewed" || len(proofs) != 1 || len(healed) != 1 || healed[0].Refs[0].ID != findings[0].ID() || proofs[0].Result.State != record.Attested || len(proofs[0].Subjects) != 2 {
		t.Errorf("settled as %+v, proven by %+v, healed by %+v", settled, proofs, healed)
	}
}

// Nobody reviews her own, and nobody settles alone what concerns her.
func ownMatter(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	do(t, w, marc, "POST", "/v1/duties/nda~marc/done", nil, 403, "own_matter")
	do(t, w, odile, "POST", "/v1/duties/nda~marc/done", nil, 200, "")
	if d := find(t, w, emma, "nda~marc"); d.ID != "" {
		t.Errorf("emma sees what marc owes: %+v", d)
	}
	if d := find(t, w, emma, "nda~emma"); d.ID == "" || d.MayDo {
		t.Errorf("of her own duty emma sees %+v", d)
	}
	var asked Duty
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: "vim 9.1"}, 201, "").Decode(t, &asked)
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: "vim 9.1"}, 201, "")
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: " "}, 400, "about_invalid")
	do(t, w, marc, "POST", "/v1/duties/log-review/ask", Ask{About: "x"}, 404, "duty_unknown")
	do(t, w, simone, "POST", "/v1/duties/"+asked.ID+"/done", nil, 409, "evidence_missing")
	p, err := parts.New(w.Deps("attest"))
	if err != nil {
		t.Fatal(err)
	}
	if counted, err := p.Duties.Evidence(t.Context(), duty.Arrived{Type: "scan.finished", Event: "sha256:1", Request: "vim 9.1", At: w.Clock.Now()}, w.Clock.Now()); err != nil || len(counted) != 1 {
		t.Fatal(counted, err)
	}
	do(t, w, simone, "POST", "/v1/duties/"+asked.ID+"/done", nil, 200, "")
	do(t, w, marc, "POST", "/v1/duties/"+asked.ID+"/review", nil, 403, "review_self")
	do(t, w, odile, "POST", "/v1/duties/"+asked.ID+"/review", nil, 200, "")
	if proofs := records(t, w, record.Review, "F15"); len(proofs) != 1 {
		t.Errorf("%d proofs", len(proofs))
	}
	do(t, w, odile, "POST", "/v1/duties/no~such~thing/review", nil, 404, "duty_unknown")
}

// Requests have an end: one person's, and what is decided makes room.
func requests(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	const path = "/v1/duties/software-clearance/ask"
	for n := range duty.MostAsked {
		do(t, w, emma, "POST", path, Ask{About: fmt.Sprint("tool ", n)}, 201, "")
	}
	do(t, w, emma, "POST", path, Ask{About: "one more"}, 429, "asked_too_much")
	do(t, w, emma, "POST", path, Ask{About: "tool 1"}, 201, "")
	do(t, w, marc, "POST", path, Ask{About: "one more"}, 201, "")
}

// arrive takes machine evidence about what was asked for.
func arrive(t *testing.T, w *functiontest.World, a duty.Arrived) {
	t.Helper()
	p, err := parts.New(w.Deps("attest"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Type, a.At = "scan.finished", w.Clock.Now()
	a.Event = record.Digest([]byte(a.Request + a.At.String()))
	if counted, err := p.Duties.Evidence(t.Context(), a, a.At); err != nil || len(counted) != 1 {
		t.Fatal(counted, err)
	}
}

// What was asked for and is not to be had ends as refused or withdrawn, and the promises are kept.
func decisions(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	ask := func(about string) string {
		t.Helper()
		var asked Duty
		do(t, w, emma, "POST", "/v1/duties/software-clearance/ask", Ask{About: about}, 201, "").Decode(t, &asked)
		if !asked.MayDrop {
			t.Errorf("emma may not withdraw %+v", asked)
		}
		return asked.ID
	}
	infected := ask("evil 1")
	arrive(t, w, duty.Arrived{Request: "evil 1", Failed: true})
	if d := find(t, w, simone, infected); !d.MayTurn || len(d.Failed) != 1 || d.Failed[0] != "scan.finished" {
		t.Errorf("simone sees %+v", d)
	}
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", Review{Verdict: "refused"}, 400, "verdict_invalid")
	var refused Duty
	for range 2 {
		do(t, w, simone, "POST", "/v1/duties/"+infected+"/review", Review{Verdict: "refused", Cycle: 1}, 200, "").Decode(t, &refused)
	}
	if refused.State != "refused" || refused.Reviewer != "simone" || refused.MayTurn || refused.MayDo {
		t.Errorf("refused it is %+v", refused)
	}
	other := "/v1/duties/" + ask("vim 9.1") + "/withdraw"
	do(t, w, simone, "POST", other, nil, 403, "not_asker")
	do(t, w, emma, "POST", other, Withdraw{Cycle: 5}, 409, "duty_moved")
	do(t, w, emma, "POST", "/v1/duties/log-review/withdraw", nil, 404, "duty_unknown")
	for range 2 {
		var gone Duty
		if do(t, w, emma, "POST", other, Withdraw{Cycle: 1}, 200, "").Decode(t, &gone); gone.State != "withdrawn" || gone.MayDrop {
			t.Errorf("withdrawn it is %+v", gone)
		}
	}
	do(t, w, emma, "POST", "/v1/duties/"+infected+"/withdraw", nil, 409, "duty_reviewed")
	// What was cleared and turns out bad may be in use: who asked for it does not say alone that it is gone.
	cleared := ask("ed 1")
	arrive(t, w, duty.Arrived{Request: "ed 1"})
	do(t, w, simone, "POST", "/v1/duties/"+cleared+"/done", nil, 200, "")
	do(t, w, odile, "POST", "/v1/duties/"+cleared+"/review", nil, 200, "")
	w.Advance(t, time.Hour)
	arrive(t, w, duty.Arrived{Request: "ed 1", Failed: true})
	do(t, w, emma, "POST", "/v1/duties/"+cleared+"/withdraw", nil, 403, "own_matter")
	do(t, w, odile, "POST", "/v1/duties/"+cleared+"/review", Review{Verdict: "refused"}, 200, "")
	for kind, want := range map[record.Kind]int{record.Review: 3, record.Attestation: 1, record.Finding: 1, record.Remediation: 1} {
		if found := records(t, w, kind, "F15"); len(found) != want {
			t.Errorf("%d records of the kind %s", len(found), kind)
		}
	}
}

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	functiontest.Texts(t, page.NewAttest("attest"), append(w.Routes("attest"), web.Route{Problems: []string{"unsigned"}})...)
}
