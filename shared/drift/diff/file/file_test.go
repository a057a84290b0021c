package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"ostiary.internal/shared/drift/diff"
	_ "ostiary.internal/shared/drift/diff/file"
	"ostiary.internal/shared/drift/diff/statetest"
	"ostiary.internal/shared/platform/driver"
	"ostiary.internal/shared/platform/fault"
)

func TestSource(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(t *testing.T) statetest.World {
		dir := t.TempDir()
		s, err := diff.Sources.Open(t.Context(), driver.URL("file", filepath.Join(dir, "terraform.tfstate")), diff.SourceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		save := func(name, text string) {
			// As Terraform does: beside it, and moved over it.
			if err := os.WriteFile(filepath.Join(dir, "new"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		return statetest.World{Source: s, Write: func(state string) { save("terraform.tfstate", state) }, Lock: func(held bool) {
			if held {
				save(".terraform.tfstate.lock.info", "{}")
			} else {
				_ = os.Remove(filepath.Join(dir, ".terraform.tfstate.lock.info"))
			}
		}}
	})
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"file:", "file://host/x.tfstate", "file:x?y=1"} {
		if _, err := diff.Sources.Open(t.Context(), raw, diff.SourceOptions{}); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	s, err := diff.Sources.Open(t.Context(), driver.URL("file", t.TempDir()), diff.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context()); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("a folder: %v", err)
	}
}
