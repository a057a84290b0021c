package decideerasure

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/erasure/internal/scene"
	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/erasure/request"
)

// open opens a page as a person.
func open(t *testing.T, s *scene.Scene, who, path string) string {
	t.Helper()
	return string(s.Call(t, call(s.World, who, "GET", path, nil)).Want(t, 200, "").Body)
}

// says fails unless a page shows all of some texts.
func says(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(page), text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// send sends the form of a page that has an action, with what else is filled in.
func send(t *testing.T, s *scene.Scene, who, page, action string, fields ...string) functiontest.Answer {
	t.Helper()
	_, form, found := strings.Cut(page, `action="/decideerasure`+action+`"`)
	if !found {
		t.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	r := call(s.World, who, "POST", action, values.Encode())
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return s.Call(t, r)
}

// done sends a form and reads the page it leads to.
func done(t *testing.T, s *scene.Scene, who, page, action string, fields ...string) string {
	t.Helper()
	got := send(t, s, who, page, action, fields...).Want(t, 303, "")
	return open(t, s, who, strings.TrimPrefix(got.Header.Get("Location"), "/decideerasure"))
}

// One person sees the plan and approves it; what she sees is what she approves.
func TestApprovedOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, _ := waiting(t, s)
	walks(t, s, id)
	desk := open(t, s, dorothea, "/?lang=en")
	says(t, desk, "Requests to be forgotten", `href="/decideerasure/`+id+`"`, "Cabinet Nord", "Due 3 April 2026", "Somebody has to look at the plan", "Waits for us (1)", "Overdue (0)")
	var listed Listing
	s.Call(t, call(s.World, dorothea, "GET", "/v1/requests", nil)).Want(t, 200, "").Decode(t, &listed)
	says(t, desk, `<li id="`+listed.Requests[0].Number+`">`) // where the link of a letter leads
	says(t, open(t, s, dorothea, "/?show=overdue&lang=en"), "There is none of these.")
	says(t, open(t, s, dorothea, "/?state=awaiting_approval&lang=en"), `id="list">waits for approval</h2>`, `<li id="`+listed.Requests[0].Number+`">`, `value="awaiting_approval" selected`)
	says(t, open(t, s, dorothea, "/?state=completed&lang=en"), "There is none of these.")
	if got := s.Call(t, call(s.World, dorothea, "GET", "/?show=over&after=nonsense", nil)); got.Status != 400 {
		t.Errorf("a page there is none of: %d", got.Status)
	}
	says(t, open(t, s, dorothea, "/?show=nonsense&lang=de"), "Löschanträge", "Offen (1)")
	page := open(t, s, dorothea, "/"+id+"?lang=en")
	says(t, page, "More items are to be erased than may go without a person", "invoices", "until 2 January 2036", "a statute obliges us", "the store does not answer", "Of other organisations, untouched: 1", digest, mia)
	stale := send(t, s, dorothea, page, "/"+id+"/approve", "plan_digest", strings.Repeat("b", 64))
	if stale.Status != 409 {
		t.Errorf("another plan: %d", stale.Status)
	}
	says(t, string(stale.Body), `id="trouble"`, "no longer the one you saw")
	says(t, done(t, s, dorothea, page, "/"+id+"/approve"), "Approved: it is carried out.", "Dorothea Klein")
	s.Started(t, id)
	says(t, open(t, s, simone, "/"+id+"?lang=en"), "1 of 6 steps done", "<progress", "made anonymous in this run: 4", "The plan is being carried out")
	s.Executed(t, id, request.Totals{Erased: 4})
	says(t, open(t, s, simone, "/"+id+"?lang=de"), "Es wird gesucht, was noch da ist", "<progress", "0 von 6 Schritten", "Bisher gefunden: 0")
	var whole Whole
	do(t, s, simone, "GET", "/v1/requests/"+id, nil, 200, "").Decode(t, &whole)
	if p := whole.Progress; p == nil || *p != (Progress{Phase: "verifying", Search: 1, Steps: 6}) {
		t.Errorf("progress %+v", p)
	}
	s.Verified(t, id, request.Outcome{Left: 1})
	says(t, open(t, s, simone, "/"+id+"?lang=fr"), "Ce qui restait ou est arrivé tard", "<progress")
	s.Advance(t, 24*time.Hour) // another letter may go out
	planning, _ := proved(t, s, request.Ask{})
	says(t, open(t, s, simone, "/"+planning+"?lang=en"), "It is being searched for what there is", "0 of at most", "Met so far: 0")
}

// What two people decide, the second one is asked for in the first one's words, and nobody else is.
func TestTwoPeopleOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, _ := waiting(t, s)
	page := open(t, s, dorothea, "/"+id+"?lang=en")
	bad := send(t, s, dorothea, page, "/"+id+"/hold", "entry", "notes", "ground", "statute", "until", "2030-01-01", "citation", "")
	says(t, string(bad.Body), `id="trouble"`, "the provision it rests on is missing", `<option value="notes" selected>`, `value="2030-01-01"`)
	before := s.State(t)
	for name, refused := range map[string]functiontest.Answer{
		"no token": send(t, s, dorothea, page, "/"+id+"/reject", "ground", "art17-1", "csrf", ""), "the token of another": send(t, s, simone, page, "/"+id+"/reject", "ground", "art17-1"),
	} {
		if refused.Status != 403 {
			t.Errorf("%s: %d", name, refused.Status)
		}
		says(t, string(refused.Body), `id="trouble"`, "open too long")
	}
	s.Unchanged(t, before)
	proposed := done(t, s, dorothea, page, "/"+id+"/hold", "entry", "notes", "fields", "text, author.name", "ground", "art17-3-b", "citation", "§ 147 AO", "until", "2027-01-01")
	says(t, proposed, "a second person has been told", "You proposed this.", "(text, author.name)", "§ 147 AO", "until 1 January 2027")
	if strings.Contains(proposed, "I agree, as the second person") {
		t.Error("the first person is asked to be the second")
	}
	says(t, open(t, s, stefan, "/?lang=en"), "waits for a second person", "A second person has to agree")
	theirs := open(t, s, stefan, "/"+id+"?lang=en")
	says(t, theirs, "I agree, as the second person", "Dorothea Klein")
	held := done(t, s, stefan, theirs, "/"+id+"/hold")
	says(t, held, "Held: it stays until its day.", "by Dorothea Klein and Stefan Weber", "being searched")
	says(t, done(t, s, simone, open(t, s, simone, "/"+id+"?lang=en"), "/"+id+"/release"), "Released")
	rejecting := done(t, s, simone, open(t, s, simone, "/"+id+"?lang=en"), "/"+id+"/reject", "ground", "art12-5")
	says(t, rejecting, "a second person has been told")
	refused := done(t, s, odile, open(t, s, odile, "/"+id+"?lang=fr"), "/"+id+"/reject")
	says(t, refused, "Refused: the person has been written to.", "by Simone Bernard and Odile Martin", "manifestly unfounded")
	if strings.Contains(refused, "<form method") {
		t.Error("a request that is over has forms")
	}
}

