package walk

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/shared/platform/require"
)

const root = "../../.."

// One browser and one build serve all tests of the process; each test has a server and a session of its own.
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
	folder, err := os.MkdirTemp("", "walk")
	if err == nil {
		defer os.RemoveAll(folder)
		binary, err = Build(root, folder)
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

// serve starts a server for one test.
func serve(t *testing.T) *Server {
	t.Helper()
	require.Tool(t, "chromium", chromium != nil)
	s, err := Start(binary, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// sit puts somebody in front of a fresh browser.
func sit(t *testing.T, s *Server, size browser.Size, lang string) *Person {
	t.Helper()
	return &Person{Tab: chromium.Tab(t, size), T: t, Server: s, Lang: lang}
}

func email(first, last string) string { return first + "." + last + "@sharedcontacts.example" }

var emma, simone, stefan, asha = email("emma", "dubois"), email("simone", "bernard"), email("stefan", "weber"), email("asha", "iyer")

// settle waits until a registration has reached the doors.
func settle(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
}

// quietly checks that the page wrote nothing to its console but that a refusal was a refusal, and called nobody else.
func quietly(t *testing.T, p *Person) {
	t.Helper()
	for _, line := range p.Noise() {
		if !strings.Contains(line, "Failed to load resource: the server responded with a status of 4") {
			t.Errorf("the console says %s", line)
		}
	}
	for _, request := range p.Requests() {
		_, address, _ := strings.Cut(request, " ")
		if u, err := url.Parse(address); err != nil || u.Scheme != "data" && "http://"+u.Host != p.Server.URL {
			t.Errorf("the page asked for %s", request)
		}
	}
}

// unseen checks that a secret stands in no URL the browser went to and nowhere on the page.
func unseen(t *testing.T, p *Person, secrets ...string) {
	t.Helper()
	source, history, requests := p.Source(), p.History(), p.Requests()
	for _, secret := range secrets {
		if strings.Contains(source, secret) {
			t.Errorf("a secret stands on %s", p.URL())
		}
		if strings.Contains(strings.Join(append(history, requests...), " "), secret) {
			t.Error("a secret stands in a URL")
		}
	}
}
