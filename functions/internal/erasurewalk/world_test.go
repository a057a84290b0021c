package erasurewalk

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/require"
)

const root = "../../.."

// People of the sample data. Chloé wrote a note that only a person can judge, Agathe is the last owner of her account.
const (
	chloe  = "chloe.petit@mail.example"
	bruno  = "bruno.leroy@mail.example"
	agathe = "agathe.roy@mail.example"
	nobody = "nobody.knows@mail.example"
)

// One browser and one server serve all tests of the process but the one that needs requests of every sort: each test has a
// person of her own.
var (
	chromium *browser.Browser
	binary   string
	common   *walk.Server
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// One page at a time: several pages of one browser wait for each other's frames on a small machine.
	flag.Parse()
	if err := flag.Set("test.parallel", "1"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	path := browser.Path()
	if path == "" {
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "erasurewalk")
	if err == nil {
		defer os.RemoveAll(folder)
		binary, err = walk.Build(root, folder)
	}
	if err == nil {
		common, err = walk.Start(binary, root)
	}
	if err == nil {
		defer common.Close()
		chromium, err = browser.Start(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer chromium.Close()
	return m.Run()
}

type server struct {
	*walk.Server
	t *testing.T
}

// shared is the server of all tests.
func shared(t *testing.T) *server {
	t.Helper()
	require.Tool(t, "chromium", chromium != nil)
	return &server{common, t}
}

func serve(t *testing.T) *server {
	t.Helper()
	require.Tool(t, "chromium", chromium != nil)
	s, err := walk.Start(binary, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &server{s, t}
}

// settle waits until nothing is on its way.
func (s *server) settle() {
	s.t.Helper()
	if err := s.Settle(); err != nil {
		s.t.Fatal(err)
	}
}

// call sends JSON and reads the answer; into may be nil.
func (s *server) call(method, path, token string, body, into any) {
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
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode > 299 {
		s.t.Fatalf("%s %s: %s: %.300s, %v", method, path, answer.Status, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// as calls the API as somebody of the company.
func (s *server) as(who, method, path string, body, into any) {
	s.t.Helper()
	var signed struct{ Token string }
	s.call(http.MethodPost, "/_local/signin", "", map[string]string{"email": who + "@sharedcontacts.example"}, &signed)
	s.call(method, path, signed.Token, body, into)
}

// asked is a request that waits for its confirmation, and the link of its mail.
func (s *server) asked(email, language string) (id, link string) {
	s.t.Helper()
	return s.askedFor(map[string]any{"email": email, "tenant": "cabinet-nord", "language": language})
}

func (s *server) askedFor(what map[string]any) (id, link string) {
	s.t.Helper()
	var made struct{ ID string }
	s.call(http.MethodPost, "/requesterasure/v1/requests", "", what, &made)
	s.settle()
	if mail, got := s.mail(what["email"].(string)); got {
		link = mail.Links[0]
	}
	return made.ID, link
}

// confirmed is a request of somebody who proved to be it, and what its page is opened with.
func (s *server) confirmed(email, language string) (id, number, code string) {
	s.t.Helper()
	id, link := s.asked(email, language)
	number, code = s.confirm(link)
	return id, number, code
}

// confirm opens the link of a mail, as a program does.
func (s *server) confirm(link string) (number, code string) {
	s.t.Helper()
	_, proof, _ := strings.Cut(link, "#")
	number, code, _ = strings.Cut(proof, ".")
	s.call(http.MethodPost, "/requesterasure/v1/requests/"+number+"/confirm", "", map[string]string{"code": code}, nil)
	s.settle()
	return number, code
}

type mail struct {
	To, Subject, Text string
	Links, Codes      []string
}

// mail is the newest mail somebody has that holds a link.
func (s *server) mail(to string) (newest mail, got bool) {
	s.t.Helper()
	var box struct{ Messages []mail }
	s.call(http.MethodGet, "/_local/mail", "", nil, &box)
	for _, m := range box.Messages {
		if m.To == to && len(m.Links) > 0 {
			newest, got = m, true
		}
	}
	return newest, got
}

// data is everything the product keeps of a tenant, as text.
func (s *server) data(tenant string) string {
	s.t.Helper()
	var all json.RawMessage
	s.call(http.MethodGet, "/_local/data?tenant="+tenant, "", nil, &all)
	return string(all)
}

// person is somebody in front of a browser, signed in where she works for the company.
type person struct {
	*walk.Person
	t *testing.T
}

func (s *server) somebody(size browser.Size, lang string) *person {
	s.t.Helper()
	return &person{&walk.Person{Tab: chromium.Tab(s.t, size), T: s.t, Server: s.Server, Lang: lang}, s.t}
}

func (s *server) staff(name string, size browser.Size, lang string) *person {
	s.t.Helper()
	p := s.somebody(size, lang)
	p.SignIn(name+"@sharedcontacts.example", walk.Home)
	return p
}

// says fails unless what the selector names shows a text.
func (p *person) says(selector, text string) {
	p.t.Helper()
	if said := p.Text(selector); !strings.Contains(said, text) {
		p.t.Errorf("on %s %s reads:\n%s\nwanted %q", p.URL(), selector, said, text)
	}
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
