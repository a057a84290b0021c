package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// serveZeppelin lets the customers' program of the sample company speak for the customer of these tests.
func serveZeppelin(t *testing.T, policy string) {
	t.Helper()
	file := filepath.Join(policy, "services.yaml")
	text := string(must[[]byte](t)(os.ReadFile(file)))
	changed := strings.Replace(text, "tenant: cabinet-nord", "tenant: zeppelin-apotheke", 1)
	if changed == text {
		t.Fatal("no program speaks for a customer")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forgotten is a customer's user who asked to be forgotten, and how she asks what became of it.
type forgotten struct{ number, code string }

// forget: a customer's user asks to be forgotten, proves by her mailbox who she is, and is erased.
func (l *life) forget() forgotten {
	l.Helper()
	const tenant = "zeppelin-apotheke"
	email, uid := l.plant("e-mail address", "rosamunde.zwickelbauer@mail.example"), l.plant("user of a customer", "uid-zwickelbauer-rosamunde")
	for entry, fields := range map[string]map[string]any{
		"users":    {"uid": uid, "email": email, "name": l.plant("name", "Rosamunde Zwickelbauer"), "created_at": "2025-01-01T00:00:00Z"},
		"sessions": {"uid": uid, "started_at": "2026-03-01T00:00:00Z", "device": l.plant("user agent", "Siemens of Frau Zwickelbauer")},
	} {
		must[answer](l.T)(l.local("POST", "data", map[string]any{"entry": entry, "tenant": tenant, "name": uid, "created": "2025-01-01T00:00:00Z", "fields": fields}))
	}
	body := map[string]any{"email": email, "tenant": tenant, "kind": "erasure", "language": "de"}
	asked := l.want(202, "", "POST", "/requesterasure/v1/requests", body)
	l.plant("token", asked.text("secret"))
	must[answer](l.T)(l.local("POST", "settle", nil))
	mails := must[answer](l.T)(l.local("GET", "mail", nil))
	last := slices.Index(mails.find("messages.*.to"), email)
	if last < 0 {
		l.Fatalf("no mail came to her: %s", mails)
	}
	her := forgotten{asked.text("number"), l.plant("token", mails.find(fmt.Sprint("messages.", last, ".codes.0"))[0])}
	path := "/requesterasure/v1/requests/" + her.number
	l.want(403, "", "POST", path+"/confirm", map[string]any{"code": "Rosamunde Zwickelbauer"})
	l.want(200, "", "POST", path+"/confirm", map[string]any{"code": her.code})
	must[answer](l.T)(l.local("POST", "settle", nil))
	at := "/decideerasure/v1/requests/" + asked.text("id") // of so few people she is a large share: somebody has to look
	digest := l.want(200, "anselm-dufresnoy", "GET", at, nil).text("plan_digest")
	l.want(200, "anselm-dufresnoy", "POST", at+"/approve", map[string]any{"plan_digest": digest})
	l.advance("24m")
	if a := l.want(200, "", "GET", path, nil, "Request-Secret", her.code); a.text("state") != "completed" {
		l.Fatalf("she is not forgotten: %s", a)
	}
	l.want(200, "", "GET", path+"/receipt", nil, "Request-Secret", her.code)
	l.want(200, "anselm-dufresnoy", "GET", "/decideerasure/v1/requests?show=over", nil)
	return her
}

// month: she is searched for again and again, until her request closes.
func (l *life) month(her forgotten) {
	l.Helper()
	for _, length := range []string{"24h", "144h", "553h"} {
		l.pass(length)
		l.advance("3m")
	}
	a := l.want(200, "", "GET", "/requesterasure/v1/requests/"+her.number, nil, "Request-Secret", her.code)
	if a.text("state") != "completed" || strings.Join(a.find("searches"), "") != "5" {
		l.Errorf("her request is not closed: %s", a)
	}
}
