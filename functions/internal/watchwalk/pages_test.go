package watchwalk

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk/walktest"
)

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
	s.Later(61 * time.Minute)
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
	s.As("simone.bernard", http.MethodGet, "/justify/v1/episodes", nil, &listed)
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
		s.As(who, http.MethodPost, api(name, "answer"), map[string]string{"reason": "Für die Einkaufsverwaltungsumstellung, wie im Ticket beschrieben", "ticket": "EINKAUF-2026/4711-0815"}, &done)
	}
	s.As("odile.martin", http.MethodPost, api("marc", "review"), map[string]string{"verdict": "accepted", "note": "Mit dem Dienstleistungsverzeichnis verglichen"}, &done)
	for i, who := range []string{"simone.bernard", "dorothea.klein"} {
		s.As(who, http.MethodPost, "/justify/v1/exceptions", map[string]any{"kind": "suppression", "rule": "approved-identities", "actor": "asha.iyer@sharedcontacts.example",
			"resource": fmt.Sprintf("projects/sharedcontacts-live-dienstleistungsverzeichnis-%d", i), "reason": "planned-work", "until": now.Add(240 * time.Hour), "ticket": "EINKAUF-2026/4711", "note": "Umzug"}, &done)
	}
	s.As("odile.martin", http.MethodPost, "/justify/v1/exceptions/"+done["id"].(string)+"/approve", nil, &done)
	return s, paths
}

// TestPagesHold: every page holds in every window, size of text and colour scheme, in every language.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	s, paths := story(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			here := &server{s.In(t)}
			emma := here.sit("emma.dubois", browser.Phone, lang)
			emma.Inspect("overview with a question", lang, axe)
			emma.Open(paths["emma"])
			emma.Unfold()
			emma.Inspect("episode to explain", lang, axe)
			security := here.sit("simone.bernard", browser.Phone, lang)
			security.Unfold()
			security.Inspect("full overview", lang, axe)
			for _, page := range []struct{ name, path string }{
				{"episode to review", paths["asha"]}, {"episode that was reviewed", paths["marc"]}, {"suspicion", paths["erik"]},
				{"episode that nobody could tell of", paths["undetermined"]}, {"entry that nobody could read", paths["unreadable"]},
				{"exceptions", s.URL + "/justify/exceptions"}, {"problem", s.URL + "/justify/nothing"},
			} {
				security.Open(page.path)
				security.Inspect(page.name, lang, axe)
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
			security.Inspect("refusal", lang, axe)
			nobody := here.sit("omkar.rao", browser.Phone, lang)
			nobody.Inspect("empty overview", lang, axe)
		})
	}
}

// TestKeyboard: a keyboard is enough, from the list to the word.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.log(grant("emma.dubois", "mallory@example.net", 0))
	p := s.sit("emma.dubois", browser.Desk, "de")
	p.Tabs("Ostiary", "Jemand außerhalb der freigegebenen Konten hat Zugriff erhalten.")
	p.Enter()
	p.Says("h1", "freigegebenen Konten")
	p.Tabs("Ostiary", "reason", "ticket", "words", "Erklärung senden", "Das war ich nicht")
	p.Choose("#reason", "mistake")
	p.Tabs("Ostiary", "reason", "ticket")
	p.Keys("SUP-7")
	p.Enter()
	p.Says("[role=status]", "Jemand anderes prüft es jetzt")
}
