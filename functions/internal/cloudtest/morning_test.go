package cloudtest

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/shared/access/otp"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/identity/issuer"
)

const (
	emma = "emma.dubois@sharedcontacts.example"
	home = "81.2.69.142"
)

// phone shows the code of a time.
func phone(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	must(t, err)
	return otp.NewKey(otp.SHA1, seed, 6).Value(uint64(at.Unix() / otp.Period))
}

// enrolled binds a phone to emma and returns its secret.
func (w *world) enrolled() (secret string) {
	w.Helper()
	begun := w.call(http.MethodPost, "/enrolotp/v1/authenticators", map[string]string{"name": "phone"}, w.as(emma)...)
	if begun.status != http.StatusCreated {
		w.Fatalf("beginning an authenticator: %+v", begun)
	}
	secret = begun.text("secret")
	confirmed := w.call(http.MethodPost, "/enrolotp/v1/authenticators/"+begun.text("id")+"/confirm", map[string]string{"code": phone(w, secret, w.clock.Now())}, w.as(emma)...)
	if codes, _ := confirmed.body["recovery_codes"].([]any); confirmed.status != http.StatusOK || len(codes) != 10 {
		w.Fatalf("confirming it: %+v", confirmed)
	}
	return secret
}

func (w *world) register(code, key string) reply {
	w.Helper()
	return w.call(http.MethodPost, "/registerip/v1/leases", map[string]string{"code": code, "ip": "198.51.100.9"}, append(w.as(emma), "Idempotency-Key", key)...)
}

func (w *world) leases() []map[string]any {
	w.Helper()
	var all []map[string]any
	list, _ := w.call(http.MethodGet, "/registerip/v1/leases", nil, w.as(emma)...).body["leases"].([]any)
	for _, l := range list {
		all = append(all, l.(map[string]any))
	}
	return all
}

func (w *world) state() any {
	w.Helper()
	if all := w.leases(); len(all) > 0 {
		return all[0]["state"]
	}
	return nil
}

// admitted asks as the edge does: by its key, behind a token that only IAM looks at.
func (w *world) admitted() int {
	w.Helper()
	return w.call(http.MethodGet, "/admit/v1/check", nil, "Authorization", "Bearer "+w.token(issuer.Service, "edge@"+project+".iam.gserviceaccount.com", programs),
		"Gateway-Key", edgeKey, "X-Real-Ip", home).status
}

// holds reports whether the list that nginx includes has the address.
func (w *world) holds(address string) bool {
	data, err := os.ReadFile(filepath.Join(w.doors, "nginx.conf"))
	return err == nil && strings.Contains(string(data), address)
}

func (w *world) advance(by time.Duration) {
	w.Helper()
	must(w.T, w.clock.Set(w.clock.Now().Add(by)))
}

// TestMorning is one morning of one person, from her first authenticator to the suspension of her account.
func TestMorning(t *testing.T) {
	w := deploy(t, morning)
	secret := w.enrolled()
	w.eventually("a notice of the new authenticator arrives, in her language", func() bool { return len(w.post.to(emma)) == 1 })
	if mail := w.post.to(emma)[0]; !strings.Contains(mail, "ostiary@sharedcontacts.example") || strings.Contains(mail, secret) {
		t.Errorf("the notice: %s", mail)
	}

	w.advance(31 * time.Second)
	code := phone(t, secret, w.clock.Now())
	made := w.register(code, "first")
	if made.status != http.StatusCreated || made.text("prefix") != home+"/32" || made.text("ends") != "2026-03-03T23:00:00Z" || fmt.Sprint(made.body["ignored"]) != "[ip]" {
		t.Fatalf("registering: %+v", made)
	}
	w.eventually("the list at the door holds the address", func() bool { return w.holds(home) })
	w.eventually("the lease is confirmed", func() bool { return w.state() == "confirmed" })
	if got := w.admitted(); got != http.StatusNoContent {
		t.Errorf("at the edge: %d, want 204", got)
	}
	if got := w.state(); got != "working" {
		t.Errorf("once she came in the lease is %v", got)
	}
	if again := w.register(code, "first"); again.status != http.StatusCreated || again.text("id") != made.text("id") {
		t.Errorf("the same request again: %+v", again)
	}
	w.bastion(secret, code)
	w.suspended()
	w.settled("syncallowlist", "deliver")
	w.evidence(secret, code)
}

// bastion asks for codes: the spent one, of which she is told, and the next.
func (w *world) bastion(secret, spent string) {
	w.Helper()
	check := func(code string) reply {
		return w.call(http.MethodPost, "/checkotp/v1/check", map[string]string{"email": emma, "code": code},
			"Authorization", "Bearer "+w.token(issuer.Service, "bastion@services.sharedcontacts.example", programs))
	}
	if got := check(spent); got.status != http.StatusForbidden || got.text("outcome") != "replay" {
		w.Errorf("a spent code at the bastion: %+v", got)
	}
	w.eventually("she is told that somebody has used her code", func() bool { return len(w.post.to(emma)) == 2 })
	w.advance(30 * time.Second)
	if got := check(phone(w, secret, w.clock.Now())); got.status != http.StatusOK || got.text("outcome") != "ok" {
		w.Errorf("the next code at the bastion: %+v", got)
	}
	if got := w.call(http.MethodPost, "/checkotp/v1/check", map[string]string{"email": emma, "code": spent}); got.status != http.StatusUnauthorized {
		w.Errorf("without a token: %+v", got)
	}
	accepted := 0
	w.eventually("it is said of both messages that they were accepted", func() bool {
		accepted += len(w.pull("message.accepted"))
		return accepted >= 2
	})
}

