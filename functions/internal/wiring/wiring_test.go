package wiring_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/record/folder"
	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/bus/local"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/directory"
	"ostiary.internal/shared/platform/directory/people"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/outbox"
	"ostiary.internal/shared/platform/store"
	"ostiary.internal/shared/platform/store/memory"
	"ostiary.internal/shared/platform/web"

	_ "ostiary.internal/shared/platform/identity/google"
	_ "ostiary.internal/shared/platform/identity/iap"
	_ "ostiary.internal/shared/platform/seal/local"
	_ "ostiary.internal/shared/platform/secret/file"
	_ "ostiary.internal/shared/policy/dir"
)

const samplePolicy = "dir:../../../testdata/policies/sharedcontacts"

var start = time.Date(2026, 3, 3, 8, 55, 0, 0, time.UTC)

// everything is the manifest of a function that asks for all there is.
var everything = manifest.Function{
	Name: "example", Control: "access", EntryPoint: "example", Summary: "An example.", Callers: manifest.Staff, Triggers: []manifest.Trigger{{Kind: manifest.HTTP}},
	MemoryMiB: 256, TimeoutS: 30, Concurrency: 1, Instances: 1, Publishes: []string{"lease.changed"}, Secrets: []string{"form-key"},
	Environment: []string{wiring.EnvSeal, wiring.EnvSealMessage, wiring.EnvVault, wiring.EnvDirectory, wiring.EnvClient},
	Evidence:    &record.Scope{Controls: map[string][]record.Kind{"otp-gate": {record.Access}}},
}

var schema = store.Schema{outbox.Collection(), {Name: "things"}}

// environment is one in which everything opens.
func environment(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	return map[string]string{
		wiring.EnvPolicy: samplePolicy, wiring.EnvStore: "memory:", wiring.EnvVault: "memory:", wiring.EnvBus: driver.URL("bolt", filepath.Join(dir, "bus.db")),
		wiring.EnvSecrets: driver.URL("file", filepath.Join(dir, "secrets")), wiring.EnvSeal: driver.URL("local", filepath.Join(dir, "otp")),
		wiring.EnvSealMessage: driver.URL("local", filepath.Join(dir, "message")), wiring.EnvDirectory: "policy:", wiring.EnvEvidence: driver.URL("folder", filepath.Join(dir, "inbox")),
		wiring.EnvIdentity: "iap:?audience=/projects/1/global/backendServices/2", wiring.EnvClient: "direct",
	}
}

func lookup(env map[string]string) wiring.Env {
	return func(name string) (string, bool) { value, ok := env[name]; return value, ok }
}

func open(t *testing.T, m manifest.Function, schema store.Schema, env wiring.Env) (*wiring.Deps, error) {
	t.Helper()
	return openAs(t, m, schema, env, "")
}

// openAs is open in a process that runs some code.
func openAs(t *testing.T, m manifest.Function, schema store.Schema, env wiring.Env, code string) (*wiring.Deps, error) {
	t.Helper()
	clk := clock.NewManual(start)
	state, err := memory.New(store.Options{Schema: store.Schema{people.Collection()}, Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	d, err := wiring.Open(t.Context(), m, schema, wiring.Options{Env: env, Clock: clk, Log: slog.New(slog.DiscardHandler), Code: code,
		Directory: directory.Options{Store: state, People: func(context.Context) ([]string, error) { return nil, nil }}})
	if d != nil && d.Bus != nil {
		t.Cleanup(func() { _ = d.Bus.(*local.Bus).Close() })
	}
	return d, err
}

func TestOpen(t *testing.T) {
	t.Parallel()
	d, err := open(t, everything, schema, lookup(environment(t)))
	if err != nil {
		t.Fatal(err)
	}
	if d.Policy == nil || d.Store == nil || d.Bus == nil || d.Inbox == nil || d.Box == nil || d.Secrets == nil || d.Seal == nil || d.Vault == nil ||
		d.MessageKeys == nil || d.Directory == nil || d.Identity == nil || d.Client == (web.Layout{}) {
		t.Errorf("something was not opened: %+v", d)
	}
	if !strings.HasPrefix(d.PolicyDigest(), "sha256:") || d.Fronted() {
		t.Errorf("digest %s, fronted %t", d.PolicyDigest(), d.Fronted())
	}
	v, err := d.OpenVault()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Commit(t.Context(), vault.Subject{Type: "person", ID: "emma"}, start); err != nil {
		t.Errorf("the vault does not work: %v", err)
	}
	d.Vault = nil
	if _, err := d.OpenVault(); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("without a store for it there is a vault: %v", err)
	}
}

// A variable that is missing or empty is refused by its name: nothing has a default.
func TestMissingVariable(t *testing.T) {
	t.Parallel()
	for name := range environment(t) {
		for how, change := range map[string]func(map[string]string){
			"missing": func(env map[string]string) { delete(env, name) },
			"empty":   func(env map[string]string) { env[name] = "" },
		} {
			env := environment(t)
			change(env)
			_, err := open(t, everything, schema, lookup(env))
			if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), name+" is not set") || !strings.Contains(err.Error(), everything.Name) {
				t.Errorf("%s %s: %v", name, how, err)
			}
		}
	}
}

