package enrolotp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
)

// attempt is a refused request: nothing but counters changes.
type attempt struct {
	request functiontest.Request
	status  int
	code    string
}

func refuse(t *testing.T, w *functiontest.World, seen *functiontest.Coverage, attempts ...attempt) {
	t.Helper()
	for i, a := range attempts {
		t.Run(fmt.Sprint(i, " ", a.request.Path, " ", a.code), func(t *testing.T) {
			before := w.State(t, functiontest.Counters...)
			seen.Saw(w.Call(t, a.request)).Want(t, a.status, a.code)
			w.Unchanged(t, before, functiontest.Counters...)
		})
	}
}

// TestRefusals reaches every problem that the interface lists.
func TestRefusals(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	t.Run("enrolling", func(t *testing.T) { refusedEnrolment(t, w, &seen) })
	t.Run("codes", func(t *testing.T) { refusedCodes(t, w, &seen) })
	t.Run("desk", func(t *testing.T) { refusedDesk(t, w, &seen) })
	t.Run("stock", func(t *testing.T) { refusedStock(t, w, &seen) })
	t.Run("help", func(t *testing.T) { refusedHelp(t, w, &seen) })
	t.Run("repeated", func(t *testing.T) { rolloverDiffers(t, &seen) })
	t.Run("early", func(t *testing.T) { refusedEarly(t, &seen) })
	id := map[string]string{"email": emma, "code": "123456", "secret": functiontest.Secret, "reason": "lost"}
	text := func(members string) functiontest.Request {
		return functiontest.Request{Method: "POST", Body: "{" + members + "}", Token: w.Staff(simone)}
	}
	routes := map[string]functiontest.Request{
		"authenticators": text(`"name":"x"`), "authenticators/x/confirm": text(`"code":"123456"`), "authenticators/x/resync": text(`"codes":["1","2"]`),
		"recovery": text(`"code":"x"`), "imports": text(`"email":"x","secret":"x"`), "links": text(`"email":"x"`), "resets": text(`"email":"x","reason":"x"`),
		"seedfiles": text(`"id":"x","keys":1`), "seedfiles/x/keys": text(`"keys":[]`), "assignments": text(`"serial":"x","email":"x"`), "lookups": text(`"email":"x"`),
		"corrections": text(`"email":"x","authenticator":"x","reason":"x"`), "rollovers": text(`"email":"x","reason":"x"`),
		"recovery-codes": text(`"code":"x"`), "rewraps": text(`"after":"x"`),
	}
	gates := []functiontest.Request{{Method: "GET", Path: base + "authenticators"}, {Method: "GET", Path: base + "authenticators/"}, {Method: "GET", Path: base + "resets"},
		{Method: "DELETE", Path: base + "authenticators/x"}, {Method: "POST", Path: base + "resets/x/approve", Body: id}, {Method: "GET", Path: "/enrolotp/"}, {Method: "GET", Path: "/enrolotp/desk"},
		{Method: "POST", Path: base + "seedfiles/x/finish"}, {Method: "DELETE", Path: base + "seedfiles/x"}, {Method: "GET", Path: base + "rollovers"}, {Method: "POST", Path: base + "rollovers/x/step"},
		{Method: "POST", Path: base + "objections"}, {Method: "POST", Path: base + "resets/x/refuse"}}
	for path, r := range routes {
		r.Path = base + path
		w.Bodies(t, &seen, r)
		gates = append(gates, functiontest.Request{Method: r.Method, Path: r.Path, Body: r.Body})
	}
	t.Run("callers", func(t *testing.T) { functiontest.StaffGate(t, setup, &seen, simone, gates...) })
	seen.Complete(t, "enrolotp", w.Routes("enrolotp"))
}

