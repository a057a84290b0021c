package enrolotp

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/otp"
)

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// formRollover finds the id of the rollover that a form begins.
var formRollover = regexp.MustCompile(`name="rollover" value="([a-z2-7]{16})"`)

// desk is the security desk as a person works it.
type desk struct {
	t     *testing.T
	w     *functiontest.World
	email string
	lang  string
	from  string // the page with the form; the desk when empty
}

// post sends one of the desk's forms and returns the page that came, or the one it leads to.
func (d desk) post(path string, status int, fields ...string) string {
	d.t.Helper()
	page := d.w.Call(d.t, functiontest.Request{Method: "GET", Path: cmp.Or(d.from, "/enrolotp/desk"), Token: d.w.Staff(d.email)}).Want(d.t, 200, "")
	values := url.Values{"csrf": {formToken.FindStringSubmatch(string(page.Body))[1]}}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	got := d.w.Call(d.t, functiontest.Request{Method: "POST", Path: "/enrolotp" + path, Token: d.w.Staff(d.email), Body: values.Encode(),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Language": {d.lang}, "Sec-Fetch-Site": {"same-origin"}}})
	if got.Status != status {
		d.t.Fatalf("%s answered %d, want %d:\n%s", path, got.Status, status, got.Body)
	}
	if status == http.StatusSeeOther {
		return got.Header.Get("Location")
	}
	return string(got.Body)
}

func (d desk) shows(body string, wants ...string) {
	d.t.Helper()
	for _, want := range wants {
		if !strings.Contains(body, want) {
			d.t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
}

// TestDeskForPerson: what the desk sees of a person, and does about it, in each language.
func TestDeskForPerson(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	now := w.Clock.Now()
	w.Call(t, call(w, emma, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{phone.Code(now.Add(2 * time.Minute)), phone.Code(now.Add(150 * time.Second))}})).Want(t, 200, "")
	stock(t, w, 2)
	for lang, wants := range map[string][]string{
		"en": {"Second factor of Emma Dubois", "steps of 30 seconds: 5", "Last success: Tuesday 3 March"},
		"fr": {"Second facteur de Emma Dubois", "pas de 30 secondes : 5", "Dernier succès : mardi 3 mars"},
		"de": {"Zweiter Faktor von Emma Dubois", "Schritten von 30 Sekunden: 5", "Letzter Erfolg: Dienstag, 3. März"},
	} {
		d := desk{t: t, w: w, email: simone, lang: lang}
		d.shows(d.post("/desk/person", 200, "email", emma), wants...)
	}
	d := desk{t: t, w: w, email: simone, lang: "en"}
	d.shows(d.post("/desk/zero", 400, "email", emma, "id", phone.ID, "reason", " "), `id="zero-trouble"`, "Say why it is needed")
	d.shows(d.post("/desk/zero", 404, "email", emma, "id", "nothing", "reason", "x"), `id="trouble"`)
	body := d.post("/desk/zero", 200, "email", emma, "id", phone.ID, "reason", "quartz <b>")
	d.shows(body, "The clock correction is zero again", "steps of 30 seconds: 0", "quartz &lt;b&gt;")
	if strings.Contains(body, `action="/enrolotp/desk/zero"`) {
		t.Error("there is nothing left to set to zero")
	}
	d.shows(d.post("/desk/assign", 404, "email", emma, "serial", "GA-9"), `id="give-trouble"`, `value="GA-9"`)
	d.shows(d.post("/desk/assign", 200, "email", emma, "serial", "ga-1"), "The token is assigned", "GA-1", "typed two codes of it")
	d.shows(d.post("/desk/roll", 400, "email", emma, "by", "2026-03-02", "reason", "x"), `id="roll-trouble"`)
	d.shows(d.post("/desk/roll", 400, "email", emma, "by", "soon", "reason", "x"), `id="roll-trouble"`)
	d.shows(d.post("/desk/roll", 200, "email", emma, "by", "2026-03-31", "reason", "old model"), "To be replaced by Tuesday 31 March", "Reason given: old model")
	// The form sent twice is one rollover, which is said; what she sets up later is taken by the form filled in anew, in the same words.
	d.shows(d.post("/desk/roll", 200, "email", asha, "leaked", "yes", "reason", "stolen"), "Nothing was changed")
	w.Phone(t, asha)
	w.Advance(t, time.Minute)
	id := formRollover.FindStringSubmatch(d.post("/desk/person", 200, "email", asha))[1]
	d.shows(d.post("/desk/roll", 200, "email", asha, "rollover", id, "leaked", "yes", "reason", "stolen"), "The date is set")
	w.Advance(t, time.Minute)
	w.Phone(t, asha)
	again := d.post("/desk/roll", 200, "email", asha, "rollover", id, "leaked", "yes", "reason", "stolen")
	if d.shows(again, "Nothing was changed"); strings.Contains(again, `value="`+id+`"`) {
		t.Error("the form repeats what was done")
	}
	d.shows(d.post("/desk/roll", 200, "email", asha, "rollover", formRollover.FindStringSubmatch(again)[1], "leaked", "yes", "reason", "stolen"), "The date is set")
	d.shows(d.post("/desk/person", 404, "email", "nobody@sharedcontacts.example"), `id="look-trouble"`)
	// Her own second factor: shown, and nothing to press.
	w.Phone(t, simone)
	mine := d.post("/desk/person", 200, "email", simone)
	d.shows(mine, "This is your own second factor")
	if strings.Contains(mine, "/desk/zero") || strings.Contains(mine, "/desk/assign") {
		t.Error("somebody decides about her own second factor")
	}
	d.shows(d.post("/desk/zero", 403, "email", simone, "id", "x", "reason", "x"), `id="trouble"`)
}

// TestDeskForEverybody: a rollover of more people than one step takes is gone on with from the desk.
func TestDeskForEverybody(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Phone(t, emma)
	d := desk{t: t, w: w, email: simone, lang: "en"}
	d.shows(d.post("/desk/roll", 400, "everyone", "yes", "reason", " "), `id="roll-trouble"`)
	if to := d.post("/desk/roll", 303, "everyone", "yes", "by", "2026-03-31", "reason", "old model"); to != "/enrolotp/desk?done=done.rolled_all" {
		t.Errorf("leads to %s", to)
	}
	if to := d.post("/desk/roll", 303, "everyone", "yes", "by", "2026-03-31", "reason", "old model"); to != "/enrolotp/desk?done=done.rolled_nobody" {
		t.Errorf("nobody has anything to replace: leads to %s", to)
	}
	w.Phone(t, asha)
	all, err := w.OTP(t).ForceEveryone(t.Context(), rolledOver(w), w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	page := w.Call(t, functiontest.Request{Method: "GET", Path: "/enrolotp/desk", Token: w.Staff(simone)}).Want(t, 200, "")
	d.shows(string(page.Body), `name="id" value="`+all.ID+`"`, "a crash came between")
	if to := d.post("/desk/step", 303, "id", all.ID); to != "/enrolotp/desk?done=done.rolled_all" {
		t.Errorf("leads to %s", to)
	}
	d.shows(d.post("/desk/step", 404, "id", "nothing"), `id="roll-trouble"`)
}

func rolledOver(w *functiontest.World) otp.Rollover {
	return otp.Rollover{ID: "abcdefghijklmnop", By: w.Clock.Now().Add(24 * time.Hour), Why: otp.RolledOver, Reason: "a crash came between"}
}
