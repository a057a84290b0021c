package erasurewalk

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/walk/walktest"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// People of the sample data. Chloé wrote a note that only a person can judge, Agathe is the last owner of her account.
const (
	chloe  = "chloe.petit@mail.example"
	bruno  = "bruno.leroy@mail.example"
	agathe = "agathe.roy@mail.example"
	nobody = "nobody.knows@mail.example"
)

// All tests share a server but the one that needs requests of every sort: each test has a person of her own.
var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Together)) }

type server struct{ *walktest.Server }

// shared is the server of all tests.
func shared(t *testing.T) *server {
	t.Helper()
	return &server{stage.Common(t)}
}

func serve(t *testing.T) *server {
	t.Helper()
	return &server{stage.Serve(t)}
}

// asked is a request that waits for its confirmation, and the link of its mail.
func (s *server) asked(email, language string) (id, link string) {
	s.T.Helper()
	return s.askedFor(map[string]any{"email": email, "tenant": "cabinet-nord", "language": language})
}

func (s *server) askedFor(what map[string]any) (id, link string) {
	s.T.Helper()
	var made struct{ ID string }
	s.Call(http.MethodPost, "/requesterasure/v1/requests", "", what, &made)
	s.Settled()
	if mail, got := s.mail(what["email"].(string)); got {
		link = mail.Links[0]
	}
	return made.ID, link
}

// confirmed is a request of somebody who proved to be it, and what its page is opened with.
func (s *server) confirmed(email, language string) (id, number, code string) {
	s.T.Helper()
	id, link := s.asked(email, language)
	number, code = s.confirm(link)
	return id, number, code
}

// confirm opens the link of a mail, as a program does.
func (s *server) confirm(link string) (number, code string) {
	s.T.Helper()
	_, proof, _ := strings.Cut(link, "#")
	number, code, _ = strings.Cut(proof, ".")
	s.Call(http.MethodPost, "/requesterasure/v1/requests/"+number+"/confirm", "", map[string]string{"code": code}, nil)
	s.Settled()
	return number, code
}

// mail is the newest mail somebody has that holds a link.
func (s *server) mail(to string) (newest walk.Mail, got bool) {
	s.T.Helper()
	for _, m := range s.Mails(to) {
		if m.To == to && len(m.Links) > 0 {
			newest, got = m, true
		}
	}
	return newest, got
}

// data is everything the product keeps of a tenant, as text.
func (s *server) data(tenant string) string {
	s.T.Helper()
	var all json.RawMessage
	s.Call(http.MethodGet, "/_local/data?tenant="+tenant, "", nil, &all)
	return string(all)
}

// staff signs somebody of the company in.
func (s *server) staff(name string, size browser.Size, lang string) *walktest.Person {
	s.T.Helper()
	p := s.Sit(size, lang)
	p.SignIn(walk.Email(name), walk.Home)
	return p
}
