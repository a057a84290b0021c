package attest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/shell"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/trust/duty"
)

// show opens a page as a person and wants it to hold texts.
func show(t *testing.T, w *functiontest.World, who, path string, status int, texts ...string) string {
	t.Helper()
	got := w.Call(t, call(w, who, "GET", path, nil))
	body := string(got.Body)
	if got.Status != status || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("%s answers %d %q\n%.500s", path, got.Status, got.Header.Get("Content-Type"), body)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s does not show %q to %s:\n%s", path, text, who, body)
		}
	}
	return body
}

var token = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// send fills in a form of a page with its own token.
func send(t *testing.T, w *functiontest.World, who, page, path string, form url.Values) functiontest.Answer {
	t.Helper()
	found := token.FindStringSubmatch(show(t, w, who, page, 200))
	if found == nil {
		t.Fatalf("%s has no form", page)
	}
	form.Set("csrf", found[1])
	return post(t, w, who, path, form)
}

func post(t *testing.T, w *functiontest.World, who, path string, form url.Values) functiontest.Answer {
	t.Helper()
	r := call(w, who, "POST", path, form.Encode())
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return w.Call(t, r)
}

func leads(t *testing.T, got functiontest.Answer, to string) {
	t.Helper()
	if got.Status != http.StatusSeeOther || got.Header.Get("Location") != to {
		t.Errorf("the form answers %d, leads to %q, not to %q\n%.800s", got.Status, got.Header.Get("Location"), to, got.Body)
	}
}

