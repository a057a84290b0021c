package wiring_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/functions/internal/manifest"
	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

// plain is the manifest of a function that needs the policy and a layout alone.
func plain() manifest.Function {
	m := everything
	m.Callers, m.Publishes, m.Secrets, m.Environment = manifest.Public, []string{}, []string{}, []string{wiring.EnvClient}
	m.Permissions, m.Checks, m.Evidence = []manifest.Permission{}, []string{"example"}, nil
	return m
}

// hello builds a function of one route, failing as fail says.
func hello(fail func(ctx context.Context) error) func(context.Context, *wiring.Deps) (web.Function, error) {
	return func(ctx context.Context, d *wiring.Deps) (web.Function, error) {
		if err := fail(ctx); err != nil {
			return web.Function{}, err
		}
		return d.Served(web.Route{Method: http.MethodGet, Path: "/v1/hello", Handle: func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}})
	}
}

func deployed(t *testing.T) {
	t.Helper()
	for _, name := range []string{"K_SERVICE", "FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "DATASTORE_EMULATOR_HOST", wiring.EnvSourceCap} {
		t.Setenv(name, "")
	}
	t.Setenv(wiring.EnvSourceCap, "300")
	t.Setenv(wiring.EnvPolicy, samplePolicy)
	t.Setenv(wiring.EnvClient, "direct")
	t.Setenv(wiring.EnvIAM, "front")
	t.Setenv(wiring.EnvCode, record.Digest([]byte("archive")))
}

func call(entry http.HandlerFunc, ctx context.Context) (status int, body string) {
	answer := httptest.NewRecorder()
	entry(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/example/v1/hello", nil))
	return answer.Code, answer.Body.String()
}

// A fault that passes costs the requests it met, and not the instance.
func TestEntryRecovers(t *testing.T) {
	deployed(t)
	faults := []error{fault.New(fault.Transient, "asking for a credential: hunter2 refused"), fault.New(fault.Misconfigured, "no such key: hunter2"), nil}
	built := 0
	entry := wiring.Function{Manifest: encode(t, plain()), Build: hello(func(context.Context) error {
		built++
		return faults[built-1]
	})}.Entry()
	for range 2 {
		status, body := call(entry, t.Context())
		if status != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"unavailable"`) || strings.Contains(body, "hunter2") {
			t.Errorf("while it cannot be built: %d %s", status, body)
		}
	}
	for range 3 {
		if status, body := call(entry, t.Context()); status != http.StatusNoContent {
			t.Errorf("once it is built: %d %s", status, body)
		}
	}
	if built != 3 {
		t.Errorf("built %d times, want 3", built)
	}
}

// A variable that was missing is looked for again at the next request.
func TestEntryReadsTheEnvironmentAgain(t *testing.T) {
	deployed(t)
	t.Setenv(wiring.EnvPolicy, "")
	entry := wiring.Function{Manifest: encode(t, plain()), Build: hello(func(context.Context) error { return nil })}.Entry()
	if status, _ := call(entry, t.Context()); status != http.StatusServiceUnavailable {
		t.Errorf("without a policy: %d", status)
	}
	t.Setenv(wiring.EnvPolicy, samplePolicy)
	if status, body := call(entry, t.Context()); status != http.StatusNoContent {
		t.Errorf("with one: %d %s", status, body)
	}
}

// On Cloud Run with an emulator set, every request is refused and nothing is built.
func TestEntryRefusesEmulators(t *testing.T) {
	deployed(t)
	t.Setenv("K_SERVICE", "example")
	t.Setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:8086")
	entry := wiring.Function{Manifest: encode(t, plain()), Build: hello(func(context.Context) error {
		t.Error("built with an emulator set")
		return nil
	})}.Entry()
	if status, _ := call(entry, t.Context()); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
}

// Requests that come together build the function once; a manifest that cannot be read never does.
func TestEntryBuildsOnce(t *testing.T) {
	deployed(t)
	built := 0 // guarded by the entry itself: the race detector would see two builds
	entry := wiring.Function{Manifest: encode(t, plain()), Build: hello(func(context.Context) error {
		built++
		return nil
	})}.Entry()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if status, _ := call(entry, t.Context()); status != http.StatusNoContent {
				t.Errorf("answered %d", status)
			}
		})
	}
	all.Wait()
	if built != 1 {
		t.Errorf("built %d times", built)
	}
	broken := wiring.Function{Manifest: []byte(`{"name":"example"}`), Build: hello(func(context.Context) error { return nil })}.Entry()
	if status, _ := call(broken, t.Context()); status != http.StatusServiceUnavailable {
		t.Errorf("a broken manifest: answered %d", status)
	}
}
