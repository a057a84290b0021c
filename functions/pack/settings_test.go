package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever whoever packs has set for the go command, in her environment or with go env -w, the same files are found.
func TestOwnSettings(t *testing.T) {
	settings := map[string]string{"GOAMD64": "v3", "GOEXPERIMENT": "fieldtrack", "GOFLAGS": "-tags=mine", "GOWORK": "elsewhere"}
	written := ""
	for name, value := range settings {
		written += name + "=" + value + "\n"
	}
	s := sources{root: t.TempDir()}
	for name, text := range map[string]string{"env": written, "go.mod": "module example.com/m\n\ngo 1.26.0\n", "all.go": "package m\n", "wide.go": "//go:build amd64.v2\n\npackage m\n",
		"trial.go": "//go:build goexperiment.fieldtrack\n\npackage m\n", "tagged.go": "//go:build mine\n\npackage m\n"} {
		if err := os.WriteFile(filepath.Join(s.root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look := func(how string) {
		if files, err := s.golang(t.Context(), "0", "list", "-f", "{{.GoFiles}}"); err != nil || string(files) != "[all.go]\n" {
			t.Errorf("%s: %s, %v", how, files, err)
		}
	}
	t.Setenv("GOENV", filepath.Join(s.root, "env"))
	look("go env -w")
	t.Setenv("GOENV", "off")
	for name, value := range settings {
		t.Setenv(name, value)
	}
	look("environment")
}
