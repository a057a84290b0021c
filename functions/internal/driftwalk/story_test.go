package driftwalk

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
	"ostiary.internal/functions/internal/walk/walktest"
)

// company is the sample company on the real command, with what it has on Google Cloud.
type company struct {
	*walktest.Server
	assets string // the file that says what there is
	calls  int
}

func serve(t *testing.T) *company {
	t.Helper()
	s := stage.Serve(t)
	c := &company{Server: s, assets: filepath.Join(s.Data(), "assets", "sharedcontacts-live.json")}
	c.stamp()
	c.Later(30 * time.Minute)
	return c
}

// stamp dates the file by the server's clock, which is not the machine's.
func (c *company) stamp() {
	c.T.Helper()
	now, err := c.Now()
	if err == nil {
		err = os.Chtimes(c.assets, now, now)
	}
	if err != nil {
		c.T.Fatal(err)
	}
}

// console changes something of the database, as somebody does in the console: what there is changes, and the log tells of it.
func (c *company) console(by, from, to string) {
	c.T.Helper()
	text, err := os.ReadFile(c.assets)
	if err != nil || !strings.Contains(string(text), from) {
		c.T.Fatalf("nothing reads %s: %v", from, err)
	}
	if err := os.WriteFile(c.assets, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		c.T.Fatal(err)
	}
	c.stamp()
	now, err := c.Now()
	if err != nil {
		c.T.Fatal(err)
	}
	c.calls++
	entry := fmt.Sprintf(`{"insertId":"sql-%d","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%[2]q,"receiveTimestamp":%[2]q,"severity":"NOTICE",
		"resource":{"type":"cloudsql_database","labels":{"project_id":"sharedcontacts-live","database_id":"sharedcontacts-live:support","region":"europe-west1"}},
		"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudsql.googleapis.com","methodName":"cloudsql.instances.update",
		"resourceName":"projects/sharedcontacts-live/instances/support","status":{},"authenticationInfo":{"principalEmail":%[3]q},
		"requestMetadata":{"callerIp":"81.2.69.193","callerSuppliedUserAgent":"Mozilla/5.0 (X11; Linux x86_64)"},"authorizationInfo":[{"permission":"cloudsql.instances.update","granted":true,"resource":"instances/support"}]}}`,
		c.calls, now.Format(time.RFC3339), walk.Email(by))
	var told struct{ Accepted int }
	if c.Call(http.MethodPost, "/_local/events?wait=1", "", []any{raw(entry)}, &told); told.Accepted != 1 {
		c.T.Fatal("the entry was not accepted")
	}
}

// raw is JSON as it stands.
type raw string

// MarshalJSON implements json.Marshaler.
func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// promise fails unless the trust page says a state of the promise about databases, a while later.
func (c *company) promise(want, when string) {
	c.T.Helper()
	c.Later(2 * time.Minute)
	var told struct {
		Promise struct{ State, Reason string }
	}
	if c.Call(http.MethodGet, "/trustpage/v1/promises/F08", "", nil, &told); told.Promise.State != want {
		c.T.Errorf("%s the promise is %s (%s), not %s", when, told.Promise.State, told.Promise.Reason, want)
	}
}

// TestStory: somebody gives the database a public address in the console. It is found with her name, and told; two accept it
// until Friday; it changes again, and nothing is accepted any more; it is put back, and all is in order. The trust page
// follows.
func TestStory(t *testing.T) {
	t.Parallel()
	c := serve(t)
	c.promise("kept", "before anything happened")
	const closed, opened = `"ipv4Enabled": false`, `"ipv4Enabled": true`
	c.console("emma.dubois", closed, opened)
	told := c.Mails("simone.bernard")
	if len(told) == 0 || len(told[len(told)-1].Links) != 1 {
		t.Fatalf("security was told %+v", told)
	}
	link := told[len(told)-1].Links[0]
	c.promise("broken", "while it is open")

	simone := c.Staff("simone.bernard", browser.Desk, "en", "/acceptdrift/")
	simone.Says("section[aria-labelledby=open]", "Emma Dubois")
	simone.Open(link)
	simone.Says("h1", "A database can be reached from the internet")
	simone.Says(".beside", "settings.ipConfiguration.ipv4Enabled: true")
	simone.Says("section[aria-labelledby=who] li:first-child", "Emma Dubois")
	simone.Says("section[aria-labelledby=who] li:first-child", "cloudsql.instances.update")
	simone.Says("section[aria-labelledby=repair]", "gcloud sql instances patch support --no-assign-ip")
	simone.Click("summary#accept")
	simone.Type("#reason", "The move of the support desk needs it")
	simone.Choose("#until", "2026-03-06")
	simone.Press("form[action$='/accept'] button")
	c.promise("broken", "while one has accepted it")
	dorothea := c.Staff("dorothea.klein", browser.Phone, "de", "/acceptdrift/")
	dorothea.Press("section[aria-labelledby=asked] a")
	dorothea.Press("form[action$='/accept'] button")
	dorothea.Says("[role=status]", "Bis zu diesem Tag hingenommen")
	c.promise("excepted", "while it is accepted")

	c.console("erik.vogel", `"ipv4Enabled": true`, `"ipv4Enabled": true, "authorizedNetworks": [{"value": "0.0.0.0/0"}]`)
	c.console("erik.vogel", `"sslMode": "ENCRYPTED_ONLY"`, `"sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"`)
	simone.Open(link)
	simone.Says(".note.bad", "the value is another by now: nothing is accepted any more")
	simone.Says(".beside", "0.0.0.0/0")
	simone.Says("section[aria-labelledby=who] li:first-child", "Erik Vogel")
	c.promise("broken", "after it changed again")

	c.console("emma.dubois", opened, closed)
	c.console("emma.dubois", `, "authorizedNetworks": [{"value": "0.0.0.0/0"}]`, "")
	c.console("emma.dubois", `"sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"`, `"sslMode": "ENCRYPTED_ONLY"`)
	simone.Open(link)
	simone.Says(".lead", "in order again")
	simone.Open(c.URL + "/acceptdrift/?lang=en")
	simone.Says(".said", "Nothing is known to be out of order")
	simone.Says("#untold", "Nobody can tell") // no directory tells the rules of sign-in
	c.promise("kept", "after it was put back")
	simone.Quietly(c.URL)
	dorothea.Quietly(c.URL)
}
