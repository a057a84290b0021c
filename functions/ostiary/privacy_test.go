package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNothingPersonalShows lives a company's days in one process, with people, customers, addresses, codes, secrets and
// free words that are known, and then searches everything a stranger can see, and everything operators keep for long:
// the log, its tiles and entries, the inbox, the trust page in three languages and of the days before, the feed, the
// bundle, the lines on stderr, and every refusal anybody got. None of the planted texts stands there in any spelling.
//
// That the search finds what is there is shown where the same texts must stand: in the mail, the lists and the answers of
// those whom they concern.
func TestNothingPersonalShows(t *testing.T) {
	t.Parallel()
	l := born(t)
	l.morning()
	l.desk()
	l.machines()
	l.watch()
	l.breach()
	her := l.forget()
	l.attacks()
	l.advance("32m")
	l.nextDay()
	l.month(her)

	l.look()
	for _, p := range l.planted {
		for _, n := range p.needles() {
			if !p.code && n.chance(l.hidden.text.Len()) >= leastChance {
				t.Errorf("%s is too short to be looked for as %s in %d bytes: plant something longer", p.what, n.form, l.hidden.text.Len())
			}
		}
	}
	for _, where := range l.hidden.find(l.planted) {
		t.Error(strings.Join(where[:min(3, len(where))], "\n"))
	}
	l.found()
}

// morning: Zofia sets up an authenticator and registers, loses it, and comes back; Kwame guesses until he is locked out.
func (l *life) morning() {
	const zofia, kwame = "zofia-wojcikowa", "kwame-mbekiani"
	for _, where := range []string{"92.40.201.77", "92.40.201.78", "92.40.201.0/24", "2a02:6b8:7a51:9c00:1:2:3:4", "2a02:6b8:7a51:9c00", "81.2.69.243"} {
		l.plant("address", where)
	}
	l.plant("name", "Ludmilla Zackenberg") // as the identity provider says it
	id, recovery := l.enrol(zofia, "Zofia's Ericsson T39", "")
	l.register(201, zofia, "92.40.201.77", l.code("Zofia's Ericsson T39"))
	l.register(403, zofia, "92.40.201.77", l.plant("code", l.wrong("Zofia's Ericsson T39")))
	l.want(200, zofia, "GET", "/registerip/v1/leases", nil)
	l.advance("2m")
	l.want(204, zofia, "DELETE", "/enrolotp/v1/authenticators/"+id+"?why=lost", nil)
	l.want(403, zofia, "POST", "/enrolotp/v1/authenticators", map[string]any{"name": "Zofia's Ericsson T39"})
	token := l.want(200, zofia, "POST", "/enrolotp/v1/recovery", map[string]any{"code": recovery}).text("enrol_token")
	l.enrol(zofia, "Zofia's Nokia 3310", token)
	l.register(201, zofia, "2a02:6b8:7a51:9c00:1:2:3:4", l.code("Zofia's Nokia 3310"))

	const seed = "KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD"
	l.want(201, "ingrid-falkenhorst", "POST", "/enrolotp/v1/imports", map[string]any{"email": address(kwame), "kind": "totp", "secret": l.plant("secret", seed)})
	l.devices[kwame] = must[*device](l.T)(scan("otpauth://totp/Kwame?secret=" + seed))
	l.register(201, kwame, "81.2.69.243", l.code(kwame))
	for range 4 {
		l.register(403, kwame, "81.2.69.243", l.plant("code", l.wrong(kwame)))
		l.pass("1m")
	}
	l.want(403, "service bastion", "POST", "/checkotp/v1/check", map[string]any{"email": address(kwame), "code": l.plant("code", l.wrong(kwame))})
	l.register(423, kwame, "81.2.69.243", l.code(kwame))
	l.want(423, "service bastion", "POST", "/checkotp/v1/check", map[string]any{"email": address(kwame), "code": l.code(kwame)})
	must[answer](l.T)(l.local("POST", "people", map[string]any{"email": address(zofia), "suspended": true}))
	l.advance("2m")
	must[answer](l.T)(l.local("POST", "people", map[string]any{"email": address(zofia), "suspended": false}))
}

