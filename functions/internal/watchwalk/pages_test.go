package watchwalk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
)

// as calls the API as somebody of the company.
func (s *server) as(who, method, path string, body any, into any) {
	s.t.Helper()
	var signed struct{ Token string }
	s.call("", http.MethodPost, "/_local/signin", map[string]string{"email": who + "@sharedcontacts.example"}, &signed)
	s.call(signed.Token, method, path, body, into)
}

func (s *server) call(token, method, path string, body, into any) {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode > 299 {
		s.t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// story is a company in which an episode of every sort is there, by name, and an exception that waits and one in force.
func story(t *testing.T) (s *server, paths map[string]string) {
	t.Helper()
	s = serve(t)
	const stranger = "gerlinde.unbekannt-zwischenhaendler@auswaertige-dienstleistungen.example.net"
	start, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	s.log(grant("erik.vogel", stranger, 0))
	s.advance(61 * time.Minute)
	now, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	after := now.Sub(start)
	// More members than a rule may look at, all of them our own: it cannot tell.
	crowd := strings.Replace(grant("camila.soto", "erik.vogel@sharedcontacts.example", after), `"bindingDeltas":[`,
		`"bindingDeltas":[`+strings.Repeat(`{"action":"ADD","role":"r","member":"user:a@sharedcontacts.example"},`, 9_000), 1)
	s.log(grant("emma.dubois", stranger, after), grant("emma.dubois", stranger, after-time.Minute), grant("asha.iyer", stranger, after),
		grant("marc.petit", stranger, after), crowd, `{"logName":"projects/p/logs/x","protoPayload":7}`)
	var listed struct {
		Episodes []struct{ ID, Kind, Rule, Person string }
	}
	s.as("simone.bernard", http.MethodGet, "/justify/v1/episodes", nil, &listed)
	paths = map[string]string{}
	for _, e := range listed.Episodes {
		name := e.Person
		if e.Kind != "violation" {
			name = e.Kind
		} else if e.Rule != "approved-identities" {
			continue
		}
		paths[name] = s.URL + "/justify/" + e.ID
	}
	for _, name := range []string{"erik", "emma", "asha", "marc", "undetermined", "unreadable"} {
		if paths[name] == "" {
			t.Fatalf("there is no episode %q: %+v", name, listed)
		}
	}
	api := func(name, what string) string {
		return "/justify/v1/episodes/" + strings.TrimPrefix(paths[name], s.URL+"/justify/") + "/" + what
	}
	var done map[string]any
	for _, name := range []string{"asha", "marc"} {
		who := map[string]string{"asha": "asha.iyer", "marc": "marc.petit"}[name]
		s.as(who, http.MethodPost, api(name, "answer"), map[string]string{"reason": "Für die Einkaufsverwaltungsumstellung, wie im Ticket beschrieben", "ticket": "EINKAUF-2026/4711-0815"}, &done)
	}
	s.as("odile.martin", http.MethodPost, api("marc", "review"), map[string]string{"verdict": "accepted", "note": "Mit dem Dienstleistungsverzeichnis verglichen"}, &done)
	for i, who := range []string{"simone.bernard", "dorothea.klein"} {
		s.as(who, http.MethodPost, "/justify/v1/exceptions", map[string]any{"kind": "suppression", "rule": "approved-identities", "actor": "asha.iyer@sharedcontacts.example",
			"resource": fmt.Sprintf("projects/sharedcontacts-live-dienstleistungsverzeichnis-%d", i), "reason": "planned-work", "until": now.Add(240 * time.Hour), "ticket": "EINKAUF-2026/4711", "note": "Umzug"}, &done)
	}
	s.as("odile.martin", http.MethodPost, "/justify/v1/exceptions/"+done["id"].(string)+"/approve", nil, &done)
	return s, paths
}

// TestPagesHold: every page holds in every window, size of text and colour scheme, in every language.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	s, paths := story(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			here := *s
			here.t = t
			emma := here.sit("emma.dubois", browser.Phone, lang)
			emma.inspect("overview with a question", lang)
			emma.Open(paths["emma"])
			openAll(emma)
			emma.inspect("episode to explain", lang)
			security := here.sit("simone.bernard", browser.Phone, lang)
			openAll(security)
			security.inspect("full overview", lang)
			for _, page := range []struct{ name, path string }{
				{"episode to review", paths["asha"]}, {"episode that was reviewed", paths["marc"]}, {"suspicion", paths["erik"]},
				{"episode that nobody could tell of", paths["undetermined"]}, {"entry that nobody could read", paths["unreadable"]},
				{"exceptions", s.URL + "/justify/exceptions"}, {"problem", s.URL + "/justify/nothing"},
			} {
				security.Open(page.path)
				security.inspect(page.name, lang)
			}
			// What is grave nobody settles alone: one of security explains it, in other words than for herself, and another reviews.
			for _, name := range []string{"unreadable", "undetermined", "erik"} {
				if security.Open(paths[name]); !security.Has("form[action$='/answer']") || security.Has("form[action$='/review']") {
					t.Errorf("%s: it is not for security to explain", name)
				}
			}
			security.Open(paths["asha"])
			security.Type("#note", strings.Repeat("ü", 200)) // 400 bytes
			security.Press("button[value=refused]")
			security.Wait("#trouble")
			security.inspect("refusal", lang)
			nobody := here.sit("omkar.rao", browser.Phone, lang)
			nobody.inspect("empty overview", lang)
		})
	}
}

// openAll opens what is folded.
func openAll(p *person) {
	p.t.Helper()
	browser.Eval[int](p.Tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}

// inspect looks at one page in the narrowest window with large text, the hardest place for every language; in English also
// on a phone, in the dark and at a desk.
func (p *person) inspect(name, lang string) {
	p.t.Helper()
	seen := map[string]bool{}
	check := func(how string, colours bool) {
		p.t.Helper()
		for _, fault := range p.Faults(lang, colours) {
			if !seen[fault] {
				p.t.Errorf("%s, %s: %s", name, how, fault)
			}
			seen[fault] = true
		}
	}
	if lang == "en" {
		check("360 px", true)
		p.Dark(true)
		check("dark", true)
		p.Dark(false)
		p.Resize(browser.Desk)
		check("1280 px", false)
	}
	p.Resize(browser.Narrow)
	p.Larger(2)
	check("320 px, text 200 %", false)
	p.Larger(1)
	p.Resize(browser.Phone)
}

// TestKeyboard: a keyboard is enough, from the list to the word.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.log(grant("emma.dubois", "mallory@example.net", 0))
	p := s.sit("emma.dubois", browser.Desk, "de")
	p.tab("Ostiary", "Jemand außerhalb der freigegebenen Konten hat Zugriff erhalten.")
	p.Enter()
	p.says("h1", "freigegebenen Konten")
	p.tab("Ostiary", "reason", "ticket", "words", "Erklärung senden", "Das war ich nicht")
	p.Choose("#reason", "mistake")
	p.tab("Ostiary", "reason", "ticket")
	p.Keys("SUP-7")
	p.Enter()
	p.says("[role=status]", "Jemand anderes prüft es jetzt")
}

// tab goes on by the Tab key from the beginning of a page; what has the focus is named in this order.
func (p *person) tab(names ...string) {
	p.t.Helper()
	browser.Eval[int](p.Tab, "(document.querySelector('.skip').focus(), 0)")
	for _, want := range names {
		p.Tabulate()
		if focus := p.Focused(); focus != want {
			p.t.Errorf("on %s the Tab key leads to %q, not to %q", p.URL(), focus, want)
		}
	}
}
