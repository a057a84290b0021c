package breachwalk

import (
	"ostiary.internal/functions/internal/walk/walktest"

	"net/http"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
)

// page is one page as it is opened.
type page struct {
	name string
	open func(p *person)
}

func (s *server) at(path string) func(p *person) {
	return func(p *person) { p.Open(s.URL + "/declarebreach" + path) }
}

// story is a company with a case of every sort, and the pages that show them.
func story(t *testing.T) (s *server, pages []page) {
	t.Helper()
	s = serve(t)
	suspicion := s.declared("suspicion", object{"kind": "suspicion", "tenants": []string{}, "affected": []string{"unbekannt.example", "klinikamsee.example"}})
	exercise := s.declared("exercise", object{"exercise": true})
	late := s.declared("late", object{"tenants": []string{"own", "banque-du-port", "klinik-am-see", "cabinet-nord", "cabinet-sud", "northwind"}})
	at := "/breaches/" + late
	s.as("simone.bernard", http.MethodPost, at+"/score", object{"dpc": object{"simple": object{"value": 3, "reason": "Adressbuchvergleichsverzeichnisse mit Vereinsmitgliedschaften"}}, "ei": object{"full_name": 0.75, "email": 1},
		"cb": object{"confidentiality": 0.5, "integrity": 0, "availability": 0.25, "malicious": 0.5}, "people": nil, "unintelligible": false, "key_compromised": false, "facts": []string{"identity_theft_set", "bank_data"}}, nil)
	s.as("simone.bernard", http.MethodPost, at+"/decide", object{"subject": "sa", "answer": "yes", "reason": "Nach den Auslösern der Bewertung"}, nil)
	s.as("stefan.weber", http.MethodPost, at+"/decide", object{"subject": "sa", "answer": "yes"}, nil)
	s.as("stefan.weber", http.MethodPost, at+"/decide", object{"subject": "persons", "answer": "no", "reason": "Donaudampfschifffahrtsgesellschaftsverzeichnis: kein Abruf außer dem des Finders"}, nil)
	s.as("stefan.weber", http.MethodPost, at+"/decide", object{"subject": "tenants", "answer": "yes"}, nil)
	s.as("simone.bernard", http.MethodPost, at+"/decide", object{"subject": "banque-du-port", "answer": "yes"}, nil)
	s.as("simone.bernard", http.MethodPost, at+"/promise", object{"name": "naechster-zwischenstand-an-alle-kunden", "by": "2026-03-03T20:00:00Z"}, nil)
	ticked := s.declared("ticked", object{"tenants": []string{"own"}})
	s.as("simone.bernard", http.MethodPost, "/breaches/"+ticked+"/score", object{"dpc": object{"simple": object{"value": 1}}, "ei": object{"email": 0.75},
		"cb": object{"confidentiality": 0.5, "integrity": 0, "availability": 0, "malicious": 0.5}, "people": 1200, "unintelligible": true, "key_compromised": false}, nil)
	texts := object{}
	for _, name := range []string{"nature", "subjects", "records", "excluded", "subprocessors", "measures", "open"} {
		texts[name] = "Un export de carnets d'adresses est resté ouvert."
	}
	s.as("simone.bernard", http.MethodPost, at+"/notices", object{"kind": "initial", "texts": object{"fr": texts}, "tenants": []string{"banque-du-port"}}, nil)
	now, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	s.Call(http.MethodPost, "/_local/clock", "", object{"now": now.Add(26 * time.Hour)}, nil) // no schedule runs: nobody has looked since
	return s, []page{
		{"list", s.at("/")}, {"declare", s.at("/declare")}, {"runbook", s.at("/runbook")}, {"drills", s.at("/drills")}, {"suspicion", s.at("/case/" + suspicion)}, {"exercise", s.at("/case/" + exercise)},
		{"late", s.at("/case/" + late)}, {"ticked", s.at("/case/" + ticked)}, {"draft", s.at("/case/" + late + "/notices/new")}, {"notice", s.at("/case/" + late + "/notices/1")}, {"problem", s.at("/case/nothing")},
		{"refused", func(p *person) {
			p.Open(s.URL + "/declarebreach/case/" + late)
			p.Unfold()
			p.Click("#triage-at, #promise-name")
			p.Type("#promise-name", "punkt")
			browser.Eval[int](p.Tab, `(document.getElementById("promise-by").value = "2020-01-01T10:00", document.getElementById("promise-by").min = "", 0)`)
			p.Press("form[action$='/promise'] button")
		}},
	}
}

// TestPagesHold: every page holds in every window, size of text and colour scheme, in every language; and axe-core finds
// nothing wrong with it.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	s, pages := story(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			here := &server{s.In(t)}
			her := here.sit("dorothea.klein", browser.Phone, lang)
			for _, one := range pages {
				one.open(her)
				her.Unfold()
				her.Inspect(one.name, lang, axe)
			}
			if noise := her.Noise(); len(noise) > 3 { // one line for each page that answers with a refusal
				t.Errorf("the console says %v", noise)
			}
		})
	}
}

// TestKeyboard: a keyboard is enough to declare, to answer, and to look at the clocks as a table; and nothing that has the
// focus is out of sight.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	stefan := s.sit("stefan.weber", browser.Desk, "de")
	stefan.Tabs("Ostiary", "Verletzung oder Verdacht melden")
	stefan.Enter()
	stefan.Tabs("Ostiary", "summary")
	stefan.Keys("Ein Laptop wurde gestohlen.")
	stefan.Tabs("Ostiary", "summary", "kind-breach")
	stefan.Keys(" ")
	stefan.Tabs("Ostiary", "summary", "kind-breach", "from")
	browser.Eval[int](stefan.Tab, "(document.getElementById('tenant-own').focus(), 0)") // a field of date and time has a stop for each part
	stefan.Keys(" ")
	browser.Eval[int](stefan.Tab, "(document.getElementById('real').focus(), 0)")
	stefan.Tabulate()
	if focus := stefan.Focused(); focus != "Jetzt melden" {
		t.Errorf("behind the last question is %q", focus)
	}
	stefan.Enter()
	stefan.Says("[role=status]", "Die Bereitschaft wird gerufen.")
	stefan.Tabs("Ostiary", "Ich kümmere mich")
	stefan.Enter()
	stefan.Says(".said.good", "Sie kümmern sich.")
	stefan.Tabs("Ostiary", "Schwere für die Personen bewerten", "Melden, oder zu zweit entscheiden, dass es nicht gilt: Meldung an das ICO", "Dasselbe als Tabelle")
	browser.Eval[int](stefan.Tab, "(document.activeElement.parentElement.open = true, 0)")
	stefan.Says("table", "Meldung an die Behörde")
}