func refusedEnrolment(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	add := func(email string, body any) functiontest.Request {
		return call(w, email, "POST", "authenticators", body)
	}
	phone := w.Phone(t, emma)
	refuse(t, w, seen,
		attempt{add(emma, map[string]string{"name": "a\nb"}), 400, "name_invalid"},
		attempt{add(emma, map[string]string{"name": strings.Repeat("x", 65)}), 400, "name_invalid"},
		attempt{add(emma, map[string]string{"name": "x", "kind": "sms"}), 400, "kind_invalid"},
		attempt{add(emma, map[string]any{"name": "x", "digits": 9}), 400, "kind_invalid"},
		attempt{add(emma, map[string]string{"name": "x", "replaces": "nothing"}), 404, "authenticator_unknown"},
		attempt{add(emma, map[string]string{"name": "x", "enrol_token": "nothing"}), 403, "enrol_token_invalid"},
	)
	second := begin(t, w, emma, map[string]string{"name": "second"})
	third := begin(t, w, emma, map[string]string{"name": "third"})
	refuse(t, w, seen,
		attempt{add(emma, map[string]string{"name": "fourth"}), 409, "authenticator_limit"},
		attempt{call(w, emma, "POST", "authenticators/"+second.ID+"/confirm", map[string]string{"code": code(w, second)}), 403, "old_code_required"},
		attempt{call(w, emma, "POST", "authenticators/nothing/confirm", map[string]string{"code": "123456"}), 404, "authenticator_unknown"},
		attempt{call(w, emma, "POST", "authenticators/nothing/resync", map[string]any{"codes": []string{"123456", "123456"}}), 404, "authenticator_unknown"},
		attempt{call(w, emma, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{"123456"}}), 400, "codes_invalid"},
		attempt{call(w, emma, "DELETE", "authenticators/nothing", nil), 404, "authenticator_unknown"},
		attempt{call(w, asha, "DELETE", "authenticators/"+phone.ID, nil), 404, "authenticator_unknown"},
	)
	// Somebody who removed all that proves her needs more than a session to bind another.
	w.Call(t, call(w, emma, "DELETE", "authenticators/"+phone.ID, nil)).Want(t, 204, "")
	refuse(t, w, seen,
		attempt{call(w, emma, "POST", "authenticators/"+third.ID+"/confirm", map[string]string{"code": code(w, third)}), 403, "enrol_token_required"},
		attempt{add(emma, map[string]string{"name": "x"}), 403, "enrol_token_required"},
	)
	fourthByReplacement(t, w, seen)
}

// fourthByReplacement: an authenticator that replaces another takes no further place, and finds one taken when that one
// has gone before it was confirmed.
func fourthByReplacement(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	const marc = "marc.petit@sharedcontacts.example"
	first, _, third := w.Phone(t, marc), w.Phone(t, marc), w.Phone(t, marc)
	next := begin(t, w, marc, map[string]string{"name": "next", "replaces": third.ID})
	w.Call(t, call(w, marc, "DELETE", "authenticators/"+third.ID, nil)).Want(t, 204, "")
	w.Phone(t, marc)
	refuse(t, w, seen, attempt{call(w, marc, "POST", "authenticators/"+next.ID+"/confirm",
		map[string]string{"code": code(w, next), "old_code": first.Code(w.Clock.Now())}), 409, "authenticator_limit"})
}

