package attest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/internal/page"
	"ostiary.internal/functions/trust/internal/parts"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/trust/duty"
	"ostiary.internal/shared/trust/promise"
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
			"certificate": certificate, "late certificate": lateCertificate, "requests": requests, "decisions": decisions,
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

// A certificate is named with its end, and inherited until then.
func certificate(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	const path = "/v1/duties/google-premium-partner/done"
	if d := find(t, w, odile, "google-premium-partner"); !d.Files || d.Document != nil {
		t.Errorf("odile sees %+v", d)
	}
	fine := Word{Issuer: "Example Search Ltd", Number: "PARTNER/2026-7", Until: "2026-06-30"}
	for code, change := range map[string]func(*Word){
		"document_invalid": func(word *Word) { word.Number = "" },
		"until_invalid":    func(word *Word) { word.Until = "2026-03-02" },
	} {
		word := fine
		change(&word)
		do(t, w, odile, "POST", path, word, 400, code)
	}
	for _, until := range []string{"", "soon", "2036-01-01"} {
		word := fine
		word.Until = until
		do(t, w, odile, "POST", path, word, 400, "until_invalid")
	}
	do(t, w, odile, "POST", path, nil, 400, "document_invalid")
	do(t, w, simone, "POST", "/v1/duties/log-review/done", fine, 400, "document_invalid")
	var done Duty
	do(t, w, odile, "POST", path, fine, 200, "").Decode(t, &done)
	do(t, w, odile, "POST", path, fine, 200, "")
	end := time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC) // the company's midnight
	filed := records(t, w, record.Attestation, "F02")
	if done.Document == nil || done.Document.Number != fine.Number || !done.Document.Until.Equal(end) || !done.Valid.Equal(end) {
		t.Errorf("done is %+v", done)
	}
	if len(filed) != 1 || filed[0].Result.State != record.Inherited || !filed[0].Expires.Equal(end) {
		t.Errorf("filed: %+v", filed)
	}
}

