package file

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

const name = "customer.example/ostiary/evidence"

// TestKeyIsMadeOnce: nothing is written before the first use; then every process has the same key, whoever came first.
func TestKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys", "evidence")
	keys := make([]string, 8)
	var wait sync.WaitGroup
	for i := range keys {
		s, err := sign.Signers.Open(t.Context(), driver.URL("file", path, "name", name), sign.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); i == 0 && err == nil {
			t.Error("opening made the key")
		}
		wait.Go(func() { keys[i], _ = s.Verifier(t.Context()) })
	}
	wait.Wait()
	for _, key := range keys {
		if key == "" || key != keys[0] {
			t.Errorf("keys %q", keys)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestOthersReadTheFile: the reference implementation signs with the file's key and verifies with ours.
func TestOthersReadTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "evidence")
	s, err := New(path, name)
	if err != nil {
		t.Fatal(err)
	}
	public, err := s.Verifier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := note.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := s.Sign(t.Context(), []byte("text\n"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := theirs.Sign([]byte("text\n"))
	if err != nil || string(other) != string(ours) || len(ours) != ed25519.SignatureSize || !v.Verify([]byte("text\n"), ours) || s.Name() != v.Name() {
		t.Errorf("signatures differ, or do not verify: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "evidence")
	good, err := New(path, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := good.Verifier(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(held)
	for what, content := range map[string]string{
		"empty": "", "no key": "hello", "cut": text[:len(text)-8], "another name": strings.Replace(text, "customer", "stranger", 1),
		"another hash": strings.Replace(text, "evidence+", "evidence+0", 1), "another algorithm": strings.Replace(text, "+AR", "+Ag", 1), "two": text + text, "two newlines": text + "\n",
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := New(bad, name)
		if err != nil {
			t.Fatal(err)
		}
		if content == text {
			continue
		}
		if _, err := s.Sign(t.Context(), []byte("a\n")); !fault.Is(err, fault.Misconfigured) || len(content) > 20 && strings.Contains(err.Error(), content[len(content)-20:]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	loose, _ := New(path, name)
	if _, err := loose.Verifier(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a file others may read: %v", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"file:keys/evidence?name=a.example/log": true, "file:/keys/evidence?name=a.example": true,
		"file:keys/evidence": false, "file:?name=a": false, "file://host/keys?name=a": false, "file:keys?name=a&name=b": false, "file:keys?name=a&more=b": false,
		"file:keys?name=a+b": false, "file:keys?name=https://a": false, "file:keys?name=": false,
	} {
		s, err := sign.Signers.Open(t.Context(), raw, sign.Options{})
		if ok != (err == nil) || !ok && !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
		if ok {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