// desk: what people ask, note, sign and approve.
func (l *life) desk() {
	const ingrid, teodor, perpetua, anselm = "ingrid-falkenhorst", "teodor-rasanenko", "perpetua-obolenska", "anselm-dufresnoy"
	reset := map[string]any{"email": address("kwame-mbekiani"), "reason": l.plant("free words", "He dropped it in the Vierwaldstättersee")}
	id := l.want(201, ingrid, "POST", "/enrolotp/v1/resets", reset).text("id")
	l.want(200, teodor, "GET", "/enrolotp/v1/resets", nil)
	l.want(403, ingrid, "POST", "/enrolotp/v1/resets/"+id+"/approve", nil)
	l.want(200, teodor, "POST", "/enrolotp/v1/resets/"+id+"/approve", nil)
	l.plant("token", l.want(201, ingrid, "POST", "/enrolotp/v1/links", map[string]any{"email": address("kwame-mbekiani")}).text("enrol_token"))
	l.advance("2m")

	l.want(201, "zofia-wojcikowa", "POST", "/attest/v1/duties/software-clearance/ask", map[string]any{"about": l.plant("free words", "Kalligraphie-Studio for Zofia's desk")})
	l.want(200, ingrid, "POST", "/attest/v1/duties/risk-register-review/done", map[string]any{"reference": l.plant("reference", "RISK-4711-ZW")})
	l.want(200, perpetua, "POST", "/attest/v1/duties/risk-register-review/review", map[string]any{"verdict": "returned"})
	l.want(200, teodor, "POST", "/attest/v1/duties/risk-register-review/done", map[string]any{"reference": "RISK-4711-ZW"})
	l.want(200, perpetua, "POST", "/attest/v1/duties/risk-register-review/review", nil)
	l.want(200, ingrid, "GET", "/attest/v1/duties", nil)
	stated := l.want(200, perpetua, "GET", "/attest/v1/statements", nil).find("statements.0.text_hash")[0]
	l.want(201, perpetua, "POST", "/attest/v1/statements", map[string]any{"promise": "F01", "text_hash": stated, "valid_until": "2026-12-31"})
	l.want(403, "zofia-wojcikowa", "POST", "/attest/v1/statements", map[string]any{"promise": "F01", "text_hash": stated, "valid_until": "2026-12-31"})
	waiver := map[string]any{"promise": "D24", "reason": "accepted-risk", "until": "2026-04-01", "note": l.plant("free words", "because Kwame works from Ouagadougou")}
	id = l.want(201, ingrid, "POST", "/attest/v1/waivers", waiver).text("id")
	l.want(200, anselm, "POST", "/attest/v1/waivers/"+id+"/approve", nil)
	l.want(200, anselm, "GET", "/attest/v1/waivers", nil)
}

// machines: evidence about people, from programs.
func (l *life) machines() {
	outside := l.plant("e-mail address", "ottokar.nepomuk@contractors.example") // of nobody in people.yaml
	for _, who := range []string{address("zofia-wojcikowa"), address("kwame-mbekiani"), outside} {
		l.event(202, "people-desk", "training.completed", map[string]any{"person": who, "course": "phishing", "passed": true, "score": 71})
		l.event(202, "people-desk", "person.screened", map[string]any{"person": who, "level": "enhanced", "result": "concern"})
	}
	l.event(202, "review-desk", "review.done", map[string]any{"review": "tools", "reviewer": address("teodor-rasanenko"), "expected": 3, "reviewed": 3, "open": 1})
	scan := map[string]any{"tool": "clam", "kind": "malware", "target": "Kalligraphie-Studio for Zofia's desk", "expected": 1, "seen": 1, "errors": 0, "critical": 0}
	l.event(202, "build", "scan.finished", scan)
	l.event(403, "build", "person.nda", map[string]any{"person": outside})
	l.event(422, "people-desk", "training.completed", map[string]any{"person": "Zofia Wójcikowa", "course": "phishing", "passed": true})
	l.event(422, "people-desk", "training.completed", map[string]any{"person": outside, "Zofia Wójcikowa": true, "course": "phishing", "passed": true})
}

