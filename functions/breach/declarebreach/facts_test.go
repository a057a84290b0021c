package declarebreach

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
	"ostiary.internal/shared/platform/message"
)

// narrow: who declared a case and may not look at cases reads its number, its state and her own words, for ever; who does what
// its review came to, that. Neither a list nor a file nor a notice tells more.
func narrow(t *testing.T) {
	t.Parallel()
	w, path := declared(t, nil)
	post(t, w, simone, path+"/triage", Triage{Result: "confirmed"})
	post(t, w, simone, path+"/score", score(nil))
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "tenants", Answer: "yes"})
	}
	read := func(who, at string) map[string]any {
		t.Helper()
		var all map[string]any
		do(t, w, who, "GET", at, nil, 200, "").Decode(t, &all)
		return all
	}
	allowed := []string{"id", "number", "state", "ending", "exercise", "declared", "declared_by", "summary", "actions"}
	tells := func(who string, c map[string]any) {
		t.Helper()
		for key := range c {
			if !slices.Contains(allowed, key) {
				t.Errorf("%s reads %s: %v", who, key, c[key])
			}
		}
	}
	c := read(emma, path)
	if tells(emma, c); c["summary"] != "An export of contacts lay open on the web." || c["state"] != "open" {
		t.Errorf("her own: %v", c)
	}
	tells(emma, read(emma, "/breaches")["breaches"].([]any)[0].(map[string]any))
	moved := do(t, w, emma, "POST", path+"/aware", Aware{At: at.Add(-time.Hour), Reason: "I was certain then."}, 200, "")
	var after map[string]any
	moved.Decode(t, &after)
	tells(emma, after)
	// What others did since is not told by declaring once more.
	var again Declared
	if do(t, w, emma, "POST", "/breaches", found(nil), 201, "").Decode(t, &again); len(again.Clocks) != 0 || again.Number == "" {
		t.Errorf("declared again: %+v", again)
	}
	for _, one := range []string{"/notices", "/dossier.json", "/dossier.md", "/dossier.html", "/edpb.json"} {
		do(t, w, emma, "GET", path+one, nil, 404, "case_unknown")
	}
	// Who owns an action of the review reads it, and nothing else.
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "A test file."})
	}
	post(t, w, simone, path+"/review", Lessons{Text: "Test files are named so.", Actions: []NewAction{{"Name them", "asha", inDays(9)}, {"Ask for names", "emma", inDays(9)}}})
	hers := read(asha, path)
	if tells(asha, hers); hers["summary"] != nil || len(hers["actions"].([]any)) != 1 || hers["declared_by"] != nil {
		t.Errorf("an action of hers: %v", hers)
	}
	do(t, w, asha, "POST", path+"/action", Done{1, "Done."}, 200, "").Decode(t, &hers)
	tells(asha, hers)
	refused(t, w, asha, path+"/action", Done{2, "Not mine."}, 403, "not_allowed")
	for who, not := range map[string]string{emma: "Name them", asha: "Ask for names"} {
		page := string(w.Call(t, functiontest.Request{Method: "GET", Path: "/" + me + "/case/" + c["id"].(string) + "?lang=en", Token: w.Staff(who)}).Want(t, 200, "").Body)
		for _, theirs := range []string{not, "Banque", "Klinik", "2.5", "dossier", "What to do next", "simone", "Simone"} {
			if strings.Contains(page, theirs) {
				t.Errorf("the page of %s holds %q", who, theirs)
			}
		}
		list := string(w.Call(t, functiontest.Request{Method: "GET", Path: "/" + me + "/?lang=en", Token: w.Staff(who)}).Want(t, 200, "").Body)
		if !strings.Contains(list, c["id"].(string)) || strings.Contains(list, "Banque") {
			t.Errorf("the list of %s", who)
		}
	}
}

