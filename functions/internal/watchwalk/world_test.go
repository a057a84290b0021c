package watchwalk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"
)

var stage walktest.Stage

func TestMain(m *testing.M) { os.Exit(stage.Run(m, walktest.Servers)) }

type server struct{ *walktest.Server }

func serve(t *testing.T) *server {
	t.Helper()
	return &server{stage.Serve(t)}
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
	s.T.Helper()
	var told struct{ Accepted int }
	s.Call(http.MethodPost, "/_local/events?wait=1", "", json.RawMessage("["+strings.Join(entries, ",")+"]"), &told)
	if told.Accepted != len(entries) {
		s.T.Fatalf("%d of %d entries were accepted", told.Accepted, len(entries))
	}
}

// state is what the trust page says of a promise.
func (s *server) state(promise string) string {
	s.T.Helper()
	var told struct {
		Promise struct{ State, Reason string }
	}
	s.Call(http.MethodGet, "/trustpage/v1/promises/"+promise, "", nil, &told)
	return told.Promise.State
}

func (s *server) sit(name string, size browser.Size, lang string) *walktest.Person {
	s.T.Helper()
	return s.Staff(name, size, lang, "/justify/")
}