// A document that is filed too late, and that a second person looks at: that it was not there is a finding until it is.
func lateCertificate(t *testing.T) {
	t.Parallel()
	s := setup
	s.Policy = map[string]string{"duties.yaml": strings.Replace(duties, "what: File it., owner_role: owner, every: P1Y", "what: File it., owner_role: owner, every: P1Y, second: security", 1)}
	w := functiontest.New(t, s)
	tick(t, w)
	w.Advance(t, 40*24*time.Hour)
	tick(t, w)
	const path = "/v1/duties/google-premium-partner"
	do(t, w, odile, "POST", path+"/done", Word{Issuer: "Example Search Ltd", Number: "PARTNER/2026-7", Until: "2026-06-30"}, 200, "")
	if found, filed := records(t, w, record.Finding, "F02"), records(t, w, record.Attestation, "F02"); len(found) != 1 || len(filed) != 0 {
		t.Fatalf("before anybody looked at it there are %d findings, and filed are %d", len(found), len(filed))
	}
	do(t, w, simone, "POST", path+"/review", nil, 200, "")
	if healed, filed := records(t, w, record.Remediation, "F02"), records(t, w, record.Attestation, "F02"); len(healed) != 1 || len(filed) != 1 {
		t.Errorf("healed %d, filed %d", len(healed), len(filed))
	}
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

func statements(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	p, _ := w.Policy.Promise("F01")
	fine := Sign{Promise: "F01", Text: promise.TextHash(p.Text), Until: "2027-03-03"}
	do(t, w, emma, "POST", "/v1/statements", fine, 403, "role_missing")
	for code, change := range map[string]func(*Sign){
		"promise_unknown": func(s *Sign) { s.Promise = "Z99" },
		"text_changed":    func(s *Sign) { s.Text = record.Digest([]byte("another text")) },
		"until_invalid":   func(s *Sign) { s.Until = "2028-01-01" },
	} {
		s := fine
		change(&s)
		status := map[string]int{"promise_unknown": 404, "text_changed": 409, "until_invalid": 400}[code]
		do(t, w, odile, "POST", "/v1/statements", s, status, code)
	}
	if n := len(w.Records(t)); n > 0 {
		t.Fatalf("refused, and %d records", n)
	}
	var first, again Statement
	do(t, w, odile, "POST", "/v1/statements", fine, 201, "").Decode(t, &first)
	do(t, w, odile, "POST", "/v1/statements", fine, 201, "").Decode(t, &again)
	signed := records(t, w, record.Attestation, "F01")
	if first.Record == "" || first.Record != again.Record || first.State != inForce || len(signed) != 1 || signed[0].PromiseText != fine.Text || signed[0].Facts["role"] != "owner" {
		t.Errorf("signed as %+v, %+v", first, signed)
	}
	var listed struct{ Statements []Statement }
	do(t, w, emma, "GET", "/v1/statements", nil, 200, "").Decode(t, &listed)
	if len(listed.Statements) < 2 || listed.Statements[0].MaySign {
		t.Errorf("emma sees %+v", listed)
	}
	w.Advance(t, 370*24*time.Hour)
	do(t, w, odile, "GET", "/v1/statements", nil, 200, "").Decode(t, &listed)
	if listed.Statements[0].State != expired || !listed.Statements[0].MaySign {
		t.Errorf("a year later: %+v", listed.Statements[0])
	}
}

func waivers(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	fine := NewWaiver{Promise: "F06", Reason: "migration", Until: "2026-04-30", Note: "the old disks"}
	do(t, w, emma, "POST", "/v1/waivers", fine, 403, "role_missing")
	for code, change := range map[string]func(*NewWaiver){
		"promise_unknown": func(n *NewWaiver) { n.Promise = "Z99" },
		"reason_invalid":  func(n *NewWaiver) { n.Reason = "because" },
		"note_invalid":    func(n *NewWaiver) { n.Note = strings.Repeat("x", 301) },
		"until_invalid":   func(n *NewWaiver) { n.Until = "2026-06-30" },
	} {
		n := fine
		change(&n)
		status := 400
		if code == "promise_unknown" {
			status = 404
		}
		do(t, w, simone, "POST", "/v1/waivers", n, status, code)
	}
	var asked, again Waiver
	do(t, w, simone, "POST", "/v1/waivers", fine, 201, "").Decode(t, &asked)
	do(t, w, simone, "POST", "/v1/waivers", fine, 201, "").Decode(t, &again)
	if asked.ID == "" || asked.ID != again.ID || len(w.Records(t)) > 0 {
		t.Errorf("asked twice: %+v, %+v, %d records", asked, again, len(w.Records(t)))
	}
	approve := "/v1/waivers/" + asked.ID + "/approve"
	do(t, w, simone, "POST", approve, nil, 403, "waiver_self")
	do(t, w, emma, "POST", approve, nil, 403, "role_missing")
	do(t, w, dorothea, "POST", "/v1/waivers/nothing/approve", nil, 404, "waiver_unknown")
	do(t, w, dorothea, "POST", approve, nil, 200, "")
	do(t, w, dorothea, "POST", approve, nil, 200, "")
	do(t, w, odile, "POST", approve, nil, 409, "waiver_decided")
	in := records(t, w, record.Waiver, "F06")
	if len(in) != 1 || len(in[0].Subjects) != 2 || in[0].Subjects[0].C == in[0].Subjects[1].C || in[0].Result.State != record.Excepted {
		t.Errorf("in force by %+v", in)
	}
	waits := fine
	waits.Promise = "F07"
	var other Waiver
	do(t, w, simone, "POST", "/v1/waivers", waits, 201, "").Decode(t, &other)
	end := "/v1/waivers/" + asked.ID + "/end"
	do(t, w, simone, "POST", "/v1/waivers/"+other.ID+"/end", nil, 409, "waiver_waiting")
	do(t, w, emma, "POST", end, nil, 403, "role_missing")
	do(t, w, emma, "GET", "/v1/waivers", nil, 403, "role_missing")
	var listed struct{ Waivers []Waiver }
	do(t, w, aurel, "GET", "/v1/waivers", nil, 200, "").Decode(t, &listed)
	if len(listed.Waivers) != 2 || listed.Waivers[0].State+listed.Waivers[1].State != "approvedasked" && listed.Waivers[0].State+listed.Waivers[1].State != "askedapproved" {
		t.Errorf("the auditor sees %+v", listed)
	}
	var ended Waiver
	do(t, w, simone, "POST", end, nil, 200, "").Decode(t, &ended)
	do(t, w, odile, "POST", end, nil, 200, "")
	do(t, w, odile, "POST", "/v1/waivers/nothing/end", nil, 404, "waiver_unknown")
	closed := records(t, w, record.Remediation, "F06")
	if ended.State != "ended" || ended.Ender != "simone" || ended.Ended.IsZero() || len(closed) != 1 || closed[0].Refs[0].ID != in[0].ID() {
		t.Errorf("ended as %+v, on record %+v", ended, closed)
	}
}

// Nothing that goes out of the control, or into its evidence, says who somebody is or what she wrote.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	do(t, w, marc, "POST", "/v1/duties/software-clearance/ask", Ask{About: "canary-software"}, 201, "")
	do(t, w, simone, "POST", "/v1/duties/risk-register-review/done", Word{Ref: "CANARY-7"}, 200, "")
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 200, "")
	do(t, w, odile, "POST", "/v1/duties/nda~marc/done", nil, 200, "")
	var asked Waiver
	do(t, w, simone, "POST", "/v1/waivers", NewWaiver{Promise: "F06", Reason: "incident", Until: "2026-04-30", Note: "canary note"}, 201, "").Decode(t, &asked)
	do(t, w, dorothea, "POST", "/v1/waivers/"+asked.ID+"/approve", nil, 200, "")
	w.Advance(t, 30*24*time.Hour)
	tick(t, w)
	all := w.Records(t)
	var out strings.Builder
	for _, r := range all {
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, m := range w.Published("message.requested") {
		out.WriteString(m.Message.Attributes["id"])
	}
	text := strings.ToLower(out.String())
	for _, private := range []string{"canary", "marc", "simone", "odile", "dorothea", "emma", "bernard", "@"} {
		if strings.Contains(text, private) {
			t.Errorf("%q stands in what goes out", private)
		}
	}
	if len(all) < 6 {
		t.Errorf("only %d records", len(all))
	}
}

