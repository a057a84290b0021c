package enrolotp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/functions/internal/wiring"
)

var setup = functiontest.Setup{Functions: []wiring.Function{Function}}

const (
	base   = "/enrolotp/v1/"
	emma   = "emma.dubois@sharedcontacts.example"
	asha   = "asha.iyer@sharedcontacts.example"
	simone = "simone.bernard@sharedcontacts.example" // security
	stefan = "stefan.weber@sharedcontacts.example"   // security
)

// call is a request of a person.
func call(w *functiontest.World, email, method, path string, body any) functiontest.Request {
	return functiontest.Request{Method: method, Path: base + path, Token: w.Staff(email), Body: body}
}

// begin starts an authenticator and returns what the person's phone then knows.
func begin(t *testing.T, w *functiontest.World, email string, body any) Enrolment {
	t.Helper()
	var made Enrolment
	w.Call(t, call(w, email, "POST", "authenticators", body)).Want(t, 201, "").Decode(t, &made)
	w.Private(made.Secret)
	return made
}

func code(w *functiontest.World, made Enrolment) string {
	return functiontest.NewKey(made.Secret).Value(uint64(w.Clock.Now().Unix() / 30))
}

// confirm proves it, with a code of an older one where there is one.
func confirm(t *testing.T, w *functiontest.World, email string, made Enrolment, old string) Confirmed {
	t.Helper()
	var done Confirmed
	w.Call(t, call(w, email, "POST", "authenticators/"+made.ID+"/confirm", map[string]string{"code": code(w, made), "old_code": old})).Want(t, 200, "").Decode(t, &done)
	w.Private(done.RecoveryCodes...)
	return done
}

func authenticators(t *testing.T, w *functiontest.World, email string) []Authenticator {
	t.Helper()
	var found Authenticators
	w.Call(t, call(w, email, "GET", "authenticators/", nil)).Want(t, 200, "").Decode(t, &found)
	return found.Authenticators
}

// TestLife: first authenticator, a second, recovery, removal.
func TestLife(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	first := begin(t, w, emma, map[string]string{"name": "phone"})
	if !strings.HasPrefix(first.URI, "otpauth://totp/Shared%20Contacts:") || first.Secret == "" || !first.Expires.Equal(functiontest.Start.Add(10*time.Minute)) {
		t.Errorf("%+v", first.URI)
	}
	done := confirm(t, w, emma, first, "")
	if len(done.RecoveryCodes) != 10 || done.Remaining != 10 || done.ID != first.ID {
		t.Errorf("%d recovery codes, %d left", len(done.RecoveryCodes), done.Remaining)
	}
	w.Advance(t, 30*time.Second)
	second := begin(t, w, emma, map[string]string{"name": "tablet"})
	if done := confirm(t, w, emma, second, code(w, first)); len(done.RecoveryCodes) != 0 {
		t.Error("recovery codes came a second time")
	}
	var token EnrolToken
	w.Call(t, call(w, emma, "POST", "recovery", map[string]string{"code": done.RecoveryCodes[0]})).Want(t, 200, "").Decode(t, &token)
	third := begin(t, w, emma, map[string]string{"name": "watch", "enrol_token": token.Token})
	if done := confirm(t, w, emma, third, ""); len(done.RecoveryCodes) != 1 {
		t.Errorf("%d codes in place of the one that was used", len(done.RecoveryCodes))
	}
	w.Call(t, call(w, emma, "POST", "recovery", map[string]string{"code": done.RecoveryCodes[0]})).Want(t, 403, "otp_wrong")
	w.Call(t, call(w, emma, "DELETE", "authenticators/"+second.ID, nil)).Want(t, 204, "")
	if found := authenticators(t, w, emma); len(found) != 2 || found[0].ID != first.ID || found[1].ID != third.ID {
		t.Errorf("listed %+v", found)
	}
	if ended := w.Published("authenticator.ended"); len(ended) != 0 {
		t.Errorf("a removal by its owner ends addresses: %v", ended)
	}
	w.Call(t, call(w, emma, "DELETE", "authenticators/"+third.ID+"?why=lost", nil)).Want(t, 204, "")
	if ended := w.Published("authenticator.ended"); len(ended) != 1 || string(ended[0].Message.Data) != `{"person":"emma","why":"lost"}` {
		t.Errorf("published %v", ended)
	}
	if n := len(w.Published("message.requested")); n != 7 { // three added, one recovery and its copy for the manager, two removed
		t.Errorf("%d notices", n)
	}
}

