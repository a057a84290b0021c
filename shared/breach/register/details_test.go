package register_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/breach/register"
)

// TestDetails: what people said beside is in the row, the table, the dossier and the fields of the form; of a tenant's extract
// only what it may need. How and when persons were told is on record, and a report that was taken back.
func TestDetails(t *testing.T) {
	t.Parallel()
	f := whole(t)
	told := at(t, "2026-03-29T10:00:00Z")
	persons := register.Sent{Notice: notice.Notice{N: 2, Kind: notice.Persons, State: notice.Sent, Hash: strings.Repeat("d1", 32), Agreed: told.Add(-time.Hour), Noted: told}, Means: "@a banner in the product"}
	f.Notices = append(f.Notices, persons)
	report := f.Case.Filed["gdpr_33_1"]
	report.Withdrawn = &cases.Withdrawal{At: told, By: "dana", Text: 6}
	f.Case.Filed["gdpr_33_1"] = report
	row := register.RowOf(f)
	if row.PersonsMeans != "@a banner in the product" || !row.PersonsTold.Equal(told) || row.Exception != "34(3)(b)" || row.Withdrawn != "2026-03-29T10:00:00Z CNIL-2026-77" || row.Earlier[0] != "m2p4q7bb" || strings.Join(row.ByCountry, "; ") != "DE: unknown; FR: about 323" || len(row.Actions) != 2 {
		t.Errorf("row: %+v", row)
	}
	var table, dossier, extract bytes.Buffer
	if err := register.CSV(&table, []register.Row{row}); err != nil || !strings.Contains(table.String(), `"'@a banner in the product"`) || !strings.Contains(table.String(), `"'=mail01`) {
		t.Errorf("a formula in the table: %v", err)
	}
	if err := register.Dossier(&dossier, f, register.AsMarkdown, "en"); err != nil || !strings.Contains(dossier.String(), "withdrawn: 2026-03-29") || !strings.Contains(dossier.String(), "a banner in the product") {
		t.Errorf("the dossier lacks it: %v", err)
	}
	form, err := json.Marshal(register.EDPB(f))
	for _, want := range []string{`"police":"Told, PV-12."`, `"estimated":true`, `"how":"third party"`, `"cause":"internal, accidental"`, `"communication_means":"@a banner in the product"`, `article 34(3)(b)`} {
		if err != nil || !strings.Contains(string(form), want) {
			t.Errorf("the form lacks %s: %v", want, err)
		}
	}
	if err := register.Dossier(&extract, register.Extract(f, "nord"), register.AsJSON, "en"); err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{"PV-12", "mail01", "m2p4q7bb", "7-B", "A password", "banner", "third_party", "withdrawn"} {
		if strings.Contains(extract.String(), own) {
			t.Errorf("the extract of a tenant holds %q", own)
		}
	}
}

// TestContractsShown: the report an insurer wants is in the dossier by its name, and in the extract of no tenant.
func TestContractsShown(t *testing.T) {
	t.Parallel()
	f := whole(t)
	f.Policy.Rules.Contracts = []cases.Contract{{ID: "insurer", To: "Example Insurance", Start: clock.Aware, Hours: 48, Business: &clock.Business{Open: "09:00", Close: "17:00", Zone: "Europe/Paris"}}}
	f.Case.Filed["contract_x:insurer"] = cases.Filing{At: f.Case.Closed, By: "dana", Reference: 6}
	var dossier, extract, runbook bytes.Buffer
	if err := register.Dossier(&dossier, f, register.AsMarkdown, "de"); err != nil || strings.Count(dossier.String(), "Example Insurance") != 2 {
		t.Errorf("%v: %s", err, dossier.String())
	}
	if err := register.Dossier(&extract, register.Extract(f, "nord"), register.AsMarkdown, "de"); err != nil || strings.Contains(extract.String(), "Insurance") {
		t.Errorf("the extract names an insurer: %v", err)
	}
	if err := register.Runbook(&runbook, f.Policy, f.Company, true, register.AsMarkdown, "en", f.Now); err != nil || !strings.Contains(runbook.String(), "48 h, 09:00–17:00 Europe/Paris") {
		t.Errorf("the runbook lacks it: %v", err)
	}
}
