package declarebreach

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/breach/cases"
)

// visit asks for a page as a person.
func visit(w *functiontest.World, who, method, path string, form url.Values) functiontest.Request {
	r := functiontest.Request{Method: method, Path: "/" + me + path, Token: w.Staff(who)}
	if form != nil {
		r.Body, r.Header = form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	}
	return r
}

// look is what a person reads.
func look(t *testing.T, w *functiontest.World, who, path string) string {
	t.Helper()
	return string(w.Call(t, visit(w, who, "GET", path, nil)).Want(t, 200, "").Body)
}

// says fails unless a page shows all of some texts.
func says(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, one := range texts {
		if !strings.Contains(html.UnescapeString(page), one) {
			t.Errorf("the page does not say %q:\n%s", one, page)
		}
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// filledIn is the form of a page that has an action, with what else is filled in; the last form of several.
func filledIn(t *testing.T, page, action string, fields ...string) url.Values {
	t.Helper()
	at := strings.LastIndex(page, `action="/`+me+action+`"`)
	if at < 0 {
		t.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	form, _, _ := strings.Cut(page[at:], "</form>")
	values := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		values[fields[i]] = strings.Split(fields[i+1], "|")
	}
	return values
}

// send sends a form of a page.
func send(t *testing.T, w *functiontest.World, who, from, action string, fields ...string) functiontest.Answer {
	t.Helper()
	return w.Call(t, visit(w, who, "POST", action, filledIn(t, from, action, fields...)))
}

// done sends a form and reads the page it leads to.
func done(t *testing.T, w *functiontest.World, who, from, action string, fields ...string) string {
	t.Helper()
	to, _, _ := strings.Cut(send(t, w, who, from, action, fields...).Want(t, 303, "").Header.Get("Location"), "#")
	return look(t, w, who, strings.TrimPrefix(to, "/"+me)+"&lang=en")
}

// onPage is a case that emma declared on the page, and the path of its page.
func onPage(t *testing.T) (w *functiontest.World, path string) {
	t.Helper()
	w = functiontest.New(t, setup)
	form := look(t, w, emma, "/declare?lang=en")
	got := send(t, w, emma, form, "/declare", "summary", "An export lay open.", "kind", "breach", "detected", "2026-03-03T09:45", "tenant", "own|banque-du-port", "affected", "x@klinikamsee.example\r\nelse.example")
	path, _, _ = strings.Cut(strings.TrimPrefix(got.Want(t, 303, "").Header.Get("Location"), "/"+me), "?")
	return w, path
}

// TestNamedByAlarm: the customers an alarm names are ticked when its page leads here, and nobody else; whoever declares takes the
// tick away, or leaves it.
func TestNamedByAlarm(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	form := look(t, w, emma, "/declare?lang=en&tenant=banque-du-port&tenant=%3Cb%3E&tenant=own&tenant=klinik-am-see")
	says(t, form, "The alarm names Banque du Port, Klinik am See: ticked below", `value="banque-du-port" checked`, `value="klinik-am-see" checked`, `/declare?tenant=banque-du-port&tenant=klinik-am-see&lang=de"`)
	if n := strings.Count(form, `name="tenant"`); n < 4 || strings.Count(form, " checked") != 3 || strings.Contains(form, "<b>") { // and that it is real
		t.Errorf("of %d boxes more are ticked than the alarm names:\n%s", n, form)
	}
	if none := look(t, w, emma, "/declare?lang=en&tenant=nobody"); strings.Contains(none, "The alarm names") || strings.Count(none, " checked") != 1 {
		t.Errorf("no customer was named, and there is:\n%s", none)
	}
}

// A form that is sent twice is one case; what it leaves out is not known; what it says is there.
func TestDeclaredOnPage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	form := look(t, w, emma, "/declare?lang=en")
	says(t, form, "Banque du Port", "All customers (5)", "Europe/Paris (+01:00 now)", "what would go to customers goes to Emma Dubois")
	fields := []string{"summary", "An export lay open.\r\nSince when?", "kind", "breach", "tenant", "own|banque-du-port", "affected", "x@klinikamsee.example\r\nelse.example", "exercise", "no"}
	first := send(t, w, emma, form, "/declare", fields...).Want(t, 303, "").Header.Get("Location")
	before := w.State(t)
	if again := send(t, w, emma, form, "/declare", fields...).Want(t, 303, "").Header.Get("Location"); again != first {
		t.Errorf("sent twice it leads to %s, first to %s", again, first)
	}
	w.Unchanged(t, before)
	changed := send(t, w, emma, form, "/declare", "summary", "Another.", "kind", "breach")
	says(t, string(changed.Want(t, 409, "").Body), "This form was sent before", "Another.")
	got := look(t, w, emma, strings.TrimPrefix(first, "/"+me)+"&lang=en")
	says(t, got, "Declared. People on call are being called.", "An export lay open.\nSince when?", "You read what you declared")
	for _, theirs := range []string{"Klinik am See", "Called last", "Our own data", "dossier", "What to do next"} {
		if strings.Contains(got, theirs) {
			t.Errorf("who declared it reads %q", theirs)
		}
	}
	got = look(t, w, simone, strings.TrimPrefix(first, "/"+me)+"&lang=en")
	says(t, got, "An export lay open.\nSince when?", "Klinik am See", "belong to no customer we know: 1", "Our own data", "It began", "not known yet", "Called last: on-call")
	everybody := send(t, w, asha, look(t, w, asha, "/declare?lang=en"), "/declare", "summary", "All.", "kind", "suspicion", "all", "yes", "from", "2026-03-02T10:00").Want(t, 303, "").Header.Get("Location")
	says(t, look(t, w, simone, strings.TrimPrefix(everybody, "/"+me)+"&lang=en"), "Is it a breach?", "Northwind Trading", "Monday 2 March, 10:00 (+01:00)")
	says(t, look(t, w, emma, "/?lang=en"), `<li id="`+strings.TrimPrefix(strings.TrimSuffix(first, "?done=done.declared"), "/"+me+"/case/")+`">`) // where the link of a message leads
	if list := look(t, w, emma, "/?lang=en"); strings.Contains(list, strings.TrimSuffix(everybody, "?done=done.declared")) {
		t.Error("she sees what another declared")
	}
}

// What is wrong stands beside its field, with everything that was typed; a page that was open too long loses nothing.
func TestNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	form := look(t, w, emma, "/declare?lang=en")
	send(t, w, emma, form, "/declare", "summary", "The vault knows her now.", "kind", "suspicion").Want(t, 303, "")
	form = look(t, w, emma, "/declare?lang=en")
	before := w.State(t)
	for name, one := range map[string]struct {
		fields []string
		wrong  string
	}{
		"no words":     {[]string{"kind", "breach", "affected", "kept.example"}, "summary"},
		"no kind":      {[]string{"summary", "Kept words", "affected", "kept.example"}, "kind"},
		"the future":   {[]string{"summary", "Kept words", "kind", "breach", "from", "2026-04-01T10:00", "affected", "kept.example"}, "from"},
		"no time":      {[]string{"summary", "Kept words", "kind", "breach", "detected", "yesterday", "affected", "kept.example"}, "detected"},
		"no such hour": {[]string{"summary", "Kept words", "kind", "breach", "from", "2025-03-30T02:30", "affected", "kept.example"}, "from"},
		"twice":        {[]string{"summary", "Kept words", "kind", "breach", "from", "2025-10-26T02:30", "affected", "kept.example"}, "from"},
	} {
		got := send(t, w, emma, form, "/declare", one.fields...)
		if got.Status != 400 {
			t.Errorf("%s: %d", name, got.Status)
		}
		says(t, string(got.Body), `id="`+one.wrong+`-wrong"`, "kept.example</textarea>", `role="alert"`)
		if name == "twice" {
			says(t, string(got.Body), "this time was there twice", `id="from" name="from" type="text"`)
		}
	}
	w.Unchanged(t, before)
	send(t, w, emma, form, "/declare", "summary", "Kept words", "kind", "breach", "from", "2025-10-26T02:30+01:00").Want(t, 303, "")
	form = look(t, w, emma, "/declare?lang=en")
	w.Advance(t, 11*time.Minute)
	late := send(t, w, emma, form, "/declare", "summary", "Later words", "kind", "suspicion")
	says(t, string(late.Want(t, 403, "").Body), "open too long", "Later words</textarea>", `value="suspicion" checked`)
	done(t, w, emma, string(late.Body), "/declare", "summary", "Later words", "kind", "suspicion")
}

