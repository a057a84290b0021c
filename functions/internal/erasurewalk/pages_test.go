package erasurewalk

import (
	"net/http"
	"testing"
	"time"

	"ostiary.internal/functions/internal/walk/walktest"

	"ostiary.internal/functions/internal/browser"
)

// page is one page as it is opened.
type page struct {
	name string
	open func(p *walktest.Person)
}

// follow opens the page of a request.
func (s *server) follow(number, code string) func(p *walktest.Person) {
	return func(p *walktest.Person) {
		p.Open(s.URL + "/requesterasure/confirm") // elsewhere: a fragment alone is no new page
		p.Open(s.URL + "/requesterasure/follow#" + number + "." + code)
		p.Press("form[action$='/follow'] button")
	}
}

func (s *server) at(path string) func(p *walktest.Person) {
	return func(p *walktest.Person) { p.Open(s.URL + path) }
}

// story is a company with a request of every sort, and the pages for everybody and for the desk.
func story(t *testing.T) (s *server, everybody, desk []page) {
	t.Helper()
	s = serve(t)
	waiting, number, code := s.confirmed(chloe, "en")
	done, gone, proof := s.confirmed(bruno, "fr")
	stuck, blocked, key := s.confirmed(agathe, "de")
	now, err := s.Now()
	if err != nil {
		t.Fatal(err)
	}
	var entered struct{ ID string }
	s.As("simone.bernard", http.MethodPost, "/decideerasure/v1/requests", map[string]any{"channel": "mail", "received": now.Add(-72 * time.Hour), "tenant": "cabinet-sud", "email": bruno,
		"reply": "donaudampfschifffahrtsgesellschaft.einkaufsverwaltung@auswaertige-dienstleistungen.example.net", "text": "Bitte löschen Sie alles, was Sie über mich haben.\n\nMit freundlichen Grüßen", "language": "de"}, &entered)
	hold := map[string]any{"entry": "notes", "fields": []string{"text", "author.id"}, "ground": "art17-3-b", "citation": "Handelsgesetzbuch, § 257 Absatz 1 Nummer 4, in Verbindung mit der Abgabenordnung", "until": "2028-12-31"}
	for _, who := range []string{"simone.bernard", "dorothea.klein"} {
		s.As(who, http.MethodPost, "/decideerasure/v1/requests/"+stuck+"/hold", hold, nil)
	}
	s.Settled()
	first, link := s.askedFor(map[string]any{"email": chloe, "tenant": "cabinet-sud", "language": "fr", "export": true})
	s.confirm(link)
	var seen struct {
		Digest string `json:"plan_digest"`
	}
	s.As("simone.bernard", http.MethodGet, "/decideerasure/v1/requests/"+first, nil, &seen)
	s.As("simone.bernard", http.MethodPost, "/decideerasure/v1/requests/"+first+"/approve", map[string]string{"plan_digest": seen.Digest}, nil)
	s.As("simone.bernard", http.MethodPost, "/decideerasure/v1/requests/"+stuck+"/reject", map[string]string{"ground": "art12-5"}, nil)
	if err := s.Advance(2 * time.Minute); err != nil { // the schedules tell the recipients, one of whom has to answer by mail
		t.Fatal(err)
	}
	s.Settled()
	everybody = []page{
		{"ask", s.at("/requesterasure/")}, {"sent", s.at("/requesterasure/sent?number=abcd-efgh-jkmn")}, {"confirm", s.at("/requesterasure/confirm")},
		{"waits for a person", s.follow(number, code)}, {"erased", s.follow(gone, proof)}, {"last owner", s.follow(blocked, key)},
		{"refused form", func(p *walktest.Person) {
			p.Open(s.URL + "/requesterasure/follow")
			p.Type("#number", "abcdefghjkm")
			p.Type("#code", "falsch")
			p.Press("form[action$='/follow'] button")
		}},
		{"problem", s.at("/requesterasure/nothing")},
	}
	desk = []page{
		{"desk", s.at("/decideerasure/")}, {"desk, over", s.at("/decideerasure/?show=over")}, {"to approve", s.at("/decideerasure/" + waiting)}, {"done", s.at("/decideerasure/" + done)},
		{"stuck", s.at("/decideerasure/" + stuck)}, {"entered", s.at("/decideerasure/" + entered.ID)}, {"a copy first", s.at("/decideerasure/" + first)}, {"enter", s.at("/decideerasure/enter")}, {"third parties", s.at("/decideerasure/parties")}, {"problem", s.at("/decideerasure/nothing")},
	}
	return s, everybody, desk
}

// TestPagesHold: every page holds in every window, size of text and colour scheme, in every language; and axe-core finds
// nothing wrong with it.
func TestPagesHold(t *testing.T) {
	t.Parallel()
	axe := walktest.Axe(t)
	s, everybody, desk := story(t)
	for _, lang := range []string{"en", "fr", "de"} {
		t.Run(lang, func(t *testing.T) {
			here := &server{s.In(t)}
			her := here.Sit(browser.Phone, lang)
			her.Open(here.URL + "/requesterasure/?lang=" + lang)
			staff := here.staff("stefan.weber", browser.Phone, lang)
			for who, pages := range map[*walktest.Person][]page{her: everybody, staff: desk} {
				for _, one := range pages {
					one.open(who)
					who.Unfold()
					who.Inspect(one.name, lang, axe)
				}
				if noise := who.Noise(); len(noise) > 5 { // one line for each page that answers with a refusal
					t.Errorf("the console says %v", noise)
				}
			}
		})
	}
}
