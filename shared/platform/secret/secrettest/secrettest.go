// Package secrettest is the suite that every secret store passes.
package secrettest

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/secret"
)

// Fixture is what the store under test must hold: two versions of "token", the second one current, and one
// version of "blob", whose bytes are no text.
var Fixture = []struct {
	Name  string
	Value []byte
}{
	{"token", []byte("the first value")},
	{"token", []byte("the second value")},
	{"blob", []byte{0, 0xff, '\n', 0x80, 0}},
}

// Run runs the suite; open returns a fresh store that holds the Fixture.
func Run(t *testing.T, open func(t *testing.T) secret.Store) {
	for name, test := range map[string]func(*testing.T, secret.Store){
		"values":             values,
		"absent":             absent,
		"malformed names":    malformed,
		"values are copies":  copies,
		"many readers":       readers,
		"errors hide values": quiet,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t)
			t.Cleanup(func() {
				if err := store.Close(); err != nil {
					t.Errorf("closing: %v", err)
				}
			})
			test(t, store)
		})
	}
}

func values(t *testing.T, s secret.Store) {
	for reference, want := range map[string][]byte{
		"token":   Fixture[1].Value,
		"token@1": Fixture[0].Value,
		"token@2": Fixture[1].Value,
		"blob":    Fixture[2].Value,
		"blob@1":  Fixture[2].Value,
	} {
		if got, err := s.Get(t.Context(), reference); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Get(%q) = %q, %v; want %q", reference, got, err, want)
		}
	}
}

func absent(t *testing.T, s secret.Store) {
	for _, reference := range []string{"nothing@1", "token@3", "blob@2"} {
		if got, err := s.Get(t.Context(), reference); !fault.Is(err, fault.NotFound) || got != nil {
			t.Errorf("Get(%q) = %q, %v; want not-found", reference, got, err)
		}
	}
}

func malformed(t *testing.T, s secret.Store) {
	for _, reference := range []string{"", "token@latest", "token@0", "token@", "../token", "token/versions/1", "to ken"} {
		if got, err := s.Get(t.Context(), reference); !fault.Is(err, fault.Misconfigured) || got != nil {
			t.Errorf("Get(%q) = %q, %v; want misconfigured", reference, got, err)
		}
	}
}

func copies(t *testing.T, s secret.Store) {
	for range 2 {
		got, err := s.Get(t.Context(), "token")
		if err != nil || !bytes.Equal(got, Fixture[1].Value) {
			t.Fatalf("Get = %q, %v", got, err)
		}
		clear(got) // the next reader must not see it
	}
}

func readers(t *testing.T, s secret.Store) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got, err := s.Get(context.WithoutCancel(t.Context()), "token@1"); err != nil || !bytes.Equal(got, Fixture[0].Value) {
				t.Errorf("Get = %q, %v", got, err)
			}
		})
	}
	wait.Wait()
}

func quiet(t *testing.T, s secret.Store) {
	for _, reference := range []string{"token@3", "token@latest", "nothing@1"} {
		_, err := s.Get(t.Context(), reference)
		if err == nil {
			t.Errorf("Get(%q) succeeded", reference)
			continue
		}
		for _, f := range Fixture {
			if strings.Contains(err.Error(), string(f.Value)) {
				t.Errorf("Get(%q): the error shows a value", reference)
			}
		}
	}
}
