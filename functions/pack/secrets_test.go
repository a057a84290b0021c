package main

import (
	"strings"
	"testing"

	"ostiary.internal/functions/internal/scan"
)

// No archive holds a secret: neither what is ours, by every rule, nor what is of others, by the forms that keys have.
func TestNoSecretsInArchives(t *testing.T) {
	t.Parallel()
	m := packedHere(t)
	seen := map[string]bool{}
	for object, data := range m.archives {
		files := contents(t, data, func(name string) bool { return !seen[name] || !strings.Contains(name, "/") })
		for name, text := range files {
			seen[name] = true
			find := scan.Secrets
			if strings.HasPrefix(name, "vendor/") {
				find = scan.Keys
			}
			for _, f := range find([]byte(text)) {
				t.Errorf("%s: %s:%d: %s: %s", object, name, f.Line, f.Rule, f.Text)
			}
		}
	}
	if len(seen) < 3000 {
		t.Errorf("only %d files were looked at", len(seen))
	}
}