// TestReset takes two people of the security team, neither of them the person concerned.
func TestReset(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Phone(t, emma)
	w.BindTo(t, emma, "accounts.google.com:1")
	w.Call(t, call(w, emma, "GET", "authenticators/", nil)).Want(t, 403, "subject_changed")
	var asked Reset
	w.Call(t, call(w, simone, "POST", "resets", map[string]string{"email": emma, "reason": "new phone"})).Want(t, 201, "").Decode(t, &asked)
	var open map[string][]Reset
	w.Call(t, call(w, stefan, "GET", "resets", nil)).Want(t, 200, "").Decode(t, &open)
	if len(open["resets"]) != 1 || open["resets"][0].Person != "emma" || open["resets"][0].By != "simone" || open["resets"][0].ID != asked.ID {
		t.Errorf("open: %+v", open)
	}
	w.Call(t, call(w, stefan, "POST", "resets/"+asked.ID+"/approve", nil)).Want(t, 200, "")
	if ended := w.Published("authenticator.ended"); len(ended) != 1 || string(ended[0].Message.Data) != `{"person":"emma","why":"reset"}` {
		t.Errorf("published %v", ended)
	}
	// Now the address may belong to another sign-in account.
	if found := authenticators(t, w, emma); len(found) != 0 {
		t.Errorf("listed after the reset: %+v", found)
	}
	confirm(t, w, emma, begin(t, w, emma, map[string]string{"name": "new"}), "")
}

// TestPass: an authenticator for the rest of the person's day.
func TestPass(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	w.Phone(t, asha)
	var token EnrolToken
	w.Call(t, call(w, simone, "POST", "links", map[string]any{"email": asha, "today": true})).Want(t, 201, "").Decode(t, &token)
	confirm(t, w, asha, begin(t, w, asha, map[string]string{"name": "borrowed", "enrol_token": token.Token}), "")
	if n := len(authenticators(t, w, asha)); n != 2 {
		t.Errorf("%d authenticators today", n)
	}
	w.Advance(t, time.Date(2026, 3, 3, 18, 30, 0, 0, time.UTC).Sub(w.Clock.Now())) // midnight in Kolkata
	if n := len(authenticators(t, w, asha)); n != 1 {
		t.Errorf("%d authenticators tomorrow", n)
	}
}

// TestOutages: whatever does not answer, nothing changes.
func TestOutages(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	w.Outages(t, &seen, call(w, emma, "POST", "authenticators", map[string]string{"name": "phone"}), 201, &w.Issuer, &w.MessageKey, &w.OTPKey, &w.Directory)
	phone := w.Phone(t, asha)
	now := w.Clock.Now()
	resync := call(w, asha, "POST", "authenticators/"+phone.ID+"/resync", map[string]any{"codes": []string{phone.Code(now), phone.Code(now.Add(30 * time.Second))}})
	w.Outages(t, &seen, resync, 200, &w.Directory, &w.OTPKey)
	if found := authenticators(t, w, asha); found[0].Drift != 1 || !found[0].LastUsed.Equal(now) {
		t.Errorf("after the resynchronisation: %+v", found)
	}
	w.Outages(t, &seen, call(w, simone, "POST", "links", map[string]string{"email": asha}), 201, &w.Directory)
	w.Outages(t, &seen, call(w, asha, "GET", "authenticators/", nil), 200, &w.Directory)
	w.Outages(t, &seen, call(w, asha, "POST", "recovery-codes", map[string]string{"code": phone.Code(now.Add(time.Minute))}), 200, &w.Directory, &w.OTPKey)
	w.Outages(t, &seen, call(w, simone, "POST", "resets", map[string]string{"email": asha, "reason": "x"}), 201, &w.Directory)
	w.Outages(t, &seen, call(w, asha, "POST", "objections", nil), 200, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "rewraps", map[string]string{}), 200, &w.Directory, &w.OTPKey)
	w.Outages(t, &seen, call(w, asha, "DELETE", "authenticators/"+phone.ID, nil), 204, &w.Directory)
	w.Panics(t, call(w, emma, "POST", "authenticators", map[string]string{"name": "tablet"}), &w.Store, &w.Directory)
}