// attacks: every call with every body nobody should send, and personal data wherever else a request has room for it.
func (l *life) attacks() {
	const email, token = "zofia.wojcikowa@sharedcontacts.example", "eyJhbGciOiJub25lIn0.eyJuYW1lIjoiWm9maWEgV8OzamNpa293YSJ9."
	stuffed := func(contentType string) http.Header {
		return http.Header{"Content-Type": {contentType}, "User-Agent": {"Zofia Wojcikowa"}, "Referer": {"https://wojcikowa.example/?a=" + email}, "X-Forwarded-For": {"92.40.201.77"},
			"X-Ostiary-Client": {"92.40.201.77"}, "Cookie": {"lang=" + email + "; s=" + email}, "Idempotency-Key": {email}, "Origin": {"http://" + strings.TrimPrefix(l.url, "http://")},
			"X-Cloud-Trace-Context": {email}, "Traceparent": {email}, "Forwarded": {"for=92.40.201.77"}}
	}
	at := url.PathEscape(email)
	paths := map[string][]string{
		"POST": {"/registerip/v1/leases", "/enrolotp/v1/authenticators", "/enrolotp/v1/authenticators/" + at + "/confirm", "/enrolotp/v1/authenticators/" + at + "/resync",
			"/enrolotp/v1/recovery", "/enrolotp/v1/imports", "/enrolotp/v1/links", "/enrolotp/v1/resets", "/enrolotp/v1/resets/" + at + "/approve", "/checkotp/v1/check",
			"/enrolotp/v1/seedfiles", "/enrolotp/v1/seedfiles/" + at + "/keys", "/enrolotp/v1/assignments", "/enrolotp/v1/lookups", "/enrolotp/v1/corrections", "/enrolotp/v1/rollovers",
			"/enrolotp/v1/rollovers/" + at + "/step", "/registerip/v1/devices", "/registerip/v1/devices/look", "/registerip/v1/leases/" + at + "/tested", "/registerip/v1/proofs",
			"/registerip/register", "/registerip/register/csv", "/registerip/register/json", "/registerip/v1/proofs/cases", "/registerip/v1/proofs/end", "/pairaddress/v1/addresses", "/pairaddress/v1/proofs/cases", "/pairaddress/", "/watchallowlist/tick",
			"/attest/v1/statements", "/attest/v1/waivers", "/attest/v1/duties/software-clearance/ask", "/attest/v1/duties/tool-access-review/done", "/attest/v1/duties/" + at + "/review",
			"/attest/v1/waivers/" + at + "/approve", "/collectevidence/v1/events", "/syncallowlist/events", "/deliver/events", "/keeppromises/tick", "/trustpage/", "/" + at,
			"/requesterasure/v1/requests", "/requesterasure/v1/requests/" + at + "/confirm", "/requesterasure/v1/requests/" + at + "/cancel", "/requesterasure/ask", "/requesterasure/follow",
			"/requesterasure/receipt", "/decideerasure/v1/requests", "/decideerasure/v1/requests/" + at + "/approve", "/decideerasure/v1/requests/" + at + "/hold", "/decideerasure/enter",
			"/declarebreach/v1/breaches", "/declarebreach/v1/breaches/" + at + "/decide", "/declarebreach/v1/breaches/" + at + "/notices", "/declarebreach/declare", "/tickbreach/events",
			"/decideerasure/" + at + "/reject", "/decideerasure/parties/notice", "/opendsr/v2/requests", "/opendsr/opengdpr_requests", "/opendsr/v2/requests?id=" + at},
		"GET": {"/trustpage/v1/promises/" + at, "/trustpage/v1/tile/" + at, "/trustpage/v1/records/" + at, "/trustpage/v1/pages/" + at, "/trustpage/pages/" + at, "/trustpage/v1/days/" + at,
			"/trustpage/days?day=" + at, "/trustpage/" + at, "/attest/duties/" + at, "/attest/statements/" + at, "/admit/v1/check?who=" + at, "/registerip/v1/leases?who=" + at, "/registerip/v1/register?from=" + at, "/registerip/v1/register.csv?to=" + at,
			"/requesterasure/v1/requests/" + at, "/requesterasure/confirm?code=" + at, "/decideerasure/" + at, "/decideerasure/v1/requests/" + at, "/decideerasure/v1/requests?after=" + at,
			"/declarebreach/v1/breaches?after=" + at, "/declarebreach/v1/breaches/" + at, "/declarebreach/v1/breaches/" + at + "/dossier.md?tenant=" + at,
			"/opendsr/v2/requests/" + at, "/opendsr/v2/requests/" + at + "/receipt", "/opendsr/opengdpr_requests/" + at},
		"DELETE": {"/opendsr/v2/requests/" + at, "/opendsr/opengdpr_requests/" + at, "/registerip/v1/leases/" + at, "/enrolotp/v1/authenticators/" + at},
	}
	n := 0
	for _, method := range slices.Sorted(maps.Keys(paths)) {
		for _, path := range paths[method] {
			for i, body := range hostile() {
				who := []string{"", "ingrid-falkenhorst", "service bastion", "service people-desk", "kwame-mbekiani", "anselm-dufresnoy", "service nord-dsr"}[n%7]
				contentType := "application/json"
				if strings.HasPrefix(path, "/collectevidence/") {
					contentType = "application/cloudevents+json"
				} else if n%11 == 0 {
					contentType = email
				}
				c := call{method: method, path: path, header: stuffed(contentType)}
				if method == "POST" {
					c.body = body
				} else if i >= 5 {
					continue
				}
				if n++; n%8 == 0 {
					who = ""
					c.header.Set("Authorization", "Bearer "+token)
					c.header.Set("X-Goog-Iap-Jwt-Assertion", token)
				}
				l.ask(who, c)
			}
		}
	}
	if refused := len(l.hidden.names); refused < 50 {
		l.Errorf("only %d kinds of refusals: the attacks show little", refused)
	}
}