// refuses wants the page again, with the refusal in words.
func refuses(t *testing.T, got functiontest.Answer, status int, texts ...string) {
	t.Helper()
	if got.Status != status {
		t.Errorf("the form answers %d, not %d", got.Status, status)
	}
	for _, text := range append(texts, `role="alert"`) {
		if !strings.Contains(string(got.Body), text) {
			t.Errorf("the refusal does not show %q:\n%s", text, got.Body)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	const path = "/duties/risk-register-review"
	show(t, w, simone, "/", 200, "To do", path, "To sign", "Ask for")
	show(t, w, emma, "/", 200, "Nothing waits for you.", "All other duties")
	leads(t, send(t, w, simone, path, path+"/done", url.Values{"cycle": {"1"}, "reference": {"SEC-7"}}), "/attest/?done=done.waiting")
	show(t, w, simone, "/?done=done.waiting", 200, "A second person has to look at it now.")
	show(t, w, simone, "/?done=done.anything", 200)
	show(t, w, odile, "/", 200, "To review")
	show(t, w, odile, path, 200, "Simone Bernard", "SEC-7", `value="approved"`)
	refuses(t, send(t, w, odile, path, path+"/review", url.Values{"cycle": {"7"}, "verdict": {"approved"}}), 409, "moved on")
	refuses(t, send(t, w, odile, path, path+"/review", url.Values{"cycle": {"1"}, "verdict": {"perhaps"}}), 400, "no such verdict")
	leads(t, send(t, w, odile, path, path+"/review", url.Values{"cycle": {"1"}, "verdict": {"returned"}}), "/attest/?done=done.returned")
	refuses(t, send(t, w, simone, path, path+"/done", url.Values{"cycle": {"1"}, "reference": {"no spaces"}}), 400, "This is not a reference", `value="no spaces"`)
	leads(t, send(t, w, simone, path, path+"/done", url.Values{"cycle": {"1"}}), "/attest/?done=done.waiting")
	leads(t, send(t, w, odile, path, path+"/review", url.Values{"cycle": {"1"}, "verdict": {"approved"}}), "/attest/?done=done.reviewed")
	leads(t, send(t, w, stefan, "/duties/log-review", "/duties/log-review/done", url.Values{"cycle": {"1"}}), "/attest/?done=done.done")
	show(t, w, marc, "/duties/nda~marc", 200, "somebody else has to decide it")
	show(t, w, emma, "/duties/nda~marc", 404, "There is no such duty")
	show(t, w, emma, "/duties/nothing", 404, "There is no such duty")

	leads(t, send(t, w, emma, "/ask/software-clearance", "/ask/software-clearance", url.Values{"about": {"vim 9.1"}}), "/attest/?done=done.asked")
	refuses(t, send(t, w, emma, "/ask/software-clearance", "/ask/software-clearance", url.Values{"about": {" "}}), 400, "missing, or too long")
	show(t, w, emma, "/ask/log-review", 404, "There is no such duty")
	decided(t, w)

	const filing = "/duties/google-premium-partner"
	show(t, w, odile, filing, 200, `name="valid_until" type="date" required min="2026-03-03" max="2031-03-02"`, "Who issued it")
	form := func() url.Values {
		return url.Values{"cycle": {"1"}, "issuer": {"Example Search Ltd"}, "number": {"PARTNER-7"}, "valid_until": {"2020-01-01"}}
	}
	refuses(t, send(t, w, odile, filing, filing+"/done", form()), 400, "past, or too far ahead", `value="2020-01-01"`, `value="Example Search Ltd"`, `value="PARTNER-7"`)
	filed := form()
	filed.Set("number", "")
	refuses(t, send(t, w, odile, filing, filing+"/done", filed), 400, "The document does not fit")
	filed = form()
	filed.Set("valid_until", "2026-06-30")
	leads(t, send(t, w, odile, filing, filing+"/done", filed), "/attest/?done=done.done")
	show(t, w, emma, filing, 200, "PARTNER-7, Example Search Ltd", "Tuesday 30 June 2026")
	show(t, w, emma, "/duties/access-review", 200, "a review by its system: access")
	show(t, w, simone, "/", 200, "Asked for: vim 9.1")
}

// decided shows what was refused and withdrawn.
func decided(t *testing.T, w *functiontest.World) {
	t.Helper()
	page := func(who, about string) string {
		t.Helper()
		leads(t, send(t, w, who, "/ask/software-clearance", "/ask/software-clearance", url.Values{"about": {about}}), "/attest/?done=done.asked")
		var listed struct{ Duties []Duty }
		do(t, w, who, "GET", "/v1/duties", nil, 200, "").Decode(t, &listed)
		i := slices.IndexFunc(listed.Duties, func(d Duty) bool { return d.About == about })
		return "/duties/" + listed.Duties[i].ID
	}
	evil := page(emma, "evil 1")
	arrive(t, w, duty.Arrived{Request: "evil 1", Failed: true})
	show(t, w, simone, "/", 200, "To do", evil)
	if body := show(t, w, simone, evil, 200, "Evidence that speaks against it", `value="refused"`); strings.Contains(body, `value="approved"`) {
		t.Error("what failed may be approved")
	}
	leads(t, send(t, w, simone, evil, evil+"/review", url.Values{"cycle": {"1"}, "verdict": {"refused"}}), "/attest/?done=done.refused")
	show(t, w, emma, evil+"?lang=en", 200, "Refused by", "Simone Bernard", ">refused<")
	show(t, w, emma, evil+"?lang=fr", 200, ">refusée<")
	show(t, w, emma, evil+"?lang=de", 200, ">abgelehnt<")
	other := page(marc, "ed 1")
	show(t, w, marc, other, 200, "Withdraw it")
	if body := show(t, w, simone, other, 200); strings.Contains(body, other+"/withdraw") {
		t.Error("somebody else is shown the button that withdraws it")
	}
	refuses(t, send(t, w, marc, other, other+"/withdraw", url.Values{"cycle": {"7"}}), 409, "moved on")
	leads(t, send(t, w, marc, other, other+"/withdraw", url.Values{"cycle": {"1"}}), "/attest/?done=done.withdrawn")
	show(t, w, marc, other+"?lang=en", 200, ">withdrawn<")
	show(t, w, marc, other+"?lang=fr", 200, ">retirée<")
	show(t, w, marc, other+"?lang=de", 200, ">zurückgezogen<")
	show(t, w, marc, "/?lang=en", 200)
}

func TestSigningPages(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	hash := signing(w).Text
	show(t, w, odile, "/statements", 200, "You may sign", "/attest/statements/F01", "Others sign")
	show(t, w, emma, "/statements/F01", 200, hash)
	show(t, w, emma, "/statements/F05", 404, "There is no such promise here.")
	form := func() url.Values {
		return url.Values{"text_hash": {hash}, "until": {"2027-03-03"}, "true": {"yes"}}
	}
	without := form()
	without.Del("true")
	refuses(t, send(t, w, odile, "/statements/F01", "/statements/F01", without), 400, "was not confirmed")
	old := form()
	old.Set("text_hash", record.Digest([]byte("what was promised before")))
	refuses(t, send(t, w, odile, "/statements/F01", "/statements/F01", old), 409, "The text has changed since the page was opened.")
	far := form()
	far.Set("until", "2029-01-01")
	refuses(t, send(t, w, odile, "/statements/F01", "/statements/F01", far), 400, "past, or too far ahead", `value="2029-01-01"`)
	leads(t, send(t, w, odile, "/statements/F01", "/statements/F01", form()), "/attest/?done=done.signed")
	show(t, w, odile, "/statements/F01", 200, "the owner", "Wednesday 3 March 2027")

	refuses(t, send(t, w, simone, "/waivers", "/waivers", url.Values{"promise": {"F06"}, "reason": {""}, "until": {"2026-04-01"}}), 400, "no such reason", `value="F06" selected`)
	leads(t, send(t, w, simone, "/waivers", "/waivers", url.Values{"promise": {"F06"}, "reason": {"incident"}, "until": {"2026-04-01"}, "note": {"soon"}}), "/attest/waivers?done=done.waived")
	id := regexp.MustCompile(`/waivers/([a-z2-7]{32})/approve`).FindStringSubmatch(show(t, w, dorothea, "/waivers", 200, "Simone Bernard", "soon"))[1]
	if strings.Contains(show(t, w, simone, "/waivers", 200, "You asked for it"), id) {
		t.Error("the asker is shown the button")
	}
	refuses(t, send(t, w, simone, "/waivers", "/waivers/"+id+"/approve", url.Values{}), 403, "Nobody approves what they asked for themselves.")
	leads(t, send(t, w, dorothea, "/waivers", "/waivers/"+id+"/approve", url.Values{}), "/attest/waivers?done=done.approved")
	if body := show(t, w, aurel, "/waivers", 200, "In force", "Dorothea Klein"); strings.Contains(body, id+"/end") {
		t.Error("the auditor is shown the button that ends it")
	}
	refuses(t, send(t, w, simone, "/waivers", "/waivers/"+strings.Repeat("a", 32)+"/end", url.Values{}), 404, "no such exception")
	leads(t, send(t, w, simone, "/waivers", "/waivers/"+id+"/end", url.Values{}), "/attest/waivers?done=done.ended")
	if body := show(t, w, simone, "/waivers?done=done.ended", 200, "the exception no longer counts"); strings.Contains(body, id) {
		t.Error("what was ended is still in force")
	}
	show(t, w, emma, "/waivers", 403, "another role than yours")
}

// A form that was open too long, or was made for somebody else, does nothing and leads to its page again.
func TestOldForms(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	before := w.State(t)
	for path, who := range map[string]string{
		"/duties/risk-register-review/done": simone, "/duties/risk-register-review/review": odile, "/ask/software-clearance": emma,
		"/statements/F01": odile, "/waivers": simone, "/waivers/" + strings.Repeat("a", 32) + "/approve": simone, "/waivers/" + strings.Repeat("a", 32) + "/end": simone,
	} {
		for _, csrf := range []string{"", "x", token.FindStringSubmatch(show(t, w, stefan, "/duties/log-review", 200))[1]} {
			refuses(t, post(t, w, who, path, url.Values{"csrf": {csrf}, "cycle": {"1"}, "verdict": {"approved"}, "about": {"x"}}), 403, "open too long")
		}
	}
	w.Unchanged(t, before)
	foreign := call(w, simone, "POST", "/duties/log-review/done", "cycle=1")
	foreign.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}}
	if got := w.Call(t, foreign); got.Status != 403 {
		t.Errorf("a form of another site: %d", got.Status)
	}
}

// Every page stands in every language, in every state a duty can be in.
func TestLanguages(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	tick(t, w)
	for _, after := range []time.Duration{0, 40 * 24 * time.Hour} {
		w.Advance(t, after)
		tick(t, w)
		for _, lang := range shell.Languages {
			for path, who := range map[string]string{
				"/": simone, "/duties/risk-register-review": simone, "/duties/nda~emma": odile, "/ask/software-clearance": emma,
				"/statements": odile, "/statements/F01": odile, "/waivers": dorothea, "/duties/log-review": emma, "/duties/google-premium-partner": odile, "/duties/access-review": simone,
			} {
				if body := show(t, w, who, path+"?lang="+lang, 200, `<html lang="`+lang+`"`); strings.Contains(body, "%!") {
					t.Errorf("%s in %s fills in a text wrongly", path, lang)
				}
			}
		}
		do(t, w, simone, "POST", "/v1/duties/risk-register-review/done", nil, 200, "")
		show(t, w, odile, "/duties/risk-register-review", 200, "Simone Bernard")
		if after == 0 {
			do(t, w, odile, "POST", "/v1/duties/risk-register-review/review", Review{Verdict: "returned"}, 200, "")
		}
	}
}
