package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ostiary.internal/functions/internal/walk"
)

// there is the file that says what the company has on Google Cloud.
func (a album) there() string {
	return filepath.Join(a.server.Data(), "assets", "sharedcontacts-live.json")
}

// date dates it by the server's clock, which is not the machine's, before it is read, and returns what that shows.
func (a album) date() time.Time {
	now, err := a.server.Now()
	if err == nil {
		err = os.Chtimes(a.there(), now, now)
	}
	if err != nil {
		a.Fatalf("dating what there is: %v", err)
	}
	return now
}

// drift gives a database a public address, as somebody does in the console, and shows what was found.
func (a album) drift(p *walk.Person) {
	text, err := os.ReadFile(a.there())
	if err == nil {
		err = os.WriteFile(a.there(), bytes.Replace(text, []byte(`"ipv4Enabled": false`), []byte(`"ipv4Enabled": true`), 1), 0o600)
	}
	if err != nil {
		a.Fatalf("changing what there is: %v", err)
	}
	if err := a.server.Log(json.RawMessage(fmt.Sprintf(exposed, a.date().Format(time.RFC3339)))); err != nil {
		a.Fatalf("writing to the log: %v", err)
	}
	p.Open(a.server.URL + "/acceptdrift/?lang=en")
	p.Press("section[aria-labelledby=open] a")
	a.keep("drift", p.Tab, false)
}

// exposed is the entry of a database that was given a public address.
const exposed = `{"insertId":"2","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%%2Factivity","timestamp":%q,
	"resource":{"type":"cloudsql_database","labels":{"project_id":"sharedcontacts-live","database_id":"sharedcontacts-live:support"}},
	"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"cloudsql.googleapis.com","methodName":"cloudsql.instances.update",
	"resourceName":"projects/sharedcontacts-live/instances/support","status":{},"authenticationInfo":{"principalEmail":"emma.dubois@sharedcontacts.example"},
	"requestMetadata":{"callerIp":"81.2.69.193","callerSuppliedUserAgent":"Mozilla/5.0"},"authorizationInfo":[{"permission":"cloudsql.instances.update","granted":true}]}}`
