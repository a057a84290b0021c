// Package functiontest runs functions of the house in a test: their own handlers, built by the code that builds them
// deployed, on embedded drivers that can be made to fail one at a time.
//
// It promises that a function gets no right its manifest does not list: a key it may only seal with does not open
// for it, a topic it does not publish to refuses it. Every transaction's body runs twice, as a database does to one that
// lost a race. It looks at every answer: errors are well-formed problem documents, nothing internal shows, and no
// token or address of a person is in the log. It is for tests; no function links it.
package functiontest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/functions/internal/writers"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/identity/issuer"
	"ostiary.internal/shared/platform/log"
	"ostiary.internal/shared/platform/message/mailbox"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	secrets "ostiary.internal/shared/platform/secret/file"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/web"
	"ostiary.internal/shared/policy"
)

// Start is where the clock of a World stands at first: a Tuesday, 09:55 in Paris.
var Start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// Setup says what to run. Only Functions is needed.
type Setup struct {
	Functions []wiring.Function
	Policy    map[string]string // files in place of the sample company's, such as "access.yaml"; "" takes one out
	Env       map[string]string // variables in place of the usual ones
}

// World is one or more functions and everything around them. Its switches let a part fail.
type World struct {
	Clock  *clock.Manual
	Policy *policy.Policy
	People *people.Directory // accounts: suspend, turn 2-step verification off, remove

	Store, Bus, Inbox, Secrets, Directory, Channel Switch
	OTPKey, MessageKey, EvidenceKey, RequestKey    Switch
	BreachKey                                      Switch
	Applied                                        Switch // fails after a transaction was applied: its caller is told otherwise
	Issuer                                         Switch // public keys of token issuers

	t         testing.TB
	dir       string
	writers   record.Writers // what each function may put on record
	env       map[string]string
	functions []*function
	issuer    *issuer.Issuer
	secrets   *secrets.Store
	keys      map[string]seal.Keys // by the name manifests use
	mailbox   *mailbox.Mailbox     // opened by the function that sends
	logged    lockedBuffer

	mu        sync.Mutex
	stores    map[string]store.Store // by control, and the vault's; never failing
	schemas   map[string]store.Schema
	published []Published
	delivered int
	records   map[string]string        // of the evidence inbox
	places    map[string]string        // in whose place of it each lies
	parsed    map[string]record.Record // those of them that were read
	private   []string                 // what must not stand in the log
	passes    map[string]pass          // of invokers
}

// function is one running function.
type function struct {
	wiring.Function
	manifest manifest.Function
	deps     *wiring.Deps
	served   web.Function
	handler  http.Handler
	mux      *http.ServeMux // of the routes' patterns, for Coverage
}

// New builds a World. It ends with the test, and then looks through the log.
func New(t testing.TB, s Setup) *World {
	t.Helper()
	dir := t.TempDir()
	w := &World{
		t: t, dir: dir, env: s.Env, Clock: clock.NewManual(Start), Policy: load(t, s.Policy),
		keys:    keyService(dir, "otp", "message", "evidence", "request", "breach"),
		secrets: secrets.New(filepath.Join(dir, "secrets"), filepath.Join(dir, "secrets.key"), nil),
		records: map[string]string{}, places: map[string]string{}, parsed: map[string]record.Record{}, stores: map[string]store.Store{}, schemas: map[string]store.Schema{}, passes: map[string]pass{},
	}
	var err error
	if w.writers, err = writers.All(); err != nil {
		t.Fatal(err)
	}
	w.issuer = w.newIssuer(filepath.Join(dir, "issuer"))
	t.Cleanup(func() { w.close(t) })
	w.openDirectory()
	for _, f := range s.Functions {
		m, err := manifest.Parse(f.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		if _, ours := w.writers[m.Name]; !ours && m.Evidence != nil { // a function of the test's own
			w.writers[m.Name] = *m.Evidence
		}
		for _, name := range m.Secrets {
			w.PutSecret(name, []byte(strings.Repeat("0123456789abcdef", 4)))
		}
		w.functions = append(w.functions, &function{Function: f, manifest: m})
	}
	w.Restart()
	return w
}

func (w *World) openDirectory() {
	w.t.Helper()
	changes, err := memory.New(store.Options{Schema: store.Schema{people.Collection()}, Clock: w.Clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.People, err = people.New(directory.Options{Clock: w.Clock, Store: changes, People: func(context.Context) ([]string, error) {
		var addresses []string
		for _, p := range w.Policy.People {
			addresses = append(addresses, p.Email)
		}
		return addresses, nil
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Restart builds every function anew on the same drivers: what a new instance does after the last one died.
func (w *World) Restart() {
	w.t.Helper()
	logger := log.New(&w.logged, "", slog.LevelDebug)
	for _, f := range w.functions {
		ctx := context.WithValue(w.t.Context(), openingKey{}, opening{w, f.manifest})
		deps, err := wiring.Open(ctx, f.manifest, f.Schema, wiring.Options{
			Env: w.variables(f.manifest), Clock: w.Clock, Log: logger, Policy: w.Policy, Transport: transport{w},
		})
		if err != nil {
			w.t.Fatal(err)
		}
		if f.served, err = f.Build(ctx, deps); err != nil {
			w.t.Fatal(err)
		}
		f.deps, f.handler, f.mux = deps, f.served.Handler(), patterns(f.served)
	}
}

// transport fetches the public keys of the world's issuer.
type transport struct{ *World }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.Issuer.pass(); err != nil {
		return nil, err
	}
	return t.issuer.Transport().RoundTrip(r)
}

// keyService makes the keys that manifests name.
func keyService(dir string, names ...string) map[string]seal.Keys {
	made := map[string]seal.Keys{}
	for _, name := range names {
		made[name] = local.New(filepath.Join(dir, name), nil)
	}
	return made
}

// Key is a key of the key service with every right: "otp", "message", "evidence", "request" or "breach".
func (w *World) Key(name string) seal.Keys { return w.keys[name] }

// Deps are what a running function was built from.
func (w *World) Deps(name string) *wiring.Deps { return w.function(name).deps }

// Handler is a running function as a server calls it.
func (w *World) Handler(name string) http.Handler { return w.function(name).handler }

// Routes is the table of a running function.
func (w *World) Routes(name string) []web.Route { return w.function(name).served.Routes }

// function is called inside fuzz targets, where the test that made the world may not be touched.
func (w *World) function(name string) *function {
	for _, f := range w.functions {
		if f.manifest.Name == name {
			return f
		}
	}
	panic("functiontest: no function " + name + " runs here")
}

// PutSecret keeps a new version of a secret.
func (w *World) PutSecret(name string, value []byte) {
	w.t.Helper()
	if _, err := w.secrets.Put(w.t.Context(), name, value); err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) close(t testing.TB) {
	if w.mailbox != nil {
		if err := w.mailbox.Close(); err != nil {
			t.Error(err)
		}
	}
	text := w.logged.String()
	for _, secret := range w.private {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the log holds what is private: ...%.200s", text[max(0, at-100):])
			return
		}
	}
}

// lockedBuffer collects the log of all functions.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

// Write appends to the buffer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// String returns what was written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