// A letter is typed in, a mail is read from its file; whoever did it decides nothing.
func TestEnteredOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	page := open(t, s, dorothea, "/enter?lang=en")
	says(t, page, "Enter a letter or mail", "Banque du Port", `max="2026-03-03T09:55"`)
	eml := "Received: from mx by mail; Mon, 02 Mar 2026 10:00:00 +0100\r\nFrom: Mia <" + mia + ">\r\nSubject: forget me\r\n\r\nPlease do.\r\n"
	none := upload(t, s, dorothea, page, "no mail", "tenant", tenant, "channel", "mail")
	says(t, string(none.Body), `id="trouble"`, "no mail that can be read", `<option value="cabinet-nord" selected>`)
	got := upload(t, s, dorothea, page, eml, "tenant", tenant, "channel", "mail", "kind", "erasure", "language", "de").Want(t, 303, "")
	file := open(t, s, dorothea, strings.TrimPrefix(got.Header.Get("Location"), "/decideerasure")+"&lang=en")
	says(t, file, "Entered. The clock runs since it arrived.", "Monday 2 March 2026, 10:00", "Please do.", mia, "You entered this request")
	letter := upload(t, s, dorothea, page, "", "tenant", tenant, "channel", "letter", "received", "2026-03-01T18:30", "email", mia, "text", "Bitte.", "kind", "erasure", "language", "de").Want(t, 303, "")
	says(t, open(t, s, simone, strings.TrimPrefix(letter.Header.Get("Location"), "/decideerasure")+"&lang=en"), "Sunday 1 March 2026, 18:30", "by letter", "The identity cannot be established")
	for name, refused := range map[string]functiontest.Answer{
		"no time": upload(t, s, dorothea, page, "", "tenant", tenant, "channel", "letter", "text", "Bitte."), "a token of somebody else": upload(t, s, simone, page, eml, "tenant", tenant),
	} {
		if refused.Status != 400 && refused.Status != 403 {
			t.Errorf("%s: %d", name, refused.Status)
		}
		says(t, string(refused.Body), `id="trouble"`)
	}
	if got := s.Call(t, call(s.World, emma, "GET", "/enter", nil)); got.Status != 403 {
		t.Errorf("somebody who decides nothing gets the form: %d", got.Status)
	}
}