func refusedCodes(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	const erik = "erik.vogel@sharedcontacts.example"
	phone := w.Phone(t, erik)
	w.OTP(t) // a service with every right
	next := begin(t, w, erik, map[string]string{"name": "next"})
	now := w.Clock.Now()
	wrong := functiontest.NewKey(next.Secret).Value(uint64(now.Unix()/30 + 500))
	prove := func(new, old string) functiontest.Request {
		return call(w, erik, "POST", "authenticators/"+next.ID+"/confirm", map[string]string{"code": new, "old_code": old})
	}
	resync := func(codes ...string) functiontest.Request {
		return call(w, erik, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": codes})
	}
	recover := func(code string) functiontest.Request {
		return call(w, erik, "POST", "recovery", map[string]string{"code": code})
	}
	renew := func(code string) functiontest.Request {
		return call(w, erik, "POST", "recovery-codes", map[string]string{"code": code})
	}
	const omkar = "omkar.rao@sharedcontacts.example"
	refuse(t, w, seen, attempt{call(w, omkar, "POST", "recovery-codes", map[string]string{"code": "123456"}), 404, "authenticator_unknown"})
	refuse(t, w, seen,
		attempt{call(w, omkar, "POST", "recovery", map[string]string{"code": "AAAA-BBBB-CCCC-DDDD"}), 409, "no_authenticator"},
		attempt{prove("12345", phone.Code(now)), 422, "otp_malformed"},
		attempt{resync("12345", "12345"), 422, "otp_malformed"},
		attempt{renew("12345"), 422, "otp_malformed"},
		attempt{recover("12345"), 422, "otp_malformed"},
		attempt{prove(wrong, phone.Code(now)), 403, "otp_wrong"},
		attempt{resync("000001", "000002"), 403, "otp_wrong"},
		attempt{recover("AAAA-BBBB-CCCC-DDDD"), 403, "otp_wrong"},
	)
	// The vouching code was spent meanwhile: the new one is not burned with it.
	w.Call(t, resync(phone.Code(now), phone.Code(now.Add(30*time.Second)))).Want(t, 200, "")
	refuse(t, w, seen, attempt{prove(code(w, next), phone.Code(now)), 403, "otp_replay"}, attempt{renew(phone.Code(now)), 403, "otp_replay"}, attempt{renew(wrong), 403, "otp_wrong"})
	for w.Call(t, recover("AAAA-BBBB-CCCC-DDDD")).Status == http.StatusForbidden {
	}
	refuse(t, w, seen,
		attempt{prove(code(w, next), phone.Code(now)), 429, "otp_waiting"},
		attempt{resync("000001", "000002"), 429, "otp_waiting"},
		attempt{renew(phone.Code(now)), 429, "otp_waiting"},
		attempt{recover("AAAA-BBBB-CCCC-DDDD"), 429, "otp_waiting"},
	)
	for w.Call(t, resync("000001", "000002")).Status != http.StatusLocked {
		w.Advance(t, time.Hour)
	}
	next = begin(t, w, erik, map[string]string{"name": "next"})
	refuse(t, w, seen, attempt{renew("000001"), 423, "otp_locked"}, attempt{resync("000001", "000002"), 423, "otp_locked"}, attempt{prove(code(w, next), "000001"), 423, "otp_locked"})
	for w.Call(t, recover("AAAA-BBBB-CCCC-DDDD")).Status != http.StatusLocked {
		w.Advance(t, time.Hour)
	}
	refuse(t, w, seen, attempt{recover("AAAA-BBBB-CCCC-DDDD"), 423, "otp_locked"})
}

func refusedDesk(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	const dorothea = "dorothea.klein@sharedcontacts.example"
	bring := func(email string, more map[string]any) functiontest.Request {
		body := map[string]any{"email": email, "secret": functiontest.Secret}
		for name, value := range more {
			body[name] = value
		}
		return call(w, simone, "POST", "imports", body)
	}
	reset := func(as, email, reason string) functiontest.Request {
		return call(w, as, "POST", "resets", map[string]string{"email": email, "reason": reason})
	}
	link := func(as, email string) functiontest.Request {
		return call(w, as, "POST", "links", map[string]string{"email": email})
	}
	w.Call(t, bring(dorothea, nil)).Want(t, 201, "")
	w.Call(t, bring(simone, nil)).Want(t, 201, "") // her first: she could have enrolled it as well
	refuse(t, w, seen,
		attempt{call(w, dorothea, "POST", "imports", map[string]string{"email": emma, "secret": functiontest.Secret}), 403, "role_missing"},
		attempt{link(dorothea, emma), 403, "role_missing"}, attempt{reset(dorothea, emma, "x"), 403, "role_missing"},
		attempt{call(w, dorothea, "GET", "resets", nil), 403, "role_missing"}, attempt{call(w, dorothea, "POST", "resets/x/approve", nil), 403, "role_missing"},
		attempt{bring("nobody@sharedcontacts.example", nil), 404, "person_unknown"}, attempt{link(simone, "nobody@sharedcontacts.example"), 404, "person_unknown"},
		attempt{reset(simone, "nobody@sharedcontacts.example", "x"), 404, "person_unknown"},
		attempt{bring(simone, nil), 403, "own_matter"}, attempt{link(simone, simone), 403, "own_matter"},
		attempt{bring(dorothea, map[string]any{"name": "a\nb"}), 400, "name_invalid"}, attempt{bring(dorothea, map[string]any{"kind": "sms"}), 400, "kind_invalid"},
		attempt{bring(dorothea, map[string]any{"secret": "GEZDGNBV"}), 400, "secret_invalid"}, attempt{bring(dorothea, map[string]any{"secret": "1!"}), 400, "secret_invalid"},
		attempt{bring(dorothea, map[string]any{"counter": 7}), 400, "counter_invalid"},
		attempt{reset(simone, simone, "x"), 403, "reset_self"}, attempt{reset(simone, dorothea, "  "), 400, "reason_missing"},
		attempt{reset(simone, "camila.soto@sharedcontacts.example", "x"), 409, "no_authenticator"},
	)
	w.Call(t, bring(dorothea, nil)).Want(t, 201, "")
	w.Call(t, bring(dorothea, nil)).Want(t, 201, "")
	refuse(t, w, seen, attempt{bring(dorothea, nil), 409, "authenticator_limit"})
	var asked Reset
	w.Call(t, reset(simone, dorothea, "lost")).Want(t, 201, "").Decode(t, &asked)
	approve := func(as, id string) functiontest.Request { return call(w, as, "POST", "resets/"+id+"/approve", nil) }
	refuse(t, w, seen, attempt{approve(simone, asked.ID), 403, "reset_self"})
	for _, id := range []string{"nothing", "__x__", "a%00b", "%ff", strings.Repeat("x", 2000)} {
		refuse(t, w, seen, attempt{approve(stefan, id), 404, "reset_unknown"})
	}
	decline := func(as, id string) functiontest.Request { return call(w, as, "POST", "resets/"+id+"/refuse", nil) }
	refuse(t, w, seen, attempt{decline(dorothea, asked.ID), 403, "role_missing"}, attempt{call(w, dorothea, "POST", "rewraps", map[string]string{}), 403, "role_missing"}, attempt{decline(stefan, "nothing"), 404, "reset_unknown"}, attempt{decline(stefan, "a%00b"), 404, "reset_unknown"})
	w.Call(t, approve(stefan, asked.ID)).Want(t, 200, "")
	refuse(t, w, seen, attempt{approve(stefan, asked.ID), 409, "reset_decided"}, attempt{decline(stefan, asked.ID), 409, "reset_decided"})
	seen.Saw(w.Call(t, call(w, dorothea, "POST", "recovery-codes", map[string]string{"code": "123456"}))).Want(t, 409, "no_authenticator")
}

// refusedEarly: the person has time to object.
func refusedEarly(t *testing.T, seen *functiontest.Coverage) {
	s := setup
	s.Policy = map[string]string{"access.yaml": "otp: {reset_wait: PT2H}"}
	w := functiontest.New(t, s)
	w.Phone(t, emma)
	var asked Reset
	w.Call(t, call(w, simone, "POST", "resets", map[string]string{"email": emma, "reason": "lost"})).Want(t, 201, "").Decode(t, &asked)
	r := call(w, stefan, "POST", "resets/"+asked.ID+"/approve", nil)
	refuse(t, w, seen, attempt{r, 403, "reset_early"})
	w.Advance(t, 2*time.Hour)
	r.Token = w.Staff(stefan)
	w.Call(t, r).Want(t, 200, "")
}