// Pages that are read change nothing, and no form is taken that we did not make for this person.
func TestFormsAreOurs(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	before := w.State(t)
	theirs := look(t, w, simone, path+"?lang=en")
	for _, one := range []string{"/", "/case", "/declare", "/runbook", path + "/notices/new", path + "/notices/new?kind=persons"} {
		look(t, w, simone, one)
	}
	w.Unchanged(t, before)
	for name, form := range map[string]url.Values{"no token": {"subject": {"sa"}, "answer": {"yes"}}, "the token of another": filledIn(t, theirs, path+"/decide", "subject", "sa", "answer", "yes")} {
		got := w.Call(t, visit(w, stefan, "POST", path+"/decide", form))
		if got.Status != 403 {
			t.Errorf("%s: %d", name, got.Status)
		}
		says(t, string(got.Body), "open too long")
	}
	w.Unchanged(t, before)
	odd := filledIn(t, look(t, w, simone, path+"/notices/new"), path+"/notices", "kind", "rumour", "n", "first")
	w.Call(t, visit(w, simone, "POST", path+"/notices", odd)).Want(t, 404, "")
	w.Unchanged(t, before)
	for _, one := range []string{path, path + "/notices/1", "/case/nothing"} {
		if got := w.Call(t, visit(w, asha, "GET", one, nil)); got.Status != 404 {
			t.Errorf("%s answers somebody who may not look with %d", one, got.Status)
		}
	}
	hers := filledIn(t, look(t, w, emma, path), path+"/aware", "step", "oncall")
	says(t, string(w.Call(t, visit(w, emma, "POST", path+"/ack", hers)).Want(t, 403, "").Body), "This is not for you to do.")
}

