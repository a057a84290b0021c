// Command pictures writes the screenshots the README shows: it starts the server with the sample company and goes
// through the pages as a person does. It needs Chromium, and runs at the top of the repository.
package main

import (
	"ostiary.internal/functions/internal/built"

	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ostiary.internal/functions/internal/browser"
	"ostiary.internal/functions/internal/walk"
)

// folder is where the pictures go; most is how large one may be, in bytes, so that the repository stays small.
const (
	folder = "docs/pictures"
	most   = 160_000
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run() error {
	path := browser.Path()
	if path == "" {
		return fmt.Errorf("no Chromium on this machine")
	}
	b, err := browser.Start(path)
	if err != nil {
		return err
	}
	defer b.Close()
	binary, err := built.Command(".")
	if err != nil {
		return err
	}
	server, err := walk.Start(binary, ".")
	if err != nil {
		return err
	}
	defer server.Close()
	lived, err := walk.Start(binary, ".")
	if err != nil {
		return err
	}
	defer lived.Close()
	if err := lived.Live(); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return album{browser: b, server: server, lived: lived}.take()
}

// album takes the pictures. As the walk's T it turns a step that does not work into an error.
type album struct {
	browser *browser.Browser
	server  *walk.Server // whose clock stands at a morning
	lived   *walk.Server // on which a fortnight was played
	closing *[]func()
}

type failure struct{ error }

func (album) Helper() {}

// Fatalf ends take with an error.
func (album) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// Cleanup keeps fn for the end of take.
func (a album) Cleanup(fn func()) { *a.closing = append(*a.closing, fn) }

func (a album) take() (err error) {
	a.closing = &[]func(){}
	defer func() {
		for _, fn := range *a.closing {
			fn()
		}
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.error
		default:
			panic(p)
		}
	}()
	a.walk()
	return nil
}

func (a album) walk() {
	a.date()
	omkar := &walk.Person{Tab: a.browser.Tab(a, browser.Phone), T: a, Server: a.server, Lang: "en"}
	omkar.SignIn("omkar.rao@sharedcontacts.example", walk.Home)
	omkar.AskForQR()
	omkar.Scan()
	a.keep("enrol-phone", omkar, true)
	omkar.Type("#code", omkar.Code())
	omkar.Press("form[action='/enrolotp/confirm'] button")
	omkar.Press("a[href='/registerip/']")
	a.keep("morning-phone", omkar, false)
	omkar.TypeAndGo("#code", omkar.NextCode())
	omkar.Wait("[data-state=confirmed]")
	omkar.Open(a.server.URL + "/_local/door")
	omkar.Open(a.server.URL + "/registerip/")
	a.keep("working-phone", omkar, false)
	a.device(omkar)

	simone := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.server, Lang: "en"}
	simone.Open(a.server.URL + "/")
	a.keep("start", simone, false)
	simone.SignIn("simone.bernard@sharedcontacts.example", walk.Home)
	simone.Press("a[href='/enrolotp/desk']")
	simone.Choose("#email", "omkar.rao@sharedcontacts.example")
	simone.Type("#reason", "Phone and recovery codes lost; called back on the number we know")
	simone.Press("form[action='/enrolotp/desk/reset'] button")
	stefan := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.server, Lang: "en"}
	stefan.SignIn("stefan.weber@sharedcontacts.example", walk.Home)
	stefan.Press("a[href='/enrolotp/desk']")
	a.keep("desk", stefan, false)

	reader := &walk.Person{Tab: a.browser.Tab(a, browser.Desk), T: a, Server: a.lived, Lang: "en"}
	reader.Open(a.lived.URL + "/trustpage/?lang=en")
	a.keep("trust", reader, false)
	reader = &walk.Person{Tab: a.browser.Tab(a, browser.Phone), T: a, Server: a.lived, Lang: "fr"}
	reader.Open(a.lived.URL + "/trustpage/?lang=fr")
	a.keep("trust-phone", reader, false)
	if err := a.server.Advance(time.Hour); err != nil { // the duties of the policy open
		a.Fatalf("an hour later: %v", err)
	}
	simone.Open(a.server.URL + "/attest/")
	a.keep("duties", simone, false)
	if err := a.server.Log(json.RawMessage(granted)); err != nil {
		a.Fatalf("writing to the log: %v", err)
	}
	omkar.Open(a.server.URL + "/justify/?lang=en")
	omkar.Press("section[aria-labelledby=explain] a")
	a.keep("alarm-phone", omkar, false)
	a.erased()
	a.drift(simone)
	a.breach(simone)
}

// granted is the entry of a role given to somebody outside.
const granted = `{"insertId":"1","logName":"projects/sharedcontacts-live/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-03T08:56:10Z",
	"resource":{"type":"project","labels":{"project_id":"sharedcontacts-live"}},"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog",
	"serviceName":"cloudresourcemanager.googleapis.com","methodName":"SetIamPolicy","resourceName":"projects/sharedcontacts-live","status":{},
	"authenticationInfo":{"principalEmail":"omkar.rao@sharedcontacts.example"},"requestMetadata":{"callerIp":"81.2.69.193"},
	"authorizationInfo":[{"permission":"resourcemanager.projects.setIamPolicy","granted":true}],
	"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","role":"roles/editor","member":"user:freelancer@example.net"}]}}}}`

// keep writes one picture, of the window or of the whole page.
func (a album) keep(name string, p *walk.Person, whole bool) {
	picture := p.Picture(whole)
	if len(picture) > most {
		a.Fatalf("%s: %d bytes, more than %d", name, len(picture), most)
	}
	file := filepath.Join(folder, name+".png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		a.Fatalf("writing %s: %v", file, err)
	}
	fmt.Println(file, len(picture))
}
