package local

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
	"ostiary.internal/shared/platform/seal/sealtest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	sealtest.Run(t, func(t *testing.T) sealtest.Service {
		keys := New(filepath.Join(t.TempDir(), "data", "keys"), nil)
		return sealtest.Service{Keys: keys, Rotate: func(t *testing.T) {
			if _, err := keys.Rotate(); err != nil {
				t.Fatal(err)
			}
		}}
	})
}

func TestDriver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	keys, err := seal.Drivers.Open(t.Context(), driver.URL("local", path), seal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("opening made the key file: it is made by the first wrapping")
	}
	if _, version, err := keys.Wrap(t.Context(), make([]byte, seal.KeyBytes), []byte("place")); err != nil || version != "1" {
		t.Errorf("Wrap: version %q, %v", version, err)
	}
	for _, raw := range []string{"local:", "local:keys?mode=open", "local://host/keys"} {
		if _, err := seal.Drivers.Open(t.Context(), raw, seal.Options{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v, want misconfigured", raw, err)
		}
	}
}

func TestKeyFileIsGuarded(t *testing.T) {
	t.Parallel()
	place := []byte("place")
	fresh := func(t *testing.T) (*Keys, string, []byte) {
		path := filepath.Join(t.TempDir(), "keys")
		keys := New(path, nil)
		wrapped, _, err := keys.Wrap(t.Context(), make([]byte, seal.KeyBytes), place)
		if err != nil {
			t.Fatal(err)
		}
		return keys, path, wrapped
	}
	t.Run("readable by others", func(t *testing.T) {
		t.Parallel()
		keys, path, wrapped := fresh(t)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Unwrap(t.Context(), wrapped, place); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("unwrapping: %v", err)
		}
		if _, _, err := keys.Wrap(t.Context(), make([]byte, seal.KeyBytes), place); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("wrapping: %v", err)
		}
	})
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		keys, path, wrapped := fresh(t)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Unwrap(t.Context(), wrapped, place); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("unwrapping: %v", err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		t.Parallel()
		keys, path, wrapped := fresh(t)
		for _, content := range []string{"", "{}", `{"v":1,"keys":[]}`, `{"v":2,"keys":["c2hvcnQ="]}`, `{"v":1,"keys":["c2hvcnQ="]}`, `{"v":1,"keys":"c2VjcmV0"`} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := keys.Unwrap(t.Context(), wrapped, place)
			if !fault.Is(err, fault.Misconfigured) {
				t.Errorf("unwrapping by %q: %v", content, err)
			} else if strings.Contains(err.Error(), "c2") {
				t.Errorf("the error quotes the file: %v", err)
			}
			if _, _, err := keys.Wrap(t.Context(), make([]byte, seal.KeyBytes), place); !fault.Is(err, fault.Misconfigured) {
				t.Errorf("wrapping by %q: %v; it must not be replaced", content, err)
			}
		}
	})
}

func TestEntropyRunsDry(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	dry := errors.New("dry")
	keys := New(path, failing{dry})
	if _, _, err := keys.Wrap(t.Context(), make([]byte, seal.KeyBytes), []byte("place")); !errors.Is(err, dry) {
		t.Errorf("Wrap = %v, want the reader's error", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a key file was made without entropy")
	}
}

func TestWrapRefusesOtherLengths(t *testing.T) {
	t.Parallel()
	keys := New(filepath.Join(t.TempDir(), "keys"), rand.Reader)
	for _, n := range []int{0, 16, 31, 33} {
		if _, _, err := keys.Wrap(t.Context(), bytes.Repeat([]byte{1}, n), []byte("place")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d bytes: %v, want invalid", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