// Two people decide on pages as they do by the interface; who proposed is not asked to agree.
func TestTwoPeopleOnPages(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	acking := look(t, w, omkar, path+"?lang=en")
	says(t, done(t, w, omkar, acking, path+"/ack"), "You are on it.", "people are called again")
	desk := look(t, w, simone, path+"?lang=en")
	says(t, desk, "Omkar Rao is on it.")
	bad := send(t, w, simone, desk, path+"/decide", "subject", "persons", "answer", "no", "reason", "")
	says(t, string(bad.Want(t, 400, "").Body), `id="reason-persons-wrong"`, "This needs a reason.")
	proposed := done(t, w, simone, desk, path+"/decide", "subject", "persons", "answer", "no", "reason", "Nobody opened it.")
	says(t, proposed, "another person has been asked", "You proposed this", "Only the data protection officer can be the second one here.", "Dorothea Klein")
	if got := send(t, w, stefan, look(t, w, stefan, path), path+"/decide", "subject", "persons", "answer", "no", "reason", "I think so too."); got.Status != 400 {
		t.Errorf("against the score two of security decide: %d", got.Status)
	}
	says(t, done(t, w, dorothea, look(t, w, dorothea, path), path+"/decide", "subject", "persons", "answer", "no", "reason", "The log says so."), "Decided, by two.", "Simone Bernard and Dorothea Klein")
	says(t, done(t, w, simone, desk, path+"/decide", "subject", "tenants", "answer", "yes"), "another person has been asked", "To be told: 0.")
	says(t, done(t, w, stefan, look(t, w, stefan, path), path+"/decide", "subject", "tenants", "answer", "yes"), "Decided, by two.", "To be told: 2.")
	moved := done(t, w, simone, look(t, w, simone, path), path+"/aware", "at", "2026-03-03T09:50", "reason", "The finder called then.")
	says(t, moved, "another person has to agree", "Simone Bernard proposes to move awareness")
	agreeing := look(t, w, dorothea, path+"?lang=en")
	first, _, _ := strings.Cut(agreeing, "Enter times that are known now")
	says(t, done(t, w, dorothea, first, path+"/aware"), "Corrected. The clocks follow.", "Tuesday 3 March, 09:50 (+01:00)")
}