// suspended ends what she has: the account is suspended, and a message says so.
func (w *world) suspended() {
	w.Helper()
	for who, want := range map[string]int{"": http.StatusUnauthorized, "bastion@services.sharedcontacts.example": http.StatusForbidden} {
		var token string
		if who != "" {
			token = w.token(issuer.Service, who, programs)
		}
		if got := w.call(http.MethodPost, "/syncallowlist/events", map[string]any{}, "Authorization", "Bearer "+token); got.status != want {
			w.Errorf("a push of %q: %+v, want %d", who, got, want)
		}
	}
	w.admin.suspend(emma)
	w.publish("person.suspended", "suspension/1", map[string]any{"person": "emma", "at": w.clock.Now()})
	w.eventually("the list at the door holds the address no longer", func() bool { return !w.holds(home) })
	w.eventually("it is recorded that the address is gone from every door", func() bool {
		return slices.ContainsFunc(w.records(), func(r record.Record) bool { return r.Facts["event"] == "removed" })
	})
	if got := w.admitted(); got != http.StatusForbidden {
		w.Errorf("at the edge: %d, want 403", got)
	}
	w.advance(5*time.Minute + time.Second) // the age of the directory's copy
	if got := w.call(http.MethodGet, "/registerip/v1/leases", nil, w.as(emma)...); got.status != http.StatusForbidden || got.text("code") != "suspended" {
		w.Errorf("on the morning page: %+v", got)
	}
}

// evidence of the whole morning is there, and names nobody.
func (w *world) evidence(secrets ...string) {
	w.Helper()
	seen := map[string]int{}
	for _, r := range w.records(append(secrets, emma, "emma", "Dubois", home, edgeKey, mailPassword)...) {
		seen[r.Control+" "+r.Facts["action"]+r.Facts["event"]+r.Facts["outcome"]+r.Facts["state"]]++
		if len(r.Promises) == 0 && r.Control != "alert-route" { // the company promises nothing about its messages
			w.Errorf("a record of %s counts for no promise", r.Control)
		}
	}
	for _, what := range []string{"otp-gate bindok", "otp-gate checkok", "otp-gate checkreplay", "ip-daily registered", "ip-daily confirmed", "ip-daily working", "ip-daily ended", "ip-daily removed",
		"ip-allowlist decided", "ip-allowlist done", "alert-route acceptedaccepted"} {
		if seen[what] == 0 {
			w.Errorf("there is no record of %q among %v", what, seen)
		}
	}
}

// TestOneCodeManyRequests sends one code from eight sides at once. Firestore decides: one comes through.
func TestOneCodeManyRequests(t *testing.T) {
	w := deploy(t, morning)
	secret := w.enrolled()
	w.advance(31 * time.Second)
	code := phone(t, secret, w.clock.Now())
	const requests = 8
	answers := make([]reply, requests)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			// What was not decided may be asked again, by the same key.
			for range 5 {
				if answers[i] = w.register(code, fmt.Sprintf("side %d", i)); answers[i].status != http.StatusServiceUnavailable {
					return
				}
			}
		})
	}
	all.Wait()
	outcomes := map[string]string{"201": "ok", "403": "replay", "429": "waiting"} // the fourth failure begins a wait
	count, audited := map[string]int{}, map[string]string{}
	for _, r := range w.records(secret, code) {
		if r.Control == "otp-gate" && r.Facts["action"] == "check" {
			audited[r.Facts["request"]] = r.Facts["outcome"]
		}
	}
	for _, a := range answers {
		outcome := outcomes[fmt.Sprint(a.status)]
		count[outcome]++
		if got := audited[record.Digest([]byte(a.request))]; outcome == "" || got != outcome {
			t.Errorf("answered %+v, recorded %q", a, got)
		}
	}
	if count["ok"] != 1 || count["replay"] == 0 || len(audited) != requests {
		t.Errorf("came to %v, %d of %d attempts recorded", count, len(audited), requests)
	}
	if found := w.leases(); len(found) != 1 {
		t.Errorf("there are %d leases: %v", len(found), found)
	}
	w.eventually("the list at the door holds the address", func() bool { return w.holds(home) })
	w.settled("syncallowlist", "deliver")
	entered := slices.DeleteFunc(w.records(), func(r record.Record) bool { return r.Facts["event"] != "registered" })
	if len(entered) != 1 {
		t.Errorf("the register has %d entries", len(entered))
	}
}