// A scheme that nobody linked is refused by name, and what the URL holds is not repeated.
func TestUnknownScheme(t *testing.T) {
	t.Parallel()
	for name := range environment(t) {
		env := environment(t)
		env[name] = "carrier-pigeon://user:hunter2@loft?token=hunter2"
		_, err := open(t, everything, schema, lookup(env))
		if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "carrier-pigeon") {
			t.Errorf("%s: %v", name, err)
		}
		if name != wiring.EnvClient && err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the URL: %v", name, err)
		}
	}
}

// What a manifest does not ask for is neither read nor opened.
func TestOnlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	m := everything
	m.Callers, m.Triggers, m.Publishes, m.Secrets, m.Environment = manifest.Machine, []manifest.Trigger{{Kind: manifest.Schedule, Cron: "* * * * *"}}, nil, nil, nil
	read := map[string]bool{}
	d, err := open(t, m, nil, func(name string) (string, bool) {
		read[name] = true
		value, ok := map[string]string{wiring.EnvPolicy: samplePolicy, wiring.EnvIAM: "front"}[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.Store != nil || d.Bus != nil || d.Inbox != nil || d.Box != nil || d.Secrets != nil || d.Seal != nil || d.Vault != nil || d.MessageKeys != nil || d.Directory != nil || d.Identity != nil {
		t.Errorf("something was opened that nobody asked for: %+v", d)
	}
	if want := []string{"K_SERVICE", wiring.EnvCode, wiring.EnvIAM, wiring.EnvPolicy}; !slices.Equal(slices.Sorted(maps.Keys(read)), want) {
		t.Errorf("read %v, want %v", slices.Sorted(maps.Keys(read)), want)
	}
}

// Who reads its control's database and may not write to the evidence inbox is not asked for one.
func TestReadsAlone(t *testing.T) {
	t.Parallel()
	m, env := everything, environment(t)
	m.Evidence = nil
	env[wiring.EnvEvidence] = "carrier-pigeon://loft"
	d, err := open(t, m, store.Schema{{Name: "things"}}, lookup(env))
	if err != nil {
		t.Fatal(err)
	}
	if d.Store == nil || d.Inbox != nil || d.Box != nil {
		t.Errorf("opened were %+v", d)
	}
}

// On Cloud Run an emulator would be handed everything without credentials.
func TestEmulatorOnCloudRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "DATASTORE_EMULATOR_HOST"} {
		for service, refused := range map[string]bool{"": false, "registerip": true} {
			env := environment(t)
			env[name] = "127.0.0.1:8085"
			if service != "" {
				env["K_SERVICE"] = service
			}
			_, err := open(t, everything, schema, lookup(env))
			if refused != fault.Is(err, fault.Misconfigured) || refused && !strings.Contains(err.Error(), name) {
				t.Errorf("%s on %q: %v", name, service, err)
			}
		}
	}
	env := environment(t)
	env["K_SERVICE"], env[wiring.EnvCode], env["FIRESTORE_EMULATOR_HOST"] = "registerip", record.Digest([]byte("archive")), " "
	if _, err := open(t, everything, schema, lookup(env)); err != nil {
		t.Errorf("an empty emulator variable: %v", err)
	}
}

// The promises a check keeps are those whose kept_by names its records, in the order of their ids.
func TestPromises(t *testing.T) {
	t.Parallel()
	d, err := open(t, everything, schema, lookup(environment(t)))
	if err != nil {
		t.Fatal(err)
	}
	for check, some := range map[string]bool{"otp-gate": true, "ip-daily": true, "ip-allowlist": true, "no-such-check": false, "": false} {
		ids := d.Promises(check)
		if some != (len(ids) > 0) || len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
			t.Errorf("%q keeps %v", check, ids)
		}
		for _, id := range ids {
			p, known := d.Policy.Promise(id)
			named := false
			for _, k := range p.KeptBy {
				named = named || slices.Contains(k.Refs, check)
			}
			if !known || !named {
				t.Errorf("%q keeps %s, whose keepers are %v", check, id, p.KeptBy)
			}
		}
	}
}