// upload sends the form for letters with a file.
func upload(t *testing.T, s *scene.Scene, who, page, file string, fields ...string) functiontest.Answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("csrf", hidden.FindStringSubmatch(page)[2])
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	if file != "" {
		part, _ := w.CreateFormFile("eml", "mail.eml")
		_, _ = part.Write([]byte(file))
	}
	_ = w.Close()
	r := call(s.World, who, "POST", "/enter", body.Bytes())
	r.Header = http.Header{"Content-Type": {w.FormDataContentType()}}
	return s.Call(t, r)
}

// What stands open is told with its next step, and what only a person can judge is settled by one.
func TestOpenOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, _ := proved(t, s, request.Ask{})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Review: 2, Look: []request.Look{{Entry: "notes", Items: 2}}, Own: true, Missing: 3, Theirs: false, Share: 30})
	page := open(t, s, simone, "/"+id+"?lang=en")
	says(t, page, "There is free text or a file", "Looked at (2)", "Places in no data map: 3", "30 %")
	says(t, page, "Somebody has to look, until 24:00</dt><dd>13 March 2026</dd>")
	says(t, open(t, s, simone, "/"+id+"?lang=fr"), "Quelqu’un doit regarder, jusqu’à 24 h")
	says(t, open(t, s, simone, "/"+id+"?lang=de"), "Jemand muss nachsehen, bis 24 Uhr")
	done(t, s, simone, page, "/"+id+"/approve")
	s.Started(t, id)
	s.Executed(t, id, request.Totals{Erased: 1})
	s.Verified(t, id, request.Outcome{Open: []request.Open{{Entry: "notes", Why: "review", Items: 2}, {Entry: "sessions", Why: "lookup_denied"}, {Entry: "usage", Why: "after_denied"}, {Entry: "x", Why: "new_word"}}})
	page = open(t, s, simone, "/"+id+"?lang=en")
	says(t, page, "Something is left, or could not be reached.", "we have no right to look there", "waits for an entry before it", "could not be done", "Search again", "then search again")
	page = done(t, s, simone, page, "/"+id+"/reviewed")
	says(t, page, "Noted: these items no longer keep it open.", "Somebody has looked at them.")
	if strings.Contains(page, "Somebody has to look") {
		t.Error("somebody has looked, and the page still says until when")
	}
	says(t, done(t, s, simone, page, "/"+id+"/resume"), "Everything is searched again.")
}

