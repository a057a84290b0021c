package breachwalk

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
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/shared/platform/require"
)

const root = "../../.."

// One browser and one build serve all tests of the process; each test has a server of its own.
var (
	chromium *browser.Browser
	binary   string
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
	folder, err := os.MkdirTemp("", "breachwalk")
	if err == nil {
		defer os.RemoveAll(folder)
		binary, err = walk.Build(root, folder)
	}
	if err == nil {
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

func (s *server) advance(by time.Duration) {
	s.t.Helper()
	if err := s.Advance(by); err != nil {
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
	s.call(http.MethodPost, "/_local/signin", "", map[string]string{"email": email(who)}, &signed)
	s.call(method, "/declarebreach/v1"+path, signed.Token, body, into)
}

func email(who string) string { return who + "@sharedcontacts.example" }

type object = map[string]any

// declared is a case, made by somebody who knows more than nothing; it returns its id.
func (s *server) declared(client string, with object) string {
	s.t.Helper()
	body := object{"client_id": client, "kind": "breach", "summary": "An export with names and address books lay open.", "tenants": []string{"own", "banque-du-port", "klinik-am-see"}}
	for name, value := range with {
		body[name] = value
	}
	var made struct{ ID string }
	s.as("emma.dubois", http.MethodPost, "/breaches", body, &made)
	s.settle()
	return made.ID
}

type mail struct {
	To, Subject, Text string
	Links             []string
}

// mails are what somebody has, the newest last.
func (s *server) mails(to string) (hers []mail) {
	s.t.Helper()
	var box struct{ Messages []mail }
	s.call(http.MethodGet, "/_local/mail", "", nil, &box)
	for _, m := range box.Messages {
		if m.To == to {
			hers = append(hers, m)
		}
	}
	return hers
}

// person is somebody of the company in front of a browser.
type person struct {
	*walk.Person
	t *testing.T
}

// sit signs somebody in and opens the list of cases.
func (s *server) sit(name string, size browser.Size, lang string) *person {
	s.t.Helper()
	p := &person{&walk.Person{Tab: chromium.Tab(s.t, size), T: s.t, Server: s.Server, Lang: lang}, s.t}
	p.SignIn(email(name), walk.Home)
	p.Open(s.URL + "/declarebreach/?lang=" + lang)
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

// openAll opens what is folded.
func openAll(p *person) {
	p.t.Helper()
	browser.Eval[int](p.Tab, "document.querySelectorAll('details').forEach((d) => { d.open = true; }), 0")
}