func gate(t *testing.T) {
	t.Parallel()
	get := func(path string) functiontest.Request {
		return functiontest.Request{Method: "GET", Path: "/attest" + path}
	}
	post := func(path string, body any) functiontest.Request {
		return functiontest.Request{Method: "POST", Path: "/attest" + path, Body: body}
	}
	functiontest.StaffGate(t, setup, &seen, aurel, get("/v1/duties"), get("/v1/statements"), get("/v1/waivers"), get("/"), get("/statements"),
		get("/waivers"), post("/v1/duties/x/ask", Ask{About: "x"}), post("/v1/duties/x/done", nil), post("/v1/duties/x/review", nil), post("/v1/duties/x/withdraw", nil),
		post("/v1/statements", Sign{}), post("/v1/waivers", NewWaiver{}), post("/v1/waivers/x/approve", nil), post("/v1/waivers/x/end", nil))
}

// ready is a company with a duty to be done, whose people have commitments already.
func ready(t testing.TB) (*functiontest.World, functiontest.Request) {
	t.Helper()
	w := functiontest.New(t, setup)
	tick(t, w)
	w.Call(t, call(w, simone, "POST", "/v1/duties/log-review/done", nil)).Want(t, 200, "")
	return w, call(w, simone, "POST", "/v1/duties/risk-register-review/done", `{"reference":"SEC-7"}`)
}