// detailed: what the register asks for is said when a case is declared, and completed later, also after its end; the register
// has it, and a tenant's extract nothing of what is the company's own.
func detailed(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	var first, d Declared
	do(t, w, emma, "POST", "/breaches", found(object{"client_id": "first"}), 201, "").Decode(t, &first)
	said := func(with object) object { return found(object{"client_id": "second", "details": with}) }
	do(t, w, emma, "POST", "/breaches", said(object{"occurrence": "estimate", "discovered_by": "third_party", "systems": "=the bucket exports", "earlier_incidents": []string{first.Number}}), 201, "").Decode(t, &d)
	refused(t, w, emma, "/breaches", found(object{"client_id": "x", "details": object{"origin": "outer"}}), 400, "details_invalid")
	refused(t, w, asha, "/breaches", found(object{"client_id": "x", "details": object{"earlier_incidents": []string{first.Number}}}), 400, "earlier_unknown")
	path := "/breaches/" + d.ID
	refused(t, w, simone, path+"/details", Details{Intent: "evil"}, 400, "details_invalid")
	refused(t, w, simone, path+"/details", Details{Earlier: []string{"aaaaaaaa"}}, 400, "earlier_unknown")
	refused(t, w, simone, path+"/details", Details{Earlier: []string{d.ID}}, 400, "earlier_unknown") // itself
	refused(t, w, simone, path+"/details", Details{Police: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	refused(t, w, aurel, path+"/details", Details{Origin: "external"}, 403, "not_allowed")
	refused(t, w, asha, path+"/details", Details{Origin: "external"}, 404, "case_unknown")
	refused(t, w, simone, path+"/decide", Answer{Subject: "sa", Answer: "no", Reason: "x", Letter: "a"}, 400, "exception_invalid")
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/decide", Answer{Subject: "persons", Answer: "no", Reason: "Everybody changed the password.", Letter: "b"})
	}
	later := Aware{At: at.Add(-5 * time.Minute), As: "processor", Reason: "Whose data it was, the log said then."}
	refused(t, w, simone, path+"/aware", Aware{At: later.At, As: "joint", Reason: "x"}, 400, "role_invalid")
	for _, who := range []string{simone, dorothea} {
		post(t, w, who, path+"/aware", later)
	}
	c := post(t, w, simone, path+"/details", Details{Origin: "external", Intent: "accidental", Police: "Told: PV-12.", Before: "A password."})
	want := Details{Certainty: "estimate", Origin: "external", Intent: "accidental", Found: "third_party", Systems: "=the bucket exports", Before: "A password.", Police: "Told: PV-12."}
	got := c.Details
	if got.Earlier = nil; asText(t, got) != asText(t, want) || !slices.Equal(c.Details.Earlier, []string{first.Number}) || !c.Times.Processor.Equal(later.At) {
		t.Errorf("known: %+v, %+v", c.Details, c.Times)
	}
	var rows []map[string]any
	do(t, w, aurel, "GET", "/register.json", nil, 200, "").Decode(t, &rows)
	at := slices.IndexFunc(rows, func(r map[string]any) bool { return r["number"] == d.Number })
	for key, value := range map[string]any{
		"occurrence": "estimate", "origin": "external", "cause": "accidental", "discovered": "third_party", "systems": "=the bucket exports", "measures_before": "A password.", "police": "Told: PV-12.",
		"persons_exception": "34(3)(b)", "processor_aware_at": text(later.At), "aware_at": text(functiontest.Start.Add(-10 * time.Minute)),
	} {
		if rows[at][key] != value {
			t.Errorf("the register says %s: %v, want %v", key, rows[at][key], value)
		}
	}
	csv := string(do(t, w, aurel, "GET", "/register.csv", nil, 200, "").Body)
	if !strings.Contains(csv, `"'=the bucket exports"`) || !strings.Contains(csv, first.Number) {
		t.Errorf("the table holds a formula, or lacks a link: %s", csv)
	}
	extract := string(do(t, w, simone, "GET", path+"/dossier.json?tenant=klinik-am-see", nil, 200, "").Body)
	for _, own := range []string{"bucket exports", "PV-12", first.Number, "Everybody changed"} {
		if strings.Contains(extract, own) {
			t.Errorf("the extract of a tenant holds %q", own)
		}
	}
	if !strings.Contains(extract, text(later.At)) {
		t.Error("the extract does not say when its processor was aware")
	}
}

// takenBack: of what is no breach after a report was made, the report is taken back on the authority's portal, and that is on
// record with who, when and under which reference.
func takenBack(t *testing.T) {
	t.Parallel()
	w, path := declared(t, object{"tenants": []string{"own"}})
	post(t, w, simone, path+"/file", Filing{Clock: "gdpr_33_1", At: at, Reference: "CNIL-1"})
	post(t, w, simone, path+"/file", Filing{Clock: "uk_33", At: at, Reference: "ICO-1"})
	refused(t, w, simone, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1", At: at}, 409, "state_conflict")
	var c Whole
	for _, who := range []string{simone, dorothea} {
		c = post(t, w, who, path+"/decide", Answer{Subject: "breach", Answer: "no", Reason: "A test file.", Incident: true})
	}
	if !slices.Contains(c.Waits, "withdraw") || !c.Incident {
		t.Errorf("waits for %v", c.Waits)
	}
	page := "/case/" + strings.TrimPrefix(path, "/breaches/")
	says(t, look(t, w, simone, page+"?lang=en"), "closed: incident without personal data", "Take the report back on the authority", "Take a report back")
	w.Advance(t, 25*time.Hour)
	w.Tick(t, "tickbreach").Want(t, 204, "")
	if do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c); c.Overdue != "withdrawal" {
		t.Errorf("overdue: %q", c.Overdue)
	}
	refused(t, w, simone, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1"}, 400, "times_invalid")
	refused(t, w, aurel, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1", At: at}, 403, "not_allowed")
	refused(t, w, asha, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1", At: at}, 404, "case_unknown")
	refused(t, w, simone, path+"/withdraw", Withdrawal{Clock: "cnil_followup", At: at}, 400, "clock_invalid")
	refused(t, w, simone, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1", At: at, Reference: strings.Repeat("x", cases.MaxText+1)}, 400, "text_invalid")
	post(t, w, simone, path+"/withdraw", Withdrawal{Clock: "gdpr_33_1", At: at.Add(time.Hour), Reference: "CNIL-2"})
	says(t, done(t, w, simone, look(t, w, simone, page+"?lang=en"), page+"/withdraw", "clock", "uk_33", "stands", "The ICO keeps it as an incident."), "Noted.", "The ICO keeps it as an incident.", "CNIL-2")
	c = Whole{}
	do(t, w, simone, "GET", path, nil, 200, "").Decode(t, &c)
	if f := c.Filed["gdpr_33_1"].Withdrawn; f == nil || f.By != "simone" || f.Text != "CNIL-2" || !c.Filed["uk_33"].Withdrawn.Stands || slices.Contains(c.Waits, "withdraw") || c.Overdue != "" {
		t.Errorf("taken back: %+v, waits for %v", c.Filed, c.Waits)
	}
	var rows []map[string]any
	if do(t, w, aurel, "GET", "/register.json", nil, 200, "").Decode(t, &rows); rows[0]["kind"] != "incident" || rows[0]["filed_withdrawn"] != text(at.Add(time.Hour))+" CNIL-2" {
		t.Errorf("the register says %v, %v", rows[0]["kind"], rows[0]["filed_withdrawn"])
	}
}

// unfinished: a case is not closed while one of its notices was approved by one person alone, or may not have arrived.
func unfinished(t *testing.T) {
	t.Parallel()
	w, path, n := written(t, object{"tenants": []string{"klinik-am-see"}})
	agree(t, w, simone, path+"/notices/1/break", Need{n.Hash, "Nobody answers."})
	refusal := func(want ...string) {
		t.Helper()
		var p struct{ Detail, Next string }
		if err := json.Unmarshal(do(t, w, simone, "POST", path+"/close", nil, 409, "case_unsettled").Body, &p); err != nil {
			t.Fatal(err)
		}
		for _, one := range want {
			if !strings.Contains(p.Detail, one) || !strings.Contains(p.Next, "notice 1") {
				t.Errorf("refused with %q, %q", p.Detail, p.Next)
			}
		}
	}
	refusal("notice 1 was approved by one person alone", "notice 1 is still on its way")
	tick(t, w)
	for _, r := range sent(t, w) {
		hears(t, w, message.TopicUnknown, r, message.StateUnknown).Want(t, 204, "")
	}
	w.Advance(t, time.Minute)
	w.Tick(t, "tickbreach").Want(t, 204, "")
	refusal("notice 1 was approved by one person alone", "notice 1 may not have arrived everywhere")
	page := look(t, w, simone, "/case/"+strings.TrimPrefix(path, "/breaches/")+"?lang=en")
	says(t, page, "notice 1 was approved by one person alone", "notice 1 may not have arrived", "/notices/1")
}

// notKnownAfterAll: a count goes back to not known, on the page as over the API, for several at once too; nothing said leaves it; what
// was said before stays, with who corrected it.
func notKnownAfterAll(t *testing.T, w *functiontest.World, path string) {
	t.Helper()
	api := "/breaches/" + strings.TrimPrefix(path, "/case/")
	tracks := func() (found Track) {
		t.Helper()
		var c Whole
		do(t, w, simone, "GET", api, nil, 200, "").Decode(t, &c)
		return c.Tracks[slices.IndexFunc(c.Tracks, func(one Track) bool { return one.ID == "northwind" })]
	}
	before := tracks()
	done(t, w, simone, look(t, w, simone, path), path+"/tracks", "tenant", "northwind", "people", "", "people_how", "")
	if got := tracks(); before.People.N == 0 || !reflect.DeepEqual(got, before) {
		t.Fatalf("nothing was said: %+v, before %+v", got, before)
	}
	contrary := send(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/tracks", "tenant", "northwind", "people", "300", "people_how", "unknown")
	says(t, string(contrary.Want(t, 400, "").Body), "what is not known yet, or does not apply, has no number", `id="people-wrong"`)
	said := done(t, w, dorothea, look(t, w, dorothea, path+"?lang=en"), path+"/tracks", "tenant", "northwind|own", "people", "", "people_how", "unknown")
	says(t, said, "people: not known yet", "before: people: about 1200, records: 9 (corrected by Dorothea Klein, ")
	got := tracks()
	if got.People.How != "unknown" || got.Records != before.Records || len(got.Earlier) != len(before.Earlier)+1 || got.Earlier[0].People != before.People || got.Earlier[0].By != "dorothea" || got.Earlier[0].At.IsZero() {
		t.Errorf("%+v", got)
	}
	post(t, w, simone, api+"/tracks", Tracks{Tracks: []NewTrack{{ID: "northwind", Records: &Count{How: "unknown"}}}})
	if got = tracks(); got.Records.How != "unknown" || len(got.Earlier) != 2 || got.Earlier[1].By != "simone" {
		t.Errorf("over the API: %+v", got)
	}
	says(t, string(do(t, w, simone, "GET", api+"/dossier.md?lang=en", nil, 200, "").Body), "said before: people about 1200, records 9 (corrected: Dorothea Klein, ")
}