// What no search can tell is asked on the page, and a person's answer, on record, ends it.
func TestAsksOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true})
	s.Started(t, id)
	s.Executed(t, id, request.Totals{Erased: 1})
	outcome := request.Outcome{Open: []request.Open{{Entry: "users", Why: "letters"}, {Entry: "usage", Why: "group", Items: 3}}}
	s.Verified(t, id, outcome)
	page := open(t, s, simone, "/"+id+"?lang=en")
	says(t, page, "in other capitals and small letters", "Nothing of hers is there, however it is written", "Nobody can be told apart")
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "usage", Items: 4, Why: "group"}, 409, "review_unknown")
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "usage", Items: 3, Why: "group"}, 200, "")
	says(t, done(t, s, simone, page, "/"+id+"/reviewed"), "Noted: these items no longer keep it open.") // the first form: letters
	s.Verified(t, id, outcome)
	var whole Whole
	if do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole); whole.State != "completed" {
		t.Errorf("answered, it is %s with %v", whole.State, whole.OpenEntries)
	}
}

// A day that is near is told, and one that has passed.
func TestDaysOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, _ := waiting(t, s)
	s.Advance(t, 26*24*time.Hour)
	says(t, open(t, s, dorothea, "/?lang=en"), "days left: 5")
	page := open(t, s, dorothea, "/"+id+"?lang=en")
	says(t, done(t, s, dorothea, page, "/"+id+"/extend", "reason", "number"), "Extended: the person has been written to.", "there are many requests", "3 June 2026")
	late := started(t)
	id, _ = waiting(t, late)
	late.Advance(t, 60*24*time.Hour)
	says(t, open(t, late, dorothea, "/?lang=de&show=overdue"), "Überfällig seit 3. April 2026")
	if page := open(t, late, dorothea, "/"+id+"?lang=en"); strings.Contains(page, "/extend") {
		t.Error("an extension is offered when it is too late")
	}
}

// What lies in another region is settled on the page by whoever says what was done there, with its id; what somebody types there
// about the person is refused.
func TestElsewhereOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	id, path := proved(t, s, request.Ask{})
	s.Planned(t, id, request.Plan{Digest: digest, Map: "m", Items: 1, Own: true})
	s.Started(t, id)
	s.Executed(t, id, request.Totals{Erased: 1})
	outcome := request.Outcome{Open: []request.Open{{Entry: "sessions", Why: "region"}}}
	s.Verified(t, id, outcome)
	page := open(t, s, simone, "/"+id+"?lang=en")
	says(t, page, "it lies in another region", "What was done there", "She is erased there")
	do(t, s, simone, "POST", path+"/reviewed", Reviewed{Entry: "sessions", Why: "region"}, 400, "reference_invalid")
	refused := send(t, s, simone, page, "/"+id+"/reviewed", "reference", mia)
	says(t, string(refused.Body), `id="trouble"`, "This is no id of what was done there", `value="`+mia+`"`)
	page = done(t, s, simone, page, "/"+id+"/reviewed", "reference", "receipt-77")
	says(t, page, "Noted: these items no longer keep it open.", "Settled by people", "erased in the other region", "Simone Bernard", "receipt-77")
	s.Verified(t, id, outcome)
	var whole Whole
	do(t, s, simone, "GET", path, nil, 200, "").Decode(t, &whole)
	if whole.State != "completed" || len(whole.Answers) != 1 || whole.Answers[0].Reference != "receipt-77" {
		t.Errorf("%s, %v, answered %+v", whole.State, whole.OpenEntries, whole.Answers)
	}
}

// A request for which a store could not be asked waits for the desk, in the list and in its filter, with what to do.
func TestUnreadOnPages(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Deaf = true
	made, err := s.Requests.Ask(t.Context(), request.Ask{Email: "eve@end.example", Tenant: tenant}, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, code := s.Identified(t, made.ID); code != "" {
		t.Fatal("a link went out")
	}
	says(t, open(t, s, simone, "/?show=desk&lang=en"), "Waits for us (1)", "A store could not be asked", "then pass the request on or end it")
	var listed Listing
	do(t, s, simone, "GET", "/v1/requests?show=desk", nil, 200, "").Decode(t, &listed)
	if len(listed.Requests) != 1 || strings.Join(listed.Requests[0].Waits, " ") != "unread" {
		t.Errorf("%+v", listed.Requests)
	}
}
