package sealed

import (
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"ostiary.internal/shared/platform/fault"
	sealing "ostiary.internal/shared/platform/seal/local"
)

func TestBox(t *testing.T) {
	t.Parallel()
	b := Box{Kind: "notice", Keys: sealing.New(filepath.Join(t.TempDir(), "key"), rand.Reader), Random: rand.Reader, Mark: []byte(strings.Repeat("m", 32))}
	kept, err := b.Seal(t.Context(), "n1", map[string]string{"to": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := b.Open(t.Context(), "n1", kept, &got); err != nil || got["to"] != "ada" {
		t.Errorf("it reads %v, %v", got, err)
	}
	other := b
	other.Kind = "grant"
	for name, open := range map[string]func() error{
		"of another document": func() error { return b.Open(t.Context(), "n2", kept, &got) },
		"of another kind":     func() error { return other.Open(t.Context(), "n1", kept, &got) },
	} {
		if err := open(); err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Open(t.Context(), "n1", nil, &got); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing: %v", err)
	}
	var text string
	if err := b.Open(t.Context(), "n1", kept, &text); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "ada") {
		t.Errorf("something else: %v", err)
	}
	if _, err := b.Seal(t.Context(), "n1", func() {}); !fault.Is(err, fault.Invalid) {
		t.Errorf("what is no JSON: %v", err)
	}
	// Names of documents that are stored already: they never change.
	if got := b.Name("told", "ada"); got != "f03fb6f50b154371d17b72798c99fd02cdd82a96" {
		t.Errorf("its name is %s", got)
	}
	names := map[string]bool{b.Name("a", "b"): true, b.Name("ab"): true, b.Name("a"): true, other.Name("a"): true}
	other.Mark = []byte(strings.Repeat("n", 32))
	if names[other.Name("a")] = true; len(names) != 5 {
		t.Errorf("%d names of 5", len(names))
	}
}
