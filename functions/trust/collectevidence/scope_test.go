package collectevidence

import (
	"fmt"
	"os"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/trust/attest"
	"ostiary.internal/shared/evidence/record"
)

func TestMain(m *testing.M) { os.Exit(functiontest.Main(m, manifest, nil)) }

// TestDuties: machine evidence does a duty, undoes it, and does it again; and it speaks against a document on file.
func TestDuties(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, functiontest.Setup{Functions: []wiring.Function{Function, attest.Function}, Policy: map[string]string{
		"services.yaml":          "sources:\n  - {id: tools, email: " + tools + ", types: [scan.finished, pentest.report], promises: [X1, X2]}\n",
		"promises/900-duty.yaml": "promises:\n" + promise("X1", "duty: scan") + promise("X2", "certificate: pentest"),
		"duties.yaml": `duties:
  - {id: scan, what: Scan it., owner_role: security, every: P1Y, evidence: [scan.finished]}
  - {id: pentest, what: File the report., owner_role: security, every: P1Y, evidence: [statement, pentest.report]}
`,
	}})
	sent := 0
	send := func(kind, data string) {
		t.Helper()
		sent++
		r := structured(w, tools, kind, "", nil)
		r.Body = fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"//tools.example","type":%q,"time":%q,"data":%s}`, sent, kind, w.Clock.Now().Format(time.RFC3339), data)
		w.Call(t, r).Want(t, 202, "")
		w.Advance(t, time.Minute)
	}
	of := func(promise string) map[record.Kind]int {
		kinds := map[record.Kind]int{}
		for _, r := range w.Records(t) {
			if len(r.Promises) == 1 && r.Promises[0] == promise && r.Control != "evidence-intake" {
				kinds[r.Kind]++
			}
		}
		return kinds
	}
	const scan = `{"promises":["X1"],"tool":"clam","kind":"malware","target":"all","expected":1,"seen":1,"errors":0,"critical":%d}`
	for _, critical := range []int{0, 1, 0} {
		send("scan.finished", fmt.Sprintf(scan, critical))
	}
	if got := of("X1"); got[record.Observation] != 2 || got[record.Finding] != 1 || got[record.Case] != 1 || got[record.Remediation] != 1 {
		t.Errorf("of the scan there are %v", got)
	}
	const report = `{"promises":["X2"],"report":"sha256:%064d","tester":"external","from":"2026-02-01T00:00:00Z","to":%q,"critical_open":%d,"high_open":0,"medium_open":0,"low_open":0}`
	now := func() string { return w.Clock.Now().Format(time.RFC3339) }
	send("pentest.report", fmt.Sprintf(report, 1, now(), 0))
	w.Call(t, functiontest.Request{Method: "POST", Path: "/attest/v1/duties/pentest/done", Token: w.Staff("simone.bernard@sharedcontacts.example"),
		Body: map[string]string{"issuer": "Example Testers", "number": "PT-1", "valid_until": "2026-12-31"}}).Want(t, 200, "")
	send("pentest.report", fmt.Sprintf(report, 2, now(), 1))
	if got := of("X2"); got[record.Attestation] != 1 || got[record.Finding] != 1 || got[record.Case] == 0 {
		t.Errorf("of the document there are %v", got)
	}
}
