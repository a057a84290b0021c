package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	potp "github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"ostiary.internal/shared/platform/emulatortest"
)

func TestMain(m *testing.M) { os.Exit(emulatortest.Main(m)) }

const (
	emma   = "emma.dubois@sharedcontacts.example"
	simone = "simone.bernard@sharedcontacts.example"
	seed   = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" // of an authenticator, in base 32
	home   = "81.2.69.142"
)

// place is where a world keeps what is its own, over restarts.
type place struct{ dir, project string }

// running is a world under test.
type running struct {
	*testing.T
	*World
	dir string
	log *bytes.Buffer
}

func start(t *testing.T, p place) running {
	t.Helper()
	said := &bytes.Buffer{}
	w, err := Open(t.Context(), Options{Dir: p.dir, Policy: "../../../../../testdata/policies/sharedcontacts", Now: begin, Project: p.project, Seed: 1,
		Log: slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	return running{t, w, p.dir, said}
}

// call sends a request and decodes the answer. headers are given in pairs.
func (r running) call(method, path string, body any, headers ...string) (status int, value map[string]any) {
	r.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.Context(), method, r.URL+path, bytes.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		r.Fatal(err)
	}
	_ = json.Unmarshal(read, &value) // a 204 has none
	return answer.StatusCode, value
}

// done is a call that must succeed.
func (r running) done(method, path string, body any, headers ...string) map[string]any {
	r.Helper()
	status, value := r.call(method, path, body, headers...)
	if status >= 300 {
		r.Fatalf("%s %s: %d %v\n%s", method, path, status, value, r.log)
	}
	return value
}

func (r running) as(email string) []string {
	r.Helper()
	token, _ := r.done("POST", "/_local/signin", map[string]string{"email": email})["token"].(string)
	return []string{"Authorization", "Bearer " + token}
}

// registers has a person register her address, and returns the status.
func (r running) registers(key string) int {
	r.Helper()
	now, err := time.Parse(time.RFC3339, r.done("GET", "/_local/clock", nil)["now"].(string))
	if err != nil {
		r.Fatal(err)
	}
	code, err := totp.GenerateCodeCustom(seed, now, totp.ValidateOpts{Period: 30, Digits: potp.DigitsSix, Algorithm: potp.AlgorithmSHA1})
	if err != nil {
		r.Fatal(err)
	}
	status, _ := r.call("POST", "/registerip/v1/leases", map[string]string{"code": code}, append(r.as(emma), "X-Ostiary-Client", home, "Idempotency-Key", key)...)
	return status
}

// open reports whether the door lets the address in.
func (r running) open() bool {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "allowlist", "edge", "allowlist.json"))
	if err != nil {
		r.Fatal(err)
	}
	return strings.Contains(string(text), home)
}

