package main_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ostiary.internal/shared/evidence/sign"
)

// asked runs a command that must end with an exit code, and returns what it printed.
func asked(t *testing.T, dir string, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	var errors strings.Builder
	cmd.Stderr = &errors
	out, _ := cmd.Output()
	if cmd.ProcessState.ExitCode() != code {
		t.Fatalf("ostiary %s: exit %d, want %d\n%s%s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), code, out, errors.String())
	}
	return string(out) + errors.String()
}

// believe adds a witness to the trust file of a data folder.
func believe(t *testing.T, path, key string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := sign.ReadTrust(data)
	if err != nil {
		t.Fatal(err)
	}
	trust.Witnesses = append(trust.Witnesses, sign.TrustedKey{Key: key})
	if data, err = trust.Encode(); err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A witness confirms the log from afar, and sends what it signed; published, it satisfies the strict reader of a bundle,
// and everybody sees it at the checkpoint.
func TestPublishedConfirmation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := launch(options{dir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.local("POST", "clock", map[string]any{"advance": "30m"}); err != nil {
		t.Fatal(err)
	}
	everyRecordNames(t, s, binary)
	const trust = "data/evidence/trust.json"
	var came struct {
		Key string `json:"witness_key"`
	}
	out := asked(t, dir, 0, "evidence", "witness", s.url, "--trust", trust, "--name", "auditor.example/w1", "--out", "cosigned", "--json")
	if err := json.Unmarshal([]byte(out), &came); err != nil {
		t.Fatal(err)
	}
	// Whom the house does not know as a witness, it does not show as one.
	asked(t, dir, 3, "evidence", "witness", "cosigned", "--publish")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	believe(t, filepath.Join(dir, filepath.FromSlash(trust)), came.Key)
	s = serve(t, options{dir: s.dir})
	asked(t, dir, 3, "evidence", "verify", bundled(t, dir, "before"), "--trust", trust, "--strict")
	if out := asked(t, dir, 0, "evidence", "witness", "cosigned", "--publish"); !strings.HasPrefix(out, "published: auditor.example/w1 confirmed ") {
		t.Error(out)
	}
	a, err := s.raw(call{method: "GET", path: "/trustpage/v1/checkpoint"})
	if err != nil || !strings.Contains(string(a.body), "\n— auditor.example/w1 ") {
		t.Errorf("%v: %s", err, a.body)
	}
	if out := asked(t, dir, 0, "evidence", "verify", bundled(t, dir, "after"), "--trust", trust, "--strict"); !strings.Contains(out, "confirmed by auditor.example/w1 at ") {
		t.Error(out)
	}
	asked(t, dir, 64, "evidence", "witness", "missing", "--publish")
	asked(t, dir, 4, "evidence", "witness", trust, "--publish")
	asked(t, dir, 64, "evidence", "witness", "cosigned", "--publish", "--name", "auditor.example/w1")
}

// everyRecordNames fails the test for a run that does not name a program's file as the code that made it.
func everyRecordNames(t *testing.T, s *server, program string) {
	t.Helper()
	file, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.raw(call{method: "GET", path: "/_local/records?kind=run"})
	if err != nil {
		t.Fatal(err)
	}
	codes := a.find("records.*.code")
	want := fmt.Sprintf("sha256:%x", sha256.Sum256(file))
	if runs := len(a.find("records.*.id")); runs < 5 || len(codes) != runs || slices.ContainsFunc(codes, func(c string) bool { return c != want }) {
		t.Errorf("%d runs name %v, want %s", runs, codes, want)
	}
}

// bundled packs the log of the data folder.
func bundled(t *testing.T, dir, name string) string {
	t.Helper()
	asked(t, dir, 0, "evidence", "bundle", name)
	return name
}