// nextDay: duties are late, statements and pages go on, and yesterday's pages are past.
func (l *life) nextDay() {
	l.pass("40h")
	l.advance("17m")
	must[answer](l.T)(l.local("POST", "settle", nil))
}

// look gathers everything that strangers and auditors read.
func (l *life) look() {
	l.Helper()
	get := func(path string) answer {
		a := must[answer](l.T)(l.raw(call{method: "GET", path: path}))
		if a.status != http.StatusOK {
			l.Errorf("GET %s: %s", path, a)
		}
		l.hidden.add("GET "+path, append([]byte(fmt.Sprint(a.header)), a.body...))
		return a
	}
	pages := 0
	for _, day := range []string{"2026-03-03", "2026-03-05"} {
		for _, digest := range get("/trustpage/v1/days/" + day).find("pages.*.digest") {
			pages++
			get("/trustpage/v1/pages/" + digest)
			for _, lang := range []string{"en", "fr", "de"} {
				get("/trustpage/pages/" + digest + "?lang=" + lang)
			}
		}
	}
	for _, lang := range []string{"en", "fr", "de"} {
		get("/trustpage/?lang=" + lang)
		get("/trustpage/v1/feed.atom?lang=" + lang)
	}
	for _, id := range get("/trustpage/v1/promises.json").find("promises.*.id") {
		get("/trustpage/v1/promises/" + id)
	}
	for _, path := range []string{"/trustpage/v1/register.json", "/trustpage/openapi.json", "/openapi.json", "/_local/records"} {
		get(path)
	}
	lines := bytes.Split(get("/trustpage/v1/checkpoint").body, []byte("\n"))
	size := 0
	if _, err := fmt.Sscan(string(lines[1]), &size); err != nil {
		l.Fatal(err)
	}
	kinds := map[string]int{}
	var leaves [][]byte
	for index := range size {
		leaf := get(fmt.Sprint("/trustpage/v1/records/", index))
		leaves = append(leaves, leaf.body)
		kinds[leaf.text("kind")]++
		kinds[leaf.text("control")+" "+strings.Join(leaf.find("facts.event"), "")]++
		get(fmt.Sprint("/trustpage/v1/proofs/", index))
	}
	l.guess(leaves)
	for _, kind := range []string{"observation", "case", "review", "attestation", "waiver", "finding", "run", "page", "policy", "alert-route ",
		"watch alarm", "watch answered", "watch accepted", "watch suspicion", "breach-clock declared", "breach-clock told"} {
		if kinds[kind] == 0 {
			l.Errorf("no record of kind %s: the days show little; there are %v", kind, kinds)
		}
	}
	bundle := filepath.Join(l.TempDir(), "bundle")
	for _, args := range [][]string{
		{"evidence", "bundle", bundle, "--data", l.dir, "--proof", "0,1,2"}, {"promises", "table", "--data", l.dir, "--json"},
		{"evidence", "verify", bundle, "--trust", filepath.Join(l.dir, "evidence", "trust.json"), "--json"},
	} {
		out, err := exec.Command(binary, args...).CombinedOutput()
		if err != nil {
			l.Errorf("ostiary %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		l.hidden.add("ostiary "+args[1], out)
	}
	for _, dir := range []string{bundle, filepath.Join(l.dir, "evidence")} {
		if err := l.hidden.addFolder(dir); err != nil {
			l.Fatal(err)
		}
	}
	for _, part := range []string{"evidence/head/head", "evidence/head/ids/", "evidence/tiles/tile/entries/"} {
		if !slices.ContainsFunc(l.hidden.names, func(name string) bool { return strings.HasPrefix(name, part) }) {
			l.Errorf("nothing of %s is searched", part)
		}
	}
	l.hidden.add("stderr", []byte(l.log()))
	if pages < 4 || size < 100 || !strings.Contains(l.log(), `"severity":"INFO"`) {
		l.Errorf("%d pages, %d records, %d bytes of log: the days show little", pages, size, len(l.log()))
	}
}

// found shows that the search finds what is there: every planted text where it must stand, and each of its spellings.
func (l *life) found() {
	l.Helper()
	for _, path := range []string{"mail", "people", "allowlist"} {
		l.answered.add(path, must[answer](l.T)(l.local("GET", path, nil)).body)
	}
	kinds := map[string]int{}
	found := l.answered.find(l.planted)
	for _, p := range l.planted {
		if len(found[p.text]) > 0 {
			kinds[p.what]++
		}
	}
	for what, least := range map[string]int{"e-mail address": 6, "name": 2, "id of a person or tenant": 5, "address": 3, "free words": 3, "name of an authenticator": 1, "secret": 2, "recovery code": 10, "token": 2, "reference": 2, "user of a customer": 1, "user agent": 1} {
		if kinds[what] < least {
			l.Errorf("the search finds %d of kind %q where there are more: %v", kinds[what], what, kinds)
		}
	}
	mail := haystack{}
	mail.add("mail", must[answer](l.T)(l.local("GET", "mail", nil)).body)
	if found := mail.find(l.planted); len(found) < 5 {
		l.Errorf("the search finds %d planted texts in the mail", len(found))
	}
	for _, p := range l.planted {
		control := haystack{}
		for i, n := range p.needles() {
			control.add(fmt.Sprint("control ", i), []byte("\x00\xff before "+n.text+" behind"))
		}
		sure := slices.DeleteFunc(p.needles(), func(n needle) bool { return n.chance(control.text.Len()) >= leastChance })
		if found := control.find([]planted{p})[p.text]; len(found) != len(sure) {
			l.Errorf("of %q the search finds only %d ways of %d", p.text, len(found), len(sure))
		}
	}
}
