package attest

import (
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/promise"
)

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