// The source cap has a floor: an office of hundreds sits behind one address.
func TestSourceCap(t *testing.T) {
	t.Parallel()
	for value, allowed := range map[string]int{"": 1200, "300": 300, "450": 450, "299": 0, "0": 0, "-1": 0, "many": 0, "300.5": 0} {
		env := environment(t)
		if value != "" {
			env[wiring.EnvSourceCap] = value
		}
		d, err := open(t, everything, schema, lookup(env))
		if err != nil {
			t.Fatal(err)
		}
		served, err := d.Served(web.Route{Method: http.MethodGet, Path: "/v1/hello", Handle: func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}})
		if allowed == 0 {
			if !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), wiring.EnvSourceCap) {
				t.Errorf("a cap of %q: %v", value, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("a cap of %q: %v", value, err)
			continue
		}
		// The bucket refills on real time: one in a few milliseconds may pass beyond the number.
		if passed := count(served.Handler(), allowed+200); passed < allowed || passed > allowed+100 {
			t.Errorf("a cap of %q let %d pass, want %d", value, passed, allowed)
		}
	}
}

func count(h http.Handler, requests int) (passed int) {
	for range requests {
		r := httptest.NewRequest(http.MethodGet, "/example/v1/hello", nil)
		r.Header.Set("X-Forwarded-For", "81.2.69.142")
		answer := httptest.NewRecorder()
		if h.ServeHTTP(answer, r); answer.Code == http.StatusNoContent {
			passed++
		}
	}
	return passed
}

func encode(t *testing.T, m manifest.Function) []byte {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every record of a function names the code that made it. Deployed, whoever deploys says which that is, or nothing starts;
// elsewhere the process may know, or nobody does.
func TestCode(t *testing.T) {
	t.Parallel()
	archive, program := record.Digest([]byte("archive")), record.Digest([]byte("program"))
	for _, test := range []struct {
		name, service, variable, process, want string
		refused                                bool
	}{
		{"deployed", "registerip", archive, "", archive, false},
		{"deployed, and nobody says it", "registerip", "", "", "", true},
		{"deployed, and it is no digest", "registerip", "v1.2", "", "", true},
		{"on a machine", "", "", program, program, false},
		{"the process knows better", "", archive, program, program, false},
		{"said on a machine", "", archive, "", archive, false},
		{"no digest on a machine", "", "main", "", "", true},
		{"nobody knows", "", "", "", "", false},
	} {
		env := environment(t)
		for name, value := range map[string]string{"K_SERVICE": test.service, wiring.EnvCode: test.variable} {
			if value != "" {
				env[name] = value
			}
		}
		d, err := openAs(t, everything, schema, lookup(env), test.process)
		if test.refused != fault.Is(err, fault.Misconfigured) || test.refused && !strings.Contains(err.Error(), wiring.EnvCode) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			continue
		}
		r := record.New(record.Access, "otp-gate", "event")
		r.Source.Collected = start
		data, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Box.Commit(t.Context(), func(_ store.Tx, batch *outbox.Batch) error {
			batch.Record(r.ID(), data)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		kept, err := folder.New(filepath.Join(strings.TrimPrefix(env[wiring.EnvEvidence], "folder:"), everything.Name)).Read(t.Context(), r.ID())
		if err != nil {
			t.Fatal(err)
		}
		if r, err := record.Parse(kept); err != nil || r.Code != test.want || d.Code != test.want {
			t.Errorf("%s: the record names %q, %v", test.name, r.Code, err)
		}
	}
}

// Where pages are is an address of a site and nothing else: links in messages begin with it.
func TestSite(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"https://ostiary.example": "https://ostiary.example", "https://ostiary.example/": "https://ostiary.example", "http://127.0.0.1:8080": "http://127.0.0.1:8080",
		"": "", "ostiary.example": "", "ftp://ostiary.example": "", "https://": "", "https://user@ostiary.example": "", "https://ostiary.example/pages": "",
		"https://ostiary.example?x=1": "", "https://ostiary.example#x": "", "https://ostiary .example": "",
	} {
		d := wiring.Deps{Env: func(string) (string, bool) { return value, value != "" }}
		if got, err := d.Site(); got != want || (err == nil) != (want != "") || err != nil && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
}
