package walktest

import (
	"net/http"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// Server is a running command in a test, which fails where a step does.
type Server struct {
	*walk.Server
	T     *testing.T
	stage *Stage
}

// In is the server as another test uses it.
func (s *Server) In(t *testing.T) *Server {
	here := *s
	here.T = t
	return &here
}

// Settled waits until nothing is on its way.
func (s *Server) Settled() {
	s.T.Helper()
	if err := s.Settle(); err != nil {
		s.T.Fatal(err)
	}
}

// Later moves the clock and waits until everything that became due is done.
func (s *Server) Later(by time.Duration) {
	s.T.Helper()
	if err := s.Advance(by); err != nil {
		s.T.Fatal(err)
	}
}

// MuchLater moves it as a scheduler would see it that stood still for so long.
func (s *Server) MuchLater(by time.Duration) {
	s.T.Helper()
	if err := s.Skip(by); err != nil {
		s.T.Fatal(err)
	}
}

// Call sends JSON and reads the answer; token and into may be left out.
func (s *Server) Call(method, path, token string, body, into any) {
	s.T.Helper()
	var header http.Header
	if token != "" {
		header = http.Header{"Authorization": {"Bearer " + token}}
	}
	if err := s.Server.Call(method, path, header, body, into); err != nil {
		s.T.Fatal(err)
	}
}

// As calls as somebody of the company.
func (s *Server) As(who, method, path string, body, into any) {
	s.T.Helper()
	var signed struct{ Token string }
	s.Call(http.MethodPost, "/_local/signin", "", map[string]string{"email": walk.Email(who)}, &signed)
	s.Call(method, path, signed.Token, body, into)
}

// Mails are what somebody has, the newest last. The address may be cut off at its end.
func (s *Server) Mails(to string) []walk.Mail {
	s.T.Helper()
	hers, err := s.Server.Mails(to)
	if err != nil {
		s.T.Fatal(err)
	}
	return hers
}

// Sit puts somebody in front of a fresh browser. Nobody has signed in.
func (s *Server) Sit(size browser.Size, lang string) *Person {
	s.T.Helper()
	return &Person{Person: &walk.Person{Tab: s.stage.Tab(s.T, size), T: s.T, Server: s.Server, Lang: lang}, T: s.T, At: s}
}

// Staff signs somebody of the company in and opens a page.
func (s *Server) Staff(name string, size browser.Size, lang, path string) *Person {
	s.T.Helper()
	p := s.Sit(size, lang)
	p.SignIn(walk.Email(name), walk.Home)
	p.Open(s.URL + path + "?lang=" + lang)
	return p
}
