package file

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/local"
	"ostiary.internal/shared/platform/secret"
	"ostiary.internal/shared/platform/secret/secrettest"
)

func filled(t *testing.T) *Store {
	t.Helper()
	dir := t.TempDir()
	s := New(filepath.Join(dir, "secrets"), filepath.Join(dir, "secrets.key"), nil)
	for _, f := range secrettest.Fixture {
		if _, err := s.Put(t.Context(), f.Name, f.Value); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, func(t *testing.T) secret.Store { return filled(t) })
}

func TestPutCountsAndLists(t *testing.T) {
	t.Parallel()
	s := filled(t)
	version, err := s.Put(t.Context(), "token", []byte("third"))
	if err != nil || version != 3 {
		t.Fatalf("Put = %d, %v; want 3", version, err)
	}
	entries, err := s.List(t.Context())
	if err != nil || len(entries) != 2 || entries[0] != (Entry{"blob", 1}) || entries[1] != (Entry{"token", 3}) {
		t.Errorf("List = %v, %v", entries, err)
	}
	for name, value := range map[string][]byte{"": {1}, "a@1": {1}, "a/b": {1}} {
		if _, err := s.Put(t.Context(), name, value); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("Put(%q): %v, want misconfigured", name, err)
		}
	}
	for _, value := range [][]byte{nil, make([]byte, secret.MaxValueBytes+1)} {
		if _, err := s.Put(t.Context(), "size", value); !fault.Is(err, fault.Invalid) {
			t.Errorf("Put of %d bytes: %v, want invalid", len(value), err)
		}
	}
}

func TestNothingYet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := secret.Drivers.Open(t.Context(), driver.URL("file", filepath.Join(dir, "secrets")), secret.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "token"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Get: %v, want not-found", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("reading wrote %d files", len(entries))
	}
}

func TestFilesAreSealedAndPrivate(t *testing.T) {
	t.Parallel()
	s := filled(t)
	dir := filepath.Dir(s.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", entry.Name(), info.Mode())
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil || bytes.Contains(data, []byte("value")) || bytes.Contains(data, []byte("token")) {
			t.Errorf("%s shows a secret or its name (%v)", entry.Name(), err)
		}
	}
}

func TestAlteredFilesDoNotOpen(t *testing.T) {
	t.Parallel()
	s := filled(t)
	good, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	var env seal.Envelope
	if err := json.Unmarshal(good, &env); err != nil {
		t.Fatal(err)
	}
	env.Sealed[len(env.Sealed)-1] ^= 1
	flipped, _ := json.Marshal(env)
	for name, content := range map[string][]byte{"flipped": flipped, "empty": nil, "cut": good[:len(good)/2], "other": []byte(`{"v":1}`)} {
		if err := os.WriteFile(s.path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "token"); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: Get: %v, want misconfigured", name, err)
		}
		if _, err := s.Put(t.Context(), "token", []byte("x")); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: Put: %v; an unreadable file must not be replaced", name, err)
		}
	}
}

func TestLostKeyFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	s := filled(t)
	key := s.path + ".key"
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "token", []byte("x")); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("Put: %v, want misconfigured", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key file took the place of the lost one")
	}
}

func TestSurvivesRotationOfItsKeys(t *testing.T) {
	t.Parallel()
	s := filled(t)
	if _, err := local.New(s.path+".key", nil).Rotate(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "token"); err != nil || string(got) != "the second value" {
		t.Errorf("Get = %q, %v", got, err)
	}
	if _, err := s.Put(t.Context(), "token", []byte("x")); err != nil {
		t.Error(err)
	}
}

func TestNoPutIsLost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() { // each through a store of its own, as functions of one process have
			s := New(filepath.Join(dir, "secrets"), filepath.Join(dir, "secrets.key"), nil)
			if _, err := s.Put(t.Context(), "name-"+strconv.Itoa(i), []byte("value")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	entries, err := New(filepath.Join(dir, "secrets"), filepath.Join(dir, "secrets.key"), nil).List(t.Context())
	if err != nil || len(entries) != 8 {
		t.Errorf("%d secrets of 8, %v", len(entries), err)
	}
}

func TestDriver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opened, err := secret.Drivers.Open(t.Context(), driver.URL("file", filepath.Join(dir, "secrets"), "key", filepath.Join(dir, "keys")), secret.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.(*Store).Put(t.Context(), "token", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys")); err != nil {
		t.Error(err)
	}
	for _, raw := range []string{"file:", "file:secrets?keys=x", "file:secrets?key=%zz", "file:secrets?key=", "file:secrets?key=a&key=b", "file://host/secrets"} {
		if _, err := secret.Drivers.Open(t.Context(), raw, secret.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v, want misconfigured", raw, err)
		}
	}
}