// TestBusDown: neither bus nor inbox holds up the end of an authenticator.
func TestBusDown(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	phone := w.Phone(t, emma)
	w.Bus.Down()
	w.Inbox.Down()
	w.Call(t, call(w, emma, "DELETE", "authenticators/"+phone.ID+"?why=lost", nil)).Want(t, 204, "")
	if n := w.Pending(t, "enrolotp"); n != 3 { // the notice, the word to the allow-list, the record
		t.Errorf("%d entries wait in the outbox", n)
	}
	w.Bus.Up()
	w.Inbox.Up()
	w.Advance(t, time.Minute)
	if _, err := w.Deps("enrolotp").Box.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.Pending(t, "enrolotp"); n != 0 || len(w.Published("authenticator.ended")) != 1 {
		t.Errorf("%d entries wait, %d messages", n, len(w.Published("authenticator.ended")))
	}
}

// TestSecrets: a secret is shown once, in the one answer that makes it, and no list, page or document has it again.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	made := begin(t, w, emma, map[string]string{"name": "phone"})
	done := confirm(t, w, emma, made, "")
	state := fmt.Sprint(w.State(t))
	for _, r := range []functiontest.Request{call(w, emma, "GET", "authenticators/", nil), {Method: "GET", Path: "/enrolotp/", Token: w.Staff(emma)}} {
		state += string(w.Call(t, r).Want(t, 200, "").Body)
	}
	for _, secret := range append(done.RecoveryCodes, made.Secret, strings.ReplaceAll(done.RecoveryCodes[0], "-", "")) {
		if strings.Contains(state, secret) {
			t.Error("a secret is shown or stored in clear")
		}
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	functiontest.Flood(t, setup, func(w *functiontest.World) functiontest.Request {
		return call(w, emma, "POST", "authenticators", map[string]string{"name": "phone"})
	})
}

// fuzz sends arbitrary bodies to one route as a person of the security team.
func fuzz(f *testing.F, path string, seeds ...string) {
	f.Helper()
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		phone := w.Phone(f, simone)
		w.BindTo(f, simone, functiontest.Subject(simone))
		return call(w, simone, "POST", strings.Replace(path, "{id}", phone.ID, 1), nil)
	}, seeds...)
}

func FuzzEnrol(f *testing.F) {
	fuzz(f, "authenticators", `{"name":"x","kind":"hotp","algorithm":"SHA256","digits":8,"replaces":"x","enrol_token":"y"}`)
}

func FuzzConfirm(f *testing.F) {
	fuzz(f, "authenticators/{id}/confirm", `{"code":"123456","old_code":"123456"}`)
}

func FuzzResync(f *testing.F) {
	fuzz(f, "authenticators/{id}/resync", `{"codes":["123456","123457"]}`, `{"codes":["1","2","3","4"]}`)
}

func FuzzRecover(f *testing.F) { fuzz(f, "recovery", `{"code":"AAAA-BBBB-CCCC-DDDD"}`) }

func FuzzImport(f *testing.F) {
	fuzz(f, "imports", `{"email":"`+emma+`","kind":"hotp","secret":"`+functiontest.Secret+`","digits":6,"counter":9007199254740993}`)
}

func FuzzInvite(f *testing.F) { fuzz(f, "links", `{"email":"`+emma+`","today":true}`) }

func FuzzReset(f *testing.F) { fuzz(f, "resets", `{"email":"`+emma+`","reason":"x"}`) }