func hostile(t *testing.T) {
	t.Parallel()
	w, done := ready(t)
	var asked Duty
	do(t, w, emma, "POST", "/v1/duties/software-clearance/ask", Ask{About: "vim 9.1"}, 201, "").Decode(t, &asked)
	for _, r := range []functiontest.Request{done,
		call(w, odile, "POST", "/v1/duties/risk-register-review/review", `{"verdict":"approved"}`),
		call(w, odile, "POST", "/v1/statements", `{"promise":"F01","text_hash":"sha256:x","valid_until":"2027-01-01"}`),
		call(w, odile, "POST", "/v1/waivers", `{"promise":"F01","reason":"migration","until":"2026-04-01"}`),
		call(w, emma, "POST", "/v1/duties/software-clearance/ask", `{"about":"x"}`),
		call(w, emma, "POST", "/v1/duties/"+asked.ID+"/withdraw", `{"cycle":1}`),
	} {
		w.Bodies(t, &seen, r)
	}
	for _, id := range []string{"..", "__x__", "a%2Fb", "%00", strings.Repeat("x", 2000), "nda~", "~", "nda~marc~x"} {
		got := w.Call(t, call(w, simone, "POST", "/v1/duties/"+id+"/done", nil))
		if got.Status != 404 && got.Status != 301 && got.Status != 307 {
			t.Errorf("%s: %d %q", id, got.Status, got.Code)
		}
	}
	w.Panics(t, done, &w.Store, &w.Directory, &w.EvidenceKey)
}

// A part that does not answer changes nothing; at the end the word is taken.
func outages(t *testing.T) {
	t.Parallel()
	w, done := ready(t)
	w.Outages(t, &seen, done, 200, &w.Directory, &w.EvidenceKey)
	w.MessageKey.Down()
	w.Restart()
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 503, "unavailable")
	w.MessageKey.Up()
	do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", nil, 200, "")
	w.Applied.Down() // it was written, and the answer was lost
	lost := call(w, stefan, "POST", "/v1/waivers", NewWaiver{Promise: "F07", Reason: "migration", Until: "2026-04-30"})
	seen.Saw(w.Call(t, lost)).Want(t, 503, "unavailable")
	w.Applied.Up()
	before := w.State(t)
	seen.Saw(w.Call(t, lost)).Want(t, 201, "")
	w.Unchanged(t, before)
	for _, r := range []functiontest.Request{
		call(w, odile, "GET", "/v1/duties", nil), call(w, odile, "GET", "/v1/statements", nil), call(w, odile, "GET", "/v1/waivers", nil),
		call(w, odile, "POST", "/v1/waivers/"+strings.Repeat("a", 32)+"/approve", nil), call(w, odile, "POST", "/v1/waivers/"+strings.Repeat("a", 32)+"/end", nil), call(w, emma, "POST", "/v1/duties/software-clearance/ask", Ask{About: "x"}),
		call(w, emma, "POST", "/v1/duties/software-clearance/withdraw", nil),
		call(w, odile, "POST", "/v1/waivers", NewWaiver{Promise: "F06", Reason: "migration", Until: "2026-04-30"}),
		call(w, odile, "POST", "/v1/statements", signing(w)),
	} {
		w.Store.Down()
		seen.Saw(w.Call(t, r)).Want(t, 503, "unavailable")
		w.Store.Up()
	}
}

func signing(w *functiontest.World) Sign {
	p, _ := w.Policy.Promise("F01")
	return Sign{Promise: "F01", Text: promise.TextHash(p.Text), Until: "2027-03-03"}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request { return call(w, simone, "GET", "/v1/duties", nil) })
}

func FuzzDone(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		tick(f, w)
		return call(w, simone, "POST", "/v1/duties/risk-register-review/done", nil)
	}, `{"reference":"SEC-1"}`, `{"cycle":2}`, `{}`)
}

func FuzzSign(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request { return call(w, odile, "POST", "/v1/statements", nil) },
		`{"promise":"F01","text_hash":"x","valid_until":"2027-01-01"}`, `{"promise":"F01","text_hash":"x","valid_until":"2027-01-01T00:00:00Z"}`)
}

// Whatever this function may answer, a person reads in her language what is the matter and what to do now.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	functiontest.Texts(t, page.NewAttest("attest"), append(w.Routes("attest"), web.Route{Problems: []string{"unsigned"}})...)
}