// Whatever changes a case changes it on its page as well.
func TestEveryDeedOnPages(t *testing.T) {
	t.Parallel()
	w, path := onPage(t)
	at := func(t time.Time) string { return t.In(zone(w)).Format("2006-01-02T15:04") }
	for _, one := range []struct {
		deed   string
		fields []string
		says   []string
	}{
		{"times", []string{"occurred_from", "2026-03-02T10:00", "contained", at(functiontest.Start)}, []string{"The times are saved.", "Monday 2 March, 10:00"}},
		{"tracks", []string{"tenant", "northwind|own"}, []string{"Saved.", "Northwind Trading"}},
		{"tracks", []string{"tenant", "northwind", "people", "1200", "people_how", "estimate", "records", "9", "records_how", "exact", "affected", "third.example"}, []string{"Saved.", "third.example", "people: about 1200 · records: 9", "Northwind Trading"}},
		{"mapped", []string{"name", "third.example|else.example", "reason", "Ours, for tests."}, []string{"Saved."}},
		{"score", []string{"dpc.simple", "2", "dpc.simple.reason", "Who knows whom.", "ei.email", "1", "cb.confidentiality", "0.5", "cb.integrity", "0", "cb.availability", "0", "cb.malicious", "0", "people", "", "fact", "identity_theft_set"},
			[]string{"Scored.", "Enough to pass for somebody, in unknown hands", "EDPB 01/2021", "What would change the result", "How many people is not known yet", "Who knows whom."}},
		{"promise", []string{"name", "next-update", "by", at(functiontest.Start.Add(5 * time.Hour))}, []string{"Promised.", "next update", "in 5 h 00 min"}},
		{"keep", []string{"name", "next-update"}, []string{"Noted as done."}},
		{"file", []string{"clock", "gdpr_33_1", "at", at(functiontest.Start), "reference", "CNIL-17"}, []string{"The report is noted.", "CNIL-17"}},
		{"compromised", []string{"channel", "mail|chat"}, []string{"It counts from now on.", `value="mail" checked`}},
	} {
		says(t, done(t, w, simone, look(t, w, simone, path), path+"/"+one.deed, one.fields...), one.says...)
	}
	// A number of several would count as often.
	several := send(t, w, simone, look(t, w, simone, path+"?lang=en"), path+"/tracks", "tenant", "northwind|banque-du-port", "people", "300", "people_how", "exact")
	says(t, string(several.Want(t, 400, "").Body), "A number is one customer", `value="300"`, `id="people-wrong"`)
	var c Whole
	if do(t, w, simone, "GET", "/breaches/"+strings.TrimPrefix(path, "/case/"), nil, 200, "").Decode(t, &c); slices.ContainsFunc(c.Tracks, func(t Track) bool { return t.People.N == 300 }) {
		t.Errorf("counted: %+v", c.Tracks)
	}
	notKnownAfterAll(t, w, path)
	if left := send(t, w, simone, look(t, w, simone, path)+`<form action="/`+me+path+`/close">`+hiddenToken(t, look(t, w, simone, path))+`</form>`, path+"/close"); left.Status != 409 {
		t.Errorf("a case that is not settled is closed with %d", left.Status)
	}
	suspicion := send(t, w, asha, look(t, w, asha, "/declare"), "/declare", "summary", "Odd.", "kind", "suspicion", "tenant", "northwind").Want(t, 303, "").Header.Get("Location")
	path, _, _ = strings.Cut(strings.TrimPrefix(suspicion, "/"+me), "?")
	says(t, done(t, w, simone, look(t, w, simone, path), path+"/triage", "result", "not_enough", "reason", "Logs are missing.", "next", "Fetch the log of the bucket.", "owner", "stefan"), "Noted.", "being investigated", "Fetch the log of the bucket.", "Stefan Weber")
	for _, who := range []string{simone, stefan} {
		done(t, w, who, look(t, w, who, path), path+"/decide", "subject", string(cases.Breach), "answer", "no", "reason", "A test of ours.")
	}
	says(t, look(t, w, simone, path+"?lang=en"), "closed: no breach", "Looking back")
	says(t, done(t, w, simone, look(t, w, simone, path), path+"/review", "text", "Announce tests."), "The review is saved.")
	says(t, done(t, w, simone, look(t, w, simone, path), path+"/reopen", "reason", "It was none."), "Open again.")
	says(t, done(t, w, simone, look(t, w, simone, path), path+"/triage", "result", "confirmed"), "clocks", "breach")
}

// Everybody reads what to do; whom the company calls outside, those who may look at cases.
func TestRunbookOnPage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	for who, whole := range map[string]bool{emma: false, omkar: true} {
		got := look(t, w, who, "/runbook?lang=en")
		for _, private := range []string{"astreinte@", "hill-house.example"} {
			if strings.Contains(got, private) != whole || !strings.Contains(got, "omkar") {
				t.Errorf("for %s: %s, %t", who, private, !whole)
			}
		}
	}
}

// Somebody who is called says on a page that she read the message of a test.
func TestConfirmedOnPage(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	says(t, look(t, w, omkar, "/drills?lang=en"), "There was none yet.")
	tick(t, w)
	w.Advance(t, 30*24*time.Hour)
	tick(t, w)
	var all Drilled
	w.Call(t, call(w, aurel, "GET", "/drills", nil)).Want(t, 200, "").Decode(t, &all)
	link := all.Drills[0].ID
	shown := look(t, w, omkar, "/drills?lang=en")
	says(t, shown, `<li id="`+link+`">`, "Test of the calls", "I have read it")
	confirmed := done(t, w, omkar, shown, "/drills/"+link+"/confirm", "channel", "mail")
	says(t, confirmed, "Thank you: the call arrives.", "read")
	if theirs := look(t, w, aurel, "/drills?lang=en"); strings.Contains(theirs, "I have read it") {
		t.Error("an auditor confirms what goes to others")
	}
	if got := w.Call(t, visit(w, emma, "GET", "/drills", nil)); got.Status != 403 {
		t.Errorf("somebody who is not called reads it: %d", got.Status)
	}
}

func hiddenToken(t *testing.T, page string) string {
	t.Helper()
	return hidden.FindString(page)
}

func zone(w *functiontest.World) *time.Location {
	return w.Deps(me).Policy.Company.Location()
}
