package main_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// life is a company whose people, customers and secrets are planted, and what everybody was told.
type life struct {
	*testing.T
	*server
	planted  []planted
	devices  map[string]*device
	hidden   haystack // what nobody's data may stand in: refusals now, everything public at the end
	answered haystack // what the people themselves were answered, in which their data stands
	keys     int
}

// born starts the company: the sample's, with people and tenants of its own.
func born(t *testing.T) *life {
	t.Helper()
	l := &life{T: t, devices: map[string]*device{}}
	policies := t.TempDir()
	if err := os.CopyFS(policies, os.DirFS(samples)); err != nil {
		t.Fatal(err)
	}
	serveZeppelin(t, filepath.Join(policies, "sharedcontacts"))
	own := must[*txtar.Archive](t)(txtar.ParseFile("testdata/privacy.txtar"))
	for _, file := range own.Files {
		if err := os.WriteFile(filepath.Join(policies, "sharedcontacts", file.Name), file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		for what, form := range map[string]*regexp.Regexp{"id of a person or tenant": regexp.MustCompile(`id: ([a-z-]+[a-z])[,\n]`),
			"e-mail address": regexp.MustCompile(`email: ([^,]+)`), "name": regexp.MustCompile(`name: ([^,\n]+)`), "domain of a tenant": regexp.MustCompile(`domains: \[(.*)\]`)} {
			for _, found := range form.FindAllSubmatch(file.Data, -1) {
				if string(found[1]) != "edge" { // a target, no person
					l.plant(what, string(found[1]))
				}
			}
		}
	}
	for _, surname := range []string{"Wójcikowa", "wojcikowa", "Mbekiani", "Räsänenko", "rasanenko", "Falkenhorst", "Dufresnoy", "Obolenská", "obolenska", "Quastenberg", "Zeppelin"} {
		l.plant("name", surname)
	}
	l.server = serve(t, options{policy: filepath.Join(policies, "sharedcontacts"), env: []string{"OSTIARY_PUBLIC_ENTRIES=true", "OSTIARY_LOG_LEVEL=DEBUG"}})
	return l
}

func (l *life) plant(what, text string) string {
	l.planted = append(l.planted, planted{what, text, what == "code"})
	return text
}

// ask makes a call as a person by her id, "service ID", or nobody, and keeps the answer.
func (l *life) ask(who string, c call) answer {
	l.Helper()
	header := http.Header{}
	if id, isService := strings.CutPrefix(who, "service "); isService {
		header = must[http.Header](l.T)(l.as(map[string]any{"service": id}))
	} else if who != "" {
		header = must[http.Header](l.T)(l.as(map[string]any{"email": address(who), "claims": map[string]any{"name": "Ludmilla Zackenberg"}}))
	}
	for name, values := range c.header {
		header[name] = values
	}
	c.header = header
	a := must[answer](l.T)(l.raw(c))
	name := fmt.Sprintf("the answer %d to %s of %s", a.status, c.method, c.path)
	switch {
	case a.status >= 500 && a.status != http.StatusServiceUnavailable:
		l.Errorf("%s: %s", name, a.body)
	case a.status == http.StatusUnauthorized && strings.Contains(string(a.body), `action="/_local/signin"`):
		// Only local mode has this page: it lists who may be signed in.
	case a.status >= 400:
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
		l.hidden.add("a refusal", append([]byte(fmt.Sprint(a.header)), a.body...))
	default:
		l.answered.add(name, a.body)
	}
	return a
}

func address(id string) string {
	return strings.ReplaceAll(id, "-", ".") + "@sharedcontacts.example"
}

// want is ask for an answer of one status.
func (l *life) want(status int, who, method, path string, body any, header ...string) answer {
	l.Helper()
	c := call{method: method, path: path, body: body, header: http.Header{"X-Ostiary-Client": {"92.40.201.77"}}}
	for i := 0; i < len(header); i += 2 {
		c.header.Set(header[i], header[i+1])
	}
	a := l.ask(who, c)
	if a.status != status {
		l.Fatalf("%s %s as %q: %s, want %d", method, path, who, a, status)
	}
	return a
}

// code is what the device of a person shows next; wrong is one it does not show.
func (l *life) code(device string) string {
	l.Helper()
	l.pass("30s")
	return l.plant("code", must[string](l.T)(l.devices[device].code(must[time.Time](l.T)(l.now()))))
}

func (l *life) wrong(device string) string {
	return must[string](l.T)(l.devices[device].wrong(must[time.Time](l.T)(l.now())))
}

// enrol gives a person an authenticator, and plants its secret and the recovery codes, of which it returns the first.
func (l *life) enrol(who, name, token string) (id, recovery string) {
	l.Helper()
	body := map[string]any{"name": l.plant("name of an authenticator", name)}
	if token != "" {
		body["enrol_token"] = l.plant("token", token)
	}
	a := l.want(201, who, "POST", "/enrolotp/v1/authenticators", body)
	l.devices[name] = must[*device](l.T)(scan(a.text("otpauth_uri")))
	l.plant("secret", a.text("secret"))
	id = a.text("id")
	for _, code := range l.want(200, who, "POST", "/enrolotp/v1/authenticators/"+id+"/confirm", map[string]any{"code": l.code(name)}).find("recovery_codes.*") {
		recovery = l.plant("recovery code", code)
		l.plant("recovery code", strings.ReplaceAll(code, "-", ""))
	}
	return id, recovery
}

// register asks for a lease with a code, from an address that is planted.
func (l *life) register(status int, who, from, code string) answer {
	l.keys++
	body := map[string]any{"code": code, "ip": "92.40.201.78", "address": from, "prefix": "92.40.201.0/24"}
	return l.want(status, who, "POST", "/registerip/v1/leases", body, "X-Ostiary-Client", from, "Idempotency-Key", fmt.Sprintf("zofia-wojcikowa-%d", l.keys))
}

// pass moves the clock; advance also runs everything that is due on the way.
func (l *life) pass(length string) {
	l.Helper()
	if err := l.jump(must[time.Duration](l.T)(time.ParseDuration(length))); err != nil {
		l.Fatal(err)
	}
}

func (l *life) advance(length string) {
	l.Helper()
	must[answer](l.T)(l.local("POST", "clock", map[string]any{"advance": length}))
}

// event sends machine evidence that speaks of people, in every place there is for it.
func (l *life) event(status int, from, kind string, data map[string]any) {
	l.Helper()
	l.keys++
	l.want(status, "service "+from, "POST", "/collectevidence/v1/events", map[string]any{
		"specversion": "1.0", "type": kind, "id": fmt.Sprintf("zofia.wojcikowa-%d", l.keys), "source": "https://hr.example/people/zofia-wojcikowa",
		"subject": "Zofia Wójcikowa", "time": must[time.Time](l.T)(l.now()), "data": data,
	}, "Content-Type", "application/cloudevents+json")
}

// hostile are bodies as they should not be, each with people in it.
func hostile() []string {
	const email = "zofia.wojcikowa@sharedcontacts.example"
	return []string{
		"", "{}", "[]", `"` + email + `"`, email, "name=Zofia+W%C3%B3jcikowa&email=" + email,
		`{"` + email + `":1}`, `{"zofia.wojcikowa":1}`, `{"Zofia Wójcikowa":{"a":["` + email + `"]}}`, `{"email":"` + email + `","email":"` + email + `"}`,
		`{"email":{"` + email + `":1},"code":["` + email + `"]}`, `{"email":"` + email + `\u0000"}`, `{"code":"Zofia Wójcikowa","reason":"\ud800` + email + `"}`,
		`{"promise":"` + email + `","text_hash":"` + email + `","valid_until":"` + email + `","until":"` + email + `","reason":"Zofia Wójcikowa","note":"x"}`,
		`{"code":"` + email + `"}`, `{"name":"` + strings.Repeat("Zofia Wójcikowa ", 40) + `"}`, `{"email":"` + email + `","code":"123456"}`, `{"email":"` + email + `","reason":""}`,
		`{"reference":"` + email + `"}`, `{"verdict":"` + email + `"}`, `{"about":"Zofia Wójcikowa` + "\n" + `"}`, `{"about":"` + strings.Repeat(email, 10) + `"}`,
		`{"specversion":"1.0","id":"` + email + `","source":"` + email + `","type":"` + email + `","time":"` + email + `","data":{"person":"` + email + `"}}`,
		`{"email":"` + email + `"`, "\xff\xfe" + email, `{"secret":"` + base64.StdEncoding.EncodeToString([]byte(email)) + `","email":"` + email + `","kind":"` + email + `"}`,
		`{"x":"` + strings.Repeat(email, 3000) + `"}`, strings.Repeat(`{"Wójcikowa":`, 40) + "1" + strings.Repeat("}", 40),
	}
}
