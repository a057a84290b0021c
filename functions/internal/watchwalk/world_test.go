package watchwalk

import (
	"encoding/json"
	"flag"
	"fmt"
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
	folder, err := os.MkdirTemp("", "watchwalk")
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

// grant is the entry of a role given to somebody, by somebody, so long after the start of the server's clock.
func grant(by, to string, after time.Duration) string {
	start, _ := time.Parse(time.RFC3339, walk.Morning)
	at := start.Add(after).Format(time.RFC3339)
	return fmt.Sprintf(`{"insertId":"%s-%d","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,"receiveTimestamp":%q,
		"severity":"NOTICE","resource":{"type":"project","labels":{"project_id":"sharedcontacts-live"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
		"serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy","resourceName":"projects/sharedcontacts-live","status":{},
		"authenticationInfo":{"principalEmail":"%s@sharedcontacts.example"},"requestMetadata":{"callerIp":"81.2.69.193","callerSuppliedUserAgent":"Mozilla/5.0 (X11; Linux x86_64)"},
		"authorizationInfo":[{"permission":"resourcemanager.projects.setIamPolicy","granted":true}],
		"serviceData":{"@type":"type.googleapis.com/google.iam.v1.logging.AuditData","policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/editor","member":"user:%s"}]}}}}`,
		by, after, at, at, by, to)
}

// log writes entries to the log and waits until they were judged.
func (s *server) log(entries ...string) {
	s.t.Helper()
	answer, err := http.Post(s.URL+"/_local/events?wait=1", "application/json", strings.NewReader("["+strings.Join(entries, ",")+"]"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var told struct{ Accepted int }
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || told.Accepted != len(entries) {
		s.t.Fatalf("%s: %d accepted, %v", answer.Status, told.Accepted, err)
	}
}

func (s *server) advance(by time.Duration) {
	s.t.Helper()
	if err := s.Advance(by); err != nil {
		s.t.Fatal(err)
	}
}

type mail struct {
	To, Subject, Text string
	Links             []string
}

// mails returns the mails somebody has, the newest last.
func (s *server) mails(to string) []mail {
	s.t.Helper()
	var box struct{ Messages []mail }
	s.get("/_local/mail", &box)
	var hers []mail
	for _, m := range box.Messages {
		if strings.HasPrefix(m.To, to) {
			hers = append(hers, m)
		}
	}
	return hers
}

// state is what the trust page says of a promise.
func (s *server) state(promise string) string {
	s.t.Helper()
	var told struct {
		Promise struct{ State, Reason string }
	}
	s.get("/trustpage/v1/promises/"+promise, &told)
	return told.Promise.State
}

func (s *server) get(path string, into any) {
	s.t.Helper()
	answer, err := http.Get(s.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		s.t.Fatalf("GET %s: %s: %v", path, answer.Status, err)
	}
}

// person is somebody signed in, in front of a browser.
type person struct {
	*walk.Person
	t *testing.T
}

func (s *server) sit(name string, size browser.Size, lang string) *person {
	s.t.Helper()
	p := &person{&walk.Person{Tab: chromium.Tab(s.t, size), T: s.t, Server: s.Server, Lang: lang}, s.t}
	p.SignIn(name+"@sharedcontacts.example", walk.Home)
	p.Open(s.URL + "/justify/?lang=" + lang)
	return p
}

// says fails unless what the selector names shows a text.
func (p *person) says(selector, text string) {
	p.t.Helper()
	if said := p.Text(selector); !strings.Contains(said, text) {
		p.t.Errorf("on %s %s reads:\n%s\nwanted %q", p.URL(), selector, said, text)
	}
}
