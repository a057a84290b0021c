package register_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/breach/register"
)

// TestNotApplicable: what does not apply stands with its reason in the row, the table, the dossier in every language and the
// fields of the form; in a tenant's extract without what the company wrote.
func TestNotApplicable(t *testing.T) {
	t.Parallel()
	f := whole(t)
	f.Case.Texts = append(f.Case.Texts, "Only voices, no files.", "There is no police there.", "=The place has no systems.", "Weather has no origin.")
	f.Case.Tracks[1].Records = cases.Count{How: cases.NotApplicable, Why: 19}
	f.Case.Details.Not = map[string]int{"police": 20, "systems": 21, "origin": 22, "intent": 22, "occurrence": 22, "found": 22, "before": 20, "others": 20}
	f.Case.Details.Police, f.Case.Details.Systems, f.Case.Details.Before, f.Case.Details.Others = 0, 0, 0, 0
	f.Case.Details.Origin, f.Case.Details.Intent, f.Case.Details.Certainty, f.Case.Details.Found = "", "", "", ""
	r := register.RowOf(f)
	const weather, nobody = "not applicable: Weather has no origin.", "not applicable: There is no police there."
	for what, got := range map[string][2]string{
		"origin": {r.Origin, weather}, "cause": {r.Cause, weather}, "occurrence": {r.Occurrence, weather}, "discovered": {r.Discovered, weather},
		"police": {r.Police, nobody}, "authorities": {r.Authorities, nobody}, "systems": {r.Systems, "not applicable: =The place has no systems."},
		"records": {r.Records, "unknown; Cabinet Nord: not applicable: Only voices, no files."},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
	if !strings.HasSuffix(r.Protection, nobody) {
		t.Errorf("before: %q", r.Protection)
	}
	var table bytes.Buffer
	if err := register.CSV(&table, []register.Row{r}); err != nil || !strings.Contains(table.String(), "Only voices, no files.") {
		t.Errorf("the table lacks it: %v", err)
	}
	for language, word := range map[string]string{"en": "not applicable", "fr": "sans objet", "de": "nicht zutreffend"} {
		var dossier bytes.Buffer
		if err := register.Dossier(&dossier, f, register.AsMarkdown, language); err != nil {
			t.Fatal(err)
		}
		for _, why := range []string{"Only voices, no files.", "There is no police there.", "Weather has no origin."} {
			if !strings.Contains(dossier.String(), word+": "+why) {
				t.Errorf("the dossier in %s lacks %q: %s", language, why, dossier.String())
			}
		}
	}
	form, err := json.Marshal(register.EDPB(f))
	for _, want := range []string{`"police":"` + nobody, `"estimated":"` + weather, `"how":"` + weather, `"cause":"` + weather + ", " + weather, `"systems":"not applicable: =The`, `"measures_in_place":"` + nobody, `"record_count":"unknown; Cabinet Nord: not applicable: Only`} {
		if err != nil || !strings.Contains(string(form), want) {
			t.Errorf("the form lacks %s: %v %s", want, err, form)
		}
	}
	var whole, extract bytes.Buffer
	if err := register.Dossier(&whole, f, register.AsJSON, "en"); err != nil || !strings.Contains(whole.String(), `"police": "There is no police there."`) || !strings.Contains(whole.String(), `"reason": "Only voices, no files."`) {
		t.Errorf("for programs: %v %s", err, whole.String())
	}
	if err := register.Dossier(&extract, register.Extract(f, "nord"), register.AsJSON, "en"); err != nil || !strings.Contains(extract.String(), "not_applicable") {
		t.Errorf("the extract: %v", err)
	}
	for _, own := range []string{"voices", "police there", "Weather"} {
		if strings.Contains(extract.String(), own) {
			t.Errorf("the extract of a tenant holds %q", own)
		}
	}
}