// morning registers an address in a world, restarts it, and has the lease end at its time: the registration and its end go by
// messages, schedules, the door's files and the evidence.
func morning(t *testing.T, p place) {
	t.Helper()
	r := start(t, p)
	r.done("POST", "/enrolotp/v1/imports", map[string]string{"email": emma, "kind": "totp", "secret": seed}, r.as(simone)...)
	r.done("POST", "/_local/settle", nil)
	if status := r.registers("one"); status != http.StatusCreated {
		t.Fatalf("registering: %d\n%s", status, r.log)
	}
	r.done("POST", "/_local/settle", nil)
	if !r.open() {
		t.Error("the door does not let her in")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, p)
	if status := again.registers("one"); status != http.StatusCreated {
		t.Errorf("the same request again, after a restart: %d", status)
	}
	again.done("POST", "/_local/clock", map[string]any{"now": begin.Add(25 * time.Hour)})
	again.done("POST", "/_local/clock", map[string]string{"advance": "2m"})
	if again.open() {
		t.Error("the door lets her in the next day")
	}
	kinds := map[string]int{}
	for _, one := range again.done("GET", "/_local/records", nil)["records"].([]any) {
		kinds[one.(map[string]any)["kind"].(string)]++
	}
	if kinds["access"] == 0 {
		t.Errorf("records: %v", kinds)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnFiles(t *testing.T) {
	t.Parallel()
	morning(t, place{dir: filepath.Join(t.TempDir(), "data")})
	trouble(t, place{dir: filepath.Join(t.TempDir(), "data")})
}

func TestOnEmulators(t *testing.T) {
	t.Setenv("FIRESTORE_EMULATOR_HOST", emulatortest.Firestore(t))
	t.Setenv("PUBSUB_EMULATOR_HOST", emulatortest.PubSub(t))
	morning(t, place{filepath.Join(t.TempDir(), "data"), emulatortest.Project(t)})
	trouble(t, place{filepath.Join(t.TempDir(), "data"), emulatortest.Project(t)})
}

// mostRounds bounds how long trouble waits for what chance brings: one or two do, mostly.
const mostRounds = 40

// trouble sets the faults as a soak does, sends entries of the audit log and lets time pass among them until each of those that
// meet them was injected, and has everything come to rest.
func trouble(t *testing.T, p place) {
	t.Helper()
	r := start(t, p)
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if status, problem := r.call("POST", "/_soak/faults", map[string]any{"rates": map[string]float64{"store.never": 1}}); status != http.StatusBadRequest || problem["code"] != "rate_invalid" {
		t.Errorf("a fault there is none of: %d %v", status, problem)
	}
	rates := map[Kind]float64{}
	for _, kind := range Kinds {
		rates[kind] = 0.02
		if group, _, _ := strings.Cut(string(kind), "."); group == "delivery" || group == "log" { // there are few of them
			rates[kind] = 0.3
		}
	}
	delete(rates, AnswerLost) // the calls below are to be answered
	r.done("POST", "/_soak/faults", map[string]any{"rates": rates})
	missing := []Kind{StoreBefore, StoreLost, StoreTwice, DeliveryTwice, DeliveryLate, DeliveryOrder, DeliveryUnacked, LogBefore, Slow}
	for round := 1; len(missing) > 0; round++ {
		if round > mostRounds {
			t.Fatalf("in %d rounds nothing was done as %s", mostRounds, missing)
		}
		for n := range 30 {
			id := fmt.Sprintf("%d-%d", round, n)
			r.done("POST", "/_local/events", map[string]any{"insertId": id, "logName": "projects/p/logs/app", "severity": "INFO", "jsonPayload": map[string]string{"id": id}})
		}
		status, problem := r.call("POST", "/_local/clock", map[string]string{"advance": "10m"})
		if status != http.StatusOK && problem["code"] != "unsettled" { // nobody waits for what is put off
			t.Fatalf("moving the clock: %d %v", status, problem)
		}
		if now := r.done("GET", "/_local/clock", nil)["now"]; now != begin.Add(time.Duration(round)*10*time.Minute).Format(time.RFC3339) {
			t.Errorf("in round %d the clock stands at %v", round, now)
		}
		injected, _ := r.done("GET", "/_soak/faults", nil)["injected"].(map[string]any)
		missing = slices.DeleteFunc(missing, func(kind Kind) bool { n, _ := injected[string(kind)].(float64); return n > 0 })
	}
	r.done("POST", "/_soak/quiet", nil)
	r.done("POST", "/_local/clock", map[string]string{"advance": "5m"})
	r.done("POST", "/_local/settle", nil)
	shown := r.done("GET", "/_soak/faults", nil)
	if held, _ := shown["held"].(float64); held != 0 {
		t.Errorf("%g pushes are held back", held)
	}
	if dead := r.done("GET", "/_local/deadletters", nil)["dead_letters"].([]any); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
	before := r.done("GET", "/_local/clock", nil)["now"]
	if status, problem := r.call("POST", "/_local/clock", map[string]any{"now": begin}); status != http.StatusConflict || problem["code"] != "clock_backwards" {
		t.Errorf("the clock set back: %d %v", status, problem)
	}
	if now := r.done("GET", "/_local/clock", nil)["now"]; now != before {
		t.Errorf("the clock stood at %v and stands at %v", before, now)
	}
}

// The command that people run links nothing of what makes calls fail.
func TestServeHasNoFaults(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "ostiary.internal/functions/ostiary")
	linked, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"/internal/soak", "/storetest", "\ntesting\n"} {
		if strings.Contains("\n"+string(linked), forbidden) {
			t.Errorf("ostiary links %s", strings.TrimSpace(forbidden))
		}
	}
	if !strings.Contains(string(linked), "functions/ostiary/internal/local\n") {
		t.Error("the list is not of the command")
	}
}
