package declarebreach

import (
	"strings"
	"testing"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
)

// notApplicable: what does not apply says why, wherever it is said, and the reason is read again everywhere.
func notApplicable(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	with := func(id string, not object) object {
		return found(object{"client_id": id, "details": object{"not_applicable": not}})
	}
	refused(t, w, emma, "/breaches", with("x", object{"police": " "}), 400, "reason_missing")
	refused(t, w, emma, "/breaches", with("x", object{"weather": "x"}), 400, "details_invalid")
	var d Declared
	do(t, w, emma, "POST", "/breaches", with("y", object{"measures_before": "Nothing is kept there."}), 201, "").Decode(t, &d)
	path := "/breaches/" + d.ID
	none := func(why string) Tracks {
		return Tracks{Tracks: []NewTrack{{ID: "northwind", Records: &Count{How: "not_applicable", Why: why}}}}
	}
	refused(t, w, simone, path+"/tracks", none(""), 400, "reason_missing")
	refused(t, w, simone, path+"/tracks", none(strings.Repeat("x", cases.MaxText+1)), 400, "text_invalid")
	refused(t, w, simone, path+"/details", object{"not_applicable": object{"police": ""}}, 400, "reason_missing")
	post(t, w, simone, path+"/tracks", none("Voices, no records."))
	c := post(t, w, simone, path+"/details", object{"not_applicable": object{"discovered_by": "Nobody found it: it was said aloud."}})
	if c.Details.Not["measures_before"] != "Nothing is kept there." || c.Details.Not["discovered_by"] == "" || c.Details.Found != "" {
		t.Errorf("read again: %+v", c.Details)
	}
	told := false
	for _, one := range c.Tracks {
		told = told || one.Records.How == "not_applicable" && one.Records.Why == "Voices, no records."
	}
	if !told {
		t.Errorf("tracks: %+v", c.Tracks)
	}
	csv := string(do(t, w, aurel, "GET", "/register.csv", nil, 200, "").Body)
	if !strings.Contains(csv, "Voices, no records.") || !strings.Contains(csv, "Nothing is kept there.") {
		t.Errorf("the register lacks a reason: %s", csv)
	}
}

// TestNotApplicableOnPages: the forms ask for the reason where it is chosen, and give back what was typed where it is missing.
func TestNotApplicableOnPages(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	for language, word := range map[string]string{"en": "does not apply: Voices.", "fr": "sans objet : Voices.", "de": "entfällt: Voices."} {
		page := look(t, w, simone, path+"?lang="+language)
		short := send(t, w, simone, page, path+"/details", "police_how", "not_applicable", "origin", "not_applicable", "origin_why", "It has none, as typed.")
		says(t, string(short.Want(t, 400, "").Body), "It has none, as typed.", `id="police-wrong"`)
		short = send(t, w, simone, page, path+"/tracks", "tenant", "northwind", "people_how", "not_applicable")
		says(t, string(short.Want(t, 400, "").Body), `id="people-wrong"`, `value="not_applicable" checked`)
		done(t, w, simone, page, path+"/details", "police_how", "not_applicable", "police", "Voices.", "origin", "not_applicable", "origin_why", "Voices.")
		page = done(t, w, simone, page, path+"/tracks", "tenant", "northwind|own", "people_how", "not_applicable", "people_why", "Voices.")
		if n := strings.Count(look(t, w, simone, path+"?lang="+language), word); n != 4 {
			t.Errorf("%s: said %d times", language, n)
		}
	}
	page := look(t, w, emma, "/declare?lang=en")
	fields := []string{"summary", "It was said aloud.", "kind", "breach", "found", "not_applicable"}
	says(t, string(send(t, w, emma, page, "/declare", fields...).Want(t, 400, "").Body), `id="found-wrong"`, "It was said aloud.")
	made := send(t, w, emma, page, "/declare", append(fields, "found_why", "It was said aloud to us.")...).Want(t, 303, "")
	at, _, _ := strings.Cut(made.Header.Get("Location"), "?")
	says(t, look(t, w, simone, strings.TrimPrefix(at, "/"+me)+"?lang=en"), "does not apply: It was said aloud to us.")
}
