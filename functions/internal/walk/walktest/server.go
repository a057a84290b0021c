package walktest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
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

// Call sends JSON and reads the answer; token and into may be left out.
func (s *Server) Call(method, path, token string, body, into any) {
	s.T.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.T.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.T.Context(), method, s.URL+path, bytes.NewReader(data))
	if err != nil {
		s.T.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode > 299 {
		s.T.Fatalf("%s %s: %s: %.300s, %v", method, path, answer.Status, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		s.T.Fatalf("%s %s: %v", method, path, err)
	}
}

// As calls as somebody of the company.
func (s *Server) As(who, method, path string, body, into any) {
	s.T.Helper()
	var signed struct{ Token string }
	s.Call(http.MethodPost, "/_local/signin", "", map[string]string{"email": Email(who)}, &signed)
	s.Call(method, path, signed.Token, body, into)
}

// Email is the address of somebody of the sample company, such as emma.dubois.
func Email(who string) string { return who + "@sharedcontacts.example" }

// Mail is a message in the mailbox.
type Mail struct {
	To, Subject, Text string
	Links, Codes      []string
}

// Mails are what somebody has, the newest last. The address may be cut off at its end.
func (s *Server) Mails(to string) (hers []Mail) {
	s.T.Helper()
	var box struct{ Messages []Mail }
	s.Call(http.MethodGet, "/_local/mail", "", nil, &box)
	for _, m := range box.Messages {
		if strings.HasPrefix(m.To, to) {
			hers = append(hers, m)
		}
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
	p.SignIn(Email(name), walk.Home)
	p.Open(s.URL + path + "?lang=" + lang)
	return p
}
