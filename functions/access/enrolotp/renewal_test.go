package enrolotp

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/seal/local"
)

// TestObjection: a reset ends without effect by a word of the person it is about, or of anybody of the security team, the one who asked
// included; both are on record as a decision, and the person is told.
func TestObjection(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Phone(t, emma)
	w.Phone(t, asha)
	ask := func(email string) (asked Reset) {
		w.Call(t, call(w, simone, "POST", "resets", map[string]string{"email": email, "reason": "new phone"})).Want(t, 201, "").Decode(t, &asked)
		return asked
	}
	object := func(email string) int {
		var said Objection
		w.Call(t, call(w, email, "POST", "objections", nil)).Want(t, 200, "").Decode(t, &said)
		return said.Refused
	}
	hers, other := ask(emma), ask(asha)
	if n := object(stefan); n != 0 {
		t.Errorf("%d resets of somebody else were refused", n)
	}
	told := len(w.Published("message.requested"))
	if n, again := object(emma), object(emma); n != 1 || again != 0 {
		t.Errorf("%d refused, then %d", n, again)
	}
	w.Call(t, call(w, stefan, "POST", "resets/"+hers.ID+"/approve", nil)).Want(t, 409, "reset_decided")
	var answer Reset
	w.Call(t, call(w, simone, "POST", "resets/"+other.ID+"/refuse", nil)).Want(t, 200, "").Decode(t, &answer)
	if answer.ID != other.ID || answer.State != "refused" {
		t.Errorf("%+v", answer)
	}
	if n := len(w.Published("message.requested")) - told; n != 2 {
		t.Errorf("%d notices of two refusals", n)
	}
	refused := 0
	for _, r := range w.Records(t) {
		if r.Facts["action"] == "reset-refused" && r.Kind == record.Review {
			refused++
		}
	}
	if found := authenticators(t, w, emma); len(found) != 1 || len(authenticators(t, w, asha)) != 1 || refused != 2 || len(w.Published("authenticator.ended")) != 0 {
		t.Errorf("after the refusals: %+v, %d records", found, refused)
	}
}

// TestNewRecoveryCodes: a code of an authenticator, and no session alone, replaces all ten; the old ones are dead.
func TestNewRecoveryCodes(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	made := begin(t, w, emma, map[string]string{"name": "phone"})
	old := confirm(t, w, emma, made, "").RecoveryCodes
	w.Advance(t, 30*time.Second)
	var fresh RecoveryCodes
	w.Call(t, call(w, emma, "POST", "recovery-codes", map[string]string{"code": code(w, made)})).Want(t, 200, "").Decode(t, &fresh)
	if w.Private(fresh.RecoveryCodes...); len(fresh.RecoveryCodes) != 10 || fresh.Remaining != 10 || slices.Contains(fresh.RecoveryCodes, old[0]) {
		t.Errorf("%d codes, %d left", len(fresh.RecoveryCodes), fresh.Remaining)
	}
	w.Call(t, call(w, emma, "POST", "recovery", map[string]string{"code": old[0]})).Want(t, 403, "otp_wrong")
	w.Call(t, call(w, emma, "POST", "recovery", map[string]string{"code": fresh.RecoveryCodes[0]})).Want(t, 200, "")
}

// TestRewrapSteps: a new version of the key takes over step by step, and a check goes on meanwhile; nothing secret is answered.
func TestRewrapSteps(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	made := begin(t, w, emma, map[string]string{"name": "phone"})
	confirm(t, w, emma, made, "")
	stock(t, w, 2)
	all := func() (moved, closed int) {
		for next := ""; ; {
			var step Rewrapped
			w.Call(t, call(w, simone, "POST", "rewraps", map[string]string{"after": next})).Want(t, 200, "").Decode(t, &step)
			if moved, closed, next = moved+step.Moved, closed+step.Closed, step.Next; next == "" {
				return moved, closed
			}
		}
	}
	if moved, closed := all(); moved != 0 || closed != 0 {
		t.Errorf("before: %d moved, %d closed", moved, closed)
	}
	if _, err := w.Key("otp").(*local.Keys).Rotate(); err != nil {
		t.Fatal(err)
	}
	if moved, closed := all(); moved != 1+2+1 || closed != 0 { // hers, the stock, the key of its digests
		t.Errorf("%d moved, %d closed", moved, closed)
	}
	if moved, _ := all(); moved != 0 {
		t.Errorf("%d moved again", moved)
	}
	w.Advance(t, 30*time.Second)
	w.Call(t, call(w, emma, "POST", "recovery-codes", map[string]string{"code": code(w, made)})).Want(t, 200, "")
	secrets := 0
	for _, r := range w.Records(t) {
		if r.Facts["action"] == "rewrap" {
			n, _ := strconv.Atoi(r.Facts["secrets"])
			secrets += n
		}
	}
	if secrets != 4 {
		t.Errorf("the evidence says %d secrets", secrets)
	}
}

// TestPagesOfRenewal: the forms of it in each language: new recovery codes, and a reset that the person, or security, refuses.
func TestPagesOfRenewal(t *testing.T) {
	t.Parallel()
	for lang, wants := range map[string][3]string{
		"en": {"new recovery codes", "A reset of your apps was asked for", "Refuse the reset of Emma Dubois"},
		"fr": {"nouveaux codes de secours", "Une réinitialisation de vos applications a été demandée", "Refuser la réinitialisation de Emma Dubois"},
		"de": {"neuen Wiederherstellungscodes", "Eine Zurücksetzung Ihrer Apps wurde beantragt", "Zurücksetzung von Emma Dubois ablehnen"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := functiontest.New(t, setup)
			made := begin(t, w, emma, map[string]string{"name": "phone"})
			confirm(t, w, emma, made, "")
			w.Advance(t, 30*time.Second)
			her, security := desk{t: t, w: w, email: emma, lang: lang, from: "/enrolotp/"}, desk{t: t, w: w, email: simone, lang: lang}
			her.shows(her.post("/codes", 422, "code", "12345"), `id="codes-trouble"`, `<details open>`)
			her.shows(her.post("/codes", 200, "code", code(w, made)), wants[0], `id="recovery-codes"`)
			ask := func() string {
				var asked Reset
				w.Call(t, call(w, stefan, "POST", "resets", map[string]string{"email": emma, "reason": "x"})).Want(t, 201, "").Decode(t, &asked)
				return asked.ID
			}
			ask()
			page := string(w.Call(t, functiontest.Request{Method: "GET", Path: "/enrolotp/", Token: w.Staff(emma), Header: map[string][]string{"Accept-Language": {lang}}}).Want(t, 200, "").Body)
			her.shows(page, wants[1], "Stefan Weber", `action="/enrolotp/object"`)
			if to := her.post("/object", 303); to != "/enrolotp/?done=done.objected" {
				t.Errorf("leads to %s", to)
			}
			if to := her.post("/object", 303); to != "/enrolotp/" {
				t.Errorf("with nothing to refuse, leads to %s", to)
			}
			id := ask()
			page = string(w.Call(t, functiontest.Request{Method: "GET", Path: "/enrolotp/desk", Token: w.Staff(simone), Header: map[string][]string{"Accept-Language": {lang}}}).Want(t, 200, "").Body)
			security.shows(page, wants[2])
			if to := security.post("/desk/refuse", 303, "id", id); to != "/enrolotp/desk?done=done.refused" {
				t.Errorf("leads to %s", to)
			}
			security.shows(security.post("/desk/refuse", 409, "id", id), `id="trouble"`)
		})
	}
}
